/**
 * Preloaded into a process whose clock a test sets: `Date` is off by the milliseconds in the file that CLOCK_FILE names, read again
 * on SIGUSR2, which the file beside it with `.seen` tells. What goes evenly, timers and `performance`, stays as it is.
 */

import { readFileSync, writeFileSync } from 'node:fs';

const path = process.env.CLOCK_FILE as string;
let offset = 0;
const read = () => {
  offset = Number(readFileSync(path, 'utf8'));
  writeFileSync(`${path}.seen`, `${offset}`);
};
read();
process.on('SIGUSR2', read);

const real = Date;
globalThis.Date = class extends real {
  constructor(...given: []) {
    if (given.length === 0) super(real.now() + offset);
    else super(...given);
  }

  static override now(): number {
    return real.now() + offset;
  }
} as DateConstructor;
