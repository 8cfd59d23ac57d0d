/** Photographs out of a stream of bytes, in which they stand one behind the other. */

import type { Readable } from 'node:stream';
import { free } from '../memory.ts';

interface Awaited {
  readonly bytes: Uint8Array;
  filled: number;
  readonly resolve: (bytes: Uint8Array) => void;
}

/** @returns what resolves with the next bytes of the stream, as many as it is asked for, once they are here. */
export function arrivalsOf(stream: Readable): (size: number) => Promise<Uint8Array> {
  const awaited: Awaited[] = [];
  /** Read, and not asked for yet. */
  const pieces: Buffer[] = [];

  function fill(): void {
    for (let [first] = awaited; first !== undefined; [first] = awaited) {
      while (first.filled < first.bytes.length) {
        const piece = pieces.shift();
        if (piece === undefined) return;
        const part = piece.subarray(0, first.bytes.length - first.filled);
        first.bytes.set(part, first.filled);
        first.filled += part.length;
        if (part.length < piece.length) pieces.unshift(piece.subarray(part.length));
        else free(piece);
      }
      awaited.shift();
      first.resolve(first.bytes);
    }
  }

  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
    fill();
  });
  return (size) =>
    new Promise((resolve) => {
      awaited.push({ bytes: new Uint8Array(size), filled: 0, resolve });
      fill();
    });
}
