/** Looks for keys and pictures in what a fuzzed server writes. */

import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { secretsIn } from '../kept-logs.ts';

/** A key that nobody has, for the places where keys do not belong: in whatever is written it is found as one. */
export const misplacedKey = `bfa_${'5ec2e7'.repeat(8)}`;

/** Searched at once. */
const batch = 1_000_000;
/** The end of what was searched, which is searched again with what follows: longer than any secret. */
const overlap = 1_000;

/** As they are in files, and in no text. */
const pictures = /\x89PNG|\xff\xd8\xff[\xdb\xe0-\xef]|GIF8[79]a|RIFF....WEBP|ftyp(?:heic|avif|mif1)/s;

/** Searches a log as it comes: that of a long run is more than is kept in memory. */
export class LogSearch {
  #waiting = '';
  #found: Promise<readonly string[]> = Promise.resolve([]);

  /** @param text whole lines or parts of them. */
  take(text: string): void {
    this.#waiting += text;
    if (this.#waiting.length > batch) this.#search(this.#waiting.lastIndexOf('\n') + 1);
  }

  /** @returns the first line that holds a secret, and what it is, of each million characters. */
  async end(): Promise<readonly string[]> {
    this.#search(this.#waiting.length);
    return await this.#found;
  }

  #search(length: number): void {
    const text = this.#waiting.slice(0, length);
    this.#waiting = this.#waiting.slice(length);
    this.#found = this.#found.then(async (found) => [...found, ...(await secretsIn(text)).slice(0, 1)]);
  }
}

/** @returns the files below a folder that hold a secret, and what it is. */
export async function filesWithSecrets(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) found.push(...(await secretsInFile(join(entry.parentPath, entry.name))));
  }
  return found;
}

async function secretsInFile(path: string): Promise<string[]> {
  let before = '';
  for await (const piece of createReadStream(path, { encoding: 'latin1', highWaterMark: batch })) {
    const text = before + piece;
    if (pictures.test(text)) return [`${path}: a picture`];
    const [first] = await secretsIn(text);
    if (first !== undefined) return [`${path}: ${first}`];
    before = text.slice(-overlap);
  }
  return [];
}
