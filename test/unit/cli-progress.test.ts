/** Progress as a log keeps it and as a terminal shows it. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { duration, startDownloadReporter, startReporter } from '../../src/cli/progress.ts';

const log = () => new PassThrough({ encoding: 'utf8' });
const terminal = () => Object.assign(log(), { isTTY: true, columns: 80 });

it('a log gets a line at the start and the end of each task', () => {
  const stream = log();
  const { report, stop } = startReporter(stream);
  for (let i = 1; i <= 50; i++) report('Checking', i, 50);
  report('More', 1, undefined);
  stop();
  stop();
  assert.equal(stream.read(), 'Checking ...\nChecking: 50 of 50\nMore ...\nMore: 1\n');
});

it('a log gets nothing when nothing was done', () => {
  const stream = log();
  startReporter(stream).stop();
  assert.equal(stream.read(), null);
});

it('a download that broke off does not look done', () => {
  const stream = log();
  const { onProgress, stop } = startDownloadReporter(stream);
  onProgress({ name: 'a', received: 1_234_567, total: 41_000_000 });
  stop();
  assert.equal(stream.read(), 'Downloading a ...\nDownloading a: 1.2 MB of 41.0 MB\n');
});

it('a terminal gets a bar, and keeps its settings', () => {
  const stream = terminal();
  const { report, stop } = startReporter(stream);
  report('Checking', 1, 2);
  report('Checking', 2, 2);
  stop();
  const shown = stream.read() as string;
  assert.match(shown, /Checking \[=+\] 2 of 2/);
  // Neither the cursor nor the wrapping of lines: Ctrl-C would leave them switched off.
  assert.ok(!shown.includes('\x1b[?'));
});

it('a terminal is told the pace, and how long it will take at that pace', async () => {
  const stream = terminal();
  const { report, stop } = startReporter(stream);
  report('Scoring', 900, 1000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  report('Scoring', 902, 1000);
  stop();
  // Two in a little over 200 ms: what was done before the first report is no part of the pace.
  const [, pace, left] = /902 of 1000, ([\d.]+) a second, (\d+) s left/.exec(stream.read() as string) ?? [];
  assert.ok(Number(pace) > 0 && Number(pace) <= 10, pace);
  assert.ok(Math.abs(Number(left) - 98 / Number(pace)) <= 2, left);
});

it('says durations in the unit that people would', () => {
  assert.deepEqual([0.2, 59, 99, 100, 3000, 7500].map(duration), [
    '1 s',
    '59 s',
    '99 s',
    '2 min',
    '50 min',
    '2 h 5 min',
  ]);
});
