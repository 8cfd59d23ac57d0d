/** Error rates in the words of ISO/IEC 30107-3, and the calibration and operating points chosen from them. */

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
  const total = { ...massOf(presentations), species: new Map<string, number>() };
  for (const { bonaFide, species, weight } of sorted) {
    if (!bonaFide && species !== undefined) {
      total.species.set(species, (total.species.get(species) ?? 0) + weight);
    }
  }
  const passed = new Map(total.species);
  let attacksPassed = total.attack;
  let rejected = 0;
  const rates = (threshold: number): ErrorRates => {
    const apcer = Math.max(0, attacksPassed / total.attack);
    const perSpecies = [...passed].map(([name, weight]) => weight / (total.species.get(name) as number));
    // Where the make of no attack is known they are one species: a rate of 0 would let every attack through.
    const maxApcer = perSpecies.length === 0 ? apcer : Math.max(0, ...perSpecies);
    return { threshold, apcer, maxApcer, bpcer: rejected / total.bonaFide };
  };
  const all: ErrorRates[] = [];
  for (let i = 0; i < sorted.length; ) {
    const threshold = (sorted[i] as Presentation).score;
    all.push(rates(threshold));
    for (; i < sorted.length && sorted[i]?.score === threshold; i++) {
      const { bonaFide, species, weight } = sorted[i] as Presentation;
      if (bonaFide) rejected += weight;
      else {
        attacksPassed -= weight;
        if (species !== undefined) passed.set(species, (passed.get(species) as number) - weight);
      }
    }
  }
  all.push(rates(Number.POSITIVE_INFINITY));
  return all;
}

/** Equal error rate, 0..1: the mean of APCER and BPCER where they differ least. */
export function equalErrorRate(presentations: readonly Presentation[]): number {
  const nearest = sweepThresholds(presentations).reduce((best, rates) =>
    Math.abs(rates.apcer - rates.bpcer) < Math.abs(best.apcer - best.bpcer) ? rates : best,
  );
  return (nearest.apcer + nearest.bpcer) / 2;
}

/**
 * Platt's calibration: P(live) = sigmoid(slope x score + intercept) of least cross-entropy, both classes weighed alike.
 * Newton's method; the step is halved while it makes things worse.
 */
export function fitCalibration(presentations: readonly Presentation[]): { slope: number; intercept: number } {
  const mass = massOf(presentations);
  const rows = presentations.map(({ score, bonaFide, weight }) => ({
    score,
    target: bonaFide ? 1 : 0,
    weight: weight / (bonaFide ? mass.bonaFide : mass.attack),
  }));
  const loss = (slope: number, intercept: number) =>
    rows.reduce((sum, { score, target, weight }) => {
      const z = slope * score + intercept;
      return sum + weight * (Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z))));
    }, 0);
  let slope = 0;
  let intercept = 0;
  for (let round = 0; round < 100; round++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 1e-9, 0, 1e-9];
    for (const { score, target, weight } of rows) {
      const p = 1 / (1 + Math.exp(-(slope * score + intercept)));
      const error = weight * (p - target);
      const curve = weight * p * (1 - p);
      g0 += error * score;
      g1 += error;
      h00 += curve * score * score;
      h01 += curve * score;
      h11 += curve;
    }
    const determinant = h00 * h11 - h01 * h01;
    const step0 = (h11 * g0 - h01 * g1) / determinant;
    const step1 = (h00 * g1 - h01 * g0) / determinant;
    const now = loss(slope, intercept);
    let share = 1;
    while (share > 1e-6 && loss(slope - share * step0, intercept - share * step1) > now) share /= 2;
    slope -= share * step0;
    intercept -= share * step1;
    if (Math.abs(share * step0) + Math.abs(share * step1) < 1e-9) break;
  }
  return { slope, intercept };
}

/**
 * *strict*: the lowest BPCER with APCER at most 1 %; *balanced*: the least ACER, the mean of both; *weak*: the lowest
 * APCER with BPCER at most 1 %. APCER is the highest per species, as the standard has it.
 */
export function chooseOperatingPoints(
  presentations: readonly Presentation[],
): Record<'weak' | 'balanced' | 'strict', ErrorRates> {
  const all = sweepThresholds(presentations);
  const least = (candidates: readonly ErrorRates[], cost: (rates: ErrorRates) => number) =>
    candidates.reduce((best, rates) => (cost(rates) < cost(best) ? rates : best));
  return {
    weak: least(
      all.filter(({ bpcer }) => bpcer <= 0.01),
      ({ maxApcer }) => maxApcer,
    ),
    balanced: least(all, ({ maxApcer, bpcer }) => maxApcer + bpcer),
    strict: least(
      all.filter(({ maxApcer }) => maxApcer <= 0.01),
      ({ bpcer }) => bpcer,
    ),
  };
}
