/** Quotas of a day and a month: counted in the database, and while that is away by this node from what it last knew. */

import type { Kysely } from 'kysely';
import { type Availability, patienceMs } from '../storage/availability.ts';
import { addUses, type Counted, countUse, type Quota } from '../storage/quotas.ts';
import type { Schema } from '../storage/schema.ts';

export interface Quotas {
  /** Counts one use of all of them, or of none where one is used up. */
  count(quotas: readonly Quota[]): Promise<Counted>;
}

/** What this node knows of a subject's day or month. */
interface Known {
  readonly period: string;
  /** As the database last said. It never becomes less. */
  used: number;
  /** Granted without being counted there. */
  uncounted: number;
}

export function createQuotas(db: Kysely<Schema>, availability: Availability): Quotas {
  /** One for the day and one for the month of every subject that is limited. */
  const memory = new Map<string, Known>();

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
      await addUses(db, quota, uses);
    } catch (error) {
      known.uncounted += uses;
      throw error;
    }
  }

  return {
    async count(quotas) {
      const known = quotas.map(knownOf);
      const allowed = (i: number) => (quotas[i] as Quota).allowed;
      const usedUp = known.findIndex(({ used }, i) => used >= allowed(i));
      if (usedUp >= 0) return { usedUp };
      try {
        const counted = await availability.run(async () => {
          for (const [i, quota] of quotas.entries()) await settle(quota, known[i] as Known);
          return await countUse(db, quotas);
        }, patienceMs);
        for (const [i, one] of known.entries()) {
          const used = 'used' in counted ? counted.used[i] : counted.usedUp === i ? allowed(i) : 0;
          // Answers of the database may overtake each other.
          one.used = Math.max(one.used, used ?? 0);
        }
        return counted;
      } catch {
        // Nobody is refused because a database is away.
        const full = known.findIndex(({ used, uncounted }, i) => used + uncounted >= allowed(i));
        if (full >= 0) return { usedUp: full };
        for (const one of known) one.uncounted += 1;
        return { used: known.map(({ used, uncounted }) => used + uncounted) };
      }
    },
  };
}
