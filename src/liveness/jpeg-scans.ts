/** How a JPEG is coded, and in how many scans: each goes over the whole picture, however few its bytes. */

const marker = {
  startOfImage: 0xd8,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  firstRestart: 0xd0,
  firstOfSegment: 0xc0,
} as const;

/** Frames in arithmetic coding (ITU-T T.81, table B.1). */
const arithmetic = new Set([0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** Places with bytes too many. Some cameras leave a few at one. */
const mostGaps = 16;

export interface Scans {
  readonly count: number;
  /** The JPEG without the bytes before its first scan that are of no segment. */
  readonly jpeg: Uint8Array;
}

/**
 * Counts the scans up to the end of the picture; what follows, and what lies within segments such as previews, is not of it.
 *
 * Bytes between segments are harmless, and libjpeg passes over them, but says so; as it says only the first thing that it notices, they would hide whatever
 * is wrong with the picture.
 * @throws where there are such bytes between scans, or at many places; or where it is in arithmetic coding. No camera writes that, and its decoder makes
 *   up whatever is missing without a word.
 */
export function readScans(jpeg: Uint8Array): Scans {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const kept: Buffer[] = [];
  let keptFrom = 0;
  let count = 0;
  /** Where the last segment ended, or undefined among the data of a scan, which goes on to the next marker. */
  let end: number | undefined = 0;
  // As decoders do, whatever is no marker is passed over.
  for (let at = bytes.indexOf(0xff); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    const code = bytes[at + 1] as number;
    // A fill byte: the marker may begin with the next.
    if (code === 0xff) {
      if (end === at) end += 1;
      at += 1;
      continue;
    }
    // No marker, but the byte itself, in data; and between segments one of those too many.
    if (code === 0) {
      at += 2;
      continue;
    }
    if (end !== undefined && end < at) {
      if (count > 0) throw new Error('The JPEG has bytes of no segment between its scans.');
      if (kept.push(bytes.subarray(keptFrom, end)) > mostGaps) {
        throw new Error('The JPEG has bytes of no segment at many places.');
      }
      keptFrom = at;
    }
    if (code === marker.endOfImage) break;
    // Nothing follows those of restarts, nor those that are reserved: among the data of a scan, where restarts come, libjpeg looks for the
    // next right behind them, and everywhere else it gives up.
    if (code < marker.firstOfSegment || (code >= marker.firstRestart && code <= marker.startOfImage)) {
      at += 2;
      if (end !== undefined) end = at;
      continue;
    }
    if (arithmetic.has(code)) throw new Error('The JPEG is in arithmetic coding.');
    if (code === marker.startOfScan) count++;
    if (at + 4 > bytes.length) break;
    // A length counts itself, and is passed over also where it is said to be less.
    at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
    end = code === marker.startOfScan ? undefined : at;
  }
  return { count, jpeg: kept.length === 0 ? jpeg : Buffer.concat([...kept, bytes.subarray(keptFrom)]) };
}
