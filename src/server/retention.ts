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

/**
 * Forgets now and every hour. Several nodes may do so at once: each deletes some of the same.
 * @param days of a transaction; 0 keeps all of them.
 * @returns what ends it.
 */
export function startRetention(
  db: Database,
  availability: Availability,
  days: number,
  logger: FastifyBaseLogger,
): () => void {
  const transactions = new Transactions(db);
  async function forget(): Promise<void> {
    const now = Date.now();
    const deleted = days === 0 ? 0 : await transactions.deleteOlderThan(now - days * dayMs);
    if (deleted > 0) logger.info({ deleted, days }, 'transactions were deleted for their age');
    await deleteQuotasBefore(db, new Date(now).toISOString().slice(0, 7));
    await deleteRatesBefore(db, now);
    await deleteSessionsBefore(db, now);
  }
  const run = () =>
    availability
      .run(forget)
      .catch((error) => logger.debug({ err: error }, 'forgetting waits for the database'));
  run();
  const timer = setInterval(run, everyMs).unref();
  return () => clearInterval(timer);
}
