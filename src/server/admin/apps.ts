/** Apps in the admin API. */

import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { Keys } from '../../storage/keys.ts';
import { AppBody, AppParams, Apps, limitOf, NewApp, NewLimits, operation, PageQuery, toApp } from './wire.ts';

interface App {
  Params: Static<typeof AppParams>;
}

export function describeApps(app: FastifyInstance, keys: Keys): void {
  app.get<{ Querystring: Static<typeof PageQuery> }>(
    '/apps',
    { schema: { ...operation('listApps', 'List the apps', Apps), querystring: PageQuery } },
    async ({ query }) => {
      const { items, next } = await keys.listApps(limitOf(query), query.cursor);
      return { apps: items.map(toApp), next };
    },
  );

  app.post<{ Body: Static<typeof NewApp> }>(
    '/apps',
    { schema: { ...operation('createApp', 'Make an app', AppBody, ['409']), body: NewApp } },
    async ({ body }) => toApp(await keys.createApp(body.name, body.limits)),
  );

  app.get<App>(
    '/apps/:app',
    { schema: { ...operation('getApp', 'Find an app', AppBody, ['404']), params: AppParams } },
    async ({ params }) => toApp(await keys.findApp(params.app)),
  );

  app.patch<App & { Body: Static<typeof NewLimits> }>(
    '/apps/:app',
    {
      schema: {
        ...operation('limitApp', 'Give an app other limits', AppBody, ['404']),
        params: AppParams,
        body: NewLimits,
      },
    },
    async ({ params, body }) => toApp(await keys.limitApp((await keys.findApp(params.app)).id, body.limits)),
  );

  app.post<App>(
    '/apps/:app/revoke',
    {
      schema: {
        ...operation('revokeApp', 'End an app with all of its keys, for ever', AppBody, ['404']),
        params: AppParams,
      },
    },
    async ({ params }) => toApp(await keys.revokeApp((await keys.findApp(params.app)).id)),
  );
}
