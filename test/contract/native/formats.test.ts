/** The native API, images: every accepted format, every way to send it, and upright whatever its orientation. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { type Ask, type Asking, connect, form, json, keyed, type Reply, routes } from '../../helpers/http.ts';
import { animate, placeFaces, readPhotos } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { native } = routes;
const photos = await readPhotos();
const images = createServer((_, response) => response.end(photos.face));
let server: TestServer;
let ask: Ask;
let imageHost: string;

before(async () => {
  await once(images.listen(0, '127.0.0.1'), 'listening');
  imageHost = `127.0.0.1:${(images.address() as AddressInfo).port}`;
  server = await startServer({ urlAllowedHosts: [imageHost] });
  ask = await connect(server);
});
after(async () => {
  images.close();
  await server.close();
});

async function succeed(asking: Asking): Promise<Reply['body']> {
  const reply = await ask(native.path, { ...asking, headers: keyed(native, asking.headers) });
  assert.equal(reply.status, 200, reply.text);
  return reply.body;
}

const inJson = (image: Buffer): Asking => json({ image: { bytes: image.toString('base64') } });
const inForm = (image: Buffer): Asking => form(['image', new Uint8Array(image)]);
const raw = (image: Buffer, type: string): Asking => ({
  headers: { 'content-type': type },
  body: new Uint8Array(image),
});

/** By format: a picture with one face, 256 x 256, and the media types it may be sent as. */
const formats: Record<string, { types: string[]; image: () => Buffer | Promise<Buffer> }> = {
  jpeg: { types: ['image/jpeg', 'image/jpg'], image: () => photos.face },
  png: { types: ['image/png'], image: () => sharp(photos.face).png().toBuffer() },
  webp: { types: ['image/webp'], image: () => sharp(photos.face).webp().toBuffer() },
  avif: { types: ['image/avif'], image: () => sharp(photos.face).avif({ effort: 0 }).toBuffer() },
  tiff: { types: ['image/tiff'], image: () => sharp(photos.face).tiff({ compression: 'lzw' }).toBuffer() },
  gif: { types: ['image/gif'], image: () => sharp(photos.face).gif().toBuffer() },
};

describe('native: formats', () => {
  for (const [format, { types, image }] of Object.entries(formats)) {
    it(`${format}: says the same as raw body, form and JSON`, async () => {
      const bytes = await image();
      const askings = [
        ...[...types, 'application/octet-stream'].map((type) => raw(bytes, type)),
        inForm(bytes),
        inJson(bytes),
      ];
      const answers = [];
      for (const asking of askings) answers.push(await succeed(asking));
      for (const { image, faces } of answers) {
        assert.deepEqual(image, { format, width: 256, height: 256 });
        assert.equal(faces.length, 1);
        assert.deepEqual(faces, answers[0].faces);
      }
    });
  }

  it('heic: is decoded, turned upright by its own rotation', async () => {
    for (const name of ['portrait.heic', 'portrait-rotated.heic']) {
      const bytes = await readFile(new URL(`../../fixtures/${name}`, import.meta.url));
      for (const asking of [
        raw(bytes, 'image/heic'),
        raw(bytes, 'image/heif'),
        inForm(bytes),
        inJson(bytes),
      ]) {
        const { image, status } = await succeed(asking);
        assert.deepEqual(image, { format: 'heic', width: 96, height: 64 });
        assert.equal(status, 'no_face');
      }
    }
  });

  it('goes by the content, whatever the media type says', async () => {
    const png = await sharp(photos.face).png().toBuffer();
    assert.equal((await succeed(raw(png, 'image/jpeg'))).image.format, 'png');
    assert.equal((await succeed(raw(photos.face, 'image/tiff; a=b'))).image.format, 'jpeg');
  });

  it('of an animation, assesses the first frame', async () => {
    for (const format of ['gif', 'webp'] as const) {
      const { image, faces } = await succeed(raw(await animate(photos.face, format), `image/${format}`));
      assert.deepEqual(image, { format, width: 256, height: 256 });
      assert.equal(faces.length, 1);
    }
  });

  it('downloads from a URL', async () => {
    const { faces } = await succeed(json({ image: { url: `http://${imageHost}/photo` } }));
    assert.deepEqual(faces, (await succeed(inJson(photos.face))).faces);
  });
});

describe('native: EXIF orientation', () => {
  /** What turns the upright picture into the stored one, by orientation. */
  const stored: Record<number, (picture: Sharp) => Sharp> = {
    1: (picture) => picture,
    2: (picture) => picture.flop(),
    3: (picture) => picture.rotate(180),
    4: (picture) => picture.flip(),
    5: (picture) => picture.rotate(270).flop(),
    6: (picture) => picture.rotate(270),
    7: (picture) => picture.rotate(90).flop(),
    8: (picture) => picture.rotate(90),
  };

  it('shows the face in the same place for all eight', async () => {
    const upright = await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 40, y: 50, side: 400 }]);
    const expected = (await succeed(inForm(upright))).faces[0];
    for (const [orientation, turn] of Object.entries(stored)) {
      // Turned in a step of its own: sharp's order of turning and mirroring within one is not that of the calls.
      const pixels = await turn(sharp(upright)).png().toBuffer();
      const picture = await sharp(pixels)
        .jpeg({ quality: 95 })
        .withMetadata({ orientation: Number(orientation) })
        .toBuffer();
      const { image, faces } = await succeed(inForm(picture));
      assert.deepEqual(image, { format: 'jpeg', width: 900, height: 500 }, `orientation ${orientation}`);
      for (const name of ['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip']) {
        const { x, y } = faces[0].landmarks[name];
        const away = Math.hypot(x - expected.landmarks[name].x, y - expected.landmarks[name].y);
        assert.ok(away < 8, `orientation ${orientation}: ${name} is ${away} px away`);
      }
    }
  });
});
