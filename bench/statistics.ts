/** What is told of many measurements of one thing. */

import { quantileSorted } from 'simple-statistics';

/** The middle of a sample, and how far it spreads: half of the values lie between the quartiles. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** @throws Error for no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = ascending(values);
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantileSorted(sorted, share));
  return { median, lower, upper, count: values.length } as Spread;
}

/** @param share 0..1; 0.99 for the 99th percentile. */
export function percentile(values: readonly number[], share: number): number {
  return quantileSorted(ascending(values), share);
}

/**
 * One side against the other, turn by turn: what the machine's other work adds comes and goes, and two turns of one round had
 * the same of it.
 */
export function ratios(side: readonly number[], other: readonly number[]): number[] {
  if (side.length !== other.length) throw new Error('Both sides of a ratio need the same turns.');
  return side.map((value, turn) => value / (other[turn] as number));
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new Error('Nothing was measured.');
  return values.toSorted((a, b) => a - b);
}
