/** How a JPEG is coded, and in how many scans, each of which goes over the whole picture, however few its bytes. */

const marker = {
  startOfImage: 0xd8,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  firstRestart: 0xd0,
  firstOfSegment: 0xc0,
  progressive: 0xc2,
} as const;

/** Frames that are decoded. */
const frames = new Set([0xc0, 0xc1, marker.progressive]);

/** Frames in arithmetic coding (ITU-T T.81, table B.1). */
const arithmetic = new Set([0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** Components of a scan (ITU-T T.81, table B.3). */
const mostTogether = 4;

/** Places with bytes too many. Some cameras leave a few at one. */
const mostGaps = 16;

export interface Scans {
  readonly count: number;
  /** The JPEG without the bytes before its first scan that are of no segment. */
  readonly jpeg: Uint8Array;
  /** Whether they say all that there is to say of each component: a decoder takes as none what is never said. */
  readonly isWhole: boolean;
}

/**
 * Counts the scans up to the end of the picture; what follows, and what lies within segments such as previews, is not of it.
 *
 * Bytes between segments are harmless, and libjpeg passes over them, but says so; as it says only the first thing that it notices, they would hide whatever
 * is wrong with the picture.
 * @param most scans that there may be: at the next no more is looked at.
 * @throws where there are such bytes between scans, or at many places; or where it is in arithmetic coding. No camera writes that, and its decoder makes
 *   up whatever is missing without a word.
 */
export function readScans(jpeg: Uint8Array, most = Number.POSITIVE_INFINITY): Scans {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const kept: Buffer[] = [];
  let keptFrom = 0;
  let count = 0;
  let isProgressive = false;
  /** The lowest bit of each of the 64 coefficients of a component that was not said yet. */
  const missing = new Map<number, Uint8Array>();
  /** Where the last segment ended, or undefined among the data of a scan, which goes on to the next marker. */
  let end: number | undefined = 0;
  // As decoders do, whatever is no marker is passed over.
  for (let at = bytes.indexOf(0xff); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    // Any number of fill bytes may stand before a marker.
    const first = at;
    while (bytes[at + 1] === 0xff) at++;
    if (end === first) end = at;
    const code = bytes[at + 1];
    if (code === undefined) break;
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
    if (at + 4 > bytes.length) break;
    // A second frame is an error to every decoder.
    if (frames.has(code) && missing.size === 0) {
      isProgressive = code === marker.progressive;
      const ids = bytes.subarray(at + 10, at + 10 + 3 * (bytes[at + 9] ?? 0)).filter((_, i) => i % 3 === 0);
      for (const id of ids) missing.set(id, new Uint8Array(64).fill(1));
    }
    if (code === marker.startOfScan) {
      count++;
      if (count > most) break;
      const last = at + 5 + 2 * Math.min(bytes[at + 4] ?? 0, mostTogether);
      const [from = 0, to = 0, bits = 0] = isProgressive ? bytes.subarray(last, last + 3) : [0, 63, 0];
      for (let i = at + 5; i < last; i += 2) missing.get(bytes[i] as number)?.fill(bits & 15, from, to + 1);
    }
    // A length counts itself, and is passed over also where it is said to be less.
    at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
    end = code === marker.startOfScan ? undefined : at;
  }
  return {
    count,
    jpeg: kept.length === 0 ? jpeg : Buffer.concat([...kept, bytes.subarray(keptFrom)]),
    isWhole: [...missing.values()].every((bits) => bits.every((bit) => bit === 0)),
  };
}
