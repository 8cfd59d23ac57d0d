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

/** What was asked of the database and cannot be. `message` is a sentence for people and repeats nothing secret. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}
