/** How large a GIF is, and whether its first frame is all there: its decoder leaves what is missing as it is, and says nothing. */

const imageBlock = 0x2c;
const extensionBlock = 0x21;
/** Codes have at most twelve bits. */
const mostCodes = 4_096;
/** Screens with a side beyond this are believed by no decoder of ours, which then goes by the frame alone. */
const mostScreen = 2_048;
const noScreen = { width: 1, height: 1 };

/** Where the colour table of these flags ends, which begins there. */
const behindColours = (at: number, flags: number) => (flags & 0x80 ? at + 3 * 2 ** ((flags & 7) + 1) : at);

/** A frame's place on the screen and where its codes begin, in pixels and bytes. */
interface GifFrame {
  readonly right: number;
  readonly bottom: number;
  readonly pixels: number;
  readonly codesAt: number;
}

/** Undefined where no frame follows the head and what stands between. */
function firstFrame(gif: Uint8Array): GifFrame | undefined {
  // The head is 13 bytes, those before a frame's colours are 10.
  let at = behindColours(13, gif[10] ?? 0);
  while (gif[at] === extensionBlock) {
    at += 2;
    for (let length = gif[at]; length !== undefined && length > 0; length = gif[at]) at += 1 + length;
    at += 1;
  }
  if (gif[at] !== imageBlock || at + 10 > gif.length) return undefined;
  const view = new DataView(gif.buffer, gif.byteOffset, gif.byteLength);
  const number = (behind: number) => view.getUint16(at + behind, true);
  return {
    right: number(1) + number(5),
    bottom: number(3) + number(7),
    pixels: number(5) * number(7),
    codesAt: behindColours(at + 10, gif[at + 9] as number),
  };
}

/** @returns the size of what is decoded: the screen, or what of the first frame reaches beyond it. Undefined where there is none. */
export function sizeOfGif(gif: Uint8Array): { width: number; height: number } | undefined {
  const frame = firstFrame(gif);
  if (frame === undefined) return undefined;
  const view = new DataView(gif.buffer, gif.byteOffset, gif.byteLength);
  const screen = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const { width, height } = Math.max(screen.width, screen.height) > mostScreen ? noScreen : screen;
  return { width: Math.max(width, frame.right), height: Math.max(height, frame.bottom) };
}

/**
 * Counts the pixels that the codes of the first frame come to, which takes a fraction of decoding them.
 * @throws where there are fewer than the frame says. What is no sound GIF in another way is left to the decoder.
 */
export function requireWholeFrame(gif: Uint8Array): void {
  const frame = firstFrame(gif);
  if (frame === undefined) return;
  const { pixels, codesAt } = frame;
  const coded = countPixels(gif, codesAt, pixels);
  if (coded < pixels) throw new Error(`The first frame of the GIF has ${coded} of ${pixels} pixels.`);
}

/** @returns how many pixels the codes come to, or `most`, after which they are not looked at. */
function countPixels(gif: Uint8Array, start: number, most: number): number {
  const colourBits = gif[start] as number;
  const clear = 1 << colourBits;
  if (!(colourBits < 12)) return most;
  /** Of how many pixels each code stands for. */
  const lengths = new Uint16Array(mostCodes).fill(1);
  let count = 0;
  let codes = clear + 2;
  let width = colourBits + 1;
  /** How many pixels the last code stood for; 0 where there is none before. */
  let last = 0;
  let bits = 0;
  let held = 0;
  for (let at = start + 1; (gif[at] ?? 0) > 0; ) {
    const end = Math.min(at + 1 + (gif[at] as number), gif.length);
    for (at += 1; at < end; at++) {
      held |= (gif[at] as number) << bits;
      bits += 8;
      while (bits >= width) {
        const code = held & ((1 << width) - 1);
        held >>>= width;
        bits -= width;
        if (code === clear) {
          codes = clear + 2;
          width = colourBits + 1;
          last = 0;
          continue;
        }
        if (code === clear + 1) return count;
        if (last > 0 && codes < mostCodes) {
          lengths[codes++] = last + 1;
          if (codes === 1 << width && width < 12) width++;
        }
        if (code >= codes) return most;
        last = lengths[code] as number;
        count += last;
        if (count >= most) return most;
      }
    }
  }
  return count;
}
