/** iPhone HEIC, which sharp's prebuilt libvips cannot read: the only importer of ImageMagick's WASM build. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MagickReadSettings } from '@imagemagick/magick-wasm';
import { padSlices } from './heif.ts';
import type { Raster } from './raster.ts';

type Magick = typeof import('@imagemagick/magick-wasm');

const nothing = Buffer.alloc(0);

/**
 * What a slice is made of whose data is missing, where the decoder alone would make up all that is left of the picture, and say nothing. To the
 * arithmetic decoder ones are the end of the slice at the next block, so that the rest is left blank; zeros are a few blocks more.
 */
const ones = Buffer.alloc(1_024, 0xff);
const zeros = Buffer.concat([Buffer.alloc(48, Buffer.of(0, 0, 3)), ones]);

/** Reads HEIC pictures; the decoder's own 15 MB are loaded with the first one. */
export class HeicDecoder {
  #magick: Promise<Magick> | undefined;

  /**
   * Width and height in pixels as the header states them.
   * @throws when there is none, or the file is no HEIC as cameras write them.
   */
  async readSize(bytes: Uint8Array): Promise<{ width: number; height: number }> {
    const magick = await this.#load();
    const { width, height } = magick.MagickImageInfo.create(padSlices(bytes, nothing), heicOnly(magick));
    return { width, height };
  }

  /**
   * Decodes the primary image, upright: libheif applies the file's own rotation, which stands in for EXIF's.
   * @throws when the picture is damaged or cut short.
   */
  async decode(bytes: Uint8Array): Promise<Raster> {
    const magick = await this.#load();
    const raster = decodePadded(magick, bytes, ones);
    // A picture may well be blank somewhere; whether it depends on bytes that are not its own tells.
    if (hasBlank(raster)) {
      const { pixels } = decodePadded(magick, bytes, zeros);
      if (Buffer.compare(pixels, raster.pixels) !== 0) throw new Error('A slice of the HEIC is cut short.');
    }
    return raster;
  }

  #load(): Promise<Magick> {
    this.#magick ??= loadMagick();
    return this.#magick;
  }
}

async function loadMagick(): Promise<Magick> {
  const magick = await import('@imagemagick/magick-wasm');
  const wasm = fileURLToPath(import.meta.resolve('@imagemagick/magick-wasm/magick.wasm'));
  await magick.initializeImageMagick(await readFile(wasm));
  return magick;
}

/** ImageMagick must not guess: of its many formats only this one is let near a stranger's bytes. */
function heicOnly({ MagickFormat, MagickReadSettings }: Magick): MagickReadSettings {
  return new MagickReadSettings({ format: MagickFormat.Heic });
}

function decodePadded(magick: Magick, bytes: Uint8Array, padding: Uint8Array): Raster {
  const image = magick.MagickImage.create(padSlices(bytes, padding), heicOnly(magick));
  try {
    const { width, height } = image;
    const pixels = image.getPixels((area) => area.toByteArray(0, 0, width, height, 'RGB'));
    if (pixels === null) throw new Error('The HEIC decoder gave no pixels.');
    return { width, height, pixels };
  } finally {
    image.dispose();
  }
}

/** Half the side in pixels of the smallest block that is coded by itself, and so of what is left blank at the least. */
const blankSide = 8;

/** Whether something is as the decoder leaves it that was not decoded: no light and the least of both colour differences, which is one green, or black. */
function hasBlank({ width, height, pixels }: Raster): boolean {
  for (let y = 0; y + blankSide <= height; y += blankSide) {
    for (let x = 0; x + blankSide <= width; x += blankSide) {
      if (isBlank(pixels, (y * width + x) * 3, width * 3)) return true;
    }
  }
  return false;
}

/** Whether the block that begins there has no red and no blue, and one green. */
function isBlank(pixels: Uint8Array, start: number, rowBytes: number): boolean {
  const green = pixels[start + 1];
  for (let row = start; row < start + blankSide * rowBytes; row += rowBytes) {
    for (let at = row; at < row + blankSide * 3; at += 3) {
      if (pixels[at] !== 0 || pixels[at + 1] !== green || pixels[at + 2] !== 0) return false;
    }
  }
  return true;
}
