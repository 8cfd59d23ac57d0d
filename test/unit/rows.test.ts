/** The sums over rows against sums by hand, and the bytes of the module against its text. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import wabt from 'wabt';
import { type Mix, mostRows, type Rows, rowsHeld, rowsModule, Strip } from '../../src/models/rows.ts';

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

  /** A strip for one part, which is all of it. */
  function whole(pixels: number, mix: Mix): { strip: Strip; rows: Rows } {
    const strip = new Strip(pixels, [{ left: 0, pixels, mix }]);
    return { strip, rows: strip.rows[0] as Rows };
  }

  /** Adds rows of pixels as they come, for all; `first` is the number of the first. */
  function addAll(strip: Strip, lines: readonly Uint8Array[], first: number): void {
    for (let from = 0; from < lines.length; from += rowsHeld) {
      const held = lines.slice(from, from + rowsHeld);
      for (const [place, line] of held.entries()) strip.set(place, line);
      strip.add(held.length, first + from + held.length);
    }
  }

  /** Both sums of these rows, by hand. */
  function byHand(rows: readonly Uint8Array[], length: number) {
    const sums = new Float64Array(length);
    const falling = new Float64Array(length);
    for (const [i, row] of rows.entries()) {
      for (const [at, value] of row.entries()) {
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

  function check(lines: readonly Uint8Array[], pixels: number, first = 0): void {
    const length = pixels * 3;
    const { sums, falling } = byHand(lines, length);
    const largest = Math.max(...falling.subarray(0, 1000), 1) * 8;
    const { strip, rows } = whole(pixels, each(pixels));
    const behind = first + lines.length;
    rows.begin();
    addAll(strip, lines, first);
    rows.finish(behind, -3, 5, 0.5);
    near(
      rows.row,
      sums.map((sum, i) => 0.5 * (-3 * sum + (falling[i] as number))),
      largest,
    );
    // Without further rows only what is left comes out.
    rows.finish(behind, -3, 5, 2);
    near(
      rows.row,
      sums.map((sum, i) => 2 * (5 * sum - (falling[i] as number))),
      largest,
    );
    rows.finish(behind, -3, 5, 1);
    near(rows.row, new Float64Array(length), 0);
  }

  it('adds any number of rows of any length', () => {
    const random = xoroshiro128plus(3);
    for (const pixels of [1, 5, 6, 16, 100, 4_001]) {
      for (const count of [0, 1, 2, 15, 16, 17, 33, 100]) {
        const lines = Array.from({ length: count }, () =>
          Uint8Array.from({ length: pixels * 3 }, () => uniformInt(random, 0, 255)),
        );
        check(lines, pixels, uniformInt(random, -100, 50_000));
      }
    }
  });

  it('overflows nowhere with the brightest rows', () => {
    const line = new Uint8Array(21).fill(255);
    for (const count of [16, 32, mostRows]) {
      for (const first of [0, 60_000]) check(new Array(count).fill(line), 7, first);
    }
  });

  it('has room for rows of any picture', () => {
    check([new Uint8Array(3 * 70_000).fill(9)], 70_000);
  });

  it('takes its own part of a strip, from where it begins on, and rows of its own', () => {
    const random = xoroshiro128plus(5);
    const pixels = 37;
    const bytes = () => Uint8Array.from({ length: pixels * 3 }, () => uniformInt(random, 0, 255));
    const lines = Array.from({ length: 30 }, bytes);
    const own = bytes();
    const parts = [
      { left: 0, pixels: 37, takes: lines },
      { left: 5, pixels: 11, takes: lines.slice(5) },
      { left: 36, pixels: 1, takes: [own, ...lines.slice(20)] },
    ];
    const strip = new Strip(
      pixels,
      parts.map(({ left, pixels }) => ({ left, pixels, mix: each(pixels) })),
    );
    const [all, later, last] = strip.rows as [Rows, Rows, Rows];
    all.begin();
    addAll(strip, lines.slice(0, 5), 0);
    later.begin();
    addAll(strip, lines.slice(5, 20), 5);
    last.begin();
    strip.set(0, own);
    last.add(20);
    addAll(strip, lines.slice(20), 20);
    for (const [i, { left, pixels, takes }] of parts.entries()) {
      const rows = strip.rows[i] as Rows;
      const mine = takes.map((line) => line.subarray(left * 3, (left + pixels) * 3));
      const { sums, falling } = byHand(mine, pixels * 3);
      rows.finish(30, 2, 1, 1);
      near(
        rows.row,
        sums.map((sum, at) => 2 * sum + (falling[at] as number)),
        200_000,
      );
      rows.mix();
      assert.equal(outputs(rows, 1, 0).length, pixels);
    }
  });

  it('mixes the pixels of a row by their weights', () => {
    const sources = Int32Array.of(0, 1, 3, 3, 2, 0);
    const weights = Float64Array.of(0.5, 0.5, 1, 0, 0.25, 0.75);
    const { rows } = whole(4, { count: 2, sources, weights });
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
        const { strip, rows } = whole(pixels, { count: 2, sources, weights });
        strip.set(0, above);
        strip.set(1, below);
        rows.mixTwo(1 / 4, 3 / 65_536);
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
