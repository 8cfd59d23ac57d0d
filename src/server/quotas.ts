/** Quotas of a day and a month: counted in the database, and while that is away by this node from what it last knew. */

import type { Availability } from '../storage/availability.ts';
import type { Database } from '../storage/database.ts';
import { addUses, countUses, type Quota } from '../storage/quotas.ts';

export interface Quotas {
  /**
   * Counts one use of all of them, or of none where one is used up.
   * @param quotas at least one.
   */
  count(quotas: readonly Quota[]): Promise<QuotaUse>;
}

export interface QuotaUse {
  readonly isGranted: boolean;
  /** What is used of each by now, in their order. */
  readonly used: readonly number[];
}

/** What this node knows of a subject's day or month. */
interface Known {
  readonly period: string;
  /** As the database last said. It never becomes less. */
  used: number;
  /** Granted without being counted there. */
  uncounted: number;
}

type Waiting = PromiseWithResolvers<QuotaUse>;

export function createQuotas(db: Database, availability: Availability): Quotas {
  /** One for the day and one for the month of every subject that is limited. */
  const memory = new Map<string, Known>();
  /**
   * Requests by their quotas: those that come while some are being counted are counted together afterwards. One by
   * one, they would wait for each other's lock until the database seemed to be away.
   */
  const waiting = new Map<string, Waiting[]>();

  function knownOf({ subject, period }: Quota): Known {
    const name = `${subject} ${period.length}`;
    const found = memory.get(name);
    if (found?.period === period) return found;
    const known = { period, used: 0, uncounted: 0 };
    memory.set(name, known);
    return known;
  }

  /** Brings what was granted in the meantime to the database. */
  async function settle(quota: Quota, known: Known): Promise<void> {
    const uses = known.uncounted;
    if (uses === 0) return;
    known.uncounted = 0;
    try {
      await addUses(db, [quota], uses);
      known.used += uses;
    } catch (error) {
      known.uncounted += uses;
      throw error;
    }
  }

  /** @returns one answer for each of the uses. */
  async function countTogether(quotas: readonly Quota[], uses: number): Promise<QuotaUse[]> {
    const known = quotas.map(knownOf);
    const room = () =>
      Math.max(
        Math.min(...known.map((one, i) => (quotas[i] as Quota).allowed - one.used - one.uncounted)),
        0,
      );
    let granted: number;
    try {
      const counted = await availability.run(async () => {
        for (const [i, quota] of quotas.entries()) await settle(quota, known[i] as Known);
        return await countUses(db, quotas, uses);
      });
      granted = counted.granted;
      for (const [i, used] of counted.used.entries()) {
        const one = known[i] as Known;
        // Of other keys of the app, a later answer may have come before this one.
        one.used = Math.max(one.used, used);
      }
    } catch {
      // Nobody is refused because a database is away.
      granted = Math.min(uses, room());
      for (const one of known) one.uncounted += granted;
    }
    const total = known.map(({ used, uncounted }) => used + uncounted);
    return Array.from({ length: uses }, (_, i) => ({
      isGranted: i < granted,
      used: total.map((used) => used - Math.max(granted - 1 - i, 0)),
    }));
  }

  async function countAll(name: string, quotas: readonly Quota[]): Promise<void> {
    for (let batch = waiting.get(name) ?? []; batch.length > 0; batch = waiting.get(name) ?? []) {
      waiting.set(name, []);
      const answers = await countTogether(quotas, batch.length);
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as QuotaUse);
    }
    waiting.delete(name);
  }

  return {
    count(quotas) {
      const name = JSON.stringify(quotas);
      const one: Waiting = Promise.withResolvers();
      const others = waiting.get(name);
      if (others !== undefined) {
        others.push(one);
      } else {
        waiting.set(name, [one]);
        countAll(name, quotas);
      }
      return one.promise;
    },
  };
}
