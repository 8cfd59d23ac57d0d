/** How far a long task is: a bar where people watch, a line at its start and its end where a log is kept. */

import cliProgress from 'cli-progress';
import type { Progress } from '../models/download.ts';

/** One task after another; a task starts with its first report. */
export interface Reporter {
  /** @param total the amount in all, where it is known. */
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
  let current: { task: string; amount: string; bar: cliProgress.SingleBar | undefined } | undefined;

  function stop(): void {
    if (current?.bar !== undefined) current.bar.stop();
    else if (current !== undefined) stream.write(`${current.task}: ${current.amount}\n`);
    current = undefined;
  }

  function begin(task: string, total: number | undefined) {
    if (!stream.isTTY) {
      stream.write(`${task} ...\n`);
      return { task, amount: '', bar: undefined };
    }
    const format = '{task} [{bar}] {amount}';
    const bar = new cliProgress.SingleBar({ format, stream, emptyOnZero: true, barsize: 24, linewrap: true });
    bar.start(total ?? 0, 0, { task, amount: '' });
    return { task, amount: '', bar };
  }

  return {
    report(task, done, total) {
      if (current?.task !== task) {
        stop();
        current = begin(task, total);
      }
      current.amount = total === undefined ? show(done) : `${show(done)} of ${show(total)}`;
      current.bar?.update(done, { amount: current.amount });
    },
    stop,
  };
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
