/** Hostile PNGs: cut at every chunk, with heads that lie, texts and profiles that unpack without end, and chunks out of place. */

import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
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

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const end = chunk('IEND', new Uint8Array());

export function chunk(type: string, content: Uint8Array, sum?: number): Buffer {
  const body = cat(type, content);
  return cat(be32(content.length), body, be32(sum ?? crc32(body)));
}

interface Head {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colour?: number;
  readonly compression?: number;
  readonly filter?: number;
  readonly interlace?: number;
}

function ihdr({ width, height, depth = 8, colour = 2, compression = 0, filter = 0, interlace = 0 }: Head) {
  return chunk('IHDR', cat(be32(width, height), [depth, colour, compression, filter, interlace]));
}

/** Chunks between head and end. */
export function png(head: Head, ...chunks: Buffer[]): Buffer {
  return cat(signature, ihdr(head), ...chunks, end);
}

/** So many zeros, packed a thousandfold: one packed million after another, so that it takes no time. */
export function packedZeros(count: number): Buffer {
  const million = 1_000_000;
  const packed = (zeros: number) =>
    deflateRawSync(Buffer.alloc(zeros), { finishFlush: constants.Z_FULL_FLUSH });
  const end = [3, 0];
  const sum = be16(count % 65_521, 1);
  return cat(
    [0x78, 0xda],
    // Node never comes back from flushing nothing, so something is left for the end.
    times(Math.ceil(count / million) - 1, packed(million)),
    packed(((count - 1) % million) + 1),
    end,
    sum,
  );
}

/** A whole picture of zeros. */
function blank(head: Head): Buffer {
  const { width, height, depth = 8, colour = 2 } = head;
  const channels = [1, 0, 3, 1, 2, 0, 4][colour] as number;
  const row = 1 + Math.ceil((width * channels * depth) / 8);
  // Interlaced there are more rows, each with a byte of its own; a few thousand zeros too many matter to nobody.
  const more = head.interlace === 1 ? 4 * height + 8 * row : 0;
  const palette = colour === 3 ? [chunk('PLTE', Buffer.alloc(3 * 2 ** depth, 128))] : [];
  return png(head, ...palette, chunk('IDAT', packedZeros(row * height + more)));
}

interface Chunk {
  readonly at: number;
  readonly type: string;
  readonly length: number;
}

export function chunksOf(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    chunks.push({ at, type: file.toString('latin1', at + 4, at + 8), length: file.readUInt32BE(at) });
  }
  return chunks;
}

export async function pngs(): Promise<HostileFile[]> {
  const sound = await drawing().png().toBuffer();
  const chunks = chunksOf(sound);
  const width = sound.readUInt32BE(16);
  const height = sound.readUInt32BE(20);
  const data = cat(
    ...chunks
      .filter(({ type }) => type === 'IDAT')
      .map(({ at, length }) => sound.subarray(at + 8, at + 8 + length)),
  );
  const head = { width, height };
  const idat = chunk('IDAT', data);
  const claiming = (claim: Partial<Head>) => png({ ...head, ...claim }, idat);
  const before = (...added: Buffer[]) => png(head, ...added, idat);
  const megabytes = packedZeros(200_000_000);
  const large = await flat(4_000, 4_000).png().toBuffer();

  const rows: Row[] = [
    ...chunks.flatMap(({ at, type, length }): Row[] =>
      [...new Set([0, 4, 8, 8 + (length >> 1), 8 + length])].map((more) => [
        `cut ${more} bytes into ${type} at ${at}`,
        sound.subarray(0, at + more),
        // All pixels are there where only the end is missing.
        ...((type === 'IEND' ? ['assessed', 'undecodable_image'] : ['undecodable_image']) as Row[2][]),
      ]),
    ),
    ['0 px wide', claiming({ width: 0 }), 'undecodable_image'],
    ['0 px high', claiming({ height: 0 }), 'undecodable_image'],
    [
      '2,147,483,647 px wide and high',
      claiming({ width: 0x7fffffff, height: 0x7fffffff }),
      'image_too_large',
      'undecodable_image',
    ],
    [
      '4,294,967,295 px wide and high',
      claiming({ width: 0xffffffff, height: 0xffffffff }),
      'undecodable_image',
    ],
    ['65,535 px wide and high', claiming({ width: 65_535, height: 65_535 }), 'image_too_large'],
    ['65,535 px wide', claiming({ width: 65_535, height: 700 }), 'image_too_large'],
    ['more rows than data', claiming({ height: height * 2 }), 'undecodable_image'],
    ['fewer rows than data', claiming({ height: height >> 1 }), 'assessed', 'undecodable_image'],
    ['depth 0', claiming({ depth: 0 }), 'undecodable_image'],
    ['depth 3', claiming({ depth: 3 }), 'undecodable_image'],
    ['RGB of 1 bit', claiming({ depth: 1 }), 'undecodable_image'],
    ['colour type 5', claiming({ colour: 5 }), 'undecodable_image'],
    ['palette without one', claiming({ colour: 3 }), 'undecodable_image'],
    ['compression 1', claiming({ compression: 1 }), 'undecodable_image'],
    ['filter method 1', claiming({ filter: 1 }), 'undecodable_image'],
    ['interlace 2', claiming({ interlace: 2 }), 'undecodable_image'],
    [
      'a filter that there is none of',
      png({ width: 1, height: 1 }, chunk('IDAT', deflateSync(Buffer.from([9, 1, 2, 3])))),
      'undecodable_image',
    ],
    ['1 x 16,384', blank({ width: 1, height: 16_384 }), 'assessed'],
    ['16,384 x 1', blank({ width: 16_384, height: 1 }), 'assessed'],
    ['16,384 x 3,000', blank({ width: 16_384, height: 3_000 }), 'assessed'],
    ['50,000,000 x 1', blank({ width: 50_000_000, height: 1, depth: 1, colour: 0 }), 'image_too_large'],
    ['1 x 50,000', blank({ width: 1, height: 50_000 }), 'image_too_large'],
    ['50,000 x 1', blank({ width: 50_000, height: 1 }), 'image_too_large'],
    ['1,000,000 x 1', blank({ width: 1_000_000, height: 1 }), 'image_too_large'],
    ['1 x 1,000,000', blank({ width: 1, height: 1_000_000 }), 'image_too_large'],
    [
      '900 megapixels in 400 kB',
      blank({ width: 30_000, height: 30_000, depth: 1, colour: 0 }),
      'image_too_large',
    ],
    ['49 megapixels of 1 bit', blank({ width: 7_000, height: 7_000, depth: 1, colour: 0 }), 'assessed'],
    [
      '49 megapixels of 1 bit palette',
      blank({ width: 7_000, height: 7_000, depth: 1, colour: 3 }),
      'assessed',
    ],
    [
      '49 megapixels of 16 bit RGBA',
      blank({ width: 7_000, height: 7_000, depth: 16, colour: 6 }),
      'assessed',
    ],
    [
      '49 megapixels of 16 bit RGBA, interlaced',
      blank({ width: 7_000, height: 7_000, depth: 16, colour: 6, interlace: 1 }),
      'assessed',
    ],
    [
      '8 bit RGBA, interlaced',
      await drawing().ensureAlpha(0.5).png({ progressive: true }).toBuffer(),
      'assessed',
    ],
    ['16 bit', await drawing().toColourspace('rgb16').png().toBuffer(), 'assessed'],
    ['grey', await drawing().toColourspace('b-w').png().toBuffer(), 'assessed'],
    [
      'grey and alpha',
      await drawing().greyscale().ensureAlpha(0.5).toColourspace('b-w').png().toBuffer(),
      'assessed',
    ],
    ['palette', await drawing().png({ palette: true, colours: 2 }).toBuffer(), 'assessed'],
    [
      'a head with a wrong sum',
      cat(signature, patched(ihdr(head), 21, [1, 2, 3, 4]), idat, end),
      'undecodable_image',
    ],
    ['data with a wrong sum', png(head, chunk('IDAT', data, 1)), 'undecodable_image'],
    [
      'a text with a wrong sum',
      before(chunk('tEXt', Buffer.from('a\0b'), 1)),
      'assessed',
      'undecodable_image',
    ],
    [
      'a critical chunk that nobody knows',
      before(chunk('QQQQ', Buffer.from('a'))),
      'assessed',
      'undecodable_image',
    ],
    ['a chunk without letters', before(chunk('\0\0\0\0', Buffer.from('a'))), 'undecodable_image'],
    ['a chunk of 4 GB', cat(signature, ihdr(head), be32(0xffffffff), 'tEXt', idat, end), 'undecodable_image'],
    ['a chunk of 2 GB', cat(signature, ihdr(head), be32(0x7fffffff), 'tEXt', idat, end), 'undecodable_image'],
    [
      'a text of 200 MB, packed',
      before(chunk('zTXt', cat('a\0\0', megabytes))),
      'assessed',
      'undecodable_image',
    ],
    [
      '20 texts of 200 MB, packed',
      before(times(8, chunk('zTXt', cat('a\0\0', megabytes)))),
      'assessed',
      'undecodable_image',
    ],
    [
      '300 texts of 8 MB, packed',
      before(times(300, chunk('iTXt', cat('a\0\x01\0\0\0', packedZeros(7_900_000))))),
      'image_too_large',
    ],
    [
      'an international text of 200 MB, packed',
      before(chunk('iTXt', cat('a\0\x01\0\0\0', megabytes))),
      'assessed',
      'undecodable_image',
    ],
    [
      'a profile of 200 MB, packed',
      before(chunk('iCCP', cat('a\0\0', megabytes))),
      'assessed',
      'undecodable_image',
    ],
    [
      '100,000 texts',
      before(times(100_000, chunk('tEXt', Buffer.from('a\0b')))),
      'assessed',
      'undecodable_image',
    ],
    [
      'EXIF of two megabytes',
      before(chunk('eXIf', cat('MM\0*', be32(8), be16(65_535), Buffer.alloc(2_000_000)))),
      'assessed',
    ],
    ['EXIF that is none', before(chunk('eXIf', Buffer.alloc(9))), 'assessed'],
    ['a palette of no colours', before(chunk('PLTE', Buffer.alloc(0))), 'assessed', 'undecodable_image'],
    [
      'a palette of 1,000 colours',
      before(chunk('PLTE', Buffer.alloc(3_000))),
      'assessed',
      'undecodable_image',
    ],
    [
      'transparency of 1,000 bytes',
      before(chunk('tRNS', Buffer.alloc(1_000))),
      'assessed',
      'undecodable_image',
    ],
    ['two heads', png(head, ihdr({ width: 1, height: 1 }), idat), 'assessed', 'undecodable_image'],
    ['data before its head', cat(signature, idat, ihdr(head), end), 'undecodable_image'],
    ['no data', png(head), 'undecodable_image'],
    ['data in 20,000 chunks', png(head, bytewise(data)), 'assessed'],
    [
      '50,000 chunks of no data',
      png(head, times(100_000, chunk('IDAT', Buffer.alloc(0))), idat),
      'assessed',
      'undecodable_image',
    ],
    [
      'data with a dictionary',
      png(head, chunk('IDAT', cat([0x78, 0xbb], be32(1), data.subarray(2)))),
      'undecodable_image',
    ],
    [
      'data of another window',
      png(head, chunk('IDAT', cat([0xf8, 0x3b], data.subarray(2)))),
      'undecodable_image',
    ],
    ['no data but zeros unpacked', png(head, chunk('IDAT', Buffer.alloc(60_000))), 'undecodable_image'],
    [
      'an animation of 10,000 frames',
      before(chunk('acTL', be32(10_000, 0)), frames(head, 10_000)),
      'assessed',
    ],
    [
      'an animation of four thousand million frames',
      before(chunk('acTL', be32(0xffffffff, 0xffffffff))),
      'assessed',
    ],
    [
      "Apple's own kind",
      cat(signature, chunk('CgBI', be32(0x50002002)), ihdr(head), idat, end),
      'assessed',
      'undecodable_image',
    ],
    ['a document behind its end', cat(sound, '%PDF-1.7\n', large), 'assessed'],
    ['a document in its text', before(chunk('tEXt', Buffer.from('a\0%PDF-1.7\n1 0 obj'))), 'assessed'],
    [
      'a drawing in its text',
      before(chunk('tEXt', Buffer.from('a\0<svg xmlns="http://www.w3.org/2000/svg"/>'))),
      'assessed',
    ],
  ];
  return filesOf('png', rows);
}

function bytewise(data: Buffer): Buffer {
  return Buffer.concat(
    Array.from({ length: Math.min(data.length, 20_000) }, (_, i) =>
      chunk('IDAT', data.subarray(i, i === 19_999 ? data.length : i + 1)),
    ),
  );
}

function frames({ width, height }: Head, count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      chunk('fcTL', cat(be32(i, width, height, 0, 0), be16(1, 1), [0, 0])),
    ),
  );
}
