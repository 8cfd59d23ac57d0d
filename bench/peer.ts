/** The npm peer, installed by the benchmark alone and outside the repository. */

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const pinned = {
  '@vladmandic/human': '3.3.6',
  '@tensorflow/tfjs-core': '4.22.0',
  '@tensorflow/tfjs-converter': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
};

/** How the tables call it. */
export const peerName = `@vladmandic/human ${pinned['@vladmandic/human']} (wasm)`;

/**
 * @returns the folder it is installed in.
 * @throws Error when npm cannot get it.
 */
export async function installPeer(): Promise<string> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'bonafide-bench', 'human');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: pinned }));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await promisify(execFile)('npm', ['install', ...flags], {
    cwd: folder,
    shell: process.platform === 'win32',
  });
  return folder;
}
