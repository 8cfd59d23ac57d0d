/** Apps, their keys, and the tokens of administrators: made, listed, rotated and revoked. */

import { createHash, randomBytes } from 'node:crypto';
import { type Kysely, type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { StorageError } from './errors.ts';
import type { AdminTokenRow, AppRow, KeyRow, Schema } from './schema.ts';

/** What a caller may use; unset is unlimited. Positive whole numbers. */
export interface Limits {
  readonly perSecond?: number;
  /** Requests at once on top of `perSecond`. */
  readonly burst?: number;
  readonly perDay?: number;
  readonly perMonth?: number;
}

export interface App {
  readonly id: string;
  /** Names the app in the path of the NHN dialect. Not secret by itself. */
  readonly appKey: string;
  readonly name: string;
  readonly limits: Limits;
  /** Milliseconds since 1970, as all times here. */
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** A `secret` proves an appKey (the NHN dialect's Authorization header); an `api` key stands alone (x-api-key). */
export type KeyKind = 'secret' | 'api';

/** The dialects that a key may be for. */
export type Scope = 'nhn' | 'argos' | 'native';

export const scopesOf = {
  secret: ['nhn'],
  api: ['argos', 'native'],
} as const satisfies Record<KeyKind, readonly Scope[]>;

export interface Key {
  readonly id: string;
  /** Id of the app it belongs to. */
  readonly app: string;
  readonly kind: KeyKind;
  readonly name: string;
  /** The first characters of the key itself. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly limits: Limits;
  /** Who made it: an admin token's name, or "command line". */
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Id of the key that took its place. */
  readonly replacedBy: string | null;
  /** Written at most once a minute. */
  readonly lastUsedAt: number | null;
}

export interface AdminToken {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

/** What was made, with the one text that is never told again. */
export interface Made<Record> {
  readonly made: Record;
  readonly secret: string;
}

/** A part of a list, oldest first. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next part begins; not there after the last. */
  readonly next?: string;
}

/** A key that may be used, with what a request by it needs to know. */
export interface LiveKey {
  readonly hash: string;
  readonly id: string;
  readonly kind: KeyKind;
  readonly scopes: readonly Scope[];
  readonly limits: Limits;
  readonly expiresAt: number | null;
  readonly app: Pick<App, 'id' | 'appKey' | 'name' | 'limits'>;
}

export interface NewKey {
  /** Id of the app. */
  readonly app: string;
  readonly kind: KeyKind;
  readonly name: string;
  /** Default: all that its kind can have. */
  readonly scopes?: readonly Scope[] | undefined;
  readonly limits?: Limits | undefined;
  readonly expiresAt?: number | undefined;
  readonly createdBy: string;
}

/** Longest name of an app, a key or a token, in characters. */
export const maxName = 100;

/** Longest time for which a key that was replaced stays good: a year. */
export const maxGraceSeconds = 31_536_000;

/**
 * SHA-256 of a key, in hexadecimal. A slow hash protects what people choose; nobody can try out 192 random bits, and a
 * slow one would be a way to keep the server busy.
 */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The first letters tell a leaked key's kind, to people and to scanners. */
const marks = { secret: 'bfs_', api: 'bfa_', admin: 'bft_' } as const;

/** The mark and 36 of the 192 bits: enough to tell keys apart, of no use for guessing the rest. */
const prefixLength = 10;

function newSecret(kind: keyof typeof marks): { secret: string; prefix: string; hash: string } {
  const secret = marks[kind] + randomBytes(24).toString('base64url');
  return { secret, prefix: secret.slice(0, prefixLength), hash: hashOf(secret) };
}

const newId = (kind: 'app' | 'key' | 'adm') => `${kind}_${randomBytes(8).toString('hex')}`;

/** The apps, keys and admin tokens of one database. */
export class Keys {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** @throws StorageError `conflict` where the name is taken, `invalid` for a name that is none. */
  async createApp(name: string, limits: Limits = {}): Promise<App> {
    requireName(name);
    requireLimits(limits);
    const row: AppRow = {
      id: newId('app'),
      app_key: randomBytes(12).toString('base64url'),
      name,
      limits: JSON.stringify(limits),
      created_at: Date.now(),
      revoked_at: null,
    };
    const made = await this.#db
      .insertInto('apps')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (made === undefined) throw new StorageError('conflict', `There is an app named "${name}" already.`);
    return toApp(made);
  }

  async listApps(limit: number, cursor?: string): Promise<Page<App>> {
    const rows = await oldestFirst(this.#db.selectFrom('apps').selectAll(), cursor)
      .limit(limit + 1)
      .execute();
    return toPage(rows, limit, toApp);
  }

  /**
   * @param name id or name.
   * @throws StorageError `not_found`.
   */
  async findApp(name: string): Promise<App> {
    return await appNamed(this.#db, name);
  }

  /**
   * The id of an app that a filter may name, by id or name.
   * @throws StorageError `not_found`.
   */
  async idOf(name: string | undefined): Promise<string | undefined> {
    return name === undefined ? undefined : (await this.findApp(name)).id;
  }

  /** Ends an app and with it all of its keys, for ever. Again, it changes nothing. */
  async revokeApp(id: string): Promise<App> {
    return await changeKeys(this.#db, async (db) => {
      const end = { revoked_at: Date.now() };
      await db.updateTable('apps').set(end).where('id', '=', id).where('revoked_at', 'is', null).execute();
      await db
        .updateTable('keys')
        .set(end)
        .where('app_id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      return await appNamed(db, id);
    });
  }

  /** @param limits in place of those it has. */
  async limitApp(id: string, limits: Limits): Promise<App> {
    requireLimits(limits);
    return await changeKeys(this.#db, async (db) => {
      await db
        .updateTable('apps')
        .set({ limits: JSON.stringify(limits) })
        .where('id', '=', id)
        .execute();
      return await appNamed(db, id);
    });
  }

  /** @throws StorageError `not_found`, `conflict` for a revoked app, `invalid`. */
  async createKey({
    app: appId,
    kind,
    name,
    scopes,
    limits = {},
    expiresAt,
    createdBy,
  }: NewKey): Promise<Made<Key>> {
    requireName(name);
    requireLimits(limits);
    const possible: readonly Scope[] = scopesOf[kind];
    const wanted = [...new Set(scopes ?? possible)];
    if (wanted.length === 0 || !wanted.every((scope) => possible.includes(scope))) {
      throw new StorageError('invalid', `The scopes of a key of kind ${kind} are of ${possible.join(', ')}.`);
    }
    requireFuture(expiresAt);
    return await changeKeys(this.#db, async (db) => {
      const app = await requireLiveApp(db, appId);
      return await insertKey(db, {
        app_id: app.id,
        kind,
        name,
        scopes: JSON.stringify(wanted),
        limits: JSON.stringify(limits),
        created_by: createdBy,
        expires_at: expiresAt ?? null,
      });
    });
  }

  /** @param app id; without one, the keys of all apps. */
  async listKeys(limit: number, cursor?: string, app?: string): Promise<Page<Key>> {
    let keys = this.#db.selectFrom('keys').selectAll();
    if (app !== undefined) keys = keys.where('app_id', '=', app);
    return toPage(
      await oldestFirst(keys, cursor)
        .limit(limit + 1)
        .execute(),
      limit,
      toKey,
    );
  }

  /** @throws StorageError `not_found`. */
  async findKey(id: string): Promise<Key> {
    return await keyWith(this.#db, id);
  }

  /**
   * Makes a key like another, which ends after the grace period or when it would have ended anyway.
   * @param graceMs for how long both are valid, a year at most.
   * @throws StorageError `not_found`, `invalid`, or `conflict` for a key that has ended, with its app too, or was replaced already.
   */
  async rotateKey(id: string, graceMs: number, createdBy: string): Promise<Made<Key>> {
    if (graceMs > maxGraceSeconds * 1000) {
      throw new StorageError('invalid', `A grace period has ${maxGraceSeconds} seconds at most.`);
    }
    return await changeKeys(this.#db, async (db) => {
      const old = await db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
      const now = Date.now();
      if (old === undefined) throw noKey();
      await requireLiveApp(db, old.app_id);
      if (old.revoked_at !== null || old.replaced_by !== null || (old.expires_at ?? now + 1) <= now) {
        throw new StorageError('conflict', `The key "${id}" is revoked, replaced or expired.`);
      }
      const { app_id, kind, name, scopes, limits, expires_at } = old;
      const like = { app_id, kind: kind as KeyKind, name, scopes, limits, expires_at };
      const made = await insertKey(db, { ...like, created_by: createdBy });
      const end = now + graceMs;
      await db
        .updateTable('keys')
        .set({ replaced_by: made.made.id, expires_at: expires_at === null ? end : Math.min(expires_at, end) })
        .where('id', '=', id)
        .execute();
      return made;
    });
  }

  /** Ends a key, for ever. Again, it changes nothing. */
  async revokeKey(id: string): Promise<Key> {
    return await changeKeys(this.#db, async (db) => {
      await db
        .updateTable('keys')
        .set({ revoked_at: Date.now() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      return await keyWith(db, id);
    });
  }

  /** @param limits in place of those it has. */
  async limitKey(id: string, limits: Limits): Promise<Key> {
    requireLimits(limits);
    return await changeKeys(this.#db, async (db) => {
      await db
        .updateTable('keys')
        .set({ limits: JSON.stringify(limits) })
        .where('id', '=', id)
        .execute();
      return await keyWith(db, id);
    });
  }

  async createAdminToken(name: string, createdBy: string, expiresAt?: number): Promise<Made<AdminToken>> {
    requireName(name);
    requireFuture(expiresAt);
    const { secret, prefix, hash } = newSecret('admin');
    const row = await this.#db
      .insertInto('admin_tokens')
      .values({
        id: newId('adm'),
        name,
        prefix,
        hash,
        created_by: createdBy,
        created_at: Date.now(),
        expires_at: expiresAt ?? null,
        revoked_at: null,
        last_used_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { made: toAdminToken(row), secret };
  }

  async listAdminTokens(limit: number, cursor?: string): Promise<Page<AdminToken>> {
    const rows = await oldestFirst(this.#db.selectFrom('admin_tokens').selectAll(), cursor)
      .limit(limit + 1)
      .execute();
    return toPage(rows, limit, toAdminToken);
  }

  /** Ends a token, for ever. Again, it changes nothing. */
  async revokeAdminToken(id: string): Promise<AdminToken> {
    await this.#db
      .updateTable('admin_tokens')
      .set({ revoked_at: Date.now() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute();
    const row = await this.#db.selectFrom('admin_tokens').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new StorageError('not_found', 'There is no admin token with this id.');
    return toAdminToken(row);
  }

  /** The admin token of this hash, if it may be used now. */
  async liveAdminToken(hash: string): Promise<AdminToken | undefined> {
    const row = await this.#db
      .selectFrom('admin_tokens')
      .selectAll()
      .where('hash', '=', hash)
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', Date.now())]))
      .executeTakeFirst();
    return row && toAdminToken(row);
  }

  /** A number that changes whenever an app or a key does. */
  async revision(): Promise<number> {
    const row = await this.#db
      .selectFrom('revisions')
      .select('value')
      .where('name', '=', 'keys')
      .executeTakeFirst();
    return row?.value ?? 0;
  }

  /** Those of the keys with these hashes that are not revoked, nor their apps. Their expiry is for the caller to see to. */
  async liveByHash(hashes: readonly string[]): Promise<LiveKey[]> {
    return (await this.#live().where('keys.hash', 'in', hashes).execute()).map(toLiveKey);
  }

  /** The hashes of the live keys that were used or made last, the latest first. */
  async hashesByUse(limit: number): Promise<string[]> {
    const rows = await this.#live()
      .clearSelect()
      .select('keys.hash')
      .orderBy(sql`coalesce(keys.last_used_at, keys.created_at)`, 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ hash }) => hash);
  }

  #live() {
    return this.#db
      .selectFrom('keys')
      .innerJoin('apps', 'apps.id', 'keys.app_id')
      .where('keys.revoked_at', 'is', null)
      .where('apps.revoked_at', 'is', null)
      .select(['keys.hash', 'keys.id', 'keys.kind', 'keys.scopes', 'keys.limits', 'keys.expires_at'])
      .select(['apps.id as app_id', 'apps.app_key', 'apps.name as app_name', 'apps.limits as app_limits']);
  }

  /** Notes when keys, by id, were last used. */
  async noteUse(times: ReadonlyMap<string, number>): Promise<void> {
    await this.#noteUse('keys', times);
  }

  async noteAdminUse(id: string, time: number): Promise<void> {
    await this.#noteUse('admin_tokens', new Map([[id, time]]));
  }

  async #noteUse(table: 'keys' | 'admin_tokens', times: ReadonlyMap<string, number>): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      // In one order on every node, so that two never wait for each other.
      for (const [id, time] of [...times].sort()) {
        await db
          .updateTable(table)
          .set({ last_used_at: time })
          .where('id', '=', id)
          .where((where) => where.or([where('last_used_at', 'is', null), where('last_used_at', '<', time)]))
          .execute();
      }
    });
  }
}

/** Changes something, and first the revision: its row is also the lock that lets nodes make changes one by one. */
export async function changeKeys<Result>(
  db: Kysely<Schema>,
  change: (db: Transaction<Schema>) => Promise<Result>,
): Promise<Result> {
  return await db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('revisions')
      .values({ name: 'keys', value: 1 })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ value: sql<number>`revisions.value + 1` }),
      )
      .execute();
    return await change(transaction);
  });
}

type NewKeyRow = Pick<KeyRow, 'app_id' | 'name' | 'limits' | 'created_by' | 'expires_at'> & {
  readonly kind: KeyKind;
  /** JSON; default: all that its kind can have. */
  readonly scopes?: string;
};

/** Makes a key, as part of a change. */
export async function insertKey(db: Kysely<Schema>, row: NewKeyRow): Promise<Made<Key>> {
  const { secret, prefix, hash } = newSecret(row.kind);
  const made = await db
    .insertInto('keys')
    .values({
      scopes: JSON.stringify(scopesOf[row.kind]),
      ...row,
      id: newId('key'),
      prefix,
      hash,
      created_at: Date.now(),
      revoked_at: null,
      replaced_by: null,
      last_used_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { made: toKey(made), secret };
}

function requireName(name: string): void {
  // Names are printed on terminals.
  if (name.trim() === '' || [...name].length > maxName || /\p{C}/u.test(name)) {
    throw new StorageError(
      'invalid',
      `A name has 1 to ${maxName} characters, none of them a control character.`,
    );
  }
}

/** A number that all columns and counters hold. */
const maxLimit = 1_000_000_000;

function requireLimits(limits: Limits): void {
  const isLimit = (limit: number) => Number.isInteger(limit) && limit >= 1 && limit <= maxLimit;
  if (!Object.values(limits).every(isLimit)) {
    throw new StorageError('invalid', `A limit is a whole number from 1 to ${maxLimit}.`);
  }
  if (limits.burst !== undefined && limits.perSecond === undefined) {
    throw new StorageError('invalid', 'A burst is on top of a limit per second, which is not set.');
  }
}

function requireFuture(expiresAt: number | undefined): void {
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    throw new StorageError('invalid', 'The end is in the past.');
  }
}

async function appNamed(db: Kysely<Schema>, name: string): Promise<App> {
  const rows = await db
    .selectFrom('apps')
    .selectAll()
    .where((where) => where.or([where('id', '=', name), where('name', '=', name)]))
    .execute();
  // An app may have been named like the id of another.
  const row = rows.find(({ id }) => id === name) ?? rows[0];
  if (row === undefined) throw new StorageError('not_found', `There is no app "${name.slice(0, 40)}".`);
  return toApp(row);
}

async function requireLiveApp(db: Kysely<Schema>, id: string): Promise<App> {
  const app = await appNamed(db, id);
  if (app.revokedAt !== null) throw new StorageError('conflict', `The app "${app.name}" is revoked.`);
  return app;
}

async function keyWith(db: Kysely<Schema>, id: string): Promise<Key> {
  const row = await db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw noKey();
  return toKey(row);
}

/** Says nothing of what was asked for: it may be a key itself, in the place of its id. */
function noKey(): StorageError {
  return new StorageError('not_found', 'There is no key with this id.');
}

function oldestFirst<Table extends 'apps' | 'keys' | 'admin_tokens', Row>(
  query: SelectQueryBuilder<Schema, Table, Row>,
  cursor: string | undefined,
): SelectQueryBuilder<Schema, Table, Row> {
  const ordered = query.orderBy(sql`created_at`).orderBy(sql`id`);
  if (cursor === undefined) return ordered;
  const [time, id] = decodeCursor(cursor, ['number', 'string']);
  return ordered.where(sql<boolean>`(created_at, id) > (${time}, ${id})`);
}

/** @param rows one more than the limit, where there are more. */
function toPage<Row extends { created_at: number; id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(toItem),
    ...(last !== undefined && { next: encodeCursor([last.created_at, last.id]) }),
  };
}

function toApp(row: AppRow): App {
  return {
    id: row.id,
    appKey: row.app_key,
    name: row.name,
    limits: JSON.parse(row.limits),
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  };
}

function toKey(row: KeyRow): Key {
  return {
    id: row.id,
    app: row.app_id,
    kind: row.kind as KeyKind,
    name: row.name,
    prefix: row.prefix,
    scopes: JSON.parse(row.scopes),
    limits: JSON.parse(row.limits),
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    replacedBy: row.replaced_by,
    lastUsedAt: row.last_used_at,
  };
}

export function toAdminToken(row: AdminTokenRow): AdminToken {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

type LiveRow = Pick<KeyRow, 'hash' | 'id' | 'kind' | 'scopes' | 'limits' | 'expires_at' | 'app_id'> &
  Pick<AppRow, 'app_key'> & { app_name: string; app_limits: string };

function toLiveKey(row: LiveRow): LiveKey {
  return {
    hash: row.hash,
    id: row.id,
    kind: row.kind as KeyKind,
    scopes: JSON.parse(row.scopes),
    limits: JSON.parse(row.limits),
    expiresAt: row.expires_at,
    app: {
      id: row.app_id,
      appKey: row.app_key,
      name: row.app_name,
      limits: JSON.parse(row.app_limits),
    },
  };
}
