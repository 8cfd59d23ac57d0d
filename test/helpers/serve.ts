/** The server as its user runs it: `bonafide serve` in a process of its own. */

import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepWritten } from './kept-logs.ts';
import { standardWeights } from './weights.ts';

export const launcher = join(import.meta.dirname, '..', '..', 'bin', 'bonafide.js');

export interface Serving {
  readonly child: ChildProcess;
  readonly origin: string;
  /** What was printed up to the line that names the OpenAPI document. */
  readonly banner: string;
  /** The end by SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** The end by SIGKILL. */
  kill(): Promise<void>;
}

/** Puts the weights of `standard` into a data folder. */
export async function linkWeights(dataFolder: string): Promise<void> {
  await symlink(await standardWeights(), join(dataFolder, 'models'));
}

/** Starts `bonafide serve` with one worker and the profile `standard` on a free port; flags given win. */
export async function serve(dataFolder: string, ...flags: string[]): Promise<Serving> {
  const serving = await serveAs({}, dataFolder, ...flags);
  serving.child.stderr?.pipe(process.stderr);
  return serving;
}

/** As `serve`, as another user or in another environment, and with all that it writes kept. */
export async function serveAs(
  options: SpawnOptions,
  dataFolder: string,
  ...flags: string[]
): Promise<Serving & { readonly written: string[] }> {
  const settings = ['--data', dataFolder, '--profile', 'standard', '--port', '0', '--workers', '1'];
  const child = spawn(process.execPath, [launcher, 'serve', ...settings, ...flags], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  const keep = (text: string) => {
    written.push(text);
    keepWritten(text);
  };
  child.stderr?.on('data', (bytes) => keep(String(bytes)));
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ready = Promise.withResolvers<void>();
  let isReady = false;
  output.on('line', (line) => {
    // The first start shows keys, this once and to people.
    if (isReady) keep(`${line}\n`);
    else lines.push(line);
    if (!line.startsWith('OpenAPI document:')) return;
    isReady = true;
    ready.resolve();
  });
  output.once('close', () => ready.resolve());
  await ready.promise;
  const banner = lines.join('\n');
  const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(banner) ?? assert.fail(banner + written.join(''));
  const end = async (signal: NodeJS.Signals) => {
    // It may have ended before.
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = await once(child, 'exit');
    return code as number | null;
  };
  return {
    child,
    origin,
    banner,
    written,
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
  };
}

/** Resolves when a line of `/metrics` is exactly this one; rejects when that takes long. */
export async function metric(origin: string, line: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  for (;;) {
    // Each on a connection of its own, so that one of those counted is always this.
    const response = await fetch(`${origin}/metrics`, { headers: { connection: 'close' }, signal });
    const text = await response.text();
    if (text.includes(`${line}\n`)) return;
    await sleep(50);
  }
}
