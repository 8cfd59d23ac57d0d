#!/usr/bin/env node
/** Starts the command line on a Node that can run it: this one if it is new enough, else the checkout's own. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

// A checkout has the sources; the published package has only what was built from them.
const source = new URL('../src/cli/main.ts', import.meta.url);
const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import(main.href);
} else {
  const child = spawn(
    fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url)),
    [fileURLToPath(main), ...process.argv.slice(2)],
    {
      // The channel's end tells the child that this process was killed and nobody forwards signals any more.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      // Out of the terminal's process group: Ctrl-C would reach the child twice, directly and forwarded.
      detached: true,
    },
  );
  // No debugger here either (see src/cli/main.ts).
  process.on('SIGUSR1', () => {});
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  child.on('error', () => {
    console.error(
      `bonafide needs Node 22.18 or newer, and this is ${process.versions.node}. In a checkout, run: npm install`,
    );
    process.exit(2);
  });
}
