/** Those whom the benchmark compares: each does the same work, in a process of its own. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Order, startContender } from '../../bench/contender.ts';
import { openEngine } from '../../bench/contenders/engine.ts';
import { planOf, regionsOf } from '../../bench/plan.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { samplePhotos, standardWeights } from '../helpers/weights.ts';

const folder = await standardWeights();
const profile = (await loadRegistry(folder)).profile('standard');
const { image, faces } = await (await openEngine(folder, 'standard'))((await readPhotos()).body);
const [face] = faces;
assert.ok(face);
const picture = { path: (await samplePhotos()).body, regions: regionsOf(profile, image, face.box) };
const order: Order = { pictures: [picture], times: 2 };

describe('contenders', () => {
  it('repeat every run of a network that the pipeline makes: detector, landmarks, and liveness in the mirror too', async () => {
    const networks = await startContender('sessions.ts', folder, 'standard');
    const { images, answers, cpuMs } = await networks.measure(order);
    await networks.close();
    assert.equal(images, 2);
    assert.deepEqual(answers, [{ runs: 4 }, { runs: 4 }]);
    assert.ok(cpuMs > 0);
  });

  it('are asked for as many runs by the plan', async () => {
    const plan = planOf(folder, profile);
    assert.deepEqual(
      plan.map(({ runs }) => runs),
      [1, 1, 2],
    );
    const straightforward = await startContender('straightforward.ts', JSON.stringify(plan));
    const { images } = await straightforward.measure(order);
    await straightforward.close();
    assert.equal(images, 2);
  });

  it('are shown parts that lie inside the picture', () => {
    const edge = { x0: -20, y0: -10, x1: image.width / 2, y1: image.height + 30 };
    for (const { x, y, width, height } of regionsOf(profile, image, edge)) {
      assert.ok(x >= 0 && y >= 0 && width > 0 && height > 0);
      assert.ok(x + width <= image.width && y + height <= image.height);
    }
  });

  it('that end instead of answering are told of', async () => {
    await assert.rejects(startContender('straightforward.ts', '[{"file":"absent.onnx"}]'), /ended before/);
  });
});
