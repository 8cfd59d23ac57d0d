/** The log: one row for every answered request, written in batches, read by pages, deleted by chunks. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CompiledQuery, type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Schema, TransactionRow } from './schema.ts';

/** One answered request. Never an image, a key or a face's position. */
export interface Transaction {
  /** 13 characters of base 36; the request id of every dialect, and ARGOS's transactionId. */
  readonly id: string;
  /** When the request began, in milliseconds since 1970. */
  readonly time: number;
  /** Ids of the app and of the key that asked. */
  readonly app: string;
  readonly key: string;
  readonly dialect: string;
  /** The operating point that the answer was given for. */
  readonly mode: string | null;
  readonly outcome: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** How many faces were assessed; null where the picture was not. */
  readonly faces: number | null;
  /** Calibrated probability of a live person, 0..1, for each face, largest first. */
  readonly pLive: readonly number[] | null;
  /** For each face the verdict at each operating point. */
  readonly verdicts: readonly Readonly<Record<string, string>>[] | null;
  readonly profile: string | null;
  /** What was looked with: id and SHA-256 of the weights. */
  readonly models: readonly { readonly id: string; readonly sha256: string }[] | null;
  /** SHA-256 of the file that was in place of the profile's own calibration; null where there was none. */
  readonly calibrationSha256: string | null;
  /** SHA-256 of the image's bytes in hexadecimal. */
  readonly imageSha256: string | null;
  readonly imageBytes: number | null;
  readonly imageFormat: string | null;
  /** Of the upright image, in pixels. */
  readonly width: number | null;
  readonly height: number | null;
  /** Milliseconds per stage. */
  readonly timings: Readonly<Record<string, number>> | null;
  /** Milliseconds from the request's beginning to its answer. */
  readonly totalMs: number;
  /** The client's address, as far as it is to be kept. */
  readonly client: string | null;
  /** What the caller wanted the request to be found by. */
  readonly tag: string | null;
  /** The id of the last transaction with the same picture, where one was looked for and found. */
  readonly seenBefore: string | null;
}

export interface TransactionFilter {
  readonly app?: string | undefined;
  readonly key?: string | undefined;
  readonly dialect?: string | undefined;
  readonly outcome?: string | undefined;
  readonly tag?: string | undefined;
  readonly imageSha256?: string | undefined;
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly to?: number | undefined;
}

export interface TransactionPage {
  /** Newest first. May be fewer than asked for, even none, although there are more. */
  readonly transactions: readonly Transaction[];
  /** Where the next page begins; not there after the last. */
  readonly next?: string;
}

/** What is known of a picture that came before. */
export interface Seen {
  /** Of the last transaction with it. */
  readonly id: string;
  readonly lastAt: number;
  /** Of the first one within the time looked at. */
  readonly firstAt: number;
}

/** Rows of one insertion: some 15 ms of the process with SQLite, and far below the 32,766 values it takes at once. */
const insertRows = 100;
/** Rows of one deletion: as long. */
const deleteRows = 200;
/**
 * Rows that one statement looks at for a page. With a filter that few rows fit, SQLite would otherwise hold the whole
 * process until it has found enough of them.
 */
const scanRows = 2_000;
/** Rows of one page of an export. */
const exportRows = 500;

/** The log of one database. */
export class Transactions {
  readonly #db: Kysely<Schema>;
  // Built once, as they are asked for every picture: it takes longer than their answers.
  readonly #lastOfPicture: OfPicture;
  readonly #firstOfPicture: OfPicture;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
    this.#lastOfPicture = ofPicture(db, 'desc');
    this.#firstOfPicture = ofPicture(db, 'asc');
  }

  /**
   * Writes transactions, and counts those that were not there yet; each batch wholly or not at all.
   * May be repeated with the same transactions: a row that is there is neither changed nor counted again.
   * @returns how many were new.
   */
  async insert(transactions: readonly Transaction[]): Promise<number> {
    let inserted = 0;
    for (let i = 0; i < transactions.length; i += insertRows) {
      inserted += await this.#insertBatch(transactions.slice(i, i + insertRows));
    }
    return inserted;
  }

  async #insertBatch(transactions: readonly Transaction[]): Promise<number> {
    // In one order whoever writes them: two that lock the same rows in different orders would wait for each other.
    const rows = transactions.map(toRow).sort((a, b) => (a.id < b.id ? -1 : 1));
    return await this.#db.transaction().execute(async (db) => {
      const inserted = await db
        .insertInto('transactions')
        .values(rows)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning(['time', 'app', 'key', 'dialect', 'outcome'])
        .execute();
      const counts = new Map<string, Schema['usage']>();
      for (const { time, ...rest } of inserted) {
        const day = new Date(time).toISOString().slice(0, 10);
        const row = { day, ...rest, count: 1 };
        const name = JSON.stringify([day, rest.app, rest.key, rest.dialect, rest.outcome]);
        const earlier = counts.get(name);
        if (earlier === undefined) counts.set(name, row);
        else earlier.count++;
      }
      if (counts.size > 0) {
        const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
        await db
          .insertInto('usage')
          .values(sorted)
          .onConflict((conflict) =>
            conflict
              .columns(['day', 'app', 'key', 'dialect', 'outcome'])
              .doUpdateSet({ count: sql<number>`usage.count + excluded.count` }),
          )
          .execute();
      }
      return inserted.length;
    });
  }

  async find(id: string): Promise<Transaction | undefined> {
    const row = await this.#db.selectFrom('transactions').selectAll().where('id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  }

  /**
   * One page of the transactions that fit, newest first. What is written meanwhile never appears twice.
   * @param cursor the `next` of the page before.
   * @throws StorageError for a cursor that is none.
   */
  async list(filter: TransactionFilter, limit: number, cursor?: string): Promise<TransactionPage> {
    let within = byIndex(this.#db.selectFrom('transactions'), filter);
    if (cursor !== undefined) {
      const [time, id] = decodeCursor(cursor, ['number', 'string']);
      within = within.where(sql<boolean>`(time, id) < (${time}, ${id})`);
    }
    const newestFirst = <Row>(query: Selection<Row>) => query.orderBy('time', 'desc').orderBy('id', 'desc');
    // The last row that is looked at, where there are so many.
    const end = isByIndex(filter)
      ? undefined
      : await newestFirst(within.select(['time', 'id']))
          .offset(scanRows - 1)
          .limit(1)
          .executeTakeFirst();
    let fitting = unindexed(within.selectAll(), filter);
    if (end !== undefined) fitting = fitting.where(sql<boolean>`(time, id) >= (${end.time}, ${end.id})`);
    const rows = await newestFirst(fitting).limit(limit).execute();
    const last = rows.length === limit ? rows.at(-1) : end;
    return {
      transactions: rows.map(fromRow),
      ...(last !== undefined && { next: encodeCursor([last.time, last.id]) }),
    };
  }

  /** All that fit, newest first, page by page; other work of the process gets its turn between the pages. */
  async *export(filter: TransactionFilter): AsyncGenerator<readonly Transaction[]> {
    let cursor: string | undefined;
    do {
      const page = await this.list(filter, exportRows, cursor);
      if (page.transactions.length > 0) yield page.transactions;
      cursor = page.next;
      // SQLite answers within the same turn of the event loop.
      await nextTurn();
    } while (cursor !== undefined);
  }

  /** @returns whether there was one. */
  async delete(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('transactions')
      .where('id', '=', id)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /**
   * Deletes what carries a tag, in all apps or in one.
   * @returns how many there were.
   */
  async deleteByTag(tag: string, app?: string): Promise<number> {
    const tagged = this.#db.selectFrom('transactions').select('id').where('tag', '=', tag);
    return await this.#deleteByChunks(app === undefined ? tagged : tagged.where('app', '=', app));
  }

  /**
   * Deletes what is older, a chunk at a time.
   * @param time milliseconds since 1970.
   * @param atMost how many rows at most.
   * @returns how many were deleted.
   */
  async deleteOlderThan(time: number, atMost = Number.POSITIVE_INFINITY): Promise<number> {
    const older = this.#db.selectFrom('transactions').select('id').where('time', '<', time);
    return await this.#deleteByChunks(older.orderBy('time'), atMost);
  }

  async #deleteByChunks(ids: Selection<{ id: string }>, atMost = Number.POSITIVE_INFINITY): Promise<number> {
    for (let deleted = 0; ; ) {
      const limit = Math.min(deleteRows, atMost - deleted);
      const { numDeletedRows } = await this.#db
        .deleteFrom('transactions')
        .where('id', 'in', ids.limit(limit))
        .executeTakeFirst();
      deleted += Number(numDeletedRows);
      if (numDeletedRows < limit || deleted >= atMost) return deleted;
      await nextTurn();
    }
  }

  /**
   * Whether an app has sent this picture before.
   * @param since milliseconds since 1970: what is older does not count.
   */
  async lastSeen(app: string, imageSha256: string, since: number): Promise<Seen | undefined> {
    const of = async (query: OfPicture) => {
      const parameters = [imageSha256, app, since];
      return (await this.#db.executeQuery<Found>({ ...query, parameters })).rows[0];
    };
    const last = await of(this.#lastOfPicture);
    if (last === undefined) return undefined;
    const first = await of(this.#firstOfPicture);
    return { id: last.id, lastAt: last.time, firstAt: first?.time ?? last.time };
  }
}

interface Found {
  readonly id: string;
  readonly time: number;
}

/** Finds a row by SHA-256 of the picture, app and earliest time. */
type OfPicture = CompiledQuery<Found>;

function ofPicture(db: Kysely<Schema>, direction: 'asc' | 'desc'): OfPicture {
  return (
    db
      .selectFrom('transactions')
      .select(['id', 'time'])
      .where('image_sha256', '=', '')
      .where('app', '=', '')
      .where('time', '>=', 0)
      .orderBy('time', direction)
      .orderBy('id', direction)
      // Written out: with a limit among the parameters SQLite plans a statement anew each time, which takes longer than to run it.
      .limit(sql.lit(1))
      .compile()
  );
}

type Selection<Row> = SelectQueryBuilder<Schema, 'transactions', Row>;

/** The part of a filter that an index answers; a tag narrows more than the app would. */
function byIndex<Row>(
  query: Selection<Row>,
  { app, tag, imageSha256, from, to }: TransactionFilter,
): Selection<Row> {
  let narrowed = query;
  if (tag !== undefined) narrowed = narrowed.where('tag', '=', tag);
  else if (app !== undefined) narrowed = narrowed.where('app', '=', app);
  if (imageSha256 !== undefined) narrowed = narrowed.where('image_sha256', '=', imageSha256);
  if (from !== undefined) narrowed = narrowed.where('time', '>=', from);
  if (to !== undefined) narrowed = narrowed.where('time', '<', to);
  return narrowed;
}

/** The part that is looked for among those. */
function unindexed<Row>(query: Selection<Row>, { app, tag, key, dialect, outcome }: TransactionFilter) {
  let narrowed = query;
  if (tag !== undefined && app !== undefined) narrowed = narrowed.where('app', '=', app);
  if (key !== undefined) narrowed = narrowed.where('key', '=', key);
  if (dialect !== undefined) narrowed = narrowed.where('dialect', '=', dialect);
  if (outcome !== undefined) narrowed = narrowed.where('outcome', '=', outcome);
  return narrowed;
}

function isByIndex({ app, tag, key, dialect, outcome }: TransactionFilter): boolean {
  const isShared = tag !== undefined && app !== undefined;
  return !isShared && [key, dialect, outcome].every((value) => value === undefined);
}

const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
// biome-ignore lint/suspicious/noExplicitAny: written by `toRow` alone.
const parsed = (text: string | null): any => (text === null ? null : JSON.parse(text));

function toRow(transaction: Transaction): TransactionRow {
  const {
    pLive,
    verdicts,
    models,
    timings,
    calibrationSha256,
    imageSha256,
    imageBytes,
    imageFormat,
    totalMs,
    seenBefore,
    ...same
  } = transaction;
  return {
    ...same,
    p_live: json(pLive),
    verdicts: json(verdicts),
    models: json(models),
    calibration_sha256: calibrationSha256,
    image_sha256: imageSha256,
    image_bytes: imageBytes,
    image_format: imageFormat,
    timings: json(timings),
    total_ms: totalMs,
    seen_before: seenBefore,
  };
}

function fromRow(row: TransactionRow): Transaction {
  return {
    id: row.id,
    time: row.time,
    app: row.app,
    key: row.key,
    dialect: row.dialect,
    mode: row.mode,
    outcome: row.outcome,
    status: row.status,
    faces: row.faces,
    pLive: parsed(row.p_live),
    verdicts: parsed(row.verdicts),
    profile: row.profile,
    models: parsed(row.models),
    calibrationSha256: row.calibration_sha256,
    imageSha256: row.image_sha256,
    imageBytes: row.image_bytes,
    imageFormat: row.image_format,
    width: row.width,
    height: row.height,
    timings: parsed(row.timings),
    totalMs: row.total_ms,
    client: row.client,
    tag: row.tag,
    seenBefore: row.seen_before,
  };
}
