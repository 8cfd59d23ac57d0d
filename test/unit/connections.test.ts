/** Connections: how many there may be, and what becomes of clients that are slow in any part of a request. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { type ConnectionLimits, createHttpServer } from '../../src/server/connections.ts';

const defaults: ConnectionLimits = {
  connections: 1_000,
  perAddress: 1_000,
  headTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  minBytesPerSecond: 0,
  answerTimeoutMs: 60_000,
  keepAliveMs: 60_000,
};
const ask = 'GET / HTTP/1.1\r\n\r\n';
const servers: Server[] = [];

interface Started {
  readonly metric: (line: string) => Promise<boolean>;
  /** @param localAddress of the client, one of 127.0.0.0/8. */
  readonly open: (localAddress?: string) => Promise<Socket>;
  /** The server's end of a connection. */
  readonly peerOf: (client: Socket) => Socket;
  /** How many were parsed so far. */
  readonly requests: () => number;
}

async function start(
  limits: Partial<ConnectionLimits>,
  handler: RequestListener = (request, response) => request.resume().on('end', () => response.end('ok')),
  trustedProxies: readonly string[] = [],
): Promise<Started> {
  const registry = new Registry();
  const server = createHttpServer(handler, { ...defaults, ...limits }, trustedProxies, registry);
  servers.push(server);
  // As src/server/client-errors.ts, but for the words.
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    socket.end(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'HTTP/1.1 408 Request Timeout\r\n\r\n' : '');
  });
  let requests = 0;
  server.on('request', () => requests++);
  const peers = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => peers.set(socket.remotePort, socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    metric: async (line) => (await registry.metrics()).split('\n').includes(line),
    async open(localAddress = '127.0.0.1') {
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
    requests: () => requests,
    peerOf: (client) => peers.get(client.localPort) ?? assert.fail('The server does not know it.'),
  };
}

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** All that comes until the server closes the connection, and after how many milliseconds it does. */
async function hear(socket: Socket): Promise<{ text: string; ms: number }> {
  const start = performance.now();
  const text = (await socket.toArray()).join('');
  return { text, ms: performance.now() - start };
}

/** The first thing that comes, after which the connection stays as it is. */
async function answerTo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
  return String(bytes);
}

const isClosedUnread = async (socket: Socket): Promise<boolean> => {
  socket.write(ask);
  return (await hear(socket)).text === '';
};

const config = new URL('../../src/config.ts', import.meta.url).href;
const noLimit = process.platform === 'win32' && 'NOT CHECKED: there is no ulimit';

describe('connections: how many', () => {
  it('are by default no more than half of the files that may be open', { skip: noLimit }, () => {
    const program = `import { settings } from '${config}'; process.stdout.write(String(settings.maxConnections.default));`;
    const shell = [
      '-c',
      'ulimit -n 600 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      program,
    ];
    assert.equal(execFileSync('sh', shell).toString(), '300');
  });

  it('closes one too many of an address, and takes another when one has gone', async () => {
    const { open, metric } = await start({ perAddress: 3 });
    const held = [await open(), await open(), await open()];
    for (const socket of held) assert.match(await answerTo(socket, ask), /^HTTP\/1\.1 200 /);
    assert.ok(await isClosedUnread(await open()));
    assert.ok(await metric('bonafide_connections_refused_total{reason="address"} 1'));
    assert.ok(await metric('bonafide_connections 3'));
    assert.match(await answerTo(await open('127.0.0.2'), ask), /^HTTP\/1\.1 200 /, 'another address');
    const [first] = held as [Socket];
    first.destroy();
    while (!(await metric('bonafide_connections 3'))) await sleep(5);
    assert.match(await answerTo(await open(), ask), /^HTTP\/1\.1 200 /);
  });

  it('closes one too many of all, whoever it is', async () => {
    const { open, metric } = await start({ connections: 2 }, undefined, ['127.0.0.1']);
    const held = [await open('127.0.0.2'), await open('127.0.0.3')];
    for (const socket of held) assert.match(await answerTo(socket, ask), /^HTTP\/1\.1 200 /);
    assert.ok(await isClosedUnread(await open()));
    assert.ok(await metric('bonafide_connections_refused_total{reason="all"} 1'));
  });

  for (const proxies of [
    ['127.0.0.9'],
    ['10.0.0.0/8', '127.0.0.8/29', 'fd00::/8'],
    ['::1', '127.0.0.9/32'],
  ]) {
    it(`does not count those of proxies by address: ${proxies.join(', ')}`, async () => {
      const { open } = await start({ perAddress: 1 }, undefined, proxies);
      for (let i = 0; i < 3; i += 1) {
        assert.match(await answerTo(await open('127.0.0.9'), ask), /^HTTP\/1\.1 200 /);
      }
      await answerTo(await open('127.0.0.1'), ask);
      assert.ok(await isClosedUnread(await open('127.0.0.1')));
    });
  }
});

describe('connections: how long', { concurrency: true }, () => {
  it('a client that says nothing', async () => {
    const { open } = await start({ headTimeoutMs: 1_000 });
    const { text, ms } = await hear(await open());
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.ok(ms >= 900 && ms < 6_000, `${ms} ms`);
  });

  it('a head that comes byte by byte', async () => {
    const { open } = await start({ headTimeoutMs: 1_000 });
    const socket = await open();
    const drip = setInterval(() => socket.write('a'), 50);
    socket.write('GET / HTTP/1.1\r\nx: ');
    const { text, ms } = await hear(socket);
    clearInterval(drip);
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.ok(ms >= 900 && ms < 6_000, `${ms} ms`);
  });

  it('the head of a later request, from its first byte', async () => {
    const { open } = await start({ headTimeoutMs: 1_000 });
    const socket = await open();
    await answerTo(socket, ask);
    await sleep(2_500);
    assert.match(await answerTo(socket, ask), /^HTTP\/1\.1 200 /, 'idle is not late');
    socket.write('GET');
    assert.match((await hear(socket)).text, /^HTTP\/1\.1 408 /);
  });

  it('a request as a whole, a shorter one than its head may take', async () => {
    const { open } = await start({ requestTimeoutMs: 1_000 });
    const socket = await open();
    socket.write('POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n');
    const { text, ms } = await hear(socket);
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.ok(ms < 6_000, `${ms} ms`);
  });

  it('a connection without a request', async () => {
    const { open } = await start({ keepAliveMs: 1_000 });
    const socket = await open();
    assert.match(await answerTo(socket, ask), /^keep-alive: timeout=1$/im);
    const { text, ms } = await hear(socket);
    assert.equal(text, '');
    assert.ok(ms >= 900 && ms < 6_000, `${ms} ms`);
  });

  it('a connection on which nothing comes but empty lines, and takes a request behind some', {
    timeout: 20_000,
  }, async () => {
    const { open } = await start({ keepAliveMs: 1_000 });
    const socket = await open();
    await answerTo(socket, ask);
    assert.match(await answerTo(socket, `\r\n\n${ask}`), /^HTTP\/1\.1 200 /);
    socket.write('\r\n');
    await sleep(100);
    assert.match(await answerTo(socket, ask), /^HTTP\/1\.1 200 /);
    // All but the end of a second request in one piece with the first.
    assert.match(await answerTo(socket, ask + ask.slice(0, -2)), /^HTTP\/1\.1 200 /);
    assert.match(await answerTo(socket, ask.slice(-2)), /^HTTP\/1\.1 200 /);
    const drip = setInterval(() => socket.write('\r\n'), 100);
    const begun = performance.now();
    // By a reset, where a line crosses the end.
    await new Promise((resolve) => socket.resume().once('close', resolve));
    clearInterval(drip);
    const ms = performance.now() - begun;
    assert.ok(ms >= 900 && ms < 6_000, `${ms} ms`);
  });

  const body = (length: number) => `POST / HTTP/1.1\r\ncontent-length: ${length}\r\n\r\n`;
  for (const [name, head, piece] of [
    ['a body of which nothing comes', body(1e6), ''],
    ['a body that drips', body(1e6), 'a'.repeat(100)],
    ['chunks that drip', 'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\na\r\n'],
    ['a body that nobody reads any more', body(1e6), 'a'.repeat(100)],
  ] as const) {
    it(name, async () => {
      const handler: RequestListener | undefined = name.includes('nobody')
        ? (_, response) => response.end('refused')
        : undefined;
      const { open } = await start({ minBytesPerSecond: 4_000 }, handler);
      const socket = await open();
      socket.write(head);
      const drip = setInterval(() => socket.write(piece), 100);
      const { text, ms } = await hear(socket);
      clearInterval(drip);
      assert.match(text, handler === undefined ? /^HTTP\/1\.1 408 / : /^HTTP\/1\.1 200 .*refused.*408/s);
      assert.ok(ms >= 9_900 && ms < 16_000, `${ms} ms`);
    });
  }

  it('but not a body that comes at its pace, nor one that stops for a while', async () => {
    const { open } = await start({ minBytesPerSecond: 4_000 });
    const steady = await open();
    const pausing = await open();
    for (const socket of [steady, pausing]) socket.write(body(60_000));
    pausing.write('a'.repeat(30_000));
    for (let sent = 0; sent < 60_000; sent += 4_000) {
      steady.write('a'.repeat(4_000));
      await sleep(900);
    }
    assert.match(await answerTo(pausing, 'a'.repeat(30_000)), /^HTTP\/1\.1 200 /);
    await once(steady, 'readable');
    assert.match(String(steady.read()), /^HTTP\/1\.1 200 /);
  });

  for (const [name, head, piece] of [
    ['an answer of which nothing is taken', ask, ''],
    ['an answer of which nothing is taken by a client that sends', body(1e6), 'a'.repeat(100)],
  ] as const) {
    it(name, async () => {
      const { open, peerOf } = await start({ answerTimeoutMs: 2_000 }, (_, response) =>
        response.end(Buffer.alloc(50_000_000)),
      );
      const socket = await open();
      socket.pause();
      socket.write(head);
      const drip = setInterval(() => socket.write(piece), 100);
      const start_ = performance.now();
      try {
        await once(peerOf(socket), 'close', { signal: AbortSignal.timeout(10_000) });
      } finally {
        clearInterval(drip);
        socket.destroy();
      }
      const ms = performance.now() - start_;
      assert.ok(ms >= 1_900 && ms < 3_500, `${ms} ms`);
    });
  }

  it('but not one that is taken slowly, nor one that the server takes its time for', async () => {
    const bytes = 20_000_000;
    const { open } = await start({ answerTimeoutMs: 1_000 }, (_, response) => {
      setTimeout(() => response.end(Buffer.alloc(bytes)), 3_000);
    });
    const socket = await open();
    socket.write('GET / HTTP/1.1\r\nconnection: close\r\n\r\n');
    let heard = 0;
    for await (const chunk of socket) {
      heard += chunk.length;
      await sleep(10);
    }
    assert.ok(heard > bytes, `${heard} bytes`);
  });

  it('nor one that is taken with rests, each shorter than that', async () => {
    const bytes = 60_000_000;
    const { open } = await start({ answerTimeoutMs: 2_000 }, (_, response) =>
      response.end(Buffer.alloc(bytes)),
    );
    const socket = await open();
    socket.write('GET / HTTP/1.1\r\nconnection: close\r\n\r\n');
    let heard = 0;
    let rests = 0;
    for await (const chunk of socket) {
      heard += chunk.length;
      if (heard < (rests + 1) * 12_000_000) continue;
      rests += 1;
      await sleep(1_200);
    }
    assert.ok(heard > bytes && rests === 5, `${heard} bytes, ${rests} rests`);
  });
});

describe('connections: what comes behind a request that is not answered yet', () => {
  const silent: RequestListener = () => {};

  it('is not parsed, but for what came in one piece of 4,096 bytes with it', async () => {
    const { open, requests, peerOf } = await start({}, silent);
    const socket = await open();
    socket.write(ask.repeat(3_600));
    while (peerOf(socket).bytesRead < 4_096) await sleep(5);
    await sleep(100);
    assert.ok(requests() <= 4_096 / ask.length + 1, `${requests()} requests`);
  });

  for (const [name, behind] of [
    ['an empty line', '\r\n'],
    ['a part of another', 'GET /'],
  ] as const) {
    it(`does not hide that its client breaks off: ${name}`, { timeout: 20_000 }, async () => {
      const { open, peerOf } = await start({}, silent);
      const socket = await open();
      socket.write(ask);
      await sleep(50);
      socket.write(behind);
      const peer = peerOf(socket);
      while (peer.bytesRead < ask.length + behind.length) await sleep(5);
      socket.resetAndDestroy();
      await once(peer, 'close').catch(() => {});
      assert.ok(peer.destroyed);
    });
  }

  it('does not hide that its client ends the connection, where it is an empty line', {
    timeout: 20_000,
  }, async () => {
    const { open, peerOf } = await start({}, silent);
    const socket = await open();
    socket.write(ask);
    await sleep(50);
    socket.end('\r\n');
    await once(peerOf(socket), 'close');
  });
});
