/** A model whose weights do not give what its descriptor says stops the start, with a sentence that names it. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { detect } from '../../src/liveness/detect.ts';
import { type Engine, startEngine } from '../../src/liveness/pool.ts';
import { models } from '../../src/models/catalog.ts';
import type {
  DetectorDescriptor,
  LandmarkDescriptor,
  LivenessDescriptor,
  ModelDescriptor,
} from '../../src/models/descriptor.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { weightsPath } from '../../src/models/weights.ts';
import { skipReason } from '../helpers/shared.ts';
import { accurateWeights, standardWeights } from '../helpers/weights.ts';

const described = <Descriptor extends ModelDescriptor>(id: string) =>
  models.find((model) => model.id === id) as Descriptor;
const detector = described<DetectorDescriptor>('ultraface-rfb-320');
const landmarks = described<LandmarkDescriptor>('landmark-68');
const liveness = described<LivenessDescriptor>('minifas-128-head');

async function start(t: TestContext, folder: string, profile: string): Promise<Engine> {
  const engine = await startEngine({
    folder,
    profile: (await loadRegistry(folder)).profile(profile),
    limits: { maxPixels: 1_000_000 },
    workers: 1,
    queue: 1,
    deadlineMs: 10_000,
  });
  t.after(() => engine.close());
  return engine;
}

/** Starts the profile `standard` with one model described in the user's own words. */
async function startWith(t: TestContext, own: ModelDescriptor): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'fit-'));
  t.after(() => rm(folder, { recursive: true }));
  const weights = await standardWeights();
  for (const model of [detector, landmarks, liveness]) {
    await symlink(weightsPath(weights, model), weightsPath(folder, model));
  }
  await writeFile(join(folder, `${own.id}.model.json`), JSON.stringify(own));
  return await start(t, folder, 'standard');
}

const misfits: Record<string, [ModelDescriptor, reason: string]> = {
  'a class that the network does not have': [
    { ...liveness, output: { live: 7, values: 'logits' } },
    'A liveness model gave 3 values, none usable at index 7.',
  ],
  'a head for another layer': [
    { ...liveness, output: { layer: '578', head: { weights: [1, 2], intercept: 0 } } },
    'A liveness model gave 512 values, and its head has 2 weights.',
  ],
  'a point that the network does not have': [
    { ...landmarks, output: { points: { ...landmarks.output.points, nose: [130] } } },
    'The landmark model gave 68 points, none at index 130.',
  ],
  'an output that the network does not have': [
    { ...detector, output: { ...detector.output, scores: 'scorez' } as DetectorDescriptor['output'] },
    'The detector has no output named scorez.',
  ],
  'an output of another size': [
    {
      ...detector,
      output: { layout: 'corner-boxes', scores: 'boxes', boxes: 'scores', face: 1 },
    },
    "The detector's output scores has 8840 values, not 35360.",
  ],
};

it('a grid of another size is refused, face or no face', async () => {
  const yunet = described<DetectorDescriptor>('yunet-2023mar');
  const frame = { format: 'png', width: 64, height: 64, pixels: new Uint8Array(64 * 64 * 3) } as const;
  const perCell = { cls: 1, obj: 1, bbox: 4, kps: 10 };
  const outputs = (cut: string) =>
    Object.fromEntries(
      [8, 16, 32].flatMap((stride) =>
        Object.entries(perCell).map(([prefix, values]) => {
          const name = `${prefix}_${stride}`;
          return [name, new Float32Array((640 / stride) ** 2 * values - (name === cut ? 1 : 0))];
        }),
      ),
    );
  const detected = (cut: string) => detect(frame, yunet, { run: async () => outputs(cut) });
  assert.deepEqual((await detected('none')).faces, []);
  for (const [prefix, values] of Object.entries(perCell)) {
    await assert.rejects(detected(`${prefix}_16`), {
      message: `The detector's output ${prefix}_16 has ${1600 * values - 1} values, not ${1600 * values}.`,
    });
  }
});

describe('the start', () => {
  for (const [what, [own, reason]] of Object.entries(misfits)) {
    it(`is refused where a descriptor tells of ${what}`, async (t) => {
      await assert.rejects(startWith(t, own), {
        name: 'EngineStartError',
        message: `The engine could not start: The weights of ${own.id} do not fit their descriptor: ${reason}`,
      });
    });
  }

  it('succeeds where they fit', async (t) => {
    assert.ok((await startWith(t, liveness)).isReady);
  });

  it('succeeds with the profile accurate', { skip: skipReason('models') }, async (t) => {
    assert.ok((await start(t, (await accurateWeights()) as string, 'accurate')).isReady);
  });
});
