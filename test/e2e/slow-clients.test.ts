/** Clients that are slow, or go away at any point of an upload: each has its refusal, and nothing of theirs stays. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Ask, connect, keyed, type Route, routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { connectionsOf, hear, open, untilConnections } from '../helpers/raw.ts';
import { keepLog, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
const log = keepLog();
let server: TestServer;
let ask: Ask;
/** Connections of `ask`. */
let own: number;

before(async () => {
  server = await startServer({ log, connections: { headTimeoutMs: 1_000, requestTimeoutMs: 2_000 } });
  ask = await connect(server);
});
after(() => server.close());

/** A whole request, as it goes over the wire. */
function requestOf(route: Route, image: Uint8Array = photos.face): Buffer {
  const { headers, body } = route.asking(image);
  const all = keyed(route, { ...headers, host: 'a', 'content-length': String(body.length) });
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`POST ${route.path} HTTP/1.1\r\n${head.join('')}\r\n`),
    Buffer.from(body),
  ]);
}

/** Everybody is gone, and the next one is answered. */
async function assertFree(): Promise<void> {
  await untilConnections(server, own);
  assert.equal(server.gate.underWay, 0);
  assert.equal(server.engine.queueDepth, 0);
  const { headers, body } = routes.native.asking(photos.face);
  const reply = await ask(routes.native.path, { headers: keyed(routes.native, headers), body });
  assert.equal(reply.status, 200);
}

async function outcomes(): Promise<number> {
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  const counts = metrics.matchAll(
    /^bonafide_requests_total\{dialect="\w+",outcome="request_timeout"\} (\d+)$/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

const refusals: Record<Route['dialect'], RegExp> = {
  nhn: /^HTTP\/1\.1 200 .*"resultCode":-40000/s,
  argos: /^HTTP\/1\.1 400 .*"errorCode":1016/s,
  native: /^HTTP\/1\.1 408 .*"code":"request_timeout"/s,
};

describe('slow clients', () => {
  before(async () => {
    await outcomes();
    own = await connectionsOf(server);
  });

  for (const route of Object.values(routes)) {
    it(`${route.name}: a right key holds a place only until its time is over, and is told so`, async () => {
      const before = await outcomes();
      const socket = await open(server);
      const whole = requestOf(route);
      socket.write(whole.subarray(0, whole.length - 1));
      while (server.gate.underWay === 0) await sleep(5);
      const { text, statuses, isClosed } = await hear(socket);
      assert.match(text, refusals[route.dialect]);
      assert.equal(statuses.length, 1);
      assert.ok(isClosed);
      await assertFree();
      assert.equal(await outcomes(), before + 1);
    });
  }

  it('many at once leave room again', async () => {
    const whole = requestOf(routes.native);
    const sockets = await Promise.all(Array.from({ length: 17 }, () => open(server)));
    for (const socket of sockets) socket.write(whole.subarray(0, 2_000));
    while (server.gate.underWay < 17) await sleep(5);
    const { headers, body } = routes.native.asking(photos.face);
    const full = await ask(routes.native.path, { headers: keyed(routes.native, headers), body });
    assert.equal(full.body.code, 'service_full');
    for (const heard of await Promise.all(sockets.map((socket) => hear(socket)))) {
      assert.deepEqual(heard.statuses, [408]);
    }
    await assertFree();
  });
});

describe('clients that close their half of the connection', () => {
  it('after a whole request are taken for gone', async () => {
    const socket = await open(server);
    socket.end(requestOf(routes.native));
    const { statuses, isClosed } = await hear(socket);
    assert.deepEqual(statuses, []);
    assert.ok(isClosed);
    await assertFree();
  });

  it('after their answer, within a request or before one, leave nothing', async () => {
    const whole = requestOf(routes.native);
    const answered = await open(server);
    answered.write(whole);
    await hear(answered, 1);
    for (const end of [0, 1, 30, whole.length - 1]) {
      const socket = await open(server);
      socket.end(whole.subarray(0, end));
      assert.ok((await hear(socket)).isClosed);
    }
    await assertFree();
  });
});

describe('uploads that are abandoned', () => {
  it('at 300 random points, in every way there is, leave nothing and are nobody’s fault', async (t) => {
    const seed = Date.now() & 0x7fff_ffff;
    t.diagnostic(`seed ${seed}`);
    const random = xoroshiro128plus(seed);
    const wholes = Object.values(routes).map((route) => requestOf(route, photos.body));
    const lines = log.lines.length;
    const staying: Promise<unknown>[] = [];
    const one = async () => {
      const whole = wholes[uniformInt(random, 0, wholes.length - 1)] as Buffer;
      const end = uniformInt(random, 0, whole.length);
      const way = uniformInt(random, 0, 3);
      const socket = await open(server);
      socket.resume();
      // In two pieces, so that the server has begun to read.
      socket.write(whole.subarray(0, Math.floor(end / 2)));
      await sleep(uniformInt(random, 0, 20));
      await new Promise<void>((resolve) =>
        socket.write(whole.subarray(Math.floor(end / 2), end), () => resolve()),
      );
      if (way === 0) socket.destroy();
      else if (way === 1) socket.resetAndDestroy();
      else if (way === 2) socket.end();
      // Else it stays, and says no more.
      else staying.push(hear(socket, 1));
    };
    for (let i = 0; i < 300; i += 30) await Promise.all(Array.from({ length: 30 }, one));
    await Promise.all(staying);
    await assertFree();
    const faults = log.lines.slice(lines).filter((line) => JSON.parse(line).level >= 40);
    assert.deepEqual(faults, []);
  });
});
