/** The decide stage: several models' log-odds to one calibrated probability and a verdict at each operating point. */

import type { ProfileDescriptor } from '../models/descriptor.ts';
import { type OperatingPointName, operatingPointNames, type Verdict } from './types.ts';

/**
 * @param logOdds one value per liveness model, in the profile's order.
 * @returns the calibrated P(live), 0..1.
 */
export function fuse(logOdds: readonly number[], profile: ProfileDescriptor): number {
  const sum = profile.liveness.reduce((total, { weight }, i) => total + weight * (logOdds[i] as number), 0);
  return 1 / (1 + Math.exp(-(profile.calibration.slope * sum + profile.calibration.intercept)));
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
