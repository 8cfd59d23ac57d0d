/** Picture files: found in folders, read within bounds, and given a place among the annotated ones. */

import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { AssessmentError } from '../liveness/errors.ts';

/** What counts as a picture in a folder; what it really is, its content tells. */
export const extensions = [
  'jpg',
  'jpeg',
  'png',
  'webp',
  'avif',
  'tif',
  'tiff',
  'gif',
  'heic',
  'heif',
] as const;
const pictureName = new RegExp(`\\.(${extensions.join('|')})$`, 'i');

/**
 * The pictures in the folders, in order of name, and the files as they are named; each once.
 * @param excluded a folder that is not searched where another holds it: what an earlier run wrote there is no input.
 */
export async function findPictures(
  paths: readonly string[],
  excluded: string | undefined,
): Promise<string[]> {
  const found = new Map<string, string>();
  const left = excluded === undefined ? undefined : await real(excluded);
  async function search(folder: string): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    // Taken for a picture, it will be reported as one that cannot be read.
    if (entries === undefined) found.set(resolve(folder), folder);
    for (const entry of entries?.sort((a, b) => (a.name < b.name ? -1 : 1)) ?? []) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if ((await real(path)) !== left) await search(path);
        // A link to a folder is not followed, because it may lead round in a circle.
      } else if ((entry.isFile() || entry.isSymbolicLink()) && pictureName.test(entry.name)) {
        found.set(resolve(path), path);
      }
    }
  }
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (isFolder) await search(path);
    else found.set(resolve(path), path);
  }
  return [...found.values()];
}

/**
 * Where the annotated picture of each file goes: below the target as the file lies below the folder that all share.
 * The extension is appended, not replaced, because `a.png` may lie beside `a.webp`.
 */
export function annotatedPaths(target: string, files: readonly string[]): (file: string) => string {
  const base = files.map((file) => dirname(resolve(file))).reduce(sharedFolder);
  return (file) => join(target, `${relative(base, resolve(file))}.jpg`);
}

function sharedFolder(one: string, other: string): string {
  return isWithin(one, other) ? one : sharedFolder(dirname(one), other);
}

function isWithin(folder: string, path: string): boolean {
  return `${path}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** The first of the files that lies in the folder, or that a link leads there. */
export async function firstWithin(folder: string, files: readonly string[]): Promise<string | undefined> {
  const realFolder = await real(folder);
  for (const file of files) if (isWithin(realFolder, await real(file))) return file;
  return undefined;
}

/** The path with its links followed; of what is not there, the path itself. */
function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/**
 * Reads a file that may be a pipe, whose size nobody knows before.
 * @throws AssessmentError `image_too_large`, or the system's error.
 */
export async function readBounded(file: string, maxBytes: number): Promise<Uint8Array> {
  // `end` is inclusive: one byte more than allowed tells that there are too many.
  const bytes = await buffer(createReadStream(file, { end: maxBytes }));
  if (bytes.length > maxBytes) {
    throw new AssessmentError('image_too_large', `The file has more than ${maxBytes} bytes.`);
  }
  return bytes;
}
