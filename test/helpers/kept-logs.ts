/** What servers write while tests run, kept where a run of all of them asks for it, and what must not be in it. */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { planted } from './keys.ts';
import { readPhotos } from './pictures.ts';

/** The folder, where a run keeps it. Each process of tests has a file of its own in it. */
const folder = process.env.KEEP_LOGS;

export const areKept = folder !== undefined;

/** Keeps this, whole lines or parts of them, where it is kept at all. */
export function keepWritten(text: string): void {
  if (folder !== undefined) appendFileSync(join(folder, `${process.pid}.log`), text);
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** In base64, JPEG, PNG and GIF begin with one of these, whatever they show. */
const heads = ['/9j/4AAQ', '/9j/2wBD', '/9j/4QBi', 'iVBORw0KGgo', 'R0lGODlh'];

const escaped = (text: string) => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** The secrets of tests, by what they are. An id made of a planted key is none. */
async function secrets(): Promise<Map<string, RegExp>> {
  const photos = [...Object.values(await readPhotos()), portraitBytes];
  const pieces = photos.flatMap((photo) =>
    [0, 1_200, 3_000].map((at) => base64(photo).slice(at, at + 40)).filter((piece) => piece.length === 40),
  );
  const anyOf = (texts: readonly string[]) => new RegExp(texts.map(escaped).join('|'));
  return new Map([
    ['a key or token', /bf[sat]_[0-9a-f]{10,}/],
    [
      'a key of the tests',
      new RegExp(
        `(?<!adm_|key_)(${Object.values(planted)
          .map(({ secret }) => escaped(secret))
          .join('|')})`,
      ),
    ],
    ['a picture', anyOf([...heads, ...pieces])],
    ['the query of a URL', /\bhttps?:\/\/[^\s"]*\?[^\s"]/],
  ]);
}

/** @returns what each line that holds a secret holds, and the line. */
export async function secretsIn(text: string): Promise<string[]> {
  const known = [...(await secrets())];
  return text
    .split('\n')
    .flatMap((line) =>
      known.filter(([, pattern]) => pattern.test(line)).map(([name]) => `${name}: ${line.slice(0, 500)}`),
    );
}
