/** The console's files as they are held in memory: what that saves, and what becomes of those that change under a running server. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import { serveConsole } from '../../src/server/console.ts';

it('hundreds of clients that take nothing of a large file share it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bonafide-console-'));
  for (const name of ['index.html', 'large.wasm']) writeFileSync(join(folder, name), Buffer.alloc(5_000_000));
  const app = fastify();
  await serveConsole(app, folder);
  await app.ready();
  const count = 300;
  let answered = 0;
  const ask = (path: string) => {
    const client = new Duplex({
      read() {},
      // Never done: nothing of it is taken, by an operating system either.
      write: () => {
        answered += 1;
      },
    });
    app.server.emit('connection', client);
    client.push(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
    return client;
  };
  const clients = [ask('/'), ask('/large.wasm')];
  while (answered < clients.length) await sleep(5);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < count; i++) clients.push(ask(i % 2 === 0 ? '/' : '/large.wasm'));
  while (answered < clients.length) await sleep(5);
  // By which what would be read ahead is there.
  await sleep(200);
  const each = (process.memoryUsage().arrayBuffers - before) / count;
  assert.ok(each < 10_000, `${each} bytes each`);
  for (const client of clients) client.destroy();
  await app.close();
  rmSync(folder, { recursive: true });
});

it('a file that was exchanged, one that was put back, and one that was removed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bonafide-console-'));
  const page = join(folder, 'index.html');
  const write = (text: string, seconds: number) => {
    writeFileSync(page, text);
    utimesSync(page, seconds, seconds);
  };
  write('one', 1_000);
  const app = fastify();
  await serveConsole(app, folder);
  const ask = async (etag = '') => {
    const response = await app.inject({ url: '/', headers: { 'if-none-match': etag } });
    return { status: response.statusCode, body: response.body, etag: String(response.headers.etag) };
  };
  const one = await ask();
  assert.deepEqual({ status: one.status, body: one.body }, { status: 200, body: 'one' });
  write('two', 2_000);
  const two = await ask(one.etag);
  assert.deepEqual({ status: two.status, body: two.body }, { status: 200, body: 'two' });
  assert.equal((await ask(two.etag)).status, 304);
  write('one', 1_000);
  assert.equal((await ask(two.etag)).body, 'one');
  rmSync(page);
  assert.equal((await ask()).status, 404);
  await app.close();
  rmSync(folder, { recursive: true });
});
