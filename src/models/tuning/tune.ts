/** Tuning: each graph rewritten, compared with its original on pictures, and kept only if it says the same. */

import { readFile } from 'node:fs/promises';
import type { ModelDescriptor } from '../descriptor.ts';
import { hasSha256 } from '../download.ts';
import { weightsPath } from '../weights.ts';
import { compare, tolerance, type View } from './compare.ts';
import { layerOf, readOutcome, readTuned, storeOutcome } from './store.ts';

export interface TuneOptions {
  /** What the graphs are compared on; asked for only where one has to be. */
  readonly views: () => Promise<readonly View[]>;
  /** Whether what is there is made again, too. */
  readonly anew?: boolean;
  /** Told, as a sentence, of a graph that could not be tuned. */
  readonly say: (sentence: string) => void;
}

/**
 * Makes the tuned graphs that are missing or belong to other weights or versions. Weights that are missing or damaged are left
 * alone. Whatever fails, the original goes on to run.
 */
export async function tuneWeights(
  folder: string,
  models: readonly ModelDescriptor[],
  { views, anew = false, say }: TuneOptions,
): Promise<void> {
  let prepared: readonly View[] | undefined;
  for (const model of models) {
    if (!anew && (await isDone(folder, model))) continue;
    const original = await readFile(weightsPath(folder, model)).catch(() => undefined);
    if (original === undefined || !hasSha256(original, model.sha256)) continue;
    const outcome = await tune(original, model, async () => {
      prepared ??= await views();
      return prepared;
    });
    if ('failure' in outcome) {
      // Of this start and not of the graph: the next one tries again.
      say(`The graph of ${model.id} could not be tuned: ${outcome.failure}. Its original runs.`);
      continue;
    }
    if ('fault' in outcome)
      say(`The original graph of ${model.id} goes on to run: its tuned one ${outcome.fault}.`);
    try {
      await storeOutcome(folder, model, 'fault' in outcome ? { reason: outcome.fault } : outcome);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      // As in a container whose data folder is read-only.
      if ('bytes' in outcome)
        say(`The tuned graph of ${model.id} cannot be stored (${code}), so its original runs.`);
      return;
    }
  }
}

/** What there is of a tuned graph. */
export type TunedState =
  /** It runs, and is what rewriting the weights gives. */
  | { readonly state: 'ok'; readonly sha256: string }
  /** It is something else; where its record does not fit it either, the original runs. */
  | { readonly state: 'damaged' }
  /** The original runs; `reason` as in its record. */
  | { readonly state: 'none'; readonly reason: string }
  /** Not made yet, or for other weights or versions. */
  | { readonly state: 'missing' };

/** Makes the tuned graph of whole weights again, and compares it with the one that is there. */
export async function verifyTuned(folder: string, model: ModelDescriptor): Promise<TunedState> {
  const outcome = await readOutcome(folder, model);
  if (outcome === undefined) return { state: 'missing' };
  if ('reason' in outcome) return { state: 'none', reason: outcome.reason };
  const there = await readTuned(folder, model);
  const made = await rewrite(await readFile(weightsPath(folder, model)), model);
  const isSame = there !== undefined && made !== undefined && Buffer.compare(there, made) === 0;
  return isSame ? { state: 'ok', sha256: outcome.sha256 } : { state: 'damaged' };
}

/** What a tuned graph is: bytes to run, nothing, not what it should be, or not known. */
type Tuning =
  | { bytes: Uint8Array; difference: number }
  | { reason: string }
  | { fault: string }
  | { failure: string };

async function isDone(folder: string, model: ModelDescriptor): Promise<boolean> {
  const outcome = await readOutcome(folder, model);
  if (outcome === undefined) return false;
  return 'reason' in outcome || (await readTuned(folder, model)) !== undefined;
}

async function tune(
  original: Uint8Array,
  model: ModelDescriptor,
  views: () => Promise<readonly View[]>,
): Promise<Tuning> {
  const bytes = await rewrite(original, model);
  if (bytes === undefined) return { reason: 'nothing to gain' };
  try {
    const difference = await compare(original, bytes, model.input, layerOf(model), await views());
    // Written so that no number is a difference, too.
    return difference <= tolerance
      ? { bytes, difference }
      : { fault: `differs by ${difference.toExponential(1)}` };
  } catch (error) {
    return { failure: `${(error as Error).message.split('\n', 1)}` };
  }
}

/** Bytes that are no graph have nothing to gain: that they cannot run is found where they are to. */
async function rewrite(original: Uint8Array, model: ModelDescriptor): Promise<Uint8Array | undefined> {
  // Not before there is something to rewrite: most starts have nothing.
  const { rewriteModel } = await import('./rewrite.ts');
  try {
    return rewriteModel(original, layerOf(model));
  } catch {
    return undefined;
  }
}
