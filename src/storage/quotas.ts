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

export interface Counted {
  /** How many of the uses were counted; what is allowed had no room for more. */
  readonly granted: number;
  /** What is used of each quota by now, in their order. */
  readonly used: readonly number[];
}

/**
 * Counts uses of all of the quotas, or of none. Of requests that come at once, on any node, exactly as many get through as
 * are allowed: the first statement locks the rows, and who comes second waits for them.
 * @param quotas always in the same order for the same subjects, so that two requests never wait for each other.
 */
export async function countUses(
  db: Kysely<Schema>,
  quotas: readonly Quota[],
  uses: number,
): Promise<Counted> {
  return await db.transaction().execute(async (transaction) => {
    const before: number[] = [];
    for (const quota of quotas) before.push(await add(transaction, quota, 0));
    const room = quotas.map(({ allowed }, i) => allowed - (before[i] as number));
    const granted = Math.max(Math.min(uses, ...room), 0);
    if (granted > 0) for (const quota of quotas) await add(transaction, quota, granted);
    return { granted, used: before.map((used) => used + granted) };
  });
}

/**
 * Adds uses, whatever is allowed.
 * @returns what is used by now.
 */
export async function add(
  db: Kysely<Schema>,
  { subject, period }: QuotaPeriod,
  uses: number,
): Promise<number> {
  const { used } = await db
    .insertInto('quotas')
    .values({ subject, period, used: uses })
    .onConflict((conflict) =>
      conflict.columns(['subject', 'period']).doUpdateSet({ used: sql<number>`quotas.used + excluded.used` }),
    )
    .returning('used')
    .executeTakeFirstOrThrow();
  return used;
}

/** Forgets what is before a month, `2026-11`, with its days. */
export async function deleteQuotasBefore(db: Kysely<Schema>, month: string): Promise<void> {
  await db.deleteFrom('quotas').where('period', '<', month).execute();
}
