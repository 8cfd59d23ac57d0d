/** Tuning: what is made, when it is made again, what is run, and that the original goes on to run whatever happens. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { LivenessDescriptor } from '../../src/models/descriptor.ts';
import { onlyOutput, openSession } from '../../src/models/session.ts';
import { compare, tolerance, type View } from '../../src/models/tuning/compare.ts';
import { readTuned, tunedPath } from '../../src/models/tuning/store.ts';
import { tuneWeights, verifyTuned } from '../../src/models/tuning/tune.ts';
import { weightsPath } from '../../src/models/weights.ts';
import { constant, conv, graph, input, node, noiseViews, values } from '../helpers/graphs.ts';

const plain = graph([conv('input', 'a', 3, 13), node('Relu', ['a'], 'b'), conv('b', 'output', 13, 2)]);
const nothingToGain = graph([conv('input', 'output', 3, 2)]);
/** x for every positive x: only as a x + (1 - a) Relu(x), large numbers cancel out. */
const steep = graph(
  [
    conv('input', 'a', 3, 8),
    node('Relu', ['a'], 'b'),
    conv('b', 'c', 8, 8),
    node('PRelu', ['c', 'slope'], 'd'),
    node('Relu', ['d'], 'output'),
  ],
  [constant('slope', [8, 1, 1], new Float32Array(8).fill(1e8))],
);

/** A weights folder with one model of that graph. */
async function world(t: TestContext, weights: Uint8Array = plain) {
  const folder = await mkdtemp(join(tmpdir(), 'tuning-'));
  t.after(() => rm(folder, { recursive: true }));
  const put = async (bytes: Uint8Array): Promise<LivenessDescriptor> => {
    await writeFile(weightsPath(folder, { id: 'own' }), bytes);
    return {
      id: 'own',
      task: 'liveness',
      title: 'Own',
      licence: 'MIT',
      origin: 'Ourselves',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      input,
      crop: { kind: 'shift', factor: 1 },
      output: { live: 0, values: 'logits' },
    };
  };
  const model = await put(weights);
  const said: string[] = [];
  const tune = (descriptor = model, anew = false, views: () => Promise<View[]> = async () => noiseViews()) =>
    tuneWeights(folder, [descriptor], { views, anew, say: (sentence) => said.push(sentence) });
  const unasked = async (): Promise<View[]> => assert.fail('a graph is compared again');
  const record = join(folder, 'tuned', 'own.json');
  const readRecord = async () => JSON.parse(await readFile(record, 'utf8'));
  return { folder, put, model, said, tune, unasked, record, readRecord, file: tunedPath(folder, model) };
}

const picture = values(3 * 16 * 16);
const run = async (folder: string, model: LivenessDescriptor) =>
  onlyOutput(await (await openSession(folder, model)).run(picture));

describe('tuning', () => {
  it('makes a graph that says the same, once', async (t) => {
    const { folder, model, said, tune, unasked, readRecord, file } = await world(t);
    const before = await run(folder, model);
    assert.deepEqual(await verifyTuned(folder, model), { state: 'missing' });
    await tune();
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    assert.deepEqual(await verifyTuned(folder, model), { state: 'ok', sha256 });
    const { outcome } = await readRecord();
    assert.equal(outcome.sha256, sha256);
    assert.ok(outcome.difference <= tolerance);
    const after = await run(folder, model);
    for (const [i, value] of before.entries()) assert.ok(Math.abs(value - (after[i] as number)) < 1e-5);
    await tune(model, false, unasked);
    assert.deepEqual(said, []);
    assert.deepEqual((await readdir(join(folder, 'tuned'))).sort(), ['own.json', 'own.onnx']);
  });

  it('remembers that there is nothing to gain', async (t) => {
    const { folder, model, said, tune, unasked } = await world(t, nothingToGain);
    await tune();
    await tune(model, false, unasked);
    assert.deepEqual(await verifyTuned(folder, model), { state: 'none', reason: 'nothing to gain' });
    assert.deepEqual([said, await readdir(join(folder, 'tuned'))], [[], ['own.json']]);
  });

  it('leaves what is no graph to where it is run', async (t) => {
    const { folder, model, said, tune } = await world(t, Buffer.from('no such thing'));
    await tune();
    assert.deepEqual(await verifyTuned(folder, model), { state: 'none', reason: 'nothing to gain' });
    assert.deepEqual(said, []);
  });

  it('keeps the original where the other differs, says so, and remembers it', async (t) => {
    const { folder, model, said, tune, unasked, file } = await world(t, steep);
    await tune();
    assert.match(said.join(), /^The original graph of own goes on to run: its tuned one differs by \d\S+\.$/);
    const state = await verifyTuned(folder, model);
    assert.ok(state.state === 'none' && state.reason.startsWith('differs by'));
    await assert.rejects(readFile(file), { code: 'ENOENT' });
    await tune(model, false, unasked);
    assert.equal(said.length, 1);
  });

  it('says the difference of outputs beyond 1 as a part of the largest', async () => {
    const scaled = (factor: number) =>
      graph(
        [conv('input', 'a', 3, 2), node('Mul', ['a', 'factor'], 'output')],
        [constant('factor', [1], Float32Array.of(factor))],
      );
    const views = noiseViews();
    const difference = await compare(scaled(1000), scaled(1001), input, undefined, views);
    assert.ok(Math.abs(difference - 0.001) < 1e-6, `${difference}`);
    const small = await compare(scaled(0.001), scaled(0.0011), input, undefined, views);
    assert.ok(small < 0.001, `${small}`);
    assert.equal(await compare(scaled(1), scaled(Number.NaN), input, undefined, views), Number.NaN);
    const more = graph([conv('input', 'output', 3, 3)]);
    assert.equal(await compare(scaled(1), more, input, undefined, views), Number.NaN);
  });

  it('leaves weights that are missing or damaged alone', async (t) => {
    const { folder, model, said, tune, unasked } = await world(t);
    await writeFile(weightsPath(folder, model), plain.subarray(1));
    await tune(model, false, unasked);
    await rm(weightsPath(folder, model));
    await tune(model, false, unasked);
    assert.deepEqual([said, await readdir(folder)], [[], []]);
  });

  it('goes on with the original where nothing can be written, and says so', async (t) => {
    const { folder, model, said, tune } = await world(t);
    // A file in place of the folder: permissions are none to root.
    await writeFile(join(folder, 'tuned'), '');
    await tune();
    assert.match(
      said.join(),
      /^The tuned graph of own cannot be stored \(E[A-Z]+\), so its original runs\.$/,
    );
    assert.equal((await run(folder, model)).length, 2 * 16 * 16);
  });
});

describe('a tuned graph', () => {
  it('is made again for other weights', async (t) => {
    const { folder, put, tune, model, file } = await world(t);
    await tune();
    const first = await readFile(file);
    const other = await put(graph([conv('input', 'a', 3, 21), conv('a', 'output', 21, 4)]));
    assert.equal(await readTuned(folder, other), undefined);
    await tune(other);
    assert.notDeepEqual(await readFile(file), first);
    assert.equal((await verifyTuned(folder, other)).state, 'ok');
    assert.equal(await readTuned(folder, model), undefined);
  });

  it('is made again for another layer', async (t) => {
    const { folder, model, tune } = await world(t);
    await tune();
    const head = { weights: [1], intercept: 0 };
    const other = { ...model, output: { layer: 'b', head } };
    assert.equal(await readTuned(folder, other), undefined);
    await tune(other);
    assert.equal((await run(folder, other)).length, 13 * 16 * 16);
  });

  for (const version of ['rewriter', 'onnxruntime']) {
    it(`is not run, and made again, with another version of ${version}`, async (t) => {
      const { folder, model, tune, record, readRecord } = await world(t);
      await tune();
      const made = await readRecord();
      const value = version === 'rewriter' ? 0 : '0.0.0';
      await writeFile(record, JSON.stringify({ ...made, of: { ...made.of, [version]: value } }));
      assert.equal(await readTuned(folder, model), undefined);
      await tune();
      assert.deepEqual(await readRecord(), made);
    });
  }

  it('is not run, and made again, where it is not the one that was made', async (t) => {
    const { folder, model, tune, file } = await world(t);
    const original = await run(folder, model);
    await tune();
    const made = await readFile(file);
    for (const content of [graph([conv('input', 'output', 3, 2)]), made.subarray(1), Buffer.alloc(0)]) {
      await writeFile(file, content);
      assert.deepEqual(await run(folder, model), original);
      assert.deepEqual(await verifyTuned(folder, model), { state: 'damaged' });
      await tune();
      assert.deepEqual(await readFile(file), made);
    }
    await rm(file);
    assert.deepEqual(await run(folder, model), original);
    assert.deepEqual(await verifyTuned(folder, model), { state: 'damaged' });
  });

  it('is found to be another even where its record was changed with it, and made anew', async (t) => {
    const { folder, model, tune, file, record, readRecord } = await world(t);
    await tune();
    const made = await readFile(file);
    const other = graph([conv('input', 'output', 3, 2)]);
    const sha256 = createHash('sha256').update(other).digest('hex');
    await writeFile(file, other);
    await writeFile(record, JSON.stringify({ ...(await readRecord()), outcome: { sha256, difference: 0 } }));
    assert.deepEqual(await verifyTuned(folder, model), { state: 'damaged' });
    await tune(model, true);
    assert.deepEqual(await readFile(file), made);
    assert.equal((await verifyTuned(folder, model)).state, 'ok');
  });

  it('is not run without a record that can be read', async (t) => {
    const { folder, model, tune, record, readRecord } = await world(t);
    await tune();
    const made = await readRecord();
    for (const text of ['', '{', '[]', '{"of":{}}', JSON.stringify({ ...made, outcome: {} })]) {
      await writeFile(record, text);
      assert.equal(await readTuned(folder, model), undefined, text);
    }
    await rm(record);
    await mkdir(record);
    assert.equal(await readTuned(folder, model), undefined);
  });
});
