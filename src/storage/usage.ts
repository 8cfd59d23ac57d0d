/** How often what happened: by day, app, key, dialect and outcome. */

import { type Kysely, sql } from 'kysely';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { StorageError } from './errors.ts';
import type { Schema } from './schema.ts';

/** What counts can be told apart by, in this order. */
export const usageParts = ['day', 'app', 'key', 'dialect', 'outcome'] as const;
export type UsagePart = (typeof usageParts)[number];

export interface UsageFilter {
  /** Days in UTC, `2026-11-22`, both inclusive. */
  readonly from: string;
  readonly to: string;
  readonly app?: string | undefined;
  readonly key?: string | undefined;
  readonly dialect?: string | undefined;
  readonly outcome?: string | undefined;
}

/** One count, with the parts that were asked for. */
export type UsageCount = { readonly [Part in UsagePart]?: string } & { readonly count: number };

export interface UsagePage {
  readonly counts: readonly UsageCount[];
  /** Where the next page begins; not there after the last. */
  readonly next?: string;
}

/** Most days of one question, so that no statement has to add up more than that. */
export const maxDays = 400;

const dayMs = 86_400_000;

/** Today in UTC, or so many days before: `2026-11-22`. */
export function utcDay(daysAgo = 0, now = Date.now()): string {
  return new Date(now - daysAgo * dayMs).toISOString().slice(0, 10);
}

/** The usage of one database. */
export class Usage {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * @param by what the counts are told apart by; what is left out is added up.
   * @param cursor the `next` of the page before, of the same question.
   * @throws StorageError `invalid` for days that are none, for more than 400 of them, and for a cursor that is none.
   */
  async list(
    filter: UsageFilter,
    by: readonly UsagePart[],
    limit: number,
    cursor?: string,
  ): Promise<UsagePage> {
    requireDays(filter);
    const parts = usageParts.filter((part) => by.includes(part));
    let query = this.#db
      .selectFrom('usage')
      .select(parts)
      .select(sql<number>`cast(sum(count) as bigint)`.as('count'))
      .where('day', '>=', filter.from)
      .where('day', '<=', filter.to);
    for (const name of ['app', 'key', 'dialect', 'outcome'] as const) {
      const value = filter[name];
      if (value !== undefined) query = query.where(name, '=', value);
    }
    if (cursor !== undefined && parts.length > 0) {
      const values = decodeCursor(
        cursor,
        parts.map(() => 'string' as const),
      );
      const columns = sql.join(parts.map((part) => sql.ref(part)));
      query = query.where(sql<boolean>`(${columns}) > (${sql.join(values)})`);
    }
    for (const part of parts) query = query.groupBy(part).orderBy(part);
    // Without a part there is one sum, which of nothing is null.
    const rows = (await query.limit(limit + 1).execute()).filter(({ count }) => count !== null);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      counts: rows.slice(0, limit).map((row) => ({ ...row })) as UsageCount[],
      ...(last !== undefined && { next: encodeCursor(parts.map((part) => last[part] as string)) }),
    };
  }
}

function requireDays({ from, to }: UsageFilter): void {
  const isDay = (day: string) =>
    /^\d{4}-\d\d-\d\d$/.test(day) && new Date(day).toJSON()?.slice(0, 10) === day;
  if (!isDay(from) || !isDay(to)) {
    throw new StorageError('invalid', 'A day is written like 2026-11-22.');
  }
  if ((Date.parse(to) - Date.parse(from)) / dayMs >= maxDays) {
    throw new StorageError('invalid', `Ask for ${maxDays} days at most.`);
  }
}
