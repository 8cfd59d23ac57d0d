/** Hostile AVIFs and HEICs: boxes that lie about their length, grids without end, items that are made of themselves. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  be16,
  be32,
  cat,
  drawing,
  filesOf,
  flat,
  type HostileFile,
  patched,
  type Row,
  times,
} from './file.ts';
import { claiming, cutSlice } from './hevc.ts';

export function box(type: string, ...content: (Uint8Array | readonly number[])[]): Buffer {
  const all = cat(...content);
  return cat(be32(all.length + 8), type, all);
}

export const full = (
  type: string,
  version: number,
  flags: number,
  ...content: (Uint8Array | readonly number[])[]
) => box(type, be32(version * 0x1000000 + flags), ...content);

interface BoxAt {
  readonly at: number;
  readonly type: string;
  readonly content: Buffer;
}

const containers: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0, iinf: 6, iref: 4 };

/** Every box of a sound file, those within others too. */
export function boxesOf(file: Buffer, from = 0, to = file.length): BoxAt[] {
  const boxes: BoxAt[] = [];
  for (let at = from; at + 8 <= to; at += file.readUInt32BE(at)) {
    const end = at + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    boxes.push({ at, type, content: file.subarray(at + 8, end) });
    const skipped = containers[type];
    if (skipped !== undefined) boxes.push(...boxesOf(file, at + 8 + skipped, end));
  }
  return boxes;
}

const find = (file: Buffer, type: string) => boxesOf(file).find((one) => one.type === type) as BoxAt;

export interface Item {
  readonly type: string;
  readonly data: Buffer;
  /** Which properties, counted from 1. */
  readonly properties: readonly number[];
}

interface Made {
  readonly brand: string;
  readonly items: readonly Item[];
  readonly properties: readonly Buffer[];
  /** [kind, from, to], items counted from 1. */
  readonly references?: readonly (readonly [string, number, readonly number[]])[];
  /** Extents of the first item beside its data. */
  readonly extents?: number;
}

/** A file of items, the first of which is shown. */
export function heif({ brand, items, properties, references = [], extents = 1 }: Made): Buffer {
  const ftyp = box('ftyp', cat(brand, be32(0), 'mif1', brand));
  const meta = (dataAt: number) => {
    let at = dataAt;
    const locations = items.map(({ data }, i) => {
      const pieces = i === 0 ? extents : 1;
      const extent = be32(at, data.length);
      at += data.length;
      return cat(be16(i + 1, 0, pieces), times(pieces, extent));
    });
    return full(
      'meta',
      0,
      0,
      full('hdlr', 0, 0, be32(0), cat('pict'), Buffer.alloc(13)),
      full('pitm', 0, 0, be16(1)),
      full('iloc', 0, 0, [0x44, 0], be16(items.length), ...locations),
      full(
        'iinf',
        0,
        0,
        be16(items.length),
        ...items.map(({ type }, i) => full('infe', 2, 0, be16(i + 1, 0), cat(type, '\0'))),
      ),
      ...(references.length === 0
        ? []
        : [
            full(
              'iref',
              0,
              0,
              ...references.map(([kind, from, to]) =>
                box(kind, be16(from, to.length), Buffer.concat(to.map((one) => be16(one)))),
              ),
            ),
          ]),
      box(
        'iprp',
        box('ipco', ...properties),
        full(
          'ipma',
          0,
          0,
          be32(items.length),
          ...items.map(({ properties: own }, i) => cat(be16(i + 1), [own.length], own)),
        ),
      ),
    );
  };
  const length = ftyp.length + meta(0).length + 8;
  return cat(ftyp, meta(length), box('mdat', ...items.map(({ data }) => data)));
}

export const ispe = (width: number, height: number) => full('ispe', 0, 0, be32(width, height));
export const grid = (rows: number, columns: number, width: number, height: number) =>
  cat([0, 1, rows - 1, columns - 1], be32(width, height));

/** The property of an item that is the transparency of another. */
export const alpha = full('auxC', 0, 0, cat('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0'));

/** A coded picture out of a sound file: its data, and the box that says how to decode it. */
export function codedOf(file: Buffer, configuration: 'av1C' | 'hvcC') {
  const config = find(file, configuration);
  const size = find(file, 'ispe');
  return {
    data: find(file, 'mdat').content,
    config: file.subarray(config.at, config.at + 8 + config.content.length),
    width: size.content.readUInt32BE(4),
    height: size.content.readUInt32BE(8),
  };
}

function rowsOf(brand: 'avif' | 'heic', sound: Buffer): Row[] {
  const [kind, configuration] = brand === 'avif' ? (['av01', 'av1C'] as const) : (['hvc1', 'hvcC'] as const);
  const { data, config, width, height } = codedOf(sound, configuration);
  const any: Row[2][] = ['assessed', 'undecodable_image'];
  const coded: Item = { type: kind, data, properties: [1, 2] };
  const whole = { brand, items: [coded], properties: [config, ispe(width, height)] };
  const derived = (
    type: string,
    content: Buffer,
    parts: readonly number[],
    size: readonly [number, number],
    more: Partial<Made> = {},
  ) =>
    heif({
      brand,
      items: [{ type, data: content, properties: [3] }, coded],
      properties: [config, ispe(width, height), ispe(...size)],
      references: [['dimg', 1, parts]],
      ...more,
    });
  const tiles = (count: number) => Array<number>(count).fill(2);
  const gridOf = (
    count: number,
    content: Buffer,
    size: readonly [number, number],
    tile: readonly [number, number],
  ) =>
    heif({
      brand,
      items: [{ type: 'grid', data: content, properties: [3] }, ...Array<Item>(count).fill(coded)],
      properties: [config, ispe(...tile), ispe(...size)],
      references: [['dimg', 1, Array.from({ length: count }, (_, i) => i + 2)]],
    });
  const nestedGrids = (count: number, depth: number) =>
    heif({
      brand,
      items: [
        ...Array.from({ length: depth }, () => ({
          type: 'grid',
          data: grid(Math.sqrt(count), Math.sqrt(count), 64, 64),
          properties: [3],
        })),
        coded,
      ],
      properties: [config, ispe(width, height), ispe(64, 64)],
      references: Array.from({ length: depth }, (_, i) => ['dimg', i + 1, Array<number>(count).fill(i + 2)]),
    });
  const withProperty = (property: Buffer) =>
    heif({
      ...whole,
      items: [{ ...coded, properties: [1, 2, 3] }],
      properties: [...whole.properties, property],
    });
  /** Of notes, each of which has it 250 times. */
  const withProperties = (property: Buffer, count: number) =>
    heif({
      ...whole,
      items: [
        coded,
        ...Array<Item>(count / 250).fill({
          type: 'Exif',
          data: Buffer.alloc(0),
          properties: Array<number>(250).fill(3),
        }),
      ],
      properties: [...whole.properties, property],
    });
  const overlay = (count: number, x: number) =>
    cat([0, 1], be16(0, 0, 0, 0), be32(width, height), times(count, be32(x, 0)));

  return [
    ['made by hand', heif(whole), 'assessed'],
    ...boxesOf(sound).flatMap(({ at, type, content }): Row[] => [
      ...[0, 4, 8, 8 + (content.length >> 1)].map(
        (more): Row => [
          `cut ${more} bytes into ${type} at ${at}`,
          sound.subarray(0, at + more),
          // Without the first box nothing tells what it is.
          at + more < 12 ? 'unsupported_format' : 'undecodable_image',
        ],
      ),
      ...[0, 1, 7, 0x7fffffff, 0xffffffff].map(
        (length): Row => [
          `${type} at ${at} of length ${length}`,
          patched(sound, at, be32(length)),
          ...any,
          'unsupported_format',
        ],
      ),
    ]),
    [
      '65,535 px wide and high',
      patched(sound, find(sound, 'ispe').at + 12, be32(65_535, 65_535)),
      'image_too_large',
      'undecodable_image',
    ],
    [
      '4,294,967,295 px wide and high',
      patched(sound, find(sound, 'ispe').at + 12, be32(0xffffffff, 0xffffffff)),
      'image_too_large',
      'undecodable_image',
    ],
    [
      '5,000 px wide and high, of fewer',
      patched(sound, find(sound, 'ispe').at + 12, be32(5_000, 5_000)),
      'undecodable_image',
      'assessed',
    ],
    [
      '5,001 px wide and high, of fewer',
      patched(sound, find(sound, 'ispe').at + 12, be32(5_001, 5_001)),
      'image_too_large',
    ],
    [
      '0 px wide and high',
      patched(sound, find(sound, 'ispe').at + 12, be32(0, 0)),
      'undecodable_image',
      'assessed',
    ],
    ['no size', heif({ ...whole, items: [{ ...coded, properties: [1] }] }), ...any],
    ['no configuration', heif({ ...whole, items: [{ ...coded, properties: [2] }] }), 'undecodable_image'],
    [
      'a property that is not there',
      heif({ ...whole, items: [{ ...coded, properties: [1, 2, 99] }] }),
      ...any,
    ],
    [
      '120 sizes',
      heif({ ...whole, items: [{ ...coded, properties: [1, ...Array<number>(120).fill(2)] }] }),
      ...any,
    ],
    [
      'a grid of four',
      derived('grid', grid(2, 2, width * 2, height * 2), tiles(4), [width * 2, height * 2]),
      'assessed',
      'undecodable_image',
    ],
    [
      'a grid of four of which three are missing',
      derived('grid', grid(2, 2, width * 2, height * 2), tiles(1), [width * 2, height * 2]),
      'undecodable_image',
    ],
    [
      'a grid of 65,536 tiles',
      derived('grid', grid(256, 256, width * 256, height * 256), tiles(65_535), [width * 256, height * 256]),
      'image_too_large',
      'undecodable_image',
    ],
    [
      'a grid of 2,500 tiles that are one',
      derived('grid', grid(50, 50, 5_000, 5_000), tiles(2_500), [5_000, 5_000]),
      ...any,
    ],
    ...[30, 45].map(
      (side): Row => [
        `a grid of ${side ** 2} tiles`,
        derived(
          'grid',
          grid(side, side, width * side, height * side),
          Array.from({ length: side ** 2 }, (_, i) => i + 2),
          [width * side, height * side],
          {
            items: [
              { type: 'grid', data: grid(side, side, width * side, height * side), properties: [3] },
              ...Array<Item>(side ** 2).fill(coded),
            ],
          },
        ),
        'assessed',
        'undecodable_image',
      ],
    ),
    [
      'a grid of 65,025 tiles for a few pixels',
      derived('grid', grid(255, 255, 300, 300), tiles(65_025), [300, 300]),
      ...any,
    ],
    [
      'a grid of 4,294,967,295 px that is said to be small',
      derived('grid', cat([0, 3, 0, 0], be32(0xffffffff, 0xffffffff)), tiles(1), [64, 64]),
      'undecodable_image',
      'image_too_large',
    ],
    [
      'a grid of 65,535 px that is said to be small',
      derived('grid', grid(1, 1, 65_535, 65_535), tiles(1), [64, 64]),
      'undecodable_image',
      'image_too_large',
    ],
    ['a grid whose tile is itself', derived('grid', grid(1, 1, 64, 64), [1], [64, 64]), 'undecodable_image'],
    [
      'a grid of two grids of each other',
      derived('grid', grid(1, 1, 64, 64), [2], [64, 64], {
        items: [
          { type: 'grid', data: grid(1, 1, 64, 64), properties: [3] },
          { type: 'grid', data: grid(1, 1, 64, 64), properties: [3] },
        ],
        references: [
          ['dimg', 1, [2]],
          ['dimg', 2, [1]],
        ],
      }),
      'undecodable_image',
    ],
    ...(
      [
        [16, 8],
        [144, 30],
      ] as const
    ).map(
      ([count, depth]): Row => [
        `grids of ${count} grids, ${depth} deep`,
        nestedGrids(count, depth),
        'undecodable_image',
      ],
    ),
    ...[1, 10_000].map(
      (count): Row => [
        `an overlay of ${count}`,
        derived('iovl', overlay(count, 0), tiles(count), [width, height]),
        'undecodable_image',
      ],
    ),
    [
      'an overlay far outside',
      derived('iovl', overlay(1, 0x7fffffff), tiles(1), [width, height]),
      'undecodable_image',
    ],
    ['an identity of itself', derived('iden', Buffer.alloc(0), [1], [64, 64]), 'undecodable_image'],
    [
      'an identity of 1,000 identities',
      derived('iden', Buffer.alloc(0), [2], [width, height], {
        items: [
          ...Array.from({ length: 1_000 }, () => ({ type: 'iden', data: Buffer.alloc(0), properties: [3] })),
          coded,
        ],
        references: Array.from({ length: 1_000 }, (_, i) => ['dimg', i + 1, [i + 2]] as const),
      }),
      'undecodable_image',
    ],
    [
      '10,000 references to thumbnails',
      heif({
        ...whole,
        items: [coded, coded],
        references: Array.from({ length: 10_000 }, () => ['thmb', 2, [1]] as const),
      }),
      ...any,
    ],
    ['an auxiliary picture of itself', heif({ ...whole, references: [['auxl', 1, [1]]] }), ...any],
    [
      '5,000 items',
      heif({
        ...whole,
        items: Array<Item>(5_000)
          .fill({ ...coded, data: data.subarray(0, 64) })
          .with(0, coded),
      }),
      ...any,
    ],
    ...[20, 20_000].map(
      (extents): Row => [
        `a picture of ${extents} pieces that are the same`,
        heif({ ...whole, extents }),
        'undecodable_image',
      ],
    ),
    ...[5_000, 64].flatMap((side): Row[] => [
      [
        `a grid of ${side} px of 100 pictures of 25 megapixels`,
        gridOf(100, grid(10, 10, side, side), [side, side], [5_000, 5_000]),
        'image_too_large',
      ],
      [
        `a grid of ${side} px of 25 times the same 25 megapixels`,
        heif({
          brand,
          items: [
            { type: 'grid', data: grid(5, 5, side, side), properties: [3] },
            { ...coded, properties: [1, 2] },
          ],
          properties: [config, ispe(5_000, 5_000), ispe(side, side)],
          references: [['dimg', 1, tiles(25)]],
        }),
        'image_too_large',
      ],
    ]),
    [
      'a transparency that is a grid of 100 pictures of 25 megapixels',
      heif({
        brand,
        items: [
          coded,
          { type: 'grid', data: grid(10, 10, width, height), properties: [2, 3] },
          ...Array<Item>(100).fill({ ...coded, properties: [1, 4] }),
        ],
        properties: [config, ispe(width, height), alpha, ispe(5_000, 5_000)],
        references: [
          ['auxl', 2, [1]],
          ['dimg', 2, Array.from({ length: 100 }, (_, i) => i + 3)],
        ],
      }),
      'image_too_large',
    ],
    [
      '64 px cut out of 64 megapixels',
      heif({
        brand,
        items: [{ ...coded, properties: [1, 2, 3] }],
        properties: [config, ispe(8_000, 8_000), box('clap', be32(64, 1, 64, 1, 0, 1, 0, 1))],
      }),
      'image_too_large',
    ],
    [
      'turned 200 times',
      heif({
        ...whole,
        items: [{ ...coded, properties: [1, 2, ...Array<number>(200).fill(3)] }],
        properties: [...whole.properties, box('irot', [1])],
      }),
      'undecodable_image',
    ],
    ...[1, 2].map(
      (tracks): Row => [
        `${tracks} films of 17,900,000 samples behind it`,
        cat(sound, film(tracks, 17_900_000, config)),
        'assessed',
      ],
    ),
    ['another description behind it', cat(sound, box('meta', Buffer.alloc(100))), 'assessed'],
    [
      'a grid with a gain map and a thumbnail, as phones write it',
      heif({
        brand,
        items: [
          { type: 'grid', data: grid(6, 8, width * 8 - 9, height * 6 - 9), properties: [3, 4] },
          ...Array<Item>(48).fill(coded),
          { ...coded, properties: [1, 2, 5] },
          coded,
          { type: 'Exif', data: Buffer.alloc(99), properties: [] },
        ],
        properties: [
          config,
          ispe(width, height),
          ispe(width * 8 - 9, height * 6 - 9),
          box('irot', [3]),
          full('auxC', 0, 0, cat('urn:com:apple:photo:2020:aux:hdrgainmap\0')),
        ],
        references: [
          ['dimg', 1, Array.from({ length: 48 }, (_, i) => i + 2)],
          ['auxl', 50, [1]],
          ['thmb', 51, [1]],
          ['cdsc', 52, [1]],
        ],
      }),
      'assessed',
    ],
    [
      'a grid whose transparency is another',
      heif({
        brand,
        items: [
          { type: 'grid', data: grid(2, 2, width * 2, height * 2), properties: [3] },
          { type: 'grid', data: grid(2, 2, width * 2, height * 2), properties: [3, 4] },
          ...Array<Item>(8).fill(coded),
        ],
        properties: [config, ispe(width, height), ispe(width * 2, height * 2), alpha],
        references: [
          ['dimg', 1, [3, 4, 5, 6]],
          ['dimg', 2, [7, 8, 9, 10]],
          ['auxl', 2, [1]],
        ],
      }),
      'assessed',
    ],
    ['turned by nothing known', withProperty(box('irot', [0xff])), ...any],
    ['a clean aperture by 0', withProperty(box('clap', be32(1, 0, 1, 0, 0, 0, 0, 0))), ...any],
    [
      'a clean aperture of 4,294,967,295 px',
      withProperty(box('clap', be32(0xffffffff, 1, 0xffffffff, 1, 0, 1, 0, 1))),
      ...any,
    ],
    [
      'a profile of a megabyte of nothing',
      withProperty(box('colr', cat('prof'), Buffer.alloc(1_000_000))),
      ...any,
    ],
    [
      'a profile of 2 GB',
      withProperty(patched(box('colr', cat('prof'), Buffer.alloc(100)), 0, be32(0x7fffffff))),
      'undecodable_image',
    ],
    ['a thousand items of 65,535 pieces of nothing', inPieces(brand, kind, 1_000), 'undecodable_image'],
    ['33,554,432 items', inPieces(brand, kind, 0, 33_554_432), 'undecodable_image'],
    ...(
      [
        [
          'parameters of no bytes',
          box('hvcC', Buffer.alloc(22), [1, 0x20, 0xff, 0xff], Buffer.alloc(2 * 65_535)),
        ],
        ['a long name', full('auxC', 0, 0, Buffer.alloc(300_000, 0x41))],
        ['notes in a configuration', box('av1C', Buffer.alloc(4), times(255, Buffer.of(0x0a, 0)))],
      ] as const
    ).flatMap(([name, property]): Row[] =>
      [4_000, 50_000].map((count) => [`${name}, ${count} times`, withProperties(property, count), ...any]),
    ),
    ['boxes 10,000 deep', cat(sound, nested(10_000)), ...any],
    [
      'a picture of zeros',
      heif({ ...whole, items: [{ ...coded, data: Buffer.alloc(data.length) }] }),
      'undecodable_image',
    ],
    [
      'a picture of no bytes',
      heif({ ...whole, items: [{ ...coded, data: Buffer.alloc(0) }] }),
      'undecodable_image',
    ],
    ['no items', heif({ ...whole, items: [] }), 'undecodable_image'],
    [
      'a film behind its first box',
      cat(sound.subarray(0, sound.readUInt32BE(0)), box('moov', box('mvhd', Buffer.alloc(100)))),
      'undecodable_image',
    ],
    [
      'a sequence without a still',
      cat(
        box('ftyp', cat(brand === 'avif' ? 'avis' : 'hevc', be32(0), 'msf1')),
        box('moov', box('mvhd', Buffer.alloc(100)), box('trak', Buffer.alloc(8))),
      ),
      'undecodable_image',
    ],
  ];
}

/** Items whose data lies in as many pieces as there may be, which take no bytes anywhere; and how many items there are said to be. */
function inPieces(brand: string, kind: string, items: number, claimed = items): Buffer {
  const locations = Array.from({ length: items }, (_, i) => cat(be32(i + 1), be16(1, 0, 65_535)));
  return cat(
    box('ftyp', cat(brand, be32(0), 'mif1', brand)),
    full(
      'meta',
      0,
      0,
      full('iloc', 2, 0, [0, 0], be32(claimed), ...locations),
      full('iinf', 0, 0, be16(1), full('infe', 2, 0, be16(1, 0), cat(kind, '\0'))),
      box('idat'),
    ),
  );
}

/** Films that claim that many samples in a few bytes. */
function film(tracks: number, samples: number, config: Buffer): Buffer {
  const zeros = (bytes: number) => Buffer.alloc(bytes);
  const matrix = be32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
  const type = config.includes('av1C') ? 'av01' : 'hvc1';
  const size = be16(96, 96);
  const entry = box(type, zeros(6), be16(1), zeros(16), size, zeros(14), zeros(32), be16(24, 0xffff), config);
  const table = box(
    'stbl',
    full('stsd', 0, 0, be32(1), entry),
    full('stts', 0, 0, be32(1, samples, 1)),
    full('stsc', 0, 0, be32(1, 1, samples, 1)),
    full('stsz', 0, 0, be32(1, samples)),
    full('stco', 0, 0, be32(1, 0)),
    full('stss', 0, 0, be32(1, 1)),
  );
  const media = box(
    'mdia',
    full('mdhd', 0, 0, be32(0, 0, 1_000, 1_000), be16(0x55c4, 0)),
    full('hdlr', 0, 0, be32(0), cat('pict'), zeros(13)),
    box(
      'minf',
      full('vmhd', 0, 1, zeros(8)),
      box('dinf', full('dref', 0, 0, be32(1), full('url ', 0, 1))),
      table,
    ),
  );
  const track = (id: number) =>
    box(
      'trak',
      full('tkhd', 0, 7, be32(0, 0, id, 0, 1_000), zeros(16), matrix, be32(96 << 16, 96 << 16)),
      media,
    );
  const head = full(
    'mvhd',
    0,
    0,
    be32(0, 0, 1_000, 1_000, 0x10000),
    be16(0x100, 0),
    zeros(8),
    matrix,
    zeros(24),
    be32(tracks + 1),
  );
  return box('moov', head, ...Array.from({ length: tracks }, (_, i) => track(i + 1)));
}

function nested(depth: number): Buffer {
  // From the outside in: each box is eight bytes longer than what it holds.
  return cat(...Array.from({ length: depth }, (_, i) => cat(be32((depth - i) * 8), 'iprp')));
}

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', name));

export async function avifs(): Promise<HostileFile[]> {
  const sound = await drawing(96).avif({ effort: 0 }).toBuffer();
  const { data, config, width, height } = codedOf(sound, 'av1C');
  const beside = (type: string) =>
    heif({
      brand: 'avif',
      items: [
        { type: 'av01', data, properties: [1, 2] },
        { type, data, properties: [1, 2] },
      ],
      properties: [config, ispe(width, height)],
    });
  const frames = (count: number, ...size: [number, number]) =>
    heif({
      brand: 'avif',
      items: [{ type: 'av01', data: times(count, data), properties: [1, 2] }],
      properties: [config, ispe(...size)],
    });
  return filesOf('avif', [
    ...rowsOf('avif', sound),
    ['AV1 beside it', beside('av01'), 'assessed'],
    ['two frames', frames(2, width, height), 'assessed'],
    ['20 frames of 25 megapixels', frames(20, 5_000, 5_000), 'image_too_large'],
    [
      'frames in its configuration',
      heif({
        brand: 'avif',
        items: [{ type: 'av01', data, properties: [1, 2] }],
        properties: [box('av1C', config.subarray(8), times(20, data)), ispe(width, height)],
      }),
      'undecodable_image',
    ],
    ['HEVC beside it', beside('hvc1'), 'undecodable_image'],
    ['16,000 px wide', await flat(16_000, 16).avif({ effort: 0 }).toBuffer(), 'assessed'],
    ['1 x 1', await flat(1, 1).avif({ effort: 0 }).toBuffer(), 'assessed'],
    ['10 bit', await drawing(96).avif({ effort: 0, bitdepth: 10 }).toBuffer(), 'assessed'],
    ['HEVC within', renamed(fixture('portrait.heic'), 'heic', 'avif'), 'undecodable_image'],
  ]);
}

/** What is larger than all dialects take, or takes seconds to make. */
export async function largeHeifs(): Promise<HostileFile[]> {
  const see = { r: 138, g: 143, b: 148, alpha: 0.5 };
  const flatSee = sharp({ create: { width: 5_000, height: 5_000, channels: 4, background: see } });
  // The kind of pixels that takes the most memory.
  const largest = await flatSee.avif({ effort: 0, bitdepth: 10, chromaSubsampling: '4:4:4' }).toBuffer();
  const { data, config, width, height } = codedOf(fixture('portrait.heic'), 'hvcC');
  const profiled = heif({
    brand: 'heic',
    items: [{ type: 'hvc1', data, properties: [1, 2, 3] }],
    properties: [config, ispe(width, height), box('colr', cat('prof'), Buffer.alloc(8_000_000))],
  });
  return [
    ...filesOf('avif', [['25 megapixels of 10 bit, with transparency', largest, 'assessed']]),
    ...filesOf('heic', [['a profile of 8 megabytes of nothing', profiled, 'undecodable_image']]),
  ];
}

export async function heics(): Promise<HostileFile[]> {
  const sound = fixture('portrait.heic');
  const avif = await drawing(96).avif({ effort: 0 }).toBuffer();
  const { data, config, width, height } = codedOf(sound, 'hvcC');
  const made = (slice: Buffer, size = [width, height] as const, isRich = false) =>
    heif({
      brand: 'heic',
      items: [{ type: 'hvc1', data: slice, properties: [1, 2] }],
      properties: [box('hvcC', claiming(config.subarray(8), ...size, isRich)), ispe(...size)],
    });
  const hole = Math.floor(data.length / 2);
  const av1 = codedOf(avif, 'av1C');
  const withAv1 = (type: string, shown: Buffer, reference = 'dimg') =>
    heif({
      brand: 'heic',
      items: [
        { type, data: shown, properties: type === 'hvc1' ? [1, 2] : [4] },
        { type: 'av01', data: av1.data, properties: [3, 4] },
      ],
      properties: [config, ispe(width, height), av1.config, ispe(av1.width, av1.height)],
      references: [reference === 'auxl' ? ['auxl', 2, [1]] : [reference, 1, [2]]],
    });
  const ofFour = (...tiles: readonly Buffer[]) =>
    heif({
      brand: 'heic',
      items: [
        { type: 'grid', data: grid(2, 2, width * 2, height * 2), properties: [3] },
        ...tiles.map((tile): Item => ({ type: 'hvc1', data: tile, properties: [1, 2] })),
      ],
      properties: [config, ispe(width, height), ispe(width * 2, height * 2)],
      references: [['dimg', 1, [2, 3, 4, 5]]],
    });
  return filesOf('heic', [
    ...rowsOf('heic', sound),
    ['turned', fixture('portrait-rotated.heic'), 'assessed'],
    ['AV1 within', renamed(avif, 'avif', 'heic'), 'undecodable_image'],
    ['AV1 in a grid', withAv1('grid', grid(1, 1, av1.width, av1.height)), 'undecodable_image'],
    ['AV1 behind an identity', withAv1('iden', Buffer.alloc(0)), 'undecodable_image'],
    ['AV1 as transparency', withAv1('hvc1', data, 'auxl'), 'undecodable_image'],
    ['an item of no known kind', patched(sound, sound.indexOf('hvc1'), cat('hvcX')), 'undecodable_image'],
    ['of its own size', made(data), 'assessed'],
    ...(
      [
        [2_000, 2_000],
        [5_000, 5_000],
        [16_320, 1_500],
      ] as const
    ).map((size): Row => [`${size.join(' x ')} of the data of few`, made(data, size), 'undecodable_image']),
    [
      '5000 x 5000 in 4:4:4 and 10 bit, of the data of few',
      made(data, [5_000, 5_000], true),
      'undecodable_image',
    ],
    ['20,000 x 20,000 of the data of few', made(data, [20_000, 20_000]), 'image_too_large'],
    ...[0.2, 0.5, 0.9].map(
      (share): Row => [
        `a slice of which there is ${share}`,
        made(cutSlice(data, share)),
        'undecodable_image',
      ],
    ),
    ['a grid of four whole slices', ofFour(data, data, data, data), 'assessed'],
    [
      'a grid of a slice that is cut and three',
      ofFour(data, data, cutSlice(data, 0.6), data),
      'undecodable_image',
    ],
    ['a slice with a hole', made(patched(data, hole, Buffer.alloc(4))), 'undecodable_image'],
    ['5,000 empty slices', made(times(5_000, cat(be32(3), [0x28, 1, 0x80]))), 'undecodable_image'],
  ]);
}

function renamed(file: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(file);
  const end = file.readUInt32BE(0);
  for (let at = 8; at < end; at += 4)
    if (copy.toString('latin1', at, at + 4) === from) copy.write(to, at, 'latin1');
  return copy;
}
