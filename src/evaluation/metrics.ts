/** Error rates in the words of ISO/IEC 30107-3, and the operating points chosen from them. */

/** One scored presentation. Weights within a class need not sum to 1: only their shares count. */
export interface Presentation {
  /** Higher means more likely live; any scale. */
  readonly score: number;
  readonly bonaFide: boolean;
  /** Attack species (print, replay, ...); absent for bona fide presentations and for attacks of unknown make. */
  readonly species?: string | undefined;
  readonly weight: number;
}

/** Rates at one threshold, 0..1: a presentation is taken for live when its score is at least the threshold. */
export interface ErrorRates {
  readonly threshold: number;
  /** Share of attacks taken for live, all species together as weighted. */
  readonly apcer: number;
  /** The highest of the rates per species. */
  readonly maxApcer: number;
  /** Share of bona fide presentations taken for attacks. */
  readonly bpcer: number;
}

/**
 * Weighs presentations so that every set counts alike within each class, every group within its set, and every frame
 * within its group: a long video must not outvote ten people.
 */
export function weighPresentations<T extends { set: string; group: string; bonaFide: boolean }>(
  rows: readonly T[],
): (T & { weight: number })[] {
  const key = (row: T) => `${row.bonaFide}\0${row.set}`;
  const frames = Map.groupBy(rows, (row) => `${key(row)}\0${row.group}`);
  const groups = new Map(
    [...Map.groupBy(rows, key)].map(([name, members]) => [
      name,
      new Set(members.map((row) => row.group)).size,
    ]),
  );
  return rows.map((row) => ({
    ...row,
    weight: 1 / (groups.get(key(row)) as number) / (frames.get(`${key(row)}\0${row.group}`) as T[]).length,
  }));
}

/** What each class weighs. */
function massOf(presentations: readonly Presentation[]): { bonaFide: number; attack: number } {
  const mass = { bonaFide: 0, attack: 0 };
  for (const { score, bonaFide, weight } of presentations) {
    if (Number.isNaN(score)) throw new RangeError('A presentation without a score cannot be counted.');
    mass[bonaFide ? 'bonaFide' : 'attack'] += weight;
  }
  if (mass.bonaFide === 0 || mass.attack === 0) {
    throw new RangeError('Error rates need at least one bona fide presentation and one attack.');
  }
  return mass;
}

/**
 * The rates at every threshold that tells two presentations apart, from the lowest threshold up.
 * @throws RangeError where a class is empty or a score is NaN; so do all functions below.
 */
export function sweepThresholds(presentations: readonly Presentation[]): ErrorRates[] {
  const sorted = presentations.toSorted((a, b) => a.score - b.score);
  const mass = massOf(presentations);
  // By the order in which the species come, as this runs thousands of times for an interval.
  const names = [...new Set(sorted.map(({ species }) => species))].filter((name) => name !== undefined);
  const speciesOf = sorted.map(({ bonaFide, species }) =>
    bonaFide || species === undefined ? -1 : names.indexOf(species),
  );
  const total: number[] = new Array(names.length).fill(0);
  for (const [i, { weight }] of sorted.entries()) {
    const index = speciesOf[i] as number;
    if (index >= 0) total[index] = (total[index] as number) + weight;
  }
  const hasSpecies = total.some((weight) => weight > 0);
  const passed = [...total];
  let attacksPassed = mass.attack;
  let rejected = 0;
  const rates = (threshold: number): ErrorRates => {
    const apcer = Math.max(0, attacksPassed / mass.attack);
    // Where the make of no attack is known they are one species: a rate of 0 would let every attack through.
    let maxApcer = hasSpecies ? 0 : apcer;
    for (let index = 0; index < total.length; index++) {
      const all = total[index] as number;
      if (all > 0) maxApcer = Math.max(maxApcer, (passed[index] as number) / all);
    }
    return { threshold, apcer, maxApcer, bpcer: rejected / mass.bonaFide };
  };
  const all: ErrorRates[] = [];
  for (let i = 0; i < sorted.length; ) {
    const threshold = (sorted[i] as Presentation).score;
    all.push(rates(threshold));
    for (; i < sorted.length && sorted[i]?.score === threshold; i++) {
      const { bonaFide, weight } = sorted[i] as Presentation;
      const index = speciesOf[i] as number;
      if (bonaFide) rejected += weight;
      else attacksPassed -= weight;
      if (index >= 0) passed[index] = (passed[index] as number) - weight;
    }
  }
  all.push(rates(Number.POSITIVE_INFINITY));
  return all;
}

/** Equal error rate, 0..1: the mean of APCER and BPCER where they differ least. */
export function equalErrorRate(presentations: readonly Presentation[]): number {
  return leastDifference(sweepThresholds(presentations));
}

/** The same for a sweep that is there already. */
export function leastDifference(sweep: readonly ErrorRates[]): number {
  const nearest = sweep.reduce((best, rates) =>
    Math.abs(rates.apcer - rates.bpcer) < Math.abs(best.apcer - best.bpcer) ? rates : best,
  );
  return (nearest.apcer + nearest.bpcer) / 2;
}

/** What sums of weights may be off by; a rate that is 1 % but for that is 1 %. */
const rounding = 1e-9;

/** The lowest BPCER at any threshold whose highest APCER per species is at most `limit`: BPCER20 is that at 0.05. */
export function bpcerAtApcer(sweep: readonly ErrorRates[], limit: number): number {
  return sweep.reduce(
    (least, { maxApcer, bpcer }) => (maxApcer <= limit + rounding ? Math.min(least, bpcer) : least),
    1,
  );
}

/**
 * The chance that a bona fide presentation scores higher than an attack, 0..1, a tie counting half (area under the ROC curve), from a
 * sweep: between two thresholds the curve is a straight line, which halves ties.
 */
export function areaOf(sweep: readonly ErrorRates[]): number {
  let area = 0;
  for (const [i, { apcer, bpcer }] of sweep.entries()) {
    const next = sweep[i + 1];
    if (next !== undefined) area += (apcer - next.apcer) * (1 - (bpcer + next.bpcer) / 2);
  }
  return area;
}

/** The rates at any threshold, from a sweep: those of the next score up. */
export function ratesAt(sweep: readonly ErrorRates[], threshold: number): ErrorRates {
  let [low, high] = [0, sweep.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sweep[middle] as ErrorRates).threshold >= threshold) high = middle;
    else low = middle + 1;
  }
  return sweep[low] as ErrorRates;
}

/** A presentation that was decided on, whatever by. */
export interface Decision {
  readonly accepted: boolean;
  readonly bonaFide: boolean;
  readonly species?: string | undefined;
  readonly weight: number;
}

/** What decisions come to, 0..1; a rate without a presentation of its class is absent. */
export interface DecisionRates {
  readonly apcer?: number;
  readonly maxApcer?: number;
  readonly bpcer?: number;
  /** Mean of the highest APCER per species and BPCER. */
  readonly acer?: number;
  /** Mean of APCER over all attacks and BPCER: half total error rate. */
  readonly hter?: number;
  /** APCER by species. */
  readonly species: ReadonlyMap<string, number>;
}

/** Error rates of decisions. Attacks of unknown make are no species, unless the make of none is known. */
export function decisionRates(decisions: readonly Decision[]): DecisionRates {
  const all = { bonaFide: 0, attack: 0 };
  const wrong = { bonaFide: 0, attack: 0 };
  const bySpecies = new Map<string, { all: number; wrong: number }>();
  for (const { accepted, bonaFide, species, weight } of decisions) {
    const own = bonaFide ? 'bonaFide' : 'attack';
    const error = accepted === bonaFide ? 0 : weight;
    all[own] += weight;
    wrong[own] += error;
    if (bonaFide || species === undefined || weight === 0) continue;
    const sums = bySpecies.get(species) ?? { all: 0, wrong: 0 };
    sums.all += weight;
    sums.wrong += error;
    bySpecies.set(species, sums);
  }
  const apcer = all.attack > 0 ? wrong.attack / all.attack : undefined;
  const bpcer = all.bonaFide > 0 ? wrong.bonaFide / all.bonaFide : undefined;
  const species = new Map([...bySpecies].map(([name, sums]) => [name, sums.wrong / sums.all]));
  const maxApcer = species.size > 0 ? Math.max(...species.values()) : apcer;
  return {
    ...(apcer !== undefined && { apcer }),
    ...(maxApcer !== undefined && { maxApcer }),
    ...(bpcer !== undefined && { bpcer }),
    ...(maxApcer !== undefined && bpcer !== undefined && { acer: (maxApcer + bpcer) / 2 }),
    ...(apcer !== undefined && bpcer !== undefined && { hter: (apcer + bpcer) / 2 }),
    species,
  };
}

/** Answers of about the same P(live), and how many of them were live. */
export interface ReliabilityBin {
  /** From this P(live) on, and below `to`; the last one holds 1 as well. */
  readonly from: number;
  readonly to: number;
  /** Share of all answers, both classes weighed alike, 0..1. */
  readonly mass: number;
  /** Mean P(live), 0..1. */
  readonly mean: number;
  /** Share that was live, 0..1. */
  readonly live: number;
}

/** P(live) against what was true, in bins of the same width; empty ones are left out. Scores must be 0..1. */
export function reliability(presentations: readonly Presentation[], count: number): ReliabilityBin[] {
  const mass = massOf(presentations);
  const sums = Array.from({ length: count }, () => ({ all: 0, live: 0, score: 0 }));
  for (const { score, bonaFide, weight } of presentations) {
    const sum = sums[score === 1 ? count - 1 : Math.floor(score * count)];
    if (sum === undefined) throw new RangeError(`P(live) must be from 0 to 1; it is ${score}.`);
    const share = weight / mass[bonaFide ? 'bonaFide' : 'attack'] / 2;
    sum.all += share;
    sum.score += share * score;
    if (bonaFide) sum.live += share;
  }
  return sums
    .map(({ all, live, score }, i) => ({
      from: i / count,
      to: (i + 1) / count,
      mass: all,
      mean: score / all,
      live: live / all,
    }))
    .filter((bin) => bin.mass > 0);
}

/** Expected calibration error, 0..1: how far P(live) is off, averaged over all answers. */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  return bins.reduce((sum, { mass, mean, live }) => sum + mass * Math.abs(mean - live), 0);
}

/** A threshold, and whether it is what its operating point asks for. */
export interface ChosenPoint extends ErrorRates {
  /** False where no threshold short of refusing everybody keeps the highest APCER at 1 %. */
  readonly met: boolean;
}

/**
 * *strict*: the lowest BPCER with APCER at most 1 %; *balanced*: the least ACER, the mean of both; *weak*: the lowest
 * APCER with BPCER at most 1 %. APCER is the highest per species, as the standard has it. Where even the highest score lets
 * more than 1 % of attacks through, *strict* is the threshold that lets the fewest through, and is not met.
 */
export function chooseOperatingPoints(
  presentations: readonly Presentation[],
): Record<'weak' | 'balanced' | 'strict', ChosenPoint> {
  // A threshold that nothing reaches is no threshold.
  const all = sweepThresholds(presentations).filter(
    ({ threshold }) => threshold !== Number.POSITIVE_INFINITY,
  );
  const least = (candidates: readonly ErrorRates[], cost: (rates: ErrorRates) => number) =>
    candidates.reduce((best, rates) => (cost(rates) < cost(best) ? rates : best));
  const sparing = all.filter(({ bpcer }) => bpcer <= 0.01 + rounding);
  const tight = all.filter(({ maxApcer }) => maxApcer <= 0.01 + rounding);
  return {
    weak: { ...least(sparing, ({ maxApcer }) => maxApcer), met: true },
    balanced: { ...least(all, ({ maxApcer, bpcer }) => maxApcer + bpcer), met: true },
    strict:
      tight.length > 0
        ? { ...least(tight, ({ bpcer }) => bpcer), met: true }
        : { ...least(all, ({ maxApcer, bpcer }) => maxApcer + bpcer * rounding), met: false },
  };
}

/**
 * A threshold with few digits, at least three decimals, that parts the scores as `threshold` does: as near as may be to the middle
 * between the two scores it parts.
 */
export function roundThreshold(threshold: number, scores: readonly number[]): number {
  const below = scores.reduce((most, score) => (score < threshold ? Math.max(most, score) : most), 0);
  for (let digits = 3; digits <= 15; digits++) {
    const unit = 10 ** digits;
    const rounded = [Math.floor, Math.ceil]
      .map((round) => round(((below + threshold) / 2) * unit) / unit)
      .find((value) => value > below && value <= threshold);
    if (rounded !== undefined) return rounded;
  }
  return threshold;
}
