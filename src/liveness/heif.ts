/** An AVIF or a HEIC written anew, without what stands beside its pictures, and with bytes of ours behind the data of each slice of HEVC. */

import { type HeifFormat, readHeif } from './heif-items.ts';
import { isSlice } from './heif-work.ts';

/**
 * Writes a HEIC anew, with `padding` behind each slice. A decoder that has come to the end of a slice looks no further, so a whole picture stays
 * as it is; one that lacks data is made of the padding instead.
 * @param padding bytes that a NAL unit may hold as they are.
 * @throws where the boxes are not those of a HEIC, data is not where they say it is, or any picture within is no HEVC.
 */
export function padSlices(file: Uint8Array, padding: Uint8Array): Uint8Array {
  return written(file, 'heic', (data) =>
    Buffer.concat(
      unitsOf(data).flatMap((unit) =>
        isSlice(unit[0] as number)
          ? [be32(unit.length + padding.length), unit, padding]
          : [be32(unit.length), unit],
      ),
    ),
  );
}

/**
 * Writes an AVIF anew. Its decoder would go through the tables of a film for each header that it reads, however many samples they claim.
 * @throws where the boxes are not those of an AVIF, data is not where they say it is, or any picture within is no AV1.
 */
export function withoutFilm(file: Uint8Array): Uint8Array {
  return written(file, 'avif', (data) => data);
}

/** `ftyp`, `meta` and the data of all items, of coded pictures as `write` has it. */
function written(file: Uint8Array, format: HeifFormat, write: (data: Buffer) => Buffer): Buffer {
  const { bytes, coding, brands, meta, locations, types, items } = readHeif(file, format);
  const data = items.map((item) => (types.get(item.id) === coding ? write(item.data) : item.data));
  const before = bytes.subarray(meta.content, locations.start);
  const behind = bytes.subarray(locations.end, meta.end);
  const entryBytes = 18;
  const metaBytes = 8 + before.length + 18 + items.length * entryBytes + behind.length;
  let at = brands.end - brands.start + metaBytes + 8;
  const entries = data.map((piece, i) => {
    // The data lies in the file and in no other, in one piece.
    const entry = Buffer.concat([
      be32(items[i]?.id as number),
      Buffer.of(0, 0, 0, 0, 0, 1),
      be32(at, piece.length),
    ]);
    at += piece.length;
    return entry;
  });
  return Buffer.concat([
    stillOf(bytes.subarray(brands.start, brands.end)),
    boxOf('meta', [
      before,
      // Of version 2, with four bytes for each offset and length.
      boxOf('iloc', [Buffer.of(2, 0, 0, 0, 0x44, 0), be32(items.length), ...entries]),
      behind,
    ]),
    boxOf('mdat', data),
  ]);
}

/** Brands of files that hold a film, beside a picture or without. */
const filmBrands = new Set(['msf1', 'hevc', 'hevx', 'hevm', 'hevs', 'avis', 'avio']);

/** The box of brands without those that promise a film, which is left out. */
function stillOf(type: Buffer): Buffer {
  const still = Buffer.from(type);
  for (let at = 8; at + 4 <= still.length; at += 4) {
    if (filmBrands.has(still.toString('latin1', at, at + 4))) still.write('mif1', at, 'latin1');
  }
  return still;
}

/** The NAL units of a coded picture, each behind its length in four bytes, as the decoder takes them. */
function unitsOf(data: Buffer): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const end = at + 4 + (at + 4 > data.length ? 0 : data.readUInt32BE(at));
    if (end > data.length || end < at + 6) throw new Error('A NAL unit is cut short.');
    let last = end;
    while (last > at + 6 && data[last - 1] === 0) last -= 1;
    const unit = data.subarray(at + 4, last);
    // What begins another unit elsewhere cannot be within one (ITU-T H.265, 7.4.2): so are holes, which are often of zeros.
    if (unescaped.some((three) => unit.includes(three))) throw new Error('A NAL unit has a hole.');
    units.push(unit);
    at = end;
  }
  return units;
}

const unescaped = [0, 1, 2].map((third) => Buffer.of(0, 0, third));

function be32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

function boxOf(type: string, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([be32(content.length + 8), Buffer.from(type, 'latin1'), content]);
}
