/** Which colour profiles are let near the library that computes with them. */

/** Those of cameras and editors have some kilobytes, those of presses up to three megabytes. */
const mostBytes = 4_000_000;

/**
 * The type of a chain of steps that computes colours in floating point. It says where each step lies, so any number may lie in one place: gigabytes and minutes,
 * for 17 kB of a packed file. All else in a profile is read once; the largest table that is said to be there takes half a gigabyte for a moment. Neither cameras nor editors write it.
 */
const chain = 'mpet';

/** Whether a profile may be followed. The type of each value stands in plain letters before it, so it suffices to look for them. */
export function isPlainProfile(profile: Uint8Array): boolean {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.byteLength);
  return bytes.length <= mostBytes && !bytes.includes(chain, 0, 'latin1');
}
