/** Writes lines to a journal, tells how many, and lives on until it is killed. */

import { openJournal } from '../../src/storage/journal.ts';

const journal = openJournal({ folder: process.argv[2] as string, maxBytes: 1_000_000_000 });
const lines = Array.from({ length: 50 }, (_, i) => String(i));
await Promise.all(lines.map((line) => journal.append(line)));
process.send?.(lines.length);
setInterval(() => {}, 1_000);
