/** The server as its user runs it, with its own data folder and keys, and with a probe in its event loop. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launcher } from '../../test/helpers/serve.ts';
import type { BenchProfile } from '../context.ts';
import type { LoopDelay } from './probe.ts';
import { coreList, cpuMsOf, treeOf } from './processes.ts';

export interface Keys {
  readonly appKey: string;
  readonly secretKey: string;
  readonly apiKey: string;
}

export interface BenchServer {
  readonly origin: string;
  readonly keys: Keys;
  /** The server and its workers. */
  processes(): number[];
  /** Starts to watch the event loop. */
  watchLoop(): void;
  /** How late it was since. */
  loopDelay(): Promise<LoopDelay>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly profile: BenchProfile;
  readonly workers: number;
  /** How many cores it may use; all without it. */
  readonly cores?: number;
  readonly flags?: readonly string[];
}

/** A data folder with the weights in it. */
export async function makeDataFolder({ folder }: BenchProfile): Promise<string> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-bench-server-'));
  await symlink(folder, join(dataFolder, 'models'));
  return dataFolder;
}

/** Runs the command and resolves when it has printed that it is ready. */
async function launch(
  dataFolder: string,
  { profile, workers, cores, flags = [] }: ServerOptions,
): Promise<{ child: ChildProcess; banner: string }> {
  const settings = ['--data', dataFolder, '--profile', profile.id, '--port', '0', '--workers', `${workers}`];
  const node = [
    ...['--import', join(import.meta.dirname, 'probe.ts')],
    ...[launcher, 'serve', ...settings, ...flags],
  ];
  const pinned = cores === undefined ? [] : ['taskset', '-c', coreList(cores)];
  const [program, ...args] = [...pinned, process.execPath, ...node] as [string, ...string[]];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    lines.push(line);
    if (line.startsWith('OpenAPI document:')) break;
  }
  child.stdout?.resume();
  return { child, banner: lines.join('\n') };
}

function originIn(banner: string): string {
  const origin = /(http:\/\/127\.0\.0\.1:\d+)/.exec(banner)?.[1];
  if (origin === undefined) throw new Error(`The server did not start: ${banner}`);
  return origin;
}

/** What a start took, from the command to an answer of `/readyz`. */
export interface Start {
  readonly ms: number;
  /** Of the server and its workers. */
  readonly cpuMs: number;
}

/** Starts a server again and again on one data folder, which a start before them has made. */
export async function timeStarts(options: ServerOptions, count: number): Promise<Start[]> {
  const dataFolder = await makeDataFolder(options.profile);
  const starts: Start[] = [];
  for (let i = -1; i < count; i++) {
    const begin = performance.now();
    const { child, banner } = await launch(dataFolder, options);
    const { status } = await fetch(`${originIn(banner)}/readyz`);
    if (status !== 200) throw new Error(`/readyz answered ${status}.`);
    const ms = performance.now() - begin;
    if (i >= 0) starts.push({ ms, cpuMs: cpuMsOf(treeOf(child.pid as number)) });
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  await rm(dataFolder, { recursive: true });
  return starts;
}

/** Starts a server on a data folder of its own and resolves when it takes requests. */
export async function startServer(options: ServerOptions): Promise<BenchServer> {
  const dataFolder = await makeDataFolder(options.profile);
  const { child, banner } = await launch(dataFolder, options);
  const exited = once(child, 'exit');
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(banner)?.[1];
    if (found === undefined) throw new Error(`The server did not start: ${banner}`);
    return found;
  };
  const shown = (name: string) => find(new RegExp(`^  ${name} +(\\S+)$`, 'm'));
  return {
    origin: originIn(banner),
    keys: { appKey: shown('appKey'), secretKey: shown('secretKey'), apiKey: shown('x-api-key') },
    processes: () => treeOf(child.pid as number),
    watchLoop: () => child.send('watch'),
    async loopDelay() {
      const told = once(child, 'message');
      child.send('tell');
      return (await told)[0] as LoopDelay;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(dataFolder, { recursive: true });
    },
  };
}
