/** `bonafide evaluate` and `calibrate` as people run them: the launcher, real weights, pictures made from two photographs. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { parseScores } from '../../src/evaluation/scores.ts';
import { calibrated } from '../../src/liveness/decide.ts';
import { openStorage } from '../../src/storage/database.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import { landscape, placeFaces, readPhotos } from '../helpers/pictures.ts';
import { launcher, linkWeights, serve } from '../helpers/serve.ts';

const portrait = join(import.meta.dirname, '..', '..', 'assets', 'portrait.svg');

let folder: string;
let data: string;
/** 24 pictures: two sets with people and attacks, one picture without a face, one that is none. */
let manifest: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluate-'));
  data = join(folder, 'data');
  await mkdir(data);
  await linkWeights(data);
  const { face, body } = await readPhotos();
  const pictures = join(folder, 'pictures');
  await mkdir(pictures);
  const lines = ['file,label,attack,set,group,camera'];
  const add = async (name: string, bytes: Uint8Array, rest: string) => {
    await writeFile(join(pictures, name), bytes);
    lines.push(`${name},${rest}`);
  };
  const drawing = await sharp(portrait).flatten().resize(600).jpeg().toBuffer();
  for (const [i, set] of ['near', 'far'].entries()) {
    for (let g = 0; g < 5; g++) {
      const lit = { brightness: 0.7 + 0.1 * g };
      const person =
        g % 2 === 0
          ? body
          : await placeFaces(face, { width: 500, height: 500 }, [{ x: 60, y: 40, side: 400 }]);
      await add(
        `live ${set}-${g}.jpg`,
        await sharp(person).modulate(lit).jpeg().toBuffer(),
        `bona-fide,none,${set},p${g},"c, ${i}"`,
      );
      await add(
        `drawn-${set}-${g}.jpg`,
        await sharp(drawing).modulate(lit).jpeg().toBuffer(),
        `attack,drawing,${set},d${g},c`,
      );
    }
  }
  await add('sky.jpg', await landscape(640, 480), 'bona-fide,none,near,sky,c');
  await add('torn.jpg', body.subarray(0, body.length / 2), 'attack,drawing,far,torn,c');
  await add(
    'two.jpg',
    await placeFaces(face, { width: 900, height: 500 }, [
      { x: 10, y: 40, side: 400 },
      { x: 600, y: 100, side: 200 },
    ]),
    'bona-fide,none,far,two,c',
  );
  await add('note.jpg', Buffer.from('This is no picture.'), 'attack,drawing,near,note,c');
  manifest = join(pictures, 'manifest.csv');
  await writeFile(manifest, `${lines.join('\n')}\n`);
});
after(() => rm(folder, { recursive: true }));

function start(command: string, ...args: string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BONAFIDE_')),
  );
  return spawn(launcher, [command, ...args], { env, cwd: folder, detached: true });
}

async function run(command: string, ...args: string[]) {
  const child = start(command, ...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

const evaluate = (...args: string[]) =>
  run('evaluate', ...args, '--data', data, '--profile', 'standard', '--workers', '2');

describe('evaluate', () => {
  it('goes on after a kill where it ended, and comes to the same scores', async () => {
    const out = join(folder, 'killed');
    const path = join(out, 'scores.csv');
    const whole = await evaluate(manifest, '--out', join(folder, 'whole'), '--scores-only');
    assert.deepEqual([whole.code, whole.stdout], [0, `${join(folder, 'whole', 'scores.csv')}\n`]);
    const expected = await readFile(join(folder, 'whole', 'scores.csv'), 'utf8');

    const child = start(
      'evaluate',
      manifest,
      '--out',
      out,
      '--data',
      data,
      '--profile',
      'standard',
      '--workers',
      '2',
    );
    const exited = once(child, 'exit');
    while ((await readFile(path, 'utf8').catch(() => '')).split('\n').length < 6)
      await new Promise(setImmediate);
    // The whole group, as a machine that is switched off would.
    process.kill(-(child.pid as number), 'SIGKILL');
    await exited;
    const kept = await readFile(path, 'utf8');
    assert.ok(
      kept.length < expected.length && expected.startsWith(kept.slice(0, kept.lastIndexOf('\n') + 1)),
    );
    // What a kill amid a write leaves.
    await writeFile(path, kept.slice(0, kept.trimEnd().length - 7));

    const { code, stderr } = await evaluate(manifest, '--out', out, '--scores-only');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Scoring \.\.\.\nScoring: 24 of 24\n$/);
    assert.equal(await readFile(path, 'utf8'), expected);

    const again = await evaluate(manifest, '--out', out, '--scores-only');
    assert.deepEqual([again.code, again.stderr], [0, ''], 'nothing is left to score');
  });

  it('keeps an outcome for every picture, and never a score for what got no answer', async () => {
    const rows = parseScores(await readFile(join(folder, 'whole', 'scores.csv'), 'utf8'), 'scores.csv');
    assert.equal(rows.length, 24);
    const of = (file: string) => rows.find((row) => row.file === file) ?? assert.fail(file);
    const outcome = (file: string) => [of(file).outcome, of(file).reason, of(file).face];
    assert.deepEqual(outcome('sky.jpg'), ['no_face', 'none_found', undefined]);
    assert.deepEqual(outcome('torn.jpg'), ['unreadable', 'undecodable_image', undefined]);
    assert.deepEqual(outcome('note.jpg'), ['unreadable', 'unsupported_format', undefined]);
    const two = of('two.jpg');
    assert.equal(two.faces, 2);
    assert.ok((two.face?.box?.x1 as number) < 450, 'the larger face is scored');
    const live = of('live near-0.jpg');
    assert.equal(live.extra.camera, 'c, 0');
    assert.equal(of('drawn-far-1.jpg').species, 'drawing');
    const { pLive, logOdds, members, measures } = live.face ?? assert.fail();
    assert.deepEqual(Object.keys(measures).length, 7);
    const { liveness, calibration } = JSON.parse(
      await readFile(join(folder, 'whole', 'scores.json'), 'utf8'),
    );
    const sum = liveness.reduce(
      (total: number, { model, weight }: { model: string; weight: number }) =>
        total + weight * (members[model] as number),
      0,
    );
    assert.ok(Math.abs(sum - logOdds) < 1e-6);
    assert.ok(Math.abs(calibrated(logOdds, calibration) - pLive) < 1e-6);
  });

  it('makes its report of the scores alone', async () => {
    const out = join(folder, 'report');
    const scores = join(folder, 'whole', 'scores.csv');
    // No data folder, and so no model.
    const { code, stdout, stderr } = await run(
      'evaluate',
      '--from',
      scores,
      '--out',
      out,
      '--data',
      join(folder, 'none'),
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^With one threshold for every camera, standard turns away /);
    assert.match(stdout, /^balanced +0\.\d+ /m);
    const page = await readFile(join(out, 'report.html'), 'utf8');
    const summary = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
    assert.ok(page.includes(summary.sentence));
    assert.equal(summary.method.judgedBy, 'other sets');
    assert.deepEqual(summary.reasons, { none_found: 1, undecodable_image: 1, unsupported_format: 1 });
    assert.equal(summary.severalFaces, 1);
    assert.ok(!JSON.stringify(summary).includes(folder), 'no path of the machine');
    const errors = summary.worst.bonaFide.length + summary.worst.attack.length;
    assert.equal([...page.matchAll(/<img src="data:image\/jpeg;base64,/g)].length, errors);

    const bare = await run(
      'evaluate',
      '--from',
      scores,
      '--out',
      out,
      '--no-pictures',
      '--compare',
      join(folder, 'killed'),
    );
    assert.equal(bare.code, 0, bare.stderr);
    const plain = await readFile(join(out, 'report.html'), 'utf8');
    assert.ok(!plain.includes('<img') && plain.includes('Beside '));
  });

  it('does not go on with what another profile or another manifest began', async () => {
    const out = join(folder, 'whole');
    const other = join(folder, 'pictures', 'other.csv');
    await writeFile(other, (await readFile(manifest, 'utf8')).replace('near,p0', 'near,p9'));
    const { code, stderr } = await evaluate(other, '--out', out);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /scores\.csv was made with another manifest\. Delete it, or name another folder with --out\.\n$/,
    );
  });

  it('answers a slip with a sentence and 2, and scores nothing', async () => {
    const broken = join(folder, 'pictures', 'broken.csv');
    await writeFile(broken, (await readFile(manifest, 'utf8')).replace('sky.jpg', 'sea.jpg'));
    const scores = join(folder, 'whole', 'scores.csv');
    const slips: [string[], RegExp][] = [
      [[], /^Name one manifest, or one score file with --from\./],
      [[manifest, '--from', scores], /^Name one manifest, or one score file/],
      [[broken], /^sea\.jpg is not in .*pictures\. No picture was scored\.\n$/],
      [[join(folder, 'absent.csv')], /^ENOENT: /],
      [
        ['--from', scores, '--sets', 'nowhere'],
        /^There is no set named "nowhere"\. There are: near, far\.\n$/,
      ],
      [['--from', scores, '--dev', 'near'], /^--dev and --eval go together\./],
      [
        ['--from', scores, '--dev', 'near,far', '--eval', 'far'],
        /^The set far is in both --dev and --eval\.\n$/,
      ],
      [['--from', scores, '--scores-only'], /^--from has its scores already\./],
      [['--from', manifest], /manifest\.csv is no score file/],
    ];
    await Promise.all(
      slips.map(async ([args, sentence]) => {
        const { code, stdout, stderr } = await evaluate(...args);
        assert.deepEqual([code, stdout], [2, ''], args.join(' '));
        assert.match(stderr, sentence);
      }),
    );
  });
});

describe('calibrate', () => {
  it('writes a file with which every answer is another', async () => {
    const scores = join(folder, 'whole', 'scores.csv');
    const path = join(folder, 'calibration.json');
    const { code, stdout, stderr } = await run('calibrate', scores, '--out', path);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^strict +\d/m);
    assert.match(stdout, /with each of 2 sets left out in turn\.\n/);
    assert.match(stdout, /BONAFIDE_PROFILE=standard BONAFIDE_CALIBRATION=\S+calibration\.json\n$/);
    const { calibration, operatingPoints } = JSON.parse(await readFile(path, 'utf8'));

    const picture = join(folder, 'pictures', 'live near-0.jpg');
    const check = (...args: string[]) =>
      run('check', picture, '--json', '--data', data, '--profile', 'standard', ...args);
    const [plain, own] = await Promise.all([check(), check('--calibration', path)]);
    const faceOf = ({ stdout: line }: { stdout: string }) => JSON.parse(line).assessment.faces[0];
    const [{ logOdds }] = faceOf(plain).scores;
    const expected = calibrated(logOdds, calibration);
    assert.ok(Math.abs(faceOf(own).pLive - expected) < 1e-9);
    assert.notEqual(faceOf(plain).pLive, faceOf(own).pLive);
    assert.equal(
      faceOf(own).verdicts.strict,
      expected >= operatingPoints.strict.threshold ? 'live' : 'attack',
    );
  });

  it('writes what a server answers with', async () => {
    const path = join(folder, 'calibration.json');
    const server = await serve(data, '--calibration', path);
    let answered: { requestId: string; calibrationSha256: unknown };
    try {
      const apiKey = /x-api-key +(\S+)$/m.exec(server.banner)?.[1] ?? assert.fail(server.banner);
      const answer = await fetch(`${server.origin}/v1/assess`, {
        method: 'POST',
        headers: { 'x-api-key': apiKey, 'content-type': 'image/jpeg' },
        body: await readFile(join(folder, 'pictures', 'live near-0.jpg')),
      });
      const { requestId, calibrationSha256, operatingPoints, faces } = (await answer.json()) as Record<
        string,
        unknown
      > & {
        requestId: string;
        faces: { pLive: number; scores: { logOdds: number }[] }[];
      };
      const file = await readFile(path);
      const own = JSON.parse(file.toString());
      assert.deepEqual(operatingPoints, own.operatingPoints);
      const logOdds = faces[0]?.scores[0]?.logOdds as number;
      assert.ok(Math.abs((faces[0]?.pLive as number) - calibrated(logOdds, own.calibration)) < 1e-9);
      assert.equal(calibrationSha256, createHash('sha256').update(file).digest('hex'));
      answered = { requestId, calibrationSha256 };
    } finally {
      await server.stop();
    }
    const storage = await openStorage({ folder: data, create: false });
    const row = await new Transactions(storage.db).find(answered.requestId);
    await storage.close();
    assert.equal(row?.calibrationSha256, answered.calibrationSha256);
  });

  it('stops the start with a sentence where it is another profile\u2019s', async () => {
    const path = join(folder, 'other.json');
    const own = JSON.parse(await readFile(join(folder, 'calibration.json'), 'utf8'));
    await writeFile(path, JSON.stringify({ ...own, profile: 'accurate' }));
    for (const command of ['serve', 'check']) {
      const { code, stderr } = await run(
        command,
        ...(command === 'check' ? [manifest] : ['--port', '0']),
        '--data',
        data,
        '--profile',
        'standard',
        '--calibration',
        path,
      );
      assert.equal(code, 2);
      assert.match(stderr, /other\.json is a calibration of the profile accurate, and standard is in use\./);
    }
  });

  it('needs to know what the scores are of', async () => {
    const alone = join(folder, 'alone.csv');
    await copyFile(join(folder, 'whole', 'scores.csv'), alone);
    const { code, stderr } = await run('calibrate', alone);
    assert.equal(code, 2);
    assert.match(stderr, /^There is no .*alone\.json beside .*alone\.csv/);
    const report = await run('evaluate', '--from', alone, '--out', join(folder, 'alone'));
    assert.equal(report.code, 0, 'a report needs the scores only');

    await writeFile(join(folder, 'alone.json'), '{"profile": 1}');
    const broken = await run('calibrate', alone);
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /alone\.json: .* required properties bonafide/);
  });
});
