/** Requests that are sent one behind another, and whose answers nobody takes: they cost no more than the first of them. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { type FuzzedServer, fuzzedServer } from '../helpers/fuzz/server.ts';
import { keyed, routes } from '../helpers/http.ts';
import { noProc } from '../helpers/processes.ts';
import { open } from '../helpers/raw.ts';
import { consoleFolder } from '../helpers/server.ts';

const connections = 8;
const assets = readdirSync(join(consoleFolder, 'assets'));
const largest = assets.find((name) => name.endsWith('.wasm')) ?? assert.fail('the console is not built');

describe('a thousand requests on each of eight connections, of which no answer is taken', {
  skip: noProc,
}, () => {
  let server: FuzzedServer;
  before(async () => {
    server = await fuzzedServer();
  });
  after(() => server.stop());

  async function assertAnswered(): Promise<void> {
    const { native } = routes;
    const headers = keyed(native, { 'content-type': 'image/jpeg' });
    const response = await fetch(server.origin + native.path, {
      method: 'POST',
      headers,
      body: portraitBytes,
      signal: AbortSignal.timeout(20_000),
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
  }

  for (const [name, path] of [
    ['a document', '/openapi.json'],
    ['a page', '/'],
    ['a large file', `/assets/${largest}`],
    ['a refusal', '/v1/assess'],
  ] as const) {
    it(name, { timeout: 60_000 }, async () => {
      await assertAnswered();
      server.forgetPeak();
      const { megabytes, openFiles } = server.measure();
      const sockets: Socket[] = [];
      for (let i = 0; i < connections; i++) {
        const socket = await open(server);
        socket.pause();
        socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(1_000));
        sockets.push(socket);
      }
      for (let i = 0; i < 3; i++) {
        await assertAnswered();
        await sleep(200);
      }
      const { peakMegabytes, openFiles: then } = server.measure();
      for (const socket of sockets) socket.destroy();
      // One for each connection.
      assert.ok(then - openFiles <= connections, `${openFiles} files, then ${then}`);
      // What is left to the garbage collector of eight thousand refusals is 50 to 110 MB.
      assert.ok(peakMegabytes - megabytes < 200, `${megabytes} MB, then ${peakMegabytes} MB`);
      await server.assertNothingLeft();
    });
  }
});
