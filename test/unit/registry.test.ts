/** The catalog and a user's own descriptor files as one registry, and profiles put together from it. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { models, profiles } from '../../src/models/catalog.ts';
import type { ModelDescriptor, ProfileDescriptor } from '../../src/models/descriptor.ts';
import { DescriptorError, loadRegistry } from '../../src/models/registry.ts';

const catalogued = <Task extends ModelDescriptor['task']>(task: Task) =>
  models.find((model) => model.task === task) as Extract<ModelDescriptor, { task: Task }>;
const [boxes, landmarks, liveness] = [catalogued('detect'), catalogued('landmarks'), catalogued('liveness')];
const points = models.find((model) => model.task === 'detect' && model.output.layout === 'stride-grid');
assert.ok(points?.task === 'detect' && boxes.output.layout === 'corner-boxes');

const point = { threshold: 0.5, apcer: 0.1, bpcer: 0.1 };
const profile: ProfileDescriptor = {
  id: 'own',
  title: 'Own',
  detector: boxes.id,
  landmarks: landmarks.id,
  liveness: [{ model: liveness.id, weight: 0.5 }],
  calibration: { slopeBelow: 1, slopeAbove: 1, intercept: 0 },
  operatingPoints: { weak: point, balanced: point, strict: point },
};

/** A folder with these files; those that are not text become JSON. */
async function folderOf(t: TestContext, files: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

async function refuses(t: TestContext, name: string, content: unknown, message: RegExp): Promise<void> {
  const folder = await folderOf(t, { [name]: content });
  await assert.rejects(loadRegistry(folder), (error) => {
    assert.ok(error instanceof DescriptorError, `${error}`);
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(name), error.message);
    return true;
  });
}

describe('loadRegistry', () => {
  it('is the catalog where there is no folder', async () => {
    const registry = await loadRegistry(join(tmpdir(), 'absent-folder'));
    assert.deepEqual([...registry.models.values()], models);
    assert.deepEqual([...registry.profiles.values()], profiles);
  });

  it("adds a user's model and profile, and passes over files of other kinds", async (t) => {
    const { source: _, ...own } = { ...liveness, id: 'own-model' };
    const registry = await loadRegistry(
      await folderOf(t, { 'own-model.model.json': own, 'own.profile.json': profile, 'own-model.onnx': '' }),
    );
    assert.deepEqual(registry.models.get('own-model'), own);
    assert.deepEqual(registry.profiles.get('own'), profile);
    assert.equal(registry.models.size, models.length + 1);
  });

  it("lets a user's entry take the place of the catalog's", async (t) => {
    const own = { ...liveness, title: 'Retrained' };
    const registry = await loadRegistry(await folderOf(t, { [`${own.id}.model.json`]: own }));
    assert.deepEqual(registry.models.get(own.id), own);
    assert.equal(registry.models.size, models.length);
  });

  it('names file and field of what breaks the schema', async (t) => {
    const id = 'own';
    const { licence: _, ...unlicensed } = liveness;
    const name = 'own.model.json';
    await refuses(t, name, '{', /is not JSON/);
    await refuses(t, name, 'null', /\/task must be one of detect, landmarks, liveness/);
    await refuses(t, name, { ...liveness, id, task: 'guess' }, /\/task must be one of/);
    await refuses(t, name, { ...unlicensed, id }, /licence/);
    await refuses(t, name, { ...liveness, id, lisence: 'MIT' }, /\/lisence is no field/);
    await refuses(t, name, { ...liveness, id: 'A B' }, /\/id must match/);
    await refuses(t, name, { ...liveness, id, input: { ...liveness.input, width: 0 } }, /\/input\/width/);
    await refuses(t, 'own.profile.json', { ...profile, liveness: [] }, /\/liveness must not have fewer/);
    const operatingPoints = { ...profile.operatingPoints, weak: { ...point, apcer: 2 } };
    await refuses(t, 'own.profile.json', { ...profile, operatingPoints }, /\/operatingPoints\/weak\/apcer/);
  });

  it('names the field of the form that was meant, where there are several', async (t) => {
    const id = 'own';
    const name = 'own.model.json';
    const face = { ...boxes.output, face: 2 };
    const strides = { ...points.output, strides: [0] };
    await refuses(t, name, { ...boxes, id, output: face }, /\/output\/face must be <= 1/);
    await refuses(t, name, { ...points, id, output: strides }, /\/output\/strides\/0 must be >= 1/);
    await refuses(t, name, { ...liveness, id, source: { npm: 'x@1.0.0' } }, /integrity, path/);
    await refuses(t, name, { ...liveness, id, source: { url: 'ftp://x' } }, /\/source\/url must match/);
    await refuses(t, name, { ...liveness, id, source: { uri: 'https://x' } }, /\/source/);
  });

  it('refuses a profile of which a slope is not above 0, or thresholds fall', async (t) => {
    const name = 'own.profile.json';
    for (const slope of ['slopeBelow', 'slopeAbove']) {
      for (const value of [0, -1]) {
        const calibration = { ...profile.calibration, [slope]: value };
        await refuses(t, name, { ...profile, calibration }, new RegExp(`/calibration/${slope} must be > 0`));
      }
    }
    const points = (weak: number, balanced: number, strict: number) => ({
      weak: { ...point, threshold: weak },
      balanced: { ...point, threshold: balanced },
      strict: { ...point, threshold: strict },
    });
    for (const [falling, said] of [
      [points(0.5, 0.4, 0.9), '0.5, 0.4 and 0.9'],
      [points(0.1, 0.4, 0.3), '0.1, 0.4 and 0.3'],
    ] as const) {
      const message = new RegExp(`rise from weak over balanced to strict, .* they are ${said}\\.$`);
      await refuses(t, name, { ...profile, operatingPoints: falling }, message);
    }
    const same = { ...profile, operatingPoints: points(0.4, 0.4, 0.4) };
    assert.deepEqual((await loadRegistry(await folderOf(t, { [name]: same }))).profiles.get('own'), same);
  });

  it('refuses a name that does not fit', async (t) => {
    await refuses(t, 'other.model.json', { ...liveness, id: 'own' }, /must be named own\.model\.json/);
    await refuses(t, 'other.profile.json', profile, /must be named own\.profile\.json/);
    await refuses(t, 'own.models.json', { ...liveness, id: 'own' }, /neither <id>\.model\.json nor/);
  });
});

describe('Registry.profile', () => {
  const resolve = async (t: TestContext, own: ProfileDescriptor) =>
    (await loadRegistry(await folderOf(t, { 'own.profile.json': own }))).profile('own');

  it('puts the models together, each once', async (t) => {
    const twice = [
      { model: liveness.id, weight: 0.5 },
      { model: liveness.id, weight: 0.25 },
    ];
    const own = { ...profile, liveness: twice };
    assert.deepEqual(await resolve(t, own), {
      profile: own,
      detector: boxes,
      landmarks,
      liveness: [
        { model: liveness, weight: 0.5 },
        { model: liveness, weight: 0.25 },
      ],
      models: [boxes, landmarks, liveness],
    });
  });

  it('needs no landmarks where the detector gives the points', async (t) => {
    const { landmarks: _, ...own } = { ...profile, detector: points.id };
    const resolved = await resolve(t, own);
    assert.ok(!('landmarks' in resolved));
    assert.deepEqual(resolved.models, [points, liveness]);
  });

  it('needs landmarks where it does not', async (t) => {
    const { landmarks: _, ...own } = profile;
    await assert.rejects(resolve(t, own), /Profile own needs a landmarks model/);
  });

  it('lists the known ids where one is unknown or of the wrong task', async (t) => {
    const registry = await loadRegistry(await folderOf(t, { 'own.profile.json': profile }));
    assert.throws(() => registry.profile('absent'), {
      name: 'DescriptorError',
      message: /^There is no profile named "absent"\. Known: .*own\.$/,
    });
    await assert.rejects(resolve(t, { ...profile, detector: 'absent' }), (error: Error) => {
      assert.ok(error.message.includes(`"absent". Known: ${boxes.id}, ${points.id}`), error.message);
      return true;
    });
    await assert.rejects(resolve(t, { ...profile, landmarks: liveness.id }), /no model of task landmarks/);
    const misused = [{ model: boxes.id, weight: 1 }];
    await assert.rejects(resolve(t, { ...profile, liveness: misused }), /no model of task liveness/);
  });

  it('holds for every profile of the catalog', async () => {
    const registry = await loadRegistry(join(tmpdir(), 'absent-folder'));
    for (const { id } of profiles) assert.equal(registry.profile(id).profile.id, id);
  });
});
