/** The inner loops of resampling a picture, in WebAssembly for its vector instructions. */

/** What the text of rows.wat makes; `test/unit/rows.test.ts` makes it again and compares. */
export const rowsModule =
  'AGFzbQEAAAABQwhgBn9/f39/fwBgCH9/f39/fX19AGAHf319f39/fwBgBH9/e3sBe2AEe3t7ewF7YAF/AXtgBX9/f319AGAEf319ewADCgkAAQACAwQFBgcFAwEAAQcvBgZtZW1vcnkC' +
  'AANhZGQAAAZmaW5pc2gAAQNtaXgAAgZtaXhUd28AAwRwYXJ0AAcKmgoJpwMCBH8HeyAD/REhCyAEIAVqIQggCCEJA0D9DAAAAAAAAAAAAAAAAAAAAAAhDf0MAAAAAAAAAAAAAAAAAAAA' +
  'ACEO/QwAAAAAAAAAAAAAAAAAAAAAIQ/9DAAAAAAAAAAAAAAAAAAAAAAhECAAIQYgAiEHA0AgBv0ABAAhCiANIAr9iQH9jgEhDSAOIAr9igH9jgEhDiAPIA39jgEhDyAQIA79jgEhECAG' +
  'IAFqIQYgB0EBayEHIAcNAAsgBCAE/QAEACAN/akBIgz9rgH9CwQAIAggCP0ABAAgCyAM/bUBIA/9qQH9sQH9rgH9CwQAIAQgBP0ABBAgDf2qASIM/a4B/QsEECAIIAj9AAQQIAsgDP21' +
  'ASAP/aoB/bEB/a4B/QsEECAEIAT9AAQgIA79qQEiDP2uAf0LBCAgCCAI/QAEICALIAz9tQEgEP2pAf2xAf2uAf0LBCAgBCAE/QAEMCAO/aoBIgz9rgH9CwQwIAggCP0ABDAgCyAM/bUB' +
  'IBD9qgH9sQH9rgH9CwQwIABBEGohACAEQcAAaiEEIAhBwABqIQggBCAJSQ0ACwvgAQIEfwR7IAAgAUECdGohCCACIANqIQkgCSADaiEKIAkhCwNAIAD9AAQAIQwgCP0ABAAhDSAMIAL9' +
  'AAQA/a4BIQ4gBP0RIA79tQEgDSAJ/QAEAP2uAf2xAf36ASEPIA79+gEhDiAKIANqIAf9EyAK/QAEACAP/eQBIAX9EyAO/eYB/eQB/eYB/QsEACAKIAb9EyAO/eYBIA/95QH9CwQAIAIg' +
  'DP2hAf0LBAAgCSAN/aEB/QsEACAAQRBqIQAgCEEQaiEIIAJBEGohAiAJQRBqIQkgCkEQaiEKIAIgC0kNAAsLcgIBfwF7A0D9DAAAAAAAAAAAAAAAAAAAAAAhByABIQYDQCAHIAP9CQIA' +
  'IAAgAigCAEECdGr9AAQA/eYB/eQBIQcgAkEEaiECIANBBGohAyAGQQFrIQYgBg0ACyAEIAf9CwQAIARBEGohBCAEIAVJDQALC7EBAQZ7IAH9EyEHIAL9EyEIA0AgAygCACAAIAcgCBAE' +
  'IQkgAygCBCAAIAcgCBAEIQogBP0KAwAhCyAE/QoDCCEMIAUgCyAMIAkgChAFIAsgDCAJIAn9DQgJCgsMDQ4PCAkKCwwNDg8gCiAK/Q0ICQoLDA0ODwgJCgsMDQ4PEAX9DQABAgMEBQYH' +
  'EBESExQVFhf9CwQAIANBCGohAyAEQRBqIQQgBUEQaiEFIAUgBkkNAAsLGgAgAiAAEAb95gEgAyAAIAFqEAb95gH95AELGQAgACAC/V/98gEgASAD/V/98gH98AH9XgsRACAA/VwCAP2J' +
  'Af2pAf36AQuGAgIBfwR7IAEhBQNAIAD9AAQAIAD9AAQQ/Q0AAQIDEBESEwQFBgcUFRYXIQYgAP0ABCAgAP0ABDD9DQABAgMQERITBAUGBxQVFhchByAA/QAEACAA/QAEEP0NCAkKCxgZ' +
  'GhsICQoLGBkaGyEIIAD9AAQgIAD9AAQw/Q0ICQoLGBkaGwgJCgsYGRobIQkgBSADIAQgBiAH/Q0AAQIDBAUGBxAREhMUFRYXEAggBSACaiADIAQgBiAH/Q0ICQoLDA0ODxgZGhscHR4f' +
  'EAggBSACQQF0aiADIAQgCCAJ/Q0AAQIDBAUGBxAREhMUFRYXEAggBUEQaiEFIABBwABqIQAgACABSQ0ACwsYACAAIAL9EyAB/RMgA/3mAf3kAf0LBAAL';

const { memory, add, finish, mix, mixTwo, part } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(rowsModule, 'base64')),
).exports as {
  memory: WebAssembly.Memory;
  add(from: number, stride: number, rows: number, behind: number, sums: number, size: number): void;
  finish(
    sums: number,
    stride: number,
    own: number,
    size: number,
    behind: number,
    upper: number,
    lower: number,
    scale: number,
  ): void;
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

/** Rows between two calls of `finish` of which the sums stay below 2 to the power of 31. */
export const mostRows = 4_000;

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

/**
 * A few rows of pixels, RGB, 8 bit, of which one or more `Rows` make outputs. All strips share one memory: only the latest may be used.
 *
 * It keeps two sums over the rows that were added, for each of their bytes: the plain one, and the one in which each row counts as often
 * as its number says. They never begin anew: what a `Rows` has to know of the rows since its last output is by how much they grew, and where
 * they began does not matter.
 */
export class Strip {
  /** One for each part. */
  readonly rows: readonly Rows[];
  readonly #stride: number;
  readonly #bytes: Uint8Array;

  /** @param pixels of a row. */
  constructor(pixels: number, parts: readonly Part[]) {
    const stride = padded(pixels * 3);
    const sums = stride * rowsHeld;
    let end = sums + stride * 8;
    const places = parts.map((part) => {
      const place = placeOf(part, end);
      end = place.end;
      return place;
    });
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65_536);
    if (missing > 0) memory.grow(missing);
    this.#stride = stride;
    this.#bytes = new Uint8Array(memory.buffer, 0, sums);
    this.rows = parts.map((part, i) => new Rows(stride, part, places[i] as Place));
  }

  /**
   * @param place 0..15.
   * @param bytes a row of pixels.
   */
  set(place: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, place * this.#stride);
  }

  /** Adds the first so many rows, which are those before the row `behind`, for all parts. */
  add(rows: number, behind: number): void {
    add(0, this.#stride, rows, behind, this.#stride * rowsHeld, this.#stride * 4);
  }
}

/** Where things of a part stand in memory, in bytes. */
interface Place {
  /** Four arrays of `size` bytes. */
  readonly own: number;
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

function placeOf({ pixels, mix: { count, sources, weights } }: Part, own: number): Place {
  const size = padded(pixels * 3) * 4;
  // The last pixel is read with what would be the first value of the next.
  const exact = own + size * 4 + 16;
  const sourcesAt = exact + weights.length * 8;
  const weightsAt = sourcesAt + sources.length * 4;
  const mixed = padded(weightsAt + weights.length * 4);
  // Colours are taken apart four outputs at a time.
  const planeSize = Math.ceil(sources.length / count / 4) * 16;
  const planes = mixed + planeSize * 4;
  const end = planes + planeSize * 3;
  return { own, size, exact, sources: sourcesAt, weights: weightsAt, mixed, planes, planeSize, end };
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** Makes rows of outputs from the rows of a strip. */
export class Rows {
  /** The row that `mix` reads, which `finish` makes: three values for each pixel. */
  readonly row: Float32Array;
  readonly #stride: number;
  /** Where its part of the first row of the strip begins. */
  readonly #left: number;
  /** Where its part of the sums begins. */
  readonly #sums: number;
  readonly #count: number;
  readonly #place: Place;
  /** Where the last output ends. */
  readonly #end: number;
  readonly #planes: readonly [red: Float32Array, green: Float32Array, blue: Float32Array];

  constructor(stride: number, { left, pixels, mix: { count, sources, weights } }: Part, place: Place) {
    const { buffer } = memory;
    const { own, size, planes, planeSize } = place;
    const outputs = sources.length / count;
    new Int32Array(buffer, place.sources, sources.length).set(sources.map((source) => source * 3));
    new Float64Array(buffer, place.exact, weights.length).set(weights);
    new Float32Array(buffer, place.weights, weights.length).set(weights);
    this.row = new Float32Array(buffer, own + size * 3, pixels * 3);
    this.#stride = stride;
    this.#left = left * 3;
    this.#sums = stride * rowsHeld + left * 12;
    this.#count = count;
    this.#place = place;
    this.#end = place.mixed + outputs * 16;
    const plane = (n: number) => new Float32Array(buffer, planes + n * planeSize, outputs);
    this.#planes = [plane(0), plane(1), plane(2)];
  }

  /** Begins anew, with the rows that are added from now on. */
  begin(): void {
    const { own, size } = this.#place;
    const { buffer } = memory;
    for (const n of [0, 1]) {
      const sums = new Int32Array(buffer, this.#sums + n * this.#stride * 4, size / 4);
      const mine = new Int32Array(buffer, own + n * size, size / 4);
      for (let i = 0; i < mine.length; i++) mine[i] = -(sums[i] as number);
    }
    new Uint8Array(buffer, own + size * 2, size).fill(0);
  }

  /** Adds the first row of the strip, which is the one before the row `behind`, for this part alone. */
  add(behind: number): void {
    const { own, size } = this.#place;
    add(this.#left, this.#stride, 1, behind, own, size);
  }

  /**
   * Of the rows since the last call, which end before the row `behind`: `row` becomes scale x (what `lower` of the last call left + upper x
   * plain sum + falling sum), and lower x plain sum - falling sum is left for the next. In the falling sum the last row counts once, the one
   * before it twice, and so on.
   */
  finish(behind: number, upper: number, lower: number, scale: number): void {
    const { own, size } = this.#place;
    finish(this.#sums, this.#stride, own, size, behind, upper, lower, scale);
  }

  /** Mixes the outputs of `row`. */
  mix(): void {
    const { own, size, sources, weights, mixed } = this.#place;
    mix(own + size * 3, this.#count, sources, weights, mixed, this.#end);
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
