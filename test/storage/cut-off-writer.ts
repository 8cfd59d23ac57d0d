/** Writes to a journal where the kernel takes 8 KiB of each file and no more, and tells what became of the lines. */

import { openJournal } from '../../src/storage/journal.ts';

const journal = openJournal({ folder: process.argv[2] as string, maxBytes: 1_000_000_000 });
const outcome = (line: string) =>
  journal.append(line).then(
    () => 'kept',
    () => 'refused',
  );
const before = await outcome('before');
// The first is written by itself, and the others at once, of which only one fits.
const outcomes = await Promise.all(['a', 'b', 'c'].map((letter) => outcome(letter.repeat(3_000))));
process.stdout.write(JSON.stringify({ before, outcomes }));
await journal.close();
