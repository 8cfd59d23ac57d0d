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
  const tensor = new Float32Array(valueCount(input));
  if (input.resample === 'bilinear' || (across.step <= 1 && down.step <= 1)) {
    mixNearest(picture, across, down, input, tensor);
  } else {
    const columns = kernels(across, picture.width);
    const rows = new Rows(columns.high - columns.low + 1, {
      ...columns,
      sources: columns.sources.map((source) => source - columns.low),
    });
    const put = (output: number) => writeRow(rows.mix(), output, input, tensor);
    if (down.step > 1 && down.step < mostRows) shrinkRows(picture, down, columns.low, rows, put);
    else mixRows(picture, down, columns.low, rows, put);
  }
  return tensor;
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

/** The triangle's, as wide as an output, and never narrower than a pixel: there it is bilinear. */
function kernels(axis: Axis, limit: number, radius = Math.max(1, axis.step)): Kernels {
  const { outputs, beyond } = axis;
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

/** Weights of rows are whole numbers of this sum, as they were when the detectors' thresholds were measured. */
const fixedOne = 1 << 16;

/** Mixes the four pixels nearest to each output, and reads no others. */
function mixNearest(
  { width, height, pixels }: Pixels,
  across: Axis,
  down: Axis,
  input: InputDescriptor,
  tensor: Float32Array,
): void {
  const columns = kernels(across, width, 1);
  const rows = kernels(down, height, 1);
  const { plane, redPlane, bluePlane, offset } = layoutOf(input);
  const fixedGain = 1 / (input.scale * fixedOne);
  const isGrey = input.colour === 'grey';
  for (let y = 0, at = 0; y < rows.sources.length; y += 2) {
    const above = (rows.sources[y] as number) * width;
    const below = (rows.sources[y + 1] as number) * width;
    const upper = Math.round((rows.weights[y] as number) * fixedOne);
    const lower = Math.round((rows.weights[y + 1] as number) * fixedOne);
    for (let x = 0; x < columns.sources.length; x += 2, at++) {
      const left = columns.sources[x] as number;
      const right = columns.sources[x + 1] as number;
      const near = columns.weights[x] as number;
      const far = columns.weights[x + 1] as number;
      const a = (above + left) * 3;
      const b = (above + right) * 3;
      const c = (below + left) * 3;
      const d = (below + right) * 3;
      const red =
        near * (upper * (pixels[a] as number) + lower * (pixels[c] as number)) +
        far * (upper * (pixels[b] as number) + lower * (pixels[d] as number));
      const green =
        near * (upper * (pixels[a + 1] as number) + lower * (pixels[c + 1] as number)) +
        far * (upper * (pixels[b + 1] as number) + lower * (pixels[d + 1] as number));
      const blue =
        near * (upper * (pixels[a + 2] as number) + lower * (pixels[c + 2] as number)) +
        far * (upper * (pixels[b + 2] as number) + lower * (pixels[d + 2] as number));
      if (isGrey) tensor[at] = luma(red, green, blue) * fixedGain + offset;
      else {
        tensor[at + redPlane] = red * fixedGain + offset;
        tensor[at + plane] = green * fixedGain + offset;
        tensor[at + bluePlane] = blue * fixedGain + offset;
      }
    }
  }
}

/** Writes one row of outputs, each of four values, to where its colours belong. */
function writeRow(mixed: Float32Array, row: number, input: InputDescriptor, tensor: Float32Array): void {
  const { plane, redPlane, bluePlane, gain, offset } = layoutOf(input);
  const isGrey = input.colour === 'grey';
  for (let i = 0, at = row * input.width; i < mixed.length; i += 4, at++) {
    const red = (mixed[i] as number) * gain;
    const green = (mixed[i + 1] as number) * gain;
    const blue = (mixed[i + 2] as number) * gain;
    if (isGrey) tensor[at] = luma(red, green, blue) + offset;
    else {
      tensor[at + redPlane] = red + offset;
      tensor[at + plane] = green + offset;
      tensor[at + bluePlane] = blue + offset;
    }
  }
}

/** The vertical pass where nothing shrinks: every output row mixes the few nearest of the picture. `put` takes each from `rows`. */
function mixRows(
  { width, height, pixels }: Pixels,
  axis: Axis,
  left: number,
  { row }: Rows,
  put: (output: number) => void,
): void {
  const { count, sources, weights } = kernels(axis, height);
  for (let output = 0; output < axis.outputs; output++) {
    row.fill(0);
    for (let tap = output * count; tap < (output + 1) * count; tap++) {
      const weight = weights[tap] as number;
      const from = ((sources[tap] as number) * width + left) * 3;
      for (let i = 0; i < row.length; i++) {
        row[i] = (row[i] as number) + weight * (pixels[from + i] as number);
      }
    }
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
    if (output > 0) put(output - 1);
    begun = lower * count - falling;
  }
}

/** ITU-R BT.601. */
function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Where the planes of the colours begin, and how a level becomes a value. */
function layoutOf({ width, height, colour, mean, scale }: InputDescriptor) {
  const plane = width * height;
  const [redPlane, bluePlane] = colour === 'bgr' ? [plane * 2, 0] : [0, plane * 2];
  return { plane, redPlane, bluePlane, gain: 1 / scale, offset: -mean / scale };
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
