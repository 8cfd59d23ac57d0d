/** The admin API, `/admin/v1`: apps, keys, tokens, transactions and usage, for who has an admin token. */

import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { toFailure } from '../../dialects/dialect.ts';
import type { Availability } from '../../storage/availability.ts';
import type { Storage } from '../../storage/database.ts';
import { StorageError } from '../../storage/errors.ts';
import { type AdminToken, hashOf, Keys } from '../../storage/keys.ts';
import { RequestError, type RequestErrorCode } from '../errors.ts';
import { acceptJsonOnly } from '../upload.ts';
import type { WrongKeys } from '../wrong-keys.ts';
import { describeApps } from './apps.ts';
import { describeKeys } from './keys.ts';
import { describeTransactions } from './transactions.ts';
import { describeUsage } from './usage.ts';

/** What the admin API works with. */
export interface AdminServices {
  readonly storage: Storage;
  readonly availability: Availability;
  readonly wrongKeys: WrongKeys;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request of the admin API it is. */
    administrator: AdminToken | undefined;
  }
}

/** The use of a token is written no more often than this. */
const noteMs = 60_000;
/** Tokens remembered as right: somebody who guesses at their address does not lock them out. */
const rememberedTokens = 1_000;

/** The routes below `/admin/v1`. */
export function admin(services: AdminServices): FastifyPluginAsync {
  const { storage } = services;
  const keys = new Keys(storage.db);
  const authenticate = createAuthentication(services, keys);
  return async (app) => {
    acceptJsonOnly(app);
    app.addHook('onRequest', async (request, reply) => {
      // What is told once must not lie in a cache.
      reply.header('cache-control', 'no-store');
      request.administrator = await authenticate(request);
    });
    // Who did what, beside the one line of every request: what is changed here decides who is let in.
    app.addHook('onResponse', async (request, reply) => {
      const { administrator, method, params, routeOptions } = request;
      if (administrator === undefined) return;
      const { statusCode: status } = reply;
      // Of what was refused they may be anything, also a key in the place of its id.
      const done = status < 400 && { params };
      request.log.info(
        { admin: administrator.id, method, route: routeOptions.url, ...done, status },
        'admin request',
      );
    });
    describeApps(app, keys);
    describeKeys(app, keys);
    describeTransactions(app, storage, keys);
    describeUsage(app, storage, keys);
  };
}

/** @returns what finds whose token a request carries, or throws `unauthorized` or `too_many_wrong_keys`. */
function createAuthentication(
  { availability, wrongKeys }: AdminServices,
  keys: Keys,
): (request: FastifyRequest) => Promise<AdminToken> {
  const remembered = new Set<string>();

  async function find(hash: string): Promise<AdminToken | undefined> {
    const token = await keys.liveAdminToken(hash).catch(async (error) => {
      throw await toRequestError(error, availability, keys);
    });
    if (token === undefined) {
      remembered.delete(hash);
      return undefined;
    }
    if (remembered.size >= rememberedTokens) remembered.clear();
    remembered.add(hash);
    const now = Date.now();
    // Nothing waits for it, and nothing is lost with it.
    if (now - (token.lastUsedAt ?? 0) >= noteMs) keys.noteAdminUse(token.id, now).catch(() => {});
    return token;
  }

  return async ({ ip, headers }) => {
    const [, secret] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (secret !== undefined) {
      const hash = hashOf(secret);
      const token = remembered.has(hash) || !(await wrongKeys.areTooMany(ip)) ? await find(hash) : undefined;
      if (token !== undefined) return token;
    }
    const seconds = await wrongKeys.note(ip);
    if (seconds === undefined) {
      throw new RequestError('unauthorized', 'The admin token is missing or wrong.');
    }
    throw new RequestError('too_many_wrong_keys', 'Too many wrong keys came from this address.', seconds);
  };
}

const codes: Readonly<Record<StorageError['code'], RequestErrorCode>> = {
  invalid: 'invalid_request',
  not_found: 'not_found',
  conflict: 'conflict',
  unusable: 'storage_unavailable',
};

/** What an error of the database means to who asked; any other error stays what it is. */
export async function toRequestError(
  error: unknown,
  availability: Availability,
  keys: Keys,
): Promise<unknown> {
  if (error instanceof StorageError) return new RequestError(codes[error.code], error.message);
  // A connection to the database that breaks looks like one to a client.
  const { code } = toFailure(error);
  if (code !== 'engine_failure' && code !== 'aborted') return error;
  // Drivers have many words for "away"; whether it is, a question tells that cannot fail for any other reason.
  const isThere = await availability
    .run(() => keys.revision())
    .then(
      () => true,
      () => false,
    );
  return isThere
    ? error
    : new RequestError('storage_unavailable', 'The database does not answer.', undefined, { cause: error });
}
