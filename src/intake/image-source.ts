/** Image bytes out of the text they arrive as. */

import { IntakeError } from './errors.ts';

/** @throws IntakeError `too_many_bytes`. */
export function requireAtMost(maxBytes: number, bytes: number): void {
  if (bytes > maxBytes) {
    throw new IntakeError('too_many_bytes', `The image has more than ${maxBytes} bytes.`);
  }
}

/**
 * Decodes canonical base64: the standard alphabet, padded, with nothing before, between or after.
 *
 * @param maxBytes most decoded bytes, inclusive.
 * @throws IntakeError `too_many_bytes` (decided before anything is decoded) or `invalid_base64`.
 */
export function decodeBase64(text: string, maxBytes: number): Uint8Array {
  // `byteLength` only looks at the text's length and padding: an oversized text costs no memory.
  requireAtMost(maxBytes, Buffer.byteLength(text, 'base64'));
  const bytes = decodeCanonical(Buffer.from(text));
  if (bytes === undefined) {
    throw new IntakeError(
      'invalid_base64',
      'The image is not valid base64. Send the standard alphabet with padding, without a MIME prefix.',
    );
  }
  return bytes;
}

/**
 * Characters decoded at once, whole groups of four, and few enough to stay in the innermost cache while the decoder copies them: as a text
 * of its own a whole image would be one of those large objects for which the heap asks the system for fresh memory each time, which takes longer than to decode it.
 */
const pieceLength = 16_384;

/**
 * Decodes the characters of a text where they are the one text in base64 that encodes some bytes, told without encoding megabytes
 * again. The decoder skips what it does not know, so that a text with anything else in it decodes to fewer bytes than its length says;
 * it also takes the URL-safe alphabet, and ignores what is left over in the last group.
 * @returns undefined where they are not.
 */
export function decodeCanonical(text: Buffer): Buffer | undefined {
  const { length } = text;
  if (length === 0 || length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined;
  const last = text.toString('latin1', length - 4);
  const bytes = Buffer.allocUnsafeSlow((length / 4 - 1) * 3 + Buffer.byteLength(last, 'base64'));
  let decoded = 0;
  for (let at = 0; at < length; at += pieceLength) {
    decoded += bytes.write(text.toString('latin1', at, at + pieceLength), decoded, 'base64');
  }
  const isCanonical = decoded === bytes.length && bytes.toString('base64', (length / 4 - 1) * 3) === last;
  return isCanonical ? bytes : undefined;
}
