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

/**
 * Counts the scans up to the end of the picture; what follows, and what lies within segments such as previews, is not of it.
 * @throws where it is in arithmetic coding. No camera writes that, and its decoder makes up whatever is missing without a word.
 */
export function countScans(jpeg: Uint8Array): number {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let scans = 0;
  // As decoders do, whatever is no marker is passed over: the data of a scan, and bytes too many.
  for (let at = bytes.indexOf(0xff); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    const code = bytes[at + 1] as number;
    if (code === marker.endOfImage) break;
    // A fill byte: the marker may begin with the next.
    if (code === 0xff) at += 1;
    // Nothing follows those of restarts, nor those that are reserved: among the data of a scan, where restarts come, libjpeg looks for the
    // next right behind them, and everywhere else it gives up.
    else if (code < marker.firstOfSegment || (code >= marker.firstRestart && code <= marker.startOfImage))
      at += 2;
    else {
      if (arithmetic.has(code)) throw new Error('The JPEG is in arithmetic coding.');
      if (code === marker.startOfScan) scans++;
      if (at + 4 > bytes.length) break;
      at += 2 + bytes.readUInt16BE(at + 2);
    }
  }
  return scans;
}
