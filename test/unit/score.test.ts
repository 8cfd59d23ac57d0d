/** A liveness model's raw numbers as log-odds of "live". */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveLogOdds, logOdds } from '../../src/liveness/score.ts';
import { models } from '../../src/models/catalog.ts';
import type { LivenessDescriptor } from '../../src/models/descriptor.ts';

const logits = { live: 0, values: 'logits' } as const;
const probabilities = { live: 0, values: 'probabilities' } as const;

function softmax(values: readonly number[]): number[] {
  const exponentials = values.map((value) => Math.exp(value));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

describe('log-odds', () => {
  it('of two logits are their difference', () => {
    near(liveLogOdds(Float32Array.of(3, 1), logits), 2);
    near(liveLogOdds(Float32Array.of(3, 1), { ...logits, live: 1 }), -2);
  });

  it('of more logits set the live class against all others together', () => {
    near(liveLogOdds(Float32Array.of(2, 1, 1), logits), 1 - Math.log(2));
    near(liveLogOdds(Float32Array.of(0, 0, 0), logits), -Math.log(2));
    near(liveLogOdds(Float32Array.of(1, 5, 0), { ...logits, live: 1 }), 5 - Math.log(Math.E + 1));
  });

  it('of a probability are those of that class', () => {
    near(liveLogOdds(Float32Array.of(0.75, 0.25), probabilities), Math.log(3));
    near(liveLogOdds(Float32Array.of(0.2, 0.5, 0.3), { ...probabilities, live: 2 }), Math.log(0.3 / 0.7));
    near(liveLogOdds(Float32Array.of(0.5), probabilities), 0);
  });

  it('are the same from both exports of a model', () => {
    const outputs = [
      [1.5, -0.5, 0.25],
      [-4, 3, 2],
      [5, -2, -3],
    ];
    for (const values of outputs) {
      for (const live of [0, 1, 2]) {
        near(
          liveLogOdds(Float32Array.from(values), { live, values: 'logits' }),
          liveLogOdds(Float32Array.from(softmax(values)), { live, values: 'probabilities' }),
          1e-3,
        );
      }
    }
  });

  it('stay finite, and the same from both exports, where a model is certain', () => {
    const bound = Math.log((1 - 0.0025) / 0.0025);
    near(liveLogOdds(Float32Array.of(1, 0, 0), probabilities), bound);
    near(liveLogOdds(Float32Array.of(0, 1, 0), probabilities), -bound);
    near(liveLogOdds(Float32Array.of(500, 0, 0), logits), bound);
    near(liveLogOdds(Float32Array.of(-500, 0, 0), logits), -bound);
    // Beyond what an exponential of a double can hold.
    near(liveLogOdds(Float32Array.of(0, 1000, 1000), logits), -bound);
    near(liveLogOdds(Float32Array.of(2000, 1000, 1000), logits), bound);
  });

  it('do not overflow where all logits are large', () => {
    near(liveLogOdds(Float32Array.of(1002, 1001, 1001), logits), 1 - Math.log(2));
    near(liveLogOdds(Float32Array.of(-1000, -1001, -1001), logits), 1 - Math.log(2));
  });

  it('are refused where a value is not a number', () => {
    for (const output of [logits, probabilities]) {
      assert.throws(() => liveLogOdds(Float32Array.of(Number.NaN, 0, 0), output), /none usable/);
      assert.throws(() => liveLogOdds(Float32Array.of(0, 0, Number.NaN), output), /none usable/);
      assert.throws(() => liveLogOdds(Float32Array.of(1, Number.POSITIVE_INFINITY), output), /none usable/);
    }
  });

  it('are refused where the model has no such class', () => {
    assert.throws(() => liveLogOdds(Float32Array.of(1, 2), { ...logits, live: 2 }), /2 values.*index 2/);
    assert.throws(() => liveLogOdds(Float32Array.of(), probabilities), /none usable/);
  });

  it('are refused where one raw score has nothing to be set against', () => {
    assert.throws(() => liveLogOdds(Float32Array.of(-3), logits), /none usable/);
  });

  it('come from the only output of the model, whatever its name', async () => {
    const descriptor = models.find(({ id }) => id === 'minifas-128') as LivenessDescriptor;
    const input = new Float32Array(3);
    const seen: Float32Array[] = [];
    const session = {
      async run(values: Float32Array) {
        seen.push(values);
        return { 'any-name': Float32Array.of(1, 1, 1) };
      },
    };
    near(await logOdds(input, descriptor, session), -Math.log(2));
    assert.deepEqual(seen, [input]);
    await assert.rejects(logOdds(input, descriptor, { run: async () => ({}) }), /no output/);
  });

  it('are the mean over crop and mirror image where the model wants both', async () => {
    const base = models.find(({ id }) => id === 'minifas-128') as LivenessDescriptor;
    const descriptor = { ...base, mirrored: true, input: { ...base.input, width: 2, height: 1 } };
    const seen: number[][] = [];
    const session = {
      async run(values: Float32Array) {
        seen.push([...values]);
        return { out: Float32Array.of(values[0] as number, 0) };
      },
    };
    near(await logOdds(Float32Array.of(1, 3, 5, 7, 9, 11), descriptor, session), 2);
    assert.deepEqual(seen, [
      [1, 3, 5, 7, 9, 11],
      [3, 1, 7, 5, 11, 9],
    ]);
  });
});

describe('a linear head', () => {
  const head = { head: { weights: [2, -1, 0.5], intercept: 0.25 }, layer: 'any' };

  it('gives the weighed sum of the layer, and its intercept', () => {
    near(liveLogOdds(Float32Array.of(1, 2, 4), head), 2.25);
  });

  it('is bound as every model is', () => {
    near(liveLogOdds(Float32Array.of(1e6, 0, 0), head), Math.log((1 - 0.0025) / 0.0025));
    near(liveLogOdds(Float32Array.of(-1e6, 0, 0), head), -Math.log((1 - 0.0025) / 0.0025));
  });

  it('refuses a layer of another length, and what is no number', () => {
    assert.throws(() => liveLogOdds(Float32Array.of(1, 2), head), /2 values, and its head has 3/);
    assert.throws(() => liveLogOdds(Float32Array.of(1, 2, 4, 5), head), /4 values, and its head has 3/);
    assert.throws(() => liveLogOdds(Float32Array.of(1, Number.NaN, 4), head), /no number/);
  });
});
