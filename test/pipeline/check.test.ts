/** `bonafide check` as people run it: the launcher, real weights, real photographs. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeRaster, encodeJpeg, readHeader } from '../../src/liveness/raster.ts';
import { samplePhotos, standardWeights } from '../helpers/weights.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const launcher = join(import.meta.dirname, '..', '..', 'bin', 'bonafide.js');

let folder: string;
let data: string;
let photos: { face: string; body: string };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-'));
  data = join(folder, 'data');
  await mkdir(data);
  await symlink(await standardWeights(), join(data, 'models'));
  photos = await samplePhotos();
});
after(() => rm(folder, { recursive: true }));

function start(...args: string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BONAFIDE_')),
  );
  return spawn(launcher, ['check', ...args, '--data', data, '--workers', '2'], { env });
}

async function check(...args: string[]) {
  const child = start(...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** A folder with a photograph, a picture without a face, half a photograph, and what is no picture. */
async function mixedFolder(): Promise<string> {
  const mixed = await mkdtemp(join(folder, 'mixed-'));
  await mkdir(join(mixed, 'sub'));
  await copyFile(photos.body, join(mixed, 'sub', 'body.JPG'));
  const wall = { width: 400, height: 300, pixels: new Uint8Array(400 * 300 * 3).fill(200) };
  await writeFile(join(mixed, 'wall.jpg'), await encodeJpeg(wall, []));
  const bytes = await readFile(photos.body);
  await writeFile(join(mixed, 'cut.jpg'), bytes.subarray(0, bytes.length / 2));
  await writeFile(join(mixed, 'text.png'), 'This is no picture.');
  await writeFile(join(mixed, 'notes.txt'), 'This does not claim to be one.');
  return mixed;
}

describe('bonafide check', () => {
  it('finds a living person, and says which profile it used', async () => {
    const { code, stdout, stderr } = await check(photos.body);
    assert.equal(code, 0);
    assert.match(stdout, /^FILE +FACE +VERDICT +P\(LIVE\) +NOTES\n.*body\.jpg +1 +live +[01]\.\d{3} /);
    assert.match(
      stdout,
      /\nProfile standard, operating point balanced: 1 live, 0 attack; 0 of 1 pictures not assessed\.\n$/,
    );
    assert.match(stderr, /^Using the standard profile, because the weights of yunet-2023mar are missing\./);
  });

  it('is stricter where it is told to be', async () => {
    const { code, stdout } = await check(photos.face, '--operating-point', 'strict', '--profile', 'standard');
    assert.equal(code, 1);
    assert.match(stdout, /face\.jpg +1 +attack/);
  });

  it('reports what it cannot assess, and goes on', async () => {
    const mixed = await mixedFolder();
    const { code, stdout } = await check(mixed, join(mixed, 'notes.txt'), join(mixed, 'absent.jpg'));
    assert.equal(code, 2);
    const lines = stdout.split('\n').slice(1, 7);
    for (const [i, line] of [
      /cut\.jpg +not assessed +The jpeg image is damaged or incomplete\.$/,
      /sub\/body\.JPG +1 +live/,
      /text\.png +not assessed +The image must be one of .*; this is none that is known\.$/,
      /wall\.jpg +not assessed +no face found, low resolution$/,
      /notes\.txt +not assessed +The image must be one of/,
      /absent\.jpg +not assessed +The file cannot be read: no such file or directory\.$/,
    ].entries()) {
      assert.match(lines[i] ?? '', line);
    }
  });

  it('assesses pictures of any size, however many there are', async () => {
    const large = await mkdtemp(join(folder, 'large-'));
    // Work of a dozen ordinary photographs each.
    const picture = await sharp(photos.face).resize(4000, 3000).webp({ effort: 0 }).toBuffer();
    for (let i = 0; i < 6; i++) await writeFile(join(large, `${i}.webp`), picture);
    const { stdout } = await check(large);
    assert.match(stdout, /0 of 6 pictures not assessed/);
  });

  it('prints a line of JSON for each file, in order', async () => {
    const mixed = await mixedFolder();
    const limit = (await readFile(photos.body)).length - 1;
    const { code, stdout } = await check(mixed, photos.face, '--json', '--max-image-bytes', `${limit}`);
    assert.equal(code, 2);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      answers.map(({ file, profile, error, assessment }) => [
        file.replace(`${mixed}/`, ''),
        profile,
        error?.code ?? assessment.faces.length,
      ]),
      [
        ['cut.jpg', 'standard', 'undecodable_image'],
        ['sub/body.JPG', 'standard', 'image_too_large'],
        ['text.png', 'standard', 'unsupported_format'],
        ['wall.jpg', 'standard', 0],
        [photos.face, 'standard', 1],
      ],
    );
    const [face] = answers.at(-1).assessment.faces;
    assert.ok(face.pLive > 0 && face.pLive < 1);
    assert.deepEqual(Object.keys(face.verdicts), ['weak', 'balanced', 'strict']);
  });

  it('writes annotated pictures of the same size, each at its own place', async () => {
    const mixed = await mixedFolder();
    await copyFile(photos.face, join(mixed, 'sub', 'body.jpeg'));
    await copyFile(join(fixtures, 'portrait-rotated.heic'), join(mixed, 'iphone.heic'));
    const out = join(mixed, 'out');
    await check(mixed, '--annotate', out);
    const written = async () =>
      (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.jpg')).sort();
    const expected = ['iphone.heic.jpg', 'sub/body.JPG.jpg', 'sub/body.jpeg.jpg', 'wall.jpg.jpg'];
    assert.deepEqual(await written(), expected);
    // A second run takes none of them for input.
    await check(mixed, '--annotate', out);
    assert.deepEqual(await written(), expected);

    const bytes = await readFile(join(out, 'sub', 'body.JPG.jpg'));
    const { width, height } = await readHeader(await readFile(photos.body));
    const { pixels, ...size } = await decodeRaster(bytes, 10_000_000);
    assert.deepEqual(size, { width, height });
    let greens = 0;
    for (let i = 0; i < pixels.length; i += 3) {
      const [red = 0, green = 0, blue = 0] = pixels.subarray(i, i + 3);
      if (green > 120 && red < 70 && blue < 110) greens++;
    }
    assert.ok(greens > 1_000, `${greens} green pixels`);
  });

  it('never writes over a photograph', async () => {
    const album = await mkdtemp(join(folder, 'album-'));
    const names = ['a.jpg', 'a.jpg.jpg'];
    for (const name of names) await copyFile(photos.body, join(album, name));
    for (const input of [album, join(album, 'a.jpg')]) {
      const { code, stdout, stderr } = await check(input, '--annotate', album);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        `${join(album, 'a.jpg')} lies in ${album}, the folder of --annotate. Name a folder without photographs.\n`,
      );
    }
    const out = await mkdtemp(join(folder, 'out-'));
    await symlink(join(album, 'a.jpg.jpg'), join(out, 'a.jpg.jpg'));
    assert.equal((await check(join(album, 'a.jpg'), '--annotate', out)).code, 0);
    assert.ok(!(await readFile(join(out, 'a.jpg.jpg'))).equals(await readFile(photos.body)));

    assert.deepEqual((await readdir(album)).sort(), names);
    for (const name of names)
      assert.ok((await readFile(join(album, name))).equals(await readFile(photos.body)), name);
  });

  it('says why it cannot read a file whose name is not UTF-8', async () => {
    const odd = await mkdtemp(join(folder, 'odd-'));
    await copyFile(
      photos.body,
      Buffer.concat([Buffer.from(`${odd}/`), Buffer.from('latin\xe9.jpg', 'latin1')]),
    );
    const { code, stdout } = await check(odd);
    assert.equal(code, 2);
    assert.match(
      stdout,
      /latin\ufffd\.jpg +not assessed +The file cannot be read: its name is not UTF-8\.\n/,
    );
  });

  it('says that there is nothing to check', async () => {
    const empty = await mkdtemp(join(folder, 'empty-'));
    const { code, stderr } = await check(empty);
    assert.equal(code, 2);
    assert.equal(stderr, `There is no picture in ${empty}.\n`);
  });

  it('reads a pipe', async () => {
    const child = spawn('sh', [
      '-c',
      `cat "$1" | "$0" check /dev/stdin --data "$2"`,
      launcher,
      photos.body,
      data,
    ]);
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.equal(code, 0);
    assert.match(stdout, /\/dev\/stdin +1 +live/);
  });

  describe('with many files', () => {
    const count = 60;
    let many: string;
    before(async () => {
      many = await mkdtemp(join(folder, 'many-'));
      for (let i = 0; i < count; i++) await symlink(photos.body, join(many, `${i}.jpg`));
    });

    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`ends promptly on ${signal}`, async () => {
        const child = start(many, '--json');
        await once(child.stdout, 'data');
        const sent = performance.now();
        child.kill(signal);
        const [code, killedBy] = await once(child, 'exit');
        // Where the launcher runs the command in its own process, that one ends by the signal itself.
        assert.equal(code ?? 128 + constants.signals[killedBy as 'SIGINT'], 128 + constants.signals[signal]);
        assert.ok(performance.now() - sent < 1_000);
      });
    }

    it('ends quietly when nobody reads on', async () => {
      const child = start(many, '--json');
      const errors = text(child.stderr);
      await once(child.stdout, 'data');
      child.stdout.destroy();
      const [code, killedBy] = await once(child, 'exit');
      assert.equal(code ?? 128 + constants.signals[killedBy as 'SIGPIPE'], 128 + constants.signals.SIGPIPE);
      assert.doesNotMatch(await errors, /Error|EPIPE/);
    });

    it('tells a log where it is', async () => {
      const { code, stdout, stderr } = await check(many);
      assert.equal(code, 0);
      assert.equal(stdout.split('\n').filter((line) => line.includes(' live ')).length, count);
      assert.match(stderr, /\nChecking \.\.\.\nChecking: 60 of 60\n$/);
    });
  });
});
