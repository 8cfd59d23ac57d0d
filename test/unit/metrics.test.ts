/** Error rates, calibration and operating points, against figures worked out by hand. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitLogistic } from '../../src/evaluation/logistic.ts';
import {
  areaOf,
  bpcerAtApcer,
  chooseOperatingPoints,
  decisionRates,
  equalErrorRate,
  expectedCalibrationError,
  type Presentation,
  reliability,
  roundThreshold,
  sweepThresholds,
  weighPresentations,
} from '../../src/evaluation/metrics.ts';

const live = (score: number, weight = 1): Presentation => ({ score, bonaFide: true, weight });
const attack = (score: number, species?: string, weight = 1): Presentation => ({
  score,
  bonaFide: false,
  species,
  weight,
});

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

/** Platt's method: the fit of one feature. */
function fitCalibration(presentations: readonly Presentation[]): { slope: number; intercept: number } {
  const { weights, intercept } = fitLogistic(
    presentations.map(({ score, ...row }) => ({ ...row, features: [score] })),
    0,
  );
  return { slope: weights[0] as number, intercept };
}

const areaUnderCurve = (presentations: readonly Presentation[]) => areaOf(sweepThresholds(presentations));

/** Rates at each threshold, as rows that are easy to read. */
function sweep(presentations: readonly Presentation[]): number[][] {
  return sweepThresholds(presentations).map(({ threshold, apcer, maxApcer, bpcer }) =>
    [threshold, apcer, maxApcer, bpcer].map((value) =>
      Number.isFinite(value) ? Math.round(value * 1e6) / 1e6 : value,
    ),
  );
}

describe('sweepThresholds', () => {
  it('rejects what is below the threshold and passes what is at it', () => {
    assert.deepEqual(sweep([live(3), attack(1, 'print'), live(2), attack(2.5, 'print')]), [
      [1, 1, 1, 0],
      [2, 0.5, 0.5, 0],
      [2.5, 0.5, 0.5, 0.5],
      [3, 0, 0, 0.5],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ]);
  });

  it('moves equal scores together', () => {
    assert.deepEqual(sweep([live(1), attack(1), live(1), attack(1), live(2)]), [
      [1, 1, 1, 0],
      [2, 0, 0, 0.666667],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ]);
  });

  it('takes the highest rate of any species', () => {
    const presentations = [
      live(5),
      attack(0, 'print'),
      attack(1, 'print'),
      attack(2, 'print'),
      attack(3, 'mask'),
    ];
    assert.deepEqual(sweep(presentations), [
      [0, 1, 1, 0],
      [1, 0.75, 1, 0],
      [2, 0.5, 1, 0],
      [3, 0.25, 1, 0],
      [5, 0, 0, 0],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ]);
  });

  it('counts attacks of unknown make among all attacks, not as a species', () => {
    assert.deepEqual(sweep([live(5), attack(1, 'print'), attack(3)]), [
      [1, 1, 1, 0],
      [3, 0.5, 0, 0],
      [5, 0, 0, 0],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ]);
  });

  it('takes all attacks for one species where the make of none is known', () => {
    assert.deepEqual(sweep([live(5), attack(1), attack(3)]), [
      [1, 1, 1, 0],
      [3, 0.5, 0.5, 0],
      [5, 0, 0, 0],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ]);
  });

  it('counts weights, of which only the shares matter', () => {
    const presentations = [live(1, 3), live(4, 1), attack(0, 'print', 0.5), attack(2, 'print', 1.5)];
    const expected = [
      [0, 1, 1, 0],
      [1, 0.75, 0.75, 0],
      [2, 0.75, 0.75, 0.75],
      [4, 0, 0, 0.75],
      [Number.POSITIVE_INFINITY, 0, 0, 1],
    ];
    assert.deepEqual(sweep(presentations), expected);
    assert.deepEqual(sweep(presentations.map((row) => ({ ...row, weight: row.weight * 7 }))), expected);
  });

  it('leaves its input as it was', () => {
    const presentations = [live(3), attack(1), live(2)];
    sweepThresholds(presentations);
    assert.deepEqual(
      presentations.map(({ score }) => score),
      [3, 1, 2],
    );
  });

  it('is refused where a class is empty or weighs nothing', () => {
    for (const rows of [
      [],
      [live(1)],
      [attack(1)],
      [live(1), attack(1, 'print', 0)],
      [live(1, 0), attack(1)],
    ]) {
      assert.throws(() => sweepThresholds(rows), RangeError);
      assert.throws(() => equalErrorRate(rows), RangeError);
      assert.throws(() => chooseOperatingPoints(rows), RangeError);
      assert.throws(() => fitCalibration(rows), RangeError);
    }
  });

  it('is refused where a score is not a number', () => {
    const rows = [live(1), live(Number.NaN), attack(0)];
    assert.throws(() => sweepThresholds(rows), RangeError);
    assert.throws(() => fitCalibration(rows), RangeError);
  });
});

describe('equalErrorRate', () => {
  it('is 0 where a threshold tells all apart, 1 where it would have to be turned round', () => {
    assert.equal(equalErrorRate([live(2), live(3), attack(0), attack(1)]), 0);
    assert.equal(equalErrorRate([live(0), live(1), attack(2), attack(3)]), 1);
  });

  it('is one in four where one of four each is on the wrong side', () => {
    const rows = [0, 4, 5, 6].map((score) => live(score)).concat([1, 2, 3, 7].map((score) => attack(score)));
    near(equalErrorRate(rows), 0.25);
  });

  it('is the mean where no threshold makes both rates equal', () => {
    // At 2: one of three attacks passes, none of two is rejected. At 3: none passes, one of two is rejected.
    const rows = [live(2), live(4), attack(0), attack(1), attack(2)];
    near(equalErrorRate(rows), (1 / 3 + 0) / 2);
  });

  it('is one half where all scores are equal', () => {
    near(equalErrorRate([live(1), live(1), attack(1)]), 0.5);
  });

  it('counts a weight of two like two presentations', () => {
    const rows = [live(0), live(4), live(5), live(5), attack(1), attack(1), attack(2), attack(6)];
    const weighed = [live(0), live(4), live(5, 2), attack(1, undefined, 2), attack(2), attack(6)];
    near(equalErrorRate(rows), 0.25);
    near(equalErrorRate(weighed), 0.25);
    assert.ok(Math.abs(equalErrorRate(weighed.map((row) => ({ ...row, weight: 1 }))) - 0.25) > 0.01);
  });

  it('hangs on the order of the scores alone', () => {
    const rows = [live(-1), live(0.2), live(3), attack(-3), attack(0.1), attack(0.4)];
    const stretched = rows.map((row) => ({ ...row, score: Math.exp(row.score) * 1000 }));
    assert.equal(equalErrorRate(stretched), equalErrorRate(rows));
  });
});

describe('weighPresentations', () => {
  const row = (set: string, group: string, bonaFide: boolean) => ({ set, group, bonaFide });
  const rows = [
    row('video', 'a', true),
    row('video', 'a', true),
    row('video', 'a', true),
    row('video', 'b', true),
    row('video', 'a', false),
    row('people', 'a', true),
  ];
  const weights = weighPresentations(rows).map(({ weight }) => weight);

  it('weighs frames alike within their group, groups within their set, and sets within their class', () => {
    for (const [i, expected] of [1 / 6, 1 / 6, 1 / 6, 1 / 2, 1, 1].entries()) {
      near(weights[i] as number, expected);
    }
  });

  it('takes neither groups of one name in two sets nor the two classes of a group together', () => {
    near(weights[5] as number, 1);
    near(weights[4] as number, 1);
  });

  it('keeps everything else of a row', () => {
    assert.deepEqual(weighPresentations([{ ...row('s', 'g', true), score: 7 }]), [
      { set: 's', group: 'g', bonaFide: true, score: 7, weight: 1 },
    ]);
  });
});

describe('fitCalibration', () => {
  /** Both classes on a grid of scores, weighed exactly as a calibration of this slope and intercept would have it. */
  function drawn(slope: number, intercept: number): Presentation[] {
    const grid = Array.from({ length: 161 }, (_, i) => (i - 80) / 10);
    const p = (score: number) => 1 / (1 + Math.exp(-(slope * score + intercept)));
    // The density of scores is chosen so that both classes weigh the same, which is what the fit assumes.
    const density = (score: number) => Math.exp(-0.5 * (score + intercept / slope) ** 2);
    return grid.flatMap((score) => [
      live(score, density(score) * p(score)),
      attack(score, undefined, density(score) * (1 - p(score))),
    ]);
  }

  for (const [slope, intercept] of [
    [1, 0],
    [0.5, 1],
    [2.5, -3],
    [-1, 0.5],
  ] as const) {
    it(`finds slope ${slope} and intercept ${intercept} again`, () => {
      const found = fitCalibration(drawn(slope, intercept));
      near(found.slope, slope, 0.001 * Math.abs(slope));
      near(found.intercept, intercept, 0.001);
    });
  }

  it('weighs both classes alike, however many there are of each', () => {
    const rows = drawn(1, 0.5);
    const crowded = rows.map((row) => ({ ...row, weight: row.bonaFide ? row.weight * 50 : row.weight }));
    near(fitCalibration(crowded).slope, fitCalibration(rows).slope, 1e-6);
    near(fitCalibration(crowded).intercept, fitCalibration(rows).intercept, 1e-6);
  });

  it('gives one half where the scores say nothing', () => {
    const { slope, intercept } = fitCalibration([live(1), live(2), attack(1), attack(2)]);
    near(slope, 0, 1e-6);
    near(intercept, 0, 1e-6);
  });

  it('stays finite on data that a threshold tells apart, where the true optimum is a step', () => {
    const rows = [live(3), live(4), attack(1), attack(2)];
    const { slope, intercept } = fitCalibration(rows);
    assert.ok(Number.isFinite(slope) && Number.isFinite(intercept), `${slope}, ${intercept}`);
    const p = (score: number) => 1 / (1 + Math.exp(-(slope * score + intercept)));
    assert.ok(slope > 0 && p(2) < 0.01 && p(3) > 0.99, `${slope}, ${intercept}`);
  });

  it('stays finite where one score is all there is', () => {
    const { slope, intercept } = fitCalibration([live(5), attack(5)]);
    assert.ok(Number.isFinite(slope) && Number.isFinite(intercept), `${slope}, ${intercept}`);
    near(slope * 5 + intercept, 0, 1e-6);
  });

  it('copes with scores far from zero', () => {
    const { slope, intercept } = fitCalibration(
      drawn(1, 0).map((row) => ({ ...row, score: row.score * 100 + 5000 })),
    );
    near(slope, 0.01, 1e-4);
    near(intercept, -50, 0.5);
  });
});

describe('chooseOperatingPoints', () => {
  /** 200 live scores 1 ... 200 with attacks of two kinds among them. */
  const people = Array.from({ length: 200 }, (_, i) => live(i + 1));
  const prints = Array.from({ length: 100 }, (_, i) => attack(i * 0.5 - 0.25, 'print'));
  const masks = Array.from({ length: 10 }, (_, i) => attack(i * 2 - 0.25, 'mask'));
  const points = chooseOperatingPoints([...people, ...prints, ...masks]);

  it('weak turns away at most one person in a hundred and lets the fewest attacks through', () => {
    // Threshold 3 turns two of 200 away. Of the prints, -0.25 ... 49.25, those from 3.25 on pass: 93. Masks: 8 of 10.
    assert.equal(points.weak.threshold, 3);
    near(points.weak.bpcer, 0.01);
    near(points.weak.maxApcer, 0.93);
  });

  it('balanced makes the mean of both rates least', () => {
    // From 49.25 on no print is left to keep out, and every threshold further up turns one more person away.
    assert.equal(points.balanced.threshold, 50);
    near(points.balanced.maxApcer, 0);
    near(points.balanced.bpcer, 49 / 200);
  });

  it('strict lets at most one in a hundred of each species through and turns the fewest people away', () => {
    // One print in a hundred may pass: the best of them, 49.25.
    assert.equal(points.strict.threshold, 49);
    near(points.strict.maxApcer, 0.01);
    near(points.strict.bpcer, 48 / 200);
  });

  it('hangs on the worst species, not on the most frequent', () => {
    const few = chooseOperatingPoints([...people, ...prints, attack(150.5, 'mask')]);
    assert.equal(few.strict.threshold, 151);
    assert.equal(few.strict.maxApcer, 0);
  });

  it('keeps attacks out where the make of none is known', () => {
    const unknown = prints.map(({ score }) => attack(score));
    assert.equal(chooseOperatingPoints([...people, ...unknown]).strict.threshold, 49);
  });
});

describe('bpcerAtApcer', () => {
  const people = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((score) => live(score));
  const prints = Array.from({ length: 20 }, (_, i) => attack(i / 2 - 0.25, 'print'));

  it('is the lowest BPCER whose worst species is within the limit', () => {
    // Of 20 prints, -0.25 ... 9.25, one may pass at 5 %: from 9 on, 8 of 10 people are turned away.
    near(bpcerAtApcer(sweepThresholds([...people, ...prints]), 0.05), 0.8);
    near(bpcerAtApcer(sweepThresholds([...people, ...prints]), 0.1), 0.8);
    near(bpcerAtApcer(sweepThresholds([...people, ...prints]), 0), 0.9);
    near(bpcerAtApcer(sweepThresholds([...people, ...prints]), 1), 0);
  });

  it('hangs on the worst species', () => {
    near(bpcerAtApcer(sweepThresholds([...people, ...prints, attack(20, 'mask')]), 0.1), 1);
  });

  it('is not moved by what sums of weights are off by', () => {
    const thirds = prints.map((row) => ({ ...row, weight: 1 / 3 }));
    near(bpcerAtApcer(sweepThresholds([...people, ...thirds]), 0.05), 0.8);
  });
});

describe('areaUnderCurve', () => {
  it('is 1, 0 and one half where scores tell all, the opposite, and nothing', () => {
    assert.equal(areaUnderCurve([live(2), attack(1)]), 1);
    assert.equal(areaUnderCurve([live(1), attack(2)]), 0);
    assert.equal(areaUnderCurve([live(1), attack(1)]), 0.5);
  });

  it('counts pairs, a tie by half', () => {
    // 3 beats 1 and 2; 2 beats 1 and ties with 2: 3.5 of 4.
    near(areaUnderCurve([live(3), live(2), attack(1), attack(2)]), 3.5 / 4);
  });

  it('weighs pairs', () => {
    // The person of weight 3 loses, that of weight 1 wins.
    near(areaUnderCurve([live(0, 3), live(2), attack(1)]), 0.25);
  });

  it('is refused where a class is empty', () => {
    assert.throws(() => areaUnderCurve([live(1)]), RangeError);
  });
});

describe('decisionRates', () => {
  const decided = (bonaFide: boolean, accepted: boolean, species?: string, weight = 1) => ({
    bonaFide,
    accepted,
    species,
    weight,
  });

  it('counts errors by class and by species', () => {
    const { species, ...rates } = decisionRates([
      ...[true, true, true, false].map((accepted) => decided(true, accepted)),
      ...[true, false].map((accepted) => decided(false, accepted, 'print')),
      ...[false, false, false].map((accepted) => decided(false, accepted, 'mask')),
      // Of unknown make: among all attacks, and no species.
      ...[true, true, true].map((accepted) => decided(false, accepted)),
    ]);
    assert.deepEqual(
      [...species],
      [
        ['print', 0.5],
        ['mask', 0],
      ],
    );
    assert.deepEqual(rates, { apcer: 0.5, maxApcer: 0.5, bpcer: 0.25, acer: 0.375, hter: 0.375 });
  });

  it('leaves out what there is no presentation for', () => {
    assert.deepEqual(decisionRates([]), { species: new Map() });
    assert.deepEqual(decisionRates([decided(true, false)]), { bpcer: 1, species: new Map() });
    assert.deepEqual(decisionRates([decided(false, true)]), { apcer: 1, maxApcer: 1, species: new Map() });
  });

  it('counts weights, and nothing of weight 0', () => {
    const { apcer, species } = decisionRates([
      decided(false, true, 'print', 3),
      decided(false, false, 'print', 1),
      decided(false, true, 'mask', 0),
    ]);
    assert.equal(apcer, 0.75);
    assert.deepEqual([...species], [['print', 0.75]]);
  });
});

describe('reliability', () => {
  it('compares what was said with what was true, both classes weighed alike', () => {
    // Two people and one attack: each person weighs a quarter, the attack a half.
    const bins = reliability([live(0.85), live(1), attack(0.81)], 10);
    assert.deepEqual(
      bins.map(({ from, to }) => [from, to]),
      [
        [0.8, 0.9],
        [0.9, 1],
      ],
    );
    const [low, high] = bins as [(typeof bins)[0], (typeof bins)[0]];
    near(low.mass, 0.75);
    near(low.mean, (0.85 * 0.25 + 0.81 * 0.5) / 0.75);
    near(low.live, 1 / 3);
    assert.deepEqual([high.mass, high.mean, high.live], [0.25, 1, 1]);
    near(expectedCalibrationError(bins), 0.75 * (low.mean - 1 / 3));
  });

  it('is without error where as many are live as was said', () => {
    const rows = [live(0.75, 3), attack(0.75, undefined, 1), live(0.25, 1), attack(0.25, undefined, 3)];
    near(expectedCalibrationError(reliability(rows, 10)), 0);
  });

  it('is refused for what is no probability', () => {
    assert.throws(() => reliability([live(1.2), attack(0)], 10), RangeError);
    assert.throws(() => reliability([live(-0.1), attack(0)], 10), RangeError);
  });
});

describe('a chosen threshold', () => {
  it('is never one that refuses everybody, even where only that keeps APCER at 1 %', () => {
    const { strict } = chooseOperatingPoints([live(1), live(2), attack(3, 'print'), attack(0, 'print')]);
    assert.deepEqual([strict.met, strict.threshold, strict.maxApcer], [false, 1, 0.5]);
  });

  it('has few digits, and parts the scores as it did', () => {
    assert.equal(roundThreshold(0.5234567, [0.1, 0.5221, 0.5234567, 0.9]), 0.523);
    assert.equal(roundThreshold(0.98765, [0.2, 0.98765]), 0.593);
    for (const [below, above] of [
      [0.5, 0.5000001],
      [0, 1e-7],
      [0.999999, 1],
      [0.25, 0.75],
    ] as const) {
      const rounded = roundThreshold(above, [below, above, 1]);
      assert.ok(rounded > below && rounded <= above, `${below} < ${rounded} <= ${above}`);
    }
  });
});
