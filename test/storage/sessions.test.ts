/** Sessions of the console, on both databases alike: they end by themselves, by signing out and with their token. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Storage } from '../../src/storage/database.ts';
import { hashOf, Keys } from '../../src/storage/keys.ts';
import { deleteSessionsBefore, Sessions, sessionMs } from '../../src/storage/sessions.ts';
import { databases } from '../helpers/databases.ts';

for (const database of databases()) {
  describe(`sessions: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let other: Storage;
    let keys: Keys;
    let sessions: Sessions;
    /** As another node sees them. */
    let others: Sessions;

    before(async () => {
      await database.begin();
      const { open } = await database.create();
      storage = await open();
      other = await open();
      keys = new Keys(storage.db);
      sessions = new Sessions(storage.db);
      others = new Sessions(other.db);
    });
    after(async () => {
      await storage?.close();
      await other?.close();
      await database.end();
    });

    const begin = async (expiresAt?: number) => {
      const { made } = await keys.createAdminToken('ops', 'test', expiresAt);
      return await sessions.begin(made);
    };

    it('are found by the hash of their secret, on every node, and by nothing else', async () => {
      const { session, secret } = await begin();
      assert.deepEqual(await others.find(hashOf(secret)), session);
      assert.equal(session.administrator.name, 'ops');
      assert.equal(await others.find(secret), undefined);
      assert.equal(await others.find(hashOf(`${secret}0`)), undefined);
    });

    it('keep no secret', async () => {
      const { secret } = await begin();
      const rows = await storage.db.selectFrom('sessions').selectAll().execute();
      assert.ok(!JSON.stringify(rows).includes(secret));
    });

    it('last 12 hours, and never longer than their token', async () => {
      const now = Date.now();
      const { session } = await begin();
      assert.ok(Math.abs(session.expiresAt - now - 12 * 3_600_000) < 10_000);
      assert.equal((await begin(now + 60_000)).session.expiresAt, now + 60_000);
      assert.equal(sessionMs, 43_200_000);
    });

    it('end by their time', async () => {
      const { session } = await begin();
      const over = { expires_at: Date.now() };
      await storage.db.updateTable('sessions').set(over).where('hash', '=', session.hash).execute();
      assert.equal(await others.find(session.hash), undefined);
    });

    it('end by signing out, each by itself and once', async () => {
      const [one, two] = [await begin(), await begin()];
      assert.equal(await sessions.end(one.session.hash), true);
      assert.equal(await sessions.end(one.session.hash), false);
      assert.equal(await others.find(one.session.hash), undefined);
      assert.ok(await others.find(two.session.hash));
    });

    it('end with their token, on every node at once', async () => {
      const { session } = await begin();
      await keys.revokeAdminToken(session.administrator.id);
      assert.equal(await others.find(session.hash), undefined);
    });

    it('are forgotten when they are over, and not before', async () => {
      const [one, two] = [await begin(), await begin()];
      await deleteSessionsBefore(storage.db, one.session.expiresAt - 1);
      assert.ok(await others.find(one.session.hash));
      const over = { expires_at: 5 };
      await storage.db.updateTable('sessions').set(over).where('hash', '=', one.session.hash).execute();
      await deleteSessionsBefore(storage.db, 5);
      const rows = await storage.db.selectFrom('sessions').select('hash').execute();
      const left = rows.map(({ hash }) => hash);
      assert.ok(!left.includes(one.session.hash) && left.includes(two.session.hash));
    });
  });
}
