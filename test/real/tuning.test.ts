/** Tuned graphs of the real networks, compared with their originals on photographs. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parseManifest } from '../../src/evaluation/manifest.ts';
import { cropRegion } from '../../src/liveness/crop.ts';
import { decodeRaster } from '../../src/liveness/raster.ts';
import type { Box } from '../../src/liveness/types.ts';
import type { LivenessDescriptor } from '../../src/models/descriptor.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import type { Pixels, Region } from '../../src/models/tensor.ts';
import { compare, tolerance } from '../../src/models/tuning/compare.ts';
import { rewriteModel } from '../../src/models/tuning/rewrite.ts';
import { layerOf } from '../../src/models/tuning/store.ts';
import { verifyTuned } from '../../src/models/tuning/tune.ts';
import { weightsPath } from '../../src/models/weights.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { sharedFolder, skipReason } from '../helpers/shared.ts';
import { accurateWeights, standardWeights } from '../helpers/weights.ts';

interface Photograph {
  readonly picture: Pixels;
  readonly face: Box;
}

/** The photographs that everybody has; where the faces are is roughly known. */
async function samples(): Promise<Photograph[]> {
  const { face, body } = await readPhotos();
  return [
    { picture: await decodeRaster(face, 1e8), face: { x0: 60, y0: 40, x1: 200, y1: 230 } },
    { picture: await decodeRaster(body, 1e8), face: { x0: 500, y0: 100, x1: 700, y1: 360 } },
  ];
}

/** Every 15th picture of the development set, with the box that its manifest gives. */
async function developmentSet(): Promise<Photograph[]> {
  const folder = sharedFolder('pad') ?? assert.fail();
  const rows = parseManifest(await readFile(join(folder, 'manifest.csv'), 'utf8'), 'manifest.csv');
  const photographs: Photograph[] = [];
  for (const { file, extra } of rows.filter((_, i) => i % 15 === 0)) {
    const [x0, y0, width, height] = ['face_x', 'face_y', 'face_w', 'face_h'].map((name) =>
      Number(extra[name]),
    );
    if (!width || !height || x0 === undefined || y0 === undefined) continue;
    const picture = await decodeRaster(await readFile(join(folder, file)), 1e8);
    photographs.push({ picture, face: { x0, y0, x1: x0 + width, y1: y0 + height } });
  }
  return photographs;
}

/** What the pipeline would show of it, and a little less. */
function regions({ picture, face }: Photograph, model: LivenessDescriptor): Region[] {
  return [1, 0.9].map((size) =>
    cropRegion(face, picture, { ...model.crop, factor: model.crop.factor * size }),
  );
}

let development: Photograph[] = [];
before(async () => {
  if (sharedFolder('pad') !== undefined) development = await developmentSet();
});

function describeTuned(weights: () => Promise<string>, ids: readonly string[]): void {
  let folder: string;
  before(async () => {
    folder = await weights();
  });

  async function largestDifference(id: string, photographs: readonly Photograph[]): Promise<number> {
    const model = (await loadRegistry(folder)).models.get(id) as LivenessDescriptor;
    const original = await readFile(weightsPath(folder, model));
    const tuned = rewriteModel(original, layerOf(model));
    assert.ok(tuned !== undefined);
    const views = photographs.flatMap((photograph) =>
      regions(photograph, model).map((region) => ({ picture: photograph.picture, region })),
    );
    return await compare(original, tuned, model.input, layerOf(model), views);
  }

  for (const id of ids) {
    it(`of ${id} is stored, and says the same of the sample photographs`, async (t) => {
      const model = (await loadRegistry(folder)).models.get(id) as LivenessDescriptor;
      assert.equal((await verifyTuned(folder, model)).state, 'ok');
      const difference = await largestDifference(id, await samples());
      t.diagnostic(`largest difference: ${difference}`);
      // A tenth of what would be let through: something has gone wrong long before.
      assert.ok(difference <= tolerance / 10, `${difference}`);
    });

    it(`of ${id} says the same of the development set`, { skip: skipReason('pad') }, async (t) => {
      assert.ok(development.length > 70, `${development.length}`);
      const difference = await largestDifference(id, development);
      t.diagnostic(`largest difference over ${development.length} photographs: ${difference}`);
      assert.ok(difference <= tolerance / 10, `${difference}`);
    });
  }
}

describe('the tuned graph, in the profile "standard",', () => {
  describeTuned(standardWeights, ['minifas-128', 'minifas-128-head']);

  for (const id of ['ultraface-rfb-320', 'landmark-68']) {
    it(`of ${id} is none: it has nothing to gain`, async () => {
      const folder = await standardWeights();
      const model = (await loadRegistry(folder)).models.get(id) ?? assert.fail();
      assert.deepEqual(await verifyTuned(folder, model), { state: 'none', reason: 'nothing to gain' });
    });
  }
});

describe('the tuned graph, in the profile "accurate" and of facenox,', { skip: skipReason('models') }, () => {
  describeTuned(
    async () => (await accurateWeights()) as string,
    ['minifasnet-v2', 'minifasnet-v1se', 'facenox-9820'],
  );
});
