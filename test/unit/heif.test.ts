/** AVIFs and HEICs written anew: in every shape that boxes may have the same pictures, and refused where they have none. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { padSlices, withoutFilm } from '../../src/liveness/heif.ts';
import { be16, be32, cat, times } from '../helpers/hostile/file.ts';
import { box, boxesOf } from '../helpers/hostile/heif.ts';

const parameters = cat(be32(3), [0x42, 1, 9]);
const slice = cat(be32(5), [0x28, 1, 7, 8, 9]);
const picture = cat(parameters, slice);
const notes = cat('a note about the picture');

const ftyp = box('ftyp', cat('heic', be32(0), 'mif1'));
const entry = (version: 2 | 3, id: number, type: string) =>
  box('infe', [version, 0, 0, 0], version === 2 ? be16(id, 0) : cat(be32(id), be16(0)), cat(type, '\0'));
const iinf = box('iinf', cat([0, 0, 0, 0], be16(2)), entry(2, 1, 'hvc1'), entry(2, 2, 'Exif'));

/** Of version 0, with four bytes for each offset and length. */
const located = (...items: (readonly [id: number, at: number, length: number])[]) =>
  cat(
    [0, 0, 0, 0, 0x44, 0],
    be16(items.length),
    ...items.map(([id, at, length]) => cat(be16(id, 0, 1), be32(at, length))),
  );

/**
 * A file whose last box holds a picture and notes.
 * @param iloc says where they lie; asked twice, as that depends on how long it is itself.
 */
function fileOf(
  iloc: (pictureAt: number, notesAt: number) => Buffer,
  others: readonly Buffer[] = [iinf],
  data = picture,
): Buffer {
  const meta = (at: number) =>
    box('meta', be32(0), ...others, box('iloc', iloc(at, at + data.length)), box('iprp', cat('any')));
  const head = ftyp.length + meta(0).length + 8;
  return cat(ftyp, meta(head), box('mdat', data, notes));
}

const plain = fileOf((pictureAt, notesAt) =>
  located([1, pictureAt, picture.length], [2, notesAt, notes.length]),
);

/** The data of the picture as it is, whatever its length. */
const ofUnits = (...units: Buffer[]) =>
  fileOf((pictureAt) => located([1, pictureAt, cat(...units).length]), [iinf], cat(...units));

/** What lies behind a slice. */
const padding = Buffer.alloc(9, 0xff);
const padded = cat(parameters, be32(5 + 9), slice.subarray(4), padding, notes);

/** The data of all items, one after another. */
function dataOf(file: Uint8Array): Buffer {
  const found = boxesOf(Buffer.from(file)).find(({ type }) => type === 'mdat');
  assert.ok(found);
  return found.content;
}

describe('a HEIC written anew', () => {
  it('has the padding behind its slices, and nothing else changed', () => {
    assert.deepEqual(dataOf(padSlices(plain, padding)), padded);
    assert.deepEqual(dataOf(padSlices(plain, new Uint8Array())), cat(picture, notes));
  });

  it('is read as it was written', () => {
    const once = padSlices(plain, padding);
    assert.deepEqual(padSlices(once, new Uint8Array()), once);
  });

  it('keeps its other boxes, and leaves out what is beside them', () => {
    const types = (file: Uint8Array) => boxesOf(Buffer.from(file)).map(({ type }) => type);
    const without = types(padSlices(cat(plain, box('free', Buffer.alloc(99))), padding));
    assert.deepEqual(without.sort(), types(plain).sort());
  });

  it('leaves out a film, and the brands that promise one', () => {
    const brands = box('ftyp', cat('heic', be32(0), 'msf1', 'hevc', 'mif1'));
    const filmed = cat(brands, plain.subarray(ftyp.length), box('moov', Buffer.alloc(99)));
    const locations = boxesOf(filmed).find(({ type }) => type === 'iloc')?.content;
    assert.ok(locations);
    // What comes before the items is longer by two brands.
    for (const at of [14, 28]) locations.writeUInt32BE(locations.readUInt32BE(at) + 8, at);
    const file = Buffer.from(padSlices(filmed, padding));
    assert.equal(file.toString('latin1', 8, brands.length), 'heic\0\0\0\0mif1mif1mif1');
    assert.deepEqual(dataOf(file), padded);
    assert.ok(!file.includes('moov'));
  });

  const shapes: Record<string, Buffer> = {
    'offsets of eight bytes from a base of four': fileOf((pictureAt, notesAt) =>
      cat(
        [1, 0, 0, 0, 0x84, 0x40],
        be16(2),
        cat(be16(1, 0, 0), be32(pictureAt), be16(1), be32(0, 0, picture.length)),
        cat(be16(2, 0, 0), be32(pictureAt), be16(1), be32(0, notesAt - pictureAt, notes.length)),
      ),
    ),
    'ids of four bytes, data in pieces with numbers': fileOf((pictureAt, notesAt) =>
      cat(
        [2, 0, 0, 0, 0x44, 0x04],
        be32(2),
        cat(be32(1), be16(0, 0, 2), be32(1, pictureAt, 6), be32(2, pictureAt + 6, picture.length - 6)),
        cat(be32(2), be16(0, 0, 1), be32(1, notesAt, notes.length)),
      ),
    ),
    'data beside the boxes that describe it': fileOf(
      (_, notesAt) =>
        cat(
          [1, 0, 0, 0, 0x44, 0],
          be16(2),
          cat(be16(1, 1, 0, 1), be32(0, picture.length)),
          cat(be16(2, 0, 0, 1), be32(notesAt, notes.length)),
        ),
      [iinf, box('idat', picture)],
    ),
    'entries of four bytes': fileOf(
      (pictureAt, notesAt) =>
        cat(
          [0, 0, 0, 0, 0x44, 0],
          be16(2),
          ...[
            cat(be16(1, 0, 1), be32(pictureAt, picture.length)),
            cat(be16(2, 0, 1), be32(notesAt, notes.length)),
          ],
        ),
      [box('iinf', cat([1, 0, 0, 0], be32(2)), entry(3, 1, 'hvc1'), entry(3, 2, 'Exif'))],
    ),
    'a box whose length takes eight bytes': fileOf(
      (pictureAt, notesAt) => located([1, pictureAt, picture.length], [2, notesAt, notes.length]),
      [cat(be32(1), 'free', be32(0, 20), be32(0)), iinf],
    ),
  };
  for (const [name, file] of Object.entries(shapes)) {
    it(`is the same from ${name}`, () => {
      assert.deepEqual(dataOf(padSlices(file, padding)), padded);
    });
  }

  it('may have slices that end with zeros, which are nothing', () => {
    const file = ofUnits(cat(be32(7), [0x28, 1, 7, 8, 9, 0, 0]));
    assert.deepEqual(dataOf(padSlices(file, padding)), cat(be32(5 + 9), slice.subarray(4), padding));
  });

  it('is of one slice where the fixture is', () => {
    const file = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'portrait.heic'));
    const added = padSlices(file, padding).length - padSlices(file, new Uint8Array()).length;
    assert.equal(added, padding.length);
  });
});

describe('an AVIF written anew', () => {
  it('has its items, and no film, other description or brand that promises one', () => {
    const brands = box('ftyp', cat('avif', be32(0), 'avis', 'mif1'));
    const listed = box('iinf', cat([0, 0, 0, 0], be16(2)), entry(2, 1, 'av01'), entry(2, 2, 'Exif'));
    const meta = (at: number) =>
      box(
        'meta',
        be32(0),
        listed,
        box('iloc', located([1, at, picture.length], [2, at + picture.length, notes.length])),
      );
    const at = brands.length + meta(0).length + 8;
    const still = cat(brands, meta(at), box('mdat', picture, notes));
    const file = Buffer.from(withoutFilm(cat(still, box('moov', Buffer.alloc(99)), meta(0))));
    assert.deepEqual(dataOf(file), cat(picture, notes));
    assert.equal(file.toString('latin1', 8, brands.length), 'avif\0\0\0\0mif1mif1');
    const types = boxesOf(file).map(({ type }) => type);
    assert.deepEqual(types, ['ftyp', 'meta', 'iinf', 'infe', 'infe', 'iloc', 'mdat']);
  });
});

describe('a HEIC is refused', () => {
  const refused: Record<string, [Buffer, RegExp]> = {
    'without boxes': [Buffer.alloc(0), /no ftyp/],
    'with a box that is cut short': [plain.subarray(0, ftyp.length + 20), /does not end where it may/],
    'with two tables of items': [
      fileOf(
        () => cat([0, 0, 0, 0, 0x44, 0], be16(0)),
        [iinf, box('iloc', cat([0, 0, 0, 0, 0x44, 0], be16(0)))],
      ),
      /not one iloc/,
    ],
    'without a list of items': [fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(0)), []), /not one iinf/],
    ...Object.fromEntries(
      (
        [
          ['of AV1', entry(2, 2, 'av01')],
          ['of JPEG', entry(2, 2, 'jpeg')],
          ['of no type', box('infe', [0, 0, 0, 0], be16(2, 0), cat('hvc1\0'))],
          ['that is no item', box('free', be32(0, 0, 0, 0))],
        ] as const
      ).map(([name, other]) => [
        `with an item ${name}`,
        [
          fileOf(
            (pictureAt) => located([1, pictureAt, picture.length]),
            [box('iinf', cat([0, 0, 0, 0], be16(2)), entry(2, 1, 'hvc1'), other)],
          ),
          /neither hvc1 nor made of it/,
        ] as [Buffer, RegExp],
      ]),
    ),
    'whose items lie nowhere': [fileOf(() => located([1, 0x7fffffff, 1])), /cut short/],
    'whose table is cut short': [fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(9))), /cut short/],
    'whose table has offsets of three bytes': [
      fileOf(() => cat([0, 0, 0, 0, 0x34, 0], be16(0))),
      /none that is known/,
    ],
    'whose items are all of it, thrice': [
      fileOf(() => located([2, 0, 200], [3, 0, 200], [4, 0, 200])),
      /larger than itself/,
    ],
    'with an item that is described twice': [
      fileOf(
        () => cat([0, 0, 0, 0, 0x44, 0], be16(0)),
        [box('iinf', cat([0, 0, 0, 0], be16(2)), entry(2, 1, 'hvc1'), entry(2, 1, 'Exif'))],
      ),
      /described twice/,
    ],
    'with an item that lies in two places': [fileOf(() => located([1, 0, 20], [1, 0, 20])), /two places/],
    'of boxes without end': [
      fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(0)), [iinf, times(5_000, box('free'))]),
      /too many boxes/,
    ],
    'whose data lies in another file': [
      fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(1), be16(1, 1, 1), be32(0, 0))),
      /cannot be read/,
    ],
    'whose data lies in a box that there is not': [
      fileOf(() => cat([1, 0, 0, 0, 0x44, 0], be16(1), be16(1, 1, 0, 1), be32(0, 0))),
      /that there is not/,
    ],
    'with a slice that is longer than its data': [ofUnits(parameters, slice.subarray(0, 8)), /cut short/],
    'with a slice of one byte': [ofUnits(cat(be32(1), [0x28])), /cut short/],
    'with a hole of zeros in a slice': [ofUnits(cat(be32(8), [0x28, 1, 7, 0, 0, 0, 8, 9])), /a hole/],
    // As a whole this would be 120 MB.
    'of 4,000 pieces that are each all of it': [
      fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(1), be16(1, 0, 4_000), times(4_000, be32(0, 30_000)))),
      /larger than itself/,
    ],
    'of 33,554,432 items': [fileOf(() => cat([2, 0, 0, 0, 0x44, 0], be32(33_554_432))), /too many items/],
    // Of nothing, and so in no bytes of the table.
    'of 65,535 pieces': [
      fileOf(() => cat([0, 0, 0, 0, 0, 0], be16(1), be16(1, 0, 65_535))),
      /too many pieces/,
    ],
    'that says too much': [
      fileOf(() => cat([0, 0, 0, 0, 0x44, 0], be16(0)), [iinf, box('free', Buffer.alloc(500_000))]),
      /too much/,
    ],
  };
  for (const [name, [file, message]] of Object.entries(refused)) {
    it(name, () => {
      assert.throws(() => padSlices(file, padding), message);
    });
  }
});
