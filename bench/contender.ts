/** Somebody to be measured: a process of its own, so that its threads, its heap and its clock are nobody else's. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decoderProcess } from '../src/liveness/decoder-process.ts';
import type { Region } from '../src/models/tensor.ts';
import { limits } from './contenders/engine.ts';
import { coreList } from './server/processes.ts';

export interface PictureOrder {
  readonly path: string;
  /** For each model of the plan the part of the picture that it is shown, inside the picture, in whole pixels. */
  readonly regions: readonly Omit<Region, 'beyond'>[];
}

/** All pictures, so many times over. */
export interface Order {
  readonly pictures: readonly PictureOrder[];
  readonly times: number;
}

export interface Done {
  readonly cpuMs: number;
  readonly images: number;
  /** What the contender said of each image, in their order. */
  readonly answers: readonly unknown[];
}

export interface Contender {
  /** @throws Error when the process ends instead. */
  measure(order: Order): Promise<Done>;
  close(): Promise<void>;
}

/** The product's own, and the floor that it is held against. */
const runsAsWorkers: readonly string[] = ['pipeline.ts', 'sessions.ts'];

/**
 * Starts a program that speaks as `contenders/orders.ts` does; what it prints to stderr is shown.
 * @param file a `.ts` or `.py` file in `contenders/`.
 * @throws Error when it cannot do its work here.
 */
export async function startContender(file: string, ...args: string[]): Promise<Contender> {
  const other = {
    env: {},
    execPath: file.endsWith('.py') ? '/usr/bin/python3' : process.execPath,
    execArgv: [],
  };
  const { env, execPath, execArgv } = runsAsWorkers.includes(file) ? decoderProcess(limits) : other;
  // One core, as a server with one worker has: who has more threads gains nothing by them, and moves no data between cores.
  const child = spawn(
    'taskset',
    [
      ...['-c', coreList(1), execPath, ...execArgv],
      ...[join(import.meta.dirname, 'contenders', file), ...args],
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    },
  );
  const exited = once(child, 'exit');
  exited.catch(() => {});
  // One that ended no longer reads; that its answer does not come tells it.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const listen = async (): Promise<object> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${file} ended before its answer.`);
    return JSON.parse(value) as object;
  };
  await listen();
  return {
    async measure(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return (await listen()) as Done;
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}
