/** The log of transactions: each answer to a right key is one row, and says what the client was told. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { loadRegistry } from '../../src/models/registry.ts';
import { Keys } from '../../src/storage/keys.ts';
import { type Transaction, Transactions } from '../../src/storage/transactions.ts';
import {
  type Ask,
  assertReply,
  connect,
  form,
  json,
  keyed,
  type Reply,
  type Route,
  routes,
} from '../helpers/http.ts';
import { credential } from '../helpers/keys.ts';
import { landscape, plainPng, readPhotos } from '../helpers/pictures.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { standardWeights } from '../helpers/weights.ts';

const { nhn, argos, native } = routes;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1'] });
  ask = await connect(server);
});
after(() => server.close());

const post = async (route: Route, image: Uint8Array, more: Record<string, string> = {}) => {
  const { headers, body } = route.asking(image);
  return await ask(route.path, { headers: keyed(route, { ...headers, ...more }), body });
};

const idOf = (reply: Reply) => reply.headers.get('x-request-id') ?? '';

/** The row of an answer, once it is in the database. */
async function rowOf(reply: Reply): Promise<Transaction> {
  for (const bound = AbortSignal.timeout(10_000); !bound.aborted; await sleep(20)) {
    const row = await new Transactions(server.storage.db).find(idOf(reply));
    if (row !== undefined) return row;
  }
  return assert.fail(`${reply.text} is not in the log`);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a transaction', () => {
  it('tells of an assessed picture all but the picture', async () => {
    const begun = Date.now();
    const reply = await post(native, photos.body, {
      'x-bonafide-tag': 'session:42',
      'x-forwarded-for': '198.51.100.7',
    });
    const { timings, totalMs, time, ...row } = await rowOf(reply);
    const [face] = reply.body.faces;
    const { models } = (await loadRegistry(await standardWeights())).profile('standard');
    assert.deepEqual(row, {
      id: reply.body.requestId,
      app: 'app_contract',
      key: `key_${credential.apiKey}`,
      dialect: 'native',
      mode: 'balanced',
      outcome: face.verdicts.balanced,
      status: 200,
      faces: 1,
      pLive: [Math.round(face.pLive * 1e6) / 1e6],
      verdicts: [face.verdicts],
      profile: 'standard',
      models: models.map(({ id, sha256: weights }) => ({ id, sha256: weights })),
      calibrationSha256: null,
      imageSha256: sha256(photos.body),
      imageBytes: photos.body.length,
      imageFormat: 'jpeg',
      width: 1200,
      height: 1200,
      client: '198.51.100.0/24',
      tag: 'session:42',
      seenBefore: null,
    });
    assert.deepEqual(timings, reply.body.timings);
    assert.ok(time >= begun && time <= Date.now());
    assert.ok(totalMs > 0 && totalMs < Date.now() - begun + 1);
  });

  it('has the id that each dialect answers with, and the mode that was asked for', async () => {
    const byNhn = await ask(nhn.path, {
      ...json({ image: { bytes: photos.face.toString('base64') }, spoofingCondition: 'strict' }),
      headers: keyed(nhn, json({}).headers),
    });
    const { dialect, mode, key } = await rowOf(byNhn);
    assert.deepEqual(
      { dialect, mode, key },
      { dialect: 'nhn', mode: 'strict', key: `key_${credential.secretKey}` },
    );
    const byArgos = await post(argos, photos.face);
    assert.equal(byArgos.body.transactionId, idOf(byArgos));
    assert.equal((await rowOf(byArgos)).dialect, 'argos');
  });

  const file = new Uint8Array(photos.face);
  const refused: [name: string, outcome: string, status: number, send: () => Promise<Reply>][] = [
    ['a picture without a face', 'no_face', 400, async () => await post(argos, await landscape(640, 480))],
    [
      'malformed JSON',
      'invalid_request',
      400,
      () => ask(native.path, { body: '{', headers: keyed(native, json({}).headers) }),
    ],
    [
      'a wrong media type',
      'unsupported_media_type',
      200,
      () => ask(nhn.path, { body: 'x', headers: keyed(nhn, { 'content-type': 'text/csv' }) }),
    ],
    [
      'a form with two files',
      'invalid_request',
      200,
      () => ask(nhn.path, { ...form(['imageFile', file], ['imageFile', file]), headers: keyed(nhn) }),
    ],
    ['text instead of a picture', 'unsupported_format', 415, () => post(native, Buffer.from('text'))],
    [
      'a URL that leads inside',
      'url_blocked',
      400,
      () =>
        ask(native.path, {
          ...json({ image: { url: 'http://10.0.0.1/?signature=confidential' } }),
          headers: keyed(native, json({}).headers),
        }),
    ],
  ];
  for (const [name, outcome, status, send] of refused) {
    it(`is written of ${name} too: ${outcome}`, async () => {
      const reply = await send();
      assert.equal(reply.status, status);
      const row = await rowOf(reply);
      assert.deepEqual({ outcome: row.outcome, status: row.status }, { outcome, status });
      assert.ok(!JSON.stringify(row).includes('confidential'));
    });
  }

  it('has the picture of a refusal, where there was one', async () => {
    const { imageSha256, imageBytes, faces, imageFormat } = await rowOf(
      await post(native, Buffer.from('no picture')),
    );
    assert.deepEqual(
      { imageSha256, imageBytes, faces, imageFormat },
      { imageSha256: sha256(Buffer.from('no picture')), imageBytes: 10, faces: null, imageFormat: null },
    );
  });

  it('has the SHA-256 of all of a large one', async () => {
    const large = Buffer.alloc(15_000_000, 'no picture');
    assert.equal((await rowOf(await post(native, large))).imageSha256, sha256(large));
  });

  it('is written of a client that hung up, too', async () => {
    const before = await count('aborted');
    const controller = new AbortController();
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode('{"image":')),
    });
    const headers = keyed(native, json({}).headers);
    const hung = fetch(server.origin + native.path, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
      signal: controller.signal,
    });
    while (server.gate.underWay === 0) await sleep(5);
    controller.abort();
    await assert.rejects(hung);
    const bound = AbortSignal.timeout(10_000);
    while ((await count('aborted')) === before) {
      bound.throwIfAborted();
      await sleep(20);
    }
  });

  it('is not written for nobody', async () => {
    const wrong = await ask(native.path, { ...native.asking(photos.face) });
    const unknown = await ask('/v1/else', { headers: keyed(native) });
    await rowOf(await post(native, photos.face));
    const { db } = server.storage;
    for (const reply of [wrong, unknown]) {
      assert.equal(await new Transactions(db).find(idOf(reply)), undefined);
    }
  });

  it('is counted as a metric of its app and key', async () => {
    const reply = await post(nhn, await plainPng(79, 79));
    assert.equal(reply.body.header.resultCode, -45030);
    const text = await (await fetch(`${server.origin}/metrics`)).text();
    const labels = `app="app_contract",key="key_${credential.secretKey}",dialect="nhn",outcome="image_too_small"`;
    assert.match(text, new RegExp(`^bonafide_transactions_total\\{${labels}\\} 1$`, 'm'));
  });
});

async function count(outcome: string): Promise<number> {
  const rows = await server.storage.db
    .selectFrom('transactions')
    .select('id')
    .where('outcome', '=', outcome)
    .execute();
  return rows.length;
}

describe('a tag', () => {
  const good = ['a', 'order/2026-11-22@shop+1=x', 'A'.repeat(128)];
  const bad = ['', 'a b', 'ä', 'a,b', 'A'.repeat(129), '<script>', 'a\tb'];

  for (const route of [nhn, argos, native]) {
    it(`${route.name}: is kept as it is, or refused`, async () => {
      const rows = async (tags: string[]) => {
        const replies: Reply[] = [];
        for (const tag of tags) replies.push(await post(route, photos.face, { 'x-bonafide-tag': tag }));
        return await Promise.all(replies.map(rowOf));
      };
      assert.deepEqual(
        (await rows(good)).map(({ tag }) => tag),
        good,
      );
      for (const { outcome, tag } of await rows(bad)) {
        assert.deepEqual({ outcome, tag }, { outcome: 'invalid_request', tag: null });
      }
    });
  }

  it('of a request refused for its body is kept', async () => {
    const reply = await ask(native.path, {
      body: '{',
      headers: keyed(native, { ...json({}).headers, 'x-bonafide-tag': 'kept' }),
    });
    assert.equal((await rowOf(reply)).tag, 'kept');
  });
});

describe('the same picture again', () => {
  const nativeWith = async (key: string, image: Buffer) =>
    (await post({ ...native, key }, image)).body.seenBefore as Record<string, string>;

  it('is told with the last request and the times, and logged for every dialect', async () => {
    const picture = await landscape(320, 241);
    const first = await post(nhn, await plainPng(200, 201));
    const original = await post(argos, picture);
    const row = await rowOf(original);
    const iso = (time: number) => new Date(time).toISOString();
    const second = await post(native, picture);
    assert.deepEqual(second.body.seenBefore, {
      status: 'seen',
      requestId: row.id,
      firstAt: iso(row.time),
      lastAt: iso(row.time),
    });
    const secondRow = await rowOf(second);
    assert.equal(secondRow.seenBefore, row.id);
    const third = await post(native, picture);
    assert.deepEqual(third.body.seenBefore, {
      status: 'seen',
      requestId: second.body.requestId,
      firstAt: iso(row.time),
      lastAt: iso(secondRow.time),
    });
    const byNhn = await rowOf(await post(nhn, await plainPng(200, 201)));
    assert.equal(byNhn.seenBefore, idOf(first));
  });

  it('is seen of two that come at once', async () => {
    const picture = await landscape(320, 242);
    const replies = await Promise.all([post(native, picture), post(native, picture)]);
    const statuses = replies.map(({ body }) => body.seenBefore.status).sort();
    assert.deepEqual(statuses, ['not_seen', 'seen']);
  });

  it('is not told to another app', async () => {
    const picture = await landscape(320, 243);
    await rowOf(await post(native, picture));
    const keys = new Keys(server.storage.db);
    const { id: app } = await keys.createApp('neighbour');
    const { secret } = await keys.createKey({ app, kind: 'api', name: 'key', createdBy: 'test' });
    assert.equal((await nativeWith(secret, picture)).status, 'not_seen');
    assert.equal((await nativeWith(native.key, picture)).status, 'seen');
  });

  it('is another one when a single byte is', async () => {
    const picture = await landscape(320, 244);
    await post(native, picture);
    assert.equal(
      (await nativeWith(native.key, Buffer.concat([picture, Buffer.from([0])]))).status,
      'not_seen',
    );
  });

  it('is forgotten with its transaction', async () => {
    const picture = await landscape(320, 245);
    const { id } = await rowOf(await post(native, picture));
    await new Transactions(server.storage.db).delete(id);
    assert.equal((await nativeWith(native.key, picture)).status, 'not_seen');
  });
});

describe('an answer below the router', () => {
  it('has its own id and outcome in the log', async () => {
    const socket = connectTcp(Number(new URL(server.origin).port), '127.0.0.1');
    const head = Object.entries(
      keyed(native, { ...json({}).headers, host: 'a', 'transfer-encoding': 'chunked' }),
    );
    socket.write(`POST ${native.path} HTTP/1.1\r\n${head.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
    // Once the key was looked at: a head and a broken body at once are refused together.
    while (server.gate.underWay === 0) await sleep(10);
    socket.write('xyz\r\n');
    const text = (await socket.toArray()).join('');
    const [, id = ''] = /^x-request-id: (\w+)\r$/m.exec(text) ?? [];
    const { status, outcome } = await rowOf({
      status: 0,
      body: {},
      text,
      headers: new Headers({ 'x-request-id': id }),
    });
    assert.deepEqual([status, outcome], [400, 'malformed_http']);
  });
});

describe('what cannot be kept', () => {
  it('is not answered when the disk fails at the last moment: 503 in the envelope of each dialect', async () => {
    const journal = join(server.dataFolder, 'journal');
    const { length } = (await rowOf(await post(native, photos.face))).id;
    assert.equal(length, 13);
    const names = (await readdir(journal, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const [own] = names.map(({ name }) => join(journal, name)) as [string];
    // Nothing can be written where the folder was.
    await rename(own, `${own}.away`);
    await writeFile(own, '');
    try {
      for (const route of Object.values(routes)) {
        for (const image of [photos.face, Buffer.from('no picture')]) {
          const reply = await post(route, image);
          assertReply(reply, route.unavailable);
          assert.equal(reply.headers.get('retry-after'), '1');
          assert.equal(reply.headers.get('content-length'), String(Buffer.byteLength(reply.text)));
        }
      }
      const ready = await fetch(`${server.origin}/readyz`);
      assert.equal(ready.status, 503);
      assert.equal(((await ready.json()) as { status: string }).status, 'log_failing');
    } finally {
      await rm(own);
      await rename(`${own}.away`, own);
    }
    // Nobody need ask for it to be ready again: a balancer would not.
    while ((await fetch(`${server.origin}/readyz`)).status !== 200) await sleep(50);
    await rowOf(await post(native, photos.face));
  });

  it('stays in the journal while the database refuses it, which keeps no new key out', async () => {
    const { db } = server.storage;
    await sql`create trigger refuse before insert on transactions begin select raise(abort, 'no'); end`.execute(
      db,
    );
    const readyz = async () => {
      const response = await fetch(`${server.origin}/readyz`);
      assert.equal(response.status, 200);
      return ((await response.json()) as { problem?: string }).problem;
    };
    let reply: Reply;
    try {
      reply = await post(native, photos.face);
      assert.equal(reply.status, 200);
      while ((await readyz()) === undefined) await sleep(50);
      assert.match((await readyz()) as string, /^The database does not take the transactions/);
      assert.match(await (await fetch(`${server.origin}/metrics`)).text(), /^bonafide_database_up 1$/m);
      const { id } = await new Keys(db).createApp('made while it refuses');
      const key = { app: id, kind: 'api', name: 'new', createdBy: 'test' } as const;
      const { secret } = await new Keys(db).createKey(key);
      const { headers, body } = native.asking(photos.face);
      const { status } = await ask(native.path, { headers: { ...headers, 'x-api-key': secret }, body });
      assert.equal(status, 200);
    } finally {
      await sql`drop trigger refuse`.execute(db);
    }
    await rowOf(reply);
    while ((await readyz()) !== undefined) await sleep(50);
  });

  it('is not answered: 503 in the envelope of each dialect, before the picture is looked at', async (t) => {
    const small = await startServer({ journalBytes: 1 });
    t.after(() => small.close());
    const askSmall = await connect(small);
    const assess = t.mock.method(small.engine, 'assess');
    const insert = t.mock.method(Transactions.prototype, 'insert', () => Promise.reject(new Error('away')));
    const { headers, body } = native.asking(photos.face);
    // The first finds the journal empty.
    await askSmall(native.path, { headers: keyed(native, headers), body });
    assess.mock.resetCalls();
    for (const route of Object.values(routes)) {
      const asking = route.asking(photos.face);
      const reply = await askSmall(route.path, { headers: keyed(route, asking.headers), body: asking.body });
      assertReply(reply, route.unavailable);
      assert.equal(reply.headers.get('retry-after'), '1');
    }
    assert.equal(assess.mock.callCount(), 0);
    const ready = await fetch(`${small.origin}/readyz`);
    assert.equal(ready.status, 503);
    assert.equal(((await ready.json()) as { status: string }).status, 'log_full');
    insert.mock.restore();
    while ((await fetch(`${small.origin}/readyz`)).status !== 200) await sleep(50);
    assert.equal((await askSmall(native.path, { headers: keyed(native, headers), body })).status, 200);
  });
});
