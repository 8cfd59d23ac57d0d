/** Where the drawings over a picture lie, and that their text needs no font. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawings } from '../../src/cli/annotate.ts';
import { decodeRaster, encodeJpeg } from '../../src/liveness/raster.ts';
import type { Assessment, Box, Face } from '../../src/liveness/types.ts';
import { measures } from '../helpers/measures.ts';

const face = (box: Box, verdict: 'live' | 'attack' = 'live'): Face => {
  const middle = { x: (box.x0 + box.x1) / 2, y: (box.y0 + box.y1) / 2 };
  return {
    box,
    detectionScore: 1,
    landmarks: { leftEye: middle, rightEye: middle, nose: middle, leftLip: middle, rightLip: middle },
    pLive: 0.5,
    verdicts: { weak: 'live', balanced: verdict, strict: 'attack' },
    scores: [],
    measures,
    warnings: [],
  };
};
const assessment = (width: number, height: number, ...faces: Face[]): Assessment => ({
  image: { format: 'png', width, height },
  faces,
  tooSmall: 0,
  warnings: [],
  timings: {},
});

/** The drawings laid over a grey picture, as pixels. */
async function paint(of: Assessment) {
  const { width, height } = of.image;
  const grey = { width, height, pixels: new Uint8Array(width * height * 3).fill(128) };
  const { pixels } = await decodeRaster(await encodeJpeg(grey, drawings(of, 'balanced')), width * height);
  const at = (x: number, y: number) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  const isLike = (x: number, y: number, colour: readonly number[]) =>
    at(x, y).every((value, i) => Math.abs(value - (colour[i] as number)) < 40);
  /** How many pixels of the region are nearly white. */
  const whites = ({ x0, y0, x1, y1 }: Box) => {
    let count = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) if (isLike(x, y, [255, 255, 255])) count++;
    return count;
  };
  return { isLike, whites };
}

const green = [26, 150, 65];
const red = [215, 25, 28];
const grey = [128, 128, 128];

describe('a drawing', () => {
  it('frames the face in the colour of its verdict, at the operating point', async () => {
    const box = { x0: 300, y0: 300, x1: 700, y1: 800 };
    for (const [verdict, colour] of [
      ['live', green],
      ['attack', red],
    ] as const) {
      const { isLike, whites } = await paint(assessment(1000, 1000, face(box, verdict)));
      for (const [x, y] of [
        [300, 500],
        [700, 500],
        [500, 300],
        [500, 800],
      ] as const) {
        assert.ok(isLike(x, y, colour), `${verdict} at ${x}, ${y}`);
      }
      assert.ok(isLike(400, 400, grey));
      // The label above: 50 px high, its text in white.
      assert.ok(isLike(303, 253, colour));
      assert.ok(whites({ x0: 300, y0: 252, x1: 600, y1: 298 }) > 500);
    }
  });

  it('has its label below or inside where there is no room above', async () => {
    const below = await paint(assessment(1000, 1000, face({ x0: 300, y0: 10, x1: 700, y1: 800 })));
    assert.ok(below.isLike(303, 845, green));
    const inside = await paint(assessment(1000, 1000, face({ x0: 300, y0: -20, x1: 700, y1: 1020 })));
    assert.ok(inside.isLike(303, 3, green));
  });

  it('never has its label beyond the picture', async () => {
    const right = await paint(assessment(1000, 1000, face({ x0: 900, y0: 300, x1: 1100, y1: 600 })));
    assert.ok(right.isLike(997, 253, green));
    const tiny = await paint(assessment(60, 60, face({ x0: 5, y0: 5, x1: 55, y1: 58 })));
    assert.ok(tiny.isLike(59, 6, green));
  });

  it('stays with a face at the very edge, and one larger than the picture', async () => {
    await paint(assessment(100, 100, face({ x0: 95, y0: 95, x1: 180, y1: 180 })));
    await paint(assessment(100, 100, face({ x0: -50, y0: -50, x1: 180, y1: 180 })));
    await paint(assessment(20, 3, face({ x0: 0, y0: 0, x1: 20, y1: 3 })));
  });

  it('numbers faces only where there are several, and uses no font', () => {
    const one = face({ x0: 10, y0: 10, x1: 90, y1: 90 });
    const path = (of: Assessment, i: number) =>
      /<path d="([^"]*)"/.exec(`${drawings(of, 'weak')[i]?.input}`)?.[1];
    const alone = path(assessment(100, 100, one), 0);
    const [first, second] = [0, 1].map((i) => path(assessment(100, 100, one, one), i));
    assert.ok(alone && first && second);
    assert.ok(first.length > alone.length);
    assert.notEqual(first, second);
    assert.ok(!`${drawings(assessment(100, 100, one), 'weak')[0]?.input}`.includes('<text'));
  });
});
