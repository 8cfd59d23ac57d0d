/** What can go wrong with the database. */

export type StorageErrorCode =
  /** The database cannot be opened, or not by this version. */
  | 'unusable'
  /** There is no such app, key, token or transaction. */
  | 'not_found'
  /** It is there already, or no longer in a state in which this can be done. */
  | 'conflict'
  /** A value that cannot be stored. */
  | 'invalid';

/** SQLite's codes of a file that cannot be had: busy, locked, an error of the disk, not to be opened. */
const unreachable = new Set([5, 6, 10, 14]);

/** Connection lost or refused, too many connections, shutting down or starting up. */
const notServing = /^(08|53300|57P)/;

/** Whether it is the database's own answer to a query, and not that it could not be reached or was too slow. */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, severity, errcode } = error as { code?: unknown; severity?: unknown; errcode?: unknown };
  // SQLite says its code as a number whose low byte is the kind; Postgres says how severe it is beside one of five characters.
  if (typeof errcode === 'number') return !unreachable.has(errcode & 0xff);
  return typeof code === 'string' && severity !== undefined && !notServing.test(code);
}

/** SQLite's codes of a file that is read-only, a disk that fails, and one that is full. */
const unwritable = new Set([8, 10, 13]);

/** Whether the database answers questions and takes no changes: its disk is full or fails, or it is read-only. */
export function takesNoChanges(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  if (typeof errcode === 'number') return unwritable.has(errcode & 0xff);
  // Postgres's `disk_full` and `read_only_sql_transaction`.
  return code === '53100' || code === '25006';
}

const reason = 'its disk is full or fails, or it is read-only';

/** Of such a database, for people. */
export const noChanges = `The database takes no changes: ${reason}.`;

/** Why a database cannot be used, as the second half of a sentence. */
export function reasonOf(error: unknown): string {
  if (takesNoChanges(error)) return reason;
  // Of a host with several addresses, one error for each comes in one whose own message is empty.
  const { message } = error instanceof AggregateError ? error.errors[0] : (error as Error);
  return message.replace(/\.$/, '');
}

/** What was asked of the database and cannot be. `message` is a sentence for people and repeats nothing secret. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}
