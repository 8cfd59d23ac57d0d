/** Adding up rows of bytes: the innermost loop of resampling, in WebAssembly for its vector instructions. */

/** What the text of rows.wat makes; `test/unit/rows.test.ts` makes it again and compares. */
export const rowsModule =
  'AGFzbQEAAAABDgJgAn9/AGAFf397e3sAAwMCAAEFAwEAAQcQAgZtZW1vcnkCAANhZGQAAArjAgKtAgIFfwZ7IAD9ESEIA0D9DAAAAAAAAAAAAAAAAAAAAAAhCf0MAAAAAAAAAAAA' +
  'AAAAAAAAACEK/QwAAAAAAAAAAAAAAAAAAAAAIQv9DAAAAAAAAAAAAAAAAAAAAAAhDCACIQMgACEEA0AgA/0ABAAhByAJIAf9iQH9jgEhCSAKIAf9igH9jgEhCiALIAn9jgEhCyAM' +
  'IAr9jgEhDCADIAFqIQMgBEEBayEEIAQNAAsgAUEQbCACQQJ0aiEFIAUgAUECdGohBiAFIAYgCCAJ/akBIAv9qQEQASAFQRBqIAZBEGogCCAJ/aoBIAv9qgEQASAFQSBqIAZBIGog' +
  'CCAK/akBIAz9qQEQASAFQTBqIAZBMGogCCAK/aoBIAz9qgEQASACQRBqIQIgAiABSQ0ACwsyACABIAH9AAQAIAT9rgEgAP0ABAAgAv21Af2uAf0LBAAgACAA/QAEACAD/a4B/QsEAAs=';

const { memory, add } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(rowsModule, 'base64')))
  .exports as { memory: WebAssembly.Memory; add(rows: number, stride: number): void };

/** Rows that are held before they are added. */
const rowsHeld = 16;

/** Rows of which the sums stay below 2 to the power of 32. */
export const mostRows = 5_000;

/**
 * Two sums over rows, for each byte of a row: the plain one, and the falling one in which the last row counts once, the one before
 * it twice, and so on. All instances share one memory: only the latest may be used.
 */
export class RowSums {
  readonly #stride: number;
  readonly #bytes: Uint8Array;
  readonly #sums: Uint32Array;
  readonly #falling: Uint32Array;
  #held = 0;

  /** @param length bytes of a row. */
  constructor(length: number) {
    this.#stride = Math.ceil(length / 16) * 16;
    const pages = Math.ceil((this.#stride * (rowsHeld + 4 + 4)) / 65_536);
    const missing = pages - memory.buffer.byteLength / 65_536;
    if (missing > 0) memory.grow(missing);
    const { buffer } = memory;
    this.#bytes = new Uint8Array(buffer, 0, this.#stride * rowsHeld);
    this.#sums = new Uint32Array(buffer, this.#stride * rowsHeld, this.#stride);
    this.#falling = new Uint32Array(buffer, this.#stride * (rowsHeld + 4), this.#stride);
  }

  clear(): void {
    this.#held = 0;
    this.#sums.fill(0);
    this.#falling.fill(0);
  }

  /** @param row its bytes; of a row of zeros nothing. */
  add(row: Uint8Array | undefined): void {
    const from = this.#held * this.#stride;
    if (row === undefined) this.#bytes.fill(0, from, from + this.#stride);
    else this.#bytes.set(row, from);
    this.#held++;
    if (this.#held === rowsHeld) this.#addHeld();
  }

  /** The sums of at most `mostRows` rows since `clear`; good until the next call. */
  total(): { sums: Uint32Array; falling: Uint32Array } {
    if (this.#held > 0) this.#addHeld();
    return { sums: this.#sums, falling: this.#falling };
  }

  #addHeld(): void {
    add(this.#held, this.#stride);
    this.#held = 0;
  }
}
