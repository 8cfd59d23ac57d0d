/** Pixels to network input, against values computed by hand. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { InputDescriptor } from '../../src/models/descriptor.ts';
import {
  mirror,
  type Pixels,
  type Region,
  toTensor,
  toTensors,
  valueCount,
} from '../../src/models/tensor.ts';

/** A grey picture from its rows. */
function grey(...rows: number[][]): Pixels {
  return {
    width: (rows[0] as number[]).length,
    height: rows.length,
    pixels: Uint8Array.from(rows.flat().flatMap((value) => [value, value, value])),
  };
}

/** The same picture with columns for rows. */
function turned({ width, height, pixels }: Pixels): Pixels {
  const rows = Array.from({ length: width }, (_, x) =>
    Array.from({ length: height }, (_, y) => pixels[(y * width + x) * 3] as number),
  );
  return grey(...rows);
}

function input(width: number, height: number, rest: Partial<InputDescriptor> = {}): InputDescriptor {
  return { width, height, colour: 'grey', mean: 0, scale: 1, resample: 'bilinear', ...rest };
}

function whole({ width, height }: Pixels, beyond: Region['beyond'] = 'edge'): Region {
  return { x: 0, y: 0, width, height, beyond };
}

/** Within what the vertical pass's whole-number weights may be off. */
function near(actual: Float32Array, expected: readonly number[], tolerance = 0.02): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const found = actual[i] as number;
    assert.ok(Math.abs(found - value) <= tolerance, `value ${i} is ${found}, not ${value}: [${actual}]`);
  }
}

/** One row of pixels to `outputs` values, checked lying and standing: both passes must sample alike. */
function sampled(
  row: number[],
  outputs: number,
  resample: InputDescriptor['resample'],
  region: { start: number; length: number; beyond: Region['beyond'] },
  expected: readonly number[],
): void {
  const { start, length, beyond } = region;
  const lying = grey(row);
  near(
    toTensor(lying, { x: start, y: 0, width: length, height: 1, beyond }, input(outputs, 1, { resample })),
    expected,
  );
  near(
    toTensor(
      turned(lying),
      { x: 0, y: start, width: 1, height: length, beyond },
      input(1, outputs, { resample }),
    ),
    expected,
  );
}

describe('bilinear sampling', () => {
  it('takes a picture of the same size as it is', () => {
    const picture = grey([1, 2, 3], [40, 50, 60]);
    near(toTensor(picture, whole(picture), input(3, 2)), [1, 2, 3, 40, 50, 60], 0);
  });

  it('enlarges between the centres of the pixels', () => {
    const region = { start: 0, length: 2, beyond: 'edge' } as const;
    sampled([0, 100], 4, 'bilinear', region, [0, 25, 75, 100]);
  });

  it('mixes only the two nearest pixels of a row when it shrinks', () => {
    const region = { start: 0, length: 8, beyond: 'edge' } as const;
    sampled([255, 10, 20, 255, 255, 60, 90, 255], 2, 'bilinear', region, [15, 75]);
  });

  it('mixes the four nearest pixels', () => {
    const picture = grey([0, 40], [80, 200]);
    near(toTensor(picture, { x: 0.25, y: 0.75, width: 1, height: 1, beyond: 'edge' }, input(1, 1)), [
      0.25 * (0.75 * 0 + 0.25 * 40) + 0.75 * (0.75 * 80 + 0.25 * 200),
    ]);
  });

  it('takes a region from within the picture', () => {
    const picture = grey([1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]);
    const region = { x: 1, y: 1, width: 2, height: 2, beyond: 'edge' } as const;
    near(toTensor(picture, region, input(2, 2)), [6, 7, 10, 11], 0);
  });
});

describe('triangle sampling', () => {
  it('is bilinear where nothing shrinks', () => {
    const region = { start: 0, length: 2, beyond: 'edge' } as const;
    sampled([0, 100], 4, 'triangle', region, [0, 25, 75, 100]);
    sampled([7, 70], 2, 'triangle', region, [7, 70]);
  });

  it('mixes every pixel that it shrinks away, by its distance', () => {
    const row = [8, 0, 16, 80, 200, 24, 40, 120];
    // The centres fall on 1.5 and 5.5; a pixel d away weighs (1 - d / 4) / 4, and the border stands for what lies beyond.
    const [far, third, second, next] = [0.125 / 4, 0.375 / 4, 0.625 / 4, 0.875 / 4];
    const at = (i: number) => row[Math.min(Math.max(i, 0), 7)] as number;
    const around = (c: number) =>
      far * (at(c - 3) + at(c + 4)) +
      third * (at(c - 2) + at(c + 3)) +
      second * (at(c - 1) + at(c + 2)) +
      next * (at(c) + at(c + 1));
    const region = { start: 0, length: 8, beyond: 'edge' } as const;
    sampled(row, 2, 'triangle', region, [around(1), around(5)]);
    // The same in figures, so that the formula above is not the only witness.
    sampled(row, 2, 'triangle', region, [37.75, 87]);
  });

  it('mixes five pixels where five are within reach', () => {
    // The centres fall on 0.75 and 3.25; a pixel d away weighs (1 - d / 2.5) / 2.5.
    const region = { start: 0, length: 5, beyond: 'edge' } as const;
    sampled([0, 0, 0, 100, 0], 2, 'triangle', region, [4, 36]);
    sampled([0, 100, 0, 0, 0], 2, 'triangle', region, [36, 4]);
  });

  it('leaves no pixel out, however much it shrinks', () => {
    const row = Array.from({ length: 999 }, () => 0);
    const light = (i: number) => {
      const lit = grey(row.with(i, 255));
      return toTensor(lit, whole(lit), input(3, 1, { resample: 'triangle' })).reduce((a, b) => a + b, 0);
    };
    for (const i of [1, 166, 333, 500, 832, 997]) assert.ok(light(i) > 0.1, `pixel ${i} is lost`);
  });
});

describe('a picture of one colour', () => {
  const colours = [0, 1, 127, 254, 255];
  const regions = {
    'the whole picture': { x: 0, y: 0, width: 1000, height: 700 },
    'a part of it, enlarged': { x: 400.3, y: 300.7, width: 3.1, height: 2.2 },
    'more than the picture': { x: -500, y: -900, width: 2000, height: 2500 },
    'nothing of the picture': { x: 5000, y: -4000, width: 100, height: 100 },
    'one point': { x: 12, y: 13, width: 0, height: 0 },
  };
  for (const resample of ['bilinear', 'triangle'] as const) {
    for (const beyond of ['edge', 'mirror'] as const) {
      for (const [name, region] of Object.entries(regions)) {
        it(`stays what it is, borders included: ${resample}, ${beyond}, ${name}`, () => {
          for (const colour of colours) {
            const picture = { width: 1000, height: 700, pixels: new Uint8Array(1000 * 700 * 3).fill(colour) };
            const values = toTensor(picture, { ...region, beyond }, input(17, 13, { resample }));
            // A quarter of a grey level: sixty and more whole-number weights add up.
            near(values, new Array(17 * 13).fill(colour), 0.25);
          }
        });
      }
    }
  }
});

describe('several views of one picture', () => {
  it('are what each is by itself', () => {
    const random = xoroshiro128plus(6);
    const [width, height] = [311, 257];
    const pixels = Uint8Array.from({ length: width * height * 3 }, () => uniformInt(random, 0, 255));
    const picture = { width, height, pixels };
    const regions: Omit<Region, 'beyond'>[] = [
      { x: 0, y: 0, width, height },
      { x: 40.4, y: 12.9, width: 200.3, height: 201.7 },
      { x: -30, y: -70, width: 300, height: 400 },
      { x: 100, y: 100, width: 9, height: 8 },
      { x: 290, y: 240, width: 200, height: 200 },
      { x: 0, y: 400, width: 100, height: 100 },
      { x: 0, y: -400, width: 100, height: 100 },
    ];
    const views = regions.flatMap((region) =>
      (['edge', 'mirror', 'black'] as const).flatMap((beyond) =>
        (['bilinear', 'triangle'] as const).map((resample) => ({
          region: { ...region, beyond },
          input: input(17, 13, { resample }),
        })),
      ),
    );
    const together = toTensors(picture, views);
    for (const [i, { region, input }] of views.entries()) {
      assert.deepEqual(together[i], toTensor(picture, region, input), JSON.stringify(region));
    }
  });
});

describe('beyond the picture', () => {
  const row = [100, 150, 200];
  const region = { start: -2, length: 7 } as const;

  it('repeats the edge', () => {
    sampled(row, 7, 'bilinear', { ...region, beyond: 'edge' }, [100, 100, 100, 150, 200, 200, 200]);
  });

  it('mirrors without the edge itself', () => {
    sampled(row, 7, 'bilinear', { ...region, beyond: 'mirror' }, [200, 150, 100, 150, 200, 150, 100]);
  });

  it('mirrors again where the mirror image ends', () => {
    sampled(row, 5, 'bilinear', { start: -5, length: 5, beyond: 'mirror' }, [150, 100, 150, 200, 150]);
  });

  it('mirrors a single pixel onto itself', () => {
    sampled([70], 3, 'bilinear', { start: -1, length: 3, beyond: 'mirror' }, [70, 70, 70]);
  });

  it('is black', () => {
    sampled(row, 7, 'bilinear', { ...region, beyond: 'black' }, [0, 0, 100, 150, 200, 0, 0]);
  });

  it('mixes the border with black', () => {
    sampled([100, 200], 4, 'bilinear', { start: 0, length: 2, beyond: 'black' }, [75, 125, 175, 150]);
  });
});

describe('a region that is no place', () => {
  const picture = grey([10, 20], [30, 40]);
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e16, -1e16]) {
    for (const name of ['x', 'y', 'width', 'height'] as const) {
      for (const resample of ['bilinear', 'triangle'] as const) {
        it(`is refused: ${name} ${number}, ${resample}`, () => {
          const region = { ...whole(picture), [name]: number };
          assert.throws(() => toTensor(picture, region, input(1, 1, { resample })), RangeError);
        });
      }
    }
  }
});

describe('the layout', () => {
  /** Two pixels: one reddish, one bluish. */
  const picture: Pixels = { width: 2, height: 1, pixels: Uint8Array.from([200, 100, 50, 10, 20, 240]) };
  const values = (rest: Partial<InputDescriptor>) => toTensor(picture, whole(picture), input(2, 1, rest));

  it('puts red before green before blue, a plane each', () => {
    near(values({ colour: 'rgb' }), [200, 10, 100, 20, 50, 240], 0);
  });

  it('puts blue first where the model was trained on that', () => {
    near(values({ colour: 'bgr' }), [50, 240, 100, 20, 200, 10], 0);
  });

  it('weighs the colours into one grey plane', () => {
    near(
      values({ colour: 'grey' }),
      [0.299 * 200 + 0.587 * 100 + 0.114 * 50, 0.299 * 10 + 0.587 * 20 + 0.114 * 240],
      1e-4,
    );
  });

  it('takes the mean away before it divides by the scale', () => {
    const scaling = { mean: 127, scale: 128 };
    near(
      values({ colour: 'rgb', ...scaling }),
      [200, 10, 100, 20, 50, 240].map((value) => (value - 127) / 128),
      1e-6,
    );
    near(
      values({ colour: 'grey', ...scaling }),
      [124.2, 42.09].map((value) => (value - 127) / 128),
      1e-4,
    );
  });

  it('has a value for every pixel of every plane', () => {
    assert.equal(valueCount(input(5, 7, { colour: 'rgb' })), 105);
    assert.equal(valueCount(input(5, 7, { colour: 'bgr' })), 105);
    assert.equal(valueCount(input(5, 7, { colour: 'grey' })), 35);
    assert.equal(values({ colour: 'bgr' }).length, 6);
  });

  it('goes through the rows one after another', () => {
    const rows = grey([1, 2], [3, 4], [5, 6]);
    near(toTensor(rows, whole(rows), input(2, 3, { colour: 'rgb' })).subarray(0, 6), [1, 2, 3, 4, 5, 6], 0);
  });
});

describe('the mirror image', () => {
  it('has every row of every plane the other way round, and leaves the tensor as it is', () => {
    const tensor = Float32Array.from({ length: 18 }, (_, i) => i);
    const mirrored = mirror(tensor, input(3, 2, { colour: 'rgb' }));
    assert.deepEqual([...mirrored], [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 17, 16, 15]);
    assert.equal(tensor[0], 0);
  });
});
