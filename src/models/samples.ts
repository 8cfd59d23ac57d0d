/** Two pictures of a person to try the server with, from a published package; this repository carries no face. */

import { join } from 'node:path';
import {
  checkFile,
  DownloadError,
  downloadNpmMembers,
  hasSha256,
  type Progress,
  prepareFolder,
  storeFile,
} from './download.ts';

const source = {
  npm: '@vladmandic/human@3.3.6',
  integrity:
    'sha512-Nr5mPfq1gQ+uKeXY5uM3Fj8UxvF5CEh2s6txM5wRThqaW0mF9huooOuZSrT8hhGho0hGaXLFdAwfD/2+teCv6A==',
  path: 'src/sample.ts',
} as const;

/** The constants of the member that hold a picture each, as base64 in a template literal. */
const samples = [
  { name: 'face', sha256: '502ce26abcf6c6d418722b2eeb5a0ff9f0b7b104fa937ceab0a415ed19f0a5c8' },
  { name: 'body', sha256: '4f0cef255172491dab8b9271f3e17d9438efb7dfb255213377d8c6836dca933c' },
] as const;

/**
 * Makes sure that `face.jpg` and `body.jpg` are in the folder, and answers their paths. What is there and
 * whole is left alone.
 *
 * @throws {DownloadError} when the package cannot be had, or holds something else
 */
export async function pullSamples(
  folder: string,
  onProgress?: (progress: Progress) => void,
): Promise<string[]> {
  await prepareFolder(folder);
  const files = samples.map((sample) => ({ ...sample, path: join(folder, `${sample.name}.jpg`) }));
  const paths = files.map(({ path }) => path);
  const wanted: typeof files = [];
  for (const file of files) if ((await checkFile(file.path, file.sha256)) !== 'ok') wanted.push(file);
  if (wanted.length === 0) return paths;

  const members = await downloadNpmMembers(source.npm, source.integrity, new Set([source.path]), {
    onProgress,
  });
  const text = members.get(source.path)?.toString() ?? '';
  for (const { name, sha256, path } of wanted) {
    const base64 = new RegExp(`export const ${name}\\b[^\`]*\`([^\`]*)\``).exec(text)?.[1] ?? '';
    const bytes = Buffer.from(base64, 'base64');
    if (!hasSha256(bytes, sha256)) {
      throw new DownloadError('wrong_content', `The sample ${name} in ${source.npm} is not the pinned one.`);
    }
    await storeFile(path, bytes);
  }
  return paths;
}
