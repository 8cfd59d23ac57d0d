/** One worker process: its own copy of the models, one photograph at a time. */

import { read } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AssessmentError } from './errors.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import type { WorkerAnswer, WorkerOrder } from './pool.ts';
import { decodePhotographsOnly } from './raster.ts';
import type { ImageFormat } from './types.ts';

decodePhotographsOnly();

let pipeline: Pipeline | undefined;
/** What is done or waits to be, by its id. */
const jobs = new Map<number, { aborted: boolean }>();
let last: Promise<void> = Promise.resolve();
let lastReceived: Promise<void> = Promise.resolve();

const readPart = promisify(read);

/** An answer that the server is no longer there for is dropped. */
const answer = (message: WorkerAnswer) => process.send?.(message, undefined, undefined, () => {});

async function obey(order: WorkerOrder): Promise<void> {
  switch (order.kind) {
    case 'open': {
      const { folder, profile, limits } = order.setup;
      pipeline = await openPipeline(folder, profile, limits);
      answer({ kind: 'ready' });
      // A worker never ends by itself, which is when Node would write it.
      flushCompileCache();
      break;
    }
    case 'assess': {
      const job = { aborted: false };
      jobs.set(order.id, job);
      const received = receive(order.size);
      last = last.then(async () => {
        const bytes = await received;
        // What was said meanwhile is heard: that nobody waits for it any more.
        await nextTurn();
        await assess(bytes, order.admitted, () => job.aborted);
      });
      await last;
      jobs.delete(order.id);
      break;
    }
    case 'abort': {
      const job = jobs.get(order.id);
      if (job !== undefined) job.aborted = true;
      break;
    }
  }
}

/**
 * The next photograph on the standard input, which comes while the one before is still under way: the pipe holds only a part of many, and the
 * server has other things to do when the rest has room. As a stream it would be copied once more.
 */
function receive(size: number): Promise<Uint8Array> {
  const received = lastReceived.then(async () => {
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let filled = 0; filled < size; ) {
      const { bytesRead } = await readPart(0, bytes, filled, size - filled, null);
      // The server has ended.
      if (bytesRead === 0) process.exit();
      filled += bytesRead;
    }
    return bytes;
  });
  // The next one keeps this one no longer than it is needed, and a failure is told at its turn.
  const done = () => {};
  lastReceived = received.then(done, done);
  return received;
}

async function assess(
  bytes: Uint8Array,
  admitted: readonly ImageFormat[],
  isAborted: () => boolean,
): Promise<void> {
  try {
    if (pipeline === undefined) throw new Error('A photograph came before the models.');
    answer({ kind: 'assessed', assessment: await pipeline.assess(bytes, admitted, isAborted) });
  } catch (error) {
    const { code, message, cause } =
      error instanceof AssessmentError
        ? error
        : new AssessmentError('engine_failure', 'The engine failed.', { cause: error });
    answer({ kind: 'failed', code, message, detail: cause instanceof Error ? cause.stack : undefined });
  }
}

process.on('message', (order: WorkerOrder) => {
  obey(order).catch((error: Error) => answer({ kind: 'unable', message: error.message }));
});

// The server decides when its workers end; a terminal's Ctrl-C reaches all of them, and must not lose what is in flight.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
// However the server ended, nobody waits for answers any more.
process.once('disconnect', () => process.exit());
