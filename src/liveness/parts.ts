/** How many parts a picture has that its decoder goes through before it comes to the first frame: other frames, pages, texts. */

import { pagesOf } from './tiff.ts';
import type { ImageFormat } from './types.ts';

/** What there may be of a format, and what it is called. */
interface Bound {
  readonly most: number;
  readonly name: string;
  readonly count: (bytes: Buffer, most: number) => number;
}

/** libwebp compares each frame with all before it: half a minute for 50,000, which are 3 MB. */
const webp: Bound = { most: 1_000, name: 'frames', count: countWebpFrames };

/** libtiff reads the directory of every page, several times: seconds for the 170,000 that 20 MB hold. */
const tiff: Bound = { most: 1_000, name: 'pages', count: (bytes, most) => pagesOf(bytes, most).size };

/** Each unpacks to as much as 8 MB, all of which is kept: gigabytes for 300, which are 2 MB. Cameras and editors write a few. */
const png: Bound = { most: 16, name: 'compressed texts', count: countPngTexts };

/** The others are read through once, however many there are. */
const bounds: Partial<Record<ImageFormat, Bound>> = { webp, tiff, png };

/** @returns in words what a picture has too many of; undefined where it has not. */
export function tooManyParts(picture: Uint8Array, format: ImageFormat): string | undefined {
  const bound = bounds[format];
  if (bound === undefined) return undefined;
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
  const { most, name, count } = bound;
  return count(bytes, most) > most ? `more than ${most} ${name}` : undefined;
}

function countWebpFrames(bytes: Buffer): number {
  let frames = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) === 'ANMF') frames++;
    const length = bytes.readUInt32LE(at + 4);
    at += 8 + length + (length % 2);
  }
  return frames;
}

function countPngTexts(bytes: Buffer): number {
  let texts = 0;
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'zTXt' || type === 'iTXt') texts++;
  }
  return texts;
}
