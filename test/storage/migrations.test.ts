/** Bringing a database up to date: once, however many begin together, and never backwards. */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStorage } from '../../src/storage/database.ts';
import { databases, noPostgres } from '../helpers/databases.ts';

for (const database of databases()) {
  describe(`migrations: ${database.name}`, { skip: database.skip }, () => {
    before(() => database.begin());
    after(() => database.end());

    it('run once when several processes start together on an empty database', async () => {
      const { folder, url, open } = await database.create();
      const child = join(import.meta.dirname, '..', 'helpers', 'open-storage.ts');
      const children = Array.from({ length: 4 }, () => fork(child, [folder, ...(url ? [url] : [])]));
      await Promise.all(children.map((one) => once(one, 'message')));
      for (const one of children) one.send('open');
      const codes = await Promise.all(children.map(async (one) => (await once(one, 'exit'))[0]));
      assert.deepEqual(codes, [0, 0, 0, 0]);
      const storage = await open();
      const tables = await storage.db.introspection.getTables();
      assert.ok(tables.some(({ name }) => name === 'transactions'));
      await storage.close();
    });

    it('leave what is there as it is', async () => {
      const { open } = await database.create();
      const first = await open();
      await first.db.insertInto('revisions').values({ name: 'kept', value: 7 }).execute();
      await first.close();
      const second = await open();
      const { value } = await second.db.selectFrom('revisions').select('value').executeTakeFirstOrThrow();
      assert.equal(value, 7);
      await second.close();
    });

    it('refuse, with a sentence, a database that a newer version has written', async () => {
      const { open } = await database.create();
      const storage = await open();
      await storage.db
        .withTables<{ kysely_migration: { name: string; timestamp: string } }>()
        .insertInto('kysely_migration')
        .values({ name: '999-from-the-future', timestamp: new Date().toISOString() })
        .execute();
      await storage.close();
      await assert.rejects(open(), (error: Error) => {
        assert.equal(error.name, 'StorageError');
        assert.match(error.message, /^The database \S+ was written by a newer version of bonafide\./);
        assert.doesNotMatch(error.message, /test:test/);
        return true;
      });
    });

    it('keeps whole numbers as numbers, beyond 32 bits', async () => {
      const { open } = await database.create();
      const storage = await open();
      const value = Number.MAX_SAFE_INTEGER;
      await storage.db.insertInto('revisions').values({ name: 'large', value }).execute();
      const row = await storage.db.selectFrom('revisions').select('value').executeTakeFirstOrThrow();
      assert.equal(row.value, value);
      await storage.close();
    });
  });
}

describe('opening a database', () => {
  const [sqlite] = databases();
  after(() => sqlite?.end());

  it('makes a file that only its owner can read, with those beside it', async () => {
    const { folder, open } = (await sqlite?.create()) ?? assert.fail();
    const storage = await open();
    for (const name of ['bonafide.db', 'bonafide.db-wal', 'bonafide.db-shm']) {
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    }
    await storage.close();
  });

  it('makes no file where none is wanted, nor takes one that is no database', async () => {
    const { folder } = (await sqlite?.create()) ?? assert.fail();
    await assert.rejects(openStorage({ folder, create: false }), /^StorageError: There is no database in /);
    await writeFile(join(folder, 'bonafide.db'), 'This is no database.'.repeat(100));
    await assert.rejects(
      openStorage({ folder, create: false }),
      /^StorageError: The database .* cannot be used: /,
    );
  });

  it('says why Postgres cannot be used, without the password', { skip: noPostgres }, async () => {
    const url = 'postgres://somebody:very-secret@127.0.0.1:9/bonafide';
    await assert.rejects(openStorage({ folder: '', url, create: true }), (error: Error) => {
      assert.match(
        error.message,
        /^The database postgres:\/\/127\.0\.0\.1:9\/bonafide cannot be used: .*ECONNREFUSED/,
      );
      assert.doesNotMatch(error.message, /very-secret/);
      return true;
    });
  });
});
