/** The database: SQLite in the data folder, or Postgres where an address names one; the same tables and queries in both. */

import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dialect, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { reasonOf, StorageError } from './errors.ts';
import { migrate } from './migrations.ts';
import type { Schema } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

export interface StorageOptions {
  /** The data folder: without `url` the database is its `bonafide.db`. */
  readonly folder: string;
  /** Address of a Postgres database: `postgres://user:password@host:port/name`. */
  readonly url?: string | undefined;
  /** Whether a database file that is not there is made. */
  readonly create: boolean;
}

/** What queries are asked of. */
export type Database = Kysely<Schema>;

export interface Storage {
  readonly db: Database;
  /** For what limits count, which every request waits for. */
  readonly counters: Counters;
  /** Where the database is, for people: a path, or an address without its password. */
  readonly place: string;
  close(): Promise<void>;
}

/** The same database, over connections of their own with Postgres, so that no list, export or batch stands in the way. */
export interface Counters {
  readonly db: Database;
  /** For libraries that speak to Postgres themselves; not there with SQLite. */
  readonly pool: pg.Pool | undefined;
}

/** A database that does not answer must be an error soon, and never a request that hangs. */
const connectMs = 2_000;
/** All statements are small: lists come by pages, deletions go by chunks. */
const queryMs = 5_000;
const connections = 10;
const counterConnections = 4;

/**
 * Opens the database, and brings its tables up to date.
 * @throws StorageError when it cannot be used, or was written by a newer version.
 */
export async function openStorage({ folder, url, create }: StorageOptions): Promise<Storage> {
  const path = join(folder, 'bonafide.db');
  if (url !== undefined) return await openPostgres(url);
  if (create) {
    await mkdir(folder, { recursive: true });
    // Made here, so that nobody else can read it; SQLite gives the files beside it the same rights.
    await (await open(path, 'a', 0o600)).close();
  } else if (!existsSync(path)) {
    throw new StorageError(
      'unusable',
      `There is no database in ${folder} yet. The first start of \`bonafide serve\` makes it.`,
    );
  }
  const db = new Kysely<Schema>({ dialect: sqliteDialect(path) });
  await prepare(db, path).catch(async (error) => {
    await db.destroy();
    throw error;
  });
  return { db, counters: { db, pool: undefined }, place: path, close: () => db.destroy() };
}

async function openPostgres(url: string): Promise<Storage> {
  const place = withoutPassword(url);
  // Changing the tables may take as long as it takes, and so may waiting for another node that does.
  const patient = new Kysely<Schema>({ dialect: postgresDialect(createPool(url, { max: 1 })) });
  await prepare(patient, place).finally(() => patient.destroy());
  const pool = createPool(url, { max: connections, query_timeout: queryMs });
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  const counterPool = createPool(url, {
    max: counterConnections,
    query_timeout: queryMs,
    // Requests need not wait for Postgres's disk: when its machine dies, the counts of the last second may be missing.
    async onConnect(client) {
      await client.query('set synchronous_commit = off');
    },
  });
  const counterDb = new Kysely<Schema>({ dialect: postgresDialect(counterPool) });
  return {
    db,
    counters: { db: counterDb, pool: counterPool },
    place,
    async close() {
      await counterDb.destroy();
      await db.destroy();
    },
  };
}

function postgresDialect(pool: pg.Pool): Dialect {
  return new PostgresDialect({ pool });
}

function createPool(url: string, options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    application_name: 'bonafide',
    types: { getTypeParser: typeParser },
    ...options,
  });
  // Of a connection that breaks while nobody uses it, and while somebody does. Whoever asks is told.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Postgres's 64-bit integers are times and counts here, which a number holds exactly. */
function typeParser(type: number, format?: 'text' | 'binary'): unknown {
  return type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format as 'text');
}

async function prepare(db: Kysely<Schema>, place: string): Promise<void> {
  try {
    await migrate(db, place);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('unusable', `The database ${place} cannot be used: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

function withoutPassword(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
