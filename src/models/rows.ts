/** The inner loops of shrinking a picture, in WebAssembly for its vector instructions. */

/** What the text of rows.wat makes; `test/unit/rows.test.ts` makes it again and compares. */
export const rowsModule =
  'AGFzbQEAAAABHgRgAn9/AGAFf397e3sAYAR/fX19AGAGf39/f39/AAMFBAABAgMFAwEAAQcfBAZtZW1vcnkCAANhZGQAAAZmaW5pc2gAAgNtaXgAAwqbBQStAgIFfwZ7IAD9ESEI' +
  'A0D9DAAAAAAAAAAAAAAAAAAAAAAhCf0MAAAAAAAAAAAAAAAAAAAAACEK/QwAAAAAAAAAAAAAAAAAAAAAIQv9DAAAAAAAAAAAAAAAAAAAAAAhDCACIQMgACEEA0AgA/0ABAAhByAJ' +
  'IAf9iQH9jgEhCSAKIAf9igH9jgEhCiALIAn9jgEhCyAMIAr9jgEhDCADIAFqIQMgBEEBayEEIAQNAAsgAUEQbCACQQJ0aiEFIAUgAUECdGohBiAFIAYgCCAJ/akBIAv9qQEQASAF' +
  'QRBqIAZBEGogCCAJ/aoBIAv9qgEQASAFQSBqIAZBIGogCCAK/akBIAz9qQEQASAFQTBqIAZBMGogCCAK/aoBIAz9qgEQASACQRBqIQIgAiABSQ0ACwsyACABIAH9AAQAIAT9rgEg' +
  'AP0ABAAgAv21Af2uAf0LBAAgACAA/QAEACAD/a4B/QsEAAvGAQIFfwJ7IABBAnQhBCAAQQR0IQUgBSAEaiEGIAYgBGohByAGIQgDQCAF/QAEAP37ASEJIAb9AAQA/fsBIQogByAE' +
  'aiAD/RMgB/0ABAAgCv3kASAB/RMgCf3mAf3kAf3mAf0LBAAgByAC/RMgCf3mASAK/eUB/QsEACAF/QwAAAAAAAAAAAAAAAAAAAAA/QsEACAG/QwAAAAAAAAAAAAAAAAAAAAA/QsE' +
  'ACAFQRBqIQUgBkEQaiEGIAdBEGohByAFIAhJDQALC28CAX8BewNA/QwAAAAAAAAAAAAAAAAAAAAAIQcgASEGA0AgByAD/QkCACAAIAIoAgBq/QAEAP3mAf3kASEHIAJBBGohAiAD' +
  'QQRqIQMgBkEBayEGIAYNAAsgBCAH/QsEACAEQRBqIQQgBCAFSQ0ACws=';

const { memory, add, finish, mix } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(rowsModule, 'base64')),
).exports as {
  memory: WebAssembly.Memory;
  add(rows: number, stride: number): void;
  finish(stride: number, upper: number, lower: number, scale: number): void;
  mix(row: number, count: number, sources: number, weights: number, to: number, end: number): void;
};

/** Rows of bytes that are held before they are added. */
const rowsHeld = 16;

/** Rows between two calls of `finish` of which the sums stay below 2 to the power of 32. */
export const mostRows = 5_000;

/** Which pixels of a row each output mixes: `count` of them, and as many weights. */
export interface Mix {
  readonly count: number;
  /** Pixels, the row's first one being 0. */
  readonly sources: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Makes rows of outputs from rows of pixels, RGB, 8 bit. All instances share one memory: only the latest may be used.
 *
 * Between two calls of `finish` it keeps two sums over the rows that were added, for each of their bytes: the plain one, and the falling
 * one in which the last row counts once, the one before it twice, and so on.
 */
export class Rows {
  /** The row that `mix` reads, which `finish` makes: three values for each pixel. */
  readonly row: Float32Array;
  readonly #stride: number;
  readonly #bytes: Uint8Array;
  readonly #places: readonly [
    row: number,
    count: number,
    sources: number,
    weights: number,
    to: number,
    end: number,
  ];
  readonly #mixed: Float32Array;
  #held = 0;

  /** @param pixels of a row. */
  constructor(pixels: number, { count, sources, weights }: Mix) {
    const length = pixels * 3;
    const stride = Math.ceil(length / 16) * 16;
    const row = stride * 28;
    // The last pixel is read with what would be the first value of the next.
    const sourcesAt = stride * 32 + 16;
    const weightsAt = sourcesAt + sources.length * 4;
    const to = weightsAt + weights.length * 4;
    const outputs = sources.length / count;
    const end = to + outputs * 16;
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65_536);
    if (missing > 0) memory.grow(missing);
    const { buffer } = memory;
    new Int32Array(buffer, sourcesAt, sources.length).set(sources.map((source) => source * 12));
    new Float32Array(buffer, weightsAt, weights.length).set(weights);
    // What was done before with this memory.
    new Uint8Array(buffer, stride * 16, stride * 12).fill(0);
    this.row = new Float32Array(buffer, row, length);
    this.#stride = stride;
    this.#bytes = new Uint8Array(buffer, 0, stride * rowsHeld);
    this.#places = [row, count, sourcesAt, weightsAt, to, end];
    this.#mixed = new Float32Array(buffer, to, outputs * 4);
  }

  /** @param bytes a row of pixels; of a black one nothing. */
  add(bytes: Uint8Array | undefined): void {
    const from = this.#held * this.#stride;
    if (bytes === undefined) this.#bytes.fill(0, from, from + this.#stride);
    else this.#bytes.set(bytes, from);
    this.#held++;
    if (this.#held === rowsHeld) this.#addHeld();
  }

  /**
   * `row` becomes scale x (what `lower` of the last call left + upper x plain sum + falling sum), and lower x plain sum - falling sum
   * is left for the next. Both sums begin anew.
   */
  finish(upper: number, lower: number, scale: number): void {
    if (this.#held > 0) this.#addHeld();
    finish(this.#stride, upper, lower, scale);
  }

  /** @returns of each output red, green, blue and a value without meaning; good until the next call. */
  mix(): Float32Array {
    mix(...this.#places);
    return this.#mixed;
  }

  #addHeld(): void {
    add(this.#held, this.#stride);
    this.#held = 0;
  }
}
