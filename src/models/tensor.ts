/** Pixels to network input: crop, resize, colour order, scaling and layout in one pass over typed arrays. */

import type { InputDescriptor } from './descriptor.ts';
import { mostRows, Rows } from './rows.ts';

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

/**
 * Samples a region into 1 x channels x height x width, float32, scaled as the descriptor says.
 *
 * `bilinear` mixes the four nearest pixels, as OpenCV does. `triangle` widens the same kernel to one output pixel, so that
 * shrinking loses no source pixel: the liveness models' error rates hold for it, and plain bilinear sampling doubles
 * some of them (docs/adr/0002-resampling.md).
 */
export function toTensor(picture: Pixels, region: Region, input: InputDescriptor): Float32Array {
  const { x, y, beyond } = region;
  const across: Axis = { start: x, step: region.width / input.width, outputs: input.width, beyond };
  const down: Axis = { start: y, step: region.height / input.height, outputs: input.height, beyond };
  const isNearest = input.resample === 'bilinear' || (across.step <= 1 && down.step <= 1);
  const columns = kernels(across, picture.width, isNearest);
  const rows = new Rows(columns.high - columns.low + 1, {
    ...columns,
    sources: columns.sources.map((source) => source - columns.low),
  });
  const tensor = new Float32Array(valueCount(input));
  const put = writer(rows, input, tensor);
  if (!isNearest && down.step > 1 && down.step < mostRows) {
    shrinkRows(picture, down, columns.low, rows, put);
  } else {
    const mixAll = isNearest ? mixNearest : mixRows;
    mixAll(picture, kernels(down, picture.height, isNearest), columns.low, rows, put);
  }
  return tensor;
}

/**
 * Gives the memory of pixels or of a tensor back now; its values are gone. The garbage collector would come late to megabytes that are
 * a small object to it, and go through all other objects each time they add up.
 */
export function free({ buffer, byteLength }: Uint8Array | Float32Array): void {
  // Never what is a part of something larger.
  if (byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** One direction of a region: where it starts in the picture, in pixels, and how many of them each output is apart. */
interface Axis {
  readonly start: number;
  readonly step: number;
  readonly outputs: number;
  readonly beyond: Region['beyond'];
}

/** For each output of an axis the `count` source pixels that it mixes, and their weights, which add up to 1. */
interface Kernels {
  readonly count: number;
  /** Source indices inside the picture, `count` per output. */
  readonly sources: Int32Array;
  readonly weights: Float64Array;
  /** Lowest and highest of `sources`. */
  readonly low: number;
  readonly high: number;
}

/** The triangle's, as wide as an output, and never narrower than a pixel: there it is bilinear. Among the nearest pixels it is that always. */
function kernels(axis: Axis, limit: number, isNearest: boolean): Kernels {
  const { outputs, beyond } = axis;
  const radius = isNearest ? 1 : Math.max(1, axis.step);
  const count = Math.ceil(2 * radius);
  const sources = new Int32Array(outputs * count);
  const weights = new Float64Array(outputs * count);
  let low = limit - 1;
  let high = 0;
  for (let output = 0; output < outputs; output++) {
    const centre = centreOf(axis, output);
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

/** Where the middle of an output lies in the picture, in pixels whose middles are whole numbers. */
function centreOf({ start, step }: Axis, output: number): number {
  return start + (output + 0.5) * step - 0.5;
}

/** @returns what writes the outputs that `rows` has now as one row of the tensor. */
function writer(rows: Rows, input: InputDescriptor, tensor: Float32Array): (row: number) => void {
  const { width, height, colour, mean, scale } = input;
  const plane = width * height;
  const [redPlane, bluePlane] = colour === 'bgr' ? [plane * 2, 0] : [0, plane * 2];
  return (row) => {
    const [red, green, blue] = rows.planes(1 / scale, -mean / scale);
    const at = row * width;
    if (colour === 'grey') {
      for (let x = 0; x < width; x++) {
        tensor[at + x] = luma(red[x] as number, green[x] as number, blue[x] as number);
      }
    } else {
      tensor.set(red, at + redPlane);
      tensor.set(green, at + plane);
      tensor.set(blue, at + bluePlane);
    }
  };
}

/** Weights of rows are whole numbers of this sum, as they were when the detectors' thresholds were measured; and sums of two are exact. */
const fixedOne = 1 << 16;

/** Both passes where each output mixes the four pixels nearest to it: no others are read. `put` takes each row of outputs from `rows`. */
function mixNearest(
  { width, pixels }: Pixels,
  { sources, weights }: Kernels,
  left: number,
  rows: Rows,
  put: (output: number) => void,
): void {
  const length = rows.row.length;
  const line = (source: number) =>
    pixels.subarray((source * width + left) * 3, (source * width + left) * 3 + length);
  for (let output = 0; output < sources.length / 2; output++) {
    const tap = output * 2;
    const [upper, lower] = [tap, tap + 1].map(
      (i) => Math.round((weights[i] as number) * fixedOne) / fixedOne,
    );
    rows.mixTwo(
      line(sources[tap] as number),
      line(sources[tap + 1] as number),
      upper as number,
      lower as number,
    );
    put(output);
  }
}

/** The vertical pass where only the other one shrinks: every output row mixes few rows of the picture. */
function mixRows(
  { width, pixels }: Pixels,
  { count, sources, weights }: Kernels,
  left: number,
  rows: Rows,
  put: (output: number) => void,
): void {
  const { row } = rows;
  for (let output = 0; output < sources.length / count; output++) {
    row.fill(0);
    for (let tap = output * count; tap < (output + 1) * count; tap++) {
      const weight = weights[tap] as number;
      const from = ((sources[tap] as number) * width + left) * 3;
      for (let i = 0; i < row.length; i++) {
        row[i] = (row[i] as number) + weight * (pixels[from + i] as number);
      }
    }
    rows.mix();
    put(output);
  }
}

/**
 * The vertical pass where it shrinks, which reads every pixel of the region: most of the work on a large picture.
 *
 * The triangles of two neighbouring output rows cross between their middles: of a row `y` there, `(y - upper) / step` goes to
 * the lower one and the rest to the upper one. Both follow from two sums over the n rows in between, the plain one and the one in
 * which the first row counts n times, the second n - 1 times and so on to the last, once; and that one is the sum of the plain
 * one's values after each row. So each row is only added, once.
 */
function shrinkRows(
  { width, height, pixels }: Pixels,
  axis: Axis,
  left: number,
  rows: Rows,
  put: (output: number) => void,
): void {
  const { step, outputs, beyond } = axis;
  const length = rows.row.length;
  /** What the rows weigh together that the output row whose middle was passed last has so far. */
  let begun = 0;
  for (let output = 0; output <= outputs; output++) {
    // The rows above this middle and below the one before it; the first output and the last have a triangle's half of their own.
    const middle = centreOf(axis, output);
    const first = Math.floor(middle - step) + 1;
    const end = Math.floor(middle) + 1;
    for (let y = first; y < end; y++) {
      const source = fold(y, height, beyond);
      const from = (source * width + left) * 3;
      rows.add(beyond === 'black' && source !== y ? undefined : pixels.subarray(from, from + length));
    }
    const upper = middle - end;
    const lower = end - (middle - step);
    // Both sums as if each row were 1.
    const count = end - first;
    const falling = (count * (count + 1)) / 2;
    rows.finish(upper, lower, 1 / (begun + upper * count + falling));
    if (output > 0) {
      rows.mix();
      put(output - 1);
    }
    begun = lower * count - falling;
  }
}

/** ITU-R BT.601. */
function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
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
    for (let x = 0; x < width; x++) mirrored[row + x] = tensor[row + width - 1 - x] as number;
  }
  return mirrored;
}
