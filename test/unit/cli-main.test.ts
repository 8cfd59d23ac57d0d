/** The command line from outside: what it prints where, and its exit codes. No weights and no network. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as catalog from '../../src/models/catalog.ts';
import type { ModelDescriptor } from '../../src/models/descriptor.ts';
import { run } from '../helpers/cli.ts';
import { conv, graph, input } from '../helpers/graphs.ts';

const root = join(import.meta.dirname, '..', '..');

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'main-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const onStorage = ['apps', 'keys', 'admin-tokens', 'transactions', 'usage'];

describe('bonafide', () => {
  it('lists its commands', async () => {
    const [none, help] = await Promise.all([run([]), run(['--help'])]);
    assert.deepEqual(none, help);
    assert.equal(help.code, 0);
    for (const name of ['serve', 'check', 'evaluate', 'calibrate', 'models', 'samples', ...onStorage])
      assert.match(help.stdout, new RegExp(`^  ${name} `, 'm'));
  });

  it('tells its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    assert.deepEqual(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('answers a slip with a sentence and 2', async () => {
    const slips: [string[], RegExp, Record<string, string>?][] = [
      [['chekc'], /^There is no command named "chekc"\. See: bonafide --help\n$/],
      [['check'], /^Name a photograph or a folder\. See --help\.\n$/],
      [['check', 'a.jpg', '--frobnicate'], /^Unknown option '--frobnicate'\. See --help\.\n$/],
      [
        ['check', 'a.jpg', '--operating-point', 'soft'],
        /^--operating-point must be one of weak, balanced, strict; /,
      ],
      [
        ['check', 'a.jpg', '--workers', '0'],
        /^--workers must be a whole number from 1 to 256; it is "0"\.\n$/,
      ],
      [['check', 'a.jpg'], /^There is no setting named BONAFIDE_WROKERS/, { BONAFIDE_WROKERS: '2' }],
      [['check', 'a.jpg', '--profile', 'best'], /^There is no profile named "best"\./],
      [['models'], /^Say: bonafide models list, pull or verify\./],
      [
        ['models', 'pull', 'nope'],
        /^There is no profile and no model named "nope"\. Known: accurate, standard, /,
      ],
      [['samples', 'push'], /^Say: bonafide samples pull/],
    ];
    for (const [args, sentence, env] of slips) {
      const { code, stdout, stderr } = await run(args, env);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, sentence);
      assert.equal(stdout, '');
    }
  });

  it('has a help for each command', async () => {
    for (const name of ['check', 'evaluate', 'calibrate', 'models', 'samples', ...onStorage]) {
      const { code, stdout, stderr } = await run([name, '--help']);
      assert.deepEqual([code, stderr], [0, ''], name);
      assert.match(stdout, new RegExp(`^Usage: bonafide ${name} `));
      // Calibration is of a score file alone.
      if (name !== 'calibrate') assert.match(stdout, /--data \.\.\. \(BONAFIDE_DATA; default: data\)/);
    }
  });

  it('answers an error of the system with a sentence', async (t) => {
    const file = join(await temporary(t), 'file');
    await writeFile(file, '');
    const { code, stderr } = await run(['samples', 'pull', join(file, 'samples')]);
    assert.equal(code, 2);
    assert.match(stderr, /^ENOTDIR: not a directory, .*\.\n$/);
  });
});

describe('bonafide models', () => {
  /** A data folder whose models of `standard` have other weights, as a user's own descriptors make it. */
  async function dataWithStandard(t: TestContext) {
    const data = await temporary(t);
    const folder = join(data, 'models');
    await mkdir(folder);
    const ids = ['ultraface-rfb-320', 'landmark-68', 'minifas-128-head'];
    for (const id of ids) {
      const model = catalog.models.find((candidate) => candidate.id === id);
      const sha256 = createHash('sha256').update(id).digest('hex');
      await writeFile(join(folder, `${id}.model.json`), JSON.stringify({ ...model, sha256 }));
      await writeFile(join(folder, `${id}.onnx`), id);
    }
    return { data, file: (id: string) => join(folder, `${id}.onnx`) };
  }

  it('lists what there is', async (t) => {
    const { data } = await dataWithStandard(t);
    const { code, stdout } = await run(['models', 'list', '--data', data]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^minifas-128-head +liveness +ok +accurate, standard +MIT +The network of minifas-128/m,
    );
    assert.match(stdout, /^yunet-2023mar +detect +missing +accurate +MIT /m);
    const named = await run(['models', 'list', 'standard', '--data', data]);
    assert.equal(named.stdout.trim().split('\n').length, 4);
  });

  it('verifies what is there, where a profile is complete', async (t) => {
    const { data } = await dataWithStandard(t);
    assert.equal((await run(['models', 'verify'], { BONAFIDE_DATA: data })).code, 0);
    assert.equal((await run(['models', 'verify', 'standard', '--data', data])).code, 0);
  });

  it('shows tuned graphs beside their weights, and names what mends one that is another', async (t) => {
    const { data, file } = await dataWithStandard(t);
    const weights = graph([conv('input', 'a', 3, 13), conv('a', 'output', 13, 2)]);
    const id = 'minifas-128';
    const { input: _, ...model } = catalog.models.find((candidate) => candidate.id === id) as ModelDescriptor;
    const sha256 = createHash('sha256').update(weights).digest('hex');
    await writeFile(
      join(data, 'models', `${id}.model.json`),
      JSON.stringify({ ...model, sha256, input, source: undefined }),
    );
    await writeFile(file(id), weights);
    const verify = () => run(['models', 'verify', id, '--data', data]);
    assert.match((await verify()).stdout, /^minifas-128 +tuned graph +missing$/m);

    assert.deepEqual(await run(['models', 'pull', id, '--data', data]), {
      code: 0,
      stdout: '',
      stderr: `The weights of ${id} are in ${join(data, 'models')}.\n`,
    });
    const whole = await verify();
    assert.equal(whole.code, 0);
    assert.match(
      whole.stdout,
      new RegExp(`^minifas-128 +weights +ok +${sha256}\nminifas-128 +tuned graph +ok +[0-9a-f]{64}$`, 'm'),
    );

    await writeFile(join(data, 'models', 'tuned', `${id}.onnx`), weights);
    const other = await verify();
    assert.equal(other.code, 1);
    assert.match(other.stdout, /^minifas-128 +tuned graph +damaged$/m);
    assert.equal(
      other.stderr,
      `The tuned graph of ${id} is not what its weights give. Run: npx bonafide models pull ${id} --data ${data}\n`,
    );
    assert.equal((await run(['models', 'pull', id, '--data', data])).code, 0);
    assert.equal((await verify()).stdout, whole.stdout);
  });

  it('names what mends the missing and the damaged', async (t) => {
    const { data, file } = await dataWithStandard(t);
    const named = await run(['models', 'verify', 'accurate', '--data', data]);
    assert.equal(named.code, 1);
    assert.match(
      named.stderr,
      /^The weights of yunet-2023mar are missing\. Run: npx bonafide models pull yunet-2023mar --data /m,
    );

    await writeFile(file('landmark-68'), 'half');
    const all = await run(['models', 'verify', '--data', data]);
    assert.equal(all.code, 1);
    assert.match(all.stdout, /^landmark-68 +weights +damaged$/m);
    assert.equal(
      all.stderr,
      `The weights of landmark-68 are damaged. Run: npx bonafide models pull landmark-68 --data ${data}\n` +
        `The weights of no profile are complete. Run: npx bonafide models pull --data ${data}\n`,
    );
  });

  it('finds that nothing is there', async (t) => {
    const data = await temporary(t);
    const { code, stderr } = await run(['models', 'verify', '--data', data]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `The weights of no profile are complete. Run: npx bonafide models pull --data ${data}\n`,
    );
  });
});
