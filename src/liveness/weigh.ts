/** How much work a photograph is, before any of it is decoded. */

import { imageDimensionsFromData } from 'image-dimensions';
import { maxSide, mostDecoded, mostPixels } from './bounds.ts';
import { sizeOfGif } from './gif.ts';
import type { HeifFormat } from './heif-items.ts';
import { type Size, workOf } from './heif-work.ts';
import { sniffFormat } from './sniff.ts';
import { sizeOfTiff } from './tiff.ts';
import type { ImageFormat } from './types.ts';

/** Header bytes that are looked at, all of which are copied: most have their size near their beginning. */
const fewBytes = 1 << 14;
/** Where it stands behind a camera's preview and notes, as in some JPEGs, or an editor's, as in GIFs. */
const manyBytes = 1 << 18;

/** The share of the decode stage in the work of an ordinary photograph, a JPEG of a megapixel. Measured with the profile `standard`. */
const decodeShare = 0.25;

/** How many times as long as a JPEG's a pixel of each format takes to decode. Measured on one picture of 3 megapixels. */
const pixelWork: Readonly<Record<ImageFormat, number>> = {
  jpeg: 1,
  png: 2,
  gif: 2,
  tiff: 3,
  webp: 4,
  avif: 13,
  heic: 20,
};

/** What a HEIC takes beside its pixels, for the thread that its decoder has: 0.14 s of a core, where an ordinary photograph takes 0.035. */
const heicStart = 4;

/**
 * @returns the work in ordinary photographs, at least 1. What the header says may be a lie; the decoder has bounds of its own. What will
 *   be refused by its header is the least: otherwise a few bytes that claim a million pixels a side would keep all others out.
 */
export function weigh(bytes: Uint8Array, admitted: readonly ImageFormat[], maxPixels: number): number {
  const format = sniffFormat(bytes);
  if (format === undefined || !admitted.includes(format)) return 1;
  if (format === 'avif' || format === 'heic') return weightOfHeif(bytes, format, maxPixels);
  const most = mostPixels(format, maxPixels);
  const size = sizeOf(bytes, format);
  // Of what cannot be told, the most that there may be.
  const pixels = size === undefined ? most : size.width * size.height;
  return size !== undefined && isTooLarge(size, most) ? 1 : weightOf(format, pixels);
}

/** Undefined where it is not told as it should be. */
function sizeOf(bytes: Uint8Array, format: ImageFormat): Size | undefined {
  // Its directory may be anywhere.
  if (format === 'tiff') return sizeOfTiff(bytes);
  if (format === 'gif') return sizeOfGif(bytes.subarray(0, manyBytes));
  const size = imageDimensionsFromData(bytes.subarray(0, fewBytes));
  return size === undefined && format === 'jpeg'
    ? imageDimensionsFromData(bytes.subarray(0, manyBytes))
    : size;
}

const weightOf = (format: ImageFormat, pixels: number) =>
  Math.max(1, 1 - decodeShare + decodeShare * pixelWork[format] * (pixels / 1e6));

const isTooLarge = ({ width, height }: Size, most: number) =>
  width * height > most || Math.max(width, height) > maxSide;

/** By all that is decoded for what is shown; the least where it will be refused before that. */
function weightOfHeif(bytes: Uint8Array, format: HeifFormat, maxPixels: number): number {
  try {
    const { sizes, pixels } = workOf(bytes, format);
    const most = mostPixels(format, maxPixels);
    const isRefused = pixels > mostDecoded(format, maxPixels) || sizes.some((size) => isTooLarge(size, most));
    if (isRefused) return 1;
    return weightOf(format, pixels) + (format === 'heic' ? heicStart : 0);
  } catch {
    return 1;
  }
}
