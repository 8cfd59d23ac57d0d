/** iPhone HEIC, which sharp's prebuilt libvips cannot read: the only importer of ImageMagick's WASM build. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  initializeImageMagick,
  MagickFormat,
  MagickImage,
  MagickImageInfo,
  MagickReadSettings,
} from '@imagemagick/magick-wasm';
import type { Raster } from './raster.ts';

/** Reads HEIC pictures; the decoder's own 15 MB are loaded with the first one. */
export class HeicDecoder {
  #loaded: Promise<void> | undefined;

  /** Width and height in pixels as the header states them. */
  async readSize(bytes: Uint8Array): Promise<{ width: number; height: number }> {
    await this.#load();
    const { width, height } = MagickImageInfo.create(bytes, heicOnly());
    return { width, height };
  }

  /** Decodes the primary image, upright: libheif applies the file's own rotation, which stands in for EXIF's. */
  async decode(bytes: Uint8Array): Promise<Raster> {
    await this.#load();
    const image = MagickImage.create(bytes, heicOnly());
    try {
      const { width, height } = image;
      const pixels = image.getPixels((area) => area.toByteArray(0, 0, width, height, 'RGB'));
      if (pixels === null) throw new Error('The HEIC decoder gave no pixels.');
      return { width, height, pixels };
    } finally {
      image.dispose();
    }
  }

  #load(): Promise<void> {
    this.#loaded ??= readFile(
      fileURLToPath(import.meta.resolve('@imagemagick/magick-wasm/magick.wasm')),
    ).then((wasm) => initializeImageMagick(wasm));
    return this.#loaded;
  }
}

/** ImageMagick must not guess: of its many formats only this one is let near a stranger's bytes. */
function heicOnly(): MagickReadSettings {
  return new MagickReadSettings({ format: MagickFormat.Heic });
}
