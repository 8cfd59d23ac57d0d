/** One worker thread: its own copy of the models, one photograph at a time. */

import { parentPort, workerData } from 'node:worker_threads';
import { AssessmentError } from './errors.ts';
import { openPipeline } from './pipeline.ts';
import type { WorkerAnswer, WorkerJob, WorkerSetup } from './pool.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread only.');

const { folder, profile, limits } = workerData as WorkerSetup;
const pipeline = await openPipeline(folder, profile, limits);
const answer = (message: WorkerAnswer) => port.postMessage(message);

port.on('message', async ({ bytes, admitted, abortFlag }: WorkerJob) => {
  try {
    const isAborted = () => Atomics.load(abortFlag, 0) === 1;
    answer({ kind: 'assessed', assessment: await pipeline.assess(bytes, admitted, isAborted) });
  } catch (error) {
    const { code, message, cause } =
      error instanceof AssessmentError
        ? error
        : new AssessmentError('engine_failure', 'The engine failed.', { cause: error });
    answer({ kind: 'failed', code, message, detail: cause instanceof Error ? cause.stack : undefined });
  }
});
answer({ kind: 'ready' });
