/** The inner loops of resampling a picture, in WebAssembly for its vector instructions. */

/** What the text of rows.wat makes; `test/unit/rows.test.ts` makes it again and compares. */
export const rowsModule =
  'AGFzbQEAAAABUApgBX9/f39/AGAFf397e3sAYAV/f319fQBgBn9/f39/fwBgB399fX9/f38AYAR/f3t7AXtgBHt7e3sBe2ABfwF7YAV/f399fQBgBH99fXsAAwsKAAECAwQFBgcICQUD' +
  'AQABBy8GBm1lbW9yeQIAA2FkZAAABmZpbmlzaAACA21peAADBm1peFR3bwAEBHBhcnQACAqvCQqxAgIEfwZ7IAL9ESEKIAMgBGohByAHIQgDQP0MAAAAAAAAAAAAAAAAAAAAACEL/QwA' +
  'AAAAAAAAAAAAAAAAAAAAIQz9DAAAAAAAAAAAAAAAAAAAAAAhDf0MAAAAAAAAAAAAAAAAAAAAACEOIAAhBSACIQYDQCAF/QAEACEJIAsgCf2JAf2OASELIAwgCf2KAf2OASEMIA0gC/2O' +
  'ASENIA4gDP2OASEOIAUgAWohBSAGQQFrIQYgBg0ACyADIAcgCiAL/akBIA39qQEQASADQRBqIAdBEGogCiAL/aoBIA39qgEQASADQSBqIAdBIGogCiAM/akBIA79qQEQASADQTBqIAdB' +
  'MGogCiAM/aoBIA79qgEQASAAQRBqIQAgA0HAAGohAyAHQcAAaiEHIAMgCEkNAAsLMgAgASAB/QAEACAE/a4BIAD9AAQAIAL9tQH9rgH9CwQAIAAgAP0ABAAgA/2uAf0LBAALuAECA38C' +
  'eyAAIAFqIQUgBSABaiEGIAUhBwNAIAD9AAQA/fsBIQggBf0ABAD9+wEhCSAGIAFqIAT9EyAG/QAEACAJ/eQBIAL9EyAI/eYB/eQB/eYB/QsEACAGIAP9EyAI/eYBIAn95QH9CwQAIAD9' +
  'DAAAAAAAAAAAAAAAAAAAAAD9CwQAIAX9DAAAAAAAAAAAAAAAAAAAAAD9CwQAIABBEGohACAFQRBqIQUgBkEQaiEGIAAgB0kNAAsLcgIBfwF7A0D9DAAAAAAAAAAAAAAAAAAAAAAhByAB' +
  'IQYDQCAHIAP9CQIAIAAgAigCAEECdGr9AAQA/eYB/eQBIQcgAkEEaiECIANBBGohAyAGQQFrIQYgBg0ACyAEIAf9CwQAIARBEGohBCAEIAVJDQALC7EBAQZ7IAH9EyEHIAL9EyEIA0Ag' +
  'AygCACAAIAcgCBAFIQkgAygCBCAAIAcgCBAFIQogBP0KAwAhCyAE/QoDCCEMIAUgCyAMIAkgChAGIAsgDCAJIAn9DQgJCgsMDQ4PCAkKCwwNDg8gCiAK/Q0ICQoLDA0ODwgJCgsMDQ4P' +
  'EAb9DQABAgMEBQYHEBESExQVFhf9CwQAIANBCGohAyAEQRBqIQQgBUEQaiEFIAUgBkkNAAsLGgAgAiAAEAf95gEgAyAAIAFqEAf95gH95AELGQAgACAC/V/98gEgASAD/V/98gH98AH9' +
  'XgsRACAA/VwCAP2JAf2pAf37AQuGAgIBfwR7IAEhBQNAIAD9AAQAIAD9AAQQ/Q0AAQIDEBESEwQFBgcUFRYXIQYgAP0ABCAgAP0ABDD9DQABAgMQERITBAUGBxQVFhchByAA/QAEACAA' +
  '/QAEEP0NCAkKCxgZGhsICQoLGBkaGyEIIAD9AAQgIAD9AAQw/Q0ICQoLGBkaGwgJCgsYGRobIQkgBSADIAQgBiAH/Q0AAQIDBAUGBxAREhMUFRYXEAkgBSACaiADIAQgBiAH/Q0ICQoL' +
  'DA0ODxgZGhscHR4fEAkgBSACQQF0aiADIAQgCCAJ/Q0AAQIDBAUGBxAREhMUFRYXEAkgBUEQaiEFIABBwABqIQAgACABSQ0ACwsYACAAIAL9EyAB/RMgA/3mAf3kAf0LBAAL';

const { memory, add, finish, mix, mixTwo, part } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(rowsModule, 'base64')),
).exports as {
  memory: WebAssembly.Memory;
  add(from: number, stride: number, rows: number, sums: number, size: number): void;
  finish(sums: number, size: number, upper: number, lower: number, scale: number): void;
  mix(row: number, count: number, sources: number, weights: number, to: number, end: number): void;
  mixTwo(
    stride: number,
    upper: number,
    lower: number,
    sources: number,
    weights: number,
    to: number,
    end: number,
  ): void;
  part(from: number, end: number, plane: number, scale: number, offset: number): void;
};

/** Rows of pixels that a strip holds. */
export const rowsHeld = 16;

/** Rows between two calls of `finish` of which the sums stay below 2 to the power of 32. */
export const mostRows = 5_000;

/** Which pixels of a row each output mixes: `count` of them, and as many weights. */
export interface Mix {
  readonly count: number;
  /** Pixels, the first one of its part of a row being 0. */
  readonly sources: Int32Array;
  readonly weights: Float64Array;
}

/** What a `Rows` takes of the rows of a strip, in pixels, and how it mixes them. */
export interface Part {
  readonly left: number;
  readonly pixels: number;
  readonly mix: Mix;
}

/** A few rows of pixels, RGB, 8 bit, of which one or more `Rows` make outputs. All strips share one memory: only the latest may be used. */
export class Strip {
  /** One for each part. */
  readonly rows: readonly Rows[];
  readonly #stride: number;
  readonly #bytes: Uint8Array;

  /** @param pixels of a row. */
  constructor(pixels: number, parts: readonly Part[]) {
    const stride = padded(pixels * 3);
    // A part is read in steps of 16 bytes, the last of them beyond the last row.
    let end = stride * rowsHeld + 16;
    const places = parts.map((part) => {
      const place = placeOf(part, end);
      end = place.end;
      return place;
    });
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65_536);
    if (missing > 0) memory.grow(missing);
    this.#stride = stride;
    this.#bytes = new Uint8Array(memory.buffer, 0, stride * rowsHeld);
    this.rows = parts.map((part, i) => new Rows(stride, part, places[i] as Place));
  }

  /**
   * @param place 0..15.
   * @param bytes a row of pixels; of a black one nothing.
   */
  set(place: number, bytes: Uint8Array | undefined): void {
    const from = place * this.#stride;
    if (bytes === undefined) this.#bytes.fill(0, from, from + this.#stride);
    else this.#bytes.set(bytes, from);
  }
}

/** Where things of a part stand in memory, in bytes. */
interface Place {
  /** Four arrays of `size` bytes. */
  readonly sums: number;
  readonly size: number;
  readonly exact: number;
  readonly sources: number;
  readonly weights: number;
  readonly mixed: number;
  readonly planes: number;
  /** Of a plane. */
  readonly planeSize: number;
  readonly end: number;
}

function placeOf({ pixels, mix: { count, sources, weights } }: Part, sums: number): Place {
  const size = padded(pixels * 3) * 4;
  // The last pixel is read with what would be the first value of the next.
  const exact = sums + size * 4 + 16;
  const sourcesAt = exact + weights.length * 8;
  const weightsAt = sourcesAt + sources.length * 4;
  const mixed = padded(weightsAt + weights.length * 4);
  // Colours are taken apart four outputs at a time.
  const planeSize = Math.ceil(sources.length / count / 4) * 16;
  const planes = mixed + planeSize * 4;
  const end = planes + planeSize * 3;
  return { sums, size, exact, sources: sourcesAt, weights: weightsAt, mixed, planes, planeSize, end };
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/**
 * Makes rows of outputs from the rows of a strip.
 *
 * Between two calls of `finish` it keeps two sums over the rows that were added, for each of their bytes: the plain one, and the falling
 * one in which the last row counts once, the one before it twice, and so on.
 */
export class Rows {
  /** The row that `mix` reads, which `finish` makes: three values for each pixel. */
  readonly row: Float32Array;
  readonly #stride: number;
  /** Where its part of the first row of the strip begins. */
  readonly #left: number;
  readonly #count: number;
  readonly #place: Place;
  /** Where the last output ends. */
  readonly #end: number;
  readonly #planes: readonly [red: Float32Array, green: Float32Array, blue: Float32Array];

  constructor(stride: number, { left, pixels, mix: { count, sources, weights } }: Part, place: Place) {
    const { buffer } = memory;
    const { sums, size, planes, planeSize } = place;
    const outputs = sources.length / count;
    new Int32Array(buffer, place.sources, sources.length).set(sources.map((source) => source * 3));
    new Float64Array(buffer, place.exact, weights.length).set(weights);
    new Float32Array(buffer, place.weights, weights.length).set(weights);
    // What was done before with this memory.
    new Uint8Array(buffer, sums, size * 4).fill(0);
    this.row = new Float32Array(buffer, sums + size * 3, pixels * 3);
    this.#stride = stride;
    this.#left = left * 3;
    this.#count = count;
    this.#place = place;
    this.#end = place.mixed + outputs * 16;
    const plane = (n: number) => new Float32Array(buffer, planes + n * planeSize, outputs);
    this.#planes = [plane(0), plane(1), plane(2)];
  }

  /** Adds so many rows of the strip, from one of its places on. */
  add(place: number, rows: number): void {
    const { sums, size } = this.#place;
    add(this.#left + place * this.#stride, this.#stride, rows, sums, size);
  }

  /**
   * `row` becomes scale x (what `lower` of the last call left + upper x plain sum + falling sum), and lower x plain sum - falling sum
   * is left for the next. Both sums begin anew.
   */
  finish(upper: number, lower: number, scale: number): void {
    const { sums, size } = this.#place;
    finish(sums, size, upper, lower, scale);
  }

  /** Mixes the outputs of `row`. */
  mix(): void {
    const { sums, size, sources, weights, mixed } = this.#place;
    mix(sums + size * 3, this.#count, sources, weights, mixed, this.#end);
  }

  /** Mixes the outputs, of two sources each, of the first two rows of the strip, whole ones: upper x first + lower x second. */
  mixTwo(upper: number, lower: number): void {
    const { sources, exact, mixed } = this.#place;
    mixTwo(this.#stride, upper, lower, sources, exact, mixed, this.#end);
  }

  /** @returns for each colour scale x value + offset of every output that was mixed last; good until the next call. */
  planes(
    scale: number,
    offset: number,
  ): readonly [red: Float32Array, green: Float32Array, blue: Float32Array] {
    const { mixed, planes, planeSize } = this.#place;
    part(mixed, planes, planeSize, scale, offset);
    return this.#planes;
  }
}
