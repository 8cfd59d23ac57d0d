/** What a soaked server holds and how it does, at one moment. */

import { childrenOf, heldBy } from '../helpers/processes.ts';
import type { Target } from './traffic.ts';

/** One row of the measurements. */
export interface Sample {
  /** Since the beginning. */
  readonly seconds: number;
  /** Worker processes that are up. */
  readonly workers: number;
  /** Resident bytes: of the server's process, and of its workers together. */
  readonly rss: number;
  readonly workerRss: number;
  /** Of the worker that nobody kills; 0 when it is gone all the same. */
  readonly sparedRss: number;
  /** Bytes that objects of the server's process take, dead ones included. */
  readonly heap: number;
  /** Open files, sockets and pipes of all of the processes. */
  readonly fds: number;
  readonly threads: number;
  /** Sockets, timers and the like that keep the server's event loop going. */
  readonly handles: number;
  /** 99th percentile of the event loop's delay since the sample before, in milliseconds. */
  readonly loopMs: number;
  /** Since the sample before: what was answered, what was refused with 503, and what should not have been. */
  readonly done: number;
  readonly refused: number;
  readonly unexpected: number;
}

export const columns = [
  'seconds',
  'workers',
  'rss',
  'workerRss',
  'sparedRss',
  'heap',
  'fds',
  'threads',
  'handles',
  'loopMs',
  'done',
  'refused',
  'unexpected',
] as const satisfies readonly (keyof Sample)[];

/** Looks at the server's processes and its metrics. */
export async function look({
  pid,
  spared,
  origin,
}: Target): Promise<Omit<Sample, 'seconds' | 'done' | 'refused' | 'unexpected'>> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const own = await heldBy(pid);
  if (own === undefined) throw new Error('The server has ended.');
  const workers = (await Promise.all((await childrenOf(pid)).map(heldBy))).filter(
    (held) => held !== undefined,
  );
  const sum = (of: 'rss' | 'fds' | 'threads') => workers.reduce((total, held) => total + held[of], 0);
  return {
    workers: workers.length,
    rss: own.rss,
    workerRss: sum('rss'),
    sparedRss: (await heldBy(spared))?.rss ?? 0,
    heap: metricOf(metrics, 'nodejs_heap_size_used_bytes'),
    fds: own.fds + sum('fds'),
    threads: own.threads + sum('threads'),
    handles: metricOf(metrics, 'nodejs_active_handles_total'),
    loopMs: 1_000 * metricOf(metrics, 'nodejs_eventloop_lag_p99_seconds'),
  };
}

function metricOf(metrics: string, name: string): number {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1];
  return value === undefined ? Number.NaN : Number(value);
}
