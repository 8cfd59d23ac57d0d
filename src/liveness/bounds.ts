/** What the header of a picture may claim: more is refused before anything is decoded. */

import type { ImageFormat } from './types.ts';

/**
 * Longest side in pixels. A detector is shown the square around the picture, so a kilobyte that claims a line of a million pixels
 * would be the work of a million lines.
 */
export const maxSide = 16_384;

/**
 * Pixels of an AVIF or a HEIC. Each takes up to 25 bytes while it is decoded, where those of other formats take 7, and many times as long. Phones
 * write HEICs of 12 and of 24.5 megapixels unless they are told to take larger ones.
 */
const maxSlowPixels = 25_000_000;

/**
 * @param maxPixels the operator's own bound, on width x height of every format.
 * @returns the most pixels that a picture of this format may have.
 */
export function mostPixels(format: ImageFormat, maxPixels: number): number {
  return format === 'avif' || format === 'heic' ? Math.min(maxPixels, maxSlowPixels) : maxPixels;
}

/**
 * What may be decoded for an AVIF or a HEIC, as a multiple of the pixels that it may have. An AVIF may have as many again for its transparency.
 * HEICs of phones have none; but tiles of 512 pixels reach beyond the edges, by an eighth at 24.5 megapixels.
 */
const decodedShare = { avif: 2, heic: 1.25 } as const;

/** @returns the most pixels that may be decoded for a picture, with its transparency and what its tiles have beyond its edges. */
export function mostDecoded(format: 'avif' | 'heic', maxPixels: number): number {
  return decodedShare[format] * mostPixels(format, maxPixels);
}
