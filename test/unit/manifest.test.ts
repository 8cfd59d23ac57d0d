/** Manifests and score files: what is taken, and the sentences for what is not. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManifestError, parseManifest } from '../../src/evaluation/manifest.ts';
import {
  columnsFor,
  differences,
  headLine,
  parseScores,
  rowLine,
  scoreAssessment,
  wholeLines,
} from '../../src/evaluation/scores.ts';
import type { Assessment, Face } from '../../src/liveness/types.ts';
import { measures } from '../helpers/measures.ts';
import { run } from '../helpers/scores.ts';

const head = 'file,label,species,group,set';
const good = `${head},room\na.jpg,bona-fide,,anna,office,"1, left"\nb.jpg,attack,print,p-1,office,2\nc.jpg,attack,unknown,p-2,office,\n`;

function fault(text: string): string {
  try {
    parseManifest(text, 'm.csv');
  } catch (error) {
    assert.ok(error instanceof ManifestError, String(error));
    return error.message;
  }
  assert.fail('It was taken.');
}

describe('a manifest', () => {
  it('keeps what it says of every picture, other columns too', () => {
    const [a, b, c] = parseManifest(good, 'm.csv');
    assert.deepEqual(a, {
      file: 'a.jpg',
      bonaFide: true,
      group: 'anna',
      set: 'office',
      extra: { room: '1, left' },
    });
    assert.deepEqual([b?.bonaFide, b?.species, c?.species], [false, 'print', undefined]);
  });

  it('may name the species "attack", as older ones do, and have its columns in any order', () => {
    const [row] = parseManifest('\ufeffset,attack,file,label,group\noffice,replay,a.jpg,attack,g\n', 'm.csv');
    assert.deepEqual([row?.species, row?.set, row?.extra], ['replay', 'office', {}]);
  });

  it('needs no species column', () => {
    const [row] = parseManifest('file,label,group,set\na.jpg,attack,g,s\n', 'm.csv');
    assert.equal(row?.species, undefined);
  });

  it('is refused with a sentence that names the row', () => {
    const line = 'a.jpg,bona-fide,,g,s\n';
    assert.equal(fault(''), 'm.csv has no rows.');
    assert.equal(fault(`${head}\n`), 'm.csv has no rows.');
    assert.match(
      fault('file,label,species,group\na,b,c,d\n'),
      /^m\.csv has no column named set: the camera or/,
    );
    assert.match(fault('file,file,label\na,b,c\n'), /^m\.csv has two columns named file\.$/);
    assert.match(fault(`${head},set \n${line.trim()},t\n`), /^m\.csv has two columns named set\.$/);
    assert.equal(
      fault(`${head}\n${line}b.jpg,genuine,,g,s\n`),
      'm.csv, row 3: label must be bona-fide or attack; it is "genuine".',
    );
    assert.equal(fault(`${head}\n${line}b.jpg,attack,,,s\n`), 'm.csv, row 3: group is empty.');
    assert.equal(fault(`${head}\n${line}${line}`), 'm.csv, row 3: a.jpg is in row 2 already.');
    assert.match(fault(`${head}\n"a\nb.jpg",attack,,g,s\n`), /row 2: file holds a line break/);
    assert.match(fault(`${head}\na.jpg,attack\n`), /^m\.csv is not CSV: .*line 2/);
    assert.match(fault(`${head}\n"a.jpg,attack,,g,s\n`), /^m\.csv is not CSV: /);
  });
});

const face = (pLive: number, logOdds: [number, number]): Face => ({
  box: { x0: 1, y0: 2, x1: 101, y1: 142 },
  detectionScore: 0.987,
  landmarks: {} as Face['landmarks'],
  pLive,
  verdicts: {} as Face['verdicts'],
  scores: [
    { model: 'drawn-net', logOdds: logOdds[0] },
    { model: 'other-net', logOdds: logOdds[1] },
  ],
  measures,
  warnings: [],
});
const assessment = (faces: Face[], tooSmall = 0): Assessment => ({
  image: { format: 'jpeg', width: 640, height: 480 },
  faces,
  tooSmall,
  warnings: [],
  timings: {},
});

describe('a score file', () => {
  const rows = parseManifest(good, 'm.csv');
  const columns = columnsFor(rows, run);
  const scored = [
    scoreAssessment(rows[0] as (typeof rows)[0], assessment([face(0.9, [1.25, -2]), face(0.1, [0, 0])]), run),
    scoreAssessment(rows[1] as (typeof rows)[0], assessment([], 1), run),
    {
      ...(rows[2] as (typeof rows)[0]),
      outcome: 'unreadable',
      reason: 'undecodable_image',
      faces: 0,
    } as const,
  ];
  const text = headLine(columns) + scored.map((row) => rowLine(row, columns)).join('');

  it('says again what was written to it', () => {
    assert.deepEqual(parseScores(text, 's.csv'), scored);
  });

  it('scores the largest face, the first, and adds the members up by their weights', () => {
    const [first, second] = parseScores(text, 's.csv');
    assert.deepEqual([first?.faces, first?.face?.pLive, first?.face?.logOdds], [2, 0.9, 1.25 - 1]);
    assert.deepEqual([second?.outcome, second?.reason, second?.face], ['no_face', 'too_small', undefined]);
  });

  it('has one line for each picture, in columns that a person can read', () => {
    const [names, first] = text.split('\n');
    assert.equal(
      names,
      'file,label,species,group,set,room,outcome,reason,faces,p_live,log_odds,log_odds.drawn-net,log_odds.other-net,detection_score,box_x0,box_y0,box_x1,box_y1,face_side,eye_distance,margin,angle,luma,sharpness,ita',
    );
    assert.equal(
      first,
      'a.jpg,bona-fide,,anna,office,"1, left",assessed,,2,0.9,0.25,1.25,-2,0.987,1,2,101,142,200,90,40,5,120,10,30',
    );
  });

  it('of which a kill tore the last line is read without it', () => {
    for (let length = text.length - 1; length > text.length - 20; length--) {
      const kept = wholeLines(text.slice(0, length));
      assert.equal(parseScores(kept, 's.csv').length, 2);
    }
  });

  it('of another program needs p_live or log_odds only', () => {
    const of = (column: string, value: string) =>
      parseScores(`file,label,group,set,outcome,${column}\na,attack,g,s,assessed,${value}\n`, 's.csv')[0]
        ?.face;
    assert.ok(Math.abs((of('p_live', '0.5')?.logOdds as number) - 0) < 1e-12);
    assert.equal(of('log_odds', '0')?.pLive, 0.5);
    assert.ok(Number.isFinite(of('p_live', '1')?.logOdds));
  });

  it('is refused with a sentence that names the row', () => {
    const start = 'file,label,group,set,outcome,p_live\n';
    const refused: [string, RegExp][] = [
      [good, /^m\.csv is no score file: it needs the columns outcome and p_live or log_odds\.$/],
      [
        `${start}a,attack,g,s,fine,0.5\n`,
        /row 2: outcome must be one of assessed, no_face, unreadable; it is "fine"\./,
      ],
      [`${start}a,attack,g,s,assessed,high\n`, /row 2: p_live must be a number; it is "high"\./],
      [`${start}a,attack,g,s,assessed,1.5\n`, /row 2: p_live must be from 0 to 1\./],
      [`${start}a,attack,g,s,assessed,\n`, /row 2: an assessed picture has no score\./],
    ];
    for (const [own, sentence] of refused) {
      assert.throws(
        () => parseScores(own, 'm.csv'),
        (error: Error) => error instanceof ManifestError && sentence.test(error.message),
      );
    }
  });

  it('does not take a manifest with a column of its own', () => {
    const own = parseManifest('file,label,group,set,p_live\na,attack,g,s,1\n', 'm.csv');
    assert.throws(
      () => columnsFor(own, run),
      /The manifest's column p_live has a name of the score file's\./,
    );
  });

  it('tells what it was made with from what another was', () => {
    assert.deepEqual(differences(run, structuredClone(run)), []);
    const moved = { ...run, manifest: { ...run.manifest, path: '../other.csv' } };
    assert.deepEqual(differences(run, moved), []);
    const other = { ...run, profile: 'x', calibration: { slopeBelow: 1, slopeAbove: 1, intercept: 0 } };
    assert.deepEqual(differences(run, other), ['profile', 'calibration']);
    const refitted = { ...run, fittedOn: 'f'.repeat(64) };
    assert.deepEqual(differences(run, refitted), ['set of pictures that a model was fitted on']);
    assert.deepEqual(differences(refitted, structuredClone(refitted)), []);
  });
});
