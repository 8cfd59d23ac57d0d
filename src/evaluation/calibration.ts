/** Calibration, fusion weights and operating points from scores, each score judged by parameters that were fitted without it. */

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
import { type ScoredRow, type ScoreRun, sigmoid } from './scores.ts';

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
  readonly intercept: number;
}

/**
 * P(live) = sigmoid(sum of weight x feature + intercept), fitted with every set weighed alike, every group within its set, and
 * both classes alike. Deterministic.
 * @param l2 see `fitLogistic`; 0 for a plain fit.
 * @throws RangeError where a class is empty or a feature is no number.
 */
export function fitFusion(rows: readonly FusionRow[], { l2 }: { l2: number }): Fusion {
  const names = Object.keys(rows[0]?.features ?? {});
  const { weights, intercept } = fitLogistic(
    weighPresentations(rows).map(({ features, bonaFide, weight }) => ({
      features: names.map((name) => features[name] ?? Number.NaN),
      bonaFide,
      weight,
    })),
    l2,
  );
  return { weights: Object.fromEntries(names.map((name, i) => [name, weights[i] as number])), intercept };
}

/** P(live) of one presentation, 0..1. */
export function fusedScore({ weights, intercept }: Fusion, features: FusionRow['features']): number {
  const sum = Object.entries(weights).reduce(
    (z, [name, weight]) => z + weight * (features[name] as number),
    intercept,
  );
  return sigmoid(sum);
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
export function crossValidate(rows: readonly FusionRow[], options: { l2: number }): CrossValidation {
  const { leftOut, parts } = partition(rows);
  const scores: number[] = new Array(rows.length);
  const accepted: CrossValidation['accepted'][number][] = new Array(rows.length);
  for (const part of new Set(parts)) {
    const others = rows.filter((_, i) => parts[i] !== part);
    const fusion = fitFusion(others, options);
    const points = chooseOperatingPoints(
      weighPresentations(others).map((row) => ({ ...row, score: fusedScore(fusion, row.features) })),
    );
    for (const [i, row] of rows.entries()) {
      if (parts[i] !== part) continue;
      const score = fusedScore(fusion, row.features);
      scores[i] = score;
      accepted[i] = atPoints((name) => score >= points[name].threshold);
    }
  }
  return { leftOut, scores, accepted };
}

const groupParts = 5;

/** Which part each row belongs to. */
function partition(rows: readonly FusionRow[]): { leftOut: LeftOut; parts: string[] } {
  const setsWith = (bonaFide: boolean) =>
    new Set(rows.filter((row) => row.bonaFide === bonaFide).map(({ set }) => set)).size;
  // Whichever set is left out, both classes remain.
  if (setsWith(true) > 1 && setsWith(false) > 1) return { leftOut: 'set', parts: rows.map(({ set }) => set) };
  const key = ({ set, group }: FusionRow) => `${set}\0${group}`;
  const groupsOf = (bonaFide: boolean) => [
    ...new Set(rows.filter((row) => row.bonaFide === bonaFide).map(key)),
  ];
  const [live, attacks] = [groupsOf(true), groupsOf(false)];
  if (live.length < 2 || attacks.length < 2) {
    throw new RangeError(
      'Nothing can be left out: there must be two groups of bona fide pictures and two of attacks at least.',
    );
  }
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

/** What is fitted: slope and intercept alone, or each member's weight as well. */
export type Fitted = 'calibration' | 'weights';

/** Penalty on fusion weights: members that say nearly the same share a weight, instead of taking it from each other. */
export const fusionPenalty = 0.01;

const fused = 'log_odds';

/**
 * The assessed rows, ready to be fitted, without species too rare to choose a threshold by.
 * @throws RangeError where the rows do not have the members' log-odds.
 */
export function fusionRows(
  rows: readonly ScoredRow[],
  fitted: Fitted,
): { rows: FusionRow[]; options: { l2: number } } {
  const assessed = rows.flatMap(({ face, ...row }) => {
    if (face === undefined) return [];
    return [{ ...row, features: fitted === 'weights' ? face.members : { [fused]: face.logOdds } }];
  });
  if (fitted === 'weights' && Object.keys(assessed[0]?.features ?? {}).length === 0) {
    throw new RangeError(
      "The score file has no column of a model's own log-odds, so there are no weights to fit.",
    );
  }
  return { rows: withoutRareSpecies(assessed), options: { l2: fitted === 'weights' ? fusionPenalty : 0 } };
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
  const { rows, options } = fusionRows(scored, fitted);
  const { scores, leftOut } = crossValidate(rows, options);
  const presentations = weighPresentations(rows).map((row, i) => ({ ...row, score: scores[i] as number }));
  const { weights, intercept } = fitFusion(rows, options);
  if (Object.values(weights).every((weight) => weight <= 0)) {
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
        slope: fitted === 'weights' ? 1 : decimals(weights[fused] as number, 4),
        intercept: decimals(intercept, 4),
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
