/** Hostile TIFFs: directories in circles, tags that count without end, tiles larger than memory, and codecs within codecs. */

import { deflateSync } from 'node:zlib';
import {
  cat,
  drawing,
  filesOf,
  flat,
  type HostileFile,
  le16,
  le32,
  patched,
  type Row,
  times,
} from './file.ts';
import { iccOfTags } from './jpeg.ts';
import { packedZeros } from './png.ts';

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

interface Tag {
  readonly type: number;
  /** How many values are said to be there; by itself as many as there are. */
  readonly count?: number;
  /** Values, or where they are said to lie. */
  readonly values: readonly number[] | { readonly lyingAt: number };
}

type Tags = Readonly<Record<number, Tag>>;

const short = (...values: number[]): Tag => ({ type: SHORT, values });
const long = (...values: number[]): Tag => ({ type: LONG, values });
const counting = (type: number, count: number, at: number): Tag => ({ type, count, values: { lyingAt: at } });

const tag = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  offsets: 273,
  orientation: 274,
  samples: 277,
  rows: 278,
  byteCounts: 279,
  planar: 284,
  pages: 297,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  subDirectories: 330,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
  subsampling: 530,
  description: 270,
  profile: 34_675,
  exif: 34_665,
} as const;

/** One directory after another, the data behind the head; `next` of the last, where it is not 0. */
function tiff(directories: readonly Tags[], data: Uint8Array = new Uint8Array(), next = 0): Buffer {
  let at = 8 + data.length;
  const parts: Buffer[] = [cat('II*\0', le32(at)), Buffer.from(data)];
  for (const [i, tags] of directories.entries()) {
    const entries = Object.entries(tags);
    const beyond: Buffer[] = [];
    let valueAt = at + 2 + entries.length * 12 + 4;
    const lines = entries.map(([id, { type, count, values }]) => {
      const head = le16(Number(id), type);
      if ('lyingAt' in values) return cat(head, le32(count ?? 1, values.lyingAt));
      const bytes = type === SHORT ? le16(...values) : type === LONG ? le32(...values) : Buffer.from(values);
      const length = le32(count ?? values.length);
      if (bytes.length <= 4) return cat(head, length, bytes, Buffer.alloc(4 - bytes.length));
      beyond.push(bytes);
      valueAt += bytes.length;
      return cat(head, length, le32(valueAt - bytes.length));
    });
    const isLast = i === directories.length - 1;
    const directory = cat(le16(entries.length), ...lines, le32(isLast ? next : valueAt), ...beyond);
    parts.push(directory);
    at += directory.length;
  }
  return cat(...parts);
}

const side = 64;
const pixels = Buffer.alloc(side * side * 3, 0x8a);

/** A picture of one colour in one strip. */
const stripped: Tags = {
  [tag.width]: long(side),
  [tag.height]: long(side),
  [tag.bits]: short(8, 8, 8),
  [tag.compression]: short(1),
  [tag.photometric]: short(2),
  [tag.offsets]: long(8),
  [tag.samples]: short(3),
  [tag.rows]: long(side),
  [tag.byteCounts]: long(pixels.length),
};

const { [tag.offsets]: _o, [tag.rows]: _r, [tag.byteCounts]: _b, ...unplaced } = stripped;

const tiled = (width: number, height: number, bytes: number, tiles = 1): Tags => ({
  ...unplaced,
  [tag.tileWidth]: long(width),
  [tag.tileHeight]: long(height),
  [tag.tileOffsets]: long(...Array<number>(tiles).fill(8)),
  [tag.tileByteCounts]: long(...Array<number>(tiles).fill(bytes)),
});

/** The picture with tags of its own, and with other data. */
const picture = (tags: Tags, data: Uint8Array = pixels) =>
  tiff([{ ...stripped, [tag.byteCounts]: long(data.length), ...tags }], data);

/** Two pixels of these channels, 8 bit each as given or 16 bit, of which the first `colours` are grey or RGB. */
export function tiffOf(channels: readonly number[], bits: 8 | 16, colours: number): Buffer {
  const row = Buffer.concat(channels.map((value) => (bits === 8 ? Buffer.of(value) : le16(value * 257))));
  return picture(
    {
      [tag.width]: long(2),
      [tag.height]: long(1),
      [tag.rows]: long(1),
      [tag.bits]: short(...channels.map(() => bits)),
      [tag.samples]: short(channels.length),
      [tag.photometric]: short(colours === 1 ? 1 : 2),
      [tag.extraSamples]: short(...channels.slice(colours).map(() => 0)),
    },
    cat(row, row),
  );
}

/** The picture, with that many tags of its own. */
const unknown = (count: number): Tags => ({
  ...stripped,
  ...Object.fromEntries(Array.from({ length: count }, (_, i) => [i + 1_000, short(1)])),
});

/** One pixel wide, with a strip for each. */
const strips = (count: number): Tags => ({ ...stripped, [tag.height]: long(count), [tag.rows]: long(1) });

/** All that have a text, which is the same. */
const descriptions: Tags = Object.fromEntries(
  [269, 270, 271, 272, 305, 315, 316].map((id) => [id, counting(2, 1_000_000, 8)]),
);

const megapixels = { [tag.width]: long(7_000), [tag.height]: long(7_000), [tag.rows]: long(7_000) };

export async function tiffs(): Promise<HostileFile[]> {
  const sound = await drawing().tiff({ compression: 'lzw' }).toBuffer();
  const jpeg = await flat(side, side).jpeg({ chromaSubsampling: '4:4:4' }).toBuffer();
  const packed = deflateSync(pixels);
  const directory = sound.readUInt32LE(4);
  const entries = sound.readUInt16LE(directory);
  const zeros = packedZeros(7_000 * 7_000 * 3);
  const deepZeros = packedZeros(7_000 * 7_000 * 8);

  const rows: Row[] = [
    ['one strip', tiff([stripped], pixels), 'assessed'],
    ['one tile', tiff([tiled(side, side, pixels.length)], pixels), 'assessed'],
    ...[
      4,
      8,
      directory >> 1,
      directory,
      directory + 1,
      directory + 2 + entries * 6,
      directory + 2 + entries * 12 - 1,
    ].map((length): Row => [`cut at ${length}`, sound.subarray(0, length), 'undecodable_image']),
    ...Array.from({ length: entries }, (_, i): Row[] => {
      const at = directory + 2 + i * 12;
      const id = sound.readUInt16LE(at);
      const any: Row[2][] = ['assessed', 'undecodable_image', 'image_too_large', 'unsupported_format'];
      return [
        [`tag ${id} counted 4,294,967,295 times`, patched(sound, at + 4, le32(0xffffffff)), ...any],
        [`tag ${id} of no type`, patched(sound, at + 2, le16(99)), ...any],
        [`tag ${id} of largest value`, patched(sound, at + 8, le32(0xffffffff)), ...any],
        [`tag ${id} of value 0`, patched(sound, at + 8, le32(0)), ...any],
      ];
    }).flat(),
    [
      'a directory that is its own next',
      tiff([stripped], pixels, 8 + pixels.length),
      'assessed',
      'undecodable_image',
    ],
    [
      'two directories in a circle',
      tiff([stripped, stripped], pixels, 8 + pixels.length),
      'assessed',
      'undecodable_image',
    ],
    [
      'a directory whose next lies nowhere',
      tiff([stripped], pixels, 0xfffffff0),
      'assessed',
      'undecodable_image',
    ],
    ['100 directories', tiff(Array<Tags>(100).fill(stripped), pixels), 'assessed'],
    ['101 directories', tiff(Array<Tags>(101).fill(stripped), pixels), 'image_too_large'],
    [
      '100 directories of a million strips',
      tiff([stripped, ...Array<Tags>(99).fill(strips(999_999))], pixels),
      'assessed',
    ],
    [
      '100 directories of descriptions that are all the same',
      tiff(Array<Tags>(100).fill({ ...stripped, ...descriptions }), times(100, pixels)),
      'image_too_large',
    ],
    [
      '100 directories of 119 tags that nobody knows',
      tiff(Array<Tags>(100).fill(unknown(119)), pixels),
      'assessed',
    ],
    ['4,000 tags that nobody knows', tiff([unknown(4_000)], pixels), 'image_too_large'],
    ['60,000 tags that nobody knows', tiff([unknown(60_000)], pixels), 'image_too_large'],
    [
      '20,000 directories of pages of nothing',
      tiff(Array<Tags>(20_000).fill({ [tag.width]: long(1) }), pixels),
      'image_too_large',
    ],
    [
      'a sub-directory that is its own directory',
      picture({ [tag.subDirectories]: long(8 + pixels.length) }),
      'assessed',
    ],
    [
      'a million sub-directories',
      picture({ [tag.subDirectories]: counting(LONG, 1_000_000, 8) }),
      'assessed',
      'undecodable_image',
    ],
    [
      'EXIF that is its own directory',
      picture({ [tag.exif]: long(8 + pixels.length) }),
      'assessed',
      'undecodable_image',
    ],
    ['a directory within the head', patched(sound, 4, le32(0)), 'undecodable_image'],
    [
      '65,535 px wide and high',
      picture({ [tag.width]: long(65_535), [tag.height]: long(65_535) }),
      'image_too_large',
      'undecodable_image',
    ],
    [
      '4,294,967,295 px wide',
      picture({ [tag.width]: long(0xffffffff) }),
      'image_too_large',
      'undecodable_image',
    ],
    ['larger than its data', picture(megapixels), 'undecodable_image'],
    ['strips of 4,294,967,295 rows', picture({ [tag.rows]: long(0xffffffff) }), 'assessed'],
    ['strips of 0 rows', picture({ [tag.rows]: long(0) }), 'assessed', 'undecodable_image'],
    ['a strip of 4 GB', picture({ [tag.byteCounts]: long(0xffffffff) }), 'assessed', 'undecodable_image'],
    ['a strip that lies nowhere', picture({ [tag.offsets]: long(0xfffffff0) }), 'undecodable_image'],
    [
      'tiles of 65,536 px by 65,536',
      tiff([tiled(65_536, 65_536, pixels.length)], pixels),
      'undecodable_image',
    ],
    ['tiles of 65,536 px by 16', tiff([tiled(65_536, 16, pixels.length, 4)], pixels), 'undecodable_image'],
    [
      'tiles of 16,000 px by 16,000, packed',
      tiff([{ ...tiled(16_000, 16_000, packed.length), [tag.compression]: short(8) }], packed),
      'undecodable_image',
    ],
    ['tiles of 0 px', tiff([tiled(0, 0, pixels.length)], pixels), 'undecodable_image'],
    ['tiles of 15 px', tiff([tiled(15, 15, pixels.length, 25)], pixels), 'assessed', 'undecodable_image'],
    [
      '49 megapixels in tiles that are all the same',
      tiff(
        [
          {
            ...tiled(64, 64, packed.length, 12_100),
            ...{ [tag.width]: long(7_000), [tag.height]: long(7_000) },
            [tag.compression]: short(8),
          },
        ],
        packed,
      ),
      'assessed',
    ],
    ['49 megapixels of zeros', picture({ ...megapixels, [tag.compression]: short(8) }, zeros), 'assessed'],
    [
      '49 megapixels of zeros in 16 bit RGBA',
      picture(
        {
          ...megapixels,
          [tag.bits]: short(16, 16, 16, 16),
          [tag.samples]: short(4),
          [tag.compression]: short(8),
        },
        deepZeros,
      ),
      'assessed',
    ],
    [
      '900 megapixels in a strip',
      picture({ [tag.width]: long(30_000), [tag.height]: long(30_000), [tag.compression]: short(8) }, zeros),
      'image_too_large',
    ],
    ['65,535 samples', picture({ [tag.samples]: short(65_535), [tag.bits]: short(8) }), 'undecodable_image'],
    ['1,000 samples of few pixels', picture({ [tag.samples]: short(1_000) }), 'undecodable_image'],
    ['selections beside its colours', tiffOf([138, 143, 148, 0, 0], 8, 3), 'assessed'],
    [
      '49 megapixels of zeros in five channels of 16 bits',
      picture(
        {
          ...megapixels,
          [tag.bits]: short(16, 16, 16, 16, 16),
          [tag.samples]: short(5),
          [tag.compression]: short(8),
        },
        packedZeros(7_000 * 7_000 * 10),
      ),
      'assessed',
    ],
    ['no samples', picture({ [tag.samples]: short(0) }), 'undecodable_image', 'assessed'],
    ['samples of different bits', picture({ [tag.bits]: short(8, 16, 32) }), 'undecodable_image'],
    ...[0, 1, 3, 5].map(
      (kind): Row => [
        `colours of kind ${kind}`,
        picture({ [tag.photometric]: short(kind) }),
        'assessed',
        'undecodable_image',
      ],
    ),
    ...[5, 8, 32_773, 32_946].map(
      (kind): Row => [
        `data that are said to be packed in way ${kind}`,
        picture({ [tag.compression]: short(kind) }),
        'undecodable_image',
        'assessed',
      ],
    ),
    [
      'planes apart',
      picture({
        [tag.planar]: short(2),
        [tag.offsets]: long(8, 8, 8),
        [tag.byteCounts]: long(4_096, 4_096, 4_096),
      }),
      'assessed',
    ],
    ['planes apart, of which two are missing', picture({ [tag.planar]: short(2) }), 'undecodable_image'],
    ...[0, 9, 65_535].map(
      (value): Row => [
        `orientation ${value}`,
        picture({ [tag.orientation]: short(value) }),
        'undecodable_image',
      ],
    ),
    ['orientation as text', picture({ [tag.orientation]: { type: 2, values: [54, 0] } }), 'assessed'],
    ['page 65,535 of 1', picture({ [tag.pages]: short(65_535, 1) }), 'assessed'],
    [
      'a palette of too few colours',
      picture({
        [tag.photometric]: short(3),
        [tag.samples]: short(1),
        [tag.bits]: short(8),
        [tag.colourMap]: short(1, 2, 3),
      }),
      'undecodable_image',
      'assessed',
    ],
    [
      'predictor 3 of whole numbers',
      picture({ [tag.predictor]: short(3), [tag.compression]: short(8) }, packed),
      'undecodable_image',
      'assessed',
    ],
    [
      'a description of 4 GB',
      picture({ [tag.description]: counting(2, 0xffffffff, 8) }),
      'assessed',
      'undecodable_image',
    ],
    [
      'a profile of tags that are not there',
      picture({ [tag.profile]: { type: UNDEFINED, values: [...iccOfTags(1_000)] } }),
      'assessed',
    ],
    [
      'a profile of 4 GB',
      picture({ [tag.profile]: counting(UNDEFINED, 0xffffffff, 8) }),
      'assessed',
      'undecodable_image',
    ],
    [
      'a drawing behind its head',
      cat(
        'II*\0',
        le32(200),
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        Buffer.alloc(300),
      ),
      'undecodable_image',
    ],
  ];
  const within = { [tag.compression]: short(7), [tag.photometric]: short(6) };
  const notRead: Row[] = [
    ...[4, 6, 8, 9, 10, 32_803, 32_844, 32_845, 34_892, 65_535].map(
      (kind): Row => [`colours of kind ${kind}`, picture({ [tag.photometric]: short(kind) })],
    ),
    ...[0, 3, 12, 32, 64, 65_535].map(
      (bits): Row => [`samples of ${bits} bits`, picture({ [tag.bits]: short(bits, bits, bits) })],
    ),
    ...[0, 2, 3, 5, 6].map(
      (kind): Row => [`numbers of kind ${kind}`, picture({ [tag.sampleFormat]: short(kind, kind, kind) })],
    ),
    ['a thousand million samples of bits', picture({ [tag.bits]: counting(SHORT, 1_000_000_000, 8) })],
    ['subsampling 0', picture({ [tag.photometric]: short(6), [tag.subsampling]: short(0, 0) })],
    [
      'numbers that are no numbers',
      picture(
        {
          [tag.bits]: short(32),
          [tag.samples]: short(1),
          [tag.photometric]: short(1),
          [tag.sampleFormat]: short(3),
        },
        Buffer.alloc(side * side * 4, 0xff),
      ),
    ],
    ...[
      0, 2, 3, 4, 6, 7, 9, 10, 32_766, 32_771, 32_809, 32_895, 32_908, 34_661, 34_676, 34_677, 34_712, 34_887,
      34_925, 50_000, 50_001, 50_002, 65_535,
    ].map(
      (kind): Row => [
        `data that are said to be packed in way ${kind}`,
        picture({ [tag.compression]: short(kind) }),
      ],
    ),
    [
      'a fax of 49 megapixels',
      picture(
        {
          ...megapixels,
          [tag.bits]: short(1),
          [tag.samples]: short(1),
          [tag.photometric]: short(0),
          [tag.compression]: short(4),
        },
        Buffer.alloc(1_000, 0xff),
      ),
    ],
    ['JPEG within', await drawing().tiff({ compression: 'jpeg' }).toBuffer()],
    ['JPEG within its second page', tiff([stripped, { ...stripped, ...within }], pixels)],
    ['a JPEG in a strip', picture(within, jpeg)],
    ['a JPEG in a strip, cut', picture(within, jpeg.subarray(0, 300))],
    [
      'JPEG tables that lie nowhere',
      picture({ ...within, [tag.jpegTables]: counting(UNDEFINED, 0xffffff, 0xfffffff0) }, jpeg),
    ],
  ];
  return [
    ...filesOf('tiff', rows),
    ...filesOf('tiff', notRead).map((file) => ({ ...file, outcomes: ['unsupported_format'] as const })),
    // Of 64 bits: nobody's camera writes it.
    ...filesOf(undefined, [
      ['a TIFF of 64 bits', cat('II+\0', le16(8, 0), le32(16, 0), le32(0, 0)), 'unsupported_format'],
    ]),
  ];
}
