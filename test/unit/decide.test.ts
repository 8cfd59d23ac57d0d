/** Several models' log-odds to one probability, and the probability to verdicts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide, fuse } from '../../src/liveness/decide.ts';
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
    calibration: { slope: 2, intercept: -1 },
    operatingPoints: {
      weak: { threshold: 0.2, ...rates },
      balanced: { threshold: 0.5, ...rates },
      strict: { threshold: 0.9, ...rates },
    },
    ...change,
  };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe('fuse', () => {
  it('adds the weighed log-odds before it calibrates', () => {
    assert.equal(fuse([0.75, 0.5], profile()), sigmoid(2 * (0.75 + 0.25) - 1));
    assert.equal(fuse([0.25, 0.5], profile()), 0.5);
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
