/** iPhone HEIC, which sharp's prebuilt libvips cannot read: the only importer of ImageMagick's WASM build. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MagickReadSettings } from '@imagemagick/magick-wasm';
import type { Raster } from './raster.ts';

type Magick = typeof import('@imagemagick/magick-wasm');

/** Reads HEIC pictures; the decoder's own 15 MB are loaded with the first one. */
export class HeicDecoder {
  #magick: Promise<Magick> | undefined;

  /** Width and height in pixels as the header states them. */
  async readSize(bytes: Uint8Array): Promise<{ width: number; height: number }> {
    const magick = await this.#load();
    const { width, height } = magick.MagickImageInfo.create(bytes, heicOnly(magick));
    return { width, height };
  }

  /** Decodes the primary image, upright: libheif applies the file's own rotation, which stands in for EXIF's. */
  async decode(bytes: Uint8Array): Promise<Raster> {
    const magick = await this.#load();
    const image = magick.MagickImage.create(bytes, heicOnly(magick));
    try {
      const { width, height } = image;
      const pixels = image.getPixels((area) => area.toByteArray(0, 0, width, height, 'RGB'));
      if (pixels === null) throw new Error('The HEIC decoder gave no pixels.');
      return { width, height, pixels };
    } finally {
      image.dispose();
    }
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
