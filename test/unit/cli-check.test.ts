/** What `bonafide check` makes of outcomes, and how it finds, bounds and orders files. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { jsonLine, type Outcome, rowsOf, Tally } from '../../src/cli/check.ts';
import { inOrder } from '../../src/cli/in-order.ts';
import { annotatedPaths, findPictures, firstWithin, readBounded } from '../../src/cli/pictures.ts';
import { AssessmentError } from '../../src/liveness/errors.ts';
import type { Assessment, Face } from '../../src/liveness/types.ts';
import { measures } from '../helpers/measures.ts';

const point = { x: 0, y: 0 };
const face = (pLive: number, ...verdicts: ('live' | 'attack')[]): Face => ({
  box: { x0: 0, y0: 0, x1: 10, y1: 10 },
  detectionScore: 1,
  landmarks: { leftEye: point, rightEye: point, nose: point, leftLip: point, rightLip: point },
  pLive,
  verdicts: {
    weak: verdicts[0] ?? 'live',
    balanced: verdicts[1] ?? 'live',
    strict: verdicts[2] ?? 'live',
  },
  scores: [],
  measures,
  warnings: [{ code: 'small_face', value: 100, limit: 150 }],
});
const assessed = (file: string, faces: Face[], more: Partial<Assessment> = {}): Outcome => ({
  file,
  assessment: {
    image: { format: 'jpeg', width: 20, height: 20 },
    faces,
    tooSmall: 0,
    warnings: [{ code: 'low_resolution', value: 20, limit: 480 }],
    timings: {},
    ...more,
  },
});
const failed: Outcome = { file: 'bad', failure: { code: 'undecodable_image', message: 'It is damaged.' } };
const live = assessed('live', [face(0.9)]);
const attack = assessed('attack', [face(0.3, 'live', 'attack', 'attack')]);
const empty = assessed('empty', []);

describe('a row', () => {
  it('is there for each face', () => {
    assert.deepEqual(
      rowsOf(assessed('a.jpg', [face(0.98765), face(0.5, 'live', 'live', 'attack')]), 'strict'),
      [
        ['a.jpg', '1', 'live', '0.988', 'low resolution, small face'],
        ['a.jpg', '2', 'attack', '0.500', 'low resolution, small face'],
      ],
    );
  });

  it('tells why there is no verdict', () => {
    assert.deepEqual(rowsOf(failed, 'weak'), [['bad', '', 'not assessed', '', 'It is damaged.']]);
    assert.deepEqual(rowsOf(empty, 'weak'), [
      ['empty', '', 'not assessed', '', 'no face found, low resolution'],
    ]);
    assert.equal(
      rowsOf(assessed('far', [], { tooSmall: 2, warnings: [] }), 'weak')[0]?.[4],
      'face too small',
    );
  });

  it('does not let a name steer the terminal', () => {
    assert.equal(
      rowsOf({ ...failed, file: 'a\x1b[2J\n\x9b.jpg' }, 'weak')[0]?.[0],
      'a\ufffd[2J\ufffd\ufffd.jpg',
    );
  });
});

it('a line of JSON holds the whole assessment, or the error', () => {
  assert.ok('assessment' in live);
  assert.deepEqual(JSON.parse(jsonLine(live, 'mine')), {
    file: 'live',
    profile: 'mine',
    assessment: JSON.parse(JSON.stringify(live.assessment)),
  });
  assert.deepEqual(JSON.parse(jsonLine({ ...failed, file: 'a\nb' }, 'mine')), {
    file: 'a\nb',
    profile: 'mine',
    error: { code: 'undecodable_image', message: 'It is damaged.' },
  });
});

describe('the exit code', () => {
  const codeOf = (...outcomes: Outcome[]) => {
    const tally = new Tally('balanced');
    for (const outcome of outcomes) tally.add(outcome);
    return tally.exitCode;
  };

  it('is 0 only when all are live', () => assert.equal(codeOf(live, live), 0));
  it('is 1 when there is an attack, whatever else there is', () => {
    assert.equal(codeOf(live, attack), 1);
    assert.equal(codeOf(failed, empty, attack), 1);
  });
  it('is 2 when something was not assessed', () => {
    assert.equal(codeOf(live, failed), 2);
    assert.equal(codeOf(live, empty), 2);
    assert.equal(codeOf({ ...live, notAnnotated: 'The disk is full.' }), 2);
  });
  it('follows the operating point', () => {
    const tally = new Tally('weak');
    tally.add(attack);
    assert.equal(tally.exitCode, 0);
    assert.equal(
      tally.sentence('mine'),
      'Profile mine, operating point weak: 1 live, 0 attack; 0 of 1 pictures not assessed.',
    );
  });
});

describe('inOrder', () => {
  async function results(count: number, atOnce: number) {
    let running = 0;
    let most = 0;
    const run = async (item: number) => {
      most = Math.max(most, ++running);
      await new Promise((done) => setTimeout(done, item % 3));
      running--;
      return item * 2;
    };
    const items = Array.from({ length: count }, (_, i) => i);
    const given: number[] = [];
    for await (const result of inOrder(items, atOnce, run)) given.push(result);
    return { given, most };
  }

  it('keeps the order and the bound', async () => {
    const { given, most } = await results(20, 4);
    assert.deepEqual(
      given,
      Array.from({ length: 20 }, (_, i) => i * 2),
    );
    assert.equal(most, 4);
  });

  it('gives what is less than the bound', async () => {
    assert.deepEqual((await results(1, 4)).given, [0]);
    assert.deepEqual((await results(0, 4)).given, []);
  });
});

describe('files', () => {
  async function tree(t: TestContext, ...files: string[]): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'check-'));
    t.after(() => rm(folder, { recursive: true }));
    for (const file of files) {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), file);
    }
    return folder;
  }

  it('are found in folders by extension, in order, and each once', async (t) => {
    const folder = await tree(t, 'b.JPG', 'a.png', 'c/d.heic', 'c/e/f.webp', 'notes.txt', 'g');
    await symlink(join(folder, 'a.png'), join(folder, 'h.gif'));
    await symlink(folder, join(folder, 'round'));
    const found = await findPictures(
      [join(folder, 'g'), folder, join(folder, 'c', '..', 'b.JPG')],
      undefined,
    );
    assert.deepEqual(
      found.map((file) => relative(folder, file)),
      ['g', 'a.png', 'b.JPG', 'c/d.heic', 'c/e/f.webp', 'h.gif'],
    );
  });

  it('that are not there are kept, to be reported', async () => {
    assert.deepEqual(await findPictures(['/nowhere/a.jpg'], undefined), ['/nowhere/a.jpg']);
  });

  it('that an earlier run annotated are left out, unless that folder is named', async (t) => {
    const folder = await tree(t, 'a.jpg', 'out/a.jpg.jpg');
    const out = join(folder, 'out');
    assert.deepEqual(await findPictures([folder], out), [join(folder, 'a.jpg')]);
    assert.deepEqual(await findPictures([out], out), [join(out, 'a.jpg.jpg')]);
  });

  it('that an earlier run annotated are left out, whatever way leads there', async (t) => {
    const folder = await tree(t, 'photos/a.jpg', 'photos/out/a.jpg.jpg');
    await symlink(join(folder, 'photos'), join(folder, 'way'));
    const found = await findPictures([join(folder, 'photos')], join(folder, 'way', 'out'));
    assert.deepEqual(found, [join(folder, 'photos', 'a.jpg')]);
  });

  it('are known to lie in a folder, whatever way leads there', async (t) => {
    const folder = await tree(t, 'photos/a.jpg', 'photos/sub/b.jpg', 'photos-2/c.jpg');
    const [photos, way] = [join(folder, 'photos'), join(folder, 'way')];
    await symlink(photos, way);
    await symlink(join(photos, 'a.jpg'), join(folder, 'photos-2', 'd.jpg'));
    const [a, b, c, d] = ['photos/a.jpg', 'photos/sub/b.jpg', 'photos-2/c.jpg', 'photos-2/d.jpg'].map(
      (file) => join(folder, file),
    ) as [string, string, string, string];
    assert.equal(await firstWithin(photos, [c, a, b]), a);
    assert.equal(await firstWithin(way, [c, b]), b);
    assert.equal(await firstWithin(photos, [c, d]), d);
    assert.equal(await firstWithin(photos, [c, join(folder, 'absent.jpg')]), undefined);
    assert.equal(await firstWithin(join(folder, 'absent'), [a]), undefined);
  });

  it('get a place of their own each', () => {
    const place = annotatedPaths('out', ['/p/x/a.jpg', '/p/x/a.png', '/p/y/a.jpg', '/p/y/z/a.jpg']);
    assert.deepEqual(['/p/x/a.jpg', '/p/x/a.png', '/p/y/a.jpg', '/p/y/z/a.jpg'].map(place), [
      'out/x/a.jpg.jpg',
      'out/x/a.png.jpg',
      'out/y/a.jpg.jpg',
      'out/y/z/a.jpg.jpg',
    ]);
    assert.equal(annotatedPaths('out', ['/p/a.jpg'])('/p/a.jpg'), 'out/a.jpg.jpg');
    assert.equal(annotatedPaths('out', ['/a.jpg', '/p/b.jpg'])('/p/b.jpg'), 'out/p/b.jpg.jpg');
    assert.equal(annotatedPaths('out', ['../a.jpg'])(resolve('../a.jpg')), 'out/a.jpg.jpg');
  });

  it('are read up to the limit', async (t) => {
    const file = join(await tree(t, 'ten bytes.'), 'ten bytes.');
    assert.equal((await readBounded(file, 10)).length, 10);
    await assert.rejects(
      readBounded(file, 9),
      (error) => error instanceof AssessmentError && error.code === 'image_too_large',
    );
  });
});
