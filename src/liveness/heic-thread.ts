/** The thread of one HEIC: tells its size, waits to be told to go on, and answers with its pixels. */

import { parentPort, workerData } from 'node:worker_threads';
import {
  AlphaAction,
  initializeImageMagick,
  MagickColor,
  MagickFormat,
  MagickImage,
  MagickImageInfo,
  MagickReadSettings,
} from '@imagemagick/magick-wasm';
import type { HeicWork } from './heic.ts';
import { padSlices } from './heif.ts';
import type { Size } from './heif-work.ts';
import type { Raster } from './raster.ts';

const nothing = Buffer.alloc(0);

/**
 * What a slice is made of whose data is missing, where the decoder alone would make up all that is left of the picture, and say nothing. To the
 * arithmetic decoder ones are the end of the slice at the next block, so that the rest is left blank; zeros are a few blocks more.
 */
const ones = Buffer.alloc(1_024, 0xff);
const zeros = Buffer.concat([Buffer.alloc(48, Buffer.of(0, 0, 3)), ones]);

const { wasm, bytes }: HeicWork = workerData;
await initializeImageMagick(wasm);
/** ImageMagick must not guess: of its many formats only this one is let near a stranger's bytes. */
const heicOnly = new MagickReadSettings({ format: MagickFormat.Heic });

const { width, height } = MagickImageInfo.create(padSlices(bytes, nothing), heicOnly);
parentPort?.once('message', () => {
  const raster = decode();
  parentPort?.postMessage(raster, [raster.pixels.buffer as ArrayBuffer]);
});
parentPort?.postMessage({ width, height } satisfies Size);

function decode(): Raster {
  const raster = decodePadded(ones);
  // A picture may well be blank somewhere; whether it depends on bytes that are not its own tells.
  if (hasBlank(raster)) {
    const { pixels } = decodePadded(zeros);
    if (Buffer.compare(pixels, raster.pixels) !== 0) throw new Error('A slice of the HEIC is cut short.');
  }
  return raster;
}

function decodePadded(padding: Uint8Array): Raster {
  const image = MagickImage.create(padSlices(bytes, padding), heicOnly);
  try {
    const { width, height } = image;
    if (image.hasAlpha) {
      image.backgroundColor = new MagickColor('#ffffff');
      image.alpha(AlphaAction.Remove);
    }
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
