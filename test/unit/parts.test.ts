/** The parts of a picture, counted before any decoder goes through them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tooManyParts } from '../../src/liveness/parts.ts';
import { be32, cat, drawing, le16, le32, times } from '../helpers/hostile/file.ts';

const webp = (frames: number) => cat('RIFF', le32(0), 'WEBP', times(frames, cat('ANMF', le32(3), 'abc\0')));
const png = (texts: number, type = 'iTXt') =>
  cat('\x89PNG\r\n\x1a\n', times(texts, cat(be32(5), type, 'ANMFx', be32(0))));

/** Pages of one entry each, the last of which says where another is. */
function tiff(pages: number, last = 0): Buffer {
  const page = (i: number) => cat(le16(1), Buffer.alloc(12), le32(i < pages - 1 ? 26 + i * 18 : last));
  return cat('II*\0', le32(8), ...Array.from({ length: pages }, (_, i) => page(i)));
}

describe('tooManyParts', () => {
  it('lets as many be as there may, and no more', () => {
    assert.equal(tooManyParts(webp(1_000), 'webp'), undefined);
    assert.equal(tooManyParts(webp(1_001), 'webp'), 'more than 1000 frames');
    assert.equal(tooManyParts(tiff(100), 'tiff'), undefined);
    assert.equal(tooManyParts(tiff(101), 'tiff'), 'more than 100 pages');
    for (const type of ['iTXt', 'zTXt']) {
      assert.equal(tooManyParts(png(16, type), 'png'), undefined);
      assert.equal(tooManyParts(png(17, type), 'png'), 'more than 16 compressed texts');
    }
    assert.equal(tooManyParts(png(2_000, 'tEXt'), 'png'), undefined);
  });

  it('bounds what stands in the directories of a TIFF, in any page', () => {
    const page = (entries: Buffer[], next: number) => cat(le16(entries.length), ...entries, le32(next));
    const value = (type: number, count: number) => cat(le16(40_000, type), le32(count, 0));
    const behind = (...entries: Buffer[]) => cat('II*\0', le32(8), page([value(3, 1)], 26), page(entries, 0));
    const many = (count: number) => behind(...Array<Buffer>(count).fill(value(3, 1)));
    assert.equal(tooManyParts(many(128), 'tiff'), undefined);
    assert.equal(tooManyParts(many(129), 'tiff'), 'more than 128 entries in a directory');
    const large = (type: number, size: number, count: number) =>
      tooManyParts(
        cat(behind(...Array<Buffer>(count).fill(value(type, 4_000_000 / size))), Buffer.alloc(4_000_000)),
        'tiff',
      );
    for (const [size, types] of [
      [1, [1, 2, 6, 7]],
      [2, [3, 8]],
      [4, [4, 9, 11, 13]],
      [8, [5, 10, 12, 16, 17, 18]],
    ] as const) {
      for (const type of types) {
        assert.equal(large(type, size, 7), undefined, `${type}`);
        assert.equal(large(type, size, 8), 'more than 32000000 bytes of values', `${type}`);
      }
    }
    // What is not there is not read.
    assert.equal(tooManyParts(behind(value(12, 0xffffffff)), 'tiff'), undefined);
  });

  it('counts nothing in formats that are read through once', () => {
    for (const format of ['jpeg', 'gif', 'avif', 'heic'] as const) {
      assert.equal(tooManyParts(webp(2_000), format), undefined);
    }
  });

  it('reads TIFFs of either order of bytes', () => {
    const bytes = tiff(101);
    assert.equal(
      tooManyParts(cat('MM\0*', bytes.subarray(4)), 'tiff'),
      undefined,
      'links are of the other order',
    );
    const page = (i: number) => cat([0, 1], Buffer.alloc(12), be32(i < 100 ? 26 + i * 18 : 0));
    const big = cat('MM\0*', be32(8), ...Array.from({ length: 101 }, (_, i) => page(i)));
    assert.equal(tooManyParts(big, 'tiff'), 'more than 100 pages');
  });

  it('leaves pages in a circle to the decoder', () => {
    assert.equal(tooManyParts(tiff(3, 8), 'tiff'), undefined);
  });

  it('ends with what is cut anywhere', async () => {
    const pictures = {
      webp: await drawing().webp().toBuffer(),
      tiff: tiff(3),
      png: await drawing().png().toBuffer(),
    };
    for (const [format, bytes] of Object.entries(pictures) as ['webp' | 'tiff' | 'png', Buffer][]) {
      for (let length = 0; length < Math.min(bytes.length, 500); length++) {
        assert.equal(tooManyParts(bytes.subarray(0, length), format), undefined);
      }
      assert.equal(tooManyParts(bytes, format), undefined);
    }
  });
});
