/** The counts of requests per second, which rate-limiter-flexible writes and never forgets. */

import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** @param time milliseconds since 1970. */
export async function deleteRatesBefore(db: Kysely<Schema>, time: number): Promise<void> {
  await db.deleteFrom('rates').where('expire', '<', time).execute();
}
