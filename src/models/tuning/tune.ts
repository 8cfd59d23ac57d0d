/** Tuning: each graph rewritten, compared with its original on pictures, and kept only if it says the same. */

import { readFile } from 'node:fs/promises';
import type { ModelDescriptor } from '../descriptor.ts';
import { hasSha256 } from '../download.ts';
import type { BriefSession } from '../session.ts';
import { type Pixels, type Region, toTensor } from '../tensor.ts';
import { weightsPath } from '../weights.ts';
import { rewriteModel } from './rewrite.ts';
import { layerOf, readOutcome, readTuned, storeOutcome } from './store.ts';

/** A part of a picture that both graphs are shown. */
export interface View {
  readonly picture: Pixels;
  readonly region: Region;
}

export interface TuneOptions {
  /** What the graphs are compared on; asked for only where one has to be. */
  readonly views: () => Promise<readonly View[]>;
  /** Whether what is there is made again, too. */
  readonly anew?: boolean;
  /** Told, as a sentence, of a graph that could not be tuned. */
  readonly say: (sentence: string) => void;
}

/**
 * Largest difference of two outputs: absolute for values within -1 and 1, as probabilities are, and else a part of the largest
 * value of the output, as logits, distances and the values of a layer have a scale of their own.
 */
export const tolerance = 1e-4;

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

/** What a tuned graph is: bytes to run, nothing, or not what it should be. */
type Tuning = { bytes: Uint8Array; difference: number } | { reason: string } | { fault: string };

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
  let bytes: Uint8Array | undefined;
  try {
    bytes = rewriteModel(original, layerOf(model));
  } catch {
    return { reason: 'cannot be read as an ONNX graph' };
  }
  if (bytes === undefined) return { reason: 'has nothing to gain' };
  try {
    const difference = await compare(original, bytes, model, await views());
    // Written so that no number is a difference, too.
    return difference <= tolerance
      ? { bytes, difference }
      : { fault: `differs by ${difference.toExponential(1)}` };
  } catch (error) {
    return { fault: `could not be compared: ${(error as Error).message}` };
  }
}

/** @returns the largest difference over all views and outputs; NaN where one has another form or holds what is no number. */
export async function compare(
  original: Uint8Array,
  tuned: Uint8Array,
  model: ModelDescriptor,
  views: readonly View[],
): Promise<number> {
  // Not before there is something to compare: most starts have no need of onnxruntime in this process.
  const { openGraph } = await import('../session.ts');
  const sessions: BriefSession[] = [];
  try {
    for (const graph of [original, tuned]) sessions.push(await openGraph(graph, model.input, layerOf(model)));
    const [before, after] = sessions as [BriefSession, BriefSession];
    let worst = 0;
    for (const { picture, region } of views) {
      const input = toTensor(picture, region, model.input);
      const [was, is] = [await before.run(input), await after.run(input)];
      for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
        worst = Math.max(worst, difference(was[name], is[name]));
      }
    }
    return worst;
  } finally {
    for (const session of sessions) await session.release();
  }
}

/** The largest difference of two values at the same place, as `tolerance` measures it. */
function difference(was: Float32Array | undefined, is: Float32Array | undefined): number {
  if (was === undefined || was.length !== is?.length) return Number.NaN;
  let scale = 1;
  let most = 0;
  for (const [i, value] of was.entries()) {
    scale = Math.max(scale, Math.abs(value));
    most = Math.max(most, Math.abs(value - (is[i] as number)));
  }
  return most / scale;
}
