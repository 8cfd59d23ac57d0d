/** Looking keys up: in memory first, never too much in the database, and for a stated time without it. */

import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { pino } from 'pino';
import { type Authenticator, createAuthenticator } from '../../src/server/auth.ts';
import { createAvailability } from '../../src/storage/availability.ts';
import type { Storage } from '../../src/storage/database.ts';
import { hashOf, Keys } from '../../src/storage/keys.ts';
import { databases } from '../helpers/databases.ts';

const logger = pino({ level: 'silent' });
/** Longer than a node goes without asking whether something has changed. */
const polledMs = 2_500;

for (const database of databases()) {
  describe(`authenticator: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let app: { id: string; appKey: string };

    before(async () => {
      await database.begin();
      storage = await (await database.create()).open();
      app = await new Keys(storage.db).createApp('one');
    });
    after(async () => {
      await storage?.close();
      await database.end();
    });

    /** An authenticator as of a node of its own, with what it asks the database. */
    async function node(t: TestContext, knownKeysMs = 60_000) {
      const keys = new Keys(storage.db);
      const asked = t.mock.method(keys, 'liveByHash');
      const availability = createAvailability(() => {});
      const authenticator = await createAuthenticator({ keys, availability, knownKeysMs, logger });
      t.after(() => authenticator.close());
      // What it loads as it starts is of no interest.
      asked.mock.resetCalls();
      return { authenticator, keys, asked: asked.mock };
    }

    const newKey = async (kind: 'secret' | 'api' = 'api', expiresAt?: number) =>
      await new Keys(storage.db).createKey({
        app: app.id,
        kind,
        name: 'a key',
        expiresAt,
        createdBy: 'test',
      });
    const isGood = async ({ byApiKey }: Authenticator, key: string) =>
      (await byApiKey(key, 'native')) !== undefined;
    /** The database fails from now on, whatever is asked of it. */
    function goAway(t: TestContext, keys: Keys): void {
      const fail = () => Promise.reject(new Error('The connection is lost.'));
      t.mock.method(keys, 'liveByHash', fail);
      t.mock.method(keys, 'revision', fail);
    }

    it('tells whose key it is, and what they may use', async (t) => {
      const { made, secret } = await newKey('secret');
      await new Keys(storage.db).limitKey(made.id, { perDay: 9 });
      const { authenticator } = await node(t);
      const caller = await authenticator.bySecret(app.appKey, secret);
      assert.deepEqual(caller, {
        app: { id: app.id, appKey: app.appKey, name: 'one', limits: {} },
        key: { id: made.id, limits: { perDay: 9 } },
      });
      assert.equal(await authenticator.bySecret(`${app.appKey}x`, secret), undefined);
      assert.equal(await authenticator.byApiKey(secret, 'native'), undefined);
      assert.equal(await authenticator.byApiKey([secret], 'native'), undefined);
      assert.equal(await authenticator.bySecret(app.appKey, undefined), undefined);
    });

    it('asks for no key that it loaded, and once for one that is new', async (t) => {
      const old = await newKey();
      const { authenticator, asked } = await node(t);
      assert.ok(await isGood(authenticator, old.secret));
      assert.equal(asked.callCount(), 0);
      const fresh = await newKey();
      const good = await Promise.all(Array.from({ length: 20 }, () => isGood(authenticator, fresh.secret)));
      assert.ok(good.every(Boolean));
      assert.ok(await isGood(authenticator, fresh.secret));
      assert.equal(asked.callCount(), 1);
    });

    it('asks once for a wrong key, and not at all where only known ones count', async (t) => {
      const known = await newKey();
      const { authenticator, asked } = await node(t);
      for (let i = 0; i < 20; i++) assert.ok(!(await isGood(authenticator, 'wrong')));
      assert.equal(asked.callCount(), 1);
      const fresh = await newKey();
      const cached = { cachedOnly: true };
      assert.equal(await authenticator.byApiKey('another wrong one', 'native', cached), undefined);
      assert.equal(await authenticator.byApiKey(fresh.secret, 'native', cached), undefined);
      assert.equal(asked.callCount(), 1);
      assert.ok(await authenticator.byApiKey(known.secret, 'native', cached));
      assert.ok(await isGood(authenticator, fresh.secret), 'it was not taken for a wrong one');
    });

    it('knows a key that was made elsewhere before anybody has used it', async (t) => {
      const { authenticator } = await node(t);
      const { secret } = await newKey();
      const cached = { cachedOnly: true };
      assert.equal(await authenticator.byApiKey(secret, 'native', cached), undefined);
      await sleep(polledMs);
      assert.ok(await authenticator.byApiKey(secret, 'native', cached), 'as it asks every 2 s');
      const next = await newKey();
      await authenticator.notice();
      assert.ok(await authenticator.byApiKey(next.secret, 'native', cached), 'as it was told to ask');
    });

    it('does not let guesses take all connections', async (t) => {
      const known = await newKey();
      const { authenticator, keys } = await node(t);
      const held = Promise.withResolvers<never[]>();
      t.mock.method(keys, 'liveByHash', () => held.promise);
      const guesses = Array.from({ length: 40 }, (_, i) => isGood(authenticator, `guess ${i}`));
      const outcomes = Promise.allSettled(guesses);
      assert.ok(await isGood(authenticator, known.secret), 'who is known waits for nobody');
      held.resolve([]);
      const refused = (await outcomes).filter(({ status }) => status === 'rejected');
      assert.equal(refused.length, 40 - 16);
      for (const { reason } of refused as PromiseRejectedResult[]) assert.equal(reason.code, 'service_full');
    });

    it('ends a key at its time, without asking', async (t) => {
      const { secret } = await newKey('api', Date.now() + 300);
      const { authenticator } = await node(t);
      assert.ok(await isGood(authenticator, secret));
      await sleep(310);
      assert.ok(!(await isGood(authenticator, secret)));
    });

    it('does not keep a key that is revoked while it is being looked up', async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      // One that the node knows, and so reads again.
      await newKey();
      const { authenticator, keys, asked } = await node(t);
      const { made, secret } = await newKey();
      const before = await keys.liveByHash([hashOf(secret)]);
      const held = Promise.withResolvers<typeof before>();
      t.mock.timers.tick(1_500);
      asked.resetCalls();
      asked.mockImplementationOnce(() => held.promise);
      const looking = isGood(authenticator, secret);
      await new Keys(storage.db).revokeKey(made.id);
      // The node notices the change, and reads what it knows again.
      t.mock.timers.tick(600);
      while (asked.callCount() < 2) await nextTurn();
      held.resolve(before);
      assert.ok(!(await looking));
      assert.ok(!(await isGood(authenticator, secret)));
    });

    it('takes a query that the database refuses for no sign that it is away', async () => {
      const changes: unknown[] = [];
      const { run } = createAvailability((error) => changes.push(error));
      const refused = () => sql`select * from nowhere`.execute(storage.db);
      await assert.rejects(run(refused), /nowhere/);
      assert.equal(await run(async () => 'asked'), 'asked', 'at once, and not after a pause');
      const lost = new Error('Connection terminated unexpectedly');
      await assert.rejects(
        run(() => Promise.reject(lost)),
        lost,
      );
      await assert.rejects(
        run(async () => 'not asked'),
        { name: 'DatabaseAwayError' },
      );
      assert.deepEqual(changes, [lost]);
      await sleep(1_100);
      await assert.rejects(run(refused), /nowhere/);
      assert.deepEqual(changes, [lost, undefined], 'it is back when it refuses something');
    });

    it('knows keys for a stated time when the database is away, and says that it cannot know others', async (t) => {
      const known = await newKey();
      const { authenticator, keys } = await node(t, 3_000);
      const fresh = await newKey();
      goAway(t, keys);
      assert.ok(await isGood(authenticator, known.secret));
      await assert.rejects(isGood(authenticator, fresh.secret), { code: 'storage_unavailable' });
      const wait = authenticator.knownKeysUntil - Date.now();
      assert.ok(wait > 0 && wait <= 3_000);
      await sleep(wait - 200);
      assert.ok(await isGood(authenticator, known.secret));
      await sleep(300);
      await assert.rejects(isGood(authenticator, known.secret), { code: 'storage_unavailable' });
      t.mock.restoreAll();
      await sleep(polledMs);
      assert.ok(await isGood(authenticator, known.secret), 'and again when it is back');
      assert.ok(await isGood(authenticator, fresh.secret));
    });
  });
}
