/** Usage in the admin API. */

import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { Storage } from '../../storage/database.ts';
import type { Keys } from '../../storage/keys.ts';
import { Usage, type UsagePart, usageParts, utcDay } from '../../storage/usage.ts';
import * as examples from './examples.ts';
import { limitOf, one, operation, UsageCounts, UsageQuery } from './wire.ts';

export function describeUsage(app: FastifyInstance, { db }: Storage, keys: Keys): void {
  const usage = new Usage(db);

  app.get<{ Querystring: Static<typeof UsageQuery> }>(
    '/usage',
    {
      schema: {
        ...operation('listUsage', 'Count requests', one(UsageCounts, examples.usage), ['404']),
        description:
          'Counts that outlive the log, by day in UTC and by what `by` names. A request is counted once, when its transaction is kept.',
        querystring: UsageQuery,
      },
    },
    async ({ query }) => {
      const { from = utcDay(30), to = utcDay(), by, app: named, key, dialect, outcome } = query;
      const parts = (by?.split(',') as UsagePart[] | undefined) ?? usageParts;
      const filter = { from, to, app: await keys.idOf(named), key, dialect, outcome };
      const { counts, next } = await usage.list(filter, parts, limitOf(query), query.cursor);
      return { usage: counts, next };
    },
  );
}
