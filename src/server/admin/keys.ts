/** Keys and admin tokens in the admin API. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { Keys } from '../../storage/keys.ts';
import * as examples from './examples.ts';
import {
  AdminTokenBody,
  AdminTokenParams,
  AdminTokens,
  AppParams,
  KeyBody,
  KeyParams,
  Keys as KeysPage,
  KeysQuery,
  limitOf,
  MadeAdminToken,
  MadeKey,
  NewAdminToken,
  NewKey,
  NewLimits,
  one,
  operation,
  PageQuery,
  Rotation,
  timeOf,
  toAdminToken,
  toKey,
} from './wire.ts';

interface Key {
  Params: Static<typeof KeyParams>;
}

export function describeKeys(app: FastifyInstance, keys: Keys): void {
  app.get<{ Querystring: Static<typeof KeysQuery> }>(
    '/keys',
    {
      schema: {
        ...operation('listKeys', 'List the keys', one(KeysPage, { keys: [examples.key] }), ['404']),
        description:
          'Oldest first, those that have ended too; of all apps, or of one. A key itself is in no list: only its hash is kept.',
        querystring: KeysQuery,
      },
    },
    async ({ query }) => {
      const owner = await keys.idOf(query.app);
      const { items, next } = await keys.listKeys(limitOf(query), query.cursor, owner);
      return { keys: items.map(toKey), next };
    },
  );

  app.post<{ Params: Static<typeof AppParams>; Body: Static<typeof NewKey> }>(
    '/apps/:app/keys',
    {
      schema: {
        ...operation('createKey', 'Make a key', one(MadeKey, examples.madeKey), ['404', '409']),
        description:
          'The answer holds the key itself, this once. Without `scopes` it is for every API that its kind is for.',
        params: AppParams,
        body: one(NewKey, examples.newKey),
      },
    },
    async (request) => {
      const { expiresAt, ...same } = request.body;
      const { made, secret } = await keys.createKey({
        ...same,
        app: (await keys.findApp(request.params.app)).id,
        expiresAt: expiresAt === undefined ? undefined : timeOf(expiresAt),
        createdBy: nameOf(request),
      });
      return { key: toKey(made), secret };
    },
  );

  app.get<Key>(
    '/keys/:key',
    {
      schema: {
        ...operation('getKey', 'Find a key', one(KeyBody, examples.key), ['404']),
        description: 'By its id, ended or not.',
        params: KeyParams,
      },
    },
    async ({ params }) => toKey(await keys.findKey(params.key)),
  );

  app.patch<Key & { Body: Static<typeof NewLimits> }>(
    '/keys/:key',
    {
      schema: {
        ...operation('limitKey', 'Give a key other limits', one(KeyBody, examples.limitedKey), ['404']),
        description:
          'All of its limits are replaced: what is left out is unlimited. Those of its app hold besides.',
        params: KeyParams,
        body: one(NewLimits, examples.newLimits),
      },
    },
    async ({ params, body }) => toKey(await keys.limitKey(params.key, body.limits)),
  );

  app.post<Key & { Body: Static<typeof Rotation> }>(
    '/keys/:key/rotate',
    {
      schema: {
        ...operation('rotateKey', 'Make a key in place of another', one(MadeKey, examples.rotatedKey), [
          '404',
          '409',
        ]),
        description:
          'The new key has the same app, kind, name, scopes, limits and end. The old one is good for `graceSeconds` more, so that clients can change over.',
        params: KeyParams,
        body: one(Rotation, examples.rotation),
      },
    },
    async (request) => {
      const { graceSeconds } = request.body;
      const { made, secret } = await keys.rotateKey(request.params.key, graceSeconds * 1000, nameOf(request));
      return { key: toKey(made), secret };
    },
  );

  app.post<Key>(
    '/keys/:key/revoke',
    {
      schema: {
        ...operation('revokeKey', 'End a key, for ever', one(KeyBody, examples.revokedKey), ['404']),
        description: 'It is refused on every node within 5 s, which cannot be undone.',
        params: KeyParams,
      },
    },
    async ({ params }) => toKey(await keys.revokeKey(params.key)),
  );

  app.get<{ Querystring: Static<typeof PageQuery> }>(
    '/admin-tokens',
    {
      schema: {
        ...operation(
          'listAdminTokens',
          'List the admin tokens',
          one(AdminTokens, { adminTokens: [examples.adminToken] }),
        ),
        description:
          'Oldest first, those that have ended too. A token itself is in no list: only its hash is kept.',
        querystring: PageQuery,
      },
    },
    async ({ query }) => {
      const { items, next } = await keys.listAdminTokens(limitOf(query), query.cursor);
      return { adminTokens: items.map(toAdminToken), next };
    },
  );

  app.post<{ Body: Static<typeof NewAdminToken> }>(
    '/admin-tokens',
    {
      schema: {
        ...operation('createAdminToken', 'Make an admin token', one(MadeAdminToken, examples.madeAdminToken)),
        description: 'The answer holds the token itself, this once. It may do all that the admin API can.',
        body: one(NewAdminToken, examples.newAdminToken),
      },
    },
    async (request) => {
      const { name, expiresAt } = request.body;
      const end = expiresAt === undefined ? undefined : timeOf(expiresAt);
      const { made, secret } = await keys.createAdminToken(name, nameOf(request), end);
      return { adminToken: toAdminToken(made), secret };
    },
  );

  app.post<{ Params: Static<typeof AdminTokenParams> }>(
    '/admin-tokens/:adminToken/revoke',
    {
      schema: {
        ...operation(
          'revokeAdminToken',
          'End an admin token, for ever',
          one(AdminTokenBody, examples.revokedAdminToken),
          ['404'],
        ),
        description:
          'It is refused at once, on every node. The last one can be ended too; the command line makes another.',
        params: AdminTokenParams,
      },
    },
    async ({ params }) => toAdminToken(await keys.revokeAdminToken(params.adminToken)),
  );
}

/** Who made what is made here. */
function nameOf({ administrator }: FastifyRequest): string {
  return `admin token ${administrator?.name}`;
}
