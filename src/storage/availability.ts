/** A database that does not answer is left alone for a moment, so that nobody waits for it. */

import { isAnswer, StorageError } from './errors.ts';

export interface Availability {
  readonly isUp: boolean;
  /** Why it is not up, in a sentence for anybody. */
  readonly problem: string | undefined;
  /**
   * Runs a query, unless the database was away within the last second. One that it refuses says that it is there.
   * @param patienceMs after how long its result is not waited for any more. That it is slow does not count as a failure.
   * @throws DatabaseAwayError without asking or when it takes too long, else what the query throws.
   */
  run<T>(query: () => Promise<T>, patienceMs?: number): Promise<T>;
}

const doesNotAnswer = 'The database does not answer.';

/** The database does not answer, or not in time. */
export class DatabaseAwayError extends Error {
  constructor(options?: ErrorOptions) {
    super(doesNotAnswer, options);
    this.name = 'DatabaseAwayError';
  }
}

/** How long a request lets itself be held up by a query that it can go without. */
export const patienceMs = 1_000;

/** Each request that still tried would wait for the time-out of a connection. */
const pauseMs = 1_000;

/** @param onChange told when the database went away, with the reason, and when it is back, without one. */
export function createAvailability(onChange: (error?: unknown) => void): Availability {
  let failed: { error: unknown; at: number } | undefined;

  function noteAnswer(): void {
    if (failed === undefined) return;
    failed = undefined;
    onChange();
  }

  async function observe<T>(query: () => Promise<T>): Promise<T> {
    try {
      const result = await query();
      noteAnswer();
      return result;
    } catch (error) {
      if (isAnswer(error)) {
        noteAnswer();
        throw error;
      }
      const wasUp = failed === undefined;
      failed = { error, at: performance.now() };
      if (wasUp) onChange(error);
      throw error;
    }
  }

  return {
    get isUp() {
      return failed === undefined;
    },
    get problem() {
      if (failed === undefined) return undefined;
      return failed.error instanceof StorageError ? failed.error.message : doesNotAnswer;
    },
    async run(query, patience) {
      if (failed !== undefined) {
        if (performance.now() - failed.at < pauseMs) throw new DatabaseAwayError({ cause: failed.error });
        // This one tries; those that come meanwhile do not.
        failed.at = performance.now();
      }
      const result = observe(query);
      return await (patience === undefined ? result : within(patience, result));
    },
  };
}

async function within<T>(ms: number, result: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DatabaseAwayError()), ms);
  try {
    return await Promise.race([result, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
