/** How many parts a picture has that its decoder goes through before it comes to the first frame: other frames, pages, texts. */

import { bytesOfValues, longestPage, pagesOf } from './tiff.ts';
import type { ImageFormat } from './types.ts';

/** What there may be of a format, and what it is called. */
interface Bound {
  readonly most: number;
  readonly name: string;
  readonly count: (bytes: Buffer, most: number) => number;
}

/** libwebp compares each frame with all before it: half a minute for 50,000, which are 3 MB. */
const webp: Bound = { most: 1_000, name: 'frames', count: countWebpFrames };

/**
 * libtiff reads the directory of every page, several times, with all values that it knows and places for as many as a million strips; what it knows nothing of takes it
 * the square of their number. Cameras, scanners and editors write fewer than a hundred entries, and no value twice.
 */
const tiff: readonly Bound[] = [
  { most: 100, name: 'pages', count: (bytes, most) => pagesOf(bytes, most).size },
  { most: 128, name: 'entries in a directory', count: longestPage },
  { most: 32_000_000, name: 'bytes of values', count: bytesOfValues },
];

/** Each unpacks to as much as 8 MB, all of which is kept: gigabytes for 300, which are 2 MB. Cameras and editors write a few. */
const png: Bound = { most: 16, name: 'compressed texts', count: countPngTexts };

/** The others are read through once, however many there are. */
const bounds: Partial<Record<ImageFormat, readonly Bound[]>> = { webp: [webp], tiff, png: [png] };

/** @returns in words what a picture has too many of; undefined where it has not. */
export function tooManyParts(picture: Uint8Array, format: ImageFormat): string | undefined {
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
  // Each may rely on those before it.
  const exceeded = bounds[format]?.find(({ most, count }) => count(bytes, most) > most);
  return exceeded && `more than ${exceeded.most} ${exceeded.name}`;
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
