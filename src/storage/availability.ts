/** Whether the database answers, so that nobody waits for one that does not. */

export interface Availability {
  readonly isUp: boolean;
  /**
   * Runs a query, unless one failed within the last second.
   * @throws DatabaseAwayError without asking, else what the query throws.
   */
  run<T>(query: () => Promise<T>): Promise<T>;
}

/** The database did not answer a moment ago, and is left alone for now. */
export class DatabaseAwayError extends Error {
  constructor(cause: unknown) {
    super('The database does not answer.', { cause });
    this.name = 'DatabaseAwayError';
  }
}

/** Each request that still tried would wait for the time-out of a connection. */
const pauseMs = 1_000;

/** @param onChange told when the database went away, with the reason, and when it is back, without one. */
export function createAvailability(onChange: (error?: unknown) => void): Availability {
  let failed: { error: unknown; at: number } | undefined;
  return {
    get isUp() {
      return failed === undefined;
    },
    async run(query) {
      if (failed !== undefined) {
        if (performance.now() - failed.at < pauseMs) throw new DatabaseAwayError(failed.error);
        // This one tries; those that come meanwhile do not.
        failed.at = performance.now();
      }
      try {
        const result = await query();
        if (failed !== undefined) {
          failed = undefined;
          onChange();
        }
        return result;
      } catch (error) {
        const wasUp = failed === undefined;
        failed = { error, at: performance.now() };
        if (wasUp) onChange(error);
        throw error;
      }
    },
  };
}
