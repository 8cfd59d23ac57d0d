/** How a JPEG is coded, what is odd about it, and its scans, each of which goes over the whole picture, however few its bytes. */

const marker = {
  startOfImage: 0xd8,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  firstRestart: 0xd0,
  firstOfSegment: 0xc0,
  progressive: 0xc2,
  jfif: 0xe0,
  adobe: 0xee,
} as const;

/** Frames that are decoded. */
const frames = new Set([0xc0, 0xc1, marker.progressive]);

/** Frames in lossless, hierarchical and arithmetic coding (ITU-T T.81, table B.1). */
const rareFrames = new Set([0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** Components of a scan (ITU-T T.81, table B.3). */
const mostTogether = 4;

/** What a scan that is not progressive says of coefficients and their bits: all of them (ITU-T T.81, table B.3). */
const allAtOnce = Buffer.of(0, 63, 0);

/** Places that are mended: the JFIF and the Adobe marker, a few with bytes too many, and a scan for each component. */
const mostEdits = 16;

/** Other bytes in place of some. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: Uint8Array;
}

export interface Scans {
  readonly count: number;
  /** The JPEG itself, or a copy in which is mended what is odd about it and harmless. */
  readonly jpeg: Uint8Array;
  /** Whether they say all that there is to say of each component: a decoder takes as none what is never said. */
  readonly isWhole: boolean;
}

/**
 * Counts the scans that a decoder comes upon, up to the end of the picture; what follows, and what lies within segments such as previews, is not of it.
 *
 * Mends what libjpeg warns of though nothing of the picture is wrong, so that its warnings are of damage: bytes of no segment before the first scan, which some
 * cameras leave, a version of JFIF that there is not, a way of coding colours that Adobe does not have, and sequential scans that do not say that they are of all
 * coefficients. libjpeg makes the same picture of it.
 * @param most scans that there may be: at the next no more is looked at.
 * @throws where that is at many places; or where it is in a coding that no camera writes: of arithmetic coding libjpeg makes up without a word whatever is
 *   missing, and lossless YCbCr it takes for RGB.
 */
export function readScans(jpeg: Uint8Array, most = Number.POSITIVE_INFINITY): Scans {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const edits: Edit[] = [];
  const mend = (from: number, to: number, ...by: number[]) => {
    if (edits.push({ from, to, by: Buffer.of(...by) }) > mostEdits) {
      throw new Error('The JPEG is odd at many places.');
    }
  };
  const isNamed = (at: number, name: string) => bytes.toString('latin1', at + 4, at + 9) === name;
  /** Where Adobe says how colours are coded. */
  const transforms: number[] = [];
  let count = 0;
  let frame: { readonly isProgressive: boolean; readonly components: number } | undefined;
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
    if (end !== undefined && end < at && count === 0) mend(end, at);
    if (code === marker.endOfImage) break;
    // Nothing follows those of restarts, nor those that are reserved: among the data of a scan, where restarts come, libjpeg looks for the
    // next right behind them, and everywhere else it gives up.
    if (code < marker.firstOfSegment || (code >= marker.firstRestart && code <= marker.startOfImage)) {
      at += 2;
      if (end !== undefined) end = at;
      continue;
    }
    if (rareFrames.has(code)) {
      throw new Error('The JPEG is in lossless, hierarchical or arithmetic coding.');
    }
    if (at + 4 > bytes.length) break;
    const length = bytes.readUInt16BE(at + 2);
    // A second frame is an error to every decoder.
    if (frames.has(code) && frame === undefined) {
      frame = { isProgressive: code === marker.progressive, components: bytes[at + 9] ?? 0 };
      const ids = bytes.subarray(at + 10, at + 10 + 3 * frame.components).filter((_, i) => i % 3 === 0);
      for (const id of ids) missing.set(id, new Uint8Array(64).fill(1));
    }
    // The versions of JFIF are 1.00 to 1.02. Of what is shorter libjpeg takes no notice, as of an Adobe marker.
    if (code === marker.jfif && length >= 16 && isNamed(at, 'JFIF\0') && bytes[at + 9] !== 1) {
      mend(at + 9, at + 10, 1);
    }
    if (code === marker.adobe && length >= 14 && isNamed(at, 'Adobe')) transforms.push(at + 15);
    if (code === marker.startOfScan) {
      count++;
      if (count > most) break;
      const last = at + 5 + 2 * Math.min(bytes[at + 4] ?? 0, mostTogether);
      const stated = bytes.subarray(last, last + 3);
      if (frame?.isProgressive === false && !stated.equals(allAtOnce)) {
        mend(last, last + 3, ...allAtOnce);
      }
      const [from = 0, to = 0, bits = 0] = frame?.isProgressive ? stated : allAtOnce;
      for (let i = at + 5; i < last; i += 2) missing.get(bytes[i] as number)?.fill(bits & 15, from, to + 1);
      // libjpeg looks no further either: behind a sequential scan of all components there is no other.
      if (count === 1 && frame?.isProgressive === false && bytes[at + 4] === frame.components) break;
    }
    // A length counts itself, and is passed over also where it is said to be less.
    at += 2 + Math.max(2, length);
    end = code === marker.startOfScan ? undefined : at;
  }
  // 0 is RGB or CMYK. All else is taken for YCbCr, or of four components for YCCK.
  const luma = frame?.components === 4 ? 2 : 1;
  for (const at of transforms) if (bytes[at] !== 0 && bytes[at] !== luma) mend(at, at + 1, luma);
  return {
    count,
    jpeg: edits.length === 0 ? jpeg : edited(bytes, edits),
    isWhole: [...missing.values()].every((bits) => bits.every((bit) => bit === 0)),
  };
}

/** A copy with the edits, which lie in no order and apart. */
function edited(bytes: Buffer, edits: Edit[]): Buffer {
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (const { from, to, by } of edits.sort((one, other) => one.from - other.from)) {
    parts.push(bytes.subarray(kept, from), by);
    kept = to;
  }
  return Buffer.concat([...parts, bytes.subarray(kept)]);
}
