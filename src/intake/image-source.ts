/** Image bytes out of the text they arrive as. */

import { IntakeError } from './errors.ts';

/**
 * Decodes canonical base64: the standard alphabet, padded, with nothing before, between or after.
 *
 * @param maxBytes most decoded bytes, inclusive.
 * @throws IntakeError `too_many_bytes` (decided before anything is decoded) or `invalid_base64`.
 */
export function decodeBase64(text: string, maxBytes: number): Uint8Array {
  // `byteLength` only looks at the text's length and padding: an oversized text costs no memory.
  if (Buffer.byteLength(text, 'base64') > maxBytes) {
    throw new IntakeError('too_many_bytes', `The image has more than ${maxBytes} bytes.`);
  }
  const bytes = Buffer.from(text, 'base64');
  // The decoder skips what it does not know, takes the URL-safe alphabet and drops the high byte of a
  // character, so two different texts may decode alike. Only the canonical one encodes back to itself.
  if (bytes.length === 0 || bytes.toString('base64') !== text) {
    throw new IntakeError(
      'invalid_base64',
      'The image is not valid base64. Send the standard alphabet with padding, without a MIME prefix.',
    );
  }
  return bytes;
}
