/** Which profile a start takes, with descriptors that name a real HTTP server as the source of the weights. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { chooseProfile } from '../../src/cli/profile.ts';
import * as catalog from '../../src/models/catalog.ts';
import { DescriptorError } from '../../src/models/registry.ts';
import { WeightsError, weightsPath } from '../../src/models/weights.ts';

/** Kilobytes instead of a model: nothing here runs one. */
const weightsOf = (id: string) => Buffer.from(`weights of ${id}`.repeat(100));

/** A weights folder whose descriptors lead to a server, and what was asked of that server. */
async function world(t: TestContext) {
  const folder = join(await mkdtemp(join(tmpdir(), 'profile-')), 'models');
  await mkdir(folder);
  const answers = new Map<string, (response: ServerResponse) => void>();
  const hits: string[] = [];
  const server = createServer((request, response) => {
    const id = (request.url ?? '').slice(1);
    hits.push(id);
    const answer = answers.get(id);
    if (answer !== undefined) answer(response);
    else response.end(weightsOf(id));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(join(folder, '..'), { recursive: true });
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const model of catalog.models) {
    const sha256 = createHash('sha256').update(weightsOf(model.id)).digest('hex');
    const own = { ...model, sha256, source: { url: `${base}/${model.id}` } };
    await writeFile(join(folder, `${model.id}.model.json`), JSON.stringify(own));
  }
  const place = async (...ids: string[]) => {
    for (const id of ids) await writeFile(weightsPath(folder, { id }), weightsOf(id));
  };
  const said: string[] = [];
  const choose = (setting = 'auto') =>
    chooseProfile({ folder, setting, say: (sentence) => said.push(sentence) });
  return { folder, answers, hits, place, said, choose };
}

const standard = ['ultraface-rfb-320', 'landmark-68', 'minifas-128-head'];
const onlyAccurate = ['yunet-2023mar', 'minifasnet-v2', 'minifasnet-v1se', 'minifas-128'];
const notFound = (response: ServerResponse) => void response.writeHead(404).end();

before(() => {
  // Whatever proxy the machine that runs this has, the tests talk to their own server.
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
});

describe('auto', () => {
  it('takes accurate without the network, where it is whole', async (t) => {
    const { place, choose, hits, said } = await world(t);
    await place(...onlyAccurate, 'minifas-128-head');
    const { resolved, note } = await choose();
    assert.equal(resolved.profile.id, 'accurate');
    assert.equal(note, undefined);
    assert.deepEqual([hits, said], [[], []]);
  });

  it('stays with standard without the network, where only that is whole', async (t) => {
    const { place, choose, hits, said, folder } = await world(t);
    await place(...standard);
    await writeFile(weightsPath(folder, { id: 'yunet-2023mar' }), 'half of it');
    const { resolved, note } = await choose();
    assert.equal(resolved.profile.id, 'standard');
    assert.equal(
      note,
      `Using the standard profile, because the weights of yunet-2023mar are damaged. Run: npx bonafide models pull accurate --data ${dirname(folder)}`,
    );
    assert.deepEqual([hits, said], [[], []]);
  });

  it('pulls accurate, and what standard has beyond it, on a first start', async (t) => {
    const { choose, hits, said } = await world(t);
    const { resolved, note } = await choose();
    assert.equal(resolved.profile.id, 'accurate');
    assert.equal(note, undefined);
    assert.deepEqual(hits, [...onlyAccurate, ...standard]);
    assert.equal(said.length, 1);
  });

  it('takes standard where an address of accurate has nothing, and does not ask it again', async (t) => {
    const { answers, choose, hits } = await world(t);
    answers.set('minifasnet-v2', notFound);
    const { resolved, note } = await choose();
    assert.equal(resolved.profile.id, 'standard');
    assert.match(note ?? '', /minifasnet-v2 could not be reached/);
    assert.deepEqual(hits, ['yunet-2023mar', 'minifasnet-v2', ...standard]);
    assert.equal((await choose()).resolved.profile.id, 'standard');
    assert.equal(hits.length, 5);
  });

  it('takes standard where an address of accurate sends something else', async (t) => {
    const { answers, choose } = await world(t);
    answers.set('yunet-2023mar', (response) => response.end('a page to log in'));
    const { resolved, note } = await choose();
    assert.equal(resolved.profile.id, 'standard');
    assert.match(note ?? '', /yunet-2023mar are not what is pinned/);
  });

  it('takes standard after 3 s of silence', async (t) => {
    const { answers, choose, folder } = await world(t);
    answers.set('yunet-2023mar', () => {});
    const start = performance.now();
    const { resolved, note } = await choose();
    const seconds = (performance.now() - start) / 1000;
    assert.ok(seconds >= 2.9 && seconds < 5, `${seconds} s`);
    assert.equal(resolved.profile.id, 'standard');
    assert.equal(
      note,
      `Using the standard profile, because the weights of yunet-2023mar could not be reached within 3 s. Run: npx bonafide models pull accurate --data ${dirname(folder)}`,
    );
  });

  it('fails with a sentence where standard cannot be had either, and tries both again', async (t) => {
    const { answers, choose } = await world(t);
    for (const { id } of catalog.models) answers.set(id, notFound);
    await assert.rejects(choose(), (error) => error instanceof WeightsError && error.code === 'unreachable');
    answers.clear();
    assert.equal((await choose()).resolved.profile.id, 'accurate');
  });
});

describe('a profile by its name', () => {
  it('is taken as it lies, or pulled', async (t) => {
    const { place, choose, hits, said } = await world(t);
    await place('yunet-2023mar', 'minifasnet-v2');
    assert.equal((await choose('accurate')).resolved.profile.id, 'accurate');
    assert.deepEqual(hits, ['minifasnet-v1se', 'minifas-128', 'minifas-128-head']);
    assert.equal((await choose('accurate')).resolved.profile.id, 'accurate');
    assert.deepEqual([hits.length, said.length], [3, 1]);
  });

  it('is never another one', async (t) => {
    const { answers, choose, place } = await world(t);
    await place(...standard);
    answers.set('yunet-2023mar', notFound);
    await assert.rejects(
      choose('accurate'),
      (error) =>
        error instanceof WeightsError &&
        /Run: npx bonafide models pull yunet-2023mar --data /.test(error.message),
    );
  });

  it('must exist', async (t) => {
    const { choose } = await world(t);
    await assert.rejects(
      choose('acurate'),
      (error) =>
        error instanceof DescriptorError && /"acurate". Known: accurate, standard/.test(error.message),
    );
  });
});
