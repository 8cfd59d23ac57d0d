/** Pixels to network input: crop, resize, colour order, scaling and layout in one pass over typed arrays. */

import type { InputDescriptor } from './descriptor.ts';

/** Interleaved RGB, 8 bit. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** What part of the picture fills the input, in pixels; it may reach beyond the picture. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** What lies beyond the picture: its edge repeated, its mirror image without the edge (reflect-101), or black. */
  readonly beyond: 'edge' | 'mirror' | 'black';
}

/** How many values the input takes. */
export function valueCount({ width, height, colour }: InputDescriptor): number {
  return width * height * (colour === 'grey' ? 1 : 3);
}

/** For each output column (or row) the `count` source columns it mixes, and their weights. */
interface Taps {
  /** A multiple of four, so that the inner loops can take four at a time; spare taps weigh nothing. */
  readonly count: number;
  /** Source indices inside the picture, `count` per output. */
  readonly sources: Int32Array;
  readonly weights: Float64Array;
  /** Lowest and highest of `sources`. */
  readonly low: number;
  readonly high: number;
}

/**
 * Samples a region into 1 x channels x height x width, float32, scaled as the descriptor says.
 *
 * `bilinear` mixes the four nearest pixels, as OpenCV does. `triangle` widens the same kernel to one output pixel, so that
 * shrinking loses no source pixel: the liveness models' error rates hold for it, and plain bilinear sampling doubles
 * some of them (docs/adr/0002-resampling.md).
 */
export function toTensor(picture: Pixels, region: Region, input: InputDescriptor): Float32Array {
  const { width, height, colour, mean, scale, resample } = input;
  const columns = taps(region.x, region.width, width, picture.width, region.beyond, resample);
  const rows = taps(region.y, region.height, height, picture.height, region.beyond, resample);
  const plane = width * height;
  const tensor = new Float32Array(valueCount(input));
  const [redPlane, bluePlane] = colour === 'bgr' ? [plane * 2, 0] : [0, plane * 2];
  const gain = 1 / (scale * fixedOne);
  const offset = -mean / scale;
  const row = new Int32Array((columns.high - columns.low + 1) * 3);
  for (let y = 0, at = 0; y < height; y++) {
    mixRows(picture, rows, y, columns.low, row);
    for (let x = 0; x < width; x++, at++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let tap = x * columns.count; tap < (x + 1) * columns.count; tap++) {
        const weight = columns.weights[tap] as number;
        const from = ((columns.sources[tap] as number) - columns.low) * 3;
        red += weight * (row[from] as number);
        green += weight * (row[from + 1] as number);
        blue += weight * (row[from + 2] as number);
      }
      if (colour === 'grey') {
        // ITU-R BT.601 luma.
        tensor[at] = (0.299 * red + 0.587 * green + 0.114 * blue) * gain + offset;
      } else {
        tensor[at + redPlane] = red * gain + offset;
        tensor[at + plane] = green * gain + offset;
        tensor[at + bluePlane] = blue * gain + offset;
      }
    }
  }
  return tensor;
}

/** Weights of the vertical pass are integers of this sum: whole-number arithmetic is half the time of floating point. */
const fixedOne = 1 << 16;

/** Fills `row` with the weighted sum of the source rows that output row `y` mixes, from source column `left` on. */
function mixRows({ width, pixels }: Pixels, rows: Taps, y: number, left: number, row: Int32Array): void {
  row.fill(0);
  for (let tap = y * rows.count; tap < (y + 1) * rows.count; tap += 4) {
    const wa = Math.round((rows.weights[tap] as number) * fixedOne);
    const wb = Math.round((rows.weights[tap + 1] as number) * fixedOne);
    const wc = Math.round((rows.weights[tap + 2] as number) * fixedOne);
    const wd = Math.round((rows.weights[tap + 3] as number) * fixedOne);
    let a = ((rows.sources[tap] as number) * width + left) * 3;
    let b = ((rows.sources[tap + 1] as number) * width + left) * 3;
    let c = ((rows.sources[tap + 2] as number) * width + left) * 3;
    let d = ((rows.sources[tap + 3] as number) * width + left) * 3;
    for (let i = 0; i < row.length; i++, a++, b++, c++, d++) {
      row[i] =
        ((row[i] as number) +
          Math.imul(wa, pixels[a] as number) +
          Math.imul(wb, pixels[b] as number) +
          Math.imul(wc, pixels[c] as number) +
          Math.imul(wd, pixels[d] as number)) |
        0;
    }
  }
}

function taps(
  start: number,
  length: number,
  outputs: number,
  limit: number,
  beyond: Region['beyond'],
  resample: InputDescriptor['resample'],
): Taps {
  const step = length / outputs;
  const radius = resample === 'triangle' ? Math.max(1, step) : 1;
  const count = Math.ceil((2 * radius) / 4) * 4;
  const sources = new Int32Array(outputs * count);
  const weights = new Float64Array(outputs * count);
  let low = limit - 1;
  let high = 0;
  for (let output = 0; output < outputs; output++) {
    const centre = start + (output + 0.5) * step - 0.5;
    const first = Math.floor(centre - radius) + 1;
    const share = (index: number) => Math.max(0, 1 - Math.abs(index - centre) / radius);
    let total = 0;
    for (let tap = 0; tap < count; tap++) total += share(first + tap);
    for (let tap = 0; tap < count; tap++) {
      const index = first + tap;
      const source = fold(index, limit, beyond);
      sources[output * count + tap] = source;
      weights[output * count + tap] = beyond === 'black' && index !== source ? 0 : share(index) / total;
      low = Math.min(low, source);
      high = Math.max(high, source);
    }
  }
  return { count, sources, weights, low, high };
}

/** The pixel inside the picture that stands in for one beyond it. */
function fold(index: number, limit: number, beyond: Region['beyond']): number {
  if (beyond === 'mirror' && limit > 1) {
    const period = 2 * (limit - 1);
    const offset = ((index % period) + period) % period;
    return offset < limit ? offset : period - offset;
  }
  return Math.min(Math.max(index, 0), limit - 1);
}

/** The same input as a mirror shows it, left and right exchanged. */
export function mirror(tensor: Float32Array, { width }: InputDescriptor): Float32Array {
  const mirrored = new Float32Array(tensor.length);
  for (let row = 0; row < tensor.length; row += width) {
    mirrored.set(tensor.subarray(row, row + width).toReversed(), row);
  }
  return mirrored;
}
