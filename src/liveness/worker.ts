/** One worker process: its own copy of the models, one photograph at a time. */

import { flushCompileCache } from 'node:module';
import { arrivalsOf } from './arrivals.ts';
import { AssessmentError } from './errors.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import type { WorkerAnswer, WorkerOrder } from './pool.ts';
import { decodePhotographsOnly } from './raster.ts';
import type { ImageFormat } from './types.ts';

decodePhotographsOnly();

const receive = arrivalsOf(process.stdin);
let pipeline: Pipeline | undefined;
/** What is done or waits to be, by its id. */
const jobs = new Map<number, { aborted: boolean }>();
let last: Promise<void> = Promise.resolve();

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
      const bytes = receive(order.size);
      last = last.then(async () => assess(await bytes, order.admitted, () => job.aborted));
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
