/** Fusion, calibration and intervals: what is fitted on what, and the file that a server loads. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Bootstrap, interval, type Weights, withExactBound } from '../../src/evaluation/bootstrap.ts';
import {
  calibrate,
  crossValidate,
  type FusionRow,
  fitFusion,
  fusedScore,
  fusionRows,
} from '../../src/evaluation/calibration.ts';
import { fitLogistic } from '../../src/evaluation/logistic.ts';
import { decisionRates, weighPresentations } from '../../src/evaluation/metrics.ts';
import { parseScores } from '../../src/evaluation/scores.ts';
import { applyCalibration, digestSettings, loadCalibration } from '../../src/models/calibration.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { drawNumbers, drawScores, run } from '../helpers/scores.ts';

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

/** Rows whose classes are drawn from a known fusion of two features; a third says nothing. */
function drawn(count: number): FusionRow[] {
  const draw = drawNumbers(3);
  const bell = () => draw() + draw() + draw() + draw() - 2;
  return Array.from({ length: count }, (_, i) => {
    const [one, two, noise] = [bell() * 3, bell() * 30, bell()];
    const p = 1 / (1 + Math.exp(-(1.5 * one - 0.1 * two)));
    return { bonaFide: draw() < p, set: `s${i % 3}`, group: `g${i}`, features: { one, two, noise } };
  });
}

/** Rows whose classes are drawn from one sum with this chance of being live. */
function drawnBy(chance: (sum: number) => number, count: number): FusionRow[] {
  const draw = drawNumbers(8);
  return Array.from({ length: count }, (_, i) => {
    const sum = 12 * draw() - 6;
    return { bonaFide: draw() < chance(sum), set: 's', group: `g${i}`, features: { sum } };
  });
}

describe('fitFusion', () => {
  it('finds the weights again that the classes were drawn by', () => {
    const { weights, calibration } = fitFusion(drawn(20_000), 'weights');
    const { slopeBelow, slopeAbove, intercept } = calibration;
    // Weights are kept small and the slopes make up for it: what counts is their product.
    for (const slope of [slopeBelow, slopeAbove]) {
      near(slope * (weights.one as number), 1.5, 0.1);
      near(slope * (weights.two as number), -0.1, 0.01);
      near(slope * (weights.noise as number), 0, 0.12);
    }
    near(intercept, 0, 0.1);
  });

  it('finds both slopes again that the classes were drawn by', () => {
    const odds = (sum: number) => 2 * Math.log(1 + Math.exp(-sum)) - 0.5 * Math.log(1 + Math.exp(sum));
    const rows = drawnBy((sum) => 1 / (1 + Math.exp(odds(sum))), 40_000);
    const { weights, calibration } = fitFusion(rows, 'calibration');
    assert.deepEqual(weights, { sum: 1 });
    near(calibration.slopeBelow, 2, 0.15);
    near(calibration.slopeAbove, 0.5, 0.05);
    // Both classes are weighed alike, so that odds are less by those with which they were drawn.
    const people = rows.filter(({ bonaFide }) => bonaFide).length;
    near(calibration.intercept, -Math.log(people / (rows.length - people)), 0.15);
  });

  it('has one slope where two would let a higher sum mean less', () => {
    // The highest sums are attacks' more often than those in the middle are.
    const rows = drawnBy((sum) => (sum < -1 ? 0.02 : sum < 3 ? 0.95 : 0.8), 4000);
    const { slopeBelow, slopeAbove, intercept } = fitFusion(rows, 'calibration').calibration;
    const plain = fitLogistic(
      rows.map((row) => ({ ...row, features: [row.features.sum as number], weight: 1 })),
      0,
    );
    assert.ok(slopeBelow > 0);
    assert.equal(slopeAbove, slopeBelow);
    near(slopeBelow, plain.weights[0] as number);
    near(intercept, plain.intercept);
  });

  it('has one slope, below 0, where labels say the opposite of the scores', () => {
    const rows = drawnBy((sum) => 1 / (1 + Math.exp(sum)), 4000);
    const { slopeBelow, slopeAbove } = fitFusion(rows, 'calibration').calibration;
    assert.equal(slopeAbove, slopeBelow);
    near(slopeBelow, -1, 0.1);
  });

  it('calibrates sums by weights that were fitted without their set', () => {
    const rows = drawn(90);
    const { weights, calibration } = fitFusion(rows, 'weights');
    const sumsBy = (weightsOf: (row: FusionRow) => Readonly<Record<string, number>>) =>
      rows.map((row) => {
        const own = weightsOf(row);
        const sum = Object.keys(own).reduce(
          (z, name) => z + (own[name] as number) * (row.features[name] as number),
          0,
        );
        return { ...row, features: { sum } };
      });
    const without = new Map(
      ['s0', 's1', 's2'].map((set) => [
        set,
        fitFusion(
          rows.filter((row) => row.set !== set),
          'weights',
        ).weights,
      ]),
    );
    const unseen = sumsBy(({ set }) => without.get(set) ?? assert.fail());
    assert.deepEqual(fitFusion(unseen, 'calibration').calibration, calibration);
    assert.notDeepEqual(
      fitFusion(
        sumsBy(() => weights),
        'calibration',
      ).calibration,
      calibration,
    );
  });

  it('is the same in every run, and scores the same whatever the unit of a feature', () => {
    const rows = drawn(300);
    const scaled = rows.map((row) => ({
      ...row,
      features: { ...row.features, one: (row.features.one as number) * 1000 },
    }));
    const [plain, large] = [fitFusion(rows, 'weights'), fitFusion(scaled, 'weights')];
    assert.deepEqual(fitFusion(rows, 'weights'), plain);
    near((large.weights.one as number) * 1000, plain.weights.one as number);
    near(large.calibration.intercept, plain.calibration.intercept);
    near(
      fusedScore(large, (scaled[0] as FusionRow).features),
      fusedScore(plain, (rows[0] as FusionRow).features),
    );
  });

  it('shares a weight between two that say the same', () => {
    const twins = drawn(300).map((row) => ({
      ...row,
      features: { a: row.features.one as number, b: row.features.one as number },
    }));
    const { weights } = fitFusion(twins, 'weights');
    assert.ok((weights.a as number) > 0);
    near(weights.a as number, weights.b as number);
  });

  it('weighs sets alike: a set that is there ten times over changes nothing', () => {
    const rows = drawn(300);
    const crowded = [...rows, ...rows.filter(({ set }) => set === 's1').flatMap((row) => [row, row, row])];
    const [plain, many] = [fitFusion(rows, 'weights'), fitFusion(crowded, 'weights')];
    near(many.weights.one as number, plain.weights.one as number);
    near(many.calibration.slopeAbove, plain.calibration.slopeAbove);
  });

  it('refuses an empty class and a missing feature', () => {
    const rows = drawn(30);
    const people = rows.filter(({ bonaFide }) => bonaFide);
    for (const fitted of ['weights', 'calibration'] as const) {
      assert.throws(() => fitFusion([], fitted), /^RangeError: A fit needs at least one/);
      assert.throws(() => fitFusion(people, fitted), /^RangeError: A fit needs at least one/);
    }
    const gap = rows.map((row, i) => (i === 7 ? { ...row, features: { one: 1, two: 1 } } : row));
    assert.throws(() => fitFusion(gap as FusionRow[], 'weights'), /A row without a score cannot be fitted/);
  });
});

describe('fitLogistic', () => {
  it('shrinks its weights with the penalty', () => {
    const rows = drawn(300).map((row) => ({ ...row, features: [row.features.one as number], weight: 1 }));
    const size = (l2: number) => Math.abs(fitLogistic(rows, l2).weights[0] as number);
    assert.ok(size(0) > size(0.1) && size(0.1) > size(1));
  });
});

describe('crossValidate', () => {
  it('judges every set by a fit on the others', () => {
    const rows = drawn(120);
    const { scores, leftOut } = crossValidate(rows, 'weights');
    assert.equal(leftOut, 'set');
    const fusion = fitFusion(
      rows.filter(({ set }) => set !== 's1'),
      'weights',
    );
    for (const [i, row] of rows.entries()) {
      if (row.set === 's1') assert.equal(scores[i], fusedScore(fusion, row.features));
    }
  });

  it('does not hear of the labels of the set it judges', () => {
    const rows = drawn(120);
    const turned = rows.map((row) => (row.set === 's2' ? { ...row, bonaFide: !row.bonaFide } : row));
    const of = (own: FusionRow[]) => {
      const { scores, accepted } = crossValidate(own, 'weights');
      return own.map((_, i) => [scores[i], accepted[i]]).filter((_, i) => own[i]?.set === 's2');
    };
    assert.deepEqual(of(turned), of(rows));
  });

  it('leaves out groups, whole, where only one set has attacks', () => {
    const rows = drawn(60).map((row, i) => ({
      ...row,
      set: row.bonaFide ? row.set : 's0',
      group: `g${i % 20}-${row.bonaFide}`,
    }));
    const first = rows[0] as FusionRow;
    const isOfIt = ({ set, group }: FusionRow) => set === first.set && group === first.group;
    const turned = rows.map((row) =>
      isOfIt(row) ? { ...row, features: { one: 9, two: 9, noise: 9 } } : row,
    );
    const [before, after] = [crossValidate(rows, 'weights'), crossValidate(turned, 'weights')];
    assert.equal(before.leftOut, 'group');
    // About a fifth of the others share its part, and are judged without it; the rest are judged with it.
    const others = rows.filter((row) => !isOfIt(row)).length;
    const same = rows.filter((row, i) => !isOfIt(row) && before.scores[i] === after.scores[i]).length;
    assert.ok(same > others / 10 && same < others / 3, `${same} of ${others}`);
  });

  it('leaves both classes in every fit where people and the attacks on them are one group', () => {
    const row = (bonaFide: boolean, i: number): FusionRow => {
      return { bonaFide, set: 's', group: `p${i}`, features: { one: (bonaFide ? 1 : -1) + i / 10 } };
    };
    const people = [0, 1, 2, 3, 4, 5].map((i) => row(true, i));
    // Any two of six: those five apart must not be left out together.
    for (const [one, other] of people.flatMap((_, i) => people.slice(0, i).map((__, j) => [i, j] as const))) {
      const { leftOut, scores } = crossValidate(
        [...people, row(false, one), row(false, other)],
        'calibration',
      );
      assert.equal(leftOut, 'group');
      assert.equal(scores.filter(Number.isFinite).length, 8);
    }
  });

  it('is refused where nothing can be left out', () => {
    const rows = drawn(40).map((row) => ({ ...row, set: 's', group: String(row.bonaFide) }));
    assert.throws(() => crossValidate(rows, 'weights'), /^RangeError: Nothing can be left out/);
  });
});

describe('calibrate', () => {
  const rows = parseScores(drawScores(5), 'drawn.csv');

  it('writes what a fit finds, and points whose rates are those of its own scores', () => {
    const { calibration } = calibrate(rows, run, 'calibration');
    const own = fusionRows(rows, 'calibration');
    const fusion = fitFusion(own, 'calibration').calibration;
    for (const name of ['slopeBelow', 'slopeAbove', 'intercept'] as const) {
      near(calibration.calibration[name], fusion[name], 1e-4);
    }
    assert.deepEqual(calibration.liveness, run.liveness);
    const { scores } = crossValidate(own, 'calibration');
    const { weak, balanced, strict } = calibration.operatingPoints;
    assert.ok(weak.threshold <= balanced.threshold && balanced.threshold <= strict.threshold);
    for (const { threshold, apcer, bpcer } of [weak, balanced, strict]) {
      const rates = decisionRates(
        weighPresentations(own).map((row, i) => ({
          ...row,
          accepted: (scores[i] as number) >= threshold,
        })),
      );
      near(apcer, rates.maxApcer as number, 1e-4);
      near(bpcer, rates.bpcer as number, 1e-4);
    }
  });

  it('fits the members\u2019 weights where it is asked to', () => {
    const { calibration } = calibrate(rows, run, 'weights');
    assert.deepEqual(
      calibration.liveness.map(({ model }) => model),
      ['drawn-net', 'other-net'],
    );
    const own = fusionRows(rows, 'weights');
    near(
      calibration.liveness[1]?.weight as number,
      fitFusion(own, 'weights').weights['other-net'] as number,
      1e-4,
    );
    near(calibration.calibration.slopeBelow, fitFusion(own, 'weights').calibration.slopeBelow, 1e-4);
  });

  it('does not hang a threshold on a species of one group', () => {
    // One mask that is taken for live with all certainty, beside attacks that are not.
    const [first] = rows.filter(({ bonaFide, face }) => !bonaFide && face !== undefined);
    const rare = { ...(first as (typeof rows)[0]), file: 'rare.jpg', group: 'rare', species: 'wax' };
    const fooled = [
      ...rows,
      { ...rare, face: { ...(rare.face as NonNullable<typeof rare.face>), logOdds: 9 } },
    ];
    const { calibration } = calibrate(fooled, run, 'calibration');
    assert.ok(calibration.operatingPoints.balanced.apcer < 0.5, 'APCER is 1 at every threshold if it counts');
    const many = Array.from({ length: 5 }, (_, i) => ({
      ...(fooled.at(-1) as (typeof rows)[0]),
      group: `rare-${i}`,
    }));
    assert.equal(calibrate([...rows, ...many], run, 'calibration').calibration.operatingPoints.weak.apcer, 1);
  });

  it('says so where no threshold keeps APCER at 1 %', () => {
    // The highest score of all is an attack's.
    const fooled = rows.map((row, i) =>
      i === rows.findLastIndex(({ bonaFide, face }) => !bonaFide && face !== undefined) && row.face
        ? { ...row, face: { ...row.face, logOdds: 50 } }
        : row,
    );
    const { notes, calibration } = calibrate(fooled, run, 'calibration');
    assert.match(notes[0] as string, /^No threshold short of refusing everybody keeps APCER at 1 %/);
    assert.ok(calibration.operatingPoints.strict.apcer > 0.01);
  });

  it('says so where there are too few groups to rely on', () => {
    const notesOf = (times: number) => {
      const again = Array.from({ length: times }, (_, i) =>
        rows.map((row) => ({ ...row, group: `${row.group}-${i}` })),
      );
      return calibrate(again.flat(), run, 'calibration').notes.filter((note) => note.startsWith('Fitted to'));
    };
    assert.match(
      notesOf(1)[0] as string,
      /^Fitted to \d+ groups of people and \d+ of attacks: too few to rely on\./,
    );
    assert.deepEqual(notesOf(4), []);
  });

  it('refuses scores that say the opposite of the labels', () => {
    const turned = rows.map((row) => ({ ...row, bonaFide: !row.bonaFide, species: undefined }));
    assert.throws(() => calibrate(turned, run, 'calibration'), /higher for attacks than for people/);
  });

  it('needs the members\u2019 columns to fit their weights', () => {
    const bare = rows.map((row) => (row.face ? { ...row, face: { ...row.face, members: {} } } : row));
    assert.throws(() => calibrate(bare, run, 'weights'), /no weights to fit/);
  });
});

describe('a calibration file', () => {
  it('takes the place of the profile\u2019s own, and only of that profile with those weights', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'calibration-'));
    t.after(() => rm(folder, { recursive: true }));
    const registry = await loadRegistry(folder);
    const standard = registry.profile('standard');
    const own = {
      ...calibrate(parseScores(drawScores(5), 'drawn.csv'), run, 'calibration').calibration,
      profile: 'standard',
      models: Object.fromEntries(standard.models.map(({ id, sha256 }) => [id, sha256])),
      settings: digestSettings(standard.models),
      liveness: standard.profile.liveness.map(({ model }) => ({ model, weight: 2 })),
    };
    const path = join(folder, 'calibration.json');
    await writeFile(path, JSON.stringify(own));
    const loaded = await loadCalibration(path);
    const { profile, liveness, calibrationSha256 } = applyCalibration(standard, loaded, path);
    assert.equal(calibrationSha256, createHash('sha256').update(JSON.stringify(own)).digest('hex'));
    assert.deepEqual(profile.calibration, own.calibration);
    assert.deepEqual(profile.operatingPoints, own.operatingPoints);
    assert.deepEqual([profile.liveness[0]?.weight, liveness[0]?.weight], [2, 2]);

    const refused = (change: object, sentence: RegExp) =>
      assert.throws(() => applyCalibration(standard, { ...loaded, ...change }, 'c.json'), sentence);
    refused(
      { profile: 'accurate' },
      /^DescriptorError: c\.json is a calibration of the profile accurate, and standard is in use\. Set BONAFIDE_PROFILE=accurate/,
    );
    refused(
      { models: { ...own.models, 'minifas-128-head': 'f'.repeat(64) } },
      /other weights of minifas-128-head than the profile standard has\. Fit it again/,
    );
    refused({ models: { ...own.models, more: 'f'.repeat(64) } }, /with other models than/);
    refused({ settings: 'e'.repeat(64) }, /said otherwise of preprocessing or outputs/);
    refused({ liveness: [] }, /c\.json weighs , and the profile standard has minifas-128-head/);

    await writeFile(path, JSON.stringify({ ...own, calibration: { slope: 1, intercept: 0 } }));
    await assert.rejects(loadCalibration(path), /^DescriptorError: calibration\.json: \/calibration/);
    const { weak, balanced, strict } = own.operatingPoints;
    const turned = { weak: { ...weak, threshold: 1 }, balanced, strict };
    await writeFile(path, JSON.stringify({ ...own, operatingPoints: turned }));
    await assert.rejects(
      loadCalibration(path),
      /^DescriptorError: calibration\.json: \/operatingPoints must have thresholds that rise/,
    );
    await writeFile(path, '{');
    await assert.rejects(loadCalibration(path), /^DescriptorError: calibration\.json is not JSON/);
  });
});

describe('digestSettings', () => {
  it('is moved by what moves a score, and by nothing else', async () => {
    const { models } = (await loadRegistry('absent')).profile('standard');
    const own = digestSettings(models);
    const turned = models.map((model) => Object.fromEntries(Object.entries(model).reverse()) as typeof model);
    assert.equal(digestSettings(turned), own);
    assert.equal(digestSettings(models.map((model) => ({ ...model, title: 'Other' }))), own);
    const kernel = models.map((model) => ({
      ...model,
      input: { ...model.input, resample: 'triangle' as const },
    }));
    assert.notEqual(digestSettings(kernel), own);
  });
});

describe('the bootstrap', () => {
  const people = (count: number, frames: number) =>
    Array.from({ length: count * frames }, (_, i) => ({
      bonaFide: true,
      set: 's',
      group: `g${Math.floor(i / frames)}`,
      wrong: Math.floor(i / frames) % 4 === 0,
    }));
  const share = (rows: ReturnType<typeof people>) => (weights: Weights) => ({
    wrong: rows.reduce((sum, row, i) => sum + (row.wrong ? (weights[i] as number) : 0), 0),
  });

  it('is as wide as theory has it for as many people, however many frames each has', () => {
    for (const frames of [1, 12]) {
      const rows = people(100, frames);
      const { wrong } = new Bootstrap(rows, 4000, 1).estimate(rows, 'sets', share(rows));
      near(wrong?.value as number, 0.25);
      const half = 1.96 * Math.sqrt((0.25 * 0.75) / 100);
      near(wrong?.low as number, 0.25 - half, 0.012);
      near(wrong?.high as number, 0.25 + half, 0.012);
    }
  });

  it('draws the same with the same seed, and otherwise with another', () => {
    const rows = people(30, 1);
    const of = (seed: number) => new Bootstrap(rows, 50, seed).replicate(rows, 'sets', share(rows)).draws;
    assert.deepEqual(of(4), of(4));
    assert.notDeepEqual(of(4), of(5));
  });

  it('lets every set count alike in every draw, though it has ten times the groups', () => {
    const rows = [...people(100, 1), ...people(10, 1).map((row) => ({ ...row, set: 't', wrong: true }))];
    const { value, draws } = new Bootstrap(rows, 50, 1).replicate(rows, 'sets', (weights) => ({
      t: weights.reduce((sum, weight, i) => sum + (rows[i]?.set === 't' ? weight : 0), 0),
      s: weights.reduce((sum, weight, i) => sum + (rows[i]?.set === 's' ? weight : 0), 0),
    }));
    for (const { s, t } of [value, ...draws]) {
      near(s as number, 1);
      near(t as number, 1);
    }
  });

  it('says nothing where there is one group, and gives the exact bound where none was wrong', () => {
    const rows = people(1, 5);
    const { wrong } = new Bootstrap(rows, 50, 1).estimate(rows, 'sets', share(rows));
    assert.deepEqual([wrong?.low, wrong?.high], [null, null]);
    assert.deepEqual(interval([undefined, undefined]), { low: null, high: null });
    const none = { value: 0, low: null, high: null };
    // 97.5 % of the time at least one of 10 groups errs where each does so with a chance of 30.8 %.
    near(withExactBound(none, 10).high as number, 0.3085, 1e-4);
    assert.equal(withExactBound({ ...none, value: 1 }, 10).high, 1);
    near(withExactBound({ ...none, value: 1 }, 10).low as number, 1 - 0.3085, 1e-4);
    assert.deepEqual(withExactBound({ ...none, value: 0.5 }, 1), { ...none, value: 0.5 });
    assert.deepEqual(withExactBound(none, 0), none);
  });
});
