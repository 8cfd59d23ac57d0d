/** Clients that hang up at any point: nothing of theirs stays under way, each is counted, and the log keeps no secret. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Ask, connect, form, json, keyed, type Route, routes, startUpload } from '../helpers/http.ts';
import { readPhotos, tileFaces } from '../helpers/pictures.ts';
import { credential, keepLog, type LogKeeper, startServer, type TestServer } from '../helpers/server.ts';

const { nhn, argos, native } = routes;
const photos = await readPhotos();
const base64 = photos.body.toString('base64');
const images = createServer();
let log: LogKeeper;
let server: TestServer;
let ask: Ask;

before(async () => {
  await once(images.listen(0, '127.0.0.1'), 'listening');
  log = keepLog();
  server = await startServer({ log, urlAllowedHosts: [imageHost()], urlTimeoutMs: 20_000 });
  ask = await connect(server);
});
after(async () => {
  images.closeAllConnections();
  images.close();
  await server.close();
});

function imageHost(): string {
  return `127.0.0.1:${(images.address() as AddressInfo).port}`;
}

/** Resolves when one more request of this dialect has ended without an answer. */
async function oneMoreAborted(dialect: Route['dialect']): Promise<void> {
  const seen = log.lines.length;
  let line = 0;
  await log.until((entry) => {
    line += 1;
    return line > seen && entry.msg === 'request' && entry.dialect === dialect && entry.outcome === 'aborted';
  });
}

async function abortedCount(): Promise<number> {
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  const counts = metrics.matchAll(/^bonafide_requests_total\{dialect="\w+",outcome="aborted"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function assertFree(): Promise<void> {
  assert.equal(server.gate.underWay, 0);
  assert.equal(server.engine.queueDepth, 0);
  const { headers, body } = nhn.asking(photos.face);
  const reply = await ask(nhn.path, { headers: keyed(nhn, headers), body });
  assert.equal(reply.body.header.resultCode, 0, 'the next request is answered');
}

/** Tells when the next photograph reaches the engine, which works as ever. */
function reachesEngine(t: TestContext): () => Promise<void> {
  let next = Promise.withResolvers<void>();
  const { assess } = server.engine;
  t.mock.method(server.engine, 'assess', (...args: Parameters<typeof assess>) => {
    const outcome = assess(...args);
    next.resolve();
    return outcome;
  });
  return async () => {
    await next.promise;
    next = Promise.withResolvers();
  };
}

describe('disconnect: in the middle of the body', () => {
  const formHead = '--x\r\ncontent-disposition: form-data; name=imageFile; filename=a\r\n\r\n';
  const bodies: [route: Route, type: string, begin: string | Buffer][] = [
    [nhn, 'application/json', `{"image":{"bytes":"${base64.slice(0, 9_000)}`],
    [nhn, 'multipart/form-data; boundary=x', formHead],
    [nhn, 'multipart/form-data; boundary=x', '--x\r\ncontent-dispo'],
    [argos, 'application/json', `{"faceImage":"${base64.slice(0, 9_000)}`],
    [native, 'image/jpeg', photos.body.subarray(0, 9_000)],
    [native, 'multipart/form-data; boundary=x', formHead.replace('imageFile', 'image')],
  ];
  for (const [route, type, begin] of bodies) {
    it(`${route.name}, ${type}, after ${begin.length} bytes`, async () => {
      const before = await abortedCount();
      const upload = startUpload(server, route.path, keyed(route, { 'content-type': type }));
      await upload.begun;
      assert.equal(server.gate.underWay, 1);
      const aborted = oneMoreAborted(route.dialect);
      // Flushed, so that the server is reading when the client goes.
      await new Promise<void>((resolve) => upload.request.write(begin, () => resolve()));
      upload.request.destroy();
      await aborted;
      await assertFree();
      assert.equal(await abortedCount(), before + 1);
    });
  }
});

describe('disconnect: while the photograph is assessed', () => {
  for (const route of [nhn, argos, native]) {
    it(route.name, async (t) => {
      const before = await abortedCount();
      const reached = reachesEngine(t);
      const { headers, body } = route.asking(photos.body);
      const upload = startUpload(server, route.path, keyed(route, headers), { expect: false });
      upload.request.end(body);
      await reached();
      const aborted = oneMoreAborted(route.dialect);
      upload.request.destroy();
      await aborted;
      await assertFree();
      assert.equal(await abortedCount(), before + 1);
    });
  }

  it('and while it waits for a worker, with no harm to the one before it', async (t) => {
    const reached = reachesEngine(t);
    const begin = (image: Buffer) => {
      const { headers, body } = nhn.asking(image);
      const upload = startUpload(server, nhn.path, keyed(nhn, headers), { expect: false });
      upload.request.end(body);
      return upload;
    };
    // Twenty faces keep the only worker busy for long enough.
    const stays = begin(await tileFaces(photos.face, 7, 4, 160));
    await reached();
    const leaves = begin(photos.body);
    await reached();
    assert.equal(server.engine.queueDepth, 1);
    const aborted = oneMoreAborted('nhn');
    leaves.request.destroy();
    await aborted;
    assert.equal(server.engine.queueDepth, 0);
    const { body: answer } = await stays.answered;
    assert.equal(answer.data.faceDetailCount, 20);
    t.mock.restoreAll();
    await assertFree();
  });
});

describe('disconnect: while the image is downloaded', () => {
  it('ends the download too', async () => {
    const before = await abortedCount();
    const { headers, body } = json({
      image: { url: `http://${imageHost()}/photo.jpg?signature=very-secret` },
    });
    const requested = once(images, 'request');
    const upload = startUpload(server, nhn.path, keyed(nhn, headers), { expect: false });
    upload.request.end(body);
    const [download, response] = (await requested) as [IncomingMessage, ServerResponse];
    assert.match(download.url ?? '', /very-secret/);
    const downloadEnded = once(response, 'close');
    const aborted = oneMoreAborted('nhn');
    upload.request.destroy();
    await Promise.all([aborted, downloadEnded]);
    await assertFree();
    assert.equal(await abortedCount(), before + 1);
  });
});

describe('the log', () => {
  it('of all this, and of every way to be refused, holds no key, no image and no query string', async () => {
    const type = { 'content-type': 'application/json' };
    const file = new Uint8Array(photos.face);
    // What a client may send in the wrong place, or malformed, with the secrets in it.
    await ask(`${nhn.path}%zz?signature=very-secret`, { headers: keyed(nhn) });
    await ask(`${nhn.path}/${base64.slice(0, 200)}?signature=very-secret`, { headers: keyed(nhn) });
    await ask(nhn.path, { ...form(['imageFile', file], ['imageFile', file]), headers: keyed(nhn) });
    await ask(nhn.path, { body: 'x', headers: keyed(nhn, { 'content-type': 'multipart/form-data' }) });
    await ask(nhn.path, { ...json({ [base64]: 1 }), headers: keyed(nhn, type) });
    await ask(nhn.path, { ...json({ image: { bytes: `data:,${base64}` } }), headers: keyed(nhn, type) });
    await ask(nhn.path, { body: `{"image":"${base64}`, headers: keyed(nhn, type) });
    const url = `http://127.0.0.1/photo.jpg?signature=very-secret`;
    await ask(nhn.path, { ...json({ image: { url } }), headers: keyed(nhn, type) });
    await ask(native.path, { ...json({ image: { url } }), headers: keyed(native, type) });
    await ask(native.path, { headers: { ...type, 'x-api-key': `${credential.apiKey}x` }, body: '{}' });
    await ask(`/no/such/path?signature=very-secret`, { headers: keyed(native) });
    for (const head of [
      `POST ${nhn.path} HTTP/1.1\r\nhost: a\r\nauthorization: ${credential.secretKey}\r\ncontent-length: x\r\n\r\n`,
      `POST ${native.path} HTTP/1.1\r\nx-api-key: ${credential.apiKey}\r\nhost: ${'a'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = connectTcp(Number(new URL(server.origin).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.end(head);
      socket.resume();
      await once(socket, 'close');
    }

    const written = log.lines.join('');
    assert.ok(log.lines.length > 40);
    const asBytes = (text: string) => [...Buffer.from(text)].join(',');
    for (const secret of [credential.appKey, credential.secretKey, credential.apiKey, 'very-secret']) {
      assert.ok(!written.includes(secret), `${secret} is in the log`);
      assert.ok(!written.includes(asBytes(secret)), `${secret} is in the log, byte by byte`);
    }
    for (let i = 0; i < base64.length - 60; i += 60) {
      assert.ok(!written.includes(base64.slice(i, i + 60)), 'a part of an image is in the log');
    }
    // A client that goes away, or sends what it should not, is no fault of the server's.
    const faults = log.lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
    assert.deepEqual(faults, []);
  });
});
