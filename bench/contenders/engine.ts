/** The engine inside this process, without workers: all that contenders know of it. */

import { openPipeline } from '../../src/liveness/pipeline.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import type { Assessment } from '../../src/liveness/types.ts';
import { loadRegistry } from '../../src/models/registry.ts';

/** @param folder weights of the profile. */
export async function openEngine(
  folder: string,
  profile: string,
): Promise<(bytes: Uint8Array) => Promise<Assessment>> {
  const resolved = (await loadRegistry(folder)).profile(profile);
  const pipeline = await openPipeline(folder, resolved, { maxPixels: 50_000_000 });
  return (bytes) => pipeline.assess(bytes, imageFormats, () => false);
}
