/** All hostile files, made anew each time: none is in the repository. */

import type { HostileFile } from './file.ts';
import { foreigners } from './foreign.ts';
import { gifs } from './gif.ts';
import { avifs, heics } from './heif.ts';
import { jpegs } from './jpeg.ts';
import { pngs } from './png.ts';
import { profiled } from './profile.ts';
import { tiffs } from './tiff.ts';
import { webps } from './webp.ts';

export async function hostileFiles(): Promise<HostileFile[]> {
  const kinds = await Promise.all([
    jpegs(),
    pngs(),
    webps(),
    avifs(),
    tiffs(),
    gifs(),
    heics(),
    profiled(),
    foreigners(),
  ]);
  return kinds.flat();
}
