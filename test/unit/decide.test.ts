/** Several models' log-odds to one probability, and the probability to verdicts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calibrated, decide, fuse, halves } from '../../src/liveness/decide.ts';
import { profiles } from '../../src/models/catalog.ts';
import type { ProfileDescriptor } from '../../src/models/descriptor.ts';

function profile(change: Partial<ProfileDescriptor> = {}): ProfileDescriptor {
  const rates = { apcer: 0, bpcer: 0 };
  return {
    id: 'own',
    title: 'Own',
    detector: 'any',
    liveness: [
      { model: 'one', weight: 1 },
      { model: 'two', weight: 0.5 },
    ],
    calibration: { slopeBelow: 2, slopeAbove: 2, intercept: -1 },
    operatingPoints: {
      weak: { threshold: 0.2, ...rates },
      balanced: { threshold: 0.5, ...rates },
      strict: { threshold: 0.9, ...rates },
    },
    ...change,
  };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, not ${expected}`);
}

describe('halves', () => {
  it('are the log-probabilities of both answers, by hand', () => {
    // e^s = 3: the odds are 3 to 1, so ln(3/4) below and -ln(1/4) above.
    const [below, above] = halves(Math.log(3));
    near(below, Math.log(3 / 4));
    near(above, Math.log(4));
    const [even, alike] = halves(0);
    near(even, -Math.LN2);
    near(alike, Math.LN2);
  });

  it('add up to the sum, each on its own side of 0, however far out', () => {
    for (const sum of [-1e6, -800, -6, -0.3, 0, 1e-9, 2, 6, 800, 1e6]) {
      const [below, above] = halves(sum);
      near((below + above) / Math.max(1, Math.abs(sum)), sum / Math.max(1, Math.abs(sum)));
      assert.ok(below <= 0 && above >= 0, `${sum}`);
    }
  });
});

describe('calibrated', () => {
  it('is the sigmoid with slopes of 1 and no intercept', () => {
    const plain = { slopeBelow: 1, slopeAbove: 1, intercept: 0 };
    for (const sum of [-6, -1.5, 0, 0.7, 6]) near(calibrated(sum, plain), sigmoid(sum));
  });

  it('follows a slope on each side, by hand', () => {
    const own = { slopeBelow: 2, slopeAbove: 0.5, intercept: Math.log(3) };
    // Odds of 3 x (1/2)^2 x 2^0.5 at 0, and of 3 x (3/4)^2 x 4^0.5 where e^s = 3.
    const at = (odds: number) => odds / (1 + odds);
    near(calibrated(0, own), at(0.75 * Math.SQRT2));
    near(calibrated(Math.log(3), own), at(3.375));
    near(calibrated(-Math.log(3), own), at(3 * (1 / 4) ** 2 * (4 / 3) ** 0.5));
  });

  it('never falls where the sum rises, and stays a probability far out', () => {
    for (const [slopeBelow, slopeAbove] of [
      [2.1, 0.3],
      [0.01, 5],
    ] as const) {
      const own = { slopeBelow, slopeAbove, intercept: 0.5 };
      const values = Array.from({ length: 2001 }, (_, i) => calibrated((i - 1000) / 50, own));
      assert.ok(values.every((value, i) => i === 0 || value >= (values[i - 1] as number)));
      assert.ok((values[1100] as number) > (values[900] as number));
      assert.equal(calibrated(-1e6, own), 0);
      assert.equal(calibrated(1e6, own), 1);
    }
  });
});

describe('fuse', () => {
  it('adds the weighed log-odds before it calibrates', () => {
    near(fuse([0.75, 0.5], profile()), sigmoid(2 * (0.75 + 0.25) - 1));
    near(fuse([0.25, 0.5], profile()), 0.5);
  });

  it('weighs each model by its own place', () => {
    assert.ok(fuse([1, 0], profile()) > fuse([0, 1], profile()));
  });

  it('leaves out a model of weight 0', () => {
    const liveness = [
      { model: 'one', weight: 1 },
      { model: 'two', weight: 0 },
    ];
    assert.equal(fuse([1, -13], profile({ liveness })), fuse([1, 13], profile({ liveness })));
  });

  it('stays a probability where the sum is far out', () => {
    assert.equal(fuse([-10_000, 0], profile()), 0);
    assert.equal(fuse([10_000, 0], profile()), 1);
  });

  it('rises with every log-odds in the profiles of the catalog', () => {
    for (const own of profiles) {
      const values = own.liveness.map(() => 0);
      for (const [i] of values.entries()) {
        assert.ok(fuse(values.with(i, 1), own) > fuse(values, own), `${own.id}, model ${i}`);
      }
    }
  });
});

describe('decide', () => {
  it('says live from the threshold on', () => {
    const verdicts = (pLive: number) => {
      const { weak, balanced, strict } = decide(pLive, profile());
      return [weak, balanced, strict].join(' ');
    };
    assert.equal(verdicts(0), 'attack attack attack');
    assert.equal(verdicts(0.2), 'live attack attack');
    assert.equal(verdicts(0.4999), 'live attack attack');
    assert.equal(verdicts(0.5), 'live live attack');
    assert.equal(verdicts(0.9), 'live live live');
    assert.equal(verdicts(1), 'live live live');
  });

  it('never says live of what is no number', () => {
    assert.deepEqual(decide(Number.NaN, profile()), {
      weak: 'attack',
      balanced: 'attack',
      strict: 'attack',
    });
  });

  it('gets stricter from point to point in the profiles of the catalog', () => {
    for (const { id, operatingPoints } of profiles) {
      const { weak, balanced, strict } = operatingPoints;
      assert.ok(weak.threshold < balanced.threshold && balanced.threshold < strict.threshold, id);
      assert.ok(weak.apcer > balanced.apcer && balanced.apcer > strict.apcer, id);
      assert.ok(weak.bpcer < balanced.bpcer && balanced.bpcer < strict.bpcer, id);
    }
  });
});
