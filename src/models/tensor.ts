/** Pixels to network input: crop, resize, colour order, scaling and layout in one pass over typed arrays. */

import { unsetFloats } from '../memory.ts';
import type { InputDescriptor } from './descriptor.ts';
import { mostRows, type Rows, rowsHeld, Strip } from './rows.ts';

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

/** What a network is shown of a picture. */
export interface View {
  readonly region: Region;
  readonly input: InputDescriptor;
}

/** Samples one region, as `toTensors` does. */
export function toTensor(picture: Pixels, region: Region, input: InputDescriptor): Float32Array {
  const [tensor] = toTensors(picture, [{ region, input }]) as [Float32Array];
  return tensor;
}

/**
 * Samples each region into 1 x channels x height x width, float32, scaled as its descriptor says.
 *
 * `bilinear` mixes the four nearest pixels, as OpenCV does. `triangle` widens the same kernel to one output pixel, so that
 * shrinking loses no source pixel: the liveness models' error rates hold for it, and plain bilinear sampling doubles
 * some of them (docs/adr/0002-resampling.md). Those that shrink read all pixels of their regions, and a row of the picture is read once for all.
 * @throws RangeError for a region with a number that is none, or more than a million pixels off.
 */
export function toTensors(picture: Pixels, views: readonly View[]): Float32Array[] {
  const samplings = views.map((view) => samplingOf(picture, view));
  const shrinking: Sampling[] = [];
  for (const sampling of samplings) {
    const { isNearest, down } = sampling;
    if (isNearest) mixNearest(picture, sampling);
    else if (down.step <= 1 || down.step >= mostRows) mixRows(picture, sampling);
    else shrinking.push(sampling);
  }
  if (shrinking.length > 0) shrinkRows(picture, shrinking);
  return samplings.map(({ tensor }) => tensor);
}

/** How a view is made of the pixels. */
interface Sampling {
  readonly input: InputDescriptor;
  readonly down: Axis;
  /** Each output mixes the four pixels nearest to it. */
  readonly isNearest: boolean;
  readonly columns: Kernels;
  readonly tensor: Float32Array;
}

/** Pixels. What is further off than many pictures are long is no place at all, and its rows are not to be counted. */
const farthest = 2 ** 20;

function samplingOf(picture: Pixels, { region, input }: View): Sampling {
  const { x, y, width, height, beyond } = region;
  if (![x, y, width, height].every((pixels) => Math.abs(pixels) < farthest)) {
    throw new RangeError('The region is no place near the picture.');
  }
  const across: Axis = { start: x, step: width / input.width, outputs: input.width, beyond };
  const down: Axis = { start: y, step: height / input.height, outputs: input.height, beyond };
  const isNearest = input.resample === 'bilinear' || (across.step <= 1 && down.step <= 1);
  const columns = kernels(across, picture.width, isNearest);
  return { input, down, isNearest, columns, tensor: unsetFloats(valueCount(input)) };
}

/** A strip of the columns that these need. */
function stripOf(samplings: readonly Sampling[]): { strip: Strip; left: number; length: number } {
  const left = Math.min(...samplings.map(({ columns }) => columns.low));
  const pixels = Math.max(...samplings.map(({ columns }) => columns.high)) + 1 - left;
  const parts = samplings.map(({ columns: { low, high, count, sources, weights } }) => ({
    left: low - left,
    pixels: high + 1 - low,
    mix: { count, sources: sources.map((source) => source - low), weights },
  }));
  return { strip: new Strip(pixels, parts), left, length: pixels * 3 };
}

/** @returns what gives a row of the picture, as far as a strip needs it. */
function reader({ width, pixels }: Pixels, left: number, length: number): (row: number) => Uint8Array {
  return (row) => pixels.subarray((row * width + left) * 3, (row * width + left) * 3 + length);
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
    let total = 0;
    for (let tap = 0; tap < count; tap++) total += triangle(first + tap - centre, radius);
    for (let tap = 0; tap < count; tap++) {
      const index = first + tap;
      const source = fold(index, limit, beyond);
      sources[output * count + tap] = source;
      weights[output * count + tap] =
        beyond === 'black' && index !== source ? 0 : triangle(index - centre, radius) / total;
      low = Math.min(low, source);
      high = Math.max(high, source);
    }
  }
  return { count, sources, weights, low, high };
}

/** How much of what is so far from the middle of an output goes into it. */
function triangle(distance: number, radius: number): number {
  return Math.max(0, 1 - Math.abs(distance) / radius);
}

/** Where the middle of an output lies in the picture, in pixels whose middles are whole numbers. */
function centreOf({ start, step }: Axis, output: number): number {
  return start + (output + 0.5) * step - 0.5;
}

/** @returns what writes the outputs that `rows` has now as one row of the tensor. */
function writer(rows: Rows, { input, tensor }: Sampling): (row: number) => void {
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

/** Both passes where each output mixes the four pixels nearest to it: no others are read. */
function mixNearest(picture: Pixels, sampling: Sampling): void {
  const { sources, weights } = kernels(sampling.down, picture.height, true);
  const { strip, left, length } = stripOf([sampling]);
  const [rows] = strip.rows as [Rows];
  const line = reader(picture, left, length);
  const put = writer(rows, sampling);
  const weight = (tap: number) => Math.round((weights[tap] as number) * fixedOne) / fixedOne;
  let isBlack = false;
  for (let output = 0; output < sources.length / 2; output++) {
    const tap = output * 2;
    const [upper, lower] = [weight(tap), weight(tap + 1)];
    // A black row after another is the same.
    if (!isBlack || upper + lower > 0) {
      strip.set(0, line(sources[tap] as number));
      strip.set(1, line(sources[tap + 1] as number));
      rows.mixTwo(upper, lower);
    }
    isBlack = upper + lower === 0;
    put(output);
  }
}

/** The vertical pass where only the other one shrinks: every output row mixes few rows of the picture. */
function mixRows(picture: Pixels, sampling: Sampling): void {
  const { count, sources, weights } = kernels(sampling.down, picture.height, false);
  const { strip, left, length } = stripOf([sampling]);
  const [rows] = strip.rows as [Rows];
  const line = reader(picture, left, length);
  const put = writer(rows, sampling);
  const { row } = rows;
  for (let output = 0; output < sources.length / count; output++) {
    row.fill(0);
    for (let tap = output * count; tap < (output + 1) * count; tap++) {
      const weight = weights[tap] as number;
      const bytes = line(sources[tap] as number);
      for (let i = 0; i < length; i++) row[i] = (row[i] as number) + weight * (bytes[i] as number);
    }
    rows.mix();
    put(output);
  }
}

/** Where all shrink, which read every pixel of their regions: most of the work on a large picture. */
function shrinkRows(picture: Pixels, samplings: readonly Sampling[]): void {
  const { height } = picture;
  const { strip, left, length } = stripOf(samplings);
  const line = reader(picture, left, length);
  const shrinkers = samplings.map((sampling, i) => new Shrinker(sampling, strip.rows[i] as Rows));
  /** Rows that are not in the picture, which each has of its own. */
  const addBeyond = (shrinker: Shrinker, from: number, to: number) => {
    for (let y = from; y < to; y++) {
      shrinker.reach(y);
      if (shrinker.beyond === 'black') continue;
      strip.set(0, line(fold(y, height, shrinker.beyond)));
      shrinker.rows.add(y + 1);
    }
    shrinker.reach(to);
  };
  for (const shrinker of shrinkers) addBeyond(shrinker, shrinker.first, Math.min(shrinker.end, 0));
  const bottom = Math.min(height, Math.max(...shrinkers.map(({ end }) => end)));
  let y = Math.max(0, Math.min(...shrinkers.map(({ first }) => first)));
  while (y < bottom) {
    let next = Math.min(y + rowsHeld, bottom);
    for (const shrinker of shrinkers) {
      shrinker.reach(y);
      next = Math.min(next, shrinker.next);
    }
    for (let row = y; row < next; row++) strip.set(row - y, line(row));
    strip.add(next - y, next);
    y = next;
  }
  for (const shrinker of shrinkers) addBeyond(shrinker, Math.max(shrinker.first, height), shrinker.end);
}

/**
 * The vertical pass where it shrinks.
 *
 * The triangles of two neighbouring output rows cross between their middles: of a row `y` there, `(y - upper) / step` goes to
 * the lower one and the rest to the upper one. Both follow from two sums over the n rows in between, the plain one and the one in
 * which the first row counts n times, the second n - 1 times and so on to the last, once. The strip has them of how much its own sums
 * grew from middle to middle. So each row is only added, once for all that shrink.
 */
class Shrinker {
  readonly rows: Rows;
  readonly beyond: Region['beyond'];
  /** The first of the rows that it needs, and the one after the last; both may lie beyond the picture. */
  readonly first: number;
  readonly end: number;
  /** The row to be told of next: the first one, and then the first one behind each middle. */
  next: number;
  readonly #down: Axis;
  readonly #put: (output: number) => void;
  /** The output whose middle comes next; -1 before the first row. */
  #output = -1;
  /** The first row since the last middle. */
  #from: number;
  /** What the rows weigh together that the output row whose middle was passed last has so far. */
  #begun = 0;

  constructor(sampling: Sampling, rows: Rows) {
    const { down } = sampling;
    this.rows = rows;
    this.beyond = down.beyond;
    this.first = Math.floor(centreOf(down, -1)) + 1;
    this.end = Math.floor(centreOf(down, down.outputs)) + 1;
    this.next = this.first;
    this.#down = down;
    this.#put = writer(rows, sampling);
    this.#from = this.first;
  }

  /** To be called at `next` at least, when all rows before that one are added, and it is not. */
  reach(y: number): void {
    if (y !== this.next) return;
    if (this.#output < 0) this.rows.begin();
    else this.#pass();
    this.#from = y;
    this.#output++;
    const { outputs } = this.#down;
    this.next = this.#output > outputs ? Infinity : Math.floor(centreOf(this.#down, this.#output)) + 1;
  }

  /** Passes a middle. The rows above the first one and below the last have a triangle's half of their own. */
  #pass(): void {
    const { step } = this.#down;
    const middle = centreOf(this.#down, this.#output);
    const upper = middle - this.next;
    const lower = this.next - (middle - step);
    // Both sums as if each row were 1.
    const count = this.next - this.#from;
    const falling = (count * (count + 1)) / 2;
    this.rows.finish(this.next, upper, lower, 1 / (this.#begun + upper * count + falling));
    if (this.#output > 0) {
      this.rows.mix();
      this.#put(this.#output - 1);
    }
    this.#begun = lower * count - falling;
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
  const mirrored = tensor.slice();
  for (let row = 0; row < tensor.length; row += width) mirrored.subarray(row, row + width).reverse();
  return mirrored;
}
