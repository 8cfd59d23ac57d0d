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

/** How much each row counts, in the order of the rows. */
export type Weights = readonly number[];

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
    const groupOf = rows.map((row) => this.#groups.get(groupKey(row)) as number);
    const frames = new Map<number, number>();
    for (const group of groupOf) frames.set(group, (frames.get(group) ?? 0) + 1);
    const strata = new Map<string, Set<number>>();
    const stratumOf = rows.map((row, r) => {
      const key = alike === 'sets' ? classKey(row) : `${row.bonaFide}`;
      const members = strata.get(key) ?? new Set();
      strata.set(key, members.add(groupOf[r] as number));
      return members;
    });
    const weigh = (countOf: (group: number) => number): Weights => {
      const totals = new Map<Set<number>, number>();
      for (const members of strata.values()) {
        totals.set(
          members,
          [...members].reduce((sum, group) => sum + countOf(group), 0),
        );
      }
      return groupOf.map((group, r) => {
        const total = totals.get(stratumOf[r] as Set<number>) as number;
        return total === 0 ? 0 : countOf(group) / total / (frames.get(group) as number);
      });
    };
    return {
      value: figures(weigh(() => 1)),
      draws: this.#draws.map((counts) => figures(weigh((group) => counts[group] as number))),
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
  if (first === undefined || first === last) return { low: null, high: null };
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
