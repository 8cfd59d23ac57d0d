/** Apps, keys and admin tokens, on both databases alike. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Storage } from '../../src/storage/database.ts';
import { type FirstCredential, makeFirstCredential } from '../../src/storage/first-credential.ts';
import { hashOf, Keys, type NewKey } from '../../src/storage/keys.ts';
import { databases } from '../helpers/databases.ts';

const code = (expected: string) => ({ name: 'StorageError', code: expected });

for (const database of databases()) {
  describe(`keys: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let other: Storage;
    let keys: Keys;
    /** As another process sees them. */
    let others: Keys;

    before(async () => {
      await database.begin();
      const { open } = await database.create();
      storage = await open();
      other = await open();
      keys = new Keys(storage.db);
      others = new Keys(other.db);
    });
    after(async () => {
      await storage?.close();
      await other?.close();
      await database.end();
    });

    let apps = 0;
    const newApp = () => keys.createApp(`app ${apps++}`);
    const newKey = async (more: Partial<NewKey> = {}) => {
      const app = more.app ?? (await newApp()).id;
      return await keys.createKey({ app, kind: 'api', name: 'a key', createdBy: 'test', ...more });
    };
    const isLive = async (secret: string) => (await others.liveByHash([hashOf(secret)])).length === 1;

    it('makes an app and finds it by id and by name', async () => {
      const app = await keys.createApp('one', { perDay: 100 });
      assert.match(app.id, /^app_[0-9a-f]{16}$/);
      assert.deepEqual(app.limits, { perDay: 100 });
      assert.deepEqual([await others.findApp('one'), await others.findApp(app.id)], [app, app]);
      await assert.rejects(keys.findApp('none'), code('not_found'));
    });

    it('makes no two apps of one name, not even at once', async () => {
      const results = await Promise.allSettled([keys.createApp('same'), others.createApp('same')]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      await assert.rejects(keys.createApp('same'), code('conflict'));
    });

    it('takes no name that is empty, long, or steers a terminal', async () => {
      for (const name of ['', '  ', 'a'.repeat(101), 'a\u001b[2J', 'a\u202eb', 'a\nb']) {
        await assert.rejects(keys.createApp(name), code('invalid'), JSON.stringify(name));
      }
      assert.equal((await keys.createApp('은행 앱')).name, '은행 앱');
    });

    it('keeps of a key only its hash and its first characters', async () => {
      const { made, secret } = await newKey({ name: 'mobile' });
      assert.match(secret, /^bfa_[\w-]{32}$/);
      assert.equal(made.prefix, secret.slice(0, 10));
      const dump = JSON.stringify(await storage.db.selectFrom('keys').selectAll().execute());
      assert.ok(!dump.includes(secret.slice(10)));
      assert.ok(dump.includes(hashOf(secret)));
      const [live] = await others.liveByHash([hashOf(secret)]);
      assert.equal(live?.id, made.id);
      assert.deepEqual(live.scopes, ['argos', 'native']);
    });

    it('gives a key no scope that its kind cannot have', async () => {
      await assert.rejects(newKey({ scopes: ['nhn'] }), code('invalid'));
      await assert.rejects(newKey({ scopes: [] }), code('invalid'));
      await assert.rejects(newKey({ kind: 'secret', scopes: ['nhn', 'native'] }), code('invalid'));
      assert.deepEqual((await newKey({ scopes: ['native', 'native'] })).made.scopes, ['native']);
      assert.match((await newKey({ kind: 'secret' })).secret, /^bfs_/);
    });

    it('makes no key for an app that is not there, or is revoked, nor one that has ended', async () => {
      await assert.rejects(newKey({ app: 'none' }), code('not_found'));
      const app = await newApp();
      await keys.revokeApp(app.id);
      await assert.rejects(newKey({ app: app.id }), code('conflict'));
      await assert.rejects(newKey({ expiresAt: Date.now() - 1 }), code('invalid'));
    });

    it('revokes a key for ever, once', async () => {
      const { made, secret } = await newKey();
      assert.ok(await isLive(secret));
      const { revokedAt } = await others.revokeKey(made.id);
      assert.ok(revokedAt !== null && !(await isLive(secret)));
      assert.equal((await keys.revokeKey(made.id)).revokedAt, revokedAt);
      await assert.rejects(keys.revokeKey('key_none'), code('not_found'));
      await assert.rejects(keys.rotateKey(made.id, 0, 'test'), code('conflict'));
    });

    it('revokes an app with all of its keys', async () => {
      const app = await newApp();
      const { secret } = await newKey({ app: app.id });
      const { revokedAt } = await others.revokeApp(app.id);
      assert.ok(revokedAt !== null && !(await isLive(secret)));
      assert.equal((await keys.revokeApp(app.id)).revokedAt, revokedAt);
    });

    it('rotates a key into one like it, and lets the old one end after the grace period', async () => {
      const { made: old, secret } = await newKey({ scopes: ['argos'], limits: { perSecond: 3 } });
      const start = Date.now();
      const { made, secret: fresh } = await keys.rotateKey(old.id, 60_000, 'somebody');
      assert.notEqual(fresh, secret);
      const { app, kind, name, scopes, limits, expiresAt } = made;
      const like = { app: old.app, kind: old.kind, name: old.name, scopes: old.scopes };
      assert.deepEqual({ app, kind, name, scopes }, like);
      assert.deepEqual([limits, expiresAt, made.createdBy], [old.limits, null, 'somebody']);
      const after = await others.findKey(old.id);
      assert.equal(after.replacedBy, made.id);
      assert.ok(
        (after.expiresAt as number) >= start + 60_000 && (after.expiresAt as number) <= Date.now() + 60_000,
      );
      await assert.rejects(keys.rotateKey(old.id, 0, 'test'), code('conflict'));
    });

    it('does not let a rotation make a key live longer', async () => {
      const expiresAt = Date.now() + 5_000;
      const { made } = await newKey({ expiresAt });
      const { made: fresh } = await keys.rotateKey(made.id, 60_000, 'test');
      assert.equal((await keys.findKey(made.id)).expiresAt, expiresAt);
      assert.equal(fresh.expiresAt, expiresAt);
    });

    it('rotates no key of a revoked app, nor into a time that no date has', async () => {
      const { made } = await newKey();
      await assert.rejects(keys.rotateKey(made.id, 1e18, 'test'), code('invalid'));
      assert.equal((await others.findKey(made.id)).replacedBy, null);
      await keys.revokeApp(made.app);
      await assert.rejects(keys.rotateKey(made.id, 0, 'test'), code('conflict'));
    });

    it('rotates a key once, when two nodes do it at once', async () => {
      const { made } = await newKey();
      const results = await Promise.allSettled(
        [keys, others, keys, others].map((one) => one.rotateKey(made.id, 0, 'test')),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      const { items } = await keys.listKeys(100, undefined, made.app);
      assert.equal(items.length, 2);
    });

    it('changes the revision with every change of an app or a key', async () => {
      const { made } = await newKey();
      const changes = [
        () => newKey({ app: made.app }),
        () => keys.limitKey(made.id, { perDay: 1 }),
        () => keys.limitApp(made.app, { perMonth: 1 }),
        () => keys.rotateKey(made.id, 0, 'test'),
        () => keys.revokeKey(made.id),
        () => keys.revokeApp(made.app),
      ];
      for (const change of changes) {
        const earlier = await others.revision();
        await change();
        assert.notEqual(await others.revision(), earlier, String(change));
      }
    });

    it('changes limits', async () => {
      const { made, secret } = await newKey({ limits: { perDay: 5 } });
      assert.deepEqual((await keys.limitKey(made.id, { perSecond: 2, burst: 4 })).limits, {
        perSecond: 2,
        burst: 4,
      });
      assert.deepEqual((await keys.limitApp(made.app, { perMonth: 9 })).limits, { perMonth: 9 });
      const [live] = await others.liveByHash([hashOf(secret)]);
      assert.deepEqual([live?.limits, live?.app.limits], [{ perSecond: 2, burst: 4 }, { perMonth: 9 }]);
      await assert.rejects(keys.limitKey('key_none', {}), code('not_found'));
      await assert.rejects(keys.limitApp('app_none', {}), code('not_found'));
    });

    it('lists by pages, each key once, the oldest first', async () => {
      const app = await newApp();
      const made = [];
      for (let i = 0; i < 7; i++) made.push((await newKey({ app: app.id, name: `${i}` })).made.id);
      const listed: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await keys.listKeys(3, cursor, app.id);
        listed.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      assert.deepEqual([...listed].sort(), [...made].sort());
      assert.equal((await keys.listKeys(7, undefined, app.id)).next, undefined);
      for (const bad of ['', 'x', Buffer.from('["a",1]').toString('base64url')]) {
        await assert.rejects(keys.listKeys(3, bad), code('invalid'), bad);
      }
      assert.ok((await keys.listApps(1)).next !== undefined);
    });

    it('loads the keys that were used or made last first', async () => {
      const first = await newKey();
      const second = await newKey();
      await keys.noteUse(new Map([[first.made.id, Date.now() + 5_000]]));
      assert.deepEqual(await others.hashesByUse(1), [hashOf(first.secret)]);
      const all = await others.hashesByUse(10_000);
      assert.ok(all.includes(hashOf(second.secret)));
      await keys.revokeKey(second.made.id);
      assert.ok(!(await others.hashesByUse(10_000)).includes(hashOf(second.secret)));
    });

    it('notes the last use, and never an earlier one', async () => {
      const { made } = await newKey();
      await keys.noteUse(new Map([[made.id, 2_000]]));
      await others.noteUse(new Map([[made.id, 1_000]]));
      assert.equal((await keys.findKey(made.id)).lastUsedAt, 2_000);
    });

    it('makes admin tokens that end by revocation and by their time', async () => {
      const { made, secret } = await keys.createAdminToken('ops', 'test');
      assert.match(secret, /^bft_/);
      assert.equal((await others.liveAdminToken(hashOf(secret)))?.id, made.id);
      await keys.noteAdminUse(made.id, 5);
      const listed = (await others.listAdminTokens(100)).items.find(({ id }) => id === made.id);
      assert.equal(listed?.lastUsedAt, 5);
      await keys.revokeAdminToken(made.id);
      assert.equal(await others.liveAdminToken(hashOf(secret)), undefined);
      await assert.rejects(keys.revokeAdminToken('adm_none'), code('not_found'));
      const short = await keys.createAdminToken('short', 'test', Date.now() + 60_000);
      assert.ok(await keys.liveAdminToken(hashOf(short.secret)));
      await storage.db.updateTable('admin_tokens').set({ expires_at: Date.now() }).execute();
      assert.equal(await keys.liveAdminToken(hashOf(short.secret)), undefined);
    });

    it('makes the first credential once, though two start at once', async () => {
      const { open } = await database.create();
      const [one, two] = [await open(), await open()];
      try {
        const unseen = async () => {
          throw new Error('Nobody can see it.');
        };
        await assert.rejects(makeFirstCredential(one.db, unseen), /Nobody/);
        assert.deepEqual((await new Keys(two.db).listAdminTokens(10)).items, []);
        const shown: FirstCredential[] = [];
        const show = async (credential: FirstCredential) => void shown.push(credential);
        const made = [one, two].map(({ db }) => makeFirstCredential(db, show));
        assert.deepEqual((await Promise.all(made)).sort(), [false, true]);
        const [credential, ...more] = shown;
        assert.ok(credential !== undefined && more.length === 0);
        const live = await new Keys(two.db).liveByHash([credential.secretKey, credential.apiKey].map(hashOf));
        assert.deepEqual(live.map(({ kind }) => kind).sort(), ['api', 'secret']);
        assert.equal(live[0]?.app.appKey, credential.appKey);
        assert.ok(await new Keys(one.db).liveAdminToken(hashOf(credential.adminToken)));
        assert.equal(await makeFirstCredential(one.db, unseen), false);
      } finally {
        await one.close();
        await two.close();
      }
    });
  });
}
