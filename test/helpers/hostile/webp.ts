/** Hostile WebPs: cut at every chunk, canvases and frames that lie, lengths that reach beyond the end. */

import sharp, { type WebpOptions } from 'sharp';
import {
  cat,
  drawing,
  filesOf,
  flat,
  type HostileFile,
  le24,
  le32,
  patched,
  type Row,
  times,
} from './file.ts';
import { iccOfTags } from './jpeg.ts';

export function riff(...chunks: Buffer[]): Buffer {
  const content = cat('WEBP', ...chunks);
  return cat('RIFF', le32(content.length), content);
}

function chunk(type: string, content: Uint8Array, length = content.length): Buffer {
  return cat(type, le32(length), content, Buffer.alloc(content.length % 2));
}

interface Flags {
  readonly animation?: 2;
  readonly xmp?: 4;
  readonly exif?: 8;
  readonly alpha?: 16;
  readonly profile?: 32;
}

function extended(width: number, height: number, flags: Flags = {}): Buffer {
  const bits = Object.values(flags).reduce((sum: number, bit: number) => sum | bit, 0);
  return chunk('VP8X', cat([bits, 0, 0, 0], le24(width - 1, height - 1)));
}

function chunksOf(file: Buffer): { at: number; type: string; content: Buffer }[] {
  const chunks = [];
  for (let at = 12; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    chunks.push({
      at,
      type: file.toString('latin1', at, at + 4),
      content: file.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

const plain = (width: number, height: number, options: WebpOptions) =>
  flat(width, height)
    .webp({ ...options, effort: 0 })
    .toBuffer();

export async function webps(): Promise<HostileFile[]> {
  const lossy = await drawing().webp().toBuffer();
  const lossless = await drawing().webp({ lossless: true, effort: 0 }).toBuffer();
  const alpha = await drawing().ensureAlpha(0.5).webp().toBuffer();
  const { width = 0, height = 0 } = await sharp(lossy).metadata();
  const [vp8] = chunksOf(lossy);
  const picture = chunk('VP8 ', vp8?.content as Buffer);
  const alphaAt = chunksOf(alpha).find(({ type }) => type === 'ALPH')?.at as number;
  const frame = (w: number, h: number, x = 0) =>
    chunk('ANMF', cat(le24(x, x, w - 1, h - 1, 10), [0], picture));
  const animation = (canvas: Buffer, ...frames: Buffer[]) =>
    riff(canvas, chunk('ANIM', Buffer.alloc(6)), ...frames);
  const animated = extended(width, height, { animation: 2 });

  const rows: Row[] = [
    ...Object.entries({ lossy, lossless, alpha }).flatMap(([kind, file]): Row[] =>
      chunksOf(file).flatMap(({ at, type, content }): Row[] =>
        [0, 4, 8, 12, 8 + (content.length >> 1), 8 + content.length - 1].map((more) => [
          `${kind} cut ${more} bytes into ${type}`,
          file.subarray(0, at + more),
          // libwebp finds all pixels there without the last byte.
          ...((more === 7 + content.length && type !== 'VP8X' && type !== 'ALPH'
            ? ['assessed', 'undecodable_image']
            : ['undecodable_image']) as Row[2][]),
        ]),
      ),
    ),
    ['16,383 px wide and high', patched(lossy, 26, [0xff, 0x3f, 0xff, 0x3f]), 'image_too_large'],
    ['16,383 px wide', patched(lossy, 26, [0xff, 0x3f]), 'undecodable_image'],
    ['0 px wide', patched(lossy, 26, [0, 0]), 'undecodable_image'],
    [
      'lossless of 16,384 px',
      patched(lossless, 21, [0xff, 0xff, 0xff, 0xff]),
      'image_too_large',
      'undecodable_image',
    ],
    ['a canvas of 16,777,216 px by 1', riff(extended(16_777_216, 1), picture), 'undecodable_image'],
    [
      'a canvas of 16,777,216 px by 16,777,216',
      riff(extended(16_777_216, 16_777_216), picture),
      'undecodable_image',
      'image_too_large',
    ],
    ['a canvas larger than its picture', riff(extended(7_000, 7_000), picture), 'undecodable_image'],
    ['a canvas smaller than its picture', riff(extended(8, 8), picture), 'undecodable_image'],
    ['49 megapixels of one colour, lossless', await plain(7_000, 7_000, { lossless: true }), 'assessed'],
    ['9 megapixels of one colour, lossy', await plain(3_000, 3_000, { quality: 1 }), 'assessed'],
    ['16,383 x 1', await plain(16_383, 1, { lossless: true }), 'assessed'],
    ['1 x 16,383', await plain(1, 16_383, { lossless: true }), 'assessed'],
    ['a length of 0', patched(lossy, 4, le32(0)), 'undecodable_image'],
    ['a length of 4 GB', patched(lossy, 4, le32(0xffffffff)), 'assessed', 'undecodable_image'],
    ['a length beyond its end', patched(lossy, 4, le32(lossy.length * 2)), 'assessed', 'undecodable_image'],
    ['a length short of its end', patched(lossy, 4, le32(lossy.length >> 1)), 'undecodable_image'],
    ['a picture of 4 GB', riff(chunk('VP8 ', vp8?.content as Buffer, 0xfffffff0)), 'undecodable_image'],
    ['a picture of no bytes', riff(chunk('VP8 ', new Uint8Array())), 'undecodable_image'],
    ['no picture', riff(extended(8, 8)), 'undecodable_image'],
    [
      'a drawing',
      riff(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
      'undecodable_image',
    ],
    ['nothing', riff(), 'undecodable_image'],
    ['500 frames', animation(animated, times(500, frame(width, height))), 'assessed'],
    [
      '20,000 frames',
      animation(animated, frame(width, height), times(20_000, chunk('ANMF', Buffer.alloc(16)))),
      'image_too_large',
    ],
    [
      'frames on 49 megapixels',
      animation(extended(7_000, 7_000, { animation: 2 }), frame(width, height)),
      'assessed',
    ],
    [
      'frames on 16,777,216 px',
      animation(extended(16_777_216, 200, { animation: 2 }), frame(width, height)),
      'undecodable_image',
      'image_too_large',
    ],
    ['a frame beyond its canvas', animation(animated, frame(width, height, 9_999)), 'undecodable_image'],
    [
      'a frame of another size than its picture',
      animation(animated, frame(width - 10, height)),
      'assessed',
      'undecodable_image',
    ],
    ['an animation of no frames', animation(animated), 'undecodable_image'],
    ['a still called an animation', riff(animated, picture), 'undecodable_image'],
    [
      'alpha that is damaged',
      patched(alpha, alphaAt + 8, Buffer.alloc(40, 0xff)),
      'undecodable_image',
      'assessed',
    ],
    [
      'EXIF of two megabytes',
      riff(extended(width, height, { exif: 8 }), picture, chunk('EXIF', Buffer.alloc(2_000_000, 'Exif'))),
      'assessed',
    ],
    [
      'XMP of two megabytes',
      riff(extended(width, height, { xmp: 4 }), picture, chunk('XMP ', Buffer.alloc(2_000_000, '<a>'))),
      'assessed',
    ],
    [
      'a profile of two megabytes',
      riff(extended(width, height, { profile: 32 }), chunk('ICCP', Buffer.alloc(2_000_000)), picture),
      'assessed',
    ],
    [
      'a profile of tags that are not there',
      riff(extended(width, height, { profile: 32 }), chunk('ICCP', iccOfTags(1_000)), picture),
      'assessed',
    ],
    [
      'EXIF that is said to be there and is not',
      riff(extended(width, height, { exif: 8 }), picture),
      'assessed',
      'undecodable_image',
    ],
    [
      'EXIF of 4 GB',
      riff(extended(width, height, { exif: 8 }), picture, chunk('EXIF', Buffer.from('Exif'), 0xfffffff0)),
      'assessed',
      'undecodable_image',
    ],
    [
      '100,000 chunks that nobody knows',
      riff(extended(width, height), times(100_000, chunk('QQQQ', Buffer.from('ab'))), picture),
      'assessed',
    ],
    ['a sound behind its end', cat(lossy, 'RIFF', le32(4), 'WAVE'), 'assessed'],
  ];
  return filesOf('webp', rows);
}
