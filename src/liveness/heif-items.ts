/** The boxes of an AVIF or a HEIC, the items that they list, and where the data of those lies. */

/** Boxes that follow each other, and so items. Phones write a hundred at most. */
const maxBoxes = 4_096;

/**
 * Bytes of all that is no picture. Cameras write some thousands; libheif takes a microsecond for each byte of a profile, every time that it opens
 * the file.
 */
const maxMetaBytes = 500_000;

/** Pieces that the data of all items lies in. Entries of them may take no bytes in the table, and so be any number. */
const maxPieces = 4_096;

/** Items may share bytes, but not so that a small file becomes a large one. */
const maxGrowth = 2;

export type HeifFormat = 'avif' | 'heic';

/** How their pictures are coded, in AV1 and in HEVC. */
const codings = { avif: 'av01', heic: 'hvc1' } as const;

/**
 * What items may be beside coded pictures: what is put together of those, and notes. libheif knows many more codings, whatever the brand, and
 * overlays, of which each is as much work as the whole picture; no camera writes one.
 */
const otherItems = new Set(['grid', 'iden', 'tmap', 'Exif', 'mime', 'uri ']);

export interface Box {
  readonly type: string;
  /** Where its head begins, where its content begins, and where it ends, in bytes. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

export interface Heif {
  readonly bytes: Buffer;
  /** The type of those items that are pictures by themselves. */
  readonly coding: 'av01' | 'hvc1';
  /** Which brands it has. */
  readonly brands: Box;
  readonly meta: Box;
  /** The boxes within `meta`. */
  readonly parts: readonly Box[];
  /** Where the data of items lies. */
  readonly locations: Box;
  /** What each item is, by its id. */
  readonly types: ReadonlyMap<number, string>;
  /** Every item that has data, in one piece. */
  readonly items: readonly { readonly id: number; readonly data: Buffer }[];
}

/** @throws where the boxes are not those of an AVIF or a HEIC, data is not where they say it is, or any picture within is in another coding. */
export function readHeif(file: Uint8Array, format: HeifFormat): Heif {
  const coding = codings[format];
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const brands = first(boxesOf(bytes, 0, bytes.length), 'ftyp');
  const meta = first(boxesOf(bytes, 0, bytes.length), 'meta');
  if (meta.end - meta.start > maxMetaBytes) throw new Error('The file says too much about its picture.');
  const parts = [...boxesOf(bytes, meta.content + 4, meta.end)];
  const locations = only(parts, 'iloc');
  const types = typesOf(bytes, only(parts, 'iinf'), coding);
  const inMeta = parts.find((part) => part.type === 'idat');
  return { bytes, coding, brands, meta, parts, locations, types, items: itemsOf(bytes, locations, inMeta) };
}

/** The boxes that follow each other there. */
export function* boxesOf(bytes: Buffer, from: number, to: number): Generator<Box> {
  let left = maxBoxes;
  for (let start = from; start < to; ) {
    if (--left < 0) throw new Error('There are too many boxes.');
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

/** Two of a kind, and it would be the decoder's choice which one counts. */
export function only(boxes: readonly Box[], type: string): Box {
  const [found, another] = boxes.filter((box) => box.type === type);
  if (found === undefined || another !== undefined) throw new Error(`The file has not one ${type}.`);
  return found;
}

/** @throws where an item is neither in this coding nor what may be beside it. */
function typesOf(bytes: Buffer, { content, end }: Box, coding: string): Map<number, string> {
  const types = new Map<number, string>();
  for (const entry of boxesOf(bytes, content + (bytes[content] === 0 ? 6 : 8), end)) {
    const version = bytes[entry.content];
    const idBytes = version === 2 ? 2 : 4;
    const typeAt = entry.content + 4 + idBytes + 2;
    const isTyped = entry.type === 'infe' && (version === 2 || version === 3) && typeAt + 4 <= entry.end;
    const type = isTyped ? bytes.toString('latin1', typeAt, typeAt + 4) : '';
    if (type !== coding && !otherItems.has(type))
      throw new Error(`An item is neither ${coding} nor made of it.`);
    const id = bytes.readUIntBE(entry.content + 4, idBytes);
    if (types.has(id)) throw new Error('An item is described twice.');
    types.set(id, type);
  }
  return types;
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
  let pieces = 0;
  const ids = new Set<number>();
  const entries = next(idBytes);
  // Four bytes may claim thousands of millions, for which room would be made at once.
  if (entries > maxBoxes) throw new Error('There are too many items.');
  return Array.from({ length: entries }, () => {
    const id = next(idBytes);
    if (ids.has(id)) throw new Error('An item lies in two places.');
    ids.add(id);
    const method = version === 0 ? 0 : next(2) & 15;
    if (next(2) !== 0 || method > 1) throw new Error('An item lies where it cannot be read.');
    const source = method === 0 ? bytes : inMeta && bytes.subarray(inMeta.content, inMeta.end);
    if (source === undefined) throw new Error('An item lies in a box that there is not.');
    const base = next(baseBytes);
    const count = next(2);
    pieces += count;
    if (pieces > maxPieces) throw new Error('The data of items lies in too many pieces.');
    const extents = Array.from({ length: count }, () => {
      if (version > 0) next(indexBytes);
      const from = base + next(offsetBytes);
      const length = lengthBytes === 0 ? source.length - from : next(lengthBytes);
      if (length < 0 || from + length > source.length) throw new Error('The data of an item is cut short.');
      left -= length;
      if (left < 0) throw new Error('The items of the file are larger than itself.');
      return source.subarray(from, from + length);
    });
    const [data, another] = extents;
    return { id, data: data !== undefined && another === undefined ? data : Buffer.concat(extents) };
  });
}
