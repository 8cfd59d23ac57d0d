/** Quotas on both databases: exactly as many uses as are allowed, whoever counts at once, and all of a request or nothing. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createQuotas, type Quotas } from '../../src/server/quotas.ts';
import { createAvailability } from '../../src/storage/availability.ts';
import type { Storage } from '../../src/storage/database.ts';
import { addUses, countUses, deleteQuotasBefore, type Quota } from '../../src/storage/quotas.ts';
import { databases } from '../helpers/databases.ts';

const day = (subject: string, allowed: number): Quota => ({ subject, period: '2026-11-22', allowed });
const month = (subject: string, allowed: number): Quota => ({ subject, period: '2026-11', allowed });

for (const database of databases()) {
  describe(`quotas: ${database.name}`, { skip: database.skip }, () => {
    let nodes: [Storage, Storage];

    before(() => database.begin());
    after(() => database.end());
    beforeEach(async () => {
      const { open } = await database.create();
      nodes = [await open(), await open()];
    });
    afterEach(async () => {
      for (const node of nodes) await node.close();
    });

    const stored = async (): Promise<Record<string, number>> => {
      const rows = await nodes[0].db.selectFrom('quotas').selectAll().execute();
      return Object.fromEntries(rows.map((row) => [`${row.subject} ${row.period}`, row.used]));
    };

    it('lets exactly as many through as are allowed, from two nodes at once', async () => {
      const quotas = [day('key:a', 100), month('key:a', 1_000), day('app:a', 500), month('app:a', 120)];
      const both = nodes.map(({ db }) => createQuotas(db, createAvailability(assert.ifError)));
      const uses = await Promise.all(
        Array.from({ length: 400 }, (_, i) => (both[i % 2] as Quotas).count(quotas)),
      );
      const granted = uses.filter(({ isGranted }) => isGranted);
      assert.equal(granted.length, 100);
      // Each got a number of its own.
      assert.equal(new Set(granted.map(({ used }) => used[0])).size, 100);
      assert.ok(uses.every(({ isGranted, used }) => isGranted || used[0] === 100));
      assert.deepEqual(await stored(), {
        'key:a 2026-11-22': 100,
        'key:a 2026-11': 100,
        'app:a 2026-11-22': 100,
        'app:a 2026-11': 100,
      });
    });

    it('counts exactly too when each use is counted by itself', async () => {
      const counted = await Promise.all(
        Array.from({ length: 40 }, (_, i) => countUses((nodes[i % 2] as Storage).db, [day('key:a', 7)], 1)),
      );
      assert.equal(counted.filter(({ granted }) => granted === 1).length, 7);
    });

    it('grants as many of several uses as there is room for', async () => {
      const [{ db }] = nodes;
      assert.deepEqual(await countUses(db, [day('key:a', 7)], 5), { granted: 5, used: [5] });
      assert.deepEqual(await countUses(db, [day('key:a', 7)], 5), { granted: 2, used: [7] });
      assert.deepEqual(await countUses(db, [day('key:a', 7)], 5), { granted: 0, used: [7] });
    });

    it('takes nothing of the others where one is used up', async () => {
      const [{ db }] = nodes;
      await countUses(db, [month('app:a', 1)], 1);
      assert.deepEqual(await countUses(db, [day('key:a', 5), month('app:a', 1)], 1), {
        granted: 0,
        used: [0, 1],
      });
      assert.deepEqual(await stored(), { 'app:a 2026-11': 1, 'key:a 2026-11-22': 0 });
    });

    it('counts periods and subjects by themselves', async () => {
      const [{ db }] = nodes;
      for (const quota of [
        day('key:a', 1),
        { ...day('key:a', 1), period: '2026-11-23' },
        month('key:a', 1),
        day('key:b', 1),
      ]) {
        assert.deepEqual(await countUses(db, [quota], 1), { granted: 1, used: [1] });
      }
    });

    it('lets more through once more is allowed, and none once less is', async () => {
      const [{ db }] = nodes;
      await countUses(db, [day('key:a', 2)], 2);
      assert.deepEqual(await countUses(db, [day('key:a', 3)], 1), { granted: 1, used: [3] });
      assert.deepEqual(await countUses(db, [day('key:a', 2)], 1), { granted: 0, used: [3] });
    });

    it('forgets months that are over, with their days', async () => {
      const [{ db }] = nodes;
      for (const period of ['2026-10', '2026-10-31', '2026-11', '2026-11-01']) {
        await addUses(db, [{ subject: 'key:a', period }], 1);
      }
      await deleteQuotasBefore(db, '2026-11');
      assert.deepEqual(Object.keys(await stored()).sort(), ['key:a 2026-11', 'key:a 2026-11-01']);
    });

    it('goes on by itself while the database is away, and tells what it let through afterwards', async () => {
      const [{ db }] = nodes;
      let isAway = false;
      const { run, ...rest } = createAvailability(() => {});
      const quotas = createQuotas(db, {
        ...rest,
        run: (query) => (isAway ? Promise.reject(new Error('away')) : run(query)),
      });
      const quota = [day('key:a', 5)];
      assert.deepEqual(await quotas.count(quota), { isGranted: true, used: [1] });
      isAway = true;
      assert.deepEqual(await quotas.count(quota), { isGranted: true, used: [2] });
      assert.deepEqual(await quotas.count(quota), { isGranted: true, used: [3] });
      // Another node, whose database is there, knows of nothing.
      assert.deepEqual(await countUses(nodes[1].db, quota, 1), { granted: 1, used: [2] });
      isAway = false;
      assert.deepEqual(await quotas.count(quota), { isGranted: true, used: [5] });
      assert.deepEqual(await quotas.count(quota), { isGranted: false, used: [5] });
      isAway = true;
      assert.deepEqual(await quotas.count(quota), { isGranted: false, used: [5] });
    });
  });
}
