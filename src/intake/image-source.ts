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
  if (!isCanonical(text, bytes)) {
    throw new IntakeError(
      'invalid_base64',
      'The image is not valid base64. Send the standard alphabet with padding, without a MIME prefix.',
    );
  }
  return bytes;
}

/**
 * Whether the text is the one that encodes these bytes, told without encoding megabytes again. The decoder skips what it does not
 * know, so that a text with anything else in it decodes to fewer bytes than its length says; it also takes the URL-safe
 * alphabet, drops the high byte of a character, and ignores what is left over in the last group.
 */
function isCanonical(text: string, bytes: Buffer): boolean {
  const groups = Math.ceil(bytes.length / 3);
  return (
    groups > 0 &&
    text.length === groups * 4 &&
    Buffer.byteLength(text) === text.length &&
    !text.includes('-') &&
    !text.includes('_') &&
    text.endsWith(bytes.toString('base64', (groups - 1) * 3))
  );
}
