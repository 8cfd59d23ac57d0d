/** ARGOS Face Liveness, requests that succeed: exactly the documented answer, and a score that means what is documented. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import {
  type Ask,
  assertShape,
  connect,
  json,
  keyed,
  literal,
  routes,
  type Shape,
  shapeOf,
} from '../../helpers/http.ts';
import { padJpeg, placeFaces, readPhotos, storedSideways } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { argos, argosShort, native } = routes;
const documented = JSON.parse(await readFile(new URL('fixtures/answer.json', import.meta.url), 'utf8'));

const success: Shape = {
  apiType: literal('id_live_face'),
  result: { liveness_score: 'number' },
  transactionId: /^[0-9a-z]{13}$/,
};

const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
});
after(() => server.close());

/** Asks with the key and expects success. */
async function succeed(image: Uint8Array, path = argos.path): Promise<{ score: number; id: string }> {
  const { headers, body } = argos.asking(image);
  const reply = await ask(path, { headers: keyed(argos, headers), body });
  assert.equal(reply.status, 200, reply.text);
  assertShape(reply.body, success);
  assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8');
  return { score: reply.body.result.liveness_score, id: reply.body.transactionId };
}

describe('ARGOS: the documented request', () => {
  for (const { name, path } of [argos, argosShort]) {
    it(`${name}: has every documented member and no other, of the same type, in the same order`, async () => {
      const { headers, body } = argos.asking(photos.body);
      const reply = await ask(path, { headers: keyed(argos, headers), body });
      assertShape(reply.body, shapeOf(documented));
      assertShape(reply.body, success);
      assertShape(documented, success);
    });
  }

  it('scores the same on both paths', async () => {
    const [first, second] = await Promise.all([succeed(photos.body), succeed(photos.body, argosShort.path)]);
    assert.equal(first.score, second.score);
  });

  it('assumed: members that are not documented are not looked at', async () => {
    const { headers, body } = json({ faceImage: photos.body.toString('base64'), callbackUrl: 'x', a: [1] });
    const reply = await ask(argos.path, { headers: keyed(argos, headers), body });
    assert.equal(reply.status, 200);
    assertShape(reply.body, success);
  });
});

describe('ARGOS: transactionId', () => {
  it('is 13 characters of base 36, another one for each request, refused ones included', async () => {
    const asking = argos.asking(photos.face);
    const refused = json({});
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, i) => {
        const { headers, body } = i % 2 === 0 ? asking : refused;
        return ask(argos.path, { headers: keyed(argos, headers), body });
      }),
    );
    const ids = replies.map(({ body }) => body.transactionId as string);
    for (const id of ids) assert.match(id, /^[0-9a-z]{13}$/);
    assert.equal(new Set(ids).size, 12);
  });

  it('is the x-request-id of the answer', async () => {
    const { headers, body } = argos.asking(photos.face);
    const reply = await ask(argos.path, { headers: keyed(argos, headers), body });
    assert.equal(reply.body.transactionId, reply.headers.get('x-request-id'));
  });
});

describe('ARGOS: liveness_score', () => {
  it('is 100 x the calibrated probability of a live person, 0 to 100, with two decimals', async () => {
    const pictures = [
      photos.face,
      photos.body,
      await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 40, y: 50, side: 400 }]),
      await sharp(photos.face).blur(4).toBuffer(),
      await sharp(photos.body).modulate({ brightness: 0.4 }).toBuffer(),
    ];
    for (const picture of pictures) {
      const { score } = await succeed(picture);
      assert.ok(score >= 0 && score <= 100);
      assert.match(String(score), /^\d+(\.\d{1,2})?$/);
      const { body } = await ask(native.path, {
        headers: keyed(native, { 'content-type': 'image/jpeg' }),
        body: new Uint8Array(picture),
      });
      assert.ok(Math.abs(score - body.faces[0].pLive * 100) < 0.006);
    }
  });

  it('assumed: is that of the largest face, whoever is small in the background', async () => {
    const places = [{ x: 40, y: 50, side: 400 }];
    const size = { width: 900, height: 500 };
    const withPasserBy = await placeFaces(photos.face, size, [...places, { x: 600, y: 200, side: 140 }]);
    const { body } = await ask(native.path, {
      headers: keyed(native, { 'content-type': 'image/jpeg' }),
      body: new Uint8Array(withPasserBy),
    });
    assert.equal(body.faces.length, 2);
    assert.ok(Math.abs((await succeed(withPasserBy)).score - body.faces[0].pLive * 100) < 0.006);
  });
});

describe('ARGOS: images that are taken', () => {
  const images: [name: string, image: () => Buffer | Promise<Buffer>][] = [
    ['JPEG', () => photos.face],
    ['PNG', () => sharp(photos.face).png().toBuffer()],
    ['WebP', () => sharp(photos.face).webp().toBuffer()],
    [
      'a photograph on its side, with EXIF orientation',
      async () =>
        storedSideways(
          await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 40, y: 50, side: 400 }]),
        ),
    ],
    ['more bytes than the other vendor takes', () => padJpeg(photos.face, 4_000_000)],
  ];
  for (const [name, image] of images) {
    it(name, async () => {
      await succeed(await image());
    });
  }
});
