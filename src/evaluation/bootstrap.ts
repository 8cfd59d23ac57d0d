/** Intervals by bootstrap: what a figure might have been with other people and other attacks of the same kind. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { quantileSorted } from 'simple-statistics';

/** A figure and its interval of 95 %; the interval is null where there are too few groups to say. */
export interface Estimate {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** What a picture is drawn by. */
export interface Sampled {
  readonly bonaFide: boolean;
  readonly set: string;
  readonly group: string;
}

/** How much each row counts, in the order of the rows; overwritten by the next draw. */
export type Weights = Readonly<Float64Array>;

/** The figures of one draw; what cannot be computed is absent. */
export type Figures = Readonly<Record<string, number | undefined>>;

const classKey = (row: Sampled) => `${row.bonaFide ? 'bona-fide' : 'attack'}\0${row.set}`;
const groupKey = (row: Sampled) => `${classKey(row)}\0${row.group}`;

/**
 * Draws groups, not frames, with replacement: frames of one person are not independent. Within each class every set keeps
 * its number of groups. The same groups, seed and number of draws give the same draws, whatever the order of the rows,
 * so that two runs over one manifest can be compared draw by draw.
 */
export class Bootstrap {
  readonly #groups = new Map<string, number>();
  readonly #draws: Uint16Array[];

  constructor(rows: readonly Sampled[], draws: number, seed: number) {
    const strata = Map.groupBy(
      [...new Map(rows.map((row) => [groupKey(row), row]))].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ([, row]) => classKey(row),
    );
    const spans: { start: number; count: number }[] = [];
    for (const members of strata.values()) {
      spans.push({ start: this.#groups.size, count: members.length });
      for (const [key] of members) this.#groups.set(key, this.#groups.size);
    }
    const generator = xoroshiro128plus(seed);
    this.#draws = Array.from({ length: draws }, () => {
      const counts = new Uint16Array(this.#groups.size);
      for (const { start, count } of spans) {
        for (let i = 0; i < count; i++) {
          const drawn = uniformInt(generator, start, start + count - 1);
          counts[drawn] = (counts[drawn] as number) + 1;
        }
      }
      return counts;
    });
  }

  /**
   * The figures as they are, and in every draw.
   * @param rows some or all of those that groups are drawn from.
   * @param alike what counts alike within a class: every set, and every group within it; or every group.
   */
  replicate(
    rows: readonly Sampled[],
    alike: 'sets' | 'groups',
    figures: (weights: Weights) => Figures,
  ): { value: Figures; draws: Figures[] } {
    // By number throughout, as this runs a thousand times over every picture.
    const groupOf = Int32Array.from(rows, (row) => this.#groups.get(groupKey(row)) as number);
    const frames = new Float64Array(this.#groups.size);
    for (const group of groupOf) frames[group] = (frames[group] as number) + 1;
    const stratumNames = new Map<string, number>();
    const stratumOfGroup = new Int32Array(this.#groups.size).fill(-1);
    for (const [r, row] of rows.entries()) {
      const name = alike === 'sets' ? classKey(row) : `${row.bonaFide}`;
      const stratum = stratumNames.get(name) ?? stratumNames.size;
      stratumNames.set(name, stratum);
      stratumOfGroup[groupOf[r] as number] = stratum;
    }
    const totals = new Float64Array(stratumNames.size);
    const groupWeights = new Float64Array(this.#groups.size);
    const weights = new Float64Array(rows.length);
    const weigh = (counts: Readonly<Uint16Array>): Weights => {
      totals.fill(0);
      for (let group = 0; group < counts.length; group++) {
        const stratum = stratumOfGroup[group] as number;
        if (stratum >= 0) totals[stratum] = (totals[stratum] as number) + (counts[group] as number);
      }
      for (let group = 0; group < counts.length; group++) {
        const count = counts[group] as number;
        const total = totals[stratumOfGroup[group] as number] as number;
        groupWeights[group] = count === 0 ? 0 : count / total / (frames[group] as number);
      }
      for (let r = 0; r < weights.length; r++) weights[r] = groupWeights[groupOf[r] as number] as number;
      return weights;
    };
    return {
      value: figures(weigh(new Uint16Array(this.#groups.size).fill(1))),
      draws: this.#draws.map((counts) => figures(weigh(counts))),
    };
  }

  /** Each figure with its interval. */
  estimate(
    rows: readonly Sampled[],
    alike: 'sets' | 'groups',
    figures: (weights: Weights) => Figures,
  ): Record<string, Estimate> {
    const { value, draws } = this.replicate(rows, alike, figures);
    const estimates: Record<string, Estimate> = {};
    for (const [name, own] of Object.entries(value)) {
      if (own === undefined) continue;
      estimates[name] = { value: own, ...interval(draws.map((draw) => draw[name])) };
    }
    return estimates;
  }
}

/** The middle 95 % of the draws; none where all draws are the same, as with one group only. */
export function interval(draws: readonly (number | undefined)[]): {
  low: number | null;
  high: number | null;
} {
  const sorted = draws.filter((draw) => draw !== undefined).sort((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  // Sums of weights differ in their last digit though they mean the same.
  if (first === undefined || last === undefined || last - first < 1e-9) return { low: null, high: null };
  return { low: quantileSorted(sorted, 0.025), high: quantileSorted(sorted, 0.975) };
}

/**
 * The interval of a rate of which no group, or every group, is an example: no draw can show what was never seen, so the
 * exact (Clopper-Pearson) bound over the groups takes its place.
 */
export function withExactBound(estimate: Estimate, groups: number): Estimate {
  if (groups === 0 || estimate.low !== null || (estimate.value > 1e-9 && estimate.value < 1 - 1e-9))
    return estimate;
  const bound = 1 - 0.025 ** (1 / groups);
  return estimate.value < 0.5 ? { value: 0, low: 0, high: bound } : { value: 1, low: 1 - bound, high: 1 };
}
