/**
 * Runs the tests, or those named, and then looks for secrets in all that the servers of them wrote, at the finest level of the log, and for
 * what they left in the folder for temporary files.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretsIn } from '../test/helpers/kept-logs.ts';

const folder = await mkdtemp(join(tmpdir(), 'bonafide-logs-'));
// A short name, for there are sockets in it, whose paths have a bound.
const temporary = await mkdtemp(join(tmpdir(), 'tests-'));
// Some servers run as another user, who has to get to their folders.
await chmod(temporary, 0o755);
try {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : ['test/**/*.test.ts'];
  const tests = spawn(process.execPath, ['--test', ...files], {
    stdio: 'inherit',
    env: { ...process.env, KEEP_LOGS: folder, TMPDIR: temporary },
  });
  // What tests that are broken off cannot remove is removed below.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [code] = await once(tests, 'exit');
  let lines = 0;
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    lines += text.split('\n').length - 1;
    found.push(...(await secretsIn(text)));
  }
  process.stdout.write(`${lines} lines of servers' logs hold ${found.length} secrets\n`);
  for (const one of found.slice(0, 20)) process.stdout.write(`${one}\n`);
  const left = await readdir(temporary);
  process.stdout.write(`${left.length} temporary files are left\n`);
  for (const one of left) process.stdout.write(`${one}\n`);
  // Nothing is found in nothing.
  const isSearched = lines > 0 || named.length > 0;
  process.exitCode = code === 0 && isSearched && found.length === 0 && left.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
  // Those that are broken off may be writing still.
  await rm(temporary, { recursive: true, maxRetries: 5 });
}
