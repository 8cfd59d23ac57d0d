/** The image formats there are, and how they are told apart. */

import type { ImageFormat } from './types.ts';

/** What the engine reads, in the order it is listed to people. */
export const imageFormats: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif', 'heic'];

const heicBrands = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis']);
const avifBrands = new Set(['avif', 'avis']);

/** Tells the format by content alone; the name and the declared media type are the client's claims. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 64)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'tiff';
  if (text.startsWith('ftyp', 4)) {
    // The major brand may be a general one (mif1); the compatible brands that follow then tell.
    const brands = text
      .slice(8, Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), 64))
      .match(/.{4}/gs);
    if (brands?.some((brand) => heicBrands.has(brand))) return 'heic';
    if (brands?.some((brand) => avifBrands.has(brand))) return 'avif';
  }
  return undefined;
}
