/** A database that goes away under a server: who is known is served on, nothing is lost, and readiness says what is wrong. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { openStorage, type Storage } from '../../src/storage/database.ts';
import { noPostgres, type PostgresServer, startPostgres } from '../helpers/databases.ts';
import { type Ask, connect, keyed, routes } from '../helpers/http.ts';
import { planted } from '../helpers/keys.ts';
import { plainPng } from '../helpers/pictures.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const { native } = routes;
const knownKeysMs = 10_000;

describe('a database that goes away', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let storage: Storage;
  let server: TestServer;
  let ask: Ask;

  before(async () => {
    postgres = await startPostgres();
    const url = await postgres.createDatabase();
    storage = await openStorage({ folder: '', url, create: true });
    server = await startServer({ storage, knownKeysMs });
    ask = await connect(server);
  });
  after(async () => {
    await server.close();
    await storage.close();
    await postgres.destroy();
  });

  /** Every picture another one. */
  let side = 90;
  const post = async (picture?: Buffer, key: string = native.key) => {
    const body = new Uint8Array(picture ?? (await plainPng(side++, 90)));
    return await ask(native.path, {
      headers: keyed(native, { 'content-type': 'image/png', 'x-api-key': key }),
      body,
    });
  };
  const readiness = async () => {
    const response = await fetch(`${server.origin}/readyz`);
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const metrics = async () => await (await fetch(`${server.origin}/metrics`)).text();

  it('is not noticed by those whose keys are known, until they may have been revoked', async () => {
    const begun = Date.now();
    const answered: string[] = [];
    const first = await post();
    assert.equal(first.status, 200);
    assert.deepEqual(first.body.seenBefore, { status: 'not_seen' });
    answered.push(first.body.requestId);
    // The key with a quota is used up here, and remembered as such.
    const limited = planted['an x-api-key for one request a day'].secret;
    answered.push((await post(undefined, limited)).body.requestId);
    answered.push((await post(undefined, limited)).body.requestId);
    assert.deepEqual(await readiness(), { status: 200, body: { status: 'ready', profile: 'standard' } });

    await postgres.stop();

    const picture = await plainPng(300, 90);
    for (let i = 0; i < 10; i++) {
      const start = performance.now();
      const reply = await post(i < 2 ? picture : undefined);
      assert.equal(reply.status, 200, reply.text);
      assert.ok(performance.now() - start < 5_000, 'nobody waits for it');
      // What this server has in its own hands it still knows.
      assert.equal(reply.body.seenBefore.status, i === 1 ? 'seen' : 'unknown');
      answered.push(reply.body.requestId);
    }
    const overQuota = await post(undefined, limited);
    assert.equal(overQuota.status, 429);
    answered.push(overQuota.body.requestId);
    const unknown = await post(undefined, 'never-seen-before-0123');
    assert.equal(unknown.status, 503);
    assert.equal(unknown.body.code, 'storage_unavailable');

    const { status, body } = await readiness();
    assert.equal(status, 200);
    assert.equal(body.status, 'ready');
    assert.match(
      body.problem ?? '',
      /^The database does not answer\. Keys known here are good until 20\d\d-/,
    );
    assert.match(await metrics(), /^bonafide_database_up 0$/m);
    assert.match(await metrics(), /^bonafide_journal_bytes [1-9]\d+$/m);

    for (let current = 200; current !== 503; current = (await readiness()).status) await sleep(200);
    assert.deepEqual(await readiness(), {
      status: 503,
      body: {
        status: 'no_database',
        profile: 'standard',
        problem: 'The database does not answer. Keys cannot be checked.',
      },
    });
    const late = await post();
    assert.equal(late.status, 503);
    assert.equal(late.body.code, 'storage_unavailable');

    await postgres.start();
    for (let text = ''; !text.includes('bonafide_journal_bytes 0\n'); text = await metrics()) await sleep(50);
    const rows = await storage.db
      .selectFrom('transactions')
      .select('id')
      .where('time', '>=', begun)
      .execute();
    assert.deepEqual(rows.map(({ id }) => id).sort(), answered.sort());
    for (let current = 503; current !== 200; current = (await readiness()).status) await sleep(50);
    const again = await post(picture);
    assert.equal(again.body.seenBefore.status, 'seen');
    assert.match(await metrics(), /^bonafide_database_up 1$/m);
    assert.equal((await readiness()).body.problem, undefined);
  });
});

/** A line to a server that can be cut while something is on its way. */
async function wireTo(port: number) {
  const sockets = new Set<Socket>();
  const asked = Promise.withResolvers<void>();
  let asks = 0;
  const wire = createServer((near) => {
    const far = connectTo(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    }
    near.on('data', (bytes) => {
      if (bytes.includes('pg_sleep') && ++asks === 2) asked.resolve();
    });
    near.pipe(far).pipe(near);
  });
  await once(wire.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (wire.address() as AddressInfo).port,
    /** When two have asked Postgres to wait. */
    asked: asked.promise,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: () => wire.close(),
  };
}

describe('a connection to the database that breaks', { skip: noPostgres }, () => {
  it('fails the query that was under way on it, and nothing else', { timeout: 30_000 }, async (t) => {
    const postgres = await startPostgres();
    t.after(() => postgres.destroy());
    const url = new URL(await postgres.createDatabase());
    const wire = await wireTo(Number(url.port));
    t.after(() => wire.close());
    url.port = `${wire.port}`;
    const storage = await openStorage({ folder: '', url: `${url}`, create: true });
    t.after(() => storage.close());
    const databases = [storage.db, storage.counters.db];
    const waiting = Promise.allSettled(databases.map((db) => sql`select pg_sleep(60)`.execute(db)));
    await wire.asked;
    wire.cut();
    for (const { status } of await waiting) assert.equal(status, 'rejected');
    for (const db of databases) assert.equal((await sql`select 1`.execute(db)).rows.length, 1);
  });
});
