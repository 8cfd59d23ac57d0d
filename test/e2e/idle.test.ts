/** Ten thousand connections on which nothing happens: others are answered meanwhile, and nothing of them is left. */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ask, connect, keyed, routes } from '../helpers/http.ts';
import { measureLoop } from '../helpers/loop.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { connectionsOf, untilConnections } from '../helpers/raw.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import type { Idle } from './idle-client.ts';

const count = 10_000;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  const connections = { connections: count + 100, headTimeoutMs: 300_000, requestTimeoutMs: 300_000 };
  server = await startServer({ connections: { ...connections, minBytesPerSecond: 0 } });
  ask = await connect(server);
});
after(() => server.close());

/** File descriptors that this process may have; Node raises them to what the system allows. */
function descriptors(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? 0);
}

const skip =
  process.platform !== 'linux' || descriptors() < count + 500
    ? `NOT CHECKED: needs Linux and ${count + 500} open files.`
    : false;

describe('idle connections', { skip }, () => {
  for (const [name, text] of [
    ['that never ask', ''],
    [
      'that never finish a body without a key',
      `POST ${routes.native.path} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n`,
    ],
  ] as const) {
    it(`${count} ${name} hold up nobody, and are gone with their client`, async (t) => {
      const { headers, body } = routes.native.asking(photos.face);
      const request = { headers: keyed(routes.native, headers), body };
      await ask(routes.native.path, request);
      // Those of `ask`.
      const others = await connectionsOf(server);
      const rssBefore = process.memoryUsage.rss();
      const client = fork(fileURLToPath(new URL('idle-client.ts', import.meta.url)));
      const { port } = new URL(server.origin);
      const connected = once(client, 'message');
      client.send({ port: Number(port), count, text } satisfies Idle);
      await connected;
      while ((await connectionsOf(server)) < count) await new Promise((resolve) => setTimeout(resolve, 20));
      const rss = process.memoryUsage.rss() - rssBefore;

      const stopMeasuring = measureLoop();
      const start = performance.now();
      const reply = await ask(routes.native.path, request);
      const ms = performance.now() - start;
      // A few rounds of looking after who is late.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const busy = stopMeasuring();
      t.diagnostic(
        `${(rss / 1e6).toFixed(0)} MB, ${(rss / count / 1000).toFixed(1)} kB each; event loop p99 ${busy.toFixed(1)} ms; a photograph meanwhile ${ms.toFixed(0)} ms`,
      );
      assert.equal(reply.status, 200);
      assert.equal(server.gate.underWay, 0);
      assert.ok(busy < 50, `the event loop works for ${busy} ms at once`);
      assert.ok(rss < count * 30_000, `${rss} bytes`);

      const exited = once(client, 'exit');
      client.kill('SIGKILL');
      await exited;
      await untilConnections(server, others);
    });
  }
});
