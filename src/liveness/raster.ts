/** Reading and writing pictures: the only importer of sharp. */

import sharp, { type Metadata, type OverlayOptions } from 'sharp';
import { isPlainProfile } from './profile.ts';

// One worker per core already; libvips threads and caches beside them only cost memory.
sharp.concurrency(1);
sharp.cache(false);

/** Interleaved RGB, 8 bit, with its size in pixels. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * From here on this process decodes nothing but photographs: libvips tells formats apart in its own way, and a stranger's file
 * must not talk it into another decoder than the one it was admitted for, such as that of drawings.
 */
export function decodePhotographsOnly(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['Jpeg', 'Png', 'Webp', 'Heif', 'Tiff', 'Nsgif'].map((kind) => `VipsForeignLoad${kind}Buffer`),
  });
}

/** What libvips hands on of libjpeg's warnings, which are of damage (jpeg-scans.ts): how many there were, and the first. */
const ofLibjpeg = /^(read gave |VipsJpeg: )/;

/**
 * The warning that is harmless, where it is the only one: of bytes too many behind the data, which some cameras write, and which `failOn: 'warning'` would
 * refuse too. It is also the first of several where restarts do not come.
 */
const harmless =
  /^read gave 1 warnings VipsJpeg: Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9$/;

/** Channels of colour by libvips' name of a colour space; three in all others. */
const coloursOf: Readonly<Record<string, number>> = { 'b-w': 1, grey16: 1, cmyk: 4 };

/** What the header says of a picture. */
export interface Header extends Pick<Metadata, 'format'> {
  /** In pixels, as they are stored. */
  readonly width: number;
  readonly height: number;
  /** Of an AVIF of several pictures the one that is shown; the first of any other frames or pages. */
  readonly page: number;
  /** Channels beside those of colour. */
  readonly beside: number;
  /** Whether its colour profile, where it has one, may be followed. */
  readonly isPlain: boolean;
}

/** Reads the header alone, and decodes no pixel. */
export async function readHeader(bytes: Uint8Array, page = 0): Promise<Header> {
  const metadata = await sharp(bytes, { limitInputPixels: false, page }).metadata();
  const { format, width, height, channels, space, icc, pagePrimary = page } = metadata;
  if (pagePrimary !== page) return await readHeader(bytes, pagePrimary);
  const beside = channels - (coloursOf[space] ?? 3);
  return { format, width, height, page, beside, isPlain: icc === undefined || isPlainProfile(icc) };
}

/**
 * Decodes one picture, upright, as sRGB over white.
 * @param maxPixels a second bound inside the decoder, for files whose header lies.
 * @param header what its header says. One channel beside those of colour is transparency; of several none is: a TIFF keeps selections and inks
 *   there. A profile that is not plain is passed over, as a damaged one is.
 * @throws when the picture is damaged or cut short: a liveness verdict on half a face would be a guess.
 */
export async function decodeRaster(
  bytes: Uint8Array,
  maxPixels: number,
  { page, beside, isPlain }: Pick<Header, 'page' | 'beside' | 'isPlain'> = {
    page: 0,
    beside: 1,
    isPlain: true,
  },
): Promise<Raster> {
  const picture = sharp(bytes, {
    ...{ limitInputPixels: maxPixels, failOn: 'error', page, pages: 1 },
    ignoreIcc: !isPlain,
  });
  const warnings: string[] = [];
  picture.on('warning', (warning: string) => warnings.push(warning));
  picture.autoOrient();
  if (beside > 1) picture.removeAlpha();
  else picture.flatten({ background: '#ffffff' });
  const { data, info } = await picture
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const damage = damageOf(warnings);
  if (damage !== undefined) throw new Error(damage);
  // A Buffer's own `subarray` takes several times as long, and there is one for each row.
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, pixels };
}

/** What libjpeg says where it made up pixels, which to it is a warning. */
function damageOf(warnings: readonly string[]): string | undefined {
  const lines = warnings.flatMap((warning) => warning.split('\n'));
  const said = lines.filter((line) => ofLibjpeg.test(line)).join(' ');
  return said === '' || harmless.test(said) ? undefined : said;
}

/** Renders an SVG drawing of ours (never a client's file) as a JPEG. */
export async function renderSvg(svg: string): Promise<Uint8Array> {
  return await sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).jpeg({ quality: 90 }).toBuffer();
}

/** Encodes a raster with drawings laid over it as a JPEG. */
export async function encodeJpeg(raster: Raster, overlays: OverlayOptions[]): Promise<Uint8Array> {
  const { width, height, pixels } = raster;
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite(overlays)
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** Cuts a part out of a raster and brings it to a square of `side` pixels, as a JPEG of few bytes. */
export async function encodeThumbnail(
  { width, height, pixels }: Raster,
  part: { left: number; top: number; width: number; height: number },
  side: number,
): Promise<Uint8Array> {
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract(part)
    .resize(side, side, { fit: 'contain', background: '#808080' })
    .jpeg({ quality: 72 })
    .toBuffer();
}
