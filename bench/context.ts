/** What every section of a run has in common. */

import { DescriptorError, loadRegistry, type ResolvedProfile } from '../src/models/registry.ts';
import { requireWeights, WeightsError } from '../src/models/weights.ts';
import { accurateWeights, standardWeights } from '../test/helpers/weights.ts';
import type { Pictures } from './pictures.ts';

export interface BenchProfile {
  readonly id: string;
  /** Of its weights. */
  readonly folder: string;
  readonly resolved: ResolvedProfile;
}

export interface Context {
  readonly pictures: Pictures;
  /** `standard` first. */
  readonly profiles: readonly BenchProfile[];
  /** Fewer rounds, for a look rather than for a table. */
  readonly quick: boolean;
  /** The endurance run in full. */
  readonly long: boolean;
}

/**
 * The profiles that can be measured here.
 * @param folder with weights; without it, those of the tests.
 * @throws WeightsError where not even `standard` is whole.
 */
export async function findProfiles(
  folder?: string,
): Promise<{ profiles: BenchProfile[]; skipped: string[] }> {
  const profiles = [await resolve('standard', folder ?? (await standardWeights()))];
  const accurate = folder ?? (await accurateWeights());
  const skipped = ['The profile accurate, as its weights are not here.'];
  if (accurate === undefined) return { profiles, skipped };
  try {
    return { profiles: [...profiles, await resolve('accurate', accurate)], skipped: [] };
  } catch (error) {
    if (error instanceof WeightsError || error instanceof DescriptorError) return { profiles, skipped };
    throw error;
  }
}

async function resolve(id: string, folder: string): Promise<BenchProfile> {
  const resolved = (await loadRegistry(folder)).profile(id);
  await requireWeights(folder, resolved.models);
  return { id, folder, resolved };
}
