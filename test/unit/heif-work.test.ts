/** What AVIFs and HEICs come to when they are decoded, told from their boxes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workOf } from '../../src/liveness/heif-work.ts';
import { be32, cat, times } from '../helpers/hostile/file.ts';
import { alpha, box, full, grid, heif, type Item, ispe } from '../helpers/hostile/heif.ts';

const picture = (...properties: number[]): Item => ({ type: 'hvc1', data: Buffer.of(1), properties });
const tiled = (rows: number, columns: number, size: [number, number], property: number): Item => ({
  type: 'grid',
  data: grid(rows, columns, ...size),
  properties: [property],
});
const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

describe('the work of a HEIC', () => {
  it('is that of the tiles of a phone, without its thumbnail, gain map and depth', () => {
    // 24.5 megapixels in tiles of 512; a gain map of a quarter in tiles, too.
    const file = heif({
      brand: 'heic',
      items: [
        { ...tiled(9, 12, [5_712, 4_284], 1), properties: [1, 5] },
        ...Array<Item>(108).fill(picture(2)),
        { ...tiled(5, 6, [2_856, 2_142], 3), properties: [3, 4] },
        ...Array<Item>(30).fill(picture(2)),
        picture(6),
        { type: 'tmap', data: Buffer.alloc(60), properties: [1] },
      ],
      properties: [
        ispe(5_712, 4_284),
        ispe(512, 512),
        ispe(2_856, 2_142),
        full('auxC', 0, 0, cat('urn:com:apple:photo:2020:aux:hdrgainmap\0')),
        box('irot', [3]),
        ispe(320, 240),
      ],
      references: [
        ['dimg', 1, from(2, 108)],
        ['auxl', 110, [1]],
        ['dimg', 110, from(111, 30)],
        ['thmb', 141, [1]],
        ['dimg', 142, [1, 110]],
      ],
    });
    const { pixels, sizes } = workOf(file, 'heic');
    assert.equal(pixels, 108 * 512 * 512);
    assert.deepEqual(sizes[0], { width: 5_712, height: 4_284 });
  });

  it('is that of each tile as often as it is shown, at its own size', () => {
    const file = heif({
      brand: 'heic',
      items: [tiled(2, 2, [64, 64], 1), picture(2)],
      properties: [ispe(64, 64), ispe(5_000, 5_000)],
      references: [['dimg', 1, [2, 2, 2, 2]]],
    });
    assert.equal(workOf(file, 'heic').pixels, 100_000_000);
  });

  it('has the transparency brought to the size of its picture, and what is behind an identity', () => {
    const file = heif({
      brand: 'heic',
      items: [{ type: 'iden', data: Buffer.alloc(0), properties: [1] }, picture(1), picture(2, 3)],
      properties: [ispe(1_000, 1_000), ispe(64, 64), alpha],
      references: [
        ['dimg', 1, [2]],
        ['auxl', 3, [2]],
      ],
    });
    assert.equal(workOf(file, 'heic').pixels, 2_000_000);
  });

  it('is that of a picture as often as it has slices', () => {
    const slice = cat(be32(3), [0x28, 1, 9]);
    const parameters = cat(be32(3), [0x42, 1, 9]);
    const tile: Item = { type: 'hvc1', data: cat(parameters, slice, slice, slice), properties: [1] };
    const file = heif({ brand: 'heic', items: [tile], properties: [ispe(64, 64)] });
    assert.equal(workOf(file, 'heic').pixels, 3 * 64 * 64);
  });

  const identities = (count: number) =>
    heif({
      brand: 'heic',
      items: [
        ...Array<Item>(count).fill({ type: 'iden', data: Buffer.alloc(0), properties: [1] }),
        picture(1),
      ],
      properties: [ispe(64, 64)],
      references: Array.from({ length: count }, (_, i) => ['dimg', i + 1, [i + 2]] as const),
    });
  it('goes through some identities', () => {
    assert.equal(workOf(identities(3), 'heic').pixels, 64 * 64);
  });

  const gridOf = (item: Item) =>
    heif({
      brand: 'heic',
      items: [tiled(1, 1, [64, 64], 1), item, picture(1)],
      properties: [ispe(64, 64)],
      references: [
        ['dimg', 1, [2]],
        ['dimg', 2, [3]],
      ],
    });
  const one = (item: Item, ...properties: Buffer[]) =>
    heif({ brand: 'heic', items: [item], properties: [ispe(64, 64), ...properties] });
  const refused: Record<string, [Buffer, RegExp]> = {
    'a grid of grids': [gridOf(tiled(1, 1, [64, 64], 1)), /no coded picture/],
    'a grid of identities': [
      gridOf({ type: 'iden', data: Buffer.alloc(0), properties: [1] }),
      /no coded picture/,
    ],
    'a grid that is larger than it says': [one(tiled(1, 1, [65, 64], 1)), /larger than it says/],
    'an overlay': [one({ type: 'iovl', data: Buffer.alloc(20), properties: [1] }), /neither hvc1/],
    'four identities in a row': [identities(4), /too deep/],
    'an identity of itself': [
      heif({
        brand: 'heic',
        items: [{ type: 'iden', data: Buffer.alloc(0), properties: [1] }],
        properties: [ispe(64, 64)],
        references: [['dimg', 1, [1]]],
      }),
      /too deep/,
    ],
    'a transparency of itself': [
      heif({
        brand: 'heic',
        items: [picture(1, 2)],
        properties: [ispe(64, 64), alpha],
        references: [['auxl', 1, [1]]],
      }),
      /too deep/,
    ],
    'a picture without a size': [one(picture()), /no size/],
    'a picture of two sizes': [one(picture(1, 2), ispe(1, 1)), /two sizes/],
    'a slice in its configuration': [
      one(picture(1, 2), box('hvcC', Buffer.alloc(22), [1, 0x21, 0, 2, 0, 2, 0x42, 1, 0, 2, 0x28, 1])),
      /has a slice/,
    ],
    'a picture that is turned twice': [one(picture(1, 2, 2), box('irot', [1])), /twice/],
    'references without end': [
      heif({
        brand: 'heic',
        items: [tiled(1, 1, [64, 64], 1), picture(1)],
        properties: [ispe(64, 64)],
        references: [['dimg', 1, Array<number>(5_000).fill(2)]],
      }),
      /too many references/,
    ],
    'NAL units without end': [
      one({ type: 'hvc1', data: times(4_097, cat(be32(3), [0x42, 1, 9])), properties: [1] }),
      /too many units/,
    ],
    'properties without end': [
      heif({
        brand: 'heic',
        items: Array<Item>(40).fill(picture(...Array<number>(255).fill(2))),
        properties: [ispe(64, 64), box('free')],
      }),
      /too many properties/,
    ],
    'parameters of no bytes': [
      one(picture(1, 2), box('hvcC', Buffer.alloc(22), [1, 0x20, 0xff, 0xff], Buffer.alloc(2 * 65_535))),
      /is empty/,
    ],
    'items without end': [
      heif({ brand: 'heic', items: Array<Item>(5_000).fill(picture(1)), properties: [ispe(64, 64)] }),
      /too many boxes/,
    ],
  };
  for (const [name, [file, message]] of Object.entries(refused)) {
    it(`is not told of ${name}`, () => {
      assert.throws(() => workOf(file, 'heic'), message);
    });
  }
});

describe('the work of an AVIF', () => {
  const avif = (data: Buffer, ...more: Buffer[]) =>
    heif({
      brand: 'avif',
      items: [{ type: 'av01', data, properties: more.length === 0 ? [1] : [1, 2] }],
      properties: [ispe(1_000, 1_000), ...more],
    });
  // The ends of time units, notes, a head of a sequence, one of a frame with its tiles: each with its length.
  const delimiter = Buffer.of(0x12, 0);
  const note = cat([0x2a, 0x80, 0x01], Buffer.alloc(128, 0x32));
  const frame = Buffer.of(0x32, 2, 9, 9);

  it('is that of all frames', () => {
    assert.equal(workOf(avif(cat(delimiter, note, frame)), 'avif').pixels, 1_000_000);
    assert.equal(workOf(avif(times(7, cat(delimiter, frame))), 'avif').pixels, 7_000_000);
    // Heads of frames without their tiles, and one that goes on to the end.
    assert.equal(workOf(avif(Buffer.of(0x1a, 1, 0, 0x3a, 1, 0, 0x30, 0x32, 0)), 'avif').pixels, 3_000_000);
  });

  it('is not told of frames in the configuration, or of OBUs without end', () => {
    assert.throws(() => workOf(avif(frame, box('av1C', Buffer.alloc(4), frame)), 'avif'), /has a frame/);
    assert.throws(() => workOf(avif(times(4_097, delimiter)), 'avif'), /too many units/);
  });
});
