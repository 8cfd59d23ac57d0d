/** What a hostile file is, and the byte writers that all formats share. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { EngineErrorCode } from '../../../src/liveness/errors.ts';
import type { ImageFormat } from '../../../src/liveness/types.ts';

/** What the engine makes of a file whose bytes arrived. */
export type Outcome =
  | 'assessed'
  | Extract<EngineErrorCode, 'undecodable_image' | 'unsupported_format' | 'image_too_large'>;

/** A file that a stranger might send. */
export interface HostileFile {
  readonly name: string;
  /** What its first bytes say it is; undefined where they say nothing that anybody takes. */
  readonly format: ImageFormat | undefined;
  /** What it must come to. Two only where both are right, and which it is depends on where the bytes happen to lie. */
  readonly outcomes: readonly Outcome[];
  readonly bytes: Buffer;
}

/** Makes the files of one format: `[name, bytes, outcome]`. */
export type Row = readonly [name: string, bytes: Buffer, ...outcomes: Outcome[]];

export function filesOf(format: ImageFormat | undefined, rows: readonly Row[]): HostileFile[] {
  return rows.map(([name, bytes, ...outcomes]) => ({
    name: `${format ?? 'foreign'}: ${name}`,
    // Cut before its brand, a file is of no format.
    format: outcomes.join() === 'unsupported_format' ? undefined : format,
    outcomes,
    bytes,
  }));
}

export function be16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, i * 2);
  return bytes;
}

export function be32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

export function le16(...values: number[]): Buffer {
  return be16(...values).swap16();
}

export function le24(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => le32(value).subarray(0, 3)));
}

export function le32(...values: number[]): Buffer {
  return be32(...values).swap32();
}

/** Bytes of text and of lists of bytes, one after another. */
export function cat(...parts: (Uint8Array | string | readonly number[])[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );
}

/** The bytes that many times. */
export function times(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array<Buffer>(count).fill(bytes));
}

/** The bytes with others in their place from `at` on. */
export function patched(bytes: Uint8Array, at: number, other: Uint8Array | readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(other, at);
  return copy;
}

const portrait = readFileSync(join(import.meta.dirname, '..', '..', '..', 'assets', 'portrait.svg'));

/** The drawn portrait, small and with a face in it, ready to be encoded. */
export function drawing(width = 160): Sharp {
  return sharp(portrait).resize({ width }).flatten({ background: '#ffffff' });
}

/** The picture in a format; a TIFF packed as those are that are read, and not as a JPEG, which sharp does by itself. */
export function inFormat(
  picture: Sharp,
  format: Exclude<ImageFormat, 'heic'>,
  options: { readonly quality?: number } = {},
): Sharp {
  return format === 'tiff' ? picture.tiff({ compression: 'lzw' }) : picture.toFormat(format, options);
}

/** One colour throughout, ready to be encoded. */
export function flat(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: '#8a8f94' } });
}
