/**
 * The engine's front: one worker process per core, a bounded queue before them, a deadline and an abort for each job.
 * Processes, because a thread that is ended amid a native call, or a decoder that crashes, takes the whole server with it
 * (docs/adr/0001-worker-processes.md).
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ResolvedProfile } from '../models/registry.ts';
import type { DecodeLimits } from './decode.ts';
import { decoderProcess } from './decoder-process.ts';
import { AssessmentError, type EngineErrorCode } from './errors.ts';
import type { Assessment, ImageFormat } from './types.ts';
import { weigh } from './weigh.ts';

/** What a worker is started with. */
export interface WorkerSetup {
  /** The weights folder. */
  readonly folder: string;
  readonly profile: ResolvedProfile;
  readonly limits: DecodeLimits;
}

export type WorkerOrder =
  | { readonly kind: 'open'; readonly setup: WorkerSetup }
  /** Answered after those that came before it. */
  | {
      readonly kind: 'assess';
      readonly id: number;
      /** Bytes of the photograph, which come on the standard input. */
      readonly size: number;
      readonly admitted: readonly ImageFormat[];
    }
  /** Nobody waits for this answer any more. */
  | { readonly kind: 'abort'; readonly id: number };

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unable'; readonly message: string }
  | { readonly kind: 'assessed'; readonly assessment: Assessment }
  | {
      readonly kind: 'failed';
      readonly code: EngineErrorCode;
      readonly message: string;
      /** For the log only. */
      readonly detail: string | undefined;
    };

export interface EngineOptions extends WorkerSetup {
  /** Worker processes. */
  readonly workers: number;
  /**
   * Work that may wait for a worker, in ordinary photographs (`weigh`). Unbounded, a burst would be answered after everybody has hung
   * up. None counts for more than half of it, so that one that is very much work neither has no chance nor keeps all others out.
   */
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
  /** Told once the bytes are no longer needed, which may be after the answer: a pipe may still be taking them. */
  readonly onReleased?: () => void;
}

export interface Engine {
  /**
   * Assesses one photograph.
   * @param bytes to be left alone until `onReleased`.
   * @throws AssessmentError with any of its codes.
   */
  assess(bytes: Uint8Array, options: AssessOptions): Promise<Assessment>;
  /** Photographs waiting for a worker. */
  readonly queueDepth: number;
  /** Whether the next ordinary photograph would be refused. */
  readonly isFull: boolean;
  /** Whether any worker is up. */
  readonly isReady: boolean;
  /** The workers, for tests that kill one. */
  readonly workers: readonly ChildProcess[];
  /** Ends the workers; what is in flight is refused. Wait for it first. */
  close(): Promise<void>;
}

/** How long a worker may go on with a job that nobody waits for before it counts as hung and is replaced. */
const hangMs = 2_000;

/** How long a worker may take to load its models, which it does in a second, before it counts as hung and is replaced. */
const startMs = 60_000;

/** Pause before a worker that died while starting is tried again, so that a lasting fault does not spin. */
const restartPauseMs = 1_000;

/** `.ts` in a checkout, `.js` in the published package. */
const workerFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
);

interface Job {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly weight: number;
  readonly admitted: readonly ImageFormat[];
  readonly resolve: (assessment: Assessment) => void;
  readonly reject: (error: AssessmentError) => void;
  /** Nobody waits for it any more. */
  isDropped: boolean;
  /** How many workers its bytes are still on their way to. */
  sending: number;
  /** It was answered. */
  isOver: boolean;
  readonly onReleased: AssessOptions['onReleased'];
}

interface Slot {
  worker: ChildProcess;
  ready: boolean;
  /** The one under way, and one that the worker receives meanwhile: it need not wait until the server has time for it. */
  jobs: Job[];
  hang: NodeJS.Timeout | undefined;
}

/** Behind one that is more work than this (`weigh`) none is handed over: another worker will be free sooner. */
const mostAhead = 2;

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
  const { engine, started } = launchEngine(options);
  await started;
  return engine;
}

/**
 * Starts the workers, for who has other things to do in the meantime.
 * @returns the engine, and a promise that resolves when each worker has loaded its models and run them once, and rejects with an
 *   EngineStartError; before it does, nothing is to be assessed.
 */
export function launchEngine(options: EngineOptions): { engine: Engine; started: Promise<void> } {
  const { folder, profile, limits, deadlineMs } = options;
  const setup: WorkerSetup = { folder, profile, limits };
  const slots: Slot[] = [];
  const waiting: Job[] = [];
  let nextId = 0;
  let hasStarted = false;
  let closing = false;

  function assignNext(slot: Slot): void {
    while (hasPlace(slot)) {
      const job = waiting.shift();
      if (job === undefined) return;
      slot.jobs.push(job);
      hand(slot.worker, job);
    }
  }

  /** Gives an idle worker what was handed to another one before its turn; that one leaves it off. */
  function takeOver(idle: Slot): void {
    const from = slots.find(({ jobs: [, ahead] }) => ahead?.isDropped === false);
    const job = from?.jobs[1];
    if (from === undefined || job === undefined) return;
    from.jobs[1] = { ...job, isDropped: true, resolve() {}, reject() {} };
    tell(from.worker, { kind: 'abort', id: job.id });
    waiting.unshift(job);
    assignNext(idle);
  }

  /** What was handed over before its turn still waits. */
  function waitingJobs(): Job[] {
    return [...waiting, ...slots.flatMap(({ jobs }) => jobs.slice(1))].filter(({ isDropped }) => !isDropped);
  }

  function spawn(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      const { env, execPath, execArgv } = decoderProcess(limits);
      const worker = fork(workerFile, {
        serialization: 'advanced',
        execPath,
        execArgv,
        // biome-ignore lint/style/noProcessEnv: handed on as it is, but for how a worker takes memory, which the server does otherwise.
        env: { ...process.env, ...env },
        stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
      });
      slot.worker = worker;
      slot.ready = false;
      // What has died already is told below; what lives would wait for the rest of a photograph for ever.
      worker.stdin?.on('error', () => worker.kill('SIGKILL'));
      yieldToServer(worker);
      const slow = setTimeout(() => worker.kill('SIGKILL'), startMs);
      let isGone = false;
      const onGone = (reason: Error) => {
        if (isGone) return;
        isGone = true;
        clearTimeout(slow);
        const wasReady = slot.ready;
        const [job, ...ahead] = slot.jobs;
        clearTimeout(slot.hang);
        slot.ready = false;
        slot.jobs = [];
        waiting.unshift(...ahead.filter(({ isDropped }) => !isDropped));
        for (const other of slots) assignNext(other);
        job?.reject(workerDied(reason));
        reject(reason);
        // Before the start is over, only one that was up already: the start itself fails for the others.
        if (closing || !(hasStarted || wasReady)) return;
        setTimeout(() => closing || spawn(slot).catch(() => {}), wasReady ? 0 : restartPauseMs).unref();
        options.onWorkerDeath?.(reason);
      };
      worker.on('error', onGone);
      // Not its `exit`, which may come before the last that it said: whose turn it was would not be known.
      worker.on('close', (code, signal) =>
        onGone(new Error(`The worker ended with ${signal ?? `code ${code}`}.`)),
      );
      worker.on('message', (answer: WorkerAnswer) => {
        // One that is given up may still speak; the slot is its successor's by then.
        if (isGone) return;
        if (answer.kind === 'unable') {
          onGone(new Error(answer.message));
          worker.kill('SIGKILL');
          return;
        }
        const job = slot.jobs.shift();
        watchHang(slot);
        switch (answer.kind) {
          case 'ready':
            clearTimeout(slow);
            slot.ready = true;
            resolve();
            break;
          case 'assessed':
            job?.resolve(answer.assessment);
            break;
          case 'failed':
            job?.reject(new AssessmentError(answer.code, answer.message, { cause: answer.detail }));
            break;
        }
        assignNext(slot);
        if (isIdle(slot)) takeOver(slot);
      });
      tell(worker, { kind: 'open', setup });
    });
  }

  /** Gives up a job: out of the queue at once, out of a worker at its next stage, and never later than `hangMs`. */
  function drop(job: Job): void {
    job.isDropped = true;
    const index = waiting.indexOf(job);
    if (index >= 0) waiting.splice(index, 1);
    const slot = slots.find(({ jobs }) => jobs.includes(job));
    if (slot === undefined) return;
    tell(slot.worker, { kind: 'abort', id: job.id });
    if (slot.jobs[0] === job) watchHang(slot);
  }

  /** Sees to it that a worker soon leaves off what nobody waits for. */
  function watchHang(slot: Slot): void {
    clearTimeout(slot.hang);
    if (slot.jobs[0]?.isDropped) slot.hang = setTimeout(() => slot.worker.kill('SIGKILL'), hangMs);
  }

  function hasRoom(weight: number): boolean {
    if (slots.some(isIdle)) return true;
    return waitingJobs().reduce((sum, job) => sum + job.weight, weight) <= options.queue;
  }

  const engine: Engine = {
    assess(bytes, { admitted, signal, onReleased }) {
      const refuse = (error: AssessmentError) => {
        onReleased?.();
        return Promise.reject(error);
      };
      if (signal?.aborted) return refuse(new AssessmentError('aborted', 'The caller went away.'));
      const most = Math.max(1, options.queue / 2);
      const weight = Math.min(weigh(bytes, admitted, limits.maxPixels), most);
      if (closing || !hasRoom(weight)) {
        return refuse(new AssessmentError('queue_full', 'Too many photographs are waiting.'));
      }
      const outcome = Promise.withResolvers<Assessment>();
      const job: Job = {
        id: nextId++,
        bytes,
        weight,
        admitted,
        resolve(assessment) {
          outcome.resolve(assessment);
          options.onAssessed?.(assessment);
        },
        reject: outcome.reject,
        isDropped: false,
        sending: 0,
        isOver: false,
        onReleased,
      };
      const giveUp = (code: 'deadline_exceeded' | 'aborted', message: string) => {
        drop(job);
        job.reject(new AssessmentError(code, message));
      };
      const onAbort = () => giveUp('aborted', 'The caller went away.');
      const deadline = setTimeout(giveUp, deadlineMs, 'deadline_exceeded', 'The deadline has passed.');
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(job);
      const free = slots.find(isIdle) ?? slots.find(hasPlace);
      if (free !== undefined) assignNext(free);
      return outcome.promise.finally(() => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', onAbort);
        job.isOver = true;
        release(job);
      });
    },
    get queueDepth() {
      return waitingJobs().length;
    },
    get isFull() {
      return !hasRoom(1);
    },
    get isReady() {
      return !closing && slots.some((slot) => slot.ready);
    },
    get workers() {
      return slots.map((slot) => slot.worker);
    },
    async close() {
      closing = true;
      for (const job of waitingJobs()) {
        job.isDropped = true;
        job.reject(new AssessmentError('queue_full', 'The engine is closing.'));
      }
      waiting.length = 0;
      await Promise.all(slots.map(({ worker }) => end(worker)));
    },
  };

  const spawned = Array.from({ length: options.workers }, () => {
    const slot = { ready: false, jobs: [], hang: undefined } as unknown as Slot;
    slots.push(slot);
    return spawn(slot);
  });
  const started = Promise.all(spawned).then(
    () => {
      hasStarted = true;
    },
    async (error: Error) => {
      await engine.close();
      throw new EngineStartError(error);
    },
  );
  // Told to who waits for it, and that may be later.
  started.catch(() => {});
  return { engine, started };
}

function workerDied(cause: Error): AssessmentError {
  return new AssessmentError('worker_died', 'The worker died on the way; please try again.', { cause });
}

function isIdle({ ready, jobs }: Slot): boolean {
  return ready && jobs.length === 0;
}

/** Whether a worker can be given another job: it has none, or one that will soon be done. */
function hasPlace({ ready, jobs: [job, ...ahead] }: Slot): boolean {
  return ready && ahead.length === 0 && (job === undefined || job.weight <= mostAhead);
}

/** With every core at work, the server itself still gets its turn at once: it only needs a moment, and all wait for it. */
function yieldToServer({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Gone already, which its `exit` event will tell; or a system that forbids it, where it is only a little slower.
  }
}

/** Sends an order; one to a worker that has just died is lost, as its `exit` event will tell. */
function tell(worker: ChildProcess, order: WorkerOrder): void {
  if (worker.connected) worker.send(order, () => {});
}

/**
 * Gives a worker a photograph: the order as a message, its bytes by a pipe, as a message would be three more copies of them
 * (docs/adr/0020-bodies-given-back.md).
 */
function hand(worker: ChildProcess, job: Job): void {
  const { id, bytes, admitted } = job;
  tell(worker, { kind: 'assess', id, size: bytes.length, admitted });
  job.sending++;
  worker.stdin?.write(bytes, () => {
    job.sending--;
    release(job);
  });
}

/** Tells, when neither a job nor a pipe needs its bytes any more. */
function release({ isOver, sending, onReleased }: Job): void {
  if (isOver && sending === 0) onReleased?.();
}

/** Ends a worker at once; nothing in it is worth waiting for. */
async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, 'exit');
  worker.kill('SIGKILL');
  await exited;
}
