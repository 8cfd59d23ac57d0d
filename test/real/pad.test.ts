/** Real attacks and real people: the error rates, calibration and operating points that the catalog claims are measured again. */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import {
  chooseOperatingPoints,
  type ErrorRates,
  equalErrorRate,
  fitCalibration,
  sweepThresholds,
  weighPresentations,
} from '../../src/evaluation/metrics.ts';
import { imageFormats } from '../../src/liveness/decode.ts';
import { startEngine } from '../../src/liveness/pool.ts';
import { type Face, operatingPointNames } from '../../src/liveness/types.ts';
import { profiles } from '../../src/models/catalog.ts';
import type { ProfileDescriptor } from '../../src/models/descriptor.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { sharedFolder, skipReason } from '../helpers/shared.ts';
import { accurateWeights, standardWeights } from '../helpers/weights.ts';

const pad = sharedFolder('pad') ?? '';

/** What the catalog's calibration and operating points were fitted on. */
const developmentSets = {
  live: new Set(['nuaa', 'roboflow-facedetect', 'diy-scenes', 'hagrid-webcam', 'selfie-friends']),
  attack: new Set(['nuaa', 'roboflow-facedetect', 'diy-scenes', 'angelina-screens']),
};

/** Sets with both people and attacks. */
const wholeSets = ['nuaa', 'roboflow-facedetect', 'diy-scenes'] as const;

interface Row {
  readonly file: string;
  readonly set: string;
  readonly group: string;
  readonly bonaFide: boolean;
  readonly species: string | undefined;
}

interface ScoredRow extends Row {
  readonly face: Face;
}

async function readManifest(): Promise<Row[]> {
  const [head, ...lines] = (await readFile(join(pad, 'manifest.csv'), 'utf8')).trim().split('\n');
  assert.ok(head?.startsWith('file,label,attack,set,group,'));
  return lines.map((line) => {
    // Only the columns after these five can hold a comma.
    const [file, label, attack, set, group] = line.split(',') as [string, string, string, string, string];
    assert.ok(label === 'attack' || label === 'bona-fide', line);
    const bonaFide = label === 'bona-fide';
    return { file, set, group, bonaFide, species: bonaFide || attack === 'unknown' ? undefined : attack };
  });
}

/** The largest face of every picture; pictures in which none is found are left out. */
async function scorePictures(folder: string, profile: string): Promise<ScoredRow[]> {
  const rows = await readManifest();
  assert.equal(rows.length, 1275);
  const workers = Math.max(2, availableParallelism());
  const engine = await startEngine({
    folder,
    profile: (await loadRegistry(folder)).profile(profile),
    limits: { maxPixels: 50_000_000 },
    workers,
    queue: workers,
    deadlineMs: 60_000,
  });
  try {
    const scored: (ScoredRow | undefined)[] = new Array(rows.length);
    const entries = rows.entries();
    const work = async () => {
      for (const [i, row] of entries) {
        const bytes = await readFile(join(pad, row.file));
        const { faces } = await engine.assess(bytes, { admitted: imageFormats });
        scored[i] = faces[0] && { ...row, face: faces[0] };
      }
    };
    // One more than there are workers, so that none of them waits for a file to be read.
    await Promise.all(Array.from({ length: workers + 1 }, work));
    return scored.filter((row) => row !== undefined);
  } finally {
    await engine.close();
  }
}

/** The sum of what these models say of a face. */
function logOdds({ scores }: Face, models: readonly string[]): number {
  return models.reduce((sum, model) => {
    const score = scores.find((one) => one.model === model);
    assert.ok(score, `no score of ${model}`);
    return sum + score.logOdds;
  }, 0);
}

/** Equal error rate in percent for each set that has both classes. */
function ratesBySet(rows: readonly ScoredRow[], models: readonly string[]): number[] {
  return wholeSets.map((set) => {
    const own = weighPresentations(rows.filter((row) => row.set === set));
    return 100 * equalErrorRate(own.map((row) => ({ ...row, score: logOdds(row.face, models) })));
  });
}

function development(rows: readonly ScoredRow[]) {
  return weighPresentations(
    rows.filter(({ set, bonaFide }) => developmentSets[bonaFide ? 'live' : 'attack'].has(set)),
  );
}

/** What the profile's sum of log-odds is before calibration. */
function uncalibrated(face: Face, profile: ProfileDescriptor): number {
  return profile.liveness.reduce((sum, { model, weight }) => sum + weight * logOdds(face, [model]), 0);
}

const catalogued = (id: string) => profiles.find((profile) => profile.id === id) as ProfileDescriptor;

type Print = { diagnostic(line: string): void };

const percent = (values: readonly number[]) => values.map((value) => value.toFixed(1).padStart(6)).join(' ');

function expectRates(
  t: Print,
  rows: readonly ScoredRow[],
  name: string,
  models: readonly string[],
  expected: readonly number[],
): void {
  const found = ratesBySet(rows, models);
  t.diagnostic(`EER % ${name.padEnd(18)} ${percent(found)}  (${wholeSets.join(', ')})`);
  for (const [i, set] of wholeSets.entries()) {
    const [is, was] = [found[i] as number, expected[i] as number];
    assert.ok(Math.abs(is - was) <= 2, `${name} on ${set}: ${is.toFixed(1)} %, not ${was} %`);
  }
}

/** The checks that both profiles share: all of them hold for exactly what the catalog states. */
function describeFit(rows: () => readonly ScoredRow[], profile: ProfileDescriptor): void {
  it('has the calibration that a fit finds', (t) => {
    const { slope, intercept } = fitCalibration(
      development(rows()).map((row) => ({ ...row, score: uncalibrated(row.face, profile) })),
    );
    t.diagnostic(`fitted slope ${slope.toFixed(4)}, intercept ${intercept.toFixed(4)}`);
    const { calibration } = profile;
    assert.ok(Math.abs(slope / calibration.slope - 1) <= 0.02, `slope ${slope}`);
    assert.ok(Math.abs(intercept / calibration.intercept - 1) <= 0.02, `intercept ${intercept}`);
  });

  it('has the error rates that its operating points state, and none better would have been chosen', (t) => {
    const presentations = development(rows()).map((row) => ({ ...row, score: row.face.pLive }));
    const sweep = sweepThresholds(presentations);
    const chosen = chooseOperatingPoints(presentations);
    const line = ({ threshold, maxApcer, bpcer }: ErrorRates) =>
      `from ${threshold.toFixed(3)}: highest APCER ${percent([100 * maxApcer])} %, BPCER ${percent([100 * bpcer])} %`;
    for (const name of operatingPointNames) {
      const stated = profile.operatingPoints[name];
      // Any threshold between two scores parts them alike: the rates at the stated one are those of the next score up.
      const found = sweep.find(({ threshold }) => threshold >= stated.threshold) as ErrorRates;
      t.diagnostic(`${name.padEnd(8)} ${line({ ...found, threshold: stated.threshold })}`);
      t.diagnostic(`  chosen ${line(chosen[name])}`);
      for (const rates of [found, chosen[name]]) {
        assert.ok(Math.abs(rates.maxApcer - stated.apcer) <= 0.01, `${name}: APCER ${rates.maxApcer}`);
        assert.ok(Math.abs(rates.bpcer - stated.bpcer) <= 0.01, `${name}: BPCER ${rates.bpcer}`);
      }
    }
  });

  it('gives verdicts at those thresholds', () => {
    for (const { face, file } of rows()) {
      for (const name of operatingPointNames) {
        const isLive = face.pLive >= profile.operatingPoints[name].threshold;
        assert.equal(face.verdicts[name], isLive ? 'live' : 'attack', `${file}, ${name}`);
      }
    }
  });
}

function pooledRate(t: Print, rows: readonly ScoredRow[]): number {
  const rate = 100 * equalErrorRate(development(rows).map((row) => ({ ...row, score: row.face.pLive })));
  t.diagnostic(`pooled EER ${rate.toFixed(1)} %, one threshold for all cameras`);
  return rate;
}

describe('the profile "standard" on real pictures', { skip: skipReason('pad') }, () => {
  const profile = catalogued('standard');
  let rows: ScoredRow[] = [];
  before(async () => {
    rows = await scorePictures(await standardWeights(), 'standard');
  });

  it('finds a face in nearly every picture', (t) => {
    const share = rows.length / 1275;
    t.diagnostic(`${rows.length} of 1275 pictures have a face`);
    assert.ok(share > 0.93, `${share}`);
  });

  it('tells people from attacks within each set', (t) => {
    expectRates(t, rows, 'minifas-128', ['minifas-128'], [0.0, 20.3, 12.5]);
  });

  it('tells them apart with one threshold for all sets', (t) => {
    assert.ok(pooledRate(t, rows) <= 18.1);
  });

  describeFit(() => rows, profile);
});

describe('the profile "accurate" on real pictures', {
  skip: skipReason('pad') || skipReason('models'),
}, () => {
  const profile = catalogued('accurate');
  let rows: ScoredRow[] = [];
  before(async () => {
    const folder = (await accurateWeights()) as string;
    // A profile of a user's own: an extra member that is asked but has no say, so one run serves both measurements.
    const own: ProfileDescriptor = {
      ...profile,
      id: 'accurate-and-facenox',
      liveness: [...profile.liveness, { model: 'facenox-9820', weight: 0 }],
    };
    await writeFile(join(folder, `${own.id}.profile.json`), JSON.stringify(own));
    rows = await scorePictures(folder, own.id);
  });

  it('finds a face in nearly every picture', (t) => {
    const share = rows.length / 1275;
    t.diagnostic(`${rows.length} of 1275 pictures have a face`);
    assert.ok(share > 0.98, `${share}`);
  });

  it('has parts that each tell people from attacks within each set', (t) => {
    expectRates(t, rows, 'minifas-128', ['minifas-128'], [0.0, 31.8, 18.2]);
    expectRates(t, rows, 'the minifasnet pair', ['minifasnet-v2', 'minifasnet-v1se'], [1.5, 10.2, 4.9]);
    expectRates(t, rows, 'facenox-9820', ['facenox-9820'], [5.4, 23.5, 16.5]);
  });

  it('tells them apart with one threshold for all sets', (t) => {
    const rate = pooledRate(t, rows);
    assert.ok(Math.abs(rate - 5.2) <= 1, `${rate}`);
  });

  describeFit(() => rows, profile);
});
