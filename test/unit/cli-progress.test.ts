/** Progress as a log keeps it and as a terminal shows it. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { startDownloadReporter, startReporter } from '../../src/cli/progress.ts';

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
