/** From a detector's raw numbers to boxes in pixels of the picture, with a stand-in for the network. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detect, maxFaces, minFaceSide } from '../../src/liveness/detect.ts';
import type { Box, Detection, Frame } from '../../src/liveness/types.ts';
import type { DetectorDescriptor } from '../../src/models/descriptor.ts';
import type { Session } from '../../src/models/session.ts';

type Outputs = Record<string, Float32Array>;

const common = {
  id: 'stand-in',
  task: 'detect',
  title: 'Stand-in',
  licence: 'MIT',
  origin: 'Nobody',
  sha256: '0'.repeat(64),
  threshold: 0.5,
  overlap: 0.3,
} as const;

const cornerBoxes: DetectorDescriptor = {
  ...common,
  input: { width: 320, height: 240, colour: 'rgb', mean: 0, scale: 1, resample: 'bilinear' },
  fit: 'stretch',
  output: { layout: 'corner-boxes', scores: 'confidences', boxes: 'corners', face: 1 },
};

/** An input of 3 x 2 cells at its only stride. */
const strideGrid = {
  ...common,
  input: { width: 96, height: 64, colour: 'bgr', mean: 0, scale: 1, resample: 'bilinear' },
  fit: 'letterbox',
  output: {
    layout: 'stride-grid',
    strides: [32],
    points: ['rightEye', 'leftEye', 'nose', 'rightLip', 'leftLip'],
  },
} as const satisfies DetectorDescriptor;

function frame(width: number, height: number, value = 0): Frame {
  return { format: 'png', width, height, pixels: new Uint8Array(width * height * 3).fill(value) };
}

/** The faces that `detect` makes of these outputs, whatever the picture. */
async function detected(of: Frame, detector: DetectorDescriptor, outputs: Outputs): Promise<Detection[]> {
  return (await detect(of, detector, { run: async () => outputs })).faces;
}

/** Outputs of `cornerBoxes` for faces given in pixels of a 1000 x 500 picture. */
const picture = frame(1000, 500);
function corners(...faces: [score: number, box: [number, number, number, number]][]): Outputs {
  return {
    confidences: Float32Array.from(faces.flatMap(([score]) => [1 - score, score])),
    corners: Float32Array.from(
      faces.flatMap(([, [x0, y0, x1, y1]]) => [x0 / 1000, y0 / 500, x1 / 1000, y1 / 500]),
    ),
  };
}

const boxesOf = (found: Detection[]) =>
  found.map(({ box }) => [box.x0, box.y0, box.x1, box.y1].map((value) => Math.round(value * 100) / 100));

function isBox(actual: Box, x0: number, y0: number, x1: number, y1: number): void {
  for (const [name, expected] of Object.entries({ x0, y0, x1, y1 })) {
    const found = actual[name as keyof Box];
    assert.ok(Math.abs(found - expected) < 1e-3, `${name} is ${found}, not ${expected}`);
  }
}

describe('the layout "corner-boxes"', () => {
  it('scales fractions to the picture', async () => {
    const [face, ...others] = await detected(picture, cornerBoxes, {
      confidences: Float32Array.of(0.1, 0.9),
      corners: Float32Array.of(0.1, 0.2, 0.3, 0.8),
    });
    assert.ok(face);
    isBox(face.box, 100, 100, 300, 400);
    assert.equal(face.score, Math.fround(0.9));
    assert.equal(face.landmarks, undefined);
    assert.equal(others.length, 0);
  });

  it('takes the score from the column that means "face"', async () => {
    const outputs = {
      confidences: Float32Array.of(0.9, 0.1, 0.2, 0.8),
      corners: Float32Array.of(0, 0, 0.2, 0.4, 0.5, 0.5, 0.7, 0.9),
    };
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [[500, 250, 700, 450]]);
    const first = { ...cornerBoxes, output: { ...cornerBoxes.output, face: 0 } } as DetectorDescriptor;
    assert.deepEqual(boxesOf(await detected(picture, first, outputs)), [[0, 0, 200, 200]]);
  });

  it('lets boxes reach beyond the picture', async () => {
    const found = await detected(picture, cornerBoxes, corners([0.9, [-20, -30, 80, 90]]));
    assert.deepEqual(boxesOf(found), [[-20, -30, 80, 90]]);
  });

  it('stretches the whole picture to the input', async () => {
    let seen = new Float32Array();
    const session: Session = {
      async run(input) {
        seen = new Float32Array(input);
        return corners([0.9, [0, 0, 100, 100]]);
      },
    };
    await detect(frame(1000, 500, 200), cornerBoxes, session);
    assert.equal(seen.length, 320 * 240 * 3);
    assert.ok(seen.every((value) => Math.abs(value - 200) < 0.1));
  });
});

describe('the layout "stride-grid"', () => {
  /** Outputs with one cell set. */
  function cell(
    index: number,
    values: { cls?: number; obj?: number; box?: number[]; kps?: number[] },
  ): Outputs {
    const { cls = 1, obj = 1, box = [0, 0, 0, 0], kps = new Array(10).fill(0) } = values;
    const outputs = {
      cls_32: new Float32Array(6),
      obj_32: new Float32Array(6),
      bbox_32: new Float32Array(24),
      kps_32: new Float32Array(60),
    };
    outputs.cls_32[index] = cls;
    outputs.obj_32[index] = obj;
    outputs.bbox_32.set(box, index * 4);
    outputs.kps_32.set(kps, index * 10);
    return outputs;
  }

  it('decodes centre and size on the grid, in the scale of the letterbox', async () => {
    // 960 x 320 fills the width: ten pixels of the picture to one of the input. Cell 5 is column 2 of row 1.
    const [face] = await detected(
      frame(960, 320),
      strideGrid,
      cell(5, { box: [0.25, -0.5, Math.log(0.5), Math.log(2)] }),
    );
    assert.ok(face);
    const [x, y] = [2.25 * 320, 0.5 * 320];
    isBox(face.box, x - 80, y - 320, x + 80, y + 320);
  });

  it('fits the longer side, whichever it is', async () => {
    const outputs = cell(0, { box: [0.5, 0.5, 0, 0] });
    // 64 rows of input take 640 rows of picture.
    const [tall] = await detected(frame(200, 640), strideGrid, outputs);
    assert.ok(tall);
    isBox(tall.box, 0, 0, 320, 320);
    const [wide] = await detected(frame(192, 100), strideGrid, outputs);
    assert.ok(wide);
    isBox(wide.box, 0, 0, 64, 64);
  });

  it('names the points in the order that the descriptor gives', async () => {
    const kps = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
    const [face] = await detected(frame(960, 640), strideGrid, cell(4, { kps }));
    assert.ok(face?.landmarks);
    const expected = {
      rightEye: [1.1, 1.2],
      leftEye: [1.3, 1.4],
      nose: [1.5, 1.6],
      rightLip: [1.7, 1.8],
      leftLip: [1.9, 2],
    };
    assert.deepEqual(Object.keys(face.landmarks).sort(), Object.keys(expected).sort());
    for (const [name, [x, y]] of Object.entries(expected) as [keyof typeof expected, [number, number]][]) {
      assert.ok(Math.abs(face.landmarks[name].x - x * 320) < 1e-3, `${name}.x is ${face.landmarks[name].x}`);
      assert.ok(Math.abs(face.landmarks[name].y - y * 320) < 1e-3, `${name}.y is ${face.landmarks[name].y}`);
    }
  });

  it('scores by the geometric mean of class and objectness, each kept within 0..1', async () => {
    const score = async (cls: number, obj: number) =>
      (await detected(frame(960, 640), { ...strideGrid, threshold: 0 }, cell(0, { cls, obj })))[0]?.score;
    assert.equal(await score(0.25, 1), 0.5);
    assert.equal(await score(1.5, 0.25), 0.5);
    assert.equal(await score(4, 4), 1);
    assert.equal(await score(-1, 1), 0);
    // Two negative values must not multiply to a face.
    assert.equal((await detected(frame(960, 640), strideGrid, cell(0, { cls: -1, obj: -1 }))).length, 0);
  });

  it('reads every stride', async () => {
    const outputs = {
      ...cell(0, { box: [0, 0, 0, 0] }),
      cls_16: new Float32Array(24),
      obj_16: new Float32Array(24),
      bbox_16: new Float32Array(96),
      kps_16: new Float32Array(240),
    };
    // Row 3, column 5 of the finer grid.
    outputs.cls_16[23] = 1;
    outputs.obj_16[23] = 1;
    const both: DetectorDescriptor = { ...strideGrid, output: { ...strideGrid.output, strides: [16, 32] } };
    assert.deepEqual(boxesOf(await detected(frame(960, 640), both, outputs)), [
      [-160, -160, 160, 160],
      [720, 400, 880, 560],
    ]);
  });

  it('pads right and below with black', async () => {
    let seen = new Float32Array();
    const session: Session = {
      async run(input) {
        seen = new Float32Array(input);
        return cell(0, { box: [0, 0, 2, 2] });
      },
    };
    const at = (x: number, y: number) => seen[y * 96 + x] as number;
    await detect(frame(960, 320, 200), strideGrid, session);
    assert.deepEqual([at(0, 0), at(95, 0), at(95, 30)].map(Math.round), [200, 200, 200]);
    assert.deepEqual([at(0, 33), at(95, 63)], [0, 0]);
    await detect(frame(480, 640, 200), strideGrid, session);
    assert.deepEqual([at(0, 0), at(46, 0), at(46, 63)].map(Math.round), [200, 200, 200]);
    assert.deepEqual([at(49, 0), at(95, 63)], [0, 0]);
  });
});

describe('a picture in which the first look finds nothing', () => {
  /** What the network is shown, look by look, while it answers with these outputs in turn. */
  async function looks(of: Frame, detector: DetectorDescriptor, ...answers: Outputs[]) {
    const seen: Float32Array[] = [];
    const session: Session = {
      async run(input) {
        seen.push(new Float32Array(input));
        return answers[seen.length - 1] as Outputs;
      },
    };
    return { found: await detect(of, detector, session), seen };
  }
  const none = corners();
  const one = (score: number) => corners([score, [0, 0, 1000, 500]]);

  it('is looked at twice more, from further off', async () => {
    const { found, seen } = await looks(picture, cornerBoxes, none, none, one(0.9));
    assert.equal(seen.length, 3);
    // The box fills what was shown, which is 1.6 times the picture around its middle.
    assert.deepEqual(boxesOf(found.faces), [[-300, -150, 1300, 650]]);
    const [near] = (await looks(picture, cornerBoxes, none, one(0.9))).found.faces;
    isBox((near as Detection).box, -150, -75, 1150, 575);
  });

  it('has its points where they are, too, of a detector that gives them', async () => {
    const empty = {
      cls_32: new Float32Array(6),
      obj_32: new Float32Array(6),
      bbox_32: new Float32Array(24),
      kps_32: new Float32Array(60),
    };
    const whole = {
      ...empty,
      cls_32: Float32Array.of(1, 0, 0, 0, 0, 0),
      obj_32: Float32Array.of(1, 0, 0, 0, 0, 0),
      bbox_32: Float32Array.from({ length: 24 }, (_, i) =>
        i === 2 ? Math.log(3) : i === 3 ? Math.log(2) : 0,
      ),
    };
    // 96 x 64 of input are 1.3 times the picture of 960 x 640 around its middle: 13 pixels for each of the input's.
    const { found } = await looks(frame(960, 640, 100), strideGrid, empty, whole);
    const [face] = found.faces as [Detection];
    isBox(face.box, -144 - 624, -96 - 416, -144 + 624, -96 + 416);
    assert.deepEqual(face.landmarks?.nose, { x: -144, y: -96 });
  });

  it('is not looked at again where there is a face, or one too small', async () => {
    assert.equal((await looks(picture, cornerBoxes, one(0.9))).seen.length, 1);
    const small = corners([0.9, [0, 0, 50, 50]]);
    const { found, seen } = await looks(picture, cornerBoxes, small);
    assert.equal(seen.length, 1);
    assert.equal(found.tooSmall, 1);
  });

  it('has no face where none is found by any look', async () => {
    const { found, seen } = await looks(picture, cornerBoxes, none, none, none);
    assert.deepEqual(found, { faces: [], tooSmall: 0 });
    assert.equal(seen.length, 3);
  });

  it('is asked for less the second time, and never for more than the first', async () => {
    const strictest = { ...cornerBoxes, threshold: 0.8 };
    assert.equal((await looks(picture, strictest, one(0.6), one(0.6))).found.faces.length, 1);
    const lenient = { ...cornerBoxes, threshold: 0.3 };
    assert.equal((await looks(picture, lenient, none, one(0.35))).found.faces.length, 1);
    assert.equal((await looks(picture, strictest, none, one(0.45), none)).found.faces.length, 0);
  });

  it('is shown with every level as often as every other, then from black to white', async () => {
    // A dark half with little contrast, and a glaring one.
    const backlit = frame(320, 240, 0);
    for (let y = 0; y < 240; y++) {
      for (let x = 0; x < 320; x++) {
        backlit.pixels.fill(
          x < 160 ? 20 + (y % 20) : 220 + (y % 20),
          (y * 320 + x) * 3,
          (y * 320 + x) * 3 + 3,
        );
      }
    }
    const grey = { ...cornerBoxes, input: { ...cornerBoxes.input, mean: 0, scale: 1 } };
    const { seen } = await looks(backlit, grey, none, none, none);
    const spread = (tensor: Float32Array) => {
      const dark = tensor.filter((_, i) => i % 320 > 60 && i % 320 < 140);
      return Math.max(...dark) - Math.min(...dark);
    };
    const [first, equalised, stretched] = seen.map(spread) as [number, number, number];
    assert.ok(equalised > 4 * first, `${first} -> ${equalised}`);
    assert.ok(stretched > first, `${first} -> ${stretched}`);
    assert.ok(seen.every((tensor) => tensor.every((value) => value >= 0 && value <= 255)));
  });

  it('is scaled as the first is', async () => {
    const { seen } = await looks(
      frame(320, 240, 200),
      { ...cornerBoxes, input: { ...cornerBoxes.input, mean: 127, scale: 128 } },
      none,
      none,
      none,
    );
    assert.ok(seen.every((tensor) => tensor.every((value) => value >= -1 && value <= 1)));
  });
});

describe('detections', () => {
  it('count from the threshold on', async () => {
    const outputs = corners([0.5, [0, 0, 100, 100]], [0.4999, [500, 0, 600, 100]]);
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [[0, 0, 100, 100]]);
  });

  it('are dropped where their score is not a number', async () => {
    const outputs = corners([Number.NaN, [0, 0, 100, 100]], [0.9, [500, 0, 600, 100]]);
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [[500, 0, 600, 100]]);
    const grid = {
      cls_32: new Float32Array(6).fill(Number.NaN),
      obj_32: new Float32Array(6).fill(1),
      bbox_32: new Float32Array(24),
      kps_32: new Float32Array(60),
    };
    assert.deepEqual(await detected(frame(960, 640), strideGrid, grid), []);
  });

  it('may be none', async () => {
    assert.deepEqual(await detected(picture, cornerBoxes, corners()), []);
  });

  it('leave the best-scored of boxes that overlap too much', async () => {
    // 100 x 100 each, moved by 50: the shared 5,000 are a third of the 15,000 covered.
    const outputs = corners([0.8, [0, 0, 100, 100]], [0.9, [50, 0, 150, 100]], [0.7, [100, 0, 200, 100]]);
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [[50, 0, 150, 100]]);
  });

  it('keep boxes that overlap no more than the limit', async () => {
    // Moved by 60: 4,000 of 16,000 are a quarter.
    const outputs = corners([0.8, [0, 0, 100, 100]], [0.9, [60, 0, 160, 100]]);
    assert.equal((await detected(picture, cornerBoxes, outputs)).length, 2);
    assert.equal((await detected(picture, { ...cornerBoxes, overlap: 0.2 }, outputs)).length, 1);
  });

  it('keep a box that only a dropped one overlaps', async () => {
    const outputs = corners([0.9, [0, 0, 100, 100]], [0.8, [50, 0, 150, 100]], [0.7, [101, 0, 201, 100]]);
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [
      [0, 0, 100, 100],
      [101, 0, 201, 100],
    ]);
  });

  it('need not score less to lie apart', async () => {
    const outputs = corners([0.9, [0, 0, 100, 100]], [0.9, [100, 0, 200, 100]], [0.9, [0, 100, 100, 200]]);
    assert.equal((await detected(picture, cornerBoxes, outputs)).length, 3);
  });

  it('come largest first', async () => {
    const outputs = corners(
      [0.7, [0, 0, 110, 110]],
      [0.9, [200, 0, 270, 70]],
      [0.8, [400, 0, 600, 200]],
      // High and narrow: the highest, not the largest.
      [0.6, [700, 0, 720, 300]],
    );
    assert.deepEqual(
      (await detected(picture, cornerBoxes, outputs)).map(({ score }) => Math.round(score * 10)),
      [8, 7, 6, 9],
    );
  });

  it(`are faces from ${minFaceSide} pixels of their longer side on`, async () => {
    assert.equal(minFaceSide, 60);
    const outputs = corners(
      [0.9, [0, 0, 40, 60.01]],
      [0.9, [200, 0, 259.9, 59.9]],
      [0.9, [400, 0, 460.01, 30]],
    );
    assert.deepEqual(boxesOf(await detected(picture, cornerBoxes, outputs)), [
      [0, 0, 40, 60.01],
      [400, 0, 460.01, 30],
    ]);
  });

  it('are no faces where the box has no width or no height, in whatever picture', async () => {
    const outputs = corners([0.9, [100, 0, 100, 400]], [0.9, [400, 300, 200, 400]], [0.9, [500, 0, 900, 0]]);
    for (const shown of [picture, frame(1, 1000), frame(1000, 1)]) {
      assert.deepEqual(await detected(shown, cornerBoxes, outputs), []);
    }
  });

  it('are counted where they are too small, once each', async () => {
    const outputs = corners(
      [0.9, [0, 0, 50, 50]],
      // The same small face again, one that is none by its score, and one that is large enough.
      [0.8, [2, 0, 52, 50]],
      [0.4, [200, 0, 250, 50]],
      [0.9, [400, 0, 500, 100]],
      [0.9, [600, 0, 640, 40]],
    );
    const { faces, tooSmall } = await detect(picture, cornerBoxes, { run: async () => outputs });
    assert.equal(faces.length, 1);
    assert.equal(tooSmall, 2);
  });

  it(`are the ${maxFaces} largest of a crowd`, async () => {
    assert.equal(maxFaces, 20);
    // Side 61, 62, ... in a row without overlap; the smallest scores best.
    const crowd = Array.from({ length: 25 }, (_, i): [number, [number, number, number, number]] => [
      0.95 - i * 0.01,
      [i * 100, 0, i * 100 + 61 + i, 61 + i],
    ]);
    const { faces, tooSmall } = await detect(picture, cornerBoxes, { run: async () => corners(...crowd) });
    assert.equal(tooSmall, 0);
    assert.deepEqual(
      boxesOf(faces).map(([x0, , x1]) => Math.round((x1 as number) - (x0 as number))),
      Array.from({ length: 20 }, (_, i) => 85 - i),
    );
  });

  it('are not made up where the network lacks an output', async () => {
    await assert.rejects(detected(picture, cornerBoxes, { confidences: Float32Array.of(0, 1) }), /corners/);
  });
});
