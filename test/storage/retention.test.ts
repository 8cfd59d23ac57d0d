/** Forgetting, on both databases: what is too old goes, and nothing else does. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { startRetention } from '../../src/server/retention.ts';
import { createAvailability } from '../../src/storage/availability.ts';
import type { Storage } from '../../src/storage/database.ts';
import { Keys } from '../../src/storage/keys.ts';
import { addUses } from '../../src/storage/quotas.ts';
import { Sessions } from '../../src/storage/sessions.ts';
import { databases } from '../helpers/databases.ts';

const dayMs = 86_400_000;
const row = { app: 'a', key: 'k', dialect: 'native', outcome: 'live', status: 200, total_ms: 1 };

for (const database of databases()) {
  describe(`retention: ${database.name}`, { skip: database.skip }, () => {
    let nodes: [Storage, Storage];

    before(() => database.begin());
    after(() => database.end());
    beforeEach(async () => {
      const { open } = await database.create();
      nodes = [await open(), await open()];
      const [{ db }] = nodes;
      const now = Date.now();
      const rows = Array.from({ length: 1_500 }, (_, i) => ({
        ...row,
        id: `old${i}`,
        time: now - 8 * dayMs - i,
      }));
      for (let i = 0; i < rows.length; i += 500) {
        await db
          .insertInto('transactions')
          .values(rows.slice(i, i + 500))
          .execute();
      }
      await db
        .insertInto('transactions')
        .values({ ...row, id: 'young', time: now - 6 * dayMs })
        .execute();
      await addUses(db, [{ subject: 'key:k', period: '2020-01-31' }], 1);
      await addUses(db, [{ subject: 'key:k', period: new Date(now).toISOString().slice(0, 10) }], 1);
      await db
        .insertInto('rates')
        .values([
          { key: 'old', points: 1, expire: now - 1 },
          { key: 'young', points: 1, expire: now + dayMs },
        ])
        .execute();
    });
    afterEach(async () => {
      for (const node of nodes) await node.close();
    });

    /** Runs on both nodes at once, until what is over by itself is gone. */
    async function forget(days: number): Promise<void> {
      const [{ db }] = nodes;
      const stops = nodes.map((node) =>
        startRetention(node.db, createAvailability(assert.ifError), days, pino({ level: 'silent' })),
      );
      const bound = AbortSignal.timeout(10_000);
      const isLeft = async () =>
        (await db.selectFrom('rates').select('key').execute()).length > 1 ||
        (await db.selectFrom('sessions').select('hash').where('hash', '=', 'over').execute()).length > 0;
      while (await isLeft()) {
        bound.throwIfAborted();
        await sleep(10);
      }
      for (const stop of stops) stop();
    }

    const ids = async () => {
      const rows = await nodes[0].db.selectFrom('transactions').select('id').execute();
      return rows.map(({ id }) => id);
    };

    it('deletes nothing within an hour of a clock that was set forward, and goes by it then', async (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] });
      const [{ db }] = nodes;
      const hour = 3_600_000;
      const clock = {
        set: 0,
        ran: 0,
        time: () => Date.now() + clock.set + clock.ran,
        elapsed: () => clock.ran,
      };
      const lines: string[] = [];
      const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
      // All there is is younger than that, until the clock is set.
      const stop = startRetention(db, createAvailability(assert.ifError), 30, logger, clock);
      const pass = (ms: number) => {
        clock.ran += ms;
        t.mock.timers.tick(ms);
      };
      /** Whether quotas are left, which go last but two. */
      const isForgotten = async () => {
        const rows = await db.selectFrom('quotas').select('period').execute();
        return rows.length === 0;
      };
      const settled = async (wanted: boolean) => {
        const bound = AbortSignal.timeout(10_000);
        while ((await isForgotten()) !== wanted) {
          bound.throwIfAborted();
          await sleep(10);
        }
      };
      clock.set = 365 * dayMs;
      pass(hour);
      assert.match(lines.join(), /the clock was set forward/);
      await sleep(100);
      assert.equal((await ids()).length, 1_501);
      assert.equal(await isForgotten(), false);
      // Set right again before the next run, it was as if it had never been.
      clock.set = 0;
      pass(hour);
      await sleep(100);
      assert.equal((await ids()).length, 1_501);
      clock.set = 365 * dayMs;
      pass(hour);
      pass(hour);
      await settled(true);
      assert.deepEqual(await ids(), []);
      assert.equal(lines.length, 2);
      stop();
    });

    it('deletes transactions older than their days, and keeps the others', async () => {
      await forget(7);
      assert.deepEqual(await ids(), ['young']);
    });

    it('keeps all of them with 0 days', async () => {
      await forget(0);
      assert.equal((await ids()).length, 1_501);
    });

    it('forgets sessions that have ended', async () => {
      const [{ db }] = nodes;
      const { made } = await new Keys(db).createAdminToken('ops', 'test');
      const { session } = await new Sessions(db).begin(made);
      await db
        .insertInto('sessions')
        .values({ hash: 'over', admin_token: made.id, created_at: 1, expires_at: Date.now() })
        .execute();
      await forget(0);
      const rows = await db.selectFrom('sessions').select('hash').execute();
      assert.deepEqual(
        rows.map(({ hash }) => hash),
        [session.hash],
      );
    });

    it('forgets what limits counted in times that are over', async () => {
      await forget(7);
      const [{ db }] = nodes;
      const quotas = await db.selectFrom('quotas').select('period').execute();
      assert.deepEqual(
        quotas.map(({ period }) => period),
        [new Date().toISOString().slice(0, 10)],
      );
      const rates = await db.selectFrom('rates').select('key').execute();
      assert.deepEqual(
        rates.map(({ key }) => key),
        ['young'],
      );
    });
  });
}
