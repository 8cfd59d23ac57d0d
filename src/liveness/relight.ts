/** A picture in another light, for a second look at it: contrast where the camera gave little. */

import type { InputDescriptor } from '../models/descriptor.ts';

/** From how many of the pixels have each luma, 0..255, to the new level for each old one. */
export type Relight = (histogram: readonly number[], pixels: number) => number[];

/** Every level as often as every other. */
export function equalise(histogram: readonly number[], pixels: number): number[] {
  let below = 0;
  return histogram.map((count) => {
    below += count;
    return (255 * below) / pixels;
  });
}

/** From the darkest to the brightest, but for the last hundredth of the pixels at either end. */
export function stretch(histogram: readonly number[], pixels: number): number[] {
  let below = 0;
  let low = 0;
  let high = 255;
  for (const [level, count] of histogram.entries()) {
    below += count;
    if (below < pixels * 0.01) low = level;
    if (below < pixels * 0.99) high = level;
  }
  return histogram.map((_, level) =>
    Math.min(Math.max(((level - low) * 255) / Math.max(high - low, 1), 0), 255),
  );
}

/** Levels 0..255 in another light, scaled as the network's input is. Each colour is moved by the same table. */
export function relight(
  levels: Float32Array,
  { colour, mean, scale }: InputDescriptor,
  light: Relight,
): Float32Array {
  const pixels = colour === 'grey' ? levels.length : levels.length / 3;
  const histogram: number[] = new Array(256).fill(0);
  const [red, blue] = colour === 'bgr' ? [pixels * 2, 0] : [0, pixels * 2];
  for (let i = 0; i < pixels; i++) {
    const luma =
      colour === 'grey'
        ? (levels[i] as number)
        : 0.299 * (levels[i + red] as number) +
          0.587 * (levels[i + pixels] as number) +
          0.114 * (levels[i + blue] as number);
    const level = Math.min(Math.max(Math.floor(luma), 0), 255);
    histogram[level] = (histogram[level] as number) + 1;
  }
  const table = light(histogram, pixels);
  return levels.map(
    (level) => ((table[Math.min(Math.max(Math.round(level), 0), 255)] as number) - mean) / scale,
  );
}
