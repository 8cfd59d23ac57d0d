/** The engine inside this process, without workers: all that contenders know of it. */

import type { DecodeLimits } from '../../src/liveness/decode.ts';
import { openPipeline } from '../../src/liveness/pipeline.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import type { Assessment } from '../../src/liveness/types.ts';
import { loadRegistry } from '../../src/models/registry.ts';

/** The server's own, by default. */
export const limits: DecodeLimits = { maxPixels: 50_331_648 };

/** @param folder weights of the profile. */
export async function openEngine(
  folder: string,
  profile: string,
): Promise<(bytes: Uint8Array) => Promise<Assessment>> {
  const resolved = (await loadRegistry(folder)).profile(profile);
  const pipeline = await openPipeline(folder, resolved, limits);
  return (bytes) => pipeline.assess(bytes, imageFormats, () => false);
}
