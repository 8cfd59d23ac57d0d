/** What a soak calls good: memory, files and threads that stay, and nothing unexpected. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../soak/judge.ts';
import { soakPlot } from '../soak/plot.ts';
import type { Sample } from '../soak/samples.ts';

const steady: Omit<Sample, 'seconds'> = {
  workers: 2,
  rss: 200e6,
  workerRss: 400e6,
  sparedRss: 200e6,
  heap: 40e6,
  fds: 100,
  threads: 39,
  handles: 20,
  loopMs: 12,
  done: 50,
  refused: 1,
  unexpected: 0,
};

/** Half an hour, every five seconds. @param at what is otherwise in a minute. */
const soak = (at: (minute: number) => Partial<Sample> = () => ({})) =>
  Array.from({ length: 360 }, (_, i) => ({ ...steady, seconds: 5 * (i + 1), ...at((5 * (i + 1)) / 60) }));

const bad = (samples: readonly Sample[]) =>
  judge(samples, 2).flatMap(({ what, isGood }) => (isGood ? [] : what));

describe('the judgement of a soak', () => {
  it('holds what stays, also where it grew in the first five minutes', () => {
    assert.deepEqual(bad(soak()), []);
    assert.deepEqual(bad(soak((minute) => (minute < 4 ? { rss: minute * 50e6 } : {}))), []);
  });

  it('holds memory that is less than a tenth more, and no more than that', () => {
    assert.deepEqual(bad(soak((minute) => ({ rss: 200e6 + minute * 0.5e6 }))), []);
    assert.deepEqual(bad(soak((minute) => ({ rss: 200e6 + minute * 4e6 }))), [
      'resident bytes of all processes',
      "resident bytes of the server's process",
    ]);
    assert.deepEqual(bad(soak((minute) => ({ workerRss: 400e6 + minute * 4e6 }))), [
      'resident bytes of all processes',
    ]);
  });

  it('finds what the rest of the processes hides: the server alone, one worker, and objects', () => {
    assert.deepEqual(bad(soak((minute) => ({ rss: 200e6 + minute * 1.5e6 }))), [
      "resident bytes of the server's process",
    ]);
    assert.deepEqual(bad(soak((minute) => ({ sparedRss: 200e6 + minute * 1.5e6 }))), [
      'resident bytes of the worker that is not killed',
    ]);
    // Dead objects that wait for the collector are none of them.
    assert.deepEqual(bad(soak((minute) => ({ heap: 40e6 + (minute % 2) * 30e6 }))), []);
    assert.deepEqual(bad(soak((minute) => ({ heap: 40e6 + minute * 1e6 + (minute % 2) * 30e6 }))), [
      "bytes of the server's heap after a collection",
    ]);
    assert.deepEqual(bad(soak((minute) => (minute > 29 ? { sparedRss: 0 } : {}))), [
      'samples without that worker',
    ]);
  });

  it('is not misled by a worker that is being replaced', () => {
    assert.deepEqual(bad(soak((minute) => (minute % 5 < 3 ? { workers: 1, workerRss: 200e6 } : {}))), []);
  });

  it('finds files that are not closed, threads that stay, and one unexpected outcome', () => {
    assert.deepEqual(bad(soak((minute) => ({ fds: 100 + minute * 3 }))), ['open files']);
    assert.deepEqual(bad(soak((minute) => (minute > 20 ? { threads: 50 } : {}))), ['threads']);
    // libvips' own, of which there may be five more in either worker.
    assert.deepEqual(bad(soak((minute) => (minute > 20 ? { threads: 49 } : {}))), []);
    assert.deepEqual(bad(soak((minute) => (minute === 17 ? { unexpected: 1 } : {}))), [
      'unexpected outcomes',
    ]);
  });

  it('is drawn with a line for all that is measured', () => {
    const svg = soakPlot(soak());
    for (const label of ['resident memory, MB', 'threads', 'handles', '503', 'unexpected']) {
      assert.ok(svg.includes(`>${label}</text>`), label);
    }
    assert.equal(svg.split('aria-label="line"').length - 1, 12);
  });
});
