/** From a score file to every figure of the report, as plain data. */

import { type OperatingPointName, operatingPointNames } from '../liveness/types.ts';
import type { ProfileDescriptor } from '../models/descriptor.ts';
import {
  Bootstrap,
  type Estimate,
  type Figures,
  interval,
  type Weights,
  withExactBound,
} from './bootstrap.ts';
import {
  atPoints,
  crossValidate,
  type Fitted,
  fitFusion,
  fusedScore,
  fusionRows,
  withoutRareSpecies,
} from './calibration.ts';
import { classOf, conditions } from './conditions.ts';
import {
  areaOf,
  bpcerAtApcer,
  chooseOperatingPoints,
  type DecisionRates,
  decisionRates,
  equalErrorRate,
  expectedCalibrationError,
  leastDifference,
  type Presentation,
  ratesAt,
  reliability,
  roundThreshold,
  sweepThresholds,
  weighPresentations,
} from './metrics.ts';
import type { ScoredRow, ScoreRun } from './scores.ts';

export interface SummaryOptions {
  readonly fitted: Fitted;
  /** Parameters and thresholds from these sets, figures on those; without it, every set is left out in turn. */
  readonly split?: { readonly dev: readonly string[]; readonly eval: readonly string[] } | undefined;
  /** Draws of the bootstrap. */
  readonly draws: number;
  readonly seed: number;
}

/** Whose parameters judge a presentation. */
export type JudgedBy =
  /** A fit on all other sets. */
  | 'other sets'
  /** A fit on four fifths of the groups. */
  | 'other groups'
  /** A fit on the sets of `--dev`. */
  | 'development sets'
  /** The profile itself: there are not both people and attacks enough to fit anything. */
  | 'profile';

/** Error rates at one threshold; what there is no presentation for is absent. */
export interface PointRates {
  /** P(live) from which a presentation is taken for live. */
  readonly threshold: number;
  /** APCER over all attacks. */
  readonly apcer?: Estimate;
  /** The highest APCER of any species. */
  readonly maxApcer?: Estimate;
  readonly bpcer?: Estimate;
  /** Mean of the highest APCER and BPCER. */
  readonly acer?: Estimate;
  /** Mean of APCER over all attacks and BPCER. */
  readonly hter?: Estimate;
}

export type RatesByPoint = Readonly<Record<OperatingPointName, PointRates>>;

/** One class of presentations in one part of the pictures. */
export interface ClassSummary {
  readonly pictures: number;
  readonly groups: number;
  /** BPNRR or APNRR. */
  readonly nonResponse: Estimate;
  /** BPCER or APCER at each operating point. */
  readonly errors: Readonly<Partial<Record<OperatingPointName, Estimate>>>;
}

export interface ConditionClass {
  readonly label: string;
  readonly bonaFide: { readonly pictures: number; readonly groups: number; readonly error?: Estimate };
  readonly attack: { readonly pictures: number; readonly groups: number; readonly error?: Estimate };
}

export interface WorstError {
  readonly file: string;
  readonly set: string;
  readonly species?: string | undefined;
  /** P(live), 0..1. */
  readonly score: number;
}

/** Every figure of the report. Rates and P(live) are 0..1; what cannot be computed is absent. */
export interface Summary {
  /** What the scores were made with; absent for those of another program. */
  readonly run?: Omit<ScoreRun, 'manifest' | 'operatingPoints'> & {
    readonly manifest: Omit<ScoreRun['manifest'], 'path'>;
  };
  readonly method: {
    readonly sets: readonly string[];
    readonly developmentSets?: readonly string[];
    readonly judgedBy: JudgedBy;
    readonly fitted: Fitted;
    readonly draws: number;
    readonly seed: number;
  };
  /** The result in one sentence. */
  readonly sentence: string;
  readonly eer?: Estimate;
  readonly auc?: Estimate;
  /** The lowest BPCER with the highest APCER at most 1, 5 and 10 %. */
  readonly bpcerAtApcer?: Readonly<Record<'1' | '5' | '10', Estimate>>;
  readonly bonaFide: ClassSummary;
  readonly attack: ClassSummary;
  /** How many pictures got no answer, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Pictures with several faces, of which the largest was scored. */
  readonly severalFaces: number;
  /** At thresholds chosen on the very scores they are measured on, each by parameters fitted without it. */
  readonly operatingPoints: RatesByPoint;
  /** At thresholds chosen, like the parameters, without the presentation's own part. */
  readonly unseen?: RatesByPoint;
  /** As the server answers: the profile's own calibration and thresholds. */
  readonly asAnswered?: {
    readonly eer?: Estimate;
    readonly calibrationError?: number;
    readonly operatingPoints: RatesByPoint;
  };
  readonly sets: readonly {
    readonly set: string;
    readonly bonaFide?: ClassSummary;
    readonly attack?: ClassSummary;
    readonly eer?: Estimate;
  }[];
  readonly species: readonly (ClassSummary & {
    readonly species: string;
    /** Whether it has too few groups for the highest APCER to hang on it. */
    readonly isRare: boolean;
  })[];
  /** Points of the detection error trade-off, from the lowest threshold up; `all` and by species. */
  readonly det: Readonly<Record<string, readonly { readonly apcer: number; readonly bpcer: number }[]>>;
  /** Share of each class by P(live), in bins of the same width. */
  readonly histogram: { readonly bonaFide: readonly number[]; readonly attack: readonly number[] };
  readonly reliability?: {
    readonly calibrationError: number;
    readonly bins: readonly {
      readonly from: number;
      readonly to: number;
      readonly mean: number;
      readonly mass: number;
      readonly live: Estimate;
    }[];
  };
  readonly conditions: readonly {
    readonly title: string;
    readonly unit: string;
    readonly classes: readonly ConditionClass[];
  }[];
  readonly worst: { readonly bonaFide: readonly WorstError[]; readonly attack: readonly WorstError[] };
}

/** A summary with the draws that two runs are compared by. */
export interface Summarised {
  readonly summary: Summary;
  readonly draws: readonly Figures[];
}

/** One presentation with an answer. */
interface Judged {
  readonly row: ScoredRow;
  readonly bonaFide: boolean;
  readonly set: string;
  readonly group: string;
  readonly species?: string | undefined;
  /** P(live). */
  readonly score: number;
  /** By thresholds chosen without its part. */
  readonly accepted?: Readonly<Record<OperatingPointName, boolean>>;
}

type Thresholds = Readonly<Record<OperatingPointName, number>>;

const histogramBins = 25;
const reliabilityBins = 10;
const worstShown = 12;

/**
 * Computes every figure.
 * @throws RangeError where nothing can be computed: no picture has a score, or there is nothing to judge it by.
 */
export function summarise(
  rows: readonly ScoredRow[],
  run: ScoreRun | undefined,
  options: SummaryOptions,
): Summarised {
  const { split, draws, seed } = options;
  const counted = split === undefined ? rows : rows.filter(({ set }) => split.eval.includes(set));
  const { judged: unsorted, thresholds, judgedBy } = judge(rows, counted, run, options);
  // In order of score, so that no draw has to be sorted anew.
  const judged = withoutRareSpecies(unsorted).toSorted((a, b) => a.score - b.score);
  const bootstrap = new Bootstrap(counted, draws, seed);

  const headline = bootstrap.replicate(judged, 'sets', headlineFigures(judged, thresholds));
  const estimates = estimatesOf(headline);
  const { auc } = estimates;
  const eer = equalErrorOf(estimates, judged);
  const summaryOf = (whole: readonly ScoredRow[], isOwn: (row: ScoredRow) => boolean = () => true) =>
    classSummary(whole, isOwn, judged, bootstrap, thresholds);
  const attacks = counted.filter((row) => !row.bonaFide);
  const bonaFide = summaryOf(counted.filter((row) => row.bonaFide));
  const attack = summaryOf(attacks);
  const species = new Set(counted.map((row) => row.species).filter((name) => name !== undefined));
  const profile = run?.profile ?? 'this program';

  const summary: Summary = {
    ...(run !== undefined && { run: publicRun(run) }),
    method: {
      sets: [...new Set(counted.map(({ set }) => set))].sort(),
      ...(split !== undefined && { developmentSets: [...split.dev].sort() }),
      judgedBy,
      fitted: options.fitted,
      draws,
      seed,
    },
    sentence: sentence(
      profile,
      run !== undefined && run.fittedOn === run.manifest.sha256,
      judgedBy,
      eer,
      pointRates(estimates, '', thresholds, judged).balanced,
      bonaFide,
      attack,
    ),
    ...(eer && { eer }),
    ...(auc && { auc }),
    ...(estimates.bpcer1 && {
      bpcerAtApcer: {
        '1': estimates.bpcer1,
        '5': estimates.bpcer5 as Estimate,
        '10': estimates.bpcer10 as Estimate,
      },
    }),
    bonaFide,
    attack,
    reasons: countBy(
      counted.filter(({ outcome }) => outcome !== 'assessed').map(({ reason, outcome }) => reason || outcome),
    ),
    severalFaces: counted.filter(({ faces }) => faces > 1).length,
    operatingPoints: pointRates(estimates, '', thresholds, judged),
    ...(judged.every(({ accepted }) => accepted !== undefined) &&
      judgedBy !== 'development sets' && {
        unseen: pointRates(estimates, 'unseen.', thresholds, judged),
      }),
    ...(run !== undefined && { asAnswered: asAnswered(judged, bootstrap, run) }),
    sets: [...Map.groupBy(counted, ({ set }) => set)].map(([set, own]) => {
      const live = own.filter((row) => row.bonaFide);
      const spoofs = own.filter((row) => !row.bonaFide);
      const both = judged.filter((row) => row.set === set);
      const weigh = weighable(both);
      const rate = equalErrorOf(
        bootstrap.estimate(both, 'sets', (weights) => ({
          eer: attempt(() => equalErrorRate(weigh(weights))),
        })),
        both,
      );
      return {
        set,
        ...(live.length > 0 && { bonaFide: summaryOf(live) }),
        ...(spoofs.length > 0 && { attack: summaryOf(spoofs) }),
        ...(rate && { eer: rate }),
      };
    }),
    species: [...species].map((name) => ({
      species: name,
      isRare: !judged.some((row) => row.species === name),
      ...summaryOf(attacks, (row) => row.species === name),
    })),
    det: detCurves(judged),
    histogram: { bonaFide: histogram(judged, true), attack: histogram(judged, false) },
    ...reliabilityFigures(judged, bootstrap),
    conditions: conditionFigures(judged, bootstrap, thresholds.balanced),
    worst: { bonaFide: worst(judged, true, thresholds), attack: worst(judged, false, thresholds) },
  };
  return { summary, draws: headline.draws };
}

/** Two runs over the same pictures, figure by figure. */
export interface Comparison {
  readonly figure: string;
  readonly one: number;
  readonly other: number;
  /** `one` less `other`; its interval is of the two together, draw by draw, and so narrower than those of each. */
  readonly difference: Estimate;
}

/** The differences of two runs; the draws of both must be of the same groups, or there is no interval. */
export function compare(one: Summarised, other: Summarised, samePictures: boolean): Comparison[] {
  const figures: [string, string, (summary: Summary) => Estimate | undefined][] = [
    ['Equal error rate', 'eer', ({ eer }) => eer],
    ['BPCER at APCER 5 %', 'bpcer5', ({ bpcerAtApcer }) => bpcerAtApcer?.['5']],
    ['Highest APCER at balanced', 'balanced.maxApcer', (s) => s.operatingPoints.balanced.maxApcer],
    ['BPCER at balanced', 'balanced.bpcer', (s) => s.operatingPoints.balanced.bpcer],
  ];
  return figures.flatMap(([figure, key, of]) => {
    const [a, b] = [of(one.summary)?.value, of(other.summary)?.value];
    if (a === undefined || b === undefined) return [];
    const differences = one.draws.map((draw, i) => {
      const [x, y] = [draw[key], other.draws[i]?.[key]];
      return x === undefined || y === undefined ? undefined : x - y;
    });
    const bounds = samePictures ? interval(differences) : { low: null, high: null };
    return [{ figure, one: a, other: b, difference: { value: a - b, ...bounds } }];
  });
}

function publicRun({ operatingPoints: _, manifest, ...run }: ScoreRun): NonNullable<Summary['run']> {
  const { path: __, ...rest } = manifest;
  return { ...run, manifest: rest };
}

/** Gives every answered presentation a P(live) by parameters that were fitted without it, where that is possible. */
function judge(
  all: readonly ScoredRow[],
  counted: readonly ScoredRow[],
  run: ScoreRun | undefined,
  { fitted, split }: SummaryOptions,
): { judged: Judged[]; thresholds: Thresholds; judgedBy: JudgedBy } {
  const answered = counted.filter(({ face }) => face !== undefined);
  if (answered.length === 0) throw new RangeError('No picture has a score, so there is nothing to measure.');
  const asJudged = (row: ScoredRow, score: number) => {
    const { bonaFide, set, group, species } = row;
    return { row, bonaFide, set, group, species, score };
  };
  const chosen = (presentations: readonly Presentation[], scores: readonly number[]): Thresholds => {
    const points = chooseOperatingPoints(presentations);
    return atPoints((name) => roundThreshold(points[name].threshold, scores));
  };

  if (split !== undefined) {
    const dev = fusionRows(
      all.filter(({ set }) => split.dev.includes(set)),
      fitted,
    );
    const fusion = fitFusion(dev, fitted);
    const scores = dev.map(({ features }) => fusedScore(fusion, features));
    const thresholds = chosen(
      weighPresentations(dev).map((row, i) => ({ ...row, score: scores[i] as number })),
      scores,
    );
    const judged = fusionRows(counted, fitted).map(({ features }, i) =>
      asJudged(answered[i] as ScoredRow, fusedScore(fusion, features)),
    );
    return { judged, thresholds, judgedBy: 'development sets' };
  }

  const rows = fusionRows(counted, fitted);
  const validated = attempt(() => crossValidate(rows, fitted));
  if (validated !== undefined) {
    const { scores, accepted, leftOut } = validated;
    const judged = answered.map((row, i) => ({
      ...asJudged(row, scores[i] as number),
      accepted: accepted[i] as Record<OperatingPointName, boolean>,
    }));
    const thresholds = chosen(weighPresentations(withoutRareSpecies(judged)), scores);
    return { judged, thresholds, judgedBy: leftOut === 'set' ? 'other sets' : 'other groups' };
  }
  if (run === undefined) {
    throw new RangeError(
      'There must be two groups of bona fide pictures and two of attacks at least, because the scores are of another program and have no threshold of their own.',
    );
  }
  return {
    judged: answered.map((row) => asJudged(row, row.face?.pLive as number)),
    thresholds: atPoints((name) => run.operatingPoints[name].threshold),
    judgedBy: 'profile',
  };
}

/** The result of a computation that too few presentations may make impossible. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Presentations whose weights are set anew for every draw. */
function weighable(rows: readonly Judged[]): (weights: Weights) => Presentation[] {
  const presentations = rows.map(({ score, bonaFide, species }) => ({ score, bonaFide, species, weight: 0 }));
  return (weights) => {
    for (const [i, presentation] of presentations.entries()) presentation.weight = weights[i] as number;
    return presentations;
  };
}

/** What is computed of every draw. */
function headlineFigures(rows: readonly Judged[], thresholds: Thresholds): (weights: Weights) => Figures {
  const weigh = weighable(rows);
  const unseen = rows[0]?.accepted === undefined ? [] : operatingPointNames;
  return (weights) => {
    const presentations = weigh(weights);
    const figures: Record<string, number | undefined> = {};
    const note = (prefix: string, { species: _, ...rates }: DecisionRates) => {
      for (const [rate, value] of Object.entries(rates)) figures[`${prefix}.${rate}`] = value;
    };
    const decide = (isAccepted: (row: Judged) => boolean) =>
      decisionRates(
        presentations.map(({ bonaFide, species, weight }, i) => {
          return { bonaFide, species, weight, accepted: isAccepted(rows[i] as Judged) };
        }),
      );
    const sweep = attempt(() => sweepThresholds(presentations));
    if (sweep !== undefined) {
      figures.eer = leastDifference(sweep);
      figures.auc = areaOf(sweep);
      for (const limit of [1, 5, 10]) figures[`bpcer${limit}`] = bpcerAtApcer(sweep, limit / 100);
    }
    for (const name of operatingPointNames) {
      if (sweep === undefined) {
        note(
          name,
          decide(({ score }) => score >= thresholds[name]),
        );
        continue;
      }
      const { apcer, maxApcer, bpcer } = ratesAt(sweep, thresholds[name]);
      const [acer, hter] = [(maxApcer + bpcer) / 2, (apcer + bpcer) / 2];
      note(name, { apcer, maxApcer, bpcer, acer, hter, species: new Map() });
    }
    for (const name of unseen)
      note(
        `unseen.${name}`,
        decide(({ accepted }) => accepted?.[name] === true),
      );
    return figures;
  };
}

function estimatesOf({ value, draws }: { value: Figures; draws: Figures[] }): Record<string, Estimate> {
  const estimates: Record<string, Estimate> = {};
  for (const [name, own] of Object.entries(value)) {
    if (own !== undefined) estimates[name] = { value: own, ...interval(draws.map((draw) => draw[name])) };
  }
  return estimates;
}

/** The equal error rate; where there is no error, the class of the fewer groups is the one least is known of. */
function equalErrorOf({ eer }: Record<string, Estimate>, judged: readonly Judged[]): Estimate | undefined {
  const groups = [true, false].map((bonaFide) =>
    countGroups(judged.filter((row) => row.bonaFide === bonaFide)),
  );
  return eer && withExactBound(eer, Math.min(...groups));
}

function pointRates(
  estimates: Record<string, Estimate>,
  prefix: string,
  thresholds: Thresholds,
  judged: readonly Judged[],
): RatesByPoint {
  const attacks = judged.filter(({ bonaFide }) => !bonaFide);
  const known = [...Map.groupBy(attacks, ({ species }) => species)].filter(
    ([species]) => species !== undefined,
  );
  const groups: Record<string, number> = {
    bpcer: countGroups(judged.filter(({ bonaFide }) => bonaFide)),
    apcer: countGroups(attacks),
    // Where no species errs, the one of the fewest groups is the one least is known of.
    maxApcer: known.length > 0 ? Math.min(...known.map(([, own]) => countGroups(own))) : countGroups(attacks),
  };
  return atPoints((name) => {
    const rate = (key: string) => {
      const estimate = estimates[`${prefix}${name}.${key}`];
      return estimate === undefined ? {} : { [key]: withExactBound(estimate, groups[key] ?? 0) };
    };
    const keys = ['apcer', 'maxApcer', 'bpcer', 'acer', 'hter'];
    return Object.assign({ threshold: thresholds[name] }, ...keys.map(rate)) as PointRates;
  });
}

function asAnswered(
  judged: readonly Judged[],
  bootstrap: Bootstrap,
  { operatingPoints }: { operatingPoints: ProfileDescriptor['operatingPoints'] },
): NonNullable<Summary['asAnswered']> {
  const rows = judged
    .map(({ accepted: _, ...row }) => ({ ...row, score: row.row.face?.pLive as number }))
    .sort((a, b) => a.score - b.score);
  const thresholds = atPoints((name) => operatingPoints[name].threshold);
  const estimates = bootstrap.estimate(rows, 'sets', headlineFigures(rows, thresholds));
  const eer = equalErrorOf(estimates, judged);
  const bins = attempt(() => reliability(weighPresentations(rows), reliabilityBins));
  return {
    ...(eer && { eer }),
    ...(bins && { calibrationError: expectedCalibrationError(bins) }),
    operatingPoints: pointRates(estimates, '', thresholds, judged),
  };
}

/**
 * One class, or a part of it: what got no answer, and what got a wrong one.
 * @param whole the class, as its sets and groups are weighed.
 */
function classSummary(
  whole: readonly ScoredRow[],
  isOwn: (row: ScoredRow) => boolean,
  judged: readonly Judged[],
  bootstrap: Bootstrap,
  thresholds: Thresholds,
): ClassSummary {
  const own = whole.filter(isOwn);
  const members = new Set(whole);
  const answered = judged.filter(({ row }) => members.has(row));
  const silent = shareOf(whole, isOwn, ({ outcome }) => outcome !== 'assessed');
  const wrong = atPoints((name) =>
    shareOf(
      answered,
      ({ row }) => isOwn(row),
      ({ score, bonaFide }) => score >= thresholds[name] !== bonaFide,
    ),
  );
  const { nonResponse } = bootstrap.estimate(whole, 'sets', (weights) => ({ nonResponse: silent(weights) }));
  const errors = bootstrap.estimate(answered, 'sets', (weights) => atPoints((name) => wrong[name](weights)));
  const groups = countGroups(own);
  const answeredGroups = countGroups(answered.filter(({ row }) => isOwn(row)));
  return {
    pictures: own.length,
    groups,
    nonResponse: withExactBound(nonResponse ?? { value: 0, low: null, high: null }, groups),
    errors: Object.fromEntries(
      Object.entries(errors).map(([name, estimate]) => [name, withExactBound(estimate, answeredGroups)]),
    ),
  };
}

/** The share of the rows, of those that are in, that are counted, by weight. */
function shareOf<Row>(
  rows: readonly Row[],
  isIn: (row: Row) => boolean,
  isCounted: (row: Row) => boolean,
): (weights: Weights) => number | undefined {
  const kept = Int32Array.from([...rows.keys()].filter((i) => isIn(rows[i] as Row)));
  const counted = Uint8Array.from(kept, (i) => (isCounted(rows[i] as Row) ? 1 : 0));
  return (weights) => {
    let [part, all] = [0, 0];
    for (let k = 0; k < kept.length; k++) {
      const weight = weights[kept[k] as number] as number;
      all += weight;
      part += weight * (counted[k] as number);
    }
    return all > 0 ? part / all : undefined;
  };
}

function countGroups(rows: readonly { set: string; group: string }[]): number {
  return new Set(rows.map(({ set, group }) => `${set}\0${group}`)).size;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function detCurves(judged: readonly Judged[]): Summary['det'] {
  const species = [...new Set(judged.map((row) => row.species))].filter((name) => name !== undefined);
  const curve = (rows: readonly Judged[]) => {
    const sweep = attempt(() => sweepThresholds(weighPresentations(rows)));
    const points = (sweep ?? []).map(({ apcer, bpcer }) => ({ apcer, bpcer }));
    // Of a straight step only the ends.
    return points.filter(({ apcer, bpcer }, i) => {
      const [before, after] = [points[i - 1], points[i + 1]];
      if (before === undefined || after === undefined) return true;
      const isAlong = (rate: 'apcer' | 'bpcer', own: number) => before[rate] === own && after[rate] === own;
      return !isAlong('apcer', apcer) && !isAlong('bpcer', bpcer);
    });
  };
  const own = species.map(
    (name) => [name, curve(judged.filter((row) => row.bonaFide || row.species === name))] as const,
  );
  // A single species is all attacks there are.
  return { all: curve(judged), ...(own.length > 1 && Object.fromEntries(own)) };
}

function histogram(judged: readonly Judged[], bonaFide: boolean): number[] {
  const rows = weighPresentations(judged.filter((row) => row.bonaFide === bonaFide));
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  const bins: number[] = new Array(histogramBins).fill(0);
  for (const { score, weight } of rows) {
    const bin = Math.min(Math.floor(score * histogramBins), histogramBins - 1);
    bins[bin] = (bins[bin] as number) + weight / total;
  }
  return bins;
}

function reliabilityFigures(judged: readonly Judged[], bootstrap: Bootstrap): Pick<Summary, 'reliability'> {
  const bins = attempt(() => reliability(weighPresentations(judged), reliabilityBins));
  if (bins === undefined) return {};
  const weigh = weighable(judged);
  const estimates = bootstrap.estimate(judged, 'sets', (weights) => {
    const drawn = attempt(() => reliability(weigh(weights), reliabilityBins)) ?? [];
    return Object.fromEntries(drawn.map(({ from, live }) => [`${from}`, live]));
  });
  const none = { low: null, high: null };
  return {
    reliability: {
      calibrationError: expectedCalibrationError(bins),
      bins: bins.map(({ from, to, mean, mass, live }) => ({
        from,
        to,
        mean,
        mass,
        live: estimates[`${from}`] ?? { value: live, ...none },
      })),
    },
  };
}

/** Within a class every group counts alike here: a set with few pictures of a condition must not outvote the others. */
function conditionFigures(
  judged: readonly Judged[],
  bootstrap: Bootstrap,
  threshold: number,
): Summary['conditions'] {
  return conditions.flatMap((condition) => {
    const { title, unit, measure, classes } = condition;
    const measured = judged.filter(({ row }) => row.face?.measures[measure] !== undefined);
    if (measured.length === 0) return [];
    const classIndex = ({ row }: Judged) => classOf(condition, row.face?.measures[measure] as number);
    const figures = (bonaFide: boolean, index: number): ConditionClass['attack'] => {
      const own = measured.filter((row) => row.bonaFide === bonaFide && classIndex(row) === index);
      const groups = countGroups(own);
      const wrong = shareOf(
        own,
        () => true,
        ({ score }) => score >= threshold !== bonaFide,
      );
      const { error } = bootstrap.estimate(own, 'groups', (weights) => ({ error: wrong(weights) }));
      return { pictures: own.length, groups, ...(error && { error: withExactBound(error, groups) }) };
    };
    return [
      {
        title,
        unit,
        classes: classes.map(({ label }, i) => ({
          label,
          bonaFide: figures(true, i),
          attack: figures(false, i),
        })),
      },
    ];
  });
}

/** The wrongest of the wrong answers at *balanced*, one of each group: the tenth frame of a video shows nothing new. */
function worst(judged: readonly Judged[], bonaFide: boolean, { balanced }: Thresholds): WorstError[] {
  const wrong = judged.filter((row) => row.bonaFide === bonaFide && row.score >= balanced !== bonaFide);
  const ordered = bonaFide ? wrong : wrong.toReversed();
  const seen = new Set<string>();
  const errors: WorstError[] = [];
  for (const { row, set, group, species, score } of ordered) {
    const key = `${set}\0${group}`;
    if (seen.has(key) || errors.length === worstShown) continue;
    seen.add(key);
    errors.push({ file: row.file, set, ...(species !== undefined && { species }), score });
  }
  return errors;
}

/** The result as somebody would say it who has never heard of an error rate. */
function sentence(
  profile: string,
  isFittedOn: boolean,
  judgedBy: JudgedBy,
  eer: Estimate | undefined,
  { maxApcer, apcer = maxApcer, bpcer }: PointRates,
  bonaFide: ClassSummary,
  attack: ClassSummary,
): string {
  const share = (own: ClassSummary, name: string) =>
    own.nonResponse.value > 0 ? [`${percent(own.nonResponse.value)} of the ${name}`] : [];
  const silent = [...share(bonaFide, 'pictures of people'), ...share(attack, 'attacks')].join(' and ');
  const unanswered = silent === '' ? 'Every picture gets an answer.' : `It gives no answer for ${silent}.`;
  const warning = isFittedOn
    ? ' A model of it was fitted on these very pictures, so expect more errors on others.'
    : '';
  const range = (own: Estimate) =>
    own.low === null || own.high === null
      ? percent(own.value)
      : `${percent(own.value)}, probably between ${percent(own.low)} and ${percent(own.high)}`;
  if (judgedBy === 'profile' || eer === undefined) {
    const worst = maxApcer && apcer && apcer.value > maxApcer.value ? apcer : maxApcer;
    const rates = [
      ...(bpcer ? [`turns away ${often(bpcer.value)} people (${range(bpcer)})`] : []),
      ...(worst ? [`lets ${often(worst.value)} attacks through (${range(worst)})`] : []),
    ].join(' and ');
    return `At its own balanced threshold, ${profile} ${rates || 'gave no answer'}. ${unanswered}${warning}`;
  }
  return `With one threshold for every camera, ${profile} turns away ${often(eer.value)} people and lets ${often(eer.value)} attacks through (${range(eer)}). ${unanswered}${warning}`;
}

function often(rate: number): string {
  if (rate <= 0) return 'none of the';
  if (rate < 0.001) return 'fewer than 1 in 1000';
  if (rate > 0.67) return `${Math.round(rate * 10)} in 10`;
  if (rate > 0.4) return 'about 1 in 2';
  return `about 1 in ${Math.round(1 / rate)}`;
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}
