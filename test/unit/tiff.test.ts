/** The ways in which the pages of a TIFF are packed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requirePacking } from '../../src/liveness/tiff.ts';
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

describe('requirePacking', () => {
  it('takes what editors write', async () => {
    for (const compression of ['none', 'lzw', 'deflate', 'packbits'] as const) {
      requirePacking(await drawing().tiff({ compression }).toBuffer());
    }
    requirePacking(little(packed(32_946), packed(8)));
    requirePacking(cat('MM\0*', be32(8), be16(1, 259, 3), be32(1), be16(5, 0), be32(0)));
    requirePacking(little(cat(le16(259, 4), le32(1, 5))));
    // By itself it is not packed.
    requirePacking(little(cat(le16(256, 3), le32(1), le16(7, 0))));
  });

  it('refuses all others, in any page', async () => {
    const jpeg = await drawing().tiff({ compression: 'jpeg' }).toBuffer();
    assert.throws(() => requirePacking(jpeg), jpegWithin);
    for (const way of [0, 2, 3, 4, 6, 7, 9, 34_712, 34_887, 34_925, 50_000, 50_001, 50_002, 65_535]) {
      assert.throws(() => requirePacking(little(packed(way))), unsupported, `${way}`);
      assert.throws(() => requirePacking(little(packed(1), packed(way))), unsupported, `${way}`);
    }
    assert.throws(
      () => requirePacking(cat('MM\0*', be32(8), be16(1, 259, 3), be32(1), be16(7, 0), be32(0))),
      jpegWithin,
    );
  });

  it('refuses a way that another reader may take for another', () => {
    for (const entry of [
      cat(le16(259, 1), le32(1), le16(1, 0)),
      cat(le16(259, 3), le32(2), le16(1, 7)),
      cat(le16(259, 3), le32(0), le16(1, 0)),
    ]) {
      assert.throws(() => requirePacking(little(entry)), /does not say/);
    }
    const twice = cat('II*\0', le32(8), le16(2), packed(1), packed(7), le32(0));
    assert.throws(() => requirePacking(twice), jpegWithin);
  });

  it('ends with what is cut anywhere', async () => {
    const bytes = cat(little(packed(1), packed(5)), await drawing().tiff({ compression: 'lzw' }).toBuffer());
    for (let length = 8; length < 200; length++) requirePacking(bytes.subarray(0, length));
  });
});
