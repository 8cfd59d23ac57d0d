/** The decode stage: bytes of an admitted format to an upright RGB frame, within bounds. */

import { maxSide, mostDecoded, mostPixels } from './bounds.ts';
import { AssessmentError } from './errors.ts';
import { requireWholeFrame } from './gif.ts';
import type { HeicDecoder } from './heic.ts';
import { withoutFilm } from './heif.ts';
import type { HeifFormat } from './heif-items.ts';
import { type Size, workOf } from './heif-work.ts';
import { readScans } from './jpeg-scans.ts';
import { tooManyParts } from './parts.ts';
import { decodeRaster, type Header, type Raster, readHeader } from './raster.ts';
import { sniffFormat } from './sniff.ts';
import { requireReadable } from './tiff.ts';
import type { Frame, ImageFormat } from './types.ts';

export interface DecodeLimits {
  /** Pixels (width x height) of the picture as its header states it: a few kilobytes can claim gigabytes. Some formats have less. */
  readonly maxPixels: number;
}

/**
 * Most scans of a JPEG: cameras write one and progressive encoders up to twenty. A tenth of a second each on the largest pictures, and a
 * file of 200 kB can have a thousand.
 */
const maxScans = 100;

/**
 * Decodes one picture, upright. Of several frames or pages only the first is decoded, of several pictures in an AVIF or a HEIC the one that is shown.
 * @throws AssessmentError `unsupported_format`, `image_too_large` or `undecodable_image`.
 */
export async function decode(
  bytes: Uint8Array,
  admitted: readonly ImageFormat[],
  limits: DecodeLimits,
  heic: HeicDecoder,
): Promise<Frame> {
  const format = sniffFormat(bytes);
  if (format === undefined || !admitted.includes(format)) {
    throw new AssessmentError(
      'unsupported_format',
      `The image must be one of ${admitted.join(', ')}; this is ${format ?? 'none that is known'}.`,
    );
  }
  const most = mostPixels(format, limits.maxPixels);
  try {
    // Already to read the header is to go through them.
    const tooMany = tooManyParts(bytes, format);
    if (tooMany !== undefined) throw new AssessmentError('image_too_large', `The image has ${tooMany}.`);
    if (format === 'avif' || format === 'heic') requireWork(bytes, format, limits.maxPixels);
    const check = (size: Size) => requireSize(size, format, most);
    const raster = await (format === 'heic'
      ? heic.decode(bytes, check)
      : decodeBySharp(format === 'avif' ? withoutFilm(bytes) : bytes, format, most, check));
    return { format, ...raster };
  } catch (error) {
    if (error instanceof AssessmentError) throw error;
    throw new AssessmentError('undecodable_image', `The ${format} image is damaged or incomplete.`, {
      cause: error,
    });
  }
}

/** Looks at all that is decoded for the picture, before any decoder does: the size of what is shown says little of it. */
function requireWork(bytes: Uint8Array, format: HeifFormat, maxPixels: number): void {
  const { sizes, pixels } = workOf(bytes, format);
  for (const size of sizes) requireSize(size, format, mostPixels(format, maxPixels));
  const most = mostDecoded(format, maxPixels);
  if (pixels > most) {
    throw new AssessmentError(
      'image_too_large',
      `The image is made of ${pixels} pixels; ${most} in all are the most allowed in ${format}.`,
    );
  }
}

function requireSize({ width, height }: Size, format: ImageFormat, most: number): void {
  if (width * height > most) {
    throw new AssessmentError(
      'image_too_large',
      `The image has ${width} x ${height} pixels; ${most} in all are the most allowed in ${format}.`,
    );
  }
  if (Math.max(width, height) > maxSide) {
    throw new AssessmentError(
      'image_too_large',
      `The image has ${width} x ${height} pixels; a side of ${maxSide} is the longest allowed.`,
    );
  }
}

/** Any format but HEIC. */
async function decodeBySharp(
  bytes: Uint8Array,
  format: ImageFormat,
  most: number,
  check: (size: Size) => void,
): Promise<Raster> {
  const header = await headerOf(bytes, format);
  check(header);
  if (format === 'gif') requireWholeFrame(bytes);
  const scans = format === 'jpeg' ? readScans(bytes, maxScans) : undefined;
  if (scans !== undefined && scans.count > maxScans) {
    throw new AssessmentError('image_too_large', `The image has more than ${maxScans} scans.`);
  }
  if (scans?.isWhole === false) throw new Error('The JPEG lacks scans.');
  return await decodeRaster(scans?.jpeg ?? bytes, most, header);
}

async function headerOf(bytes: Uint8Array, format: ImageFormat): Promise<Header> {
  if (format === 'tiff') requireReadable(bytes);
  const header = await readHeader(bytes);
  // A polyglot must not reach another decoder than the one its first bytes name.
  if (header.format !== (format === 'avif' ? 'heif' : format)) {
    throw new Error(`The decoder takes this ${format} for ${header.format}.`);
  }
  return header;
}
