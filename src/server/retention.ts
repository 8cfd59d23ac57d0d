/** Forgetting: transactions after their days, what limits counted in times that are over, and sessions that have ended. */

import type { FastifyBaseLogger } from 'fastify';
import type { Availability } from '../storage/availability.ts';
import type { Database } from '../storage/database.ts';
import { deleteQuotasBefore } from '../storage/quotas.ts';
import { deleteRatesBefore } from '../storage/rates.ts';
import { deleteSessionsBefore } from '../storage/sessions.ts';
import { Transactions } from '../storage/transactions.ts';

const dayMs = 86_400_000;
const everyMs = 3_600_000;
/** The most that a clock may be set forward between two runs: what synchronising does, and no more. */
const stepMs = 600_000;

/** What tells the time: as people have it, and since some moment, evenly. Both in milliseconds. */
export interface Clock {
  time(): number;
  elapsed(): number;
}

const systemClock: Clock = { time: () => Date.now(), elapsed: () => performance.now() };

/**
 * Forgets now and every hour. Several nodes may do so at once: each deletes some of the same. A clock that was set forward is
 * believed after another hour: set to a wrong year, it would have all of the log deleted at once.
 * @param days of a transaction; 0 keeps all of them.
 * @param clock for tests.
 * @returns what ends it.
 */
export function startRetention(
  db: Database,
  availability: Availability,
  days: number,
  logger: FastifyBaseLogger,
  clock: Clock = systemClock,
): () => void {
  const transactions = new Transactions(db);
  let last = clock.time() - clock.elapsed();

  /** By how much the clock was set forward since this was asked last. */
  function step(): number {
    const difference = clock.time() - clock.elapsed();
    const stepped = difference - last;
    last = difference;
    return stepped;
  }

  async function forget(): Promise<void> {
    const now = clock.time();
    const deleted = days === 0 ? 0 : await transactions.deleteOlderThan(now - days * dayMs);
    if (deleted > 0) logger.info({ deleted, days }, 'transactions were deleted for their age');
    await deleteQuotasBefore(db, new Date(now).toISOString().slice(0, 7));
    await deleteRatesBefore(db, now);
    await deleteSessionsBefore(db, now);
  }
  const run = () => {
    const stepped = step();
    if (stepped > stepMs) {
      logger.warn(
        { seconds: Math.round(stepped / 1000) },
        'the clock was set forward: nothing is deleted for an hour',
      );
      return;
    }
    availability
      .run(forget)
      .catch((error) => logger.debug({ err: error }, 'forgetting waits for the database'));
  };
  run();
  const timer = setInterval(run, everyMs).unref();
  return () => clearInterval(timer);
}
