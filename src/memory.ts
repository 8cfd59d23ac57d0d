/** Memory outside of the heap: taken as it is, and given back when it is no longer needed, not when the garbage collector comes by. */

/**
 * Gives the memory of bytes or numbers back now; their values are gone. To the garbage collector megabytes are a small object, to which it
 * comes late; and it goes through all other objects each time they add up.
 */
export function free({ buffer, byteLength }: Uint8Array | Float32Array): void {
  // Never what is a part of something larger.
  if (byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** @returns so many numbers with whatever values, for who sets each: to make megabytes 0 first is a good part of the work on them. */
export function unsetFloats(count: number): Float32Array {
  return new Float32Array(Buffer.allocUnsafeSlow(count * Float32Array.BYTES_PER_ELEMENT).buffer);
}
