/** A quota of two servers on one Postgres: exactly as many requests get through as it allows, wherever they arrive. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Keys } from '../../src/storage/keys.ts';
import { databases } from '../helpers/databases.ts';
import { plainPng } from '../helpers/pictures.ts';
import { linkWeights, metric, type Serving, serve } from '../helpers/serve.ts';

const picture = new Uint8Array(await plainPng(96, 96));

for (const database of databases().filter(({ name }) => name === 'Postgres')) {
  describe('two servers on one Postgres', { skip: database.skip }, () => {
    before(() => database.begin());
    after(() => database.end());

    it('let exactly 100 of 400 requests through that come at once, and log all of them', async () => {
      const { open, folder, url } = await database.create();
      await linkWeights(folder);
      const storage = await open();
      const keys = new Keys(storage.db);
      const app = await keys.createApp('limited');
      const { made, secret } = await keys.createKey({
        app: app.id,
        kind: 'api',
        name: 'limited',
        limits: { perDay: 100 },
        createdBy: 'test',
      });
      // Room for all of them: who is refused for want of it uses nothing of the quota.
      const flags = ['--database-url', url as string, '--queue', '400', '--log-level', 'error'];
      const servers: Serving[] = await Promise.all([serve(folder, ...flags), serve(folder, ...flags)]);
      try {
        const statuses = await Promise.all(
          Array.from({ length: 400 }, async (_, i) => {
            const response = await fetch(`${(servers[i % 2] as Serving).origin}/v1/assess`, {
              method: 'POST',
              headers: { 'x-api-key': secret, 'content-type': 'image/png' },
              body: picture,
            });
            await response.arrayBuffer();
            return response.status;
          }),
        );
        const count = (status: number) => statuses.filter((one) => one === status).length;
        assert.deepEqual([count(200), count(429)], [100, 300]);

        for (const { origin } of servers) await metric(origin, 'bonafide_journal_bytes 0');
        const rows = await storage.db
          .selectFrom('transactions')
          .select(['key', 'outcome', (select) => select.fn.countAll<number>().as('count')])
          .groupBy(['key', 'outcome'])
          .orderBy('outcome')
          .execute();
        assert.deepEqual(
          rows.map(({ key, outcome, count: number }) => [key, outcome, Number(number)]),
          [
            [made.id, 'no_face', 100],
            [made.id, 'quota_exceeded', 300],
          ],
        );
      } finally {
        for (const server of servers) assert.equal(await server.stop(), 0);
        await storage.close();
      }
    });
  });
}
