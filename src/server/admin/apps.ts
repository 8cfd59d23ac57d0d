/** Apps in the admin API. */

import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { Keys } from '../../storage/keys.ts';
import * as examples from './examples.ts';
import {
  AppBody,
  AppParams,
  Apps,
  limitOf,
  NewApp,
  NewLimits,
  one,
  operation,
  PageQuery,
  toApp,
} from './wire.ts';

interface App {
  Params: Static<typeof AppParams>;
}

export function describeApps(app: FastifyInstance, keys: Keys): void {
  app.get<{ Querystring: Static<typeof PageQuery> }>(
    '/apps',
    {
      schema: {
        ...operation('listApps', 'List the apps', one(Apps, { apps: [examples.app] })),
        description: 'Oldest first, revoked ones too. `next` is the cursor of the page after.',
        querystring: PageQuery,
      },
    },
    async ({ query }) => {
      const { items, next } = await keys.listApps(limitOf(query), query.cursor);
      return { apps: items.map(toApp), next };
    },
  );

  app.post<{ Body: Static<typeof NewApp> }>(
    '/apps',
    {
      schema: {
        ...operation('createApp', 'Make an app', one(AppBody, examples.app), ['409']),
        description: 'It has an appKey and no keys yet. A name is taken once, also by a revoked app.',
        body: one(NewApp, examples.newApp),
      },
    },
    async ({ body }) => toApp(await keys.createApp(body.name, body.limits)),
  );

  app.get<App>(
    '/apps/:app',
    {
      schema: {
        ...operation('getApp', 'Find an app', one(AppBody, examples.app), ['404']),
        description: 'By its id or its name, revoked or not.',
        params: AppParams,
      },
    },
    async ({ params }) => toApp(await keys.findApp(params.app)),
  );

  app.patch<App & { Body: Static<typeof NewLimits> }>(
    '/apps/:app',
    {
      schema: {
        ...operation('limitApp', 'Give an app other limits', one(AppBody, examples.limitedApp), ['404']),
        description:
          'All of its limits are replaced: what is left out is unlimited. They hold for its keys together, on every node within 5 s.',
        params: AppParams,
        body: one(NewLimits, examples.newLimits),
      },
    },
    async ({ params, body }) => toApp(await keys.limitApp((await keys.findApp(params.app)).id, body.limits)),
  );

  app.post<App>(
    '/apps/:app/revoke',
    {
      schema: {
        ...operation(
          'revokeApp',
          'End an app with all of its keys, for ever',
          one(AppBody, examples.revokedApp),
          ['404'],
        ),
        description:
          'None of its keys is good any more, on every node within 5 s. It cannot be undone; its transactions stay.',
        params: AppParams,
      },
    },
    async ({ params }) => toApp(await keys.revokeApp((await keys.findApp(params.app)).id)),
  );
}
