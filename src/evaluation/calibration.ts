/** Calibration, fusion weights and operating points from scores, each score judged by parameters that were fitted without it. */

import { type OperatingPointName, operatingPointNames } from '../liveness/types.ts';
import { fitLogistic } from './logistic.ts';
import { type ChosenPoint, chooseOperatingPoints, weighPresentations } from './metrics.ts';
import { sigmoid } from './scores.ts';

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
  // One class after the other, so that each part has its share of both.
  const parts = new Map(
    [...new Set([...live, ...attacks])].map((name, i) => [name, String(i % groupParts)] as const),
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

export type ChosenPoints = Readonly<Record<OperatingPointName, ChosenPoint>>;
