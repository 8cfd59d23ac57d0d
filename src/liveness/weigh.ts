/** How much work a photograph is, before any of it is decoded. */

import { imageDimensionsFromData } from 'image-dimensions';
import { sniffFormat } from './sniff.ts';
import type { ImageFormat } from './types.ts';

/**
 * Header bytes that are looked at. A JPEG's size stands behind a camera's preview and notes; the others have it near their beginning, and
 * boxes and brands in AVIF and HEIC that go on for longer would take longer to read than all else about the request.
 */
const headerBytes = (format: ImageFormat) => (format === 'jpeg' ? 1 << 18 : 1 << 14);

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

/**
 * @returns the work in ordinary photographs, at least 1. What the header says may be a lie; the decoder has bounds of its own. What will
 *   be refused by its header is the least: otherwise a few bytes that claim a million pixels a side would keep all others out.
 */
export function weigh(bytes: Uint8Array, admitted: readonly ImageFormat[], maxPixels: number): number {
  const format = sniffFormat(bytes);
  if (format === undefined || !admitted.includes(format)) return 1;
  const size = imageDimensionsFromData(bytes.subarray(0, headerBytes(format)));
  // Of what cannot be told, as of TIFF, the most that there may be.
  const pixels = size === undefined ? maxPixels : size.width * size.height;
  if (pixels > maxPixels) return 1;
  return Math.max(1, 1 - decodeShare + decodeShare * pixelWork[format] * (pixels / 1e6));
}
