/** The boxes of an AVIF or a HEIC: what codings are within, and a HEIC written anew, with bytes of ours behind the data of each slice. */

/** NAL units in a file, those of all tiles together. Cameras write some hundreds at most. */
const maxUnits = 4_096;

/**
 * Bytes of all that is no picture. Cameras write some thousands; libheif takes a microsecond for each byte of a profile, every time that it opens
 * the file.
 */
const maxMetaBytes = 500_000;

/** Items may share bytes, but not so that a small file becomes a large one. */
const maxGrowth = 2;

/** How a picture is coded: HEVC in a HEIC, AV1 in an AVIF. */
type Coding = 'hvc1' | 'av01';

/** What items may be beside coded pictures: what is put together of those, and notes. libheif knows many more codings, whatever the brand. */
const otherItems = new Set(['grid', 'iden', 'iovl', 'tmap', 'Exif', 'mime', 'uri ']);

interface Box {
  readonly type: string;
  /** Where its head begins, where its content begins, and where it ends, in bytes. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/**
 * Writes the file anew: `ftyp`, `meta`, and the data of all items, with `padding` behind each slice of HEVC. A decoder that has come to the end of
 * a slice looks no further, so a whole picture stays as it is; one that lacks data is made of the padding instead.
 * @param padding bytes that a NAL unit may hold as they are.
 * @throws where the boxes are not those of a HEIC, data is not where they say it is, or any picture within is no HEVC.
 */
export function padSlices(file: Uint8Array, padding: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const type = first(boxesOf(bytes, 0, bytes.length), 'ftyp');
  const meta = first(boxesOf(bytes, 0, bytes.length), 'meta');
  if (meta.end - meta.start > maxMetaBytes) throw new Error('The HEIC says too much about its picture.');
  // Two of a kind, and it would be the decoder's choice which one counts.
  const parts = [...boxesOf(bytes, meta.content + 4, meta.end)];
  const locations = only(parts, 'iloc');
  const coded = codedItems(bytes, only(parts, 'iinf'), 'hvc1');
  const inMeta = parts.find((part) => part.type === 'idat');

  const items = itemsOf(bytes, locations, inMeta);
  let left = maxUnits;
  const written = items.map(({ id, data }) => {
    if (!coded.has(id)) return data;
    const units = unitsOf(data, left);
    left -= units.length;
    return Buffer.concat(
      units.flatMap((unit) =>
        isSlice(unit) ? [be32(unit.length + padding.length), unit, padding] : [be32(unit.length), unit],
      ),
    );
  });

  const before = bytes.subarray(meta.content, locations.start);
  const behind = bytes.subarray(locations.end, meta.end);
  const entryBytes = 18;
  const metaBytes = 8 + before.length + 18 + items.length * entryBytes + behind.length;
  let at = type.end - type.start + metaBytes + 8;
  const entries = written.map((data, i) => {
    // The data lies in the file and in no other, in one piece.
    const entry = Buffer.concat([
      be32(items[i]?.id as number),
      Buffer.of(0, 0, 0, 0, 0, 1),
      be32(at, data.length),
    ]);
    at += data.length;
    return entry;
  });
  return Buffer.concat([
    stillOf(bytes.subarray(type.start, type.end)),
    boxOf('meta', [
      before,
      // Of version 2, with four bytes for each offset and length.
      boxOf('iloc', [Buffer.of(2, 0, 0, 0, 0x44, 0), be32(items.length), ...entries]),
      behind,
    ]),
    boxOf('mdat', written),
  ]);
}

/** @throws where the boxes are not those of an AVIF or a HEIC, or any picture within is in another coding. */
export function requireCoding(file: Uint8Array, coding: Coding): void {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const meta = first(boxesOf(bytes, 0, bytes.length), 'meta');
  codedItems(bytes, only([...boxesOf(bytes, meta.content + 4, meta.end)], 'iinf'), coding);
}

/** Brands of files that hold a film, beside a picture or without. */
const filmBrands = new Set(['msf1', 'hevc', 'hevx', 'hevm', 'hevs']);

/** The box of brands without those that promise a film, which is left out. */
function stillOf(type: Buffer): Buffer {
  const still = Buffer.from(type);
  for (let at = 8; at + 4 <= still.length; at += 4) {
    if (filmBrands.has(still.toString('latin1', at, at + 4))) still.write('mif1', at, 'latin1');
  }
  return still;
}

/** The boxes that follow each other there. */
function* boxesOf(bytes: Buffer, from: number, to: number): Generator<Box> {
  for (let start = from; start < to; ) {
    if (start + 8 > to) throw new Error('A box is cut short.');
    const length = bytes.readUInt32BE(start);
    const isLong = length === 1;
    if (isLong && start + 16 > to) throw new Error('A box is cut short.');
    const end = length === 0 ? to : start + (isLong ? Number(bytes.readBigUInt64BE(start + 8)) : length);
    const content = start + (isLong ? 16 : 8);
    if (end < content || end > to) throw new Error('A box does not end where it may.');
    yield { type: bytes.toString('latin1', start + 4, start + 8), start, content, end };
    start = end;
  }
}

function first(boxes: Iterable<Box>, type: string): Box {
  for (const box of boxes) if (box.type === type) return box;
  throw new Error(`The file has no ${type}.`);
}

function only(boxes: readonly Box[], type: string): Box {
  const [found, another] = boxes.filter((box) => box.type === type);
  if (found === undefined || another !== undefined) throw new Error(`The file has not one ${type}.`);
  return found;
}

/**
 * The ids of the items that are pictures in this coding.
 * @throws where there are others.
 */
function codedItems(bytes: Buffer, { content, end }: Box, coding: Coding): Set<number> {
  const coded = new Set<number>();
  for (const entry of boxesOf(bytes, content + (bytes[content] === 0 ? 6 : 8), end)) {
    const version = bytes[entry.content];
    const idBytes = version === 2 ? 2 : 4;
    const typeAt = entry.content + 4 + idBytes + 2;
    const isTyped = entry.type === 'infe' && (version === 2 || version === 3) && typeAt + 4 <= entry.end;
    const type = isTyped ? bytes.toString('latin1', typeAt, typeAt + 4) : '';
    if (type === coding) coded.add(bytes.readUIntBE(entry.content + 4, idBytes));
    else if (!otherItems.has(type)) throw new Error(`An item is neither ${coding} nor made of it.`);
  }
  return coded;
}

/**
 * Every item with its data in one piece.
 * @param inMeta the box that data may lie in instead of in the file.
 */
function itemsOf(
  bytes: Buffer,
  { content, end }: Box,
  inMeta: Box | undefined,
): { id: number; data: Buffer }[] {
  let at = content;
  const next = (length: number): number => {
    if (at + length > end) throw new Error('The table of items is cut short.');
    at += length;
    if (length === 0) return 0;
    return length === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - length, length);
  };
  const version = next(1);
  next(3);
  const sizes = next(2);
  const [offsetBytes, lengthBytes, baseBytes, indexBytes] = [12, 8, 4, 0].map((shift) => {
    const size = (sizes >> shift) & 15;
    if (size !== 0 && size !== 4 && size !== 8) throw new Error('The table of items is none that is known.');
    return size;
  }) as [number, number, number, number];
  const idBytes = version < 2 ? 2 : 4;
  let left = maxGrowth * bytes.length;
  return Array.from({ length: next(idBytes) }, () => {
    const id = next(idBytes);
    const method = version === 0 ? 0 : next(2) & 15;
    if (next(2) !== 0 || method > 1) throw new Error('An item lies where it cannot be read.');
    const source = method === 0 ? bytes : inMeta && bytes.subarray(inMeta.content, inMeta.end);
    if (source === undefined) throw new Error('An item lies in a box that there is not.');
    const base = next(baseBytes);
    const extents = Array.from({ length: next(2) }, () => {
      if (version > 0) next(indexBytes);
      const from = base + next(offsetBytes);
      const length = lengthBytes === 0 ? source.length - from : next(lengthBytes);
      if (length < 0 || from + length > source.length) throw new Error('The data of an item is cut short.');
      left -= length;
      if (left < 0) throw new Error('The items of the HEIC are larger than itself.');
      return source.subarray(from, from + length);
    });
    return { id, data: Buffer.concat(extents) };
  });
}

/** The NAL units of a coded picture, `most` at most, each behind its length in four bytes, as the decoder takes them. */
function unitsOf(data: Buffer, most: number): Buffer[] {
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
    if (units.length > most) throw new Error('The HEIC has too many NAL units.');
    at = end;
  }
  return units;
}

const unescaped = [0, 1, 2].map((third) => Buffer.of(0, 0, third));

/** Whether a NAL unit holds a part of a picture, and not parameters or notes. */
const isSlice = (unit: Buffer) => (unit[0] as number) >> 1 < 32;

function be32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

function boxOf(type: string, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([be32(content.length + 8), Buffer.from(type, 'latin1'), content]);
}
