/** Where a request ends: what two readers could read in two ways is refused and ends the connection, so nothing is smuggled. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { hear, open, untilConnections } from '../helpers/raw.ts';
import { keepLog, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
const log = keepLog();
let server: TestServer;

before(async () => {
  server = await startServer({ log });
});
after(async () => {
  try {
    await untilConnections(server, 0);
  } finally {
    // Also where one is left, which is what failed.
    await server.close();
  }
});

const { native, nhn, argos } = routes;
/** What is smuggled: its answer is 401, and there is one line of it in the log. */
const hidden = `POST ${argos.path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`;
const hiddenAnswers = () => log.lines.filter((line) => /"dialect":"argos".*"request"/.test(line)).length;

const begin = `POST ${native.path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${native.key}\r\ncontent-type: application/json\r\n`;
const chunked = `${begin}transfer-encoding: chunked\r\n\r\n`;

async function send(bytes: string | Buffer, answers?: number) {
  const socket = await open(server);
  socket.write(bytes);
  return await hear(socket, answers);
}

describe('framing: refused, and the connection closed', () => {
  const shapes: Record<string, string> = {
    'a length and chunks': `${begin}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunks and a length': `${begin}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n`,
    'an unknown coding': `${begin}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'a coding after chunks': `${begin}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    'no coding at all': `${begin}transfer-encoding: identity\r\n\r\n0\r\n\r\n`,
    'an empty coding': `${begin}transfer-encoding: \r\n\r\n0\r\n\r\n`,
    'chunks twice': `${begin}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunks and something else': `${begin}transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n`,
    'a space before the colon': `${begin}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`,
    'a vertical tab': `${begin}transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    'quotation marks': `${begin}transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n`,
    'a folded header': `${begin}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
    'a header that begins with a space': `${begin} transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}`,
    'the same length twice': `${begin}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`,
    'two lengths': `${begin}content-length: 2\r\ncontent-length: ${2 + hidden.length}\r\n\r\n{}`,
    'a list of lengths': `${begin}content-length: 2, 2\r\n\r\n{}`,
    'a length with a sign': `${begin}content-length: +2\r\n\r\n{}`,
    'a negative length': `${begin}content-length: -2\r\n\r\n{}`,
    'a length in hexadecimal': `${begin}content-length: 0x2\r\n\r\n{}`,
    'two lengths in one': `${begin}content-length: 2 2\r\n\r\n{}`,
    'a space after the name of the length': `${begin}content-length : 2\r\n\r\n{}`,
    'a length beyond 64 bits': `${begin}content-length: 18446744073709551618\r\n\r\n{}`,
    'an empty length': `${begin}content-length: \r\n\r\n{}`,
    'line feeds alone': `${begin}content-length: 2\r\n\r\n{}`.replaceAll('\r\n', '\n'),
    'one line feed alone': `${begin}x: a\ncontent-length: 2\r\n\r\n{}`,
    'a carriage return alone': `${begin}x: a\rcontent-length: 2\r\n\r\n{}`,
    'a line feed at the end of the head': `${begin}content-length: 2\r\n\n{}`,
    'line feeds in chunks': `${chunked}2\n{}\n0\n\n`,
    'a chunk size with a prefix': `${chunked}0x2\r\n{}\r\n0\r\n\r\n`,
    'a negative chunk size': `${chunked}-2\r\n{}\r\n0\r\n\r\n`,
    'a chunk size and a space': `${chunked}2 \r\n{}\r\n0\r\n\r\n`,
    'a chunk size beyond 64 bits': `${chunked}10000000000000002\r\n{}\r\n0\r\n\r\n`,
    'an empty chunk size': `${chunked}\r\n{}\r\n0\r\n\r\n`,
    'a chunk longer than its size': `${chunked}2\r\n{}{}\r\n0\r\n\r\n`,
    'a chunk without its end': `${chunked}2\r\n{}0\r\n\r\n`,
    'a line feed in a chunk extension': `${chunked}2;a\n{}\r\n0\r\n\r\n`,
    'a chunk extension that goes on in the next line': `${chunked}2;a="\r\n{}\r\n0\r\n\r\n`,
    'chunk extensions of 20 kB': `${chunked}2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    'trailers of 20 kB': `${chunked}2\r\n{}\r\n0\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    'a length as a trailer': `${chunked}2\r\n{}\r\n0\r\ncontent-length: ${hidden.length}\r\n\r\n`,
    'a header without a colon': `${begin}foo\r\ncontent-length: 2\r\n\r\n{}`,
    'a header without a name': `${begin}: x\r\ncontent-length: 2\r\n\r\n{}`,
    'a header with a null in it': `${begin}x: a\0b\r\ncontent-length: 2\r\n\r\n{}`,
    'HTTP/1.2': `${begin.replace('1.1', '1.2')}content-length: 2\r\n\r\n{}`,
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/0.9': `GET ${native.path}\r\n`,
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(name, async () => {
      const before = hiddenAnswers();
      const { statuses, isClosed, text } = await send(shape + hidden);
      assert.equal(statuses.length, 1, text);
      assert.ok([400, 431].includes(statuses[0] as number), text);
      assert.match(text, /"code":"(malformed_http|headers_too_large)"/);
      assert.ok(isClosed);
      assert.equal(hiddenAnswers(), before, 'what was hidden in it was taken for a request');
    });
  }

  it('CONNECT, which is for proxies', async () => {
    const { statuses, isClosed } = await send(`CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n${hidden}`);
    assert.deepEqual(statuses, []);
    assert.ok(isClosed);
  });
});

describe('framing: refused by its head, and the connection closed behind the answer', () => {
  const body = 'content-length: 2\r\n\r\n{}';
  const shapes: Record<string, string> = {
    'no host': begin.replace('host: a\r\n', '') + body,
    'two hosts': begin.replace('host: a', 'host: a\r\nhost: b') + body,
    'two hosts in one': begin.replace('host: a', 'host: a, b') + body,
    'a coding before chunks': `${begin}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0': `${chunked.replace('1.1', '1.0')}0\r\n\r\n`,
    'chunks in HTTP/1.0 on a connection to keep': `${chunked.replace('1.1', '1.0').replace('host: a', 'host: a\r\nconnection: keep-alive')}0\r\n\r\n`,
    'no host, of no dialect': 'GET /livez HTTP/1.1\r\n\r\n',
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(name, async () => {
      const { statuses, text, isClosed } = await send(shape + hidden);
      assert.deepEqual(statuses, [400], text);
      assert.match(text, /"code":"malformed_http"/);
      assert.ok(isClosed);
    });
  }

  it("no host, in each dialect's own envelope", async () => {
    const nameless = (path: string) =>
      `POST ${path} HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
    assert.match((await send(nameless(nhn.path))).text, /^HTTP\/1\.1 200 .*"resultCode":-40000/s);
    assert.match((await send(nameless(argos.path))).text, /^HTTP\/1\.1 400 .*"errorCode":1016/s);
  });
});

describe('framing: taken as it is meant', () => {
  const shapes: Record<string, string> = {
    'chunks in capitals': `${begin}transfer-encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'chunks behind a tab': `${begin}transfer-encoding:\tchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'a chunk extension': `${chunked}2;a=b\r\n{}\r\n0\r\n\r\n`,
    'a length with zeros before it': `${begin}content-length: 002\r\n\r\n{}`,
    'a length that is called a hop': `${begin}connection: content-length\r\ncontent-length: 2\r\n\r\n{}`,
    'a GET with a body that looks like a request': `GET ${native.path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${native.key}\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`,
    'a method in a header': `GET ${native.path} HTTP/1.1\r\nhost: a\r\nx-http-method-override: POST\r\n\r\n`,
    'a whole address as the path': `GET http://elsewhere.test${native.path} HTTP/1.1\r\nhost: a\r\n\r\n`,
    'empty lines before it': `\r\n\r\n${begin}content-length: 2\r\n\r\n{}`,
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(`${name}: one answer, and one to what follows`, async () => {
      const { statuses, text } = await send(shape + hidden, 2);
      assert.equal(statuses.length, 2, text);
      assert.equal(statuses[1], argos.forbidden.status);
      assert.notEqual(statuses[0], argos.forbidden.status);
    });
  }

  it('trailers, which change nothing of the head', async () => {
    const trailed = `${chunked}2\r\n{}\r\n0\r\nx-api-key: wrong\r\n\r\n`;
    const { statuses, text } = await send(trailed + hidden, 2);
    assert.deepEqual(statuses, [400, argos.forbidden.status], text);
    assert.match(text, /"code":"invalid_request"/);
  });

  const upgrading = (method: string, path: string) =>
    `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n`;
  it('an upgrade that is not offered, as a plain request, behind which nothing is taken for another', async () => {
    const before = hiddenAnswers();
    // Its body begins with what Node would read next, had it lost the head: 4,096 bytes.
    const first = `${upgrading('GET', '/livez')}\r\n`;
    const second = `POST ${native.path} HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\nx: `.padEnd(
      4_096 - first.length - 4,
      'x',
    );
    const body = hidden.padEnd(5_000, 'z');
    for (const shape of [
      `${first}${second}\r\n\r\n${body}`,
      `${upgrading('POST', '/livez')}content-length: 2\r\n\r\n{}${hidden}`,
    ]) {
      const { statuses, text, isClosed } = await send(shape);
      assert.equal(statuses.length, 1, text);
      assert.match(text, /^connection: close\r$/im);
      assert.ok(isClosed);
    }
    assert.equal(hiddenAnswers(), before);
  });
});

describe('framing: one request behind another', () => {
  const photograph = Buffer.concat([
    Buffer.from(
      `POST ${native.path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${native.key}\r\ncontent-type: image/jpeg\r\ncontent-length: ${photos.face.length}\r\n\r\n`,
    ),
    photos.face,
  ]);
  const small = 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n';

  it('answers a thousand that come at once, each', async () => {
    const { statuses } = await send(small.repeat(1_000), 1_000);
    assert.equal(statuses.length, 1_000);
    assert.ok(statuses.every((status) => status === 200));
  });

  it('answers in their order, however long the first takes', async () => {
    const { statuses, text } = await send(Buffer.concat([photograph, Buffer.from(small + hidden)]), 3);
    assert.deepEqual(statuses, [200, 200, argos.forbidden.status]);
    assert.ok(text.indexOf('"requestId"') < text.indexOf('{"status":"ok"}'));
  });

  it('refuses what is malformed behind a good one, after that one has its answer', async () => {
    const { statuses, text, isClosed } = await send(Buffer.concat([photograph, Buffer.from('xyz\r\n\r\n')]));
    assert.deepEqual(statuses, [200, 400], text);
    assert.match(text, /"pLive":.*"code":"malformed_http"/s);
    assert.ok(isClosed);
  });

  it('refuses what is malformed behind two good ones, after both have their answers', async () => {
    const { statuses, text } = await send(Buffer.concat([photograph, Buffer.from(`${hidden}xyz\r\n\r\n`)]));
    assert.deepEqual(statuses, [200, argos.forbidden.status, 400], text);
  });

  it('answers large ones behind each other, in pieces of any size', async () => {
    const all = Buffer.concat([photograph, Buffer.from(`${chunked}2\r\n{}\r\n0\r\n\r\n`), photograph]);
    for (const size of [5_000, 60_001, all.length]) {
      const socket = await open(server);
      for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size));
      const { statuses, text } = await hear(socket, 3);
      assert.deepEqual(statuses, [200, 400, 200], text);
    }
  });

  it('refuses a body that breaks off behind a good one, after that one has its answer', async () => {
    const broken = Buffer.from(`${chunked}xyz\r\n`);
    const { statuses, text, isClosed } = await send(Buffer.concat([photograph, broken]));
    assert.deepEqual(statuses, [200, 400], text);
    assert.match(text, /"pLive":.*"code":"malformed_http"/s);
    assert.ok(isClosed);
  });
});
