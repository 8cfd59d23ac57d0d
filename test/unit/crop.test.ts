/** Which part of the picture a model sees of a face, also at the borders and for boxes that are hardly boxes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cropRegion } from '../../src/liveness/crop.ts';
import type { Box } from '../../src/liveness/types.ts';
import { models } from '../../src/models/catalog.ts';
import { type Region, toTensor } from '../../src/models/tensor.ts';

const picture = { width: 1000, height: 800 };

function box(x0: number, y0: number, x1: number, y1: number): Box {
  return { x0, y0, x1, y1 };
}

function isRegion(actual: Region, x: number, y: number, width: number, height: number): void {
  for (const [name, expected] of Object.entries({ x, y, width, height })) {
    const found = actual[name as 'x' | 'y' | 'width' | 'height'];
    assert.ok(Math.abs(found - expected) < 1e-9, `${name} is ${found}, not ${expected}`);
  }
}

describe('the crop "shift"', () => {
  const crop = (face: Box, factor = 2.7, within = picture) =>
    cropRegion(face, within, { kind: 'shift', factor });

  it('is the box grown around its centre, proportions kept', () => {
    isRegion(crop(box(400, 300, 500, 420)), 315, 198, 270, 324);
  });

  it('moves in from the left and the top', () => {
    isRegion(crop(box(10, 0, 110, 100)), 0, 0, 270, 270);
  });

  it('moves in from the right and the bottom', () => {
    isRegion(crop(box(900, 690, 1000, 790)), 730, 530, 270, 270);
  });

  it('moves in only where it must', () => {
    isRegion(crop(box(0, 300, 100, 400)), 0, 215, 270, 270);
  });

  it('grows less where the picture is too small, and keeps the proportions', () => {
    isRegion(crop(box(100, 100, 200, 300), 2.7, { width: 300, height: 300 }), 75.25, 1, 149.5, 299);
    isRegion(crop(box(100, 100, 300, 200), 2.7, { width: 300, height: 300 }), 1, 75.25, 299, 149.5);
  });

  it('shrinks a box larger than the picture', () => {
    isRegion(crop(box(-100, -100, 1100, 1100)), 100.5, 1, 799, 799);
  });

  it('comes back to the picture from a box that reaches beyond it', () => {
    isRegion(crop(box(-50, -60, 50, 40)), 0, 0, 270, 270);
    isRegion(crop(box(2000, 2000, 2100, 2100)), 730, 530, 270, 270);
  });

  it('never reaches beyond the picture', () => {
    assert.equal(crop(box(0, 0, 10, 10)).beyond, 'edge');
  });
});

describe('the crop "square-shift"', () => {
  const crop = (face: Box, factor = 1, within = picture) =>
    cropRegion(face, within, { kind: 'square-shift', factor });

  it('is a square as high as the box around its centre', () => {
    isRegion(crop(box(400, 300, 480, 400)), 390, 300, 100, 100);
    isRegion(crop(box(400, 300, 480, 400), 1.2), 380, 290, 120, 120);
  });

  it('moves in from the borders', () => {
    isRegion(crop(box(0, -20, 80, 80)), 0, 0, 100, 100);
    isRegion(crop(box(940, 720, 1020, 820)), 900, 700, 100, 100);
  });

  it('is no larger than the picture', () => {
    isRegion(crop(box(0, -100, 600, 1100)), 0, 0, 800, 800);
  });
});

describe('the crop "square-reflect"', () => {
  const crop = (face: Box, factor = 1.5) => cropRegion(face, picture, { kind: 'square-reflect', factor });

  it('is a square on the longer side, grown around the centre', () => {
    isRegion(crop(box(400, 300, 500, 420)), 360, 270, 180, 180);
    isRegion(crop(box(300, 400, 420, 500)), 270, 360, 180, 180);
  });

  it('reaches beyond the picture, which is mirrored there', () => {
    const region = crop(box(0, 700, 100, 800));
    isRegion(region, -25, 675, 150, 150);
    assert.equal(region.beyond, 'mirror');
  });
});

describe('every crop of the catalog', () => {
  const boxes = {
    'an ordinary box': box(20, 15, 60, 70),
    'one pixel in a corner': box(0, 0, 1, 1),
    'one pixel in the far corner': box(99, 89, 100, 90),
    'a line one pixel wide': box(50, 0, 51, 90),
    'a line one pixel high': box(0, 40, 100, 41),
    'a box without width': box(50, 10, 50, 80),
    'a box partly outside': box(-30, -40, 30, 20),
    'a box wholly outside': box(400, 500, 470, 580),
    'a box much larger than the picture': box(-5000, -6000, 5000, 7000),
    'the whole picture': box(0, 0, 100, 90),
  };
  const pictures = [
    { width: 100, height: 90 },
    { width: 2, height: 90 },
    { width: 100, height: 1 },
  ];
  for (const model of models) {
    if (model.task === 'detect') continue;
    for (const [name, face] of Object.entries(boxes)) {
      it(`gives numbers: ${model.id}, ${name}`, () => {
        for (const { width, height } of pictures) {
          const region = cropRegion(face, { width, height }, model.crop);
          const pixels = new Uint8Array(width * height * 3).fill(200);
          const values = toTensor({ width, height, pixels }, region, model.input);
          const expected = (200 - model.input.mean) / model.input.scale;
          for (const value of values)
            assert.ok(Math.abs(value - expected) < 0.25, `${value}, not ${expected}`);
          if (region.beyond !== 'edge') continue;
          const rounding = 1e-9;
          assert.ok(region.x >= 0 && region.y >= 0, JSON.stringify(region));
          assert.ok(region.x + region.width <= width + rounding, JSON.stringify(region));
          assert.ok(region.y + region.height <= height + rounding, JSON.stringify(region));
        }
      });
    }
  }
});
