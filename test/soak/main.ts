/**
 * A server under everything at once for as long as one likes: `npm run soak -- --minutes 30`. Measures what it holds every few
 * seconds, writes that as CSV and as a plot, and says by its exit code whether the server held its ground.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openStorage } from '../../src/storage/database.ts';
import { plantKeys } from '../helpers/keys.ts';
import { childrenOf, noProc } from '../helpers/processes.ts';
import { linkWeights, serveAs } from '../helpers/serve.ts';
import { serveImages } from './images.ts';
import { judge } from './judge.ts';
import { soakPlot } from './plot.ts';
import { columns, look, type Sample } from './samples.ts';
import { type Kind, kinds, showAll, type Target } from './traffic.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    /** Where the results go. */
    out: { type: 'string', default: join(import.meta.dirname, '..', '..', 'docs', 'soak') },
    workers: { type: 'string', default: '2' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes >= 1)) throw new Error('--minutes must be a number from 1.');
if (noProc !== false) process.exit(2);
const workers = Number(values.workers);
if (!(workers >= 2)) throw new Error('--workers must be a number from 2: one is killed, and one is not.');
const everyMs = minutes < 10 ? 2_000 : 5_000;

/** Of one kind at once: who comes when so many are under way waits for the next turn. */
const mostAtOnce = 20;

/** What came of what was done, by kind. */
class Tally {
  readonly outcomes = new Map<string, number>();
  done = 0;
  refused = 0;
  unexpected = 0;

  note({ name, expects }: Kind, outcome: string): void {
    const isExpected = expects.includes(outcome);
    const label = `${name}: ${outcome}`;
    this.outcomes.set(label, (this.outcomes.get(label) ?? 0) + 1);
    if (isExpected) this.done++;
    else if (outcome === '503') this.refused++;
    else {
      this.unexpected++;
      process.stderr.write(`unexpected: ${label}\n`);
    }
  }

  /** What was counted since the last time. */
  take(): Pick<Sample, 'done' | 'refused' | 'unexpected'> {
    const { done, refused, unexpected } = this;
    this.done = 0;
    this.refused = 0;
    this.unexpected = 0;
    return { done, refused, unexpected };
  }
}

/** Does one kind of thing again and again; resolves when the last of it is over. */
async function repeat(kind: Kind, target: Target, tally: Tally, until: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  while (!until.aborted) {
    await sleep(kind.everyMs * (0.5 + Math.random()), undefined, { signal: until }).catch(() => {});
    if (until.aborted || running.size >= mostAtOnce) continue;
    const one = kind
      .run(target)
      .catch((error) => `${error}`)
      .then((outcome) => {
        tally.note(kind, outcome);
        running.delete(one);
      });
    running.add(one);
  }
  await Promise.all(running);
}

/** How the container keeps memory level. */
async function containerEnv(): Promise<Record<string, string>> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'Dockerfile'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/\b(MALLOC_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function measure(target: Target, tally: Tally): Promise<Sample[]> {
  const samples: Sample[] = [];
  const start = performance.now();
  const end = start + minutes * 60_000;
  for (let at = start + everyMs; at <= end; at += everyMs) {
    await sleep(at - performance.now());
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    samples.push({ seconds, ...(await look(target)), ...tally.take() });
    if (process.stderr.isTTY) process.stderr.write(`\r${seconds.toFixed(0)} s of ${minutes * 60} `);
  }
  return samples;
}

const dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-soak-'));
await linkWeights(dataFolder);
const storage = await openStorage({ folder: dataFolder, create: true });
await plantKeys(storage.db);
await storage.close();
const images = await serveImages();
// The worker that is measured must not be killed for a picture that takes long on a slow machine.
const flags = ['--deadline-ms', '60000', '--url-allowed-hosts', images.host, '--url-timeout-ms', '2000'];
const server = await serveAs(
  { env: { ...process.env, ...(await containerEnv()) } },
  dataFolder,
  ...['--workers', `${workers}`, ...flags],
);
const pid = server.child.pid as number;
const [spared] = await childrenOf(pid);
if (spared === undefined) throw new Error('The server has no worker.');
const target: Target = { origin: server.origin, pid, spared, images: images.host };
// What the decoders keep of the worst pictures is kept from the beginning.
await showAll(target);
const tally = new Tally();
const stop = new AbortController();
const traffic = kinds.map((kind) => repeat(kind, target, tally, stop.signal));
const samples = await measure(target, tally);
stop.abort();
await Promise.all(traffic);
const late = tally.take();
const code = await server.stop();
images.close();
await rm(dataFolder, { recursive: true });

const findings = [
  ...judge(samples, workers),
  { what: 'unexpected outcomes after the last sample', end: late.unexpected, isGood: late.unexpected === 0 },
  { what: 'exit code on SIGTERM', end: code ?? -1, isGood: code === 0 },
];
const summary = {
  minutes,
  workers,
  cores: cpus().length,
  findings,
  outcomes: Object.fromEntries([...tally.outcomes].sort(([a], [b]) => (a < b ? -1 : 1))),
};
await mkdir(values.out, { recursive: true });
const row = (sample: Sample) => columns.map((name) => Math.round(sample[name] * 100) / 100).join(',');
await writeFile(join(values.out, 'soak.csv'), `${[columns.join(','), ...samples.map(row)].join('\n')}\n`);
await writeFile(join(values.out, 'soak.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
await writeFile(join(values.out, 'soak.svg'), soakPlot(samples));
for (const { what, warm, end, isGood } of findings) {
  const before = warm === undefined ? '' : `${warm} after the warm-up, `;
  process.stdout.write(`${isGood ? 'held' : 'FAILED'}: ${what}: ${before}${end} at the end\n`);
}
process.exit(findings.every(({ isGood }) => isGood) ? 0 : 1);
