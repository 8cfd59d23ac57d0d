/**
 * Every hostile picture, and mutations of them, given to a worker: each comes to what it must, in bounded memory and time, and the worker
 * lives on. `FULL=1` makes 20,000 mutations, and `SEED` repeats those of another run.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Engine, startEngine } from '../../src/liveness/pool.ts';
import { imageFormats, sniffFormat } from '../../src/liveness/sniff.ts';
import { weigh } from '../../src/liveness/weigh.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { hostileFiles } from '../helpers/hostile/corpus.ts';
import type { HostileFile } from '../helpers/hostile/file.ts';
import { largeHeifs } from '../helpers/hostile/heif.ts';
import { mutationsOf } from '../helpers/hostile/mutations.ts';
import { standardWeights } from '../helpers/weights.ts';

const files = [...(await hostileFiles()), ...(await largeHeifs())];
const seed = Number(process.env.SEED ?? 1);
const mutations = mutationsOf(files, seed, process.env.FULL === '1' ? 20_000 : 300);

/** The worst HEIC takes 1.0 GB. */
const mostMemory = 1_200_000_000;

/** What a worker still has of it afterwards is 0.4 GB with the models, and was 1.0 where its decoder lived on. */
const mostKept = 600_000_000;

/** What the worst of them takes of a core is a third of this; the default deadline, at which a worker is given up, is 10 s. */
const mostCpuMs = 8_000;

const maxPixels = 50_331_648;

let engine: Engine;
const deaths: Error[] = [];
before(async () => {
  const folder = await standardWeights();
  engine = await startEngine({
    folder,
    profile: (await loadRegistry(folder)).profile('standard'),
    limits: { maxPixels },
    workers: 1,
    queue: 1,
    // The machine may be busy otherwise: what is held against them is their own time.
    deadlineMs: 60_000,
    onWorkerDeath: (reason) => deaths.push(reason),
  });
});
after(() => engine.close());

interface Measured {
  readonly name: string;
  readonly outcome: string;
  /** What the worker took of a core meanwhile, in milliseconds; 0 where the system does not tell. */
  readonly cpuMs: number;
  /** The most memory that the worker had meanwhile, in bytes; 0 where the system does not tell. */
  readonly memory: number;
}

/** Of all its threads, in user and in system mode, by hundredths of a second. */
function cpuMsOf(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold spaces, the 12th and the 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What the worker holds now, by one of the lines of its status, in bytes; 0 where the system does not tell. */
function memoryOf(pid: number, line: 'VmHWM' | 'VmRSS'): number {
  if (process.platform !== 'linux') return 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1]) * 1_024;
}

async function assess({ name, bytes }: HostileFile): Promise<Measured> {
  const pid = engine.workers[0]?.pid as number;
  // Begins to measure anew.
  if (process.platform === 'linux') writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const cpuBefore = cpuMsOf(pid);
  const outcome = await engine.assess(bytes, { admitted: imageFormats }).then(
    () => 'assessed',
    (error) => String(error.code ?? error),
  );
  return { name, outcome, cpuMs: cpuMsOf(pid) - cpuBefore, memory: memoryOf(pid, 'VmHWM') };
}

async function assessAll(t: TestContext, kind: readonly HostileFile[]): Promise<void> {
  const worker = engine.workers[0]?.pid;
  const measured: Measured[] = [];
  const wrong: string[] = [];
  for (const file of kind) {
    const result = await assess(file);
    measured.push(result);
    const isExpected = (file.outcomes as readonly string[]).includes(result.outcome);
    if (!isExpected) wrong.push(`${file.name}: ${result.outcome}, not ${file.outcomes.join(' or ')}`);
    if (result.memory > mostMemory) wrong.push(`${file.name}: ${result.memory} bytes of memory`);
    if (result.cpuMs > mostCpuMs) wrong.push(`${file.name}: ${result.cpuMs} ms of a core`);
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(deaths, []);
  assert.equal(engine.workers[0]?.pid, worker);
  const slowest = measured.reduce((a, b) => (b.cpuMs > a.cpuMs ? b : a));
  const largest = measured.reduce((a, b) => (b.memory > a.memory ? b : a));
  t.diagnostic(`${kind.length} files; slowest: ${slowest.name}, ${slowest.cpuMs} ms of a core`);
  t.diagnostic(`largest: ${largest.name}, ${(largest.memory / 1e6).toFixed(0)} MB`);
}

describe('a hostile picture comes to what it must', () => {
  for (const format of [...imageFormats, undefined]) {
    it(`${format ?? 'of no format that is taken'}`, async (t) => {
      const kind = files.filter((file) => file.format === format);
      assert.ok(kind.length > 40, `${kind.length}`);
      await assessAll(t, kind);
    });
  }

  it('one of those that take the most memory after another', async (t) => {
    const named = (part: string) => files.filter(({ name }) => name.includes(part));
    const kind = [...named('5000 x 5000 in 4:4:4'), ...named('25 megapixels of 10 bit')];
    assert.equal(kind.length, 2);
    // What is kept must not add up.
    await assessAll(t, [...kind, ...kind, ...kind]);
    const kept = memoryOf(engine.workers[0]?.pid as number, 'VmRSS');
    t.diagnostic(`kept: ${(kept / 1e6).toFixed(0)} MB`);
    assert.ok(kept < mostKept, `${kept} bytes are kept`);
  });

  it(`mutations of seed ${seed}`, async (t) => {
    await assessAll(t, mutations);
  });
});

describe('before any decoder sees it, a hostile picture', () => {
  it('is told by its first bytes', () => {
    assert.equal(new Set(files.map(({ name }) => name)).size, files.length, 'names are of one file each');
    for (const { name, format, outcomes, bytes } of files) {
      // A box of a wrong length may hide the brand.
      if (outcomes.includes('unsupported_format') && outcomes.length > 1) continue;
      assert.equal(sniffFormat(bytes), format, name);
    }
  });

  it('is weighed in no time, by what its header says', () => {
    for (const { name, bytes } of [...files, ...mutations]) {
      // The server's own event loop waits meanwhile. The least of three, for the machine may be busy otherwise.
      const times = Array.from({ length: 3 }, () => {
        const start = performance.now();
        const weight = weigh(bytes, imageFormats, maxPixels);
        assert.ok(weight >= 1 && Number.isFinite(weight), `${name}: ${weight}`);
        return performance.now() - start;
      });
      assert.ok(Math.min(...times) < 20, `${name}: ${times} ms`);
    }
  });
});
