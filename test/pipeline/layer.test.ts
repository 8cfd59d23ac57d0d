/** Reading a layer inside a real network: what a head of our own is given. */

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { models } from '../../src/models/catalog.ts';
import type { LivenessDescriptor } from '../../src/models/descriptor.ts';
import { onlyOutput, openSession } from '../../src/models/session.ts';
import { standardWeights } from '../helpers/weights.ts';

describe('a layer inside a network', () => {
  const model = models.find(({ id }) => id === 'minifas-128-head') as LivenessDescriptor;
  const { id, sha256, input } = model;
  const picture = Float32Array.from({ length: 3 * 128 * 128 }, (_, i) => (i * 7919) % 256);
  let folder = '';
  before(async () => {
    folder = await standardWeights();
  });
  const { output } = models.find(({ id }) => id === 'minifas-128') as LivenessDescriptor;
  const head = { weights: [1], intercept: 0 };
  const layer = async (name: string) =>
    onlyOutput(
      await (await openSession(folder, { id, sha256, input, output: { layer: name, head } })).run(picture),
    );

  it('has a value for each weight of the head', async () => {
    assert.ok('head' in model.output);
    const values = await layer(model.output.layer);
    assert.equal(values.length, model.output.head.weights.length);
    assert.ok(values.some((value) => value !== 0) && values.every(Number.isFinite));
  });

  it('is what the network goes on with: its own output, asked for as a layer, is its output', async () => {
    const whole = onlyOutput(await (await openSession(folder, { id, sha256, input, output })).run(picture));
    assert.equal(whole.length, 3);
    assert.deepEqual(await layer('output'), whole);
  });

  it('must be there', async () => {
    await assert.rejects(layer('no-such-layer'));
  });
});
