/** Calibration, fusion weights and operating points from scores, each score judged by parameters that were fitted without it. */

import { calibrated, halves } from '../liveness/decide.ts';
import { type OperatingPointName, operatingPointNames } from '../liveness/types.ts';
import type { Calibration } from '../models/calibration.ts';
import { fitLogistic } from './logistic.ts';
import {
  chooseOperatingPoints,
  decisionRates,
  equalErrorRate,
  roundThreshold,
  weighPresentations,
} from './metrics.ts';
import type { ScoredRow, ScoreRun } from './scores.ts';

/** A scored presentation, and what its P(live) is made of. */
export interface FusionRow {
  readonly bonaFide: boolean;
  readonly set: string;
  readonly group: string;
  readonly species?: string | undefined;
  /** Any numbers by name, as log-odds; the same names in every row. */
  readonly features: Readonly<Record<string, number>>;
}

export interface Fusion {
  /** By feature. */
  readonly weights: Readonly<Record<string, number>>;
  /** Of their weighed sum. */
  readonly calibration: Calibration['calibration'];
}

/** What is fitted: the calibration alone, or each member's weight as well. */
export type Fitted = 'calibration' | 'weights';

/** Penalty on fusion weights: members that say nearly the same share a weight, instead of taking it from each other. */
const fusionPenalty = 0.01;

/**
 * Weights and calibration of least cross-entropy, every set weighed alike, every group within its set, and both classes alike.
 * Deterministic.
 * Slopes are negative, and the same, where scores are higher for attacks than for people.
 * @throws RangeError where a class is empty or a feature is no number.
 */
export function fitFusion(rows: readonly FusionRow[], fitted: Fitted): Fusion {
  const weights = fitWeights(rows, fitted);
  return { weights, calibration: fitCalibration(rows, unseenSums(rows, fitted, weights)) };
}

/** A sum of members is calibrated as it comes; only their weights, where they are fitted, are in proportion to what they add. */
function fitWeights(rows: readonly FusionRow[], fitted: Fitted): Fusion['weights'] {
  const names = Object.keys(rows[0]?.features ?? {});
  if (fitted === 'calibration') return Object.fromEntries(names.map((name) => [name, 1]));
  const { weights } = fitLogistic(
    weighPresentations(rows).map(({ features, bonaFide, weight }) => ({
      features: names.map((name) => features[name] ?? Number.NaN),
      bonaFide,
      weight,
    })),
    fusionPenalty,
  );
  return Object.fromEntries(names.map((name, i) => [name, weights[i] as number]));
}

/**
 * Each row's weighed sum, by weights fitted without its part: on the very rows that weights were fitted on, a sum looks surer
 * than it is, and so would the calibration be. Where too little is there to leave out, by those weights all the same.
 */
function unseenSums(rows: readonly FusionRow[], fitted: Fitted, weights: Fusion['weights']): number[] {
  const parts = fitted === 'weights' ? partition(rows)?.parts : undefined;
  if (parts === undefined) return rows.map(({ features }) => weighedSum(weights, features));
  const fits = eachPart(parts, (isOther) =>
    fitWeights(
      rows.filter((_, i) => isOther(i)),
      fitted,
    ),
  );
  return rows.map(({ features }, i) => weighedSum(fits.get(parts[i]) as Fusion['weights'], features));
}

/** The least that a calibration file, of four decimals, can tell from no slope at all. */
const leastSlope = 1e-4;

function fitCalibration(rows: readonly FusionRow[], sums: readonly number[]): Fusion['calibration'] {
  const fit = (featuresOf: (sum: number) => number[]) =>
    fitLogistic(
      weighPresentations(rows).map(({ bonaFide, weight }, i) => ({
        features: featuresOf(sums[i] as number),
        bonaFide,
        weight,
      })),
      0,
    );
  const { weights, intercept } = fit(halves);
  const [slopeBelow = 0, slopeAbove = 0] = weights;
  if (Math.min(slopeBelow, slopeAbove) >= leastSlope) return { slopeBelow, slopeAbove, intercept };
  // A higher score must never mean less: then one slope has to do for both.
  const plain = fit((sum) => [sum]);
  const [slope = 0] = plain.weights;
  return { slopeBelow: slope, slopeAbove: slope, intercept: plain.intercept };
}

/** P(live) of one presentation, 0..1. */
export function fusedScore({ weights, calibration }: Fusion, features: FusionRow['features']): number {
  return calibrated(weighedSum(weights, features), calibration);
}

function weighedSum(weights: Fusion['weights'], features: FusionRow['features']): number {
  return Object.entries(weights).reduce(
    (sum, [name, weight]) => sum + weight * (features[name] as number),
    0,
  );
}

/** What is left out in turn: a whole set or, where too few sets have each class, a fifth of the groups. */
export type LeftOut = 'set' | 'group';

export interface CrossValidation {
  readonly leftOut: LeftOut;
  /** P(live) of every row, by a fit without its part. */
  readonly scores: readonly number[];
  /** Whether every row is taken for live at each point, by a threshold chosen without its part. */
  readonly accepted: readonly Readonly<Record<OperatingPointName, boolean>>[];
}

/**
 * Scores every presentation by a fit on the others: each set is left out in turn.
 * @throws RangeError where the groups are too few to leave any out.
 */
export function crossValidate(rows: readonly FusionRow[], fitted: Fitted): CrossValidation {
  const partitioned = partition(rows);
  if (partitioned === undefined) {
    throw new RangeError(
      'Nothing can be left out: there must be two groups of bona fide pictures and two of attacks at least.',
    );
  }
  const { leftOut, parts } = partitioned;
  const fits = eachPart(parts, (isOther) => {
    const others = rows.filter((_, i) => isOther(i));
    const fusion = fitFusion(others, fitted);
    const points = chooseOperatingPoints(
      weighPresentations(others).map((row) => ({ ...row, score: fusedScore(fusion, row.features) })),
    );
    return { fusion, points };
  });
  const judged = rows.map(({ features }, i) => {
    const { fusion, points } = fits.get(parts[i]) as NonNullable<ReturnType<typeof fits.get>>;
    const score = fusedScore(fusion, features);
    return { score, accepted: atPoints((name) => score >= points[name].threshold) };
  });
  return {
    leftOut,
    scores: judged.map(({ score }) => score),
    accepted: judged.map(({ accepted }) => accepted),
  };
}

/** What is made without each part, by part. */
function eachPart<T>(
  parts: readonly string[],
  make: (isOther: (row: number) => boolean) => T,
): Map<string | undefined, T> {
  return new Map([...new Set(parts)].map((part) => [part, make((i) => parts[i] !== part)]));
}

const groupParts = 5;

/** Which part each row belongs to; nothing where the groups are too few to leave any out. */
function partition(rows: readonly FusionRow[]): { leftOut: LeftOut; parts: string[] } | undefined {
  const setsWith = (bonaFide: boolean) =>
    new Set(rows.filter((row) => row.bonaFide === bonaFide).map(({ set }) => set)).size;
  // Whichever set is left out, both classes remain.
  if (setsWith(true) > 1 && setsWith(false) > 1) return { leftOut: 'set', parts: rows.map(({ set }) => set) };
  const key = ({ set, group }: FusionRow) => `${set}\0${group}`;
  const groupsOf = (bonaFide: boolean) => [
    ...new Set(rows.filter((row) => row.bonaFide === bonaFide).map(key)),
  ];
  const [live, attacks] = [groupsOf(true), groupsOf(false)];
  if (live.length < 2 || attacks.length < 2) return undefined;
  // Groups of people alone, of both, of attacks alone: each class runs through, so that no part has all of one.
  const attacked = new Set(attacks);
  const inTurn = [
    ...live.filter((name) => !attacked.has(name)),
    ...live.filter((name) => attacked.has(name)),
  ];
  const parts = new Map(
    [...new Set([...inTurn, ...attacks])].map((name, i) => [name, String(i % groupParts)] as const),
  );
  return { leftOut: 'group', parts: rows.map((row) => parts.get(key(row)) as string) };
}

/** The same for each operating point. */
export function atPoints<T>(make: (name: OperatingPointName) => T): Record<OperatingPointName, T> {
  return Object.fromEntries(operatingPointNames.map((name) => [name, make(name)])) as Record<
    OperatingPointName,
    T
  >;
}

/** Fewer groups than this are no species that a threshold may hang on: one lucky picture would move it from end to end. */
export const fewestSpeciesGroups = 5;

/** The rows with the species of too few groups taken for attacks of unknown make. */
export function withoutRareSpecies<
  Row extends { readonly set: string; readonly group: string; readonly species?: string | undefined },
>(rows: readonly Row[]): Row[] {
  const groups = new Map<string | undefined, Set<string>>();
  for (const { species, set, group } of rows) {
    groups.set(species, (groups.get(species) ?? new Set()).add(`${set}\0${group}`));
  }
  return rows.map((row) =>
    (groups.get(row.species) as Set<string>).size < fewestSpeciesGroups
      ? { ...row, species: undefined }
      : row,
  );
}

/** With fewer groups of a class a rate of 0 may be one of more than 11 %: a calibration is written, but not without a word. */
const fewestGroups = 30;

const fused = 'log_odds';

/**
 * The assessed rows, ready to be fitted, without species too rare to choose a threshold by.
 * @throws RangeError where the rows do not have the members' log-odds.
 */
export function fusionRows(rows: readonly ScoredRow[], fitted: Fitted): FusionRow[] {
  const assessed = rows.flatMap(({ face, ...row }) => {
    if (face === undefined) return [];
    return [{ ...row, features: fitted === 'weights' ? face.members : { [fused]: face.logOdds } }];
  });
  if (fitted === 'weights' && Object.keys(assessed[0]?.features ?? {}).length === 0) {
    throw new RangeError(
      "The score file has no column of a model's own log-odds, so there are no weights to fit.",
    );
  }
  return withoutRareSpecies(assessed);
}

/**
 * Fits a calibration and chooses operating points; their rates are those of scores and thresholds that were not fitted on the
 * presentation they judge, except that one threshold is chosen over all of them.
 * @returns the file, and sentences about what could not be had.
 * @throws RangeError where there is too little to fit.
 */
export function calibrate(
  scored: readonly ScoredRow[],
  run: ScoreRun,
  fitted: Fitted,
): { calibration: Calibration; notes: string[] } {
  const rows = fusionRows(scored, fitted);
  const { scores, leftOut } = crossValidate(rows, fitted);
  const presentations = weighPresentations(rows).map((row, i) => ({ ...row, score: scores[i] as number }));
  const { weights, calibration } = fitFusion(rows, fitted);
  if (calibration.slopeBelow < leastSlope) {
    throw new RangeError(
      'These scores are higher for attacks than for people. Look whether the labels are right.',
    );
  }

  const chosen = chooseOperatingPoints(presentations);
  const notes: string[] = [];
  if (!chosen.strict.met) {
    notes.push(
      `No threshold short of refusing everybody keeps APCER at 1 %: strict is the one that lets the fewest attacks through, ${percent(chosen.strict.maxApcer)}.`,
    );
  }
  // Where a model is so good that one threshold would do for all, the points may cross; stricter must not mean looser.
  const ascending = operatingPointNames.map((name) => chosen[name].threshold).sort((a, b) => a - b);
  const rounded = ascending.map((threshold) => roundThreshold(threshold, scores));
  const point = (threshold: number) => {
    const { maxApcer = 0, bpcer = 0 } = decisionRates(
      presentations.map((row) => ({ ...row, accepted: row.score >= threshold })),
    );
    return { threshold, apcer: decimals(maxApcer, 4), bpcer: decimals(bpcer, 4) };
  };
  const operatingPoints = Object.fromEntries(
    operatingPointNames.map((name, i) => [name, point(rounded[i] as number)]),
  ) as Calibration['operatingPoints'];

  const count = (bonaFide: boolean) => {
    const own = rows.filter((row) => row.bonaFide === bonaFide);
    return { pictures: own.length, groups: new Set(own.map(({ set, group }) => `${set}\0${group}`)).size };
  };
  const [people, attacks] = [count(true), count(false)];
  if (Math.min(people.groups, attacks.groups) < fewestGroups) {
    notes.push(
      `Fitted to ${people.groups} groups of people and ${attacks.groups} of attacks: too few to rely on. Look at the intervals of the report, and take more.`,
    );
  }
  const weightOf = (model: string) => decimals(weights[model] as number, 4);
  return {
    notes,
    calibration: {
      profile: run.profile,
      models: run.models,
      settings: run.settings,
      liveness:
        fitted === 'weights'
          ? run.liveness.map(({ model }) => ({ model, weight: weightOf(model) }))
          : run.liveness,
      calibration: {
        slopeBelow: decimals(calibration.slopeBelow, 4),
        slopeAbove: decimals(calibration.slopeAbove, 4),
        intercept: decimals(calibration.intercept, 4),
      },
      operatingPoints,
      fitted: {
        bonafide: run.bonafide,
        manifest: run.manifest.sha256,
        sets: [...new Set(rows.map(({ set }) => set))].sort(),
        leftOut,
        bonaFide: people,
        attack: attacks,
        eer: decimals(equalErrorRate(presentations), 4),
      },
    },
  };
}

function decimals(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}
