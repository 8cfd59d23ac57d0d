/** What a request leaves of its body for the garbage collector: nothing. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fill, keyed, routes } from '../helpers/http.ts';
import { open } from '../helpers/raw.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

/** Not the beginning of any picture, and so refused by the worker, after all of the way there. */
const image = Buffer.alloc(2_000_000, 'n');
const form = (name: string) => ({
  type: 'multipart/form-data; boundary=b',
  body: Buffer.concat([
    Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"; filename="a"\r\n\r\n`),
    image,
    Buffer.from('\r\n--b--\r\n'),
  ]),
});
const json = (value: object) => ({ type: 'application/json', body: Buffer.from(JSON.stringify(value)) });
const base64 = image.toString('base64');

describe('the memory of a body', () => {
  const wrongKey = { ...routes.native, key: 'wrong' };
  const withLength = (body: Buffer) => ({ 'content-length': `${body.length}` });
  const inChunks = () => ({ 'transfer-encoding': 'chunked' });
  for (const [name, route, { type, body }, framing] of [
    ['an image as body', routes.native, { type: 'image/jpeg', body: image }, withLength],
    ['an image in chunks', routes.native, { type: 'image/jpeg', body: image }, inChunks],
    ['an image that is refused by its head', wrongKey, { type: 'image/jpeg', body: image }, withLength],
    ['a form', routes.nhn, form('imageFile'), withLength],
    ['base64 in JSON', routes.argos, json({ faceImage: base64 }), withLength],
  ] as const) {
    it(`is given back after the answer: ${name}`, { timeout: 60_000 }, async () => {
      const headers = keyed(route, { 'content-type': type, ...framing(body) });
      assertLeft(await askAgain(route.path, headers, body));
    });
  }

  it('is given back when there is no room', { timeout: 60_000 }, async () => {
    const held = await fill(server, 17);
    const headers = keyed(routes.native, { 'content-type': 'image/jpeg', ...withLength(image) });
    const after = await askAgain(routes.native.path, headers, image);
    await held.release();
    assertLeft(after);
  });

  for (const [name, route, type, begun] of [
    ['an image as body', routes.native, 'image/jpeg', image.subarray(0, 5_000)],
    ['a form', routes.nhn, form('imageFile').type, form('imageFile').body.subarray(0, 5_000)],
  ] as const) {
    it(`is given back when the upload breaks off: ${name}`, { timeout: 60_000 }, async () => {
      const { key, keyHeader, path } = route;
      const head = `POST ${path} HTTP/1.1\r\nhost: a\r\n${keyHeader}: ${key}\r\ncontent-type: ${type}\r\ncontent-length: ${image.length}\r\n\r\n`;
      const until = async (underWay: number) => {
        while (server.gate.underWay !== underWay) await turn();
      };
      const after: number[] = [];
      for (let i = 0; i < 20; i++) {
        const accepting = once(server.app.server, 'connection') as Promise<[Socket]>;
        const socket = await open(server);
        const [accepted] = await accepting;
        socket.write(head);
        await until(1);
        socket.write(begun);
        while (accepted.bytesRead < head.length + begun.length) await turn();
        socket.destroy();
        await until(0);
        await turn();
        after.push(process.memoryUsage().arrayBuffers);
      }
      assertLeft(after);
    });
  }
});

/** @returns bytes outside of the heap after each of some requests. */
async function askAgain(path: string, headers: Record<string, string>, body: Buffer): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const after: number[] = [];
  for (let i = 0; i < 40; i++) {
    const asking = httpRequest(server.origin + path, { method: 'POST', agent, headers });
    asking.end(body);
    const [answer] = await once(asking, 'response');
    await once(answer.resume(), 'end');
    after.push(process.memoryUsage().arrayBuffers);
  }
  agent.destroy();
  return after;
}

/** Of what there was after each request: in most steps no garbage is collected. Some objects of a request itself are outside of the heap too. */
function assertLeft(after: readonly number[]): void {
  const steps = after.slice(1).map((bytes, i) => bytes - (after[i] as number));
  const left = steps.sort((a, b) => a - b)[steps.length >> 1] as number;
  assert.ok(left < 4_000, `${left} bytes of a request are left`);
}
