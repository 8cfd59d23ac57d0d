/** Real weights and photographs for tests, fetched once into the cache beside the installed packages. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tune } from '../../src/cli/tuning.ts';
import { models as catalogModels } from '../../src/models/catalog.ts';
import type { ModelDescriptor } from '../../src/models/descriptor.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { pullSamples } from '../../src/models/samples.ts';
import { pullWeights, weightsPath } from '../../src/models/weights.ts';
import { sharedFolder } from './shared.ts';

const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'bonafide');

/** @returns a folder with the weights of the profile `standard`, and of `minifas-128`, tuned as a start tunes them. */
export async function standardWeights(): Promise<string> {
  const folder = join(cache, 'models');
  const registry = await loadRegistry(folder);
  const base = registry.models.get('minifas-128') as ModelDescriptor;
  const models = [...registry.profile('standard').models, base];
  await pullWeights(folder, models);
  await tune(folder, models, { say: assert.fail });
  return folder;
}

/** @returns the paths of two photographs with one face each: close up, and of a person. */
export async function samplePhotos(): Promise<{ face: string; body: string }> {
  const [face, body] = (await pullSamples(join(cache, 'samples'))) as [string, string];
  return { face, body };
}

/** The files of `../shared/models` by the catalog's ids. */
const sharedFiles = {
  'yunet-2023mar': 'face_detection_yunet_2023mar.onnx',
  'facenox-9820': 'facenox_9820.onnx',
  'minifasnet-v2': 'minifasnet_v2_softmax.onnx',
  'minifasnet-v1se': 'minifasnet_v1se_softmax.onnx',
} as const;

/**
 * What a user makes who has their own ONNX files: the files under ids of the catalog, and a descriptor beside each that is
 * not the catalog's own. Gone when the process ends.
 * @returns a folder for the profile `accurate` and the model `facenox-9820`; undefined without `../shared/models`.
 */
export async function accurateWeights(): Promise<string | undefined> {
  const models = sharedFolder('models');
  if (models === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'bonafide-accurate-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  for (const [id, file] of Object.entries(sharedFiles)) {
    const path = join(models, file);
    await symlink(path, weightsPath(folder, { id }));
    const { source: _, ...descriptor } = catalogModels.find((model) => model.id === id) as OwnModel;
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    if (sha256 === descriptor.sha256) continue;
    // The two that differ are exports of the same networks that end in a softmax.
    const own = { ...descriptor, sha256, output: { ...descriptor.output, values: 'probabilities' } };
    await writeFile(join(folder, `${id}.model.json`), JSON.stringify(own, undefined, 2));
  }

  const standard = await standardWeights();
  for (const id of ['minifas-128', 'minifas-128-head']) {
    await symlink(weightsPath(standard, { id }), weightsPath(folder, { id }));
  }
  await tune(folder, [...(await loadRegistry(folder)).models.values()], { say: assert.fail });
  return folder;
}

type OwnModel = (typeof catalogModels)[number];
