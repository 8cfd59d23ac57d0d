/** The decide stage: several models' log-odds to one calibrated probability and a verdict at each operating point. */

import type { ProfileDescriptor } from '../models/descriptor.ts';
import { type OperatingPointName, operatingPointNames, type Verdict } from './types.ts';

/**
 * @param logOdds one value per liveness model, in the profile's order.
 * @returns the calibrated P(live), 0..1.
 */
export function fuse(logOdds: readonly number[], profile: ProfileDescriptor): number {
  const sum = profile.liveness.reduce((total, { weight }, i) => total + weight * (logOdds[i] as number), 0);
  return calibrated(sum, profile.calibration);
}

/**
 * @param sum weighed log-odds of "live".
 * @returns P(live), 0..1: never less for a higher sum.
 */
export function calibrated(
  sum: number,
  { slopeBelow, slopeAbove, intercept }: ProfileDescriptor['calibration'],
): number {
  const [below, above] = halves(sum);
  return 1 / (1 + Math.exp(-(slopeBelow * below + slopeAbove * above + intercept)));
}

/** A sum as what is below 0 and what is above, which add up to it and pass into each other smoothly: ln(1 + e^x) bends once. */
export function halves(sum: number): [below: number, above: number] {
  const bend = Math.log1p(Math.exp(-Math.abs(sum)));
  return [Math.min(sum, 0) - bend, Math.max(sum, 0) + bend];
}

/** The verdict at each operating point. */
export function decide(pLive: number, profile: ProfileDescriptor): Record<OperatingPointName, Verdict> {
  return Object.fromEntries(
    operatingPointNames.map((name) => [
      name,
      pLive >= profile.operatingPoints[name].threshold ? 'live' : 'attack',
    ]),
  ) as Record<OperatingPointName, Verdict>;
}
