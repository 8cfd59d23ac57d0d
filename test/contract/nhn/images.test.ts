/** NHN Cloud Face Liveness, images: which are taken, and the documented code for each that is not. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import {
  type Ask,
  type Asking,
  assertReply,
  connect,
  form,
  json,
  keyed,
  nhnError,
  type Reply,
  routes,
  sendAllThenRead,
} from '../../helpers/http.ts';
import { animate, claimingPng, heicHead, padJpeg, plainPng, readPhotos } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { nhn } = routes;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
});
after(() => server.close());

const inJson = (image: Uint8Array): Asking =>
  json({ image: { bytes: Buffer.from(image).toString('base64') } });
const inForm = (image: Uint8Array): Asking => form(['imageFile', new Uint8Array(image)]);

async function post(asking: Asking): Promise<Reply> {
  return await ask(nhn.path, { ...asking, headers: keyed(nhn, asking.headers) });
}

async function succeed(asking: Asking, faces = 1): Promise<void> {
  const { body, text } = await post(asking);
  assert.equal(body.header.resultCode, 0, text);
  assert.equal(body.data.faceDetailCount, faces);
}

async function refuse(resultCode: number, message: string, asking: Asking): Promise<void> {
  assertReply(await post(asking), { status: 200, shape: nhnError(resultCode, message) });
}

const tooLarge = (asking: Asking) => refuse(-45020, 'ImageTooLargeException', asking);
const badParameter = (asking: Asking) => refuse(-45030, 'InvalidImageParameterException', asking);
const badFormat = (asking: Asking) => refuse(-45040, 'InvalidImageFormatException', asking);

describe('NHN: images that are taken', () => {
  it('JPEG', () => succeed(inForm(photos.face)));
  it('PNG', async () => succeed(inForm(await sharp(photos.face).png().toBuffer())));
  it('PNG with transparency', async () =>
    succeed(inForm(await sharp(photos.face).ensureAlpha(0.9).png().toBuffer())));
  it('grey', async () => succeed(inForm(await sharp(photos.face).greyscale().png().toBuffer())));
  it('progressive JPEG', async () =>
    succeed(inForm(await sharp(photos.face).jpeg({ progressive: true }).toBuffer())));
  it('CMYK JPEG', async () =>
    succeed(inForm(await sharp(photos.face).toColourspace('cmyk').jpeg().toBuffer())));
  it('whatever its file name and media type say', async () => {
    const body = new FormData();
    body.append('imageFile', new Blob([new Uint8Array(photos.face)], { type: 'text/plain' }), '../../a.exe');
    await succeed({ body });
  });
  it('80 x 80', async () => succeed(inForm(await sharp(photos.face).resize(80, 80).png().toBuffer())));
  it('exactly 3,000,000 bytes, in JSON', () => succeed(inJson(padJpeg(photos.face, 3_000_000))));
  it('exactly 3,000,000 bytes, in a form', () => succeed(inForm(padJpeg(photos.face, 3_000_000))));
});

describe('NHN -45020 ImageTooLargeException', () => {
  const large = new Uint8Array(30_000_000).fill(65);
  const largeJson = `{"image":{"bytes":"${'A'.repeat(30_000_000)}"}}`;
  const type = { 'content-type': 'application/json' };

  it('3,000,001 bytes, in JSON', () => tooLarge(inJson(padJpeg(photos.face, 3_000_001))));
  it('3,000,001 bytes, in a form', () => tooLarge(inForm(padJpeg(photos.face, 3_000_001))));
  it('30 MB, in JSON', () => tooLarge({ headers: type, body: largeJson }));
  it('30 MB, in a form', () => tooLarge(inForm(large)));
  it('30 MB, chunked', () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(large.subarray(sent, sent + 100_000));
        sent += 100_000;
        if (sent === large.length) controller.close();
      },
    });
    return tooLarge({ headers: type, body });
  });
  it('30 MB from a client that sends everything before it reads, and wants the connection closed', async () => {
    const headers = keyed(nhn, type);
    const answer = await sendAllThenRead(server, nhn.path, { headers, body: Buffer.from(largeJson) });
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /"resultCode":-45020,/);
  });
  it('30,000 x 30,000 pixels in a few kilobytes', async () => {
    const bomb = claimingPng(30_000, 30_000);
    assert.ok(bomb.length < 4_000);
    await tooLarge(inForm(bomb));
    await tooLarge(inJson(bomb));
  });
});

describe('NHN -45030 InvalidImageParameterException', () => {
  const base64 = photos.face.toString('base64');
  // The last length that needs padding, so that leaving it off shows.
  const padded = padJpeg(photos.face, photos.face.length + 4 + ((3 - ((photos.face.length + 5) % 3)) % 3));
  const paddedBase64 = padded.toString('base64');
  const bytes = (text: string) => badParameter(json({ image: { bytes: text } }));

  it('base64 in which a character is none', () => bytes(`${base64.slice(0, 99)}*${base64.slice(100)}`));
  it('base64 behind a data: prefix', () => bytes(`data:image/jpeg;base64,${base64}`));
  it('base64 behind a MIME prefix', () => bytes(`image/png;base64,${base64}`));
  it('base64 of the URL-safe alphabet', () => {
    const urlSafe = base64.replaceAll('+', '-').replaceAll('/', '_');
    assert.notEqual(urlSafe, base64);
    return bytes(urlSafe);
  });
  it('base64 without its padding', () => {
    assert.match(paddedBase64, /=$/);
    return bytes(paddedBase64.replace(/=+$/, ''));
  });
  it('base64 in lines', () => bytes(base64.replace(/.{76}/g, '$&\r\n')));
  it('base64 after a space', () => bytes(` ${base64}`));
  it('text that is no base64', () => bytes('not an image'));
  it('empty text', () => bytes(''));
  it('assumed: an image of 1 x 1', async () => badParameter(inForm(await plainPng(1, 1))));
  it('assumed: an image of 79 x 79', async () =>
    badParameter(inForm(await sharp(photos.face).resize(79, 79).png().toBuffer())));
  it('assumed: an image of 79 x 400', async () => badParameter(inForm(await plainPng(79, 400))));
});

describe('NHN -45040 InvalidImageFormatException', () => {
  it('text', () => badFormat(inForm(Buffer.from('This is not an image.'))));
  it('text, in JSON', () => badFormat(inJson(Buffer.from('This is not an image.'))));
  it('no bytes', () => badFormat(inForm(Buffer.alloc(0))));
  it('a JPEG cut short', () => badFormat(inForm(photos.body.subarray(0, photos.body.length >> 1))));
  it('a PNG cut short', async () => {
    const png = await sharp(photos.face).png().toBuffer();
    await badFormat(inForm(png.subarray(0, png.length >> 1)));
  });
  it('the first bytes of a JPEG', () => badFormat(inForm(Buffer.from([0xff, 0xd8, 0xff]))));
  it('WebP', async () => badFormat(inForm(await sharp(photos.face).webp().toBuffer())));
  it('GIF', async () => badFormat(inForm(await sharp(photos.face).gif().toBuffer())));
  it('an animated GIF', async () => badFormat(inForm(await animate(photos.face, 'gif'))));
  it('TIFF', async () => badFormat(inForm(await sharp(photos.face).tiff({ compression: 'lzw' }).toBuffer())));
  it('AVIF', async () => badFormat(inForm(await sharp(photos.face).avif({ effort: 0 }).toBuffer())));
  it('HEIC', () => badFormat(inForm(heicHead())));
  it('SVG', () =>
    badFormat(inForm(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'))));
  it('PDF', () => badFormat(inForm(Buffer.from('%PDF-1.7\n'))));
});
