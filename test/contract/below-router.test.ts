/** What Node itself would refuse: answered in the envelope of the path's dialect, and the connection closed. */

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { argosError, assertShape, keyed, literal, nhnError, routes, type Shape } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { keepLog, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
const log = keepLog();
let server: TestServer;

before(async () => {
  server = await startServer({ log });
});
after(() => server.close());

/**
 * Sends this text, and more once an answer came, and reads until the server closes the connection.
 * @returns the last answer, taken apart, and how many there were.
 */
async function send(
  text: string,
  more?: string,
): Promise<{ status: number; head: string; body: unknown; answers: number }> {
  const socket = connectTcp(Number(new URL(server.origin).port), '127.0.0.1');
  socket.setTimeout(10_000, () => socket.destroy(new Error('The connection is not closed.')));
  socket.write(text);
  if (more !== undefined) socket.once('readable', () => socket.write(more));
  const answer = (await socket.toArray()).join('');
  const answers = answer.split(/(?=HTTP\/1\.1 )/);
  const [head = '', body = ''] = answers.at(-1)?.split('\r\n\r\n') ?? [];
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(body), answers: answers.length };
}

const problem = (status: number, code: string): Shape => ({
  type: literal(`urn:bonafide:problem:${code}`),
  title: 'string',
  status: literal(status),
  detail: /^The .*\.$/,
  code: literal(code),
  requestId: /^[0-9a-z]{13}$/,
});

const envelopes = {
  nhn: () => ({ status: 200, shape: nhnError(-40000, 'InvalidParam') }),
  argos: () => ({ status: 400, shape: argosError(1016, 'faceImage is required') }),
  native: (status: number, code: string) => ({ status, shape: problem(status, code) }),
};

describe('below the router', () => {
  const key = 'secret-that-is-not-to-be-logged';
  const broken: [name: string, status: number, code: string, text: (path: string) => string][] = [
    [
      'an unknown method',
      400,
      'malformed_http',
      (path) => `FOO ${path} HTTP/1.1\r\nx-api-key: ${key}\r\n\r\n`,
    ],
    [
      'a Content-Length that is no number',
      400,
      'malformed_http',
      (path) => `POST ${path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${key}\r\ncontent-length: x\r\n\r\n`,
    ],
    [
      'a fragment behind the first part of its path',
      400,
      'malformed_http',
      (path) => `BREW /${path.split('/')[1]}#x HTTP/1.1\r\nhost: a\r\n\r\n`,
    ],
    [
      'headers of 20 kB',
      431,
      'headers_too_large',
      (path) => `POST ${path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${key}${'k'.repeat(20_000)}\r\n\r\n`,
    ],
    [
      'a chunk without a length',
      400,
      'malformed_http',
      (path) =>
        `POST ${path} HTTP/1.1\r\nhost: a\r\n${Object.entries(
          keyed(Object.values(routes).find((route) => route.path === path) ?? routes.native),
        ).map(
          ([name, value]) => `${name}: ${value}\r\n`,
        )}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n`,
    ],
  ];
  for (const [name, status, code, text] of broken) {
    for (const route of Object.values(routes)) {
      it(`${route.name}: ${name}`, async () => {
        const expected = envelopes[route.dialect](status, code);
        const reply = await send(text(route.path));
        assert.equal(reply.answers, 1);
        assert.equal(reply.status, expected.status);
        assertShape(reply.body, expected.shape);
        assert.match(reply.head, /^connection: close$/m);
        assert.match(reply.head, /^x-request-id: [0-9a-z]{13}$/m);
        assert.match(reply.head, /^content-type: application\/(problem\+)?json; charset=utf-8$/m);
        assert.doesNotMatch(log.lines.join(''), /secret-that|rawPacket/);
      });
    }
  }

  it('what is no HTTP at all is a problem of the native API', async () => {
    const { status, body } = await send('\x16\x03\x01\x02\r\n\r\n');
    assert.equal(status, 400);
    assertShape(body, problem(400, 'malformed_http'));
  });

  it('a request that was answered before it was complete is not answered again', async () => {
    const { answers, body } = await send(
      `POST ${routes.argos.path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`,
      'xyz\r\n',
    );
    assert.equal(answers, 1);
    assert.deepEqual(body, { message: 'Forbidden' });
  });

  for (const route of Object.values(routes)) {
    it(`${route.name}: an expectation that nobody knows does not matter`, async () => {
      const { headers, body } = route.asking(photos.face);
      const all = keyed(route, { ...headers, host: 'a', expect: 'foo', connection: 'close' });
      const lines = Object.entries({ ...all, 'content-length': body.length }).map(
        ([k, v]) => `${k}: ${v}\r\n`,
      );
      const reply = await send(`POST ${route.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
      assert.equal(reply.status, 200);
    });
  }
});
