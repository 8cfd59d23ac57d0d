/** A photograph as a phone stores it, on its side with an EXIF orientation, is judged like its upright copy. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { type Engine, startEngine } from '../../src/liveness/pool.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import { type Assessment, type Box, landmarkNames } from '../../src/liveness/types.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { samplePhotos, standardWeights } from '../helpers/weights.ts';

/** Degrees to turn the upright pixels clockwise so that the orientation turns them back. */
const turns = { 3: 180, 6: 270, 8: 90 } as const;

let engine: Engine;
/** The pixels, upright, cut so that the picture stands on its short side. */
let photo: Buffer;
const size = { width: 900, height: 1200 } as const;
before(async () => {
  const folder = await standardWeights();
  engine = await startEngine({
    folder,
    profile: (await loadRegistry(folder)).profile('standard'),
    limits: { maxPixels: 50_331_648 },
    workers: 1,
    queue: 1,
    deadlineMs: 60_000,
  });
  photo = await sharp((await samplePhotos()).body)
    .extract({ left: 150, top: 0, ...size })
    .raw()
    .toBuffer();
});
after(() => engine.close());

/** The photograph's pixels as they are, or on their side with the orientation that turns them back. */
function copy(orientation: keyof typeof turns | 1) {
  const upright = sharp(photo, { raw: { ...size, channels: 3 } });
  return orientation === 1 ? upright : upright.rotate(turns[orientation]).withMetadata({ orientation });
}

async function assess(bytes: Uint8Array): Promise<Assessment> {
  const assessment = await engine.assess(bytes, { admitted: imageFormats });
  assert.equal(assessment.faces.length, 1);
  return assessment;
}

function isNear(lying: Assessment, upright: Assessment, pixels: number, probability: number): void {
  for (const { image } of [lying, upright]) assert.deepEqual({ ...size, ...image }, image);
  const [found, expected] = [lying.faces[0], upright.faces[0]];
  assert.ok(found && expected);
  for (const edge of ['x0', 'y0', 'x1', 'y1'] as const satisfies (keyof Box)[]) {
    const off = Math.abs(found.box[edge] - expected.box[edge]);
    assert.ok(off <= pixels, `${edge} is off by ${off}`);
  }
  for (const name of landmarkNames) {
    const [a, b] = [found.landmarks[name], expected.landmarks[name]];
    assert.ok(Math.hypot(a.x - b.x, a.y - b.y) <= pixels, `${name} is off`);
  }
  const off = Math.abs(found.pLive - expected.pLive);
  assert.ok(off <= probability, `P(live) is off by ${off}`);
  assert.deepEqual(found.verdicts, expected.verdicts);
}

describe('a photograph on its side', () => {
  for (const orientation of [3, 6, 8] as const) {
    it(`with orientation ${orientation} is the same picture, to the last bit`, async () => {
      // Without loss both copies hold the same pixels, so that nothing but the turning can differ.
      const lying = await assess(await copy(orientation).png().toBuffer());
      const upright = await assess(await copy(1).png().toBuffer());
      isNear(lying, upright, 0, 0);
    });
  }

  it('with orientation 6 as a JPEG is judged alike', async () => {
    // JPEG blocks lie otherwise in the turned copy, and its loss moves scores. At the highest quality and without colour
    // subsampling the loss is within a grey level, so a difference beyond the bounds comes from the turning.
    const options = { quality: 100, chromaSubsampling: '4:4:4' } as const;
    const bytes = await copy(6).jpeg(options).toBuffer();
    const stored = await sharp(bytes).metadata();
    assert.ok(stored.orientation === 6 && stored.width > stored.height, 'stored on its side');
    const lying = await assess(bytes);
    const upright = await assess(await copy(1).jpeg(options).toBuffer());
    const box = upright.faces[0]?.box as Box;
    isNear(lying, upright, Math.max(2, 0.01 * (box.x1 - box.x0)), 0.02);
  });

  it('without its orientation is another picture, so that the checks above say something', async () => {
    const turned = copy(6).withMetadata({ orientation: 1 });
    const { image, faces } = await engine.assess(await turned.png().toBuffer(), { admitted: imageFormats });
    assert.deepEqual([image.width, image.height], [size.height, size.width]);
    const upright = await assess(await copy(1).png().toBuffer());
    assert.notDeepEqual(faces[0]?.box, upright.faces[0]?.box);
  });
});
