/** The score file of an evaluation: one CSV row per picture with all that metrics and calibration need, so they need no model. */

import { stringify } from 'csv-stringify/sync';
import { type Static, Type } from 'typebox';
import type { Assessment, Box, Measures } from '../liveness/types.ts';
import { digestSettings } from '../models/calibration.ts';
import { ProfileDescriptor } from '../models/descriptor.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import { ManifestError, type ManifestRow, parseManifest } from './manifest.ts';

/** What became of a picture. Only `assessed` has a score: the others are non-responses, and never count as an answer. */
export const outcomes = ['assessed', 'no_face', 'unreadable'] as const;
export type ScoreOutcome = (typeof outcomes)[number];

/** What the engine said of the largest face of a picture. */
export interface ScoredFace {
  /** Calibrated probability of a live person, 0..1, as the server would answer. */
  readonly pLive: number;
  /** The weighed sum of the members' log-odds, before calibration. */
  readonly logOdds: number;
  /** Each liveness model's own log-odds, by model. */
  readonly members: Readonly<Record<string, number>>;
  readonly detectionScore?: number | undefined;
  readonly box?: Box | undefined;
  /** Those that the file has. */
  readonly measures: Partial<Measures>;
}

/** One row of the score file. */
export interface ScoredRow extends ManifestRow {
  readonly outcome: ScoreOutcome;
  /** Why there is no score, as a code; empty where there is one. */
  readonly reason: string;
  /** Faces found in the picture; the largest is scored. */
  readonly faces: number;
  /** Present exactly where `outcome` is `assessed`. */
  readonly face?: ScoredFace | undefined;
}

const { calibration, liveness, operatingPoints, fittedOn } = ProfileDescriptor.properties;
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** What the scores were made with, kept beside them: a file that is half of one engine and half of another means nothing. */
export const ScoreRun = Type.Object({
  /** Version. */
  bonafide: Type.String(),
  manifest: Type.Object({
    /** Path from the score file's folder. */
    path: Type.String(),
    /** SHA-256. */
    sha256: Digest,
    pictures: Type.Integer(),
  }),
  profile: Type.String(),
  /** SHA-256 of the weights by model. */
  models: Type.Record(Type.String(), Digest),
  /** See `digestSettings`. */
  settings: Digest,
  liveness,
  calibration,
  operatingPoints,
  /** Absent too where each score is by parameters fitted without its set. */
  fittedOn,
});
export type ScoreRun = Static<typeof ScoreRun>;

export function describeRun(
  { profile, models }: ResolvedProfile,
  bonafide: string,
  manifest: ScoreRun['manifest'],
): ScoreRun {
  const { id, liveness, calibration, operatingPoints, fittedOn } = profile;
  const hashes = Object.fromEntries(models.map((model) => [model.id, model.sha256]));
  const settings = digestSettings(models);
  return {
    bonafide,
    manifest,
    profile: id,
    models: hashes,
    settings,
    liveness,
    calibration,
    operatingPoints,
    ...(fittedOn !== undefined && { fittedOn }),
  };
}

/** What tells two runs apart, as words for a sentence; empty where the one may go on with the other's file. */
export function differences(one: ScoreRun, other: ScoreRun): string[] {
  const words: Record<keyof ScoreRun, string> = {
    bonafide: 'version of bonafide',
    manifest: 'manifest',
    profile: 'profile',
    models: 'weights',
    settings: 'preprocessing',
    liveness: 'choice of models',
    calibration: 'calibration',
    operatingPoints: 'operating points',
    fittedOn: 'set of pictures that a model was fitted on',
  };
  const keys = Object.keys(words) as (keyof ScoreRun)[];
  // The manifest may lie elsewhere by now: what it says is what counts.
  const text = (run: ScoreRun, key: keyof ScoreRun) =>
    JSON.stringify(key === 'manifest' ? run.manifest.sha256 : run[key]);
  const same = (key: keyof ScoreRun) => text(one, key) === text(other, key);
  return keys.filter((key) => !same(key)).map((key) => words[key]);
}

/** The measures' columns. */
const measureColumns = {
  side: 'face_side',
  eyeDistance: 'eye_distance',
  margin: 'margin',
  angle: 'angle',
  luma: 'luma',
  sharpness: 'sharpness',
  typologyAngle: 'ita',
} as const satisfies Record<keyof Measures, string>;
const measureNames = Object.keys(measureColumns) as (keyof Measures)[];

const boxColumns = { x0: 'box_x0', y0: 'box_y0', x1: 'box_x1', y1: 'box_y1' } as const;
const memberPrefix = 'log_odds.';

/** Every column of a score file, in its order. */
export interface ScoreColumns {
  readonly extra: readonly string[];
  readonly members: readonly string[];
}

/**
 * The columns for the rows of a manifest.
 * @throws ManifestError where the manifest has a column of the score file's.
 */
export function columnsFor(rows: readonly ManifestRow[], { liveness }: ScoreRun): ScoreColumns {
  const extra = Object.keys(rows[0]?.extra ?? {});
  const members = [...new Set(liveness.map(({ model }) => model))];
  const own = new Set(ownHeads({ extra: [], members }));
  const taken = extra.find((column) => own.has(column));
  if (taken !== undefined) {
    throw new ManifestError(`The manifest's column ${taken} has a name of the score file's. Rename it.`);
  }
  return { extra, members };
}

function ownHeads({ extra, members }: ScoreColumns): string[] {
  return [
    ...['file', 'label', 'species', 'group', 'set'],
    ...extra,
    ...['outcome', 'reason', 'faces', 'p_live', 'log_odds'],
    ...members.map((member) => memberPrefix + member),
    'detection_score',
    ...Object.values(boxColumns),
    ...Object.values(measureColumns),
  ];
}

/** The first line of a score file. */
export function headLine(columns: ScoreColumns): string {
  return stringify([ownHeads(columns)]);
}

/** The line of one picture. */
export function rowLine(row: ScoredRow, { extra, members }: ScoreColumns): string {
  const { face } = row;
  return stringify([
    [
      row.file,
      row.bonaFide ? 'bona-fide' : 'attack',
      row.species ?? '',
      row.group,
      row.set,
      ...extra.map((column) => row.extra[column] ?? ''),
      row.outcome,
      row.reason,
      row.faces,
      ...[face?.pLive, face?.logOdds, ...members.map((member) => face?.members[member])].map(written),
      written(face?.detectionScore),
      ...(['x0', 'y0', 'x1', 'y1'] as const).map((corner) => written(face?.box?.[corner])),
      ...measureNames.map((name) => written(face?.measures[name])),
    ],
  ]);
}

/** Nine digits: more than a score means, and few enough to read. */
function written(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toPrecision(9)));
}

/** The row of an assessment; the largest face is the one that counts. */
export function scoreAssessment(
  row: ManifestRow,
  { faces, tooSmall }: Assessment,
  { liveness }: Pick<ProfileDescriptor, 'liveness'>,
): ScoredRow {
  const [face] = faces;
  if (face === undefined) {
    return { ...row, outcome: 'no_face', reason: tooSmall > 0 ? 'too_small' : 'none_found', faces: 0 };
  }
  const { pLive, scores, detectionScore, box, measures } = face;
  const members = Object.fromEntries(scores.map(({ model, logOdds }) => [model, logOdds]));
  const logOdds = fuseMembers(members, liveness);
  const scored = { pLive, logOdds, members, detectionScore, box, measures };
  return { ...row, outcome: 'assessed', reason: '', faces: faces.length, face: scored };
}

/** The weighed sum of the members' log-odds. */
export function fuseMembers(
  members: Readonly<Record<string, number>>,
  liveness: ProfileDescriptor['liveness'],
): number {
  return liveness.reduce((sum, { model, weight }) => sum + weight * (members[model] ?? Number.NaN), 0);
}

/** What a kill may have left of a score file: its whole lines, without a last one that was not written to its end. */
export function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/**
 * Reads a score file; one of another program needs only a manifest's columns, `outcome`, and `p_live` or `log_odds`.
 * @throws ManifestError
 */
export function parseScores(text: string, name: string): ScoredRow[] {
  const rows = parseManifest(text, name);
  const heads = Object.keys(rows[0]?.extra ?? {});
  if (!heads.includes('outcome') || !(heads.includes('p_live') || heads.includes('log_odds'))) {
    throw new ManifestError(`${name} is no score file: it needs the columns outcome and p_live or log_odds.`);
  }
  const members = heads.filter((head) => head.startsWith(memberPrefix));
  const own = new Set(
    ownHeads({ extra: [], members: members.map((head) => head.slice(memberPrefix.length)) }),
  );
  return rows.map(({ extra: cells, ...row }, index) => {
    const fault = (sentence: string) => new ManifestError(`${name}, row ${index + 2}: ${sentence}`);
    const number = (column: string): number | undefined => {
      const cell = cells[column];
      if (cell === undefined || cell === '') return undefined;
      const value = Number(cell);
      if (!Number.isFinite(value)) throw fault(`${column} must be a number; it is "${cell}".`);
      return value;
    };
    const outcome = outcomes.find((candidate) => candidate === cells.outcome);
    if (outcome === undefined) {
      throw fault(`outcome must be one of ${outcomes.join(', ')}; it is "${cells.outcome}".`);
    }
    const scored: ScoredRow = {
      ...row,
      extra: Object.fromEntries(Object.entries(cells).filter(([column]) => !own.has(column))),
      outcome,
      reason: cells.reason ?? '',
      faces: number('faces') ?? (outcome === 'assessed' ? 1 : 0),
    };
    if (outcome !== 'assessed') return scored;
    const [logOdds, pLive] = [number('log_odds'), number('p_live')];
    if (pLive !== undefined && (pLive < 0 || pLive > 1)) throw fault('p_live must be from 0 to 1.');
    if (logOdds === undefined && pLive === undefined) throw fault('an assessed picture has no score.');
    const corners = Object.entries(boxColumns).map(([corner, column]) => [corner, number(column)] as const);
    const measured = measureNames.map((measure) => [measure, number(measureColumns[measure])] as const);
    return {
      ...scored,
      face: {
        pLive: pLive ?? sigmoid(logOdds as number),
        logOdds: logOdds ?? logit(pLive as number),
        members: Object.fromEntries(
          members.map((head) => [head.slice(memberPrefix.length), number(head) ?? Number.NaN]),
        ),
        detectionScore: number('detection_score'),
        ...(corners.every(([, value]) => value !== undefined) && {
          box: Object.fromEntries(corners) as unknown as Box,
        }),
        measures: Object.fromEntries(measured.filter(([, value]) => value !== undefined)),
      },
    };
  });
}

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** Log-odds of a probability, which is kept from 0 and 1, where they would be infinite. */
function logit(p: number): number {
  const kept = Math.min(Math.max(p, 1e-9), 1 - 1e-9);
  return Math.log(kept / (1 - kept));
}
