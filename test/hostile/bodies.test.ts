/**
 * Bodies of full size that cost a parser far more than their bytes, through each dialect and the admin API: refused for about the work of a plain one, in bounded
 * memory, and with nothing of them held longer than it is needed.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { bombs } from '../helpers/fuzz/bombs.ts';
import { type FuzzedServer, fuzzedServer } from '../helpers/fuzz/server.ts';
import { keyed, type Route, routes } from '../helpers/http.ts';
import { credential } from '../helpers/keys.ts';
import { padJpeg } from '../helpers/pictures.ts';
import { noProc } from '../helpers/processes.ts';
import { startServer } from '../helpers/server.ts';

const json = { 'content-type': 'application/json' };

/** Bytes of the largest body that a route takes: an image in base64, and 16 KiB. */
const largest = (route: Route) => Math.ceil((route === routes.nhn ? 3_000_000 : 20_000_000) / 3) * 4 + 16_000;

/** How each says that a body is no request. */
const refused: Readonly<Record<Route['dialect'], (status: number, text: string) => void>> = {
  nhn: (status, text) => assert.match(`${status} ${text}`, /^200 .*-40000/),
  argos: (status, text) => assert.match(`${status} ${text}`, /^400 .*1016/),
  native: (status, text) => assert.match(`${status} ${text}`, /^400 .*"invalid_request"/),
};

describe('a body that is far more work than its bytes', () => {
  let server: FuzzedServer;
  before(async () => {
    server = await fuzzedServer();
  });
  after(() => server.stop());

  async function post(
    path: string,
    headers: Record<string, string>,
    body: Buffer<ArrayBuffer>,
  ): Promise<{ status: number; text: string; cpuMs: number }> {
    const start = server.measure().cpuMs;
    const response = await fetch(server.origin + path, { method: 'POST', headers, body });
    const text = await response.text();
    // What the server itself took: the machine may be busy otherwise.
    return { status: response.status, text, cpuMs: server.measure().cpuMs - start };
  }

  for (const route of [routes.nhn, routes.argos, routes.native]) {
    it(`is refused for about the work of a plain one by ${route.name}`, async (t) => {
      const headers = keyed(route, json);
      const size = largest(route);
      // A text of no use: all that is done with a picture, but for its assessment.
      const plain = Buffer.from(route.asking(Buffer.alloc(((size - 17_000) / 4) * 3)).body);
      const reference: number[] = [];
      for (let i = 0; i < 3; i++) reference.push((await post(route.path, headers, plain)).cpuMs);
      const mostMs = 2 * Math.max(...reference) + 200;
      server.forgetPeak();
      const { megabytes } = server.measure();
      for (const [name, make] of Object.entries(bombs)) {
        const { status, text, cpuMs } = await post(route.path, headers, make(size));
        t.diagnostic(`${name}: ${cpuMs} ms of a core`);
        refused[route.dialect](status, text);
        assert.ok(cpuMs < mostMs, `${name}: ${cpuMs} ms of a core, a plain one ${reference}`);
      }
      const { peakMegabytes } = server.measure();
      assert.ok(peakMegabytes - megabytes < 400, `${megabytes} MB, then ${peakMegabytes} MB`);
    });
  }

  for (const route of [routes.nhn, routes.native]) {
    it(`is refused for about the work of a plain one by ${route.name}: forms`, async (t) => {
      const size = largest(route);
      const field = route === routes.nhn ? 'imageFile' : 'image';
      const form = (boundary: string) =>
        keyed(route, { 'content-type': `multipart/form-data; boundary=${boundary}` });
      const named = `--b\r\ncontent-disposition: form-data; name="${field}"; filename="a"\r\n\r\n`;
      const whole = Buffer.from(`${named}${'a'.repeat(size - 17_000 - named.length)}\r\n--b--\r\n`);
      const reference: number[] = [];
      for (let i = 0; i < 3; i++) reference.push((await post(route.path, form('b'), whole)).cpuMs);
      const mostMs = 2 * Math.max(...reference) + 200;
      server.forgetPeak();
      const { megabytes } = server.measure();
      const repeated = (text: string) => Buffer.from(text.repeat(Math.floor(size / text.length)));
      for (const [name, boundary, body] of [
        ['boundaries', 'b', repeated('\r\n--b')],
        ['boundaries of nothing', '""', repeated('\r\n--')],
        ['parts without a name', 'b', repeated('\r\n--b\r\n\r\nx')],
        ['files', 'b', repeated(`${named}x\r\n`)],
        ['almost boundaries', 'bbbbbbbbbbbbbbbb', repeated('\r\n--bbbbbbbbbbbbbbb')],
      ] as const) {
        const { status, text, cpuMs } = await post(route.path, form(boundary), body);
        t.diagnostic(`${name}: ${cpuMs} ms of a core, a plain one ${reference}`);
        refused[route.dialect](status, text);
        assert.ok(cpuMs < mostMs, `${name}: ${cpuMs} ms of a core, a plain one ${reference}`);
      }
      const { peakMegabytes } = server.measure();
      assert.ok(peakMegabytes - megabytes < 400, `${megabytes} MB, then ${peakMegabytes} MB`);
    });
  }

  it('is refused also beside a right picture', async () => {
    const { argos } = routes;
    const picture = `{"faceImage":"${portraitBytes.toString('base64')}","x":`;
    const bomb = Buffer.from(`${picture}[${'{},'.repeat(8_800_000)}{}]}`);
    const { status, text } = await post(argos.path, keyed(argos, json), bomb);
    refused.argos(status, text);
    const few = Buffer.from(`${picture}[${'{},'.repeat(40)}{}]}`);
    assert.equal((await post(argos.path, keyed(argos, json), few)).status, 200);
  });

  it('is refused by the admin API', async () => {
    const headers = { authorization: `Bearer ${credential.adminToken}`, ...json };
    for (const [name, make] of Object.entries(bombs)) {
      const { status, text } = await post('/admin/v1/apps', headers, make(1_000_000));
      assert.match(`${name} ${status} ${text}`, /400 .*"invalid_request"/);
    }
  });

  it('does not end the server when ten come at once', { skip: noProc }, async () => {
    const { native } = routes;
    const body = (bombs['empty objects'] as (size: number) => Buffer<ArrayBuffer>)(largest(native));
    server.forgetPeak();
    const { megabytes } = server.measure();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post(native.path, keyed(native, json), body)),
    );
    for (const { status, text } of answers) refused.native(status, text);
    const { peakMegabytes } = server.measure();
    assert.ok(peakMegabytes - megabytes < 600, `${megabytes} MB, then ${peakMegabytes} MB`);
  });

  /** Sends a body to the native API in chunks of so many bytes, as long as it is taken. */
  async function sendInChunks({
    type,
    start,
    chunkBytes,
    count,
  }: {
    type: string;
    start: string;
    chunkBytes: number;
    count: number;
  }): Promise<{ answer: string; sent: number }> {
    const { native } = routes;
    const head = keyed(native, { host: 'x', 'content-type': type, 'transfer-encoding': 'chunked' });
    const lines = Object.entries(head).map(([field, value]) => `${field}: ${value}\r\n`);
    const socket = connectTcp(Number(new URL(server.origin).port), '127.0.0.1');
    socket.on('error', () => {});
    const chunk = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n`;
    socket.write(`POST ${native.path} HTTP/1.1\r\n${lines.join('')}\r\n${chunk(start)}`, 'latin1');
    const atOnce = 10_000;
    const chunks = Buffer.from(chunk('A'.repeat(chunkBytes)).repeat(atOnce));
    let answer = '';
    const answered = once(socket, 'data').then(([bytes]: Buffer[]) => {
      answer = String(bytes);
    });
    let sent = 0;
    while (sent < count && answer === '') {
      const isTaken = socket.write(chunks);
      sent += atOnce;
      if (!isTaken) await Promise.race([once(socket, 'drain'), answered]);
    }
    socket.write('0\r\n\r\n');
    await answered;
    socket.destroy();
    return { answer, sent };
  }

  for (const [name, type, start] of [
    ['JSON', 'application/json', '{"image":{"bytes":"'],
    ['a picture', 'image/jpeg', '\xff\xd8\xff'],
    [
      'a form',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n',
    ],
  ] as const) {
    it(`is refused in chunks of a byte: ${name}`, { timeout: 60_000 }, async () => {
      const count = 15_000_000;
      const { answer, sent } = await sendInChunks({ type, start, chunkBytes: 1, count });
      assert.match(answer, /^HTTP\/1\.1 400 .*"malformed_http"/s);
      assert.ok(sent < count / 5, `${sent} bytes were sent`);
    });
  }

  it('takes no more memory than its bytes in chunks that are small', {
    skip: noProc,
    timeout: 60_000,
  }, async () => {
    server.forgetPeak();
    const { megabytes } = server.measure();
    const body = { type: 'image/jpeg', start: 'GIF', chunkBytes: 66, count: 300_000 };
    const answers = await Promise.all(Array.from({ length: 4 }, () => sendInChunks(body)));
    for (const { answer } of answers) assert.match(answer, /^HTTP\/1\.1 415 /);
    const { peakMegabytes } = server.measure();
    assert.ok(peakMegabytes - megabytes < 200, `${megabytes} MB, then ${peakMegabytes} MB`);
  });
});

describe('while a picture waits for its assessment', () => {
  it('the text that it came in is not held', { timeout: 60_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed / 1e6;
    };
    // None is to be turned away.
    const server = await startServer({ engine: { queue: 1_000 } });
    const [worker] = server.engine.workers;
    const picture = padJpeg(portraitBytes, 15_000_000);
    const bodies = [routes.argos, routes.native].map((route) => ({
      route,
      body: Buffer.from(route.asking(picture).body),
    }));
    worker?.kill('SIGSTOP');
    const before = heap();
    const answers = [...bodies, ...bodies].map(({ route, body }) =>
      fetch(server.origin + route.path, { method: 'POST', headers: keyed(route, json), body }),
    );
    // All but the one that the worker has.
    while (server.engine.queueDepth < 3) await sleep(20);
    const held = heap() - before;
    worker?.kill('SIGCONT');
    for (const answer of answers) assert.equal((await answer).status, 200);
    await server.close();
    assert.ok(held < 20, `${held} MB of text for four pictures`);
  });
});
