/** What the directories of a TIFF say: how many pages there are, how large the first is, and whether it is of a kind that is read right. */

import { AssessmentError } from './errors.ts';

/** Each directory entry: tag, type, count, and the value or where it lies. */
const entryBytes = 12;
/** Bytes of a value by its type. Those of 64 bits, which are the last, are read in any TIFF. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const short = 3;
const long = 4;

const widthTag = 256;
const heightTag = 257;
const compressionTag = 259;

/** What a page may say of itself, and what is read right. */
interface Kind {
  readonly tag: number;
  readonly name: string;
  readonly read: ReadonlySet<number>;
  readonly words: string;
}

/**
 * Not at all, LZW, Deflate by its two numbers, and PackBits: what cameras, scanners and editors write. The others are decoders of their own, such as JPEG in two
 * ways, whose files have no such bounds there as by themselves, and which make up what is missing without a word.
 */
const packing: Kind = {
  tag: compressionTag,
  name: 'compression',
  read: new Set([1, 5, 8, 32_773, 32_946]),
  words: 'uncompressed ones are read, and LZW, Deflate and PackBits',
};

/** Of others libvips makes a picture of wrong colours: it takes YCbCr for RGB, floating point for linear light, and 32 bits for 8. */
const numbers: readonly Kind[] = [
  {
    tag: 262,
    name: 'photometric interpretation',
    read: new Set([0, 1, 2, 3, 5]),
    words: 'grey, RGB, palettes and CMYK are read',
  },
  { tag: 258, name: 'bits per sample', read: new Set([1, 2, 4, 8, 16]), words: '1, 2, 4, 8 and 16 are read' },
  // Some write that they do not know.
  { tag: 339, name: 'sample format', read: new Set([1, 4]), words: 'unsigned whole numbers are read' },
];

const bufferOf = (tiff: Uint8Array) => Buffer.from(tiff.buffer, tiff.byteOffset, tiff.byteLength);

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
export function pagesOf(tiff: Uint8Array, most = Number.POSITIVE_INFINITY): ReadonlySet<number> {
  const bytes = bufferOf(tiff);
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

/** Where the entries of a page begin that are there. */
function* entriesOf(bytes: Buffer, page: number): Generator<number> {
  const end = Math.min(page + 2 + readerOf(bytes).short(page) * entryBytes, bytes.length);
  for (let at = page + 2; at + entryBytes <= end; at += entryBytes) yield at;
}

/** The first of an entry's values; NaN where it is no whole number of 16 or 32 bits that is there. */
function numberOf(bytes: Buffer, entry: number): number {
  const read = readerOf(bytes);
  const type = read.short(entry + 2);
  if (type !== short && type !== long) return Number.NaN;
  const count = read.long(entry + 4);
  const size = type === short ? 2 : 4;
  const at = count * size <= 4 ? entry + 8 : read.long(entry + 8);
  if (count === 0 || at + size > bytes.length) return Number.NaN;
  return type === short ? read.short(at) : read.long(at);
}

/** What a page says first of something, as the decoder goes by that; undefined where it says nothing. */
function firstOf(bytes: Buffer, page: number, tag: number): number | undefined {
  const read = readerOf(bytes);
  for (const entry of entriesOf(bytes, page)) if (read.short(entry) === tag) return numberOf(bytes, entry);
  return undefined;
}

/** @returns the size of the first page in pixels, undefined where it is not told as it should be. */
export function sizeOfTiff(tiff: Uint8Array): { width: number; height: number } | undefined {
  const [page] = pagesOf(tiff, 0);
  if (page === undefined) return undefined;
  const bytes = bufferOf(tiff);
  const width = firstOf(bytes, page, widthTag) ?? 0;
  const height = firstOf(bytes, page, heightTag) ?? 0;
  return width > 0 && height > 0 ? { width, height } : undefined;
}

/** @returns of how many entries the longest directory of a page is said to be. */
export function longestPage(tiff: Uint8Array): number {
  const read = readerOf(bufferOf(tiff));
  let longest = 0;
  for (const page of pagesOf(tiff)) longest = Math.max(longest, read.short(page));
  return longest;
}

/** @returns how many bytes the values of all pages come to, of each no more than the file has. */
export function bytesOfValues(tiff: Uint8Array): number {
  const bytes = bufferOf(tiff);
  const read = readerOf(bytes);
  let all = 0;
  for (const page of pagesOf(tiff)) {
    for (const entry of entriesOf(bytes, page)) {
      all += Math.min((typeBytes[read.short(entry + 2)] ?? 0) * read.long(entry + 4), bytes.length);
    }
  }
  return all;
}

/**
 * Looks at how all pages are packed, as the decoder prepares itself for each, and at the numbers of the first. Directories within directories are not read by anybody.
 * @throws AssessmentError `unsupported_format` where one is of another kind than those, and an Error where that is not said as it should be.
 */
export function requireReadable(tiff: Uint8Array): void {
  const bytes = bufferOf(tiff);
  const read = readerOf(bytes);
  const pages = pagesOf(tiff);
  for (const page of pages) {
    for (const entry of entriesOf(bytes, page)) {
      if (read.short(entry) !== packing.tag) continue;
      requireKind(packing, read.long(entry + 4) === 1 ? numberOf(bytes, entry) : Number.NaN);
    }
  }
  const [first] = pages;
  if (first === undefined) return;
  // What is not said is the decoder's to know.
  for (const kind of numbers) requireKind(kind, firstOf(bytes, first, kind.tag));
}

function requireKind({ name, read, words }: Kind, value: number | undefined): void {
  if (value === undefined || read.has(value)) return;
  if (Number.isNaN(value)) throw new Error(`The TIFF does not say its ${name} as it should.`);
  throw new AssessmentError('unsupported_format', `The image is a TIFF of ${name} ${value}; ${words}.`);
}
