/** The inner loops of resampling a picture, in WebAssembly for its vector instructions. */

/** What the text of rows.wat makes; `test/unit/rows.test.ts` makes it again and compares. */
export const rowsModule =
  'AGFzbQEAAAABTApgAn9/AGAFf397e3sAYAR/fX19AGAGf39/f39/AGAHf319f39/fwBgBH9/e3sBe2AEe3t7ewF7YAF/AXtgBX9/f319AGAEf319ewADCwoAAQIDBAUGBwgJBQMBAAEH' +
  'LwYGbWVtb3J5AgADYWRkAAAGZmluaXNoAAIDbWl4AAMGbWl4VHdvAAQEcGFydAAICrkJCq0CAgV/BnsgAP0RIQgDQP0MAAAAAAAAAAAAAAAAAAAAACEJ/QwAAAAAAAAAAAAAAAAAAAAA' +
  'IQr9DAAAAAAAAAAAAAAAAAAAAAAhC/0MAAAAAAAAAAAAAAAAAAAAACEMIAIhAyAAIQQDQCAD/QAEACEHIAkgB/2JAf2OASEJIAogB/2KAf2OASEKIAsgCf2OASELIAwgCv2OASEMIAMg' +
  'AWohAyAEQQFrIQQgBA0ACyABQRBsIAJBAnRqIQUgBSABQQJ0aiEGIAUgBiAIIAn9qQEgC/2pARABIAVBEGogBkEQaiAIIAn9qgEgC/2qARABIAVBIGogBkEgaiAIIAr9qQEgDP2pARAB' +
  'IAVBMGogBkEwaiAIIAr9qgEgDP2qARABIAJBEGohAiACIAFJDQALCzIAIAEgAf0ABAAgBP2uASAA/QAEACAC/bUB/a4B/QsEACAAIAD9AAQAIAP9rgH9CwQAC8YBAgV/AnsgAEECdCEE' +
  'IABBBHQhBSAFIARqIQYgBiAEaiEHIAYhCANAIAX9AAQA/fsBIQkgBv0ABAD9+wEhCiAHIARqIAP9EyAH/QAEACAK/eQBIAH9EyAJ/eYB/eQB/eYB/QsEACAHIAL9EyAJ/eYBIAr95QH9' +
  'CwQAIAX9DAAAAAAAAAAAAAAAAAAAAAD9CwQAIAb9DAAAAAAAAAAAAAAAAAAAAAD9CwQAIAVBEGohBSAGQRBqIQYgB0EQaiEHIAUgCEkNAAsLcgIBfwF7A0D9DAAAAAAAAAAAAAAAAAAA' +
  'AAAhByABIQYDQCAHIAP9CQIAIAAgAigCAEECdGr9AAQA/eYB/eQBIQcgAkEEaiECIANBBGohAyAGQQFrIQYgBg0ACyAEIAf9CwQAIARBEGohBCAEIAVJDQALC7EBAQZ7IAH9EyEHIAL9' +
  'EyEIA0AgAygCACAAIAcgCBAFIQkgAygCBCAAIAcgCBAFIQogBP0KAwAhCyAE/QoDCCEMIAUgCyAMIAkgChAGIAsgDCAJIAn9DQgJCgsMDQ4PCAkKCwwNDg8gCiAK/Q0ICQoLDA0ODwgJ' +
  'CgsMDQ4PEAb9DQABAgMEBQYHEBESExQVFhf9CwQAIANBCGohAyAEQRBqIQQgBUEQaiEFIAUgBkkNAAsLGgAgAiAAEAf95gEgAyAAIAFqEAf95gH95AELGQAgACAC/V/98gEgASAD/V/9' +
  '8gH98AH9XgsRACAA/VwCAP2JAf2pAf37AQuGAgIBfwR7IAEhBQNAIAD9AAQAIAD9AAQQ/Q0AAQIDEBESEwQFBgcUFRYXIQYgAP0ABCAgAP0ABDD9DQABAgMQERITBAUGBxQVFhchByAA' +
  '/QAEACAA/QAEEP0NCAkKCxgZGhsICQoLGBkaGyEIIAD9AAQgIAD9AAQw/Q0ICQoLGBkaGwgJCgsYGRobIQkgBSADIAQgBiAH/Q0AAQIDBAUGBxAREhMUFRYXEAkgBSACaiADIAQgBiAH' +
  '/Q0ICQoLDA0ODxgZGhscHR4fEAkgBSACQQF0aiADIAQgCCAJ/Q0AAQIDBAUGBxAREhMUFRYXEAkgBUEQaiEFIABBwABqIQAgACABSQ0ACwsYACAAIAL9EyAB/RMgA/3mAf3kAf0LBAAL';

const { memory, add, finish, mix, mixTwo, part } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(rowsModule, 'base64')),
).exports as {
  memory: WebAssembly.Memory;
  add(rows: number, stride: number): void;
  finish(stride: number, upper: number, lower: number, scale: number): void;
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
  readonly #count: number;
  readonly #places: {
    row: number;
    exact: number;
    sources: number;
    weights: number;
    mixed: number;
    planes: number;
  };
  /** Where the last output ends. */
  readonly #end: number;
  /** Of a plane, in bytes. */
  readonly #planeSize: number;
  readonly #planes: readonly [red: Float32Array, green: Float32Array, blue: Float32Array];
  #held = 0;

  /** @param pixels of a row. */
  constructor(pixels: number, { count, sources, weights }: Mix) {
    const length = pixels * 3;
    const stride = Math.ceil(length / 16) * 16;
    const outputs = sources.length / count;
    const row = stride * 28;
    // The last pixel is read with what would be the first value of the next.
    const exact = stride * 32 + 16;
    const sourcesAt = exact + weights.length * 8;
    const weightsAt = sourcesAt + sources.length * 4;
    const mixed = weightsAt + weights.length * 4;
    // Colours are taken apart four outputs at a time.
    const planeSize = Math.ceil(outputs / 4) * 16;
    const planes = mixed + planeSize * 4;
    const missing = Math.ceil((planes + planeSize * 3 - memory.buffer.byteLength) / 65_536);
    if (missing > 0) memory.grow(missing);
    const { buffer } = memory;
    new Int32Array(buffer, sourcesAt, sources.length).set(sources.map((source) => source * 3));
    new Float64Array(buffer, exact, weights.length).set(weights);
    new Float32Array(buffer, weightsAt, weights.length).set(weights);
    // What was done before with this memory.
    new Uint8Array(buffer, stride * 16, stride * 16).fill(0);
    this.row = new Float32Array(buffer, row, length);
    this.#stride = stride;
    this.#bytes = new Uint8Array(buffer, 0, stride * rowsHeld);
    this.#count = count;
    this.#places = { row, exact, sources: sourcesAt, weights: weightsAt, mixed, planes };
    this.#end = mixed + outputs * 16;
    this.#planeSize = planeSize;
    const plane = (n: number) => new Float32Array(buffer, planes + n * planeSize, outputs);
    this.#planes = [plane(0), plane(1), plane(2)];
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

  /** Mixes the outputs of `row`. */
  mix(): void {
    const { row, sources, weights, mixed } = this.#places;
    mix(row, this.#count, sources, weights, mixed, this.#end);
  }

  /** Mixes the outputs, of two sources each, of two rows of pixels: upper x above + lower x below. */
  mixTwo(above: Uint8Array, below: Uint8Array, upper: number, lower: number): void {
    const { sources, exact, mixed } = this.#places;
    this.#bytes.set(above);
    this.#bytes.set(below, this.#stride);
    mixTwo(this.#stride, upper, lower, sources, exact, mixed, this.#end);
  }

  /** @returns for each colour scale x value + offset of every output that was mixed last; good until the next call. */
  planes(
    scale: number,
    offset: number,
  ): readonly [red: Float32Array, green: Float32Array, blue: Float32Array] {
    const { mixed, planes } = this.#places;
    part(mixed, planes, this.#planeSize, scale, offset);
    return this.#planes;
  }

  #addHeld(): void {
    add(this.#held, this.#stride);
    this.#held = 0;
  }
}
