/** How much of a day and of a month was used, counted by all nodes together and never beyond what is allowed. */

import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** Whose uses, within which time. */
export interface QuotaPeriod {
  /** `key:<id>` or `app:<id>`. */
  readonly subject: string;
  /** A day or a month in UTC: `2026-11-22` or `2026-11`. */
  readonly period: string;
}

export interface Quota extends QuotaPeriod {
  readonly allowed: number;
}

export type Counted =
  /** What is used of each by now, in their order. */
  | { readonly used: readonly number[] }
  /** The place of the one that is used up; nothing was counted. */
  | { readonly usedUp: number };

/** A quota that is used up, by its place in the list. */
class UsedUp extends Error {
  readonly index: number;

  constructor(index: number) {
    super('A quota is used up.');
    this.index = index;
  }
}

/**
 * Counts one use of all of them, or of none. Of requests that come at once, on any node, exactly as many get through as are
 * allowed: checking and counting is one statement, and who comes second waits for the row.
 * @param quotas always in the same order for the same subjects, so that two requests never wait for each other.
 */
export async function countUse(db: Kysely<Schema>, quotas: readonly Quota[]): Promise<Counted> {
  try {
    // One statement needs no transaction around it, which would be two more round trips.
    const [only, ...others] = quotas;
    if (only !== undefined && others.length === 0) return { used: [await count(db, only, 0)] };
    return await db.transaction().execute(async (transaction) => {
      const used: number[] = [];
      for (const [i, quota] of quotas.entries()) used.push(await count(transaction, quota, i));
      return { used };
    });
  } catch (error) {
    if (error instanceof UsedUp) return { usedUp: error.index };
    throw error;
  }
}

async function count(
  db: Kysely<Schema>,
  { subject, period, allowed }: Quota,
  index: number,
): Promise<number> {
  const row = await db
    .insertInto('quotas')
    .values({ subject, period, used: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['subject', 'period'])
        .doUpdateSet({ used: sql<number>`quotas.used + 1` })
        .where('quotas.used', '<', allowed),
    )
    .returning('used')
    .executeTakeFirst();
  if (row === undefined) throw new UsedUp(index);
  return row.used;
}

/** Adds uses that were granted while they could not be counted, whatever is allowed. */
export async function addUses(
  db: Kysely<Schema>,
  { subject, period }: QuotaPeriod,
  uses: number,
): Promise<void> {
  await db
    .insertInto('quotas')
    .values({ subject, period, used: uses })
    .onConflict((conflict) =>
      conflict.columns(['subject', 'period']).doUpdateSet({ used: sql<number>`quotas.used + excluded.used` }),
    )
    .execute();
}

/** Forgets what is before a month, `2026-11`, with its days. */
export async function deleteQuotasBefore(db: Kysely<Schema>, month: string): Promise<void> {
  await db.deleteFrom('quotas').where('period', '<', month).execute();
}
