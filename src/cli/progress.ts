/** How far a long task is: a bar where people watch, a line at its start and its end where a log is kept. */

import cliProgress from 'cli-progress';
import type { Progress } from '../models/download.ts';

/** One task after another; a task starts with its first report. */
export interface Reporter {
  /**
   * @param done counts from the task's first report on where the pace is told.
   * @param total the amount in all, where it is known.
   */
  report(task: string, done: number, total: number | undefined): void;
  /** Ends the last task, done or not. */
  stop(): void;
}

/**
 * Reports on a stream, which is stderr except in tests.
 * @param show an amount with its unit.
 */
export function startReporter(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  show: (amount: number) => string = String,
): Reporter {
  let current:
    | { task: string; amount: string; bar: cliProgress.SingleBar | undefined; since: number; from: number }
    | undefined;

  function stop(): void {
    if (current?.bar !== undefined) current.bar.stop();
    else if (current !== undefined) stream.write(`${current.task}: ${current.amount}\n`);
    current = undefined;
  }

  function begin(task: string, from: number, total: number | undefined) {
    const begun = { task, amount: '', bar: undefined, since: performance.now(), from };
    if (!stream.isTTY) {
      stream.write(`${task} ...\n`);
      return begun;
    }
    const format = '{task} [{bar}] {amount}';
    const bar = new cliProgress.SingleBar({ format, stream, emptyOnZero: true, barsize: 24, linewrap: true });
    bar.start(total ?? 0, from, { task, amount: '' });
    return { ...begun, bar };
  }

  return {
    report(task, done, total) {
      if (current?.task !== task) {
        stop();
        current = begin(task, done, total);
      }
      current.amount = total === undefined ? show(done) : `${show(done)} of ${show(total)}`;
      // From the first report on: what an earlier run did says nothing about this one's pace.
      const rate = ((done - current.from) * 1000) / (performance.now() - current.since);
      const pace = rate > 0 ? `, ${show(Number(rate.toPrecision(2)))} a second` : '';
      const left =
        rate > 0 && total !== undefined && done < total ? `, ${duration((total - done) / rate)} left` : '';
      current.bar?.update(done, { amount: `${current.amount}${pace}${left}` });
    },
    stop,
  };
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** For the `onProgress` of whatever downloads. */
export function startDownloadReporter(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): {
  onProgress(progress: Progress): void;
  stop(): void;
} {
  const { report, stop } = startReporter(stream, (bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  return {
    onProgress: ({ name, received, total }) => report(`Downloading ${name}`, received, total),
    stop,
  };
}
