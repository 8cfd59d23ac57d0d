/** Whose request of the admin API it is: a token in its head, or the cookie of a session that began with one. */

import type { FastifyRequest } from 'fastify';
import type { Availability } from '../../storage/availability.ts';
import { type AdminToken, hashOf, type Keys } from '../../storage/keys.ts';
import type { Session, Sessions } from '../../storage/sessions.ts';
import { RequestError } from '../errors.ts';
import type { WrongKeys } from '../wrong-keys.ts';
import { toRequestError } from './errors.ts';

/** The cookie that holds the secret of a session. */
export const sessionCookie = 'bonafide-session';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request of the admin API it is. */
    administrator: AdminToken | undefined;
    /** The session that it belongs to; without one it carried a token. */
    session: Session | undefined;
  }
}

export interface Authentication {
  /**
   * Finds whose request it is, and notes it there.
   * @throws RequestError `unauthorized`, `too_many_wrong_keys`, `storage_unavailable`.
   */
  identify(request: FastifyRequest): Promise<void>;
  /** Whose admin token this text is. @throws as `identify`. */
  ownerOf(token: string, request: FastifyRequest): Promise<AdminToken>;
}

interface Services {
  readonly availability: Availability;
  readonly wrongKeys: WrongKeys;
  readonly keys: Keys;
  readonly sessions: Sessions;
}

/** The use of a token is written no more often than this. */
const noteMs = 60_000;
/** Secrets remembered as right: somebody who guesses at their address does not lock them out. */
const rememberedSecrets = 1_000;

export function createAuthentication({ availability, wrongKeys, keys, sessions }: Services): Authentication {
  const remembered = new Set<string>();

  /** What `find` makes of the secret's hash, unless too many wrong ones came from the address. */
  async function prove<Found>(
    secret: string,
    { ip }: FastifyRequest,
    find: (hash: string) => Promise<Found | undefined>,
  ): Promise<Found> {
    const hash = hashOf(secret);
    if (remembered.has(hash) || !(await wrongKeys.areTooMany(ip))) {
      const found = await find(hash).catch(async (error) => {
        throw await toRequestError(error, availability, keys);
      });
      if (found !== undefined) {
        if (remembered.size >= rememberedSecrets) remembered.clear();
        remembered.add(hash);
        return found;
      }
      remembered.delete(hash);
    }
    throw await refusal(ip);
  }

  async function refusal(ip: string): Promise<RequestError> {
    const seconds = await wrongKeys.note(ip);
    return seconds === undefined
      ? new RequestError('unauthorized', 'The admin token is missing or wrong, or the session has ended.')
      : new RequestError('too_many_wrong_keys', 'Too many wrong keys came from this address.', seconds);
  }

  function noteUse({ id, lastUsedAt }: AdminToken): void {
    const now = Date.now();
    // Nothing waits for it, and nothing is lost with it.
    if (now - (lastUsedAt ?? 0) >= noteMs) keys.noteAdminUse(id, now).catch(() => {});
  }

  const ownerOf: Authentication['ownerOf'] = async (token, request) => {
    const owner = await prove(token, request, (hash) => keys.liveAdminToken(hash));
    noteUse(owner);
    return owner;
  };

  return {
    ownerOf,
    async identify(request) {
      const { authorization } = request.headers;
      const cookie = request.cookies[sessionCookie];
      if (authorization === undefined && cookie !== undefined) {
        requireOwnPage(request);
        request.session = await prove(cookie, request, (hash) => sessions.find(hash));
        request.administrator = request.session.administrator;
        noteUse(request.administrator);
        return;
      }
      const [, token] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) throw await refusal(request.ip);
      request.administrator = await ownerOf(token, request);
    },
  };
}

/**
 * A browser sends its cookie whoever had the request made, and of cookies another port is no other site. What tells pages
 * apart is `Sec-Fetch-Site`, which no page can forge, or where a browser does not send that (over plain HTTP, but on
 * the machine itself) `Origin`. Reading without either is let through: no page of another origin sees the answer.
 * @throws RequestError `unauthorized`.
 */
export function requireOwnPage({ method, headers, host }: FastifyRequest): void {
  const { 'sec-fetch-site': site, origin } = headers;
  const isOwn =
    site !== undefined
      ? site === 'same-origin'
      : origin !== undefined
        ? URL.parse(origin)?.host === host
        : method === 'GET';
  if (!isOwn) {
    throw new RequestError('unauthorized', "A session is for the console's own pages alone.");
  }
}
