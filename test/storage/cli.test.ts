/** The commands that work on the database, from outside, on both databases alike. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Storage } from '../../src/storage/database.ts';
import { hashOf, Keys } from '../../src/storage/keys.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import { run as runCommand } from '../helpers/cli.ts';
import { databases } from '../helpers/databases.ts';
import { transaction } from '../helpers/transactions.ts';

for (const database of databases()) {
  describe(`command line: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let keys: Keys;
    let env: Record<string, string>;

    before(async () => {
      await database.begin();
      const { open, folder, url } = await database.create();
      // Open all the while, as a running server has it.
      storage = await open();
      keys = new Keys(storage.db);
      env = { BONAFIDE_DATA: folder, ...(url && { BONAFIDE_DATABASE_URL: url }) };
    });
    after(async () => {
      await storage?.close();
      await database.end();
    });

    const run = (...args: string[]) => runCommand(args, env);
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const refused = async (sentence: RegExp, ...args: string[]) => {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, sentence);
    };

    it('makes, lists, limits and revokes apps', async () => {
      assert.match(
        await ok('apps', 'create', 'shop', '--per-day', '100'),
        /^app_\w+ +shop +\S+ .* 100\/day$/m,
      );
      const app = JSON.parse(
        await ok('apps', 'limit', 'shop', '--per-second', '5', '--burst', '9', '--json'),
      );
      assert.deepEqual(app.limits, { perSecond: 5, burst: 9 });
      assert.deepEqual((await keys.findApp('shop')).limits, { perSecond: 5, burst: 9 });
      assert.match(await ok('apps', 'list'), /^APP +NAME +APPKEY.*\n.* 5\/s \+9$/m);
      await ok('apps', 'create', 'gone');
      await ok('keys', 'create', 'a key', '--app', 'gone', '--kind', 'api');
      assert.match(JSON.parse(await ok('apps', 'revoke', 'gone', '--json')).revokedAt, /^2/);
      assert.match(await ok('keys', 'list', '--app', 'gone'), / a key .* revoked$/m);
      assert.match(JSON.parse(await ok('keys', 'list', '--app', 'gone', '--json')).revokedAt, /^2/);
      await refused(/^There is an app named "shop" already\.\n$/, 'apps', 'create', 'shop');
      await refused(/^There is no app "none"\.\n$/, 'apps', 'revoke', 'none');
      await refused(/^A burst is on top of a limit per second/, 'apps', 'limit', 'shop', '--burst', '1');
      await refused(
        /^--per-day must be a whole number; it is "x"\.\n$/,
        'apps',
        'limit',
        'shop',
        '--per-day',
        'x',
      );
    });

    it('makes keys that are good, and writes nothing but the key to stdout', async () => {
      const end = '2100-01-01T00:00:00Z';
      const args = ['--app', 'shop', '--kind', 'api', '--scopes', 'native', '--expires', end];
      const secret = (await ok('keys', 'create', 'mobile', ...args)).trim();
      const [live] = await keys.liveByHash([hashOf(secret)]);
      assert.deepEqual(
        [live?.scopes, live?.expiresAt, live?.app.name],
        [['native'], Date.parse(end), 'shop'],
      );
      const line = await ok('keys', 'list', '--app', 'shop');
      assert.match(
        line,
        new RegExp(`^${live?.id} +app_\\w+ +api +mobile +${secret.slice(0, 10)} +native +live`, 'm'),
      );
      assert.ok(!line.includes(secret));
    });

    it('rotates, limits and revokes keys', async () => {
      const { key, secret } = JSON.parse(
        await ok('keys', 'create', 'web', '--app', 'shop', '--kind', 'secret', '--json'),
      );
      const fresh = (await ok('keys', 'rotate', key.id, '--grace', '0')).trim();
      assert.notEqual(fresh, secret);
      const [live] = await keys.liveByHash([hashOf(fresh)]);
      assert.deepEqual(live?.scopes, ['nhn']);
      assert.ok(((await keys.findKey(key.id)).expiresAt as number) <= Date.now());
      await refused(/^A grace period has /, 'keys', 'rotate', live.id, '--grace', '999999999999999');
      await ok('keys', 'limit', live.id, '--per-month', '7');
      assert.deepEqual((await keys.findKey(live.id)).limits, { perMonth: 7 });
      assert.match(await ok('keys', 'revoke', live.id), / revoked /);
      await refused(/is revoked, replaced or expired\.\n$/, 'keys', 'rotate', live.id);
    });

    it('says what is missing or wrong of a key', async () => {
      await refused(/^Say which app the key is for/, 'keys', 'create', 'a', '--kind', 'api');
      await refused(/^Say which kind of key/, 'keys', 'create', 'a', '--app', 'shop');
      const rest = ['--app', 'shop', '--kind', 'api'];
      await refused(/^After "create" comes NAME\./, 'keys', 'create', ...rest);
      await refused(
        /^The scopes of a key of kind api are of argos, native\.\n$/,
        'keys',
        'create',
        'a',
        ...rest,
        '--scopes',
        'nhn',
      );
      await refused(
        /^--expires must be like 2026-11-22/,
        'keys',
        'create',
        'a',
        ...rest,
        '--expires',
        'soon',
      );
      await refused(
        /^The end is in the past\.\n$/,
        'keys',
        'create',
        'a',
        ...rest,
        '--expires',
        '2020-01-01',
      );
      await refused(/^Say: bonafide keys list, create,/, 'keys', 'make');
      await refused(/^There is no key with this id\.\n$/, 'keys', 'revoke', 'key_none');
    });

    it('makes, lists and revokes admin tokens', async () => {
      const secret = (await ok('admin-tokens', 'create', 'ops')).trim();
      const token = await keys.liveAdminToken(hashOf(secret));
      assert.equal(token?.createdBy, 'command line');
      assert.match(
        await ok('admin-tokens', 'list'),
        new RegExp(`^${token.id} +ops +${secret.slice(0, 10)}`, 'm'),
      );
      await ok('admin-tokens', 'revoke', token.id);
      assert.equal(await keys.liveAdminToken(hashOf(secret)), undefined);
    });

    it('finds, lists, exports, counts and deletes transactions', async () => {
      const { id: app } = await keys.findApp('shop');
      const formula = transaction(2, { app, tag: '=1+1,"x"\n2', outcome: 'attack' });
      await new Transactions(storage.db).insert([transaction(1, { app, tag: 'a' }), formula, transaction(3)]);

      const shown = JSON.parse(await ok('transactions', 'show', formula.id));
      assert.deepEqual(shown, { ...formula, time: new Date(formula.time).toISOString() });
      assert.equal((await ok('transactions', 'list', '--app', 'shop')).trim().split('\n').length, 3);
      assert.equal((await ok('transactions', 'list', '--limit', '1', '--json')).trim().split('\n').length, 1);

      const lines = await ok('transactions', 'export', '--format', 'ndjson', '--outcome', 'attack');
      assert.deepEqual(
        lines
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
        [shown],
      );
      const csv = await ok('transactions', 'export', '--app', 'shop');
      assert.match(csv, /^id,time,app,key,dialect,mode,outcome,/);
      assert.ok(csv.includes(`"'=1+1,""x""\n2"`), csv);
      assert.ok(csv.includes('"[{""id"":""minifas-128""'), csv);

      const counted = await ok('usage', '--from', '2026-11-21', '--to', '2026-11-21', '--by', 'outcome');
      assert.equal(counted, 'OUTCOME  REQUESTS\nattack   1\nlive     2\n');
      const one = await ok(
        'usage',
        '--from',
        '2026-11-21',
        '--to',
        '2026-11-21',
        '--by',
        'day',
        '--app',
        'shop',
        '--json',
      );
      assert.deepEqual(JSON.parse(one), { day: '2026-11-21', count: 2 });

      assert.equal((await run('transactions', 'delete', '--tag', 'a')).stderr, '1 deleted.\n');
      assert.equal((await run('transactions', 'delete', formula.id)).stderr, '1 deleted.\n');
      assert.equal((await run('transactions', 'delete', formula.id)).stderr, '0 deleted.\n');
      await refused(/^There is no transaction "\S+"\.\n$/, 'transactions', 'show', formula.id);
      await refused(/^After "delete" comes ID\./, 'transactions', 'delete');
      await refused(/^--format must be one of csv, ndjson/, 'transactions', 'export', '--format', 'xml');
      await refused(/^--by must be of day, app/, 'usage', '--by', 'hour');
      await refused(/^A day is written like/, 'usage', '--from', 'monday');
    });
  });
}

describe('command line: without a database', () => {
  it('says so, rather than make one where nobody looks for it', async () => {
    const { code, stderr } = await runCommand(['keys', 'list', '--data', 'no-such-folder']);
    assert.equal(code, 2);
    assert.match(stderr, /^There is no database in no-such-folder yet\./);
  });

  it('never repeats the address of a database, which may hold a password', async () => {
    const { code, stderr } = await runCommand(['keys', 'list'], {
      BONAFIDE_DATABASE_URL: 'mysql://a:very-secret@b/c',
    });
    assert.equal(code, 2);
    assert.equal(stderr, 'BONAFIDE_DATABASE_URL must be like postgres://user:password@host:port/name.\n');
  });
});
