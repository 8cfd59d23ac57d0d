/** Who asks: a process of its own, so that its work is neither in the server's time nor on its event loop. */

import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { coreList } from './processes.ts';
import { type Form, isRefusal, type Request, requestMaker } from './requests.ts';
import type { Keys } from './server.ts';

interface Target {
  readonly origin: string;
  readonly keys: Keys;
  /** Taken in turns. */
  readonly forms: readonly Form[];
  /** Paths of JPEG files, taken in turns. */
  readonly pictures: readonly string[];
}

/** So many requests under way at all times, for a number of requests or a time. */
export interface ClosedLoop extends Target {
  readonly kind: 'closed';
  readonly atOnce: number;
  readonly requests?: number;
  readonly ms?: number;
}

/** So many requests per second, whatever becomes of those before. */
export interface OpenLoop extends Target {
  readonly kind: 'open';
  readonly perSecond: number;
  readonly ms: number;
}

/** One GET after another, with a pause between. */
export interface Watch {
  readonly kind: 'watch';
  readonly address: string;
  readonly everyMs: number;
  readonly ms: number;
}

export interface Outcome {
  readonly form: Form;
  /** From when it was due to the end of its answer. */
  readonly ms: number;
  readonly as: 'answered' | 'refused' | 'failed';
  /** What it was instead, of one that failed. */
  readonly why?: string;
}

/** What a loop or a watch found. */
export interface Asked {
  readonly outcomes: readonly Outcome[];
  /** From the first request to the last answer. */
  readonly ms: number;
}

type Order = ClosedLoop | OpenLoop | Watch;

export interface Client {
  readonly pid: number;
  ask(order: Order): Promise<Asked>;
  close(): Promise<void>;
}

/**
 * @param niceness 0 for the same share of the cores as others get; more for less.
 * @param cores how many it may use, the same as a server with so many; all without it.
 */
export async function startClient({
  niceness = 0,
  cores,
}: {
  readonly niceness?: number;
  readonly cores?: number;
} = {}): Promise<Client> {
  const child: ChildProcess = fork(import.meta.filename, ['client']);
  const exited = once(child, 'exit');
  await once(child, 'message');
  if (niceness > 0) setPriority(child.pid as number, niceness);
  if (cores !== undefined) execFileSync('taskset', ['-acp', coreList(cores), `${child.pid}`]);
  return {
    pid: child.pid as number,
    async ask(order) {
      child.send(order);
      return (await once(child, 'message'))[0] as Asked;
    },
    async close() {
      child.disconnect();
      await exited;
    },
  };
}

/** Requests of every form and picture, in turns. */
async function requestsOf({
  forms,
  keys,
  pictures,
}: Target): Promise<() => { form: Form; request: Request }> {
  const makers: { form: Form; make: () => Request }[] = [];
  for (const path of pictures) {
    const bytes = await readFile(path);
    for (const form of forms) makers.push({ form, make: requestMaker(form, keys, bytes) });
  }
  let next = 0;
  return () => {
    const { form, make } = makers[next++ % makers.length] as (typeof makers)[number];
    return { form, request: make() };
  };
}

async function ask(
  origin: string,
  dispatcher: Agent,
  { form, request: { path, headers, body } }: { form: Form; request: Request },
  due: number,
): Promise<Outcome> {
  try {
    const answer = await request(origin + path, { method: 'POST', headers, body, dispatcher });
    const text = await answer.body.text();
    const ms = performance.now() - due;
    if (answer.statusCode === 200) return { form, ms, as: 'answered' };
    if (isRefusal(form, answer.statusCode, answer.headers['retry-after'], text)) {
      return { form, ms, as: 'refused' };
    }
    return { form, ms, as: 'failed', why: `${answer.statusCode} ${text}` };
  } catch (error) {
    return { form, ms: performance.now() - due, as: 'failed', why: String(error) };
  }
}

async function closedLoop(order: ClosedLoop, dispatcher: Agent): Promise<Outcome[]> {
  const next = await requestsOf(order);
  const outcomes: Outcome[] = [];
  const end = performance.now() + (order.ms ?? Number.POSITIVE_INFINITY);
  let begun = 0;
  const oneAfterAnother = async () => {
    while (begun < (order.requests ?? Number.POSITIVE_INFINITY) && performance.now() < end) {
      begun++;
      outcomes.push(await ask(order.origin, dispatcher, next(), performance.now()));
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, oneAfterAnother));
  return outcomes;
}

async function openLoop(order: OpenLoop, dispatcher: Agent): Promise<Outcome[]> {
  const next = await requestsOf(order);
  const under: Promise<Outcome>[] = [];
  const start = performance.now();
  const gap = 1000 / order.perSecond;
  for (let i = 0; i * gap < order.ms; i++) {
    const due = start + i * gap;
    const early = due - performance.now();
    // Those that are due together leave together; a timer is not finer than this.
    if (early > 1) await sleep(early);
    under.push(ask(order.origin, dispatcher, next(), due));
  }
  return await Promise.all(under);
}

async function watch({ address, everyMs, ms }: Watch, dispatcher: Agent): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const start = performance.now();
    const answer = await request(address, { dispatcher });
    await answer.body.dump();
    const as = answer.statusCode === 200 ? 'answered' : 'failed';
    outcomes.push({ form: 'native, the image as body', ms: performance.now() - start, as });
    await sleep(everyMs);
  }
  return outcomes;
}

async function obey(order: Order): Promise<Asked> {
  const dispatcher = new Agent({ connections: null, pipelining: 1 });
  const start = performance.now();
  const outcomes =
    order.kind === 'closed'
      ? await closedLoop(order, dispatcher)
      : order.kind === 'open'
        ? await openLoop(order, dispatcher)
        : await watch(order, dispatcher);
  const ms = performance.now() - start;
  await dispatcher.destroy();
  return { outcomes, ms };
}

if (process.argv[2] === 'client') {
  process.on('message', async (order: Order) => process.send?.(await obey(order)));
  process.send?.('ready');
}
