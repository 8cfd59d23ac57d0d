/** The native API, problems: every failure as RFC 9457 has it, each code with its own status. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { FailureCode } from '../../../src/dialects/dialect.ts';
import { AssessmentError, type EngineErrorCode } from '../../../src/liveness/errors.ts';
import {
  type Ask,
  type Asking,
  assertShape,
  connect,
  fill,
  form,
  json,
  keyed,
  literal,
  type Reply,
  routes,
  sendAllThenRead,
  startUpload,
} from '../../helpers/http.ts';
import { claimingPng, padJpeg, readPhotos } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { native } = routes;
const maxImageBytes = 5_000_000;
const photos = await readPhotos();
const bytes = photos.face.toString('base64');
const file = new Uint8Array(photos.face);

const pages: Record<string, RequestListener> = {
  '/missing': (_, response) => response.writeHead(404).end(),
  '/page': (_, response) => response.setHeader('content-type', 'text/html').end('<p>'),
  '/silent': () => {},
  '/overfull': (_, response) => response.end(padJpeg(photos.face, maxImageBytes + 1)),
  '/to-private': (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
  '/reset': (_, response) => response.socket?.resetAndDestroy(),
};
const images = createServer((request, response) => pages[request.url ?? '']?.(request, response));
let origin: string;
let server: TestServer;
let ask: Ask;

before(async () => {
  await once(images.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(images.address() as AddressInfo).port}`;
  origin = `http://${host}`;
  server = await startServer({
    engine: { workers: 1, queue: 1 },
    maxImageBytes,
    urlAllowedHosts: [host],
    urlTimeoutMs: 300,
  });
  ask = await connect(server);
});
after(async () => {
  images.closeAllConnections();
  images.close();
  await server.close();
});

async function post(asking: Asking, path = native.path): Promise<Reply> {
  return await ask(path, { ...asking, headers: keyed(native, asking.headers) });
}

function assertProblem(reply: Reply, status: number, code: FailureCode): void {
  assert.equal(reply.status, status, reply.text);
  assert.equal(reply.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const { type, title, ...rest } = reply.body;
  assert.equal(type, `urn:bonafide:problem:${code}`);
  assert.match(title, /^[A-Z][A-Za-z0-9 ]+$/);
  assertShape(rest, {
    status: literal(status),
    detail: /^\S.*\.$/,
    code: literal(code),
    requestId: /^[0-9a-z]{13}$/,
  });
  assert.equal(rest.requestId, reply.headers.get('x-request-id'));
}

const problem = (status: number, code: FailureCode, name: string, asking: () => Asking | Promise<Asking>) =>
  it(`${status} ${code}: ${name}`, async () => assertProblem(await post(await asking()), status, code));

const type = { 'content-type': 'application/json' };
const raw = (image: Uint8Array, contentType = 'image/jpeg'): Asking => ({
  headers: { 'content-type': contentType },
  body: new Uint8Array(image),
});
const url = (address: string) => () =>
  json({ image: { url: address.startsWith('/') ? origin + address : address } });

describe('native: requests that are malformed', () => {
  problem(400, 'invalid_request', 'malformed JSON', () => ({ headers: type, body: '{' }));
  problem(400, 'invalid_request', 'an empty body of JSON', () => ({ headers: type, body: '' }));
  problem(400, 'invalid_request', 'no body', () => ({}));
  problem(400, 'invalid_request', 'no image', () => json({}));
  problem(400, 'invalid_request', 'an unknown member', () => json({ image: { bytes }, a: 1 }));
  problem(400, 'invalid_request', 'both bytes and url', () => json({ image: { bytes, url: 'http://a.b/' } }));
  problem(400, 'invalid_request', 'neither bytes nor url', () => json({ image: {} }));
  problem(400, 'invalid_request', 'null', () => json(null));
  problem(400, 'invalid_request', 'a file of another name', () => form(['imageFile', file]));
  problem(400, 'invalid_request', 'an image that is a text field', () => form(['image', bytes]));
  problem(400, 'invalid_request', 'two files', () => form(['image', file], ['image', file]));
  problem(400, 'invalid_request', 'a field too many', () => form(['image', file], ['a', 'b']));
  problem(400, 'invalid_request', 'a form without a boundary', () => ({
    headers: { 'content-type': 'multipart/form-data' },
    body: 'a',
  }));
  problem(400, 'invalid_request', 'a form cut short', () => ({
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\ncontent-disposition: form-data; name=image; filename=a\r\n\r\nabc',
  }));
  problem(415, 'unsupported_media_type', 'text', () => ({
    headers: { 'content-type': 'text/plain' },
    body: '{}',
  }));
  problem(415, 'unsupported_media_type', 'no media type', () => ({ body: file }));
  problem(415, 'unsupported_media_type', 'an image of another type', () => raw(photos.face, 'image/bmp'));
  problem(400, 'invalid_base64', 'a data: prefix', () =>
    json({ image: { bytes: `data:image/jpeg;base64,${bytes}` } }),
  );
  problem(400, 'invalid_base64', 'empty text', () => json({ image: { bytes: '' } }));

  it('says what is wrong, in a sentence that is never longer for a longer request', async () => {
    const { body } = await post(json({ image: { bytes }, orientation: 1 }));
    assert.equal(body.detail, 'The body must NOT have additional properties (orientation).');
    const { body: cut } = await post(json({ image: { bytes }, ['a'.repeat(100_000)]: 1 }));
    assert.ok(cut.detail.length < 200);
  });

  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    it(`405 method_not_allowed: ${method}`, async () => {
      const reply = await ask(native.path, { method, headers: keyed(native) });
      assertProblem(reply, 405, 'method_not_allowed');
      assert.equal(reply.headers.get('allow'), 'POST');
    });
  }
  for (const path of ['/v1', '/v1/', '/v1/assess/', '/v1/assess/more', '/', '/v2/assess', '/favicon.ico']) {
    it(`404 not_found: ${path}`, async () =>
      assertProblem(await post(raw(photos.face), path), 404, 'not_found'));
  }
  it('400 invalid_request: a path that cannot be read, which is not repeated', async () => {
    const reply = await post(raw(photos.face), '/v1/%zz?secret');
    assertProblem(reply, 400, 'invalid_request');
    assert.doesNotMatch(reply.text, /secret/);
  });
  it('401 unauthorized: no key', async () =>
    assertProblem(await ask(native.path, raw(photos.face)), 401, 'unauthorized'));
});

describe('native: images that are of no use', () => {
  const over = () => padJpeg(photos.face, maxImageBytes + 1);
  problem(413, 'too_many_bytes', 'one byte more than the limit, raw', () => raw(over()));
  problem(413, 'too_many_bytes', 'one byte more than the limit, in JSON', () => native.asking(over()));
  problem(413, 'too_many_bytes', 'one byte more than the limit, in a form', () =>
    form(['image', new Uint8Array(over())]),
  );
  problem(413, 'too_many_bytes', 'one byte more than the limit, from a URL', url('/overfull'));
  problem(413, 'too_many_bytes', '30 MB, raw', () => raw(new Uint8Array(30_000_000)));
  problem(413, 'too_many_bytes', '30 MB, in JSON', () => json({ image: { bytes: 'A'.repeat(30_000_000) } }));
  problem(413, 'too_many_bytes', '30 MB, in a form', () => form(['image', new Uint8Array(30_000_000)]));
  problem(413, 'image_too_large', '30,000 x 30,000 pixels', () =>
    raw(claimingPng(30_000, 30_000), 'image/png'),
  );
  problem(415, 'unsupported_format', 'text', () => raw(Buffer.from('This is not an image.')));
  problem(415, 'unsupported_format', 'SVG', () => raw(Buffer.from('<svg/>'), 'application/octet-stream'));
  problem(415, 'unsupported_format', 'no bytes in a form', () => form(['image', new Uint8Array(0)]));
  problem(422, 'undecodable_image', 'a JPEG cut short', () =>
    raw(photos.body.subarray(0, photos.body.length >> 1)),
  );
  problem(422, 'undecodable_image', 'a TIFF cut short', async () => {
    const tiff = await sharp(photos.face).tiff({ compression: 'lzw' }).toBuffer();
    return raw(tiff.subarray(0, tiff.length >> 1), 'image/tiff');
  });

  it('takes exactly as many bytes as the limit, in each way', async () => {
    const full = padJpeg(photos.face, maxImageBytes);
    for (const asking of [raw(full), native.asking(full), form(['image', new Uint8Array(full)])]) {
      assert.equal((await post(asking)).status, 200);
    }
  });

  it('413 too_many_bytes: from a client that sends everything before it reads', async () => {
    const headers = keyed(native, { 'content-type': 'image/jpeg' });
    const answer = await sendAllThenRead(server, native.path, { headers, body: new Uint8Array(30_000_000) });
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });
});

describe('native: image.url', () => {
  problem(400, 'url_invalid', 'no URL', url('photo.jpg'));
  problem(400, 'url_invalid', 'a URL of more than 4,096 characters', url('https://a/'.padEnd(4_097, 'a')));
  problem(400, 'url_invalid', 'another scheme', url('ftp://example.com/a.jpg'));
  problem(400, 'url_invalid', 'a port that is not allowed', url('http://93.184.215.14:10000/a.jpg'));
  problem(400, 'url_blocked', 'a loopback address', url('http://127.0.0.1/a.jpg'));
  problem(400, 'url_blocked', 'a redirect to a private address', url('/to-private'));
  problem(422, 'url_unreachable', 'a host without an address', url('http://does-not-exist.invalid/a.jpg'));
  problem(422, 'url_unreachable', 'a connection that is reset', url('/reset'));
  problem(422, 'url_bad_status', 'an answer of 404', url('/missing'));
  problem(422, 'url_not_an_image', 'a page', url('/page'));
  problem(422, 'url_timeout', 'a server that does not answer', url('/silent'));
});

describe('native: not available', () => {
  function assertUnavailable(reply: Reply, code: FailureCode): void {
    assertProblem(reply, 503, code);
    assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }

  it('503 service_full, and again an answer when it is not', async () => {
    const held = await fill(server, 2);
    assertUnavailable(await post(raw(photos.face)), 'service_full');
    await held.release();
    assert.equal((await post(raw(photos.face))).status, 200);
  });

  it('503 service_draining, but what is under way is answered', async () => {
    const draining = await startServer();
    try {
      const through = await connect(draining);
      const upload = startUpload(draining, native.path, keyed(native, { 'content-type': 'image/jpeg' }));
      await upload.begun;
      const drained = draining.gate.drain();
      assert.equal((await fetch(`${draining.origin}/readyz`)).status, 503);
      assert.equal((await fetch(`${draining.origin}/livez`)).status, 200);
      assertUnavailable(
        await through(native.path, {
          ...raw(photos.face),
          headers: keyed(native, { 'content-type': 'image/jpeg' }),
        }),
        'service_draining',
      );
      upload.request.end(photos.face);
      assert.equal((await upload.answered).status, 200);
      await drained;
    } finally {
      await draining.close();
    }
  });

  for (const code of [
    'queue_full',
    'deadline_exceeded',
    'worker_died',
    'aborted',
  ] satisfies EngineErrorCode[]) {
    it(`503 ${code}`, async (t) => {
      t.mock.method(server.engine, 'assess', () => Promise.reject(new AssessmentError(code, 'Not now.')));
      const reply = await post(raw(photos.face));
      assertProblem(reply, 503, code);
      if (code !== 'aborted') assertUnavailable(reply, code);
    });
  }

  it('500 engine_failure: a defect of ours, about which nothing is said', async (t) => {
    t.mock.method(server.engine, 'assess', () => Promise.reject(new TypeError('/secret/path')));
    const reply = await post(raw(photos.face));
    assertProblem(reply, 500, 'engine_failure');
    assert.doesNotMatch(reply.text, /secret/);
  });
});
