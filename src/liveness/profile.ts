/** Which colour profiles are let near the library that computes with them. */

/** Those of cameras and editors have some kilobytes, those of presses up to three megabytes. */
const mostBytes = 4_000_000;

/**
 * The type of a chain of steps that computes colours in floating point. It says where each step lies, so any number may lie in one place: gigabytes and minutes,
 * for 17 kB of a packed file. All else in a profile is read once; the largest table that is said to be there takes half a gigabyte for a moment. Neither cameras nor editors write it.
 */
const chain = 'mpet';

/** Where the table of values begins, by their number, and how long each of its lines is: a name, where the value lies, and its length. */
const tableAt = 128;
const lineBytes = 12;

/** Whether a profile may be followed: whether none of its values says of itself that it is such a chain. Within a value there are none: it holds curves and texts at most. */
export function isPlainProfile(profile: Uint8Array): boolean {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.byteLength);
  if (bytes.length > mostBytes) return false;
  const count = bytes.length < tableAt + 4 ? 0 : bytes.readUInt32BE(tableAt);
  const end = Math.min(tableAt + 4 + count * lineBytes, bytes.length);
  for (let line = tableAt + 4; line + lineBytes <= end; line += lineBytes) {
    const at = bytes.readUInt32BE(line + 4);
    if (bytes.toString('latin1', at, at + chain.length) === chain) return false;
  }
  return true;
}
