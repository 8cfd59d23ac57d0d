/** What an AVIF or a HEIC comes to when it is decoded: its tiles and its transparency, each as large as it says itself. */

import { type Box, boxesOf, type Heif, type HeifFormat, only, readHeif } from './heif-items.ts';

/** References between items: a phone's tiles and what it has beside them are some hundreds. */
const maxReferences = 4_096;

/** Properties that items have, of all together. The 200 tiles of a phone have some 600. */
const maxAssociations = 8_192;

/** How many items may be made of each other in a row: an identity of a grid with transparency in tiles is four. */
const maxLevels = 4;

/** NAL units or OBUs, those of all items together. A picture or a tile has three, and cameras write some hundreds at most. */
const maxUnits = 4_096;

/** Properties of which an item may have one each. Each goes over the whole picture. */
const transforms = new Set(['clap', 'irot', 'imir']);

/** What libheif decodes with the picture that it belongs to, by the type of auxiliary. It leaves depths and gain maps alone. */
const transparency = new Set([
  'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha',
  'urn:mpeg:hevc:2015:auxid:1',
  'urn:mpeg:avc:2015:auxid:1',
]);

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Work {
  /** Of every picture within, whether it is shown or not, before it is turned or cut. */
  readonly sizes: readonly Size[];
  /** What is decoded for the one that takes the most: which is shown is the decoder's choice. */
  readonly pixels: number;
}

/**
 * Reads boxes, and of the data no more than the heads of OBUs. That a picture is coded no larger than its item says, libheif sees to before it
 * decodes it, and of the pictures in an item of HEVC it takes the first.
 * @throws where items are not put together as cameras and encoders do it.
 */
export function workOf(file: Uint8Array, format: HeifFormat): Work {
  const heif = readHeif(file, format);
  const { coding } = heif;
  const data = new Map(heif.items.map((item) => [item.id, item.data]));
  const { sizes, alphas } = propertiesOf(heif);
  const { tiles, transparencies } = referencesOf(heif, alphas);
  const counted: Size[] = [];

  const sizeOf = (id: number): Size => {
    const size = sizes.get(id);
    if (size === undefined) throw new Error('A picture has no size.');
    counted.push(size);
    return size;
  };
  let unitsLeft = maxUnits;
  const spend = () => {
    if (--unitsLeft < 0) throw new Error('There are too many units of data.');
  };
  const known = new Map<number, Counted>();
  const count = (id: number, above: number): Counted => {
    // Items that are made of themselves end here, too.
    if (above + (known.get(id)?.levels ?? 1) > maxLevels)
      throw new Error('Items are made of items too deep.');
    const found = known.get(id);
    if (found !== undefined) return found;
    const type = heif.types.get(id) ?? '';
    if (type !== coding && type !== 'grid' && type !== 'iden') return { pixels: 0, levels: 1 };
    const parts = type === coding ? [] : (tiles.get(id) ?? []);
    if (type === 'grid' && parts.some((part) => heif.types.get(part) !== coding))
      throw new Error('A tile is no coded picture.');
    const { width, height } = sizeOf(id);
    if (type === 'grid') {
      const shown = gridSize(data.get(id));
      if (shown.width > width || shown.height > height) throw new Error('A grid is larger than it says.');
    }
    let pixels = 0;
    if (type === 'hvc1') pixels = width * height * Math.max(1, slicesOf(data.get(id), spend));
    else if (type === 'av01') pixels = width * height * Math.max(1, framesOf(data.get(id), spend));
    let levels = 1;
    for (const part of parts) {
      const made = count(part, above + 1);
      pixels += made.pixels;
      levels = Math.max(levels, made.levels + 1);
    }
    for (const alpha of transparencies.get(id) ?? []) {
      const made = count(alpha, above + 1);
      // It is brought to the size of its picture.
      pixels += Math.max(made.pixels, width * height);
      levels = Math.max(levels, made.levels + 1);
    }
    known.set(id, { pixels, levels });
    return { pixels, levels };
  };
  return {
    pixels: [...heif.types.keys()].reduce((most, id) => Math.max(most, count(id, 0).pixels), 0),
    sizes: counted,
  };
}

interface Counted {
  readonly pixels: number;
  /** Of items that are made of each other, this one included. */
  readonly levels: number;
}

/** The sizes of the items by their ids, and which of them are transparency. */
function propertiesOf({ bytes, parts }: Heif): { sizes: Map<number, Size>; alphas: Set<number> } {
  const container = only(parts, 'iprp');
  const within = [...boxesOf(bytes, container.content, container.end)];
  const list = only(within, 'ipco');
  // Each is read once, however many items have it.
  const properties = Array.from(boxesOf(bytes, list.content, list.end), (box) => propertyOf(bytes, box));
  const sizes = new Map<number, Size>();
  const alphas = new Set<number>();
  const turns = new Set<string>();
  for (const [id, index] of associationsOf(bytes, only(within, 'ipma'))) {
    const { size, isAlpha, turn } = properties[index - 1] ?? {};
    if (size !== undefined) {
      if (sizes.has(id)) throw new Error('A picture has two sizes.');
      sizes.set(id, size);
    }
    if (isAlpha) alphas.add(id);
    if (turn !== undefined) {
      if (turns.has(`${turn} ${id}`)) throw new Error('A picture is turned or cut twice.');
      turns.add(`${turn} ${id}`);
    }
  }
  return { sizes, alphas };
}

/** What a property says that matters here. */
interface Property {
  readonly size?: Size;
  /** Of an item that is the transparency of another. */
  readonly isAlpha?: boolean;
  /** The type of one that goes over the whole picture. */
  readonly turn?: string;
}

/** @throws where one that tells how to decode has a part of a picture in it, which is decoded before the item's own data. */
function propertyOf(bytes: Buffer, { type, content, end }: Box): Property {
  switch (type) {
    case 'ispe':
      return { size: { width: bytes.readUInt32BE(content + 4), height: bytes.readUInt32BE(content + 8) } };
    case 'auxC': {
      const [name] = bytes.toString('latin1', content + 4, end).split('\0', 1);
      return { isAlpha: transparency.has(name as string) };
    }
    case 'av1C':
      if (framesOf(bytes.subarray(content + 4, end), () => {}) > 0)
        throw new Error('A configuration has a frame.');
      return {};
    case 'hvcC':
      if (hasSlice(bytes.subarray(content, end))) throw new Error('A configuration has a slice.');
      return {};
    default:
      return transforms.has(type) ? { turn: type } : {};
  }
}

/** Which item has which properties: [id, number of the property, from 1]. */
function* associationsOf(bytes: Buffer, { content, end }: Box): Generator<readonly [number, number]> {
  const idBytes = bytes[content] === 0 ? 2 : 4;
  const indexBytes = (bytes.readUInt8(content + 3) & 1) + 1;
  let left = bytes.readUInt32BE(content + 4);
  let associations = 0;
  for (let at = content + 8; left > 0 && at < end; left--) {
    const id = bytes.readUIntBE(at, idBytes);
    const count = bytes.readUInt8(at + idBytes);
    associations += 1 + count;
    if (associations > maxAssociations) throw new Error('Items have too many properties.');
    at += idBytes + 1;
    for (let i = 0; i < count; i++, at += indexBytes) {
      // The highest bit tells whether a reader must know the property.
      yield [id, bytes.readUIntBE(at, indexBytes) & (indexBytes === 1 ? 0x7f : 0x7fff)];
    }
  }
}

/** What each item is made of, and what its transparency is, by ids. */
function referencesOf(
  { bytes, parts }: Heif,
  alphas: ReadonlySet<number>,
): { tiles: Map<number, number[]>; transparencies: Map<number, number[]> } {
  const tiles = new Map<number, number[]>();
  const transparencies = new Map<number, number[]>();
  if (!parts.some(({ type }) => type === 'iref')) return { tiles, transparencies };
  const { content, end } = only(parts, 'iref');
  const idBytes = bytes[content] === 0 ? 2 : 4;
  let left = maxReferences;
  for (const { type, content: start } of boxesOf(bytes, content + 4, end)) {
    const from = bytes.readUIntBE(start, idBytes);
    const count = bytes.readUInt16BE(start + idBytes);
    left -= count;
    if (left < 0) throw new Error('There are too many references.');
    for (let i = 0; i < count; i++) {
      const to = bytes.readUIntBE(start + idBytes + 2 + i * idBytes, idBytes);
      if (type === 'dimg') listed(tiles, from).push(to);
      else if (type === 'auxl' && alphas.has(from)) listed(transparencies, to).push(from);
    }
  }
  return { tiles, transparencies };
}

function listed(lists: Map<number, number[]>, id: number): number[] {
  const list = lists.get(id) ?? [];
  lists.set(id, list);
  return list;
}

/** The size of what a grid is put together to, which it says beside its property. */
function gridSize(data: Buffer | undefined): Size {
  if (data === undefined) throw new Error('A grid has no data.');
  const [width, height] =
    (data.readUInt8(1) & 1) === 1
      ? [data.readUInt32BE(4), data.readUInt32BE(8)]
      : [data.readUInt16BE(4), data.readUInt16BE(6)];
  return { width, height };
}

/** Whether the parameters of HEVC, in lists of NAL units by type (ISO/IEC 14496-15, 8.3.2.1), have a part of a picture among them. */
function hasSlice(configuration: Buffer): boolean {
  let at = 23;
  for (let lists = configuration.readUInt8(22); lists > 0; lists--) {
    let units = configuration.readUInt16BE(at + 1);
    for (at += 3; units > 0; units--) {
      const length = configuration.readUInt16BE(at);
      if (length === 0) throw new Error('A NAL unit is empty.');
      if (isSlice(configuration.readUInt8(at + 2))) return true;
      at += 2 + length;
    }
  }
  return false;
}

/** Whether a NAL unit that begins with this byte holds a part of a picture, and not parameters or notes. */
export const isSlice = (firstByte: number) => firstByte >> 1 < 32;

/**
 * Parts of a picture in an item of HEVC. Each may be all that is left of it, which is decoded as often.
 * @param spend is told of each NAL unit.
 */
function slicesOf(data: Buffer = Buffer.alloc(0), spend: () => void): number {
  let slices = 0;
  for (let at = 0; at + 4 < data.length; at += 4 + data.readUInt32BE(at)) {
    spend();
    if (isSlice(data.readUInt8(at + 4))) slices++;
  }
  return slices;
}

/** Types of OBU with the head of a frame: by itself, with its tiles, and once more (AV1 Bitstream & Decoding Process Specification, 6.2.2). */
const framed = new Set([3, 6, 7]);

/**
 * Frames in data of AV1, all of which are decoded.
 * @param spend is told of each OBU.
 */
function framesOf(data: Buffer = Buffer.alloc(0), spend: () => void): number {
  let frames = 0;
  for (let at = 0; at < data.length; ) {
    spend();
    const head = data[at] as number;
    if (framed.has((head >> 3) & 15)) frames++;
    at += (head & 4) === 0 ? 1 : 2;
    // Without a length, it goes on to the end.
    if ((head & 2) === 0) break;
    let length = 0;
    for (let i = 0; i < 8; i++) {
      const byte = data.readUInt8(at++);
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) break;
    }
    at += length;
  }
  return frames;
}
