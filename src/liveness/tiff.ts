/** The pages of a TIFF: how many there are, and how they are packed. */

import { AssessmentError } from './errors.ts';

/** Each directory entry: tag, type, count and value. */
const entryBytes = 12;
const compressionTag = 259;
const short = 3;
const long = 4;

/**
 * Not at all, LZW, Deflate by its two numbers, and PackBits: what cameras, scanners and editors write. The others are decoders of their own, such as JPEG in two
 * ways, whose files have no such bounds there as by themselves, and which make up what is missing without a word.
 */
const packings = new Set([1, 5, 8, 32_773, 32_946]);

function readerOf(bytes: Buffer) {
  const isLittle = bytes[0] === 0x49;
  return {
    short: (at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    long: (at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  };
}

/**
 * Where the directory of each page begins, up to one more than `most`. Each names where the next is: a circle, of which the decoder knows what to make,
 * ends where it closes.
 */
export function pagesOf(bytes: Buffer, most = Number.POSITIVE_INFINITY): ReadonlySet<number> {
  const read = readerOf(bytes);
  const pages = new Set<number>();
  for (let link = 4; link + 4 <= bytes.length && pages.size <= most; ) {
    const at = read.long(link);
    if (at === 0 || at + 2 > bytes.length || pages.has(at)) break;
    pages.add(at);
    link = at + 2 + read.short(at) * entryBytes;
  }
  return pages;
}

/**
 * Looks at all pages, as the decoder prepares itself for each. Directories within directories are not read by anybody.
 * @throws AssessmentError `unsupported_format` where one is packed in another way than those, and an Error where that is not said as it should be.
 */
export function requirePacking(tiff: Uint8Array): void {
  const bytes = Buffer.from(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const read = readerOf(bytes);
  for (const page of pagesOf(bytes)) {
    const end = Math.min(page + 2 + read.short(page) * entryBytes, bytes.length);
    for (let at = page + 2; at + entryBytes <= end; at += entryBytes) {
      if (read.short(at) !== compressionTag) continue;
      const type = read.short(at + 2);
      if ((type !== short && type !== long) || read.long(at + 4) !== 1) {
        throw new Error('The TIFF does not say how it is packed.');
      }
      const packing = type === short ? read.short(at + 8) : read.long(at + 8);
      if (!packings.has(packing)) {
        throw new AssessmentError(
          'unsupported_format',
          `The image is a TIFF of compression ${packing}; uncompressed ones are read, and LZW, Deflate and PackBits.`,
        );
      }
    }
  }
}
