/** The photographs that everybody is measured on: real ones, brought to three sizes. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../src/liveness/types.ts';
import { sharedFolder } from '../test/helpers/shared.ts';
import { samplePhotos } from '../test/helpers/weights.ts';
import { openEngine } from './contenders/engine.ts';
import type { BenchProfile } from './context.ts';

export const sizes = {
  '640x480': { width: 640, height: 480 },
  '1280x960': { width: 1280, height: 960 },
  '12 MP': { width: 4000, height: 3000 },
} as const;
export type SizeName = keyof typeof sizes;

export interface Picture {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** The face by the id of each profile, as its detector sees it. */
  readonly faces: Readonly<Record<string, Box>>;
}

export interface Pictures {
  /** Where they are from, how they were chosen, and how large the files are, in a sentence without its full stop. */
  readonly origin: string;
  readonly bySize: Readonly<Record<SizeName, readonly Picture[]>>;
}

const wanted = 4;

/**
 * Chooses photographs and stores each in every size as JPEG of quality 90. Chosen are the largest in which every profile finds exactly
 * one face in each size.
 * @param folder empty, to store them in.
 */
export async function preparePictures(folder: string, profiles: readonly BenchProfile[]): Promise<Pictures> {
  const engines = await Promise.all(
    profiles.map(async ({ id, folder: weights }) => ({ id, assess: await openEngine(weights, id) })),
  );
  const { origin, paths } = await candidates();
  const chosen: Record<SizeName, Picture>[] = [];
  for (const path of paths) {
    const made: Partial<Record<SizeName, Picture>> = {};
    for (const [name, size] of Object.entries(sizes) as [SizeName, (typeof sizes)[SizeName]][]) {
      const bytes = await sharp(path)
        .autoOrient()
        .resize(size.width, size.height, { fit: 'cover' })
        .flatten()
        .jpeg({ quality: 90 })
        .toBuffer();
      const faces: Record<string, Box> = {};
      for (const { id, assess } of engines) {
        const found = await assess(bytes);
        if (found.faces.length === 1 && found.tooSmall === 0)
          faces[id] = (found.faces[0] as { box: Box }).box;
      }
      if (Object.keys(faces).length < engines.length) break;
      await mkdir(join(folder, name), { recursive: true });
      const stored = join(folder, name, `${chosen.length}.jpg`);
      await writeFile(stored, bytes);
      made[name] = { path: stored, ...size, bytes: bytes.length, faces };
    }
    if (Object.keys(made).length === Object.keys(sizes).length)
      chosen.push(made as Record<SizeName, Picture>);
    if (chosen.length === wanted) break;
  }
  if (chosen.length === 0) throw new Error('In no picture does every profile find exactly one face.');
  const bySize = Object.fromEntries(
    (Object.keys(sizes) as SizeName[]).map((name) => [name, chosen.map((made) => made[name])]),
  ) as unknown as Pictures['bySize'];
  const kB = Object.entries(bySize).map(([name, pictures]) => {
    const all = pictures.map(({ bytes }) => Math.round(bytes / 1000));
    return `${name} of ${Math.min(...all)} to ${Math.max(...all)} kB`;
  });
  return { origin: `${chosen.length} ${origin}, as JPEG of quality 90: ${kB.join(', ')}`, bySize };
}

/** Photographs of people, largest first and one of each person or video; the two samples where the development set is not. */
async function candidates(): Promise<{ origin: string; paths: string[] }> {
  const pad = sharedFolder('pad');
  if (pad === undefined) {
    const { body, face } = await samplePhotos();
    return { origin: 'sample photographs of `bonafide samples pull`', paths: [body, face] };
  }
  const lines = (await readFile(join(pad, 'manifest.csv'), 'utf8')).trim().split('\n').slice(1);
  const groups = new Set<string>();
  const found: { path: string; pixels: number }[] = [];
  for (const line of lines) {
    // Only the columns after these five can hold a comma.
    const [file, label, , , group] = line.split(',') as [string, string, string, string, string];
    if (label !== 'bona-fide' || groups.has(group)) continue;
    groups.add(group);
    const path = join(pad, file);
    const { width, height } = await sharp(path).metadata();
    found.push({ path, pixels: width * height });
  }
  found.sort((a, b) => b.pixels - a.pixels || (a.path < b.path ? -1 : 1));
  return {
    origin: 'bona fide photographs of the development set, the largest with one face, of one person each',
    paths: found.map(({ path }) => path),
  };
}
