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
  // A single statement is a transaction of its own, and what is over of the only quota nobody else could have had.
  if (quotas.length === 1) return await count(db, quotas, uses);
  return await db.transaction().execute((transaction) => count(transaction, quotas, uses));
}

async function count(db: Kysely<Schema>, quotas: readonly Quota[], uses: number): Promise<Counted> {
  const used = await addUses(db, quotas, uses);
  const over = Math.max(...quotas.map(({ allowed }, i) => (used[i] as number) - allowed), 0);
  const granted = Math.max(uses - over, 0);
  return { granted, used: granted < uses ? await addUses(db, quotas, granted - uses) : used };
}

/**
 * Adds uses to each, whatever is allowed.
 * @returns what is used of each by now.
 */
export async function addUses(
  db: Kysely<Schema>,
  periods: readonly QuotaPeriod[],
  uses: number,
): Promise<number[]> {
  const rows = await db
    .insertInto('quotas')
    .values(periods.map(({ subject, period }) => ({ subject, period, used: uses })))
    .onConflict((conflict) =>
      conflict.columns(['subject', 'period']).doUpdateSet({ used: sql<number>`quotas.used + excluded.used` }),
    )
    .returning(['subject', 'period', 'used'])
    .execute();
  // They may come in any order.
  return periods.map(
    ({ subject, period }) =>
      rows.find((row) => row.subject === subject && row.period === period)?.used as number,
  );
}

/** Forgets what is before a month, `2026-11`, with its days. */
export async function deleteQuotasBefore(db: Kysely<Schema>, month: string): Promise<void> {
  await db.deleteFrom('quotas').where('period', '<', month).execute();
}
