/** `Expect: 100-continue`: a body is asked for where it will be read, and no connection is left in doubt of whether one comes. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Keys } from '../../src/storage/keys.ts';
import { keyed, type Route, routes, sendAllThenRead } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { connectionsOf, hear, open, untilConnections } from '../helpers/raw.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
let server: TestServer;

before(async () => {
  server = await startServer();
});
after(() => server.close());

interface Head {
  readonly path: string;
  readonly headers: Record<string, string>;
}

const type = 'application/json';
const expecting = { host: 'localhost', expect: '100-continue' };

/** A head that announces a body, for which its client waits. */
function headOf({ path, headers }: Head): string {
  const lines = Object.entries({ ...expecting, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const announced = (headers: Record<string, string>, length = 1_000) => ({
  'content-type': type,
  'content-length': `${length}`,
  ...headers,
});

/** What a dialect says, as it goes over the wire. */
interface Words {
  readonly forbidden: RegExp;
  readonly limited: RegExp;
  readonly tooLarge: RegExp;
  readonly otherType: RegExp;
  readonly unavailable: RegExp;
}
const words: Record<Route['dialect'], Words> = {
  nhn: {
    forbidden: /^HTTP\/1\.1 200 .*"resultCode":-41005/s,
    limited: /^HTTP\/1\.1 429 .*"resultCode":-40070/s,
    tooLarge: /^HTTP\/1\.1 200 .*"resultCode":-45020/s,
    otherType: /^HTTP\/1\.1 200 .*"resultCode":-40000/s,
    unavailable: /^HTTP\/1\.1 503 .*"resultCode":-50000/s,
  },
  argos: {
    forbidden: /^HTTP\/1\.1 403 .*\{"message":"Forbidden"\}/s,
    limited: /^HTTP\/1\.1 429 .*"errorCode":1001/s,
    tooLarge: /^HTTP\/1\.1 \d+ .*"errorCode":1017/s,
    otherType: /^HTTP\/1\.1 400 .*"errorCode":1016/s,
    unavailable: /^HTTP\/1\.1 503 .*"errorCode":1001/s,
  },
  native: {
    forbidden: /^HTTP\/1\.1 401 .*"code":"unauthorized"/s,
    limited: /^HTTP\/1\.1 429 .*"code":"quota_exceeded"/s,
    tooLarge: /^HTTP\/1\.1 413 .*"code":"too_many_bytes"/s,
    otherType: /^HTTP\/1\.1 415 .*"code":"unsupported_media_type"/s,
    unavailable: /^HTTP\/1\.1 503 .*"code":"service_draining"/s,
  },
};

/** The ways in which a body may come. */
const types: Record<Route['dialect'], readonly string[]> = {
  nhn: ['application/json', 'multipart/form-data; boundary=x'],
  argos: ['application/json'],
  native: ['application/json', 'multipart/form-data; boundary=x', 'image/jpeg'],
};

async function assertRefused(head: Head, refusal: RegExp, by = server): Promise<void> {
  const socket = await open(by);
  socket.write(headOf(head));
  const { text, statuses, isClosed } = await hear(socket);
  assert.match(text, refusal);
  assert.equal(statuses.length, 1, text);
  assert.match(text, /\r\nconnection: close\r\n/i);
  assert.ok(isClosed);
}

/** Resolves with what comes until it ends so; the socket stays. */
async function heardUntil(socket: Socket, end: RegExp): Promise<string> {
  let text = '';
  while (!end.test(text)) text += (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) }))[0];
  return text;
}

for (const route of Object.values(routes)) {
  const { path, dialect } = route;
  const { forbidden, limited, tooLarge, otherType, unavailable } = words[dialect];

  describe(`a client that waits with its body: ${route.name}`, () => {
    it('is refused without a key, and with a wrong one', async () => {
      await assertRefused({ path, headers: announced({}) }, forbidden);
      await assertRefused({ path, headers: announced({ [route.keyHeader]: 'wrong' }) }, forbidden);
      const chunked = { 'content-type': type, 'transfer-encoding': 'chunked' };
      await assertRefused({ path, headers: chunked }, forbidden);
    });

    it('is refused over a limit of its key', async () => {
      const keys = new Keys(server.storage.db);
      const app = await keys.createApp(`limited at ${route.name}`);
      const kind = dialect === 'nhn' ? 'secret' : 'api';
      const limits = { perDay: 1 };
      const { secret } = await keys.createKey({ app: app.id, name: 'key', createdBy: 'test', kind, limits });
      const own = path.replace(/appkeys\/[^/]+/, `appkeys/${app.appKey}`);
      const headers = { [route.keyHeader]: secret, 'content-type': type };
      await fetch(server.origin + own, { method: 'POST', headers, body: '{}' });
      await assertRefused({ path: own, headers: announced(headers) }, limited);
    });

    it('is refused with more than there may be, in each way', async () => {
      for (const type of types[dialect]) {
        const headers = announced(keyed(route, { 'content-type': type }), 30_000_000);
        await assertRefused({ path, headers }, tooLarge);
      }
    });

    it('is refused with a media type that there is not', async () => {
      const headers = announced(keyed(route, { 'content-type': 'text/plain' }));
      await assertRefused({ path, headers }, otherType);
    });

    it('is refused by a server that shuts down', async () => {
      const draining = await startServer();
      try {
        await draining.gate.drain();
        await assertRefused({ path, headers: announced(keyed(route)) }, unavailable, draining);
      } finally {
        await draining.close();
      }
    });

    it('is told to send one that will be read, and answered; its connection is kept', async () => {
      const { headers, body } = route.asking(photos.face);
      const socket = await open(server);
      socket.write(headOf({ path, headers: announced(keyed(route, headers), body.length) }));
      assert.equal(await heardUntil(socket, /\r\n\r\n$/), 'HTTP/1.1 100 Continue\r\n\r\n');
      socket.write(body);
      assert.match(
        await heardUntil(socket, /\r\n\r\n\{.*\}$/s),
        /^HTTP\/1\.1 200 .*("confidence"|"liveness_score"|"faces"):/s,
      );
      socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
      const { text } = await hear(socket, 1);
      assert.match(text, /\{"status":"ok"\}$/);
    });

    it('hears why it was refused where it sends it all the same, before it reads', async () => {
      const body = new Uint8Array(30_000_000);
      const headers = { expect: '100-continue', 'content-type': type };
      const wrong = { path, headers, body };
      assert.match(await sendAllThenRead(server, wrong.path, wrong), forbidden);
      const large = { headers: keyed(route, headers), body };
      assert.match(await sendAllThenRead(server, path, large), tooLarge);
    });
  });
}

it('a form that is told to come is read', async () => {
  const socket = await open(server);
  const part = 'Content-Disposition: form-data; name="image"; filename="x.jpg"';
  const body = Buffer.concat([
    Buffer.from(`--x\r\n${part}\r\n\r\n`),
    photos.face,
    Buffer.from('\r\n--x--\r\n'),
  ]);
  const { native } = routes;
  const headers = keyed(native, { 'content-type': 'multipart/form-data; boundary=x' });
  socket.write(headOf({ path: native.path, headers: announced(headers, body.length) }));
  assert.equal(await heardUntil(socket, /\r\n\r\n$/), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(body);
  assert.match((await hear(socket, 1)).text, /^HTTP\/1\.1 200 /);
});

it('where there is nothing, and in the admin API, nobody is asked for a body either', async () => {
  await assertRefused({ path: '/v1/nothing', headers: announced({}) }, /^HTTP\/1\.1 404 /);
  await assertRefused({ path: '/nothing', headers: announced({}) }, /^HTTP\/1\.1 404 /);
  await assertRefused({ path: '/admin/v1/apps', headers: announced({}) }, /^HTTP\/1\.1 401 /);
});

it('what is sent behind a body that nobody asked for is no request', async () => {
  const socket = await open(server);
  const head = headOf({ path: routes.native.path, headers: announced({}, 5) });
  socket.write(`${head}12345GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`);
  const { statuses, isClosed } = await hear(socket);
  assert.deepEqual(statuses, [401]);
  assert.ok(isClosed);
});

it('who neither sends a body that nobody asked for nor goes is not kept for ever', async () => {
  const hasty = await startServer({ connections: { headTimeoutMs: 1_000, requestTimeoutMs: 1_000 } });
  const socket = connect({
    port: Number(new URL(hasty.origin).port),
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  try {
    const head = headOf({ path: routes.native.path, headers: announced({}) });
    socket.on('error', () => {}).write(head);
    assert.match(await heardUntil(socket, /\}$/), words.native.forbidden);
    assert.equal(await connectionsOf(hasty), 1);
    await untilConnections(hasty, 0);
  } finally {
    socket.destroy();
    await hasty.close();
  }
});
