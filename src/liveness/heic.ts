/** iPhone HEIC, which sharp's prebuilt libvips cannot read: each picture by a thread that ends with it, so that what its decoder took is given back. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Size } from './heif-work.ts';
import type { Raster } from './raster.ts';

/** What the thread is started with. */
export interface HeicWork {
  /** ImageMagick, compiled. */
  readonly wasm: WebAssembly.Module;
  readonly bytes: Uint8Array;
}

/** `.ts` in a checkout, `.js` in the published package. */
const threadFile = new URL(
  import.meta.url.endsWith('.ts') ? './heic-thread.ts' : './heic-thread.js',
  import.meta.url,
);

/** Reads HEIC pictures; the decoder's own 15 MB are loaded with the first one. */
export class HeicDecoder {
  #wasm: Promise<WebAssembly.Module> | undefined;

  /**
   * Decodes the primary image, upright: libheif applies the file's own rotation, which stands in for EXIF's.
   * @param check is given width and height in pixels as the header states them, and throws where they are not to be decoded.
   * @throws what `check` does; and when the picture is damaged, cut short, or no HEIC as cameras write them.
   */
  async decode(bytes: Uint8Array, check: (size: Size) => void): Promise<Raster> {
    this.#wasm ??= compileMagick();
    const workerData: HeicWork = { wasm: await this.#wasm, bytes };
    const thread = new Worker(threadFile, { workerData });
    const ended = new AbortController();
    thread.once('exit', () => ended.abort());
    const answer = () => once(thread, 'message', { signal: ended.signal });
    try {
      const [size] = await answer();
      check(size);
      thread.postMessage('decode');
      const [raster] = await answer();
      return raster;
    } finally {
      await thread.terminate();
    }
  }
}

async function compileMagick(): Promise<WebAssembly.Module> {
  const wasm = fileURLToPath(import.meta.resolve('@imagemagick/magick-wasm/magick.wasm'));
  return await WebAssembly.compile(await readFile(wasm));
}
