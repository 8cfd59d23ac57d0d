/** The log of transactions and the counts of usage, on both databases alike. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Storage } from '../../src/storage/database.ts';
import { type Transaction, type TransactionFilter, Transactions } from '../../src/storage/transactions.ts';
import { Usage, type UsageFilter, utcDay } from '../../src/storage/usage.ts';
import { databases } from '../helpers/databases.ts';
import { id, noon, transaction } from '../helpers/transactions.ts';

const code = (expected: string) => ({ name: 'StorageError', code: expected });
const bare: Partial<Transaction> = {
  mode: null,
  outcome: 'invalid_base64',
  status: 400,
  faces: null,
  pLive: null,
  verdicts: null,
  profile: null,
  models: null,
  calibrationSha256: null,
  imageSha256: null,
  imageBytes: null,
  imageFormat: null,
  width: null,
  height: null,
  timings: null,
  client: null,
};

for (const database of databases()) {
  describe(`transactions: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let other: Storage;
    let log: Transactions;
    let usage: Usage;

    before(async () => {
      await database.begin();
      const { open } = await database.create();
      storage = await open();
      other = await open();
      log = new Transactions(storage.db);
      usage = new Usage(storage.db);
    });
    beforeEach(async () => {
      await storage.db.deleteFrom('transactions').execute();
      await storage.db.deleteFrom('usage').execute();
    });
    after(async () => {
      await storage?.close();
      await other?.close();
      await database.end();
    });

    const many = (count: number, more: (number: number) => Partial<Transaction> = () => ({})) =>
      Array.from({ length: count }, (_, i) => transaction(i, more(i)));
    const listAll = async (filter: TransactionFilter, limit: number) => {
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await log.list(filter, limit, cursor);
        pages.push(page.transactions.map((one) => one.id));
        cursor = page.next;
      } while (cursor !== undefined);
      return pages;
    };
    const total = async (filter: Partial<UsageFilter> = {}) => {
      const { counts } = await usage.list({ from: '2026-11-01', to: '2026-11-30', ...filter }, [], 1);
      return counts[0]?.count ?? 0;
    };

    it('keeps all of a transaction', async () => {
      const whole = transaction(1, { tag: 'order 7', seenBefore: id(0), calibrationSha256: 'd'.repeat(64) });
      const without = transaction(2, bare);
      assert.equal(await log.insert([whole, without]), 2);
      assert.deepEqual(await log.find(whole.id), whole);
      assert.deepEqual(await log.find(without.id), without);
      assert.equal(await log.find('none'), undefined);
    });

    it('writes and counts each once, however often and from wherever it is written', async () => {
      const rows = many(450);
      const elsewhere = new Transactions(other.db);
      const counts = await Promise.all([
        log.insert(rows),
        elsewhere.insert(rows.toReversed()),
        log.insert(rows.slice(100, 300)),
      ]);
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        450,
      );
      assert.equal((await listAll({}, 1_000)).flat().length, 450);
      assert.equal(await total(), 450);
      assert.equal(await log.insert([]), 0);
    });

    it('writes of a batch all or nothing', async () => {
      const broken = { ...transaction(2), outcome: null as unknown as string };
      await assert.rejects(log.insert([transaction(1), broken]));
      assert.equal(await log.find(id(1)), undefined);
      assert.equal(await total(), 0);
    });

    it('lists the newest first, by pages, each once although more is written meanwhile', async () => {
      await log.insert(many(25, (i) => ({ time: noon + Math.floor(i / 3) })));
      const first = await log.list({}, 10);
      await log.insert([transaction(100)]);
      const second = await log.list({}, 10, first.next);
      const third = await log.list({}, 10, second.next);
      const listed = [first, second, third].flatMap(({ transactions }) => transactions.map((one) => one.id));
      const expected = Array.from({ length: 25 }, (_, i) => id(24 - i));
      assert.deepEqual(listed, expected);
      assert.equal(third.next, undefined);
      const made = ['["1",1]', '[1.5,"a"]', '[1e999,"a"]', '[1,"\\u0000"]'].map((values) =>
        Buffer.from(values).toString('base64url'),
      );
      for (const cursor of ['', 'x', 'W10', ...made]) {
        await assert.rejects(log.list({}, 10, cursor), code('invalid'), cursor);
      }
    });

    it('finds by each filter, and by all together', async () => {
      const special = {
        app: 'app_b',
        key: 'key_b',
        dialect: 'nhn',
        outcome: 'attack',
        tag: 'a tag',
        imageSha256: 'b'.repeat(64),
      };
      await log.insert(many(30, (i) => (i === 17 ? special : {})));
      const { app, key, dialect, outcome, tag, imageSha256 } = special;
      const filters: TransactionFilter[] = [
        { app },
        { key },
        { dialect },
        { outcome },
        { tag },
        { imageSha256 },
        { from: noon + 17, to: noon + 18 },
        { app, key, dialect, outcome, tag, imageSha256, from: noon, to: noon + 30 },
        { app, tag },
        { app, imageSha256 },
      ];
      for (const filter of filters) {
        assert.deepEqual((await listAll(filter, 10)).flat(), [id(17)], JSON.stringify(filter));
      }
      for (const filter of [{ app: 'app_c' }, { app: 'app_a', tag: 'a tag' }, { from: noon + 30 }]) {
        assert.deepEqual((await listAll(filter, 10)).flat(), [], JSON.stringify(filter));
      }
    });

    it('looks at a bounded number of rows for one page, and goes on with the next', async () => {
      await log.insert(many(5_000, (i) => (i % 2_400 === 0 ? { outcome: 'attack' } : {})));
      assert.deepEqual(await listAll({ outcome: 'attack' }, 2), [[id(4_800)], [id(2_400)], [id(0)]]);
      assert.deepEqual(await listAll({ outcome: 'attack' }, 1), [
        [id(4_800)],
        [],
        [id(2_400)],
        [],
        [id(0)],
        [],
      ]);
    });

    it('exports all, and lets others have their turn', async () => {
      await log.insert(many(1_700));
      let turns = 0;
      let isDone = false;
      const counting = (async () => {
        for (; !isDone; turns++) await nextTurn();
      })();
      const exported: string[] = [];
      for await (const page of log.export({ app: 'app_a' })) exported.push(...page.map((one) => one.id));
      isDone = true;
      await counting;
      assert.deepEqual(
        exported,
        Array.from({ length: 1_700 }, (_, i) => id(1_699 - i)),
      );
      assert.ok(turns >= 3, `${turns}`);
    });

    it('deletes by id, by tag, and by tag within an app', async () => {
      await log.insert(many(1_300, (i) => ({ tag: i < 1_200 ? 'gone' : null, app: `app_${i % 2}` })));
      assert.equal(await log.delete(id(1_250)), true);
      assert.equal(await log.delete(id(1_250)), false);
      assert.equal(await log.deleteByTag('gone', 'app_0'), 600);
      assert.equal(await log.deleteByTag('gone'), 600);
      assert.equal(await log.deleteByTag('gone'), 0);
      assert.equal((await listAll({}, 1_000)).flat().length, 99);
      assert.equal(await total(), 1_300, 'what is deleted was used all the same');
    });

    it('deletes what is older than a time, up to a number', async () => {
      await log.insert(many(1_500));
      assert.equal(await log.deleteOlderThan(noon + 1_200, 700), 700);
      assert.equal(await log.find(id(699)), undefined, 'the oldest first');
      assert.ok(await log.find(id(700)));
      assert.equal(await log.deleteOlderThan(noon + 1_200), 500);
      assert.ok(await log.find(id(1_200)));
      assert.equal(await log.deleteOlderThan(noon + 1_200), 0);
    });

    it('knows when an app last sent a picture, and for the first time within the window', async () => {
      const imageSha256 = 'c'.repeat(64);
      await log.insert([
        transaction(1, { imageSha256 }),
        transaction(5, { imageSha256 }),
        transaction(9, { imageSha256 }),
        transaction(10, { imageSha256, app: 'app_b' }),
        transaction(11),
      ]);
      const seen = { id: id(9), lastAt: noon + 9 };
      assert.deepEqual(await log.lastSeen('app_a', imageSha256, noon), { ...seen, firstAt: noon + 1 });
      assert.deepEqual(await log.lastSeen('app_a', imageSha256, noon + 2), { ...seen, firstAt: noon + 5 });
      assert.equal(await log.lastSeen('app_a', imageSha256, noon + 10), undefined);
      assert.equal(await log.lastSeen('app_c', imageSha256, noon), undefined);
      assert.equal(await log.lastSeen('app_a', 'd'.repeat(64), noon), undefined);
    });

    describe('usage', () => {
      const november = { from: '2026-11-01', to: '2026-11-30' };
      beforeEach(() =>
        log.insert([
          transaction(1),
          transaction(2),
          transaction(3, { outcome: 'attack' }),
          transaction(4, { app: 'app_b', key: 'key_b', dialect: 'nhn' }),
          transaction(5, { time: Date.parse('2026-11-22T00:00:00.000Z') }),
          transaction(6, { time: Date.parse('2026-11-21T23:59:59.999Z') }),
        ]),
      );

      it('counts by all parts', async () => {
        const all = ['day', 'app', 'key', 'dialect', 'outcome'] as const;
        const common = { app: 'app_a', key: 'key_a', dialect: 'native' };
        assert.deepEqual((await usage.list(november, all, 10)).counts, [
          { day: '2026-11-21', ...common, outcome: 'attack', count: 1 },
          { day: '2026-11-21', ...common, outcome: 'live', count: 3 },
          { day: '2026-11-21', app: 'app_b', key: 'key_b', dialect: 'nhn', outcome: 'live', count: 1 },
          { day: '2026-11-22', ...common, outcome: 'live', count: 1 },
        ]);
      });

      it('adds up what is not asked for', async () => {
        assert.deepEqual((await usage.list(november, ['outcome', 'day'], 10)).counts, [
          { day: '2026-11-21', outcome: 'attack', count: 1 },
          { day: '2026-11-21', outcome: 'live', count: 4 },
          { day: '2026-11-22', outcome: 'live', count: 1 },
        ]);
        assert.deepEqual((await usage.list(november, [], 10)).counts, [{ count: 6 }]);
        assert.deepEqual((await usage.list({ from: '2026-12-01', to: '2026-12-02' }, [], 10)).counts, []);
      });

      it('filters by each part, and by days', async () => {
        const cases: [Partial<UsageFilter>, number][] = [
          [{ app: 'app_b' }, 1],
          [{ key: 'key_a' }, 5],
          [{ dialect: 'nhn' }, 1],
          [{ outcome: 'live' }, 5],
          [{ outcome: 'live', app: 'app_a' }, 4],
          [{ from: '2026-11-22' }, 1],
          [{ to: '2026-11-21' }, 5],
        ];
        for (const [filter, count] of cases) assert.equal(await total(filter), count, JSON.stringify(filter));
      });

      it('lists by pages', async () => {
        const first = await usage.list(november, ['day', 'outcome'], 2);
        const second = await usage.list(november, ['day', 'outcome'], 2, first.next);
        assert.deepEqual([first.counts.length, second.counts.length, second.next], [2, 1, undefined]);
        assert.deepEqual(second.counts, [{ day: '2026-11-22', outcome: 'live', count: 1 }]);
        await assert.rejects(usage.list(november, ['day'], 2, first.next), code('invalid'));
      });

      it('refuses what are no days, or too many', async () => {
        for (const from of ['', 'x', '2026-11-31', '2026-1-1', '2026-11-01T00:00', '2020-01-01']) {
          await assert.rejects(usage.list({ ...november, from }, [], 1), code('invalid'), from);
        }
      });

      it('names days in UTC', () => {
        assert.equal(utcDay(0, Date.parse('2026-11-22T00:00:00Z')), '2026-11-22');
        assert.equal(utcDay(30, Date.parse('2026-11-22T23:59:59Z')), '2026-10-23');
      });
    });
  });
}
