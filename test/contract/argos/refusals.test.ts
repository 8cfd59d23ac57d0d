/** ARGOS Face Liveness, requests that are refused: the documented envelope with 1016, 1017 or, without a key, Forbidden. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { AssessmentError, type EngineErrorCode } from '../../../src/liveness/errors.ts';
import {
  type Ask,
  type Asking,
  argosError,
  assertReply,
  connect,
  fill,
  form,
  json,
  keyed,
  type Reply,
  routes,
  sendAllThenRead,
  startUpload,
} from '../../helpers/http.ts';
import {
  animate,
  claimingPng,
  heicHead,
  landscape,
  padJpeg,
  placeFaces,
  plainPng,
  readPhotos,
} from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { argos, argosShort } = routes;
const maxImageBytes = 5_000_000;
const photos = await readPhotos();
const base64 = photos.face.toString('base64');
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer({ engine: { workers: 1, queue: 1 }, maxImageBytes });
  ask = await connect(server);
});
after(() => server.close());

async function post(asking: Asking, path = argos.path): Promise<Reply> {
  return await ask(path, { ...asking, headers: keyed(argos, asking.headers) });
}

const required = { status: 400, shape: argosError(1016, 'faceImage is required') };
const failed = (reason: string) => ({
  status: 400,
  shape: argosError(1017, `Fail to analyze face: ${reason}`),
});

describe('ARGOS 1016: faceImage is required', () => {
  const type = { 'content-type': 'application/json' };
  const cases: [name: string, asking: Asking][] = [
    ['no member', json({})],
    ['another member', json({ image: base64 })],
    ['another case', json({ faceimage: base64 })],
    ['assumed: null', json({ faceImage: null })],
    ['assumed: empty', json({ faceImage: '' })],
    ['assumed: a number', json({ faceImage: 12 })],
    ['assumed: a list', json({ faceImage: [base64] })],
    ['assumed: an object', json({ faceImage: { bytes: base64 } })],
    ['assumed: a list around it', json([{ faceImage: base64 }])],
    ['assumed: text around it', json(base64)],
    ['assumed: null instead of it', json(null)],
    ['assumed: malformed JSON', { headers: type, body: '{"faceImage":' }],
    ['assumed: JSON that poisons a prototype', { headers: type, body: '{"__proto__":{"faceImage":1}}' }],
    ['assumed: an empty body of JSON', { headers: type, body: '' }],
    ['assumed: no body and no content type', {}],
    ['assumed: a body without a content type', { body: new Uint8Array(photos.face) }],
    ['assumed: text', { headers: { 'content-type': 'text/plain' }, body: base64 }],
    ['assumed: an image', { headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(photos.face) }],
    ['assumed: a form', form(['faceImage', new Uint8Array(photos.face)])],
    [
      'assumed: a form of the other kind',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'faceImage=a' },
    ],
  ];
  for (const [name, asking] of cases) {
    it(name, async () => {
      assertReply(await post(asking), required);
      assertReply(await post(asking, argosShort.path), required);
    });
  }
});

describe('ARGOS 1017: face analysis failed', () => {
  const text = (faceImage: string) => json({ faceImage });
  const urlSafe = base64.replaceAll('+', '-').replaceAll('/', '_');
  const notBase64: [name: string, faceImage: string][] = [
    ['a character that is none', `*${base64.slice(1)}`],
    ['a MIME prefix left on', `image/png;base64,${base64}`],
    ['a data: prefix left on', `data:image/jpeg;base64,${base64}`],
    ['the URL-safe alphabet', urlSafe],
    ['a length that cannot be', base64.slice(0, -1)],
    ['the placeholder of the documentation', '{{faceImage_base64}}'],
    ['lines', base64.replace(/.{76}/g, '$&\n')],
    ['a space', ' '],
  ];
  for (const [name, faceImage] of notBase64) {
    it(`assumed: INVALID_BASE64: ${name}`, async () => {
      assertReply(await post(text(faceImage)), failed('INVALID_BASE64'));
    });
  }

  const images: [reason: string, name: string, image: () => Buffer | Promise<Buffer>][] = [
    ['FACE_NOT_FOUND', 'a landscape', () => landscape(800, 600)],
    ['FACE_NOT_FOUND', 'a single pixel', () => plainPng(1, 1)],
    [
      'FACE_TOO_SMALL',
      'a face under 60 px',
      () => placeFaces(photos.face, { width: 480, height: 360 }, [{ x: 200, y: 150, side: 56 }]),
    ],
    [
      'TOO_MANY_FACES',
      'a second face of more than a third of the area',
      () =>
        placeFaces(photos.face, { width: 900, height: 500 }, [
          { x: 40, y: 50, side: 400 },
          { x: 500, y: 90, side: 320 },
        ]),
    ],
    ['IMAGE_TOO_LARGE', 'a byte more than the limit', () => padJpeg(photos.face, maxImageBytes + 1)],
    ['IMAGE_TOO_LARGE', '30,000 x 30,000 pixels in a few kilobytes', () => claimingPng(30_000, 30_000)],
    ['UNSUPPORTED_IMAGE_FORMAT', 'text', () => Buffer.from('This is not an image.')],
    ['UNSUPPORTED_IMAGE_FORMAT', 'TIFF', () => sharp(photos.face).tiff({ compression: 'lzw' }).toBuffer()],
    ['UNSUPPORTED_IMAGE_FORMAT', 'GIF', () => animate(photos.face, 'gif')],
    ['UNSUPPORTED_IMAGE_FORMAT', 'AVIF', () => sharp(photos.face).avif({ effort: 0 }).toBuffer()],
    ['UNSUPPORTED_IMAGE_FORMAT', 'HEIC', heicHead],
    ['IMAGE_DAMAGED', 'a JPEG cut short', () => photos.body.subarray(0, photos.body.length >> 1)],
  ];
  for (const [reason, name, image] of images) {
    it(`assumed: ${reason}: ${name}`, async () => {
      assertReply(await post(argos.asking(await image())), failed(reason));
    });
  }

  it('takes exactly as many bytes as the limit', async () => {
    assert.equal((await post(argos.asking(padJpeg(photos.face, maxImageBytes)))).status, 200);
  });

  it('assumed: IMAGE_TOO_LARGE: 30 MB', async () => {
    assertReply(await post(text('A'.repeat(30_000_000))), failed('IMAGE_TOO_LARGE'));
  });

  it('assumed: IMAGE_TOO_LARGE: 30 MB, chunked', async () => {
    const piece = new Uint8Array(100_000).fill(65);
    let pieces = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(piece);
        pieces += 1;
        if (pieces === 300) controller.close();
      },
    });
    assertReply(
      await post({ headers: { 'content-type': 'application/json' }, body }),
      failed('IMAGE_TOO_LARGE'),
    );
  });

  it('assumed: IMAGE_TOO_LARGE: 30 MB from a client that sends everything before it reads', async () => {
    const { headers, body } = text('A'.repeat(30_000_000));
    const answer = await sendAllThenRead(server, argos.path, {
      headers: keyed(argos, headers),
      body: Buffer.from(body),
    });
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(answer, /"errorCode":1017\}$/);
  });

  it('assumed: ANALYSIS_FAILED: a defect of ours, about which nothing is said', async (t) => {
    t.mock.method(server.engine, 'assess', () => Promise.reject(new TypeError('/secret/path')));
    assertReply(await post(argos.asking(photos.face)), failed('ANALYSIS_FAILED'));
  });
});

describe('ARGOS: other places and methods', () => {
  const elsewhere = argosError(1016, 'Use POST /modules/liveness with faceImage');
  for (const { path } of [argos, argosShort]) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      it(`assumed: ${method} ${path}`, async () => {
        const reply = await ask(path, { method, headers: keyed(argos) });
        assertReply(reply, { status: 400, shape: elsewhere });
        assert.equal(reply.headers.get('allow'), 'POST');
      });
    }
  }
  for (const path of ['/modules', '/modules/', '/modules/compare', '/modules/liveness/', '/liveness/more']) {
    it(`assumed: the unknown path ${path}`, async () => {
      assertReply(await post(argos.asking(photos.face), path), { status: 404, shape: elsewhere });
    });
  }
  it('assumed: a path that cannot be read', async () => {
    assertReply(await post(argos.asking(photos.face), '/modules/%zz'), required);
  });
});

describe('ARGOS: keys', () => {
  for (const { path } of [argos, argosShort]) {
    it(`assumed: ${path}: 403 with exactly the body of an API gateway, before anything is said about the body`, async () => {
      const wrong: Asking[] = [
        argos.asking(photos.face),
        {
          ...argos.asking(photos.face),
          headers: { 'x-api-key': 'wrong', 'content-type': 'application/json' },
        },
        { headers: { 'content-type': 'application/json' }, body: '{' },
        {},
      ];
      for (const asking of wrong) {
        const reply = await ask(path, asking);
        assert.equal(reply.status, 403);
        assert.equal(reply.text, '{"message":"Forbidden"}');
      }
    });
  }
});

describe('ARGOS 1001: not available', () => {
  function assertUnavailable(reply: Reply): void {
    assertReply(reply, argos.unavailable);
    assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }

  it('assumed: 503 and Retry-After when the server is full, and again an answer when it is not', async () => {
    const held = await fill(server, 2);
    assertUnavailable(await post(argos.asking(photos.face)));
    assertUnavailable(await post(argos.asking(photos.face), argosShort.path));
    await held.release();
    assert.equal((await post(argos.asking(photos.face))).status, 200);
  });

  it('assumed: 503 and Retry-After while the server shuts down, but what is under way is answered', async () => {
    const draining = await startServer();
    try {
      const through = await connect(draining);
      const { headers, body } = argos.asking(photos.face);
      const upload = startUpload(draining, argos.path, keyed(argos, headers));
      await upload.begun;
      const drained = draining.gate.drain();
      assertUnavailable(await through(argos.path, { headers: keyed(argos, headers), body }));
      upload.request.end(body);
      assert.equal((await upload.answered).status, 200);
      await drained;
    } finally {
      await draining.close();
    }
  });

  for (const code of ['queue_full', 'deadline_exceeded', 'worker_died'] satisfies EngineErrorCode[]) {
    it(`assumed: 503 and Retry-After for ${code}`, async (t) => {
      t.mock.method(server.engine, 'assess', () => Promise.reject(new AssessmentError(code, 'No.')));
      assertUnavailable(await post(argos.asking(photos.face)));
    });
  }
});
