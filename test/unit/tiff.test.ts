/** What a TIFF says of itself: its size, the ways in which its pages are packed, and what its numbers are. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireReadable, sizeOfTiff } from '../../src/liveness/tiff.ts';
import { be16, be32, cat, drawing, le16, le32 } from '../helpers/hostile/file.ts';

/** Pages of one entry each, as bytes. */
const little = (...entries: Buffer[]) =>
  cat(
    'II*\0',
    le32(8),
    ...entries.map((entry, i) => cat(le16(1), entry, le32(i < entries.length - 1 ? 26 + i * 18 : 0))),
  );
const unsupported = { code: 'unsupported_format' };
const jpegWithin = { ...unsupported, message: /a TIFF of compression 7;/ };
const packed = (way: number) => cat(le16(259, 3), le32(1), le16(way, 0));

describe('requireReadable', () => {
  it('takes what editors write', async () => {
    for (const compression of ['none', 'lzw', 'deflate', 'packbits'] as const) {
      requireReadable(await drawing().tiff({ compression }).toBuffer());
    }
    requireReadable(little(packed(32_946), packed(8)));
    requireReadable(cat('MM\0*', be32(8), be16(1, 259, 3), be32(1), be16(5, 0), be32(0)));
    requireReadable(little(cat(le16(259, 4), le32(1, 5))));
    // By itself it is not packed.
    requireReadable(little(cat(le16(256, 3), le32(1), le16(7, 0))));
  });

  it('refuses all others, in any page', async () => {
    const jpeg = await drawing().tiff({ compression: 'jpeg' }).toBuffer();
    assert.throws(() => requireReadable(jpeg), jpegWithin);
    for (const way of [0, 2, 3, 4, 6, 7, 9, 34_712, 34_887, 34_925, 50_000, 50_001, 50_002, 65_535]) {
      assert.throws(() => requireReadable(little(packed(way))), unsupported, `${way}`);
      assert.throws(() => requireReadable(little(packed(1), packed(way))), unsupported, `${way}`);
    }
    assert.throws(
      () => requireReadable(cat('MM\0*', be32(8), be16(1, 259, 3), be32(1), be16(7, 0), be32(0))),
      jpegWithin,
    );
  });

  it('refuses a way that another reader may take for another', () => {
    for (const entry of [
      cat(le16(259, 1), le32(1), le16(1, 0)),
      cat(le16(259, 3), le32(2), le16(1, 7)),
      cat(le16(259, 3), le32(0), le16(1, 0)),
    ]) {
      assert.throws(() => requireReadable(little(entry)), /does not say its compression/);
    }
    const twice = cat('II*\0', le32(8), le16(2), packed(1), packed(7), le32(0));
    assert.throws(() => requireReadable(twice), jpegWithin);
  });

  it('refuses numbers and colours that are not read right, in the first page', () => {
    const numbers = (tag: number, ...values: number[]) => {
      const inPlace = values.length < 3;
      const entry = cat(le16(tag, 3), le32(values.length), inPlace ? le16(...values, 0) : le32(100));
      return cat('II*\0', le32(8), le16(1), entry.subarray(0, 12), Buffer.alloc(78), le16(...values));
    };
    for (const [tag, read, not] of [
      [262, [0, 1, 2, 3, 5], [4, 6, 8, 9, 10, 32_803, 32_844, 34_892]],
      [258, [1, 2, 4, 8, 16], [3, 12, 24, 32, 64]],
      [339, [1, 4], [2, 3, 5, 6]],
    ] as const) {
      for (const value of read) {
        requireReadable(numbers(tag, value));
        requireReadable(numbers(tag, value, value, value));
      }
      for (const value of not) {
        assert.throws(() => requireReadable(numbers(tag, value)), unsupported, `${tag}: ${value}`);
        assert.throws(
          () => requireReadable(numbers(tag, value, value, value)),
          unsupported,
          `${tag}: ${value}`,
        );
      }
      const second = cat('II*\0', le32(8), le16(1), packed(1), le32(26), numbers(tag, not[0]).subarray(8));
      requireReadable(second);
    }
    assert.throws(
      () => requireReadable(little(cat(le16(258, 1), le32(1, 8)))),
      /does not say its bits per sample/,
    );
    assert.throws(() => requireReadable(little(cat(le16(258, 3), le32(3, 5_000)))), /does not say its bits/);
    // The decoder goes by the first.
    const twice = cat('II*\0', le32(8), le16(2), le16(262, 3), le32(1, 2), le16(262, 3), le32(1, 6), le32(0));
    requireReadable(twice);
  });

  it('ends with what is cut anywhere', async () => {
    const bytes = cat(little(packed(1), packed(5)), await drawing().tiff({ compression: 'lzw' }).toBuffer());
    for (let length = 8; length < 200; length++) requireReadable(bytes.subarray(0, length));
  });
});

describe('sizeOfTiff', () => {
  const tiff = (...entries: Buffer[]) => cat('II*\0', le32(8), le16(entries.length), ...entries, le32(0));
  const long = (tag: number, value: number) => cat(le16(tag, 4), le32(1, value));
  const height = long(257, 20);

  it('goes by the first entry of each', () => {
    assert.deepEqual(sizeOfTiff(tiff(long(256, 7_000), long(256, 1), height)), { width: 7_000, height: 20 });
    // Wherever they stand.
    const others = Array.from({ length: 50 }, (_, i) => long(40_000 + i, 1));
    assert.deepEqual(sizeOfTiff(tiff(...others, height, long(256, 9))), { width: 9, height: 20 });
  });

  it('knows no size that is said in another way', () => {
    for (const type of [1, 2, 5, 8, 9, 13, 16, 99]) {
      assert.equal(sizeOfTiff(tiff(cat(le16(256, type), le32(1, 8)), height)), undefined, `${type}`);
    }
    assert.equal(sizeOfTiff(tiff(cat(le16(256, 4), le32(0, 8)), height)), undefined);
    assert.equal(sizeOfTiff(tiff(cat(le16(256, 4), le32(2, 5_000)), height)), undefined);
    assert.equal(sizeOfTiff(tiff(height)), undefined);
    assert.equal(sizeOfTiff(cat('II*\0', le32(0))), undefined);
  });
});
