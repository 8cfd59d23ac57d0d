/** Tuning after a pull and at a start: what graphs are compared on, and that it is done. */

import { portraitBytes } from '../dialects/portrait.ts';
import { decodeRaster } from '../liveness/raster.ts';
import type { ModelDescriptor } from '../models/descriptor.ts';
import type { Pixels } from '../models/tensor.ts';
import type { View } from '../models/tuning/compare.ts';
import { type TuneOptions, tuneWeights } from '../models/tuning/tune.ts';

/**
 * Makes the tuned graphs of these models that are missing or outdated, or all of them anew.
 * @param folder that of the weights.
 */
export function tune(
  folder: string,
  models: readonly ModelDescriptor[],
  options: Omit<TuneOptions, 'views'>,
): Promise<void> {
  return tuneWeights(folder, models, { ...options, views: drawViews });
}

/**
 * The drawn portrait from near and far in several lights, and noise: nothing here has to be downloaded. On photographs the graphs
 * are compared in `test/real/tuning.test.ts`.
 */
export async function drawViews(): Promise<View[]> {
  const portrait = await decodeRaster(portraitBytes, 1_000_000);
  const lights = [portrait, relit(portrait, 0.4, 0), relit(portrait, 0.6, 100), relit(portrait, 1.6, -60)];
  const pictures = [...lights.flatMap((picture) => aroundFace.map((region) => ({ picture, region })))];
  const whole = { x: 0, y: 0, width: noiseSide, height: noiseSide };
  for (const grain of [1, 8, 48]) pictures.push({ picture: noise(grain), region: whole });
  return pictures.map(({ picture, region }) => ({ picture, region: { ...region, beyond: 'mirror' } }));
}

/** In pixels of the portrait, which has 160 x 200: from the middle of the face to more than the picture, and off to a corner. */
const aroundFace = [
  { x: 56, y: 68, width: 48, height: 48 },
  { x: 46, y: 54, width: 68, height: 80 },
  { x: 24, y: 28, width: 112, height: 128 },
  { x: -20, y: -8, width: 200, height: 216 },
  { x: 6, y: 84, width: 84, height: 84 },
];

function relit({ width, height, pixels }: Pixels, contrast: number, light: number): Pixels {
  // Typed arrays of this kind keep values within 0 and 255.
  const lit = Uint8ClampedArray.from(pixels, (value) => value * contrast + light);
  return { width, height, pixels: new Uint8Array(lit.buffer) };
}

const noiseSide = 192;

/** The same noise every time, in squares of `grain` pixels. */
function noise(grain: number): Pixels {
  const pixels = new Uint8Array(noiseSide * noiseSide * 3);
  for (let i = 0; i < pixels.length; i++) {
    const at = Math.floor(i / 3);
    const column = Math.floor((at % noiseSide) / grain);
    const row = Math.floor(at / noiseSide / grain);
    // A hash of place and colour.
    const mixed = Math.imul((row * 8192 + column) * 4 + (i % 3) + 1, 0x9e3779b1);
    pixels[i] = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 24;
  }
  return { width: noiseSide, height: noiseSide, pixels };
}
