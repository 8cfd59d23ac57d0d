/** The contact sheet: the faces that were judged most wrongly, as small pictures to be written into the report. */

import { readFile } from 'node:fs/promises';
import { cropRegion } from '../liveness/crop.ts';
import { decode } from '../liveness/decode.ts';
import { HeicDecoder } from '../liveness/heic.ts';
import { encodeThumbnail } from '../liveness/raster.ts';
import { imageFormats } from '../liveness/sniff.ts';
import type { Box } from '../liveness/types.ts';

/** Twice as many pixels as they are shown with. */
const side = 256;

/** How much of the surroundings is shown: the rim of a screen or of a print is what gives it away. */
const surroundings = { kind: 'square-shift', factor: 2 } as const;

/**
 * Makes a picture of each face.
 * @param pathOf where a picture of the manifest lies.
 * @returns JPEG as `data:` URIs by file; a picture that can no longer be read is left out.
 */
export async function makeThumbnails(
  faces: readonly { readonly file: string; readonly box?: Box | undefined }[],
  pathOf: (file: string) => string,
  maxPixels: number,
): Promise<Map<string, string>> {
  const heic = new HeicDecoder();
  const thumbnails = new Map<string, string>();
  for (const { file, box } of faces) {
    const frame = await readFile(pathOf(file))
      .then((bytes) => decode(bytes, imageFormats, { maxPixels }, heic))
      .catch(() => undefined);
    if (frame === undefined) continue;
    const whole = { x: 0, y: 0, width: frame.width, height: frame.height };
    const { x, y, width, height } = box === undefined ? whole : cropRegion(box, frame, surroundings);
    const left = Math.floor(x);
    const top = Math.floor(y);
    const part = {
      left,
      top,
      width: Math.min(Math.ceil(width), frame.width - left),
      height: Math.min(Math.ceil(height), frame.height - top),
    };
    const jpeg = await encodeThumbnail(frame, part, side);
    thumbnails.set(file, `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`);
  }
  return thumbnails;
}
