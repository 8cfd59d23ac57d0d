/** The native API, answers: everything the engine knows, in the shape that the served OpenAPI document states. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { operatingPointNames } from '../../../src/liveness/types.ts';
import {
  type Ask,
  assertShape,
  connect,
  keyed,
  literal,
  type Reply,
  routes,
  type Shape,
} from '../../helpers/http.ts';
import { landscape, placeFaces, readPhotos, tileFaces } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { native } = routes;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
});
after(() => server.close());

async function assess(image: Buffer): Promise<Reply['body']> {
  const reply = await ask(native.path, {
    headers: keyed(native, { 'content-type': 'image/jpeg' }),
    body: new Uint8Array(image),
  });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8');
  const { seenBefore, ...rest } = reply.body;
  assertShape(rest, shape);
  assert.match(seenBefore.status, /^(seen|not_seen)$/);
  assert.equal(reply.body.requestId, reply.headers.get('x-request-id'));
  return reply.body;
}

const point: Shape = { x: 'number', y: 'number' };
const rates: Shape = { threshold: 'number', apcer: 'number', bpcer: 'number' };
const verdict = /^(live|attack)$/;
const warnings: Shape = [{ code: /^[a-z_]+$/, value: 'number', limit: 'number' }];
const shape: Shape = {
  requestId: /^[0-9a-z]{13}$/,
  status: /^(assessed|no_face)$/,
  profile: literal('standard'),
  models: [{ id: 'string', task: /^(detect|landmarks|liveness)$/, sha256: /^[0-9a-f]{64}$/ }],
  operatingPoints: { weak: rates, balanced: rates, strict: rates },
  image: { format: literal('jpeg'), width: 'integer', height: 'integer' },
  faces: [
    {
      box: { x0: 'number', y0: 'number', x1: 'number', y1: 'number' },
      landmarks: { leftEye: point, rightEye: point, nose: point, leftLip: point, rightLip: point },
      detectionScore: 'number',
      pLive: 'number',
      verdicts: { weak: verdict, balanced: verdict, strict: verdict },
      scores: [{ model: 'string', logOdds: 'number' }],
      quality: {
        side: 'number',
        eyeDistance: 'number',
        margin: 'number',
        angle: 'number',
        luma: 'number',
        sharpness: 'number',
      },
      warnings,
    },
  ],
  tooSmall: 'integer',
  warnings,
  timings: {
    decode: 'number',
    detect: 'number',
    landmarks: 'number',
    crop: 'number',
    score: 'number',
    quality: 'number',
    decide: 'number',
  },
};

const codes = (list: { code: string }[]) => list.map(({ code }) => code);

describe('native: the answer', () => {
  it('tells one face, with verdicts that follow from its probability and the thresholds', async () => {
    const { status, faces, operatingPoints, models } = await assess(photos.body);
    assert.equal(status, 'assessed');
    assert.equal(faces.length, 1);
    const [{ pLive, verdicts, scores }] = faces;
    assert.ok(pLive >= 0 && pLive <= 1);
    for (const name of operatingPointNames) {
      assert.equal(verdicts[name], pLive >= operatingPoints[name].threshold ? 'live' : 'attack');
    }
    const liveness = models.filter(({ task }: { task: string }) => task === 'liveness');
    assert.deepEqual(
      scores.map(({ model }: { model: string }) => model),
      liveness.map(({ id }: { id: string }) => id),
    );
  });

  it('gives pixels of the image, the box clamped to it', async () => {
    const { image, faces } = await assess(photos.face);
    const { x0, y0, x1, y1 } = faces[0].box;
    assert.equal(y0, 0);
    assert.ok(x0 >= 0 && x1 <= image.width && y1 <= image.height && x0 < x1);
  });

  it('tells the conditions that each face was taken in', async () => {
    const { faces } = await assess(
      await placeFaces(photos.face, { width: 900, height: 500 }, [
        { x: 10, y: 50, side: 400 },
        { x: 600, y: 100, side: 200 },
      ]),
    );
    const [large, small] = faces.map(({ quality }: { quality: Quality }) => quality);
    for (const { box, landmarks, quality } of faces) {
      const { leftEye, rightEye } = landmarks;
      const side = Math.min(box.x1 - box.x0, box.y1 - box.y0);
      const margin = Math.min(box.x0, box.y0, 900 - box.x1, 500 - box.y1);
      const eyes = Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y);
      assert.ok(Math.abs(quality.side - side) < 0.02);
      assert.ok(Math.abs(quality.margin - margin) < 0.02);
      assert.ok(Math.abs(quality.eyeDistance - eyes) < 0.02);
    }
    // The same photograph at half its size.
    assert.ok(Math.abs(large.side / small.side - 2) < 0.2);
    assert.ok(Math.abs(large.luma - small.luma) < 10);
    assert.ok(small.angle >= 0 && small.angle < 30);
    assert.ok(small.sharpness > 2.2);
  });

  it('no face: is a state of its own, neither live nor an attack', async () => {
    const { status, faces, tooSmall, warnings } = await assess(await landscape(640, 480));
    assert.equal(status, 'no_face');
    assert.deepEqual(faces, []);
    assert.equal(tooSmall, 0);
    assert.deepEqual(warnings, []);
  });

  it('counts the faces that are too small to be assessed', async () => {
    const picture = await placeFaces(photos.face, { width: 480, height: 360 }, [
      { x: 200, y: 150, side: 56 },
    ]);
    const { status, tooSmall } = await assess(picture);
    assert.equal(status, 'no_face');
    assert.equal(tooSmall, 1);
  });

  it('tells several faces largest first, at most 20', async () => {
    const { faces } = await assess(await tileFaces(photos.face, 7, 4, 160));
    assert.equal(faces.length, 20);
    const areas = faces.map(({ box }: { box: Box }) => (box.x1 - box.x0) * (box.y1 - box.y0));
    // The boxes are told clamped and to hundredths of a pixel.
    for (let i = 1; i < areas.length; i += 1) assert.ok(areas[i] <= areas[i - 1] + 5, `face ${i}`);
  });
});

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

interface Quality {
  side: number;
  angle: number;
  luma: number;
  sharpness: number;
}

describe('native: warnings', () => {
  it('about the image: low resolution and several faces, with what was measured and what is advised', async () => {
    const { warnings } = await assess(
      await placeFaces(photos.face, { width: 640, height: 400 }, [
        { x: 20, y: 50, side: 280 },
        { x: 330, y: 50, side: 280 },
      ]),
    );
    assert.deepEqual(warnings, [
      { code: 'low_resolution', value: 400, limit: 480 },
      { code: 'several_faces', value: 2, limit: 1 },
    ]);
  });

  it('about a face: close to the border, or small', async () => {
    const { faces: close } = await assess(photos.face);
    assert.deepEqual(codes(close[0].warnings), ['near_border']);
    const { faces: small } = await assess(photos.body);
    assert.ok(codes(small[0].warnings).includes('small_face'));
    assert.ok(codes(small[0].warnings).includes('close_eyes'));
    const measured = (code: string) =>
      small[0].warnings.find((warning: { code: string }) => warning.code === code).value;
    const { side, eyeDistance } = small[0].quality;
    assert.deepEqual([measured('small_face'), measured('close_eyes')], [side, eyeDistance]);
  });

  it('none about a large, sharp face in a large picture', async () => {
    const { faces, warnings } = await assess(
      await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 250, y: 50, side: 400 }]),
    );
    assert.deepEqual(warnings, []);
    assert.deepEqual(faces[0].warnings, []);
  });
});

describe('native: the profile', () => {
  it('says why it is not the one hoped for, in the answer and in /readyz', async () => {
    const profileNote = 'Models are missing, so the standard profile is in use.';
    const noted = await startServer({ profileNote });
    try {
      const through = await connect(noted);
      const headers = keyed(native, { 'content-type': 'image/jpeg' });
      const { body } = await through(native.path, { headers, body: new Uint8Array(photos.face) });
      assert.equal(body.profileNote, profileNote);
      const ready = (await (await fetch(`${noted.origin}/readyz`)).json()) as { note: string };
      assert.equal(ready.note, profileNote);
    } finally {
      await noted.close();
    }
  });
});
