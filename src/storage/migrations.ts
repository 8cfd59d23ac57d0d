/** Every change of the tables, in order; each runs once, and one that was published is never edited. */

import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { StorageError } from './errors.ts';
import type { Schema } from './schema.ts';

/** By name, which must sort after the one before. Both databases run the same statements. */
const migrations: Readonly<Record<string, Migration>> = {
  '001-apps-keys-transactions': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('apps')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('app_key', 'text', (column) => column.notNull().unique())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('limits', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('revoked_at', 'bigint')
        .execute();
      await db.schema
        .createTable('keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('app_id', 'text', (column) => column.notNull().references('apps.id').onDelete('cascade'))
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('limits', 'text', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .addColumn('replaced_by', 'text')
        .addColumn('last_used_at', 'bigint')
        .execute();
      await db.schema.createIndex('keys_by_app').on('keys').columns(['app_id']).execute();
      await db.schema
        .createTable('admin_tokens')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .addColumn('last_used_at', 'bigint')
        .execute();
      await db.schema
        .createTable('revisions')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('transactions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('time', 'bigint', (column) => column.notNull())
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('dialect', 'text', (column) => column.notNull())
        .addColumn('mode', 'text')
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('status', 'integer', (column) => column.notNull())
        .addColumn('faces', 'integer')
        .addColumn('p_live', 'text')
        .addColumn('verdicts', 'text')
        .addColumn('profile', 'text')
        .addColumn('models', 'text')
        .addColumn('calibration_sha256', 'text')
        .addColumn('image_sha256', 'text')
        .addColumn('image_bytes', 'integer')
        .addColumn('image_format', 'text')
        .addColumn('width', 'integer')
        .addColumn('height', 'integer')
        .addColumn('timings', 'text')
        .addColumn('total_ms', 'double precision', (column) => column.notNull())
        .addColumn('client', 'text')
        .addColumn('tag', 'text')
        .addColumn('seen_before', 'text')
        .execute();
      const index = (name: string, ...columns: string[]) =>
        db.schema.createIndex(name).on('transactions').columns(columns).execute();
      await index('transactions_by_time', 'time', 'id');
      await index('transactions_by_app', 'app', 'time', 'id');
      await index('transactions_by_image', 'image_sha256', 'app', 'time', 'id');
      await index('transactions_by_tag', 'tag', 'time', 'id');
      await db.schema
        .createTable('usage')
        .addColumn('day', 'text', (column) => column.notNull())
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('dialect', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('usage_key', ['day', 'app', 'key', 'dialect', 'outcome'])
        .execute();
      await db.schema
        .createTable('quotas')
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('period', 'text', (column) => column.notNull())
        .addColumn('used', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('quotas_key', ['subject', 'period'])
        .execute();
      await db.schema
        .createTable('rates')
        .addColumn('key', 'varchar(255)', (column) => column.primaryKey())
        .addColumn('points', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('expire', 'bigint')
        .execute();
    },
  },
  '002-sessions': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('sessions')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('admin_token', 'text', (column) =>
          column.notNull().references('admin_tokens.id').onDelete('cascade'),
        )
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('sessions_by_end').on('sessions').columns(['expires_at']).execute();
    },
  },
};

/**
 * Runs what has not run yet, in one transaction under a lock: of nodes that start together one does it, and the others wait.
 * @param place where the database is, for people.
 * @throws StorageError for a database that a newer version has changed.
 */
export async function migrate(db: Kysely<Schema>, place: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const done = await doneIn(db);
  // Asked first: a start that has nothing to change shall not wait for, or hold, any lock.
  if (!isNewer(done) && Object.keys(migrations).every((name) => done.includes(name))) return;
  const { error } = isNewer(done) ? {} : await migrator.migrateToLatest();
  if (isNewer(await doneIn(db))) {
    throw new StorageError(
      'unusable',
      `The database ${place} was written by a newer version of bonafide. Install that version, or name another database.`,
    );
  }
  if (error !== undefined) throw error;
}

const isNewer = (done: readonly string[]) => done.some((name) => !(name in migrations));

async function doneIn(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return [];
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return rows.map(({ name }) => name);
}
