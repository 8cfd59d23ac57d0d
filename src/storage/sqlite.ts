/** Kysely's way to SQLite as Node has it: one connection, and waiting for other processes without holding up this one. */

import { statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { StorageError } from './errors.ts';

/** How long another process may hold the database before a statement gives up. */
const busyMs = 5_000;
/** SQLITE_BUSY, in the low byte of an extended code. */
const busyCode = 5;
/** Statements that stay prepared: more than a request needs, and the batches of a few sizes. */
const mostPrepared = 20;

/** @param path of a file that exists. */
export function sqliteDialect(path: string): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new SqliteDriver(path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * SQLite does roll back changes of the schema. Saying so makes Kysely's migrator do all it does in one transaction, which
 * begins with the only lock there is between processes.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #connection: SqliteConnection | undefined;
  /** What the path leads to, as long as nobody puts another file there. */
  #file: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async init(): Promise<void> {
    this.#file = fileAt(this.#path);
    this.#database = new DatabaseSync(this.#path);
    const connection = new SqliteConnection(this.#database, this.#requireFile);
    this.#connection = connection;
    // Readers and one writer at once, also from several processes.
    await connection.run('pragma journal_mode = wal');
    // A commit survives the end of the process at once, and the end of the machine after the next checkpoint.
    await connection.run('pragma synchronous = normal');
    await connection.run('pragma foreign_keys = on');
    // What is deleted on request is overwritten, and not only unlinked.
    await connection.run('pragma secure_delete = on');
  }

  /** Kysely hands the one connection to one user at a time, as the adapter tells it to. */
  async acquireConnection(): Promise<SqliteConnection> {
    return this.#connection as SqliteConnection;
  }

  /**
   * SQLite would go on with a file that nobody ever finds again.
   * @throws StorageError `unusable` where another file is at the path, or none.
   */
  readonly #requireFile = (): void => {
    if (fileAt(this.#path) !== this.#file) throw new StorageError('unusable', fileGone);
  };

  /** At once for writing: a transaction that reads first could find, when it writes, that another was faster. */
  async beginTransaction(connection: SqliteConnection): Promise<void> {
    this.#requireFile();
    await connection.run('begin immediate');
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await connection.run('commit');
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    await connection.run('rollback');
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database?.close();
  }
}

const fileGone =
  'The file of the database was deleted or replaced while the server ran: put it back, or start the server again.';

/** Which file a path leads to, or undefined where it leads to none. */
function fileAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && `${stats.dev} ${stats.ino}`;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #requireFile: () => void;
  /** By their text; the one that was run last is at the end. */
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync, requireFile: () => void) {
    this.#database = database;
    this.#requireFile = requireFile;
  }

  async run(sql: string): Promise<void> {
    await whenFree(() => this.#database.exec(sql));
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    this.#requireFile();
    return await whenFree(() => {
      const { statement, returnsRows } = this.#prepare(sql);
      const values = parameters as SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...values) as Row[] };
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    });
  }

  #prepare(sql: string): Prepared {
    const prepared = this.#prepared.get(sql) ?? this.#prepareNew(sql);
    this.#prepared.delete(sql);
    this.#prepared.set(sql, prepared);
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size > mostPrepared && oldest !== undefined) this.#prepared.delete(oldest);
    return prepared;
  }

  #prepareNew(sql: string): Prepared {
    const statement = this.#database.prepare(sql);
    return { statement, returnsRows: statement.columns().length > 0 };
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for it; lists come by pages here.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Lists are read by pages.');
  }
}

/**
 * Runs a statement, again and again while another process writes. SQLite's own `busy_timeout` would wait too, but with all
 * of this process.
 */
async function whenFree<Result>(run: () => Result): Promise<Result> {
  const start = performance.now();
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    try {
      return run();
    } catch (error) {
      const isBusy = (((error as { errcode?: number }).errcode ?? 0) & 0xff) === busyCode;
      if (!isBusy || performance.now() - start > busyMs) throw error;
    }
    await sleep(pause);
  }
}
