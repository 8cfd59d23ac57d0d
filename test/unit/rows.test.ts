/** The sums over rows against sums by hand, and the bytes of the module against its text. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import wabt from 'wabt';
import { mostRows, Rows, rowsModule } from '../../src/models/rows.ts';

describe('the module', () => {
  it('is what its text makes', async () => {
    const file = new URL('../../src/models/rows.wat', import.meta.url);
    const module = (await wabt()).parseWat('rows.wat', await readFile(file, 'utf8'), { simd: true });
    module.validate();
    const bytes = Buffer.from(module.toBinary({}).buffer).toString('base64');
    assert.equal(rowsModule, bytes, 'Put these bytes into src/models/rows.ts.');
  });
});

describe('Rows', () => {
  /** Takes every pixel by itself. */
  const each = (pixels: number) => ({
    count: 1,
    sources: Int32Array.from({ length: pixels }, (_, i) => i),
    weights: new Float64Array(pixels).fill(1),
  });

  /** Both sums of these rows, by hand. */
  function byHand(rows: readonly (Uint8Array | undefined)[], length: number) {
    const sums = new Float64Array(length);
    const falling = new Float64Array(length);
    for (const [i, row] of rows.entries()) {
      for (const [at, value] of (row ?? []).entries()) {
        sums[at] = (sums[at] as number) + value;
        falling[at] = (falling[at] as number) + value * (rows.length - i);
      }
    }
    return { sums, falling };
  }

  /** That values are what they should be but for the rounding of 32 bits. */
  function near(actual: Float32Array, expected: Float64Array, largest: number): void {
    assert.equal(actual.length, expected.length);
    for (const [i, value] of expected.entries()) {
      const off = Math.abs((actual[i] as number) - value);
      assert.ok(off <= largest * 3e-7, `value ${i} is ${actual[i]}, not ${value}`);
    }
  }

  function check(lines: readonly (Uint8Array | undefined)[], pixels: number): void {
    const length = pixels * 3;
    const { sums, falling } = byHand(lines, length);
    const largest = Math.max(...falling.subarray(0, 1000), 1) * 8;
    const rows = new Rows(pixels, each(pixels));
    for (const line of lines) rows.add(line);
    rows.finish(-3, 5, 0.5);
    near(
      rows.row,
      sums.map((sum, i) => 0.5 * (-3 * sum + (falling[i] as number))),
      largest,
    );
    // Without further rows only what is left comes out.
    rows.finish(-3, 5, 2);
    near(
      rows.row,
      sums.map((sum, i) => 2 * (5 * sum - (falling[i] as number))),
      largest,
    );
    rows.finish(-3, 5, 1);
    near(rows.row, new Float64Array(length), 0);
  }

  it('adds any number of rows of any length', () => {
    const random = xoroshiro128plus(3);
    for (const pixels of [1, 5, 6, 16, 100, 4_001]) {
      for (const count of [0, 1, 2, 15, 16, 17, 33, 100]) {
        const lines = Array.from({ length: count }, () =>
          uniformInt(random, 0, 9) === 0
            ? undefined
            : Uint8Array.from({ length: pixels * 3 }, () => uniformInt(random, 0, 255)),
        );
        check(lines, pixels);
      }
    }
  });

  it('overflows nowhere with the brightest rows', () => {
    const line = new Uint8Array(21).fill(255);
    for (const count of [16, 32, mostRows]) check(new Array(count).fill(line), 7);
  });

  it('has room for rows of any picture', () => {
    check([new Uint8Array(3 * 70_000).fill(9)], 70_000);
  });

  it('mixes the pixels of a row by their weights', () => {
    const sources = Int32Array.of(0, 1, 3, 3, 2, 0);
    const weights = Float64Array.of(0.5, 0.5, 1, 0, 0.25, 0.75);
    const rows = new Rows(4, { count: 2, sources, weights });
    rows.row.set([1, 2, 3, 5, 6, 7, 40, 80, 120, 100, 200, 240]);
    rows.mix();
    assert.deepEqual(outputs(rows, 1, 0), [
      [3, 4, 5],
      [100, 200, 240],
      [10.75, 21.5, 32.25],
    ]);
    assert.deepEqual(outputs(rows, 0.5, -1), [
      [0.5, 1, 1.5],
      [49, 99, 119],
      [4.375, 9.75, 15.125],
    ]);
  });

  it('mixes the pixels of two rows at once', () => {
    const random = xoroshiro128plus(4);
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => uniformInt(random, 0, 255));
    for (const pixels of [1, 2, 5, 6, 300]) {
      for (const count of [1, 3, 4, 5, 33]) {
        const [above, below] = [bytes(pixels * 3), bytes(pixels * 3)];
        const sources = Int32Array.from({ length: count * 2 }, () => uniformInt(random, 0, pixels - 1));
        const weights = Float64Array.from({ length: count * 2 }, () => uniformInt(random, 0, 8) / 8);
        const rows = new Rows(pixels, { count: 2, sources, weights });
        rows.mixTwo(above, below, 1 / 4, 3 / 65_536);
        const level = (tap: number, colour: number) => {
          const at = (sources[tap] as number) * 3 + colour;
          return (above[at] as number) / 4 + ((below[at] as number) * 3) / 65_536;
        };
        const expected = Array.from({ length: count }, (_, i) =>
          [0, 1, 2].map((colour) =>
            Math.fround(
              (weights[i * 2] as number) * level(i * 2, colour) +
                (weights[i * 2 + 1] as number) * level(i * 2 + 1, colour),
            ),
          ),
        );
        assert.deepEqual(outputs(rows, 1, 0), expected);
      }
    }
  });

  /** Red, green and blue of each output. */
  function outputs(rows: Rows, scale: number, offset: number): number[][] {
    const [red, green, blue] = rows.planes(scale, offset);
    return Array.from(red, (value, i) => [value, green[i] as number, blue[i] as number]);
  }
});
