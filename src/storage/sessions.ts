/** Sessions of the console: what a browser shows for an admin token once its person has proved to have it. */

import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type AdminToken, hashOf, toAdminToken } from './keys.ts';
import type { Schema } from './schema.ts';

export interface Session {
  /** SHA-256 of the secret in the browser's cookie, in hexadecimal. */
  readonly hash: string;
  /** Whose it is. */
  readonly administrator: AdminToken;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A working day. Who sits before the console for longer proves themselves again. */
export const sessionMs = 12 * 3_600_000;

/** The sessions of one database. */
export class Sessions {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * Begins one, which ends by itself after 12 h, or with its token.
   * @returns it, and the secret for the browser, which is not kept.
   */
  async begin(administrator: AdminToken): Promise<{ readonly session: Session; readonly secret: string }> {
    const now = Date.now();
    const secret = randomBytes(24).toString('base64url');
    const hash = hashOf(secret);
    const expiresAt = Math.min(now + sessionMs, administrator.expiresAt ?? Number.POSITIVE_INFINITY);
    await this.#db
      .insertInto('sessions')
      .values({ hash, admin_token: administrator.id, created_at: now, expires_at: expiresAt })
      .execute();
    return { session: { hash, administrator, expiresAt }, secret };
  }

  /** The session of this hash, if neither it nor its token has ended. */
  async find(hash: string): Promise<Session | undefined> {
    const row = await this.#db
      .selectFrom('sessions')
      .innerJoin('admin_tokens', 'admin_tokens.id', 'sessions.admin_token')
      .selectAll('admin_tokens')
      .select('sessions.expires_at as ends_at')
      .where('sessions.hash', '=', hash)
      // Never later than the token's own end.
      .where('sessions.expires_at', '>', Date.now())
      .where('admin_tokens.revoked_at', 'is', null)
      .executeTakeFirst();
    return row && { hash, administrator: toAdminToken(row), expiresAt: row.ends_at };
  }

  /** Ends the session of this hash. @returns whether there was one. */
  async end(hash: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('sessions')
      .where('hash', '=', hash)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}

/** Forgets sessions that are over by then, in milliseconds since 1970. */
export async function deleteSessionsBefore(db: Kysely<Schema>, time: number): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', time).execute();
}
