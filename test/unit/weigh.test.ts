/** The work that a photograph is taken for, by its header alone. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { imageFormats } from '../../src/liveness/sniff.ts';
import { weigh as weighFor } from '../../src/liveness/weigh.ts';
import { cat, le16, le32, patched } from '../helpers/hostile/file.ts';
import { blocksOf } from '../helpers/hostile/gif.ts';
import { alpha, box, grid, heif, type Item, ispe } from '../helpers/hostile/heif.ts';

const weigh = (bytes: Uint8Array) => weighFor(bytes, imageFormats, 50_000_000);

function blank(width: number, height: number) {
  return sharp({ create: { width, height, channels: 3, background: '#808080' } });
}

describe('weigh', () => {
  it('takes a photograph of a megapixel or less for an ordinary one', async () => {
    for (const [width, height] of [
      [1, 1],
      [640, 480],
      [1000, 1000],
    ] as const) {
      assert.equal(weigh(await blank(width, height).jpeg().toBuffer()), 1, `${width} x ${height}`);
    }
  });

  it('goes by the pixels and by what a pixel of the format takes', async () => {
    const picture = blank(4000, 3000);
    const jpeg = weigh(await picture.clone().jpeg().toBuffer());
    assert.equal(jpeg, 0.75 + 0.25 * 12);
    const others = [
      await picture.clone().png().toBuffer(),
      await picture.clone().gif().toBuffer(),
      await picture.clone().webp().toBuffer(),
      await picture.clone().avif({ effort: 0 }).toBuffer(),
    ].map(weigh);
    assert.deepEqual(others, [6.75, 6.75, 12.75, 39.75]);
  });

  it('takes what does not tell its size for as large as it may be', async () => {
    assert.equal(weigh(Uint8Array.of(0xff, 0xd8, 0xff)), 0.75 + 0.25 * 50);
    const tiff = await blank(100, 100).tiff().toBuffer();
    for (const length of [4, 7, 8, 20]) assert.equal(weigh(tiff.subarray(0, length)), 0.75 + 0.75 * 50);
  });

  it('goes by the first directory of a TIFF', async () => {
    for (const compression of ['none', 'deflate', 'jpeg'] as const) {
      const tiff = await blank(4000, 3000).tiff({ compression }).toBuffer();
      assert.equal(weigh(tiff), 0.75 + 0.75 * 12, compression);
    }
    const small = await blank(400, 300).tiff().toBuffer();
    assert.equal(weigh(small), 1);
    // The same with the other order of bytes: width 7000, height 5000.
    const big = Buffer.from(
      '4d4d002a00000008000201000003000000011b5800000101000400000001000013880000',
      'hex',
    );
    assert.equal(weigh(big), 0.75 + 0.75 * 35);
  });

  it('takes a TIFF that tells its width twice, or in 64 bits, for no less than it is', async () => {
    const tiff = await blank(4000, 3000).tiff().toBuffer();
    const directory = tiff.readUInt32LE(4);
    assert.equal(tiff.readUInt16LE(directory + 2), 256);
    assert.equal(tiff.readUInt16LE(directory + 14), 257);
    const long8 = Buffer.from(tiff);
    long8.writeUInt16LE(16, directory + 4);
    assert.equal(weigh(long8), 0.75 + 0.75 * 50);
    const entry = (width: number) => cat(le16(256, 4), le32(1, width));
    const height = cat(le16(257, 4), le32(1, 3000));
    assert.equal(
      weigh(cat('II*\0', le32(8), le16(3), entry(4000), entry(1), height, le32(0))),
      0.75 + 0.75 * 12,
    );
  });

  it('takes a GIF for its screen or its first frame, whichever reaches further', async () => {
    const gif = await blank(4000, 3000).gif().toBuffer();
    const on = (width: number, height: number) => patched(gif, 6, le16(width, height));
    assert.equal(weigh(on(1, 1)), 6.75);
    // No decoder believes that screen.
    assert.equal(weigh(on(60_000, 60_000)), 6.75);
    const small = await blank(10, 10).gif().toBuffer();
    assert.equal(weigh(patched(small, 6, le16(2000, 2000))), 0.75 + 0.5 * 4);
    const frame = blocksOf(small).find(({ kind }) => kind === 0x2c)?.at as number;
    assert.equal(weigh(patched(small, frame + 1, le16(3990, 2990))), 6.75);
    assert.equal(weigh(small.subarray(0, frame)), 0.75 + 0.5 * 50);
  });

  it('takes what is no image for the least, as it is refused at once', () => {
    assert.equal(weigh(new Uint8Array()), 1);
    assert.equal(weigh(new Uint8Array(20_000_000)), 1);
  });

  it('takes what its header will have refused for the least', async () => {
    const picture = await blank(4000, 3000).png().toBuffer();
    assert.equal(weighFor(picture, imageFormats, 12_000_000), 6.75);
    assert.equal(weighFor(picture, imageFormats, 11_999_999), 1);
    assert.equal(weighFor(picture, ['jpeg'], 12_000_000), 1);
  });

  it('takes AVIF and HEIC of more than 25 megapixels for the least, whatever the bound of the others', async () => {
    const picture = await blank(50, 50).avif({ effort: 0 }).toBuffer();
    const claiming = (width: number, height: number) => {
      const copy = Buffer.from(picture);
      copy.writeUInt32BE(width, copy.indexOf('ispe') + 8);
      copy.writeUInt32BE(height, copy.indexOf('ispe') + 12);
      return copy;
    };
    assert.equal(weigh(claiming(5_000, 5_000)), 0.75 + 0.25 * 13 * 25);
    assert.equal(weigh(claiming(5_001, 5_000)), 1);
    assert.equal(weighFor(claiming(5_000, 5_000), imageFormats, 20_000_000), 1);
    const heic = await readFile(join(import.meta.dirname, '..', 'fixtures', 'portrait.heic'));
    heic.writeUInt32BE(5_000, heic.indexOf('ispe') + 8);
    heic.writeUInt32BE(5_000, heic.indexOf('ispe') + 12);
    // With the thread that its decoder has.
    assert.equal(weigh(heic), 0.75 + 0.25 * 20 * 25 + 4);
    heic.writeUInt32BE(5_001, heic.indexOf('ispe') + 12);
    assert.equal(weigh(heic), 1);
  });

  it('takes a side that is too long for the least', async () => {
    assert.equal(weigh(await blank(16_384, 2_000).png().toBuffer()), 0.75 + 0.25 * 2 * 32.768);
    assert.equal(weigh(await blank(16_385, 2_000).png().toBuffer()), 1);
  });

  it('looks for the size in the first 256 KiB, however far fill bytes put it off', async () => {
    const picture = await blank(4000, 3000).jpeg().toBuffer();
    const behind = (fill: number) =>
      Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(fill, 0xff), picture.subarray(2)]);
    assert.equal(weigh(behind(260_000)), 3.75);
    assert.equal(weigh(behind(270_000)), 0.75 + 0.25 * 50);
  });

  it('finds it behind whatever other boxes, of which there are not too many', async () => {
    const picture = await blank(2000, 1000).avif({ effort: 0 }).toBuffer();
    const typeEnd = picture.readUInt32BE(0);
    // Where its data lies is told from the beginning of the file, so this is for reading only.
    const behind = (...boxes: Buffer[]) =>
      cat(picture.subarray(0, typeEnd), ...boxes, picture.subarray(typeEnd), Buffer.alloc(99_992));
    const free = box('free', Buffer.alloc(20_000));
    assert.equal(weigh(behind(free)), 0.75 + 0.25 * 13 * 2);
    assert.equal(weigh(behind(...Array<Buffer>(5_000).fill(box('free')))), 1);
  });

  it('goes by the tiles and the transparency of an AVIF or a HEIC, and not by what is shown', () => {
    const frame = Buffer.of(0x32, 0);
    const avif = (side: number, tiles: number, tile: number) =>
      heif({
        brand: 'avif',
        items: [
          { type: 'grid', data: grid(1, tiles, side, side), properties: [1] },
          ...Array<Item>(tiles).fill({ type: 'av01', data: frame, properties: [2] }),
          { type: 'av01', data: frame, properties: [2, 3] },
        ],
        properties: [ispe(side, side), ispe(tile, tile), alpha],
        references: [
          ['dimg', 1, Array.from({ length: tiles }, (_, i) => i + 2)],
          ['auxl', tiles + 2, [1]],
        ],
      });
    assert.equal(weigh(avif(64, 3, 2_000)), 0.75 + 0.25 * 13 * 16);
    // These are refused before they are decoded.
    assert.equal(weigh(avif(64, 100, 2_000)), 1);
    assert.equal(weigh(avif(64, 1, 5_001)), 1);
  });
});
