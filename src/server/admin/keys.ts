/** Keys and admin tokens in the admin API. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { Keys } from '../../storage/keys.ts';
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
    { schema: { ...operation('listKeys', 'List the keys', KeysPage, ['404']), querystring: KeysQuery } },
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
        ...operation('createKey', 'Make a key', MadeKey, ['404', '409']),
        params: AppParams,
        body: NewKey,
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
    { schema: { ...operation('getKey', 'Find a key', KeyBody, ['404']), params: KeyParams } },
    async ({ params }) => toKey(await keys.findKey(params.key)),
  );

  app.patch<Key & { Body: Static<typeof NewLimits> }>(
    '/keys/:key',
    {
      schema: {
        ...operation('limitKey', 'Give a key other limits', KeyBody, ['404']),
        params: KeyParams,
        body: NewLimits,
      },
    },
    async ({ params, body }) => toKey(await keys.limitKey(params.key, body.limits)),
  );

  app.post<Key & { Body: Static<typeof Rotation> }>(
    '/keys/:key/rotate',
    {
      schema: {
        ...operation('rotateKey', 'Make a key in place of another', MadeKey, ['404', '409']),
        params: KeyParams,
        body: Rotation,
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
      schema: { ...operation('revokeKey', 'End a key, for ever', KeyBody, ['404']), params: KeyParams },
    },
    async ({ params }) => toKey(await keys.revokeKey(params.key)),
  );

  app.get<{ Querystring: Static<typeof PageQuery> }>(
    '/admin-tokens',
    {
      schema: {
        ...operation('listAdminTokens', 'List the admin tokens', AdminTokens),
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
        ...operation('createAdminToken', 'Make an admin token', MadeAdminToken),
        body: NewAdminToken,
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
        ...operation('revokeAdminToken', 'End an admin token, for ever', AdminTokenBody, ['404']),
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
