/** Locks between processes of one machine that end with their owner, however it ends. */

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  /** Also when that was done before. */
  release(): void;
}

/**
 * Takes the lock that a file stands for, made where it is missing. Node has no file locks of its own; SQLite has, and the
 * kernel frees them when a process dies, which no file with a process id in it does.
 * @param waitMs how long to wait for whoever holds it.
 * @returns undefined where somebody else holds it.
 */
export function tryLock(path: string, waitMs = 0): Lock | undefined {
  try {
    // Readable by its owner only, as all else there; SQLite would go by the umask. Only where there is none: to close one that is there would free its lock.
    closeSync(openSync(path, 'ax', 0o600));
  } catch {
    // It is there, or SQLite will say why it cannot be.
  }
  const file = new DatabaseSync(path, { timeout: waitMs });
  try {
    // Nothing is ever written, as a lock must be had on a disk that is full; SQLite would make a file for what a transaction may have to undo.
    file.exec('PRAGMA journal_mode = MEMORY');
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
  return { release: () => file.isOpen && file.close() };
}

const sqliteBusy = 5;
