/** The engine's front: one worker thread per core, a bounded queue before them, a deadline and an abort for each job. */

import { Worker } from 'node:worker_threads';
import type { ResolvedProfile } from '../models/registry.ts';
import type { DecodeLimits } from './decode.ts';
import { AssessmentError, type EngineErrorCode } from './errors.ts';
import type { Assessment, ImageFormat } from './types.ts';

/** What a worker is started with. */
export interface WorkerSetup {
  /** The weights folder. */
  readonly folder: string;
  readonly profile: ResolvedProfile;
  readonly limits: DecodeLimits;
}

/** One photograph on its way to a worker. */
export interface WorkerJob {
  readonly bytes: Uint8Array;
  readonly admitted: readonly ImageFormat[];
  /** Shared: 1 once nobody waits for the answer any more. */
  readonly abortFlag: Int32Array;
}

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'assessed'; readonly assessment: Assessment }
  | {
      readonly kind: 'failed';
      readonly code: EngineErrorCode;
      readonly message: string;
      /** For the log only. */
      readonly detail: string | undefined;
    };

export interface EngineOptions extends WorkerSetup {
  /** Worker threads. */
  readonly workers: number;
  /** Photographs that may wait for a worker. Unbounded, a burst would be answered after everybody has hung up. */
  readonly queue: number;
  /** Milliseconds from `assess` to its answer, waiting included. */
  readonly deadlineMs: number;
  /** Told of a worker that died, with the reason, after its replacement is on its way. */
  readonly onWorkerDeath?: (reason: Error) => void;
  /** Told of every assessment. */
  readonly onAssessed?: (assessment: Assessment) => void;
}

export interface AssessOptions {
  /** The formats this caller takes. */
  readonly admitted: readonly ImageFormat[];
  /** Fires when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface Engine {
  /**
   * Assesses one photograph.
   * @throws AssessmentError with any of its codes.
   */
  assess(bytes: Uint8Array, options: AssessOptions): Promise<Assessment>;
  /** Photographs waiting for a worker. */
  readonly queueDepth: number;
  /** Whether the next photograph would be refused. */
  readonly isFull: boolean;
  /** Whether any worker is up. */
  readonly isReady: boolean;
  /** The threads, for tests that kill one. */
  readonly threads: readonly Worker[];
  /** Ends the threads; what is in flight is refused. Wait for it first. */
  close(): Promise<void>;
}

/** How long a worker may go on with a job that nobody waits for before it counts as hung and is replaced. */
const hangMs = 2_000;

/** Pause before a worker that died while starting is tried again, so that a lasting fault does not spin. */
const restartPauseMs = 1_000;

/** `.ts` in a checkout, `.js` in the published package. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

interface Job extends WorkerJob {
  readonly resolve: (assessment: Assessment) => void;
  readonly reject: (error: AssessmentError) => void;
}

interface Slot {
  worker: Worker;
  ready: boolean;
  job: Job | undefined;
  hang: NodeJS.Timeout | undefined;
}

/** No worker could start: most likely a model file that does not fit its descriptor. `message` is a sentence for people. */
export class EngineStartError extends Error {
  constructor(cause: Error) {
    super(`The engine could not start: ${cause.message}`, { cause });
    this.name = 'EngineStartError';
  }
}

/**
 * Starts the workers and resolves when each has loaded its models and run them once.
 * @throws EngineStartError
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { folder, profile, limits, deadlineMs } = options;
  const setup: WorkerSetup = { folder, profile, limits };
  const slots: Slot[] = [];
  const waiting: Job[] = [];
  let started = false;
  let closing = false;

  function assignNext(slot: Slot): void {
    const job = waiting.shift();
    if (job === undefined) return;
    slot.job = job;
    const { bytes, admitted, abortFlag } = job;
    slot.worker.postMessage({ bytes, admitted, abortFlag } satisfies WorkerJob, [
      bytes.buffer as ArrayBuffer,
    ]);
  }

  function spawn(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(workerFile, { workerData: setup });
      let fault = new Error('The worker ended.');
      slot.worker = worker;
      slot.ready = false;
      worker.on('error', (error) => {
        fault = error instanceof Error ? error : new Error(String(error));
      });
      worker.on('exit', () => {
        const wasReady = slot.ready;
        const { job } = slot;
        clearTimeout(slot.hang);
        slot.ready = false;
        slot.job = undefined;
        job?.reject(
          new AssessmentError('worker_died', 'The worker died on the way; please try again.', {
            cause: fault,
          }),
        );
        reject(fault);
        if (closing || !started) return;
        setTimeout(() => closing || spawn(slot).catch(() => {}), wasReady ? 0 : restartPauseMs).unref();
        options.onWorkerDeath?.(fault);
      });
      worker.on('message', (answer: WorkerAnswer) => {
        const { job } = slot;
        clearTimeout(slot.hang);
        slot.job = undefined;
        switch (answer.kind) {
          case 'ready':
            slot.ready = true;
            resolve();
            break;
          case 'assessed':
            job?.resolve(answer.assessment);
            options.onAssessed?.(answer.assessment);
            break;
          case 'failed':
            job?.reject(new AssessmentError(answer.code, answer.message, { cause: answer.detail }));
            break;
        }
        assignNext(slot);
      });
    });
  }

  /** Gives up a job: out of the queue at once, out of a worker at its next stage, and never later than `hangMs`. */
  function drop(job: Job): void {
    const index = waiting.indexOf(job);
    if (index >= 0) waiting.splice(index, 1);
    Atomics.store(job.abortFlag, 0, 1);
    const slot = slots.find((candidate) => candidate.job === job);
    if (slot !== undefined) slot.hang = setTimeout(() => slot.worker.terminate(), hangMs);
  }

  const engine: Engine = {
    assess(bytes, { admitted, signal }) {
      if (signal?.aborted) return Promise.reject(new AssessmentError('aborted', 'The caller went away.'));
      if (closing || engine.isFull) {
        return Promise.reject(new AssessmentError('queue_full', 'Too many photographs are waiting.'));
      }
      const outcome = Promise.withResolvers<Assessment>();
      const job: Job = {
        // A copy, because the caller's bytes may share their memory with others, and this memory moves to the worker.
        bytes: new Uint8Array(bytes),
        admitted,
        abortFlag: new Int32Array(new SharedArrayBuffer(4)),
        resolve: outcome.resolve,
        reject: outcome.reject,
      };
      const giveUp = (code: 'deadline_exceeded' | 'aborted', message: string) => {
        drop(job);
        job.reject(new AssessmentError(code, message));
      };
      const onAbort = () => giveUp('aborted', 'The caller went away.');
      const deadline = setTimeout(giveUp, deadlineMs, 'deadline_exceeded', 'The deadline has passed.');
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(job);
      const idle = slots.find((slot) => slot.ready && slot.job === undefined);
      if (idle !== undefined) assignNext(idle);
      return outcome.promise.finally(() => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', onAbort);
      });
    },
    get queueDepth() {
      return waiting.length;
    },
    get isFull() {
      return waiting.length >= options.queue && !slots.some((slot) => slot.ready && slot.job === undefined);
    },
    get isReady() {
      return !closing && slots.some((slot) => slot.ready);
    },
    get threads() {
      return slots.map((slot) => slot.worker);
    },
    async close() {
      closing = true;
      for (const job of waiting.splice(0))
        job.reject(new AssessmentError('queue_full', 'The engine is closing.'));
      await Promise.all(slots.map((slot) => slot.worker.terminate()));
    },
  };

  try {
    await Promise.all(
      Array.from({ length: options.workers }, () => {
        const slot = { ready: false, job: undefined, hang: undefined } as unknown as Slot;
        slots.push(slot);
        return spawn(slot);
      }),
    );
  } catch (error) {
    await engine.close();
    throw new EngineStartError(error as Error);
  }
  started = true;
  return engine;
}
