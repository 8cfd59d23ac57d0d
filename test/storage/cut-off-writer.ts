/** Writes to a journal where the kernel takes 8 KiB of each file and no more, and tells what became of the lines. */

import { readdirSync } from 'node:fs';
import { openJournal } from '../../src/storage/journal.ts';

const folder = process.argv[2] as string;
const journal = openJournal({ folder, maxBytes: 1_000_000_000 });
const outcome = (line: string) =>
  journal.append(line).then(
    () => 'kept',
    () => 'refused',
  );
const before = await outcome('before');
// The first is written by itself, and the others at once, of which only one fits.
const outcomes = await Promise.all(['a', 'b', 'c'].map((letter) => outcome(letter.repeat(3_000))));
// None of these fits.
for (let i = 0; i < 20; i += 1) outcomes.push(await outcome('d'.repeat(9_000)));
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const files = names.filter((name) => name.endsWith('.ndjson')).length;
process.stdout.write(JSON.stringify({ before, outcomes, files }));
await journal.close();
