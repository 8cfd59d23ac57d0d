/** Whether a server held its ground: what it holds at the end beside what it held once it was warm. */

import { median, min } from 'simple-statistics';
import type { Sample } from './samples.ts';

/** One question that was asked of the samples. */
export interface Finding {
  readonly what: string;
  /** Median of the time after the warm-up, and of the last. For counts only the last. */
  readonly warm?: number;
  readonly end: number;
  readonly isGood: boolean;
}

/** The first five minutes, or the first sixth of what is shorter, are for warming up. */
const warmUpSeconds = 300;
/** What may be more at the end: memory. */
const memoryShare = 0.1;
/** And files: as many as the sockets of a moment differ by, when a few large pictures have all the others wait. */
const fdShare = 0.1;
const fdSlack = 40;
/** And threads: in each worker libvips keeps one, and libheif has four while it decodes tiles. */
const libvipsThreads = 5;
/** And objects: what comes between two collections, where the time is short. */
const heapSlack = 8e6;

/**
 * @param samples in their order, at least twelve.
 * @param workers how many should be up: while one is being replaced, what it holds is missing.
 */
export function judge(samples: readonly Sample[], workers: number): Finding[] {
  const total = samples.at(-1)?.seconds ?? 0;
  const warmUp = Math.min(warmUpSeconds, total / 6);
  const whole = samples.filter((sample) => sample.workers === workers);
  const warm = whole.filter(({ seconds }) => seconds >= warmUp && seconds < 2 * warmUp);
  const last = whole.filter(({ seconds }) => seconds > total - warmUp);
  if (warm.length === 0 || last.length === 0) throw new Error('Too few samples to judge by.');
  const compare = (
    what: string,
    of: (sample: Sample) => number,
    most: (warm: number) => number,
    middle: (values: number[]) => number = median,
  ): Finding => {
    const [before, end] = [middle(warm.map(of)), middle(last.map(of))];
    return { what, warm: before, end, isGood: end <= most(before) };
  };
  const memory = (before: number) => before * (1 + memoryShare);
  const count = (of: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + of(sample), 0);
  const gone = samples.filter(({ sparedRss }) => sparedRss === 0).length;
  const unexpected = count((sample) => sample.unexpected);
  return [
    compare('resident bytes of all processes', ({ rss, workerRss }) => rss + workerRss, memory),
    compare("resident bytes of the server's process", ({ rss }) => rss, memory),
    // One that is killed now and then never gets old enough to show what it does not give back.
    compare('resident bytes of the worker that is not killed', ({ sparedRss }) => sparedRss, memory),
    { what: 'samples without that worker', end: gone, isGood: gone === 0 },
    // The least is what is left when the dead are collected.
    compare(
      "bytes of the server's heap after a collection",
      ({ heap }) => heap,
      (before) => memory(before) + heapSlack,
      min,
    ),
    compare(
      'open files',
      ({ fds }) => fds,
      (before) => before * (1 + fdShare) + fdSlack,
    ),
    compare(
      'threads',
      ({ threads }) => threads,
      (before) => before + libvipsThreads * workers,
    ),
    { what: 'unexpected outcomes', end: unexpected, isGood: unexpected === 0 },
  ];
}
