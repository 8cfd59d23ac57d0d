/** The sums over rows against sums by hand, and the bytes of the module against its text. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import wabt from 'wabt';
import { mostRows, RowSums, rowsModule } from '../../src/models/rows.ts';

describe('the module', () => {
  it('is what its text makes', async () => {
    const file = new URL('../../src/models/rows.wat', import.meta.url);
    const module = (await wabt()).parseWat('rows.wat', await readFile(file, 'utf8'), { simd: true });
    module.validate();
    const bytes = Buffer.from(module.toBinary({}).buffer).toString('base64');
    assert.equal(rowsModule, bytes, 'Put these bytes into src/models/rows.ts.');
  });
});

describe('RowSums', () => {
  /** Both sums of these rows, by hand. */
  function byHand(rows: readonly (Uint8Array | undefined)[], length: number) {
    const sums = new Uint32Array(length);
    const falling = new Uint32Array(length);
    for (const [i, row] of rows.entries()) {
      for (const [at, value] of (row ?? []).entries()) {
        sums[at] = (sums[at] as number) + value;
        falling[at] = (falling[at] as number) + value * (rows.length - i);
      }
    }
    return { sums, falling };
  }

  function check(
    rows: readonly (Uint8Array | undefined)[],
    length: number,
    made = new RowSums(length),
  ): void {
    made.clear();
    for (const row of rows) made.add(row);
    const { sums, falling } = made.total();
    const expected = byHand(rows, length);
    assert.deepEqual(sums.subarray(0, length), expected.sums, `${rows.length} rows of ${length}`);
    assert.deepEqual(falling.subarray(0, length), expected.falling, `${rows.length} rows of ${length}`);
  }

  it('adds any number of rows of any length', () => {
    const random = xoroshiro128plus(3);
    for (const length of [1, 3, 15, 16, 17, 48, 300, 12_003]) {
      for (const count of [0, 1, 2, 15, 16, 17, 33, 100]) {
        const rows = Array.from({ length: count }, () =>
          uniformInt(random, 0, 9) === 0
            ? undefined
            : Uint8Array.from({ length }, () => uniformInt(random, 0, 255)),
        );
        check(rows, length);
      }
    }
  });

  it('overflows nowhere with the brightest rows', () => {
    const row = new Uint8Array(20).fill(255);
    for (const count of [16, 32, mostRows]) check(new Array(count).fill(row), 20);
  });

  it('begins anew when it is cleared', () => {
    const made = new RowSums(5);
    check([Uint8Array.of(1, 2, 3, 4, 5)], 5, made);
    check([Uint8Array.of(5, 4, 3, 2, 1), undefined], 5, made);
  });

  it('has room for rows of any picture', () => {
    const length = 3 * 70_000;
    check([new Uint8Array(length).fill(9)], length);
  });
});
