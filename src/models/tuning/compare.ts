/** Whether two graphs say the same of what they are shown. */

import type { InputDescriptor } from '../descriptor.ts';
import type { BriefSession } from '../session.ts';
import { type Pixels, type Region, toTensor } from '../tensor.ts';

/** A part of a picture that both graphs are shown. */
export interface View {
  readonly picture: Pixels;
  readonly region: Region;
}

/**
 * Largest difference of two outputs: absolute for values within -1 and 1, as probabilities are, and else a part of the largest
 * value of the output, as logits, distances and the values of a layer have a scale of their own.
 */
export const tolerance = 1e-4;

/** @returns the largest difference over all views and outputs; NaN where one has another form or holds what is no number. */
export async function compare(
  original: Uint8Array,
  tuned: Uint8Array,
  input: InputDescriptor,
  layer: string | undefined,
  views: readonly View[],
): Promise<number> {
  // Not before there is something to compare: most starts have no need of onnxruntime in this process.
  const { openGraph } = await import('../session.ts');
  const sessions: BriefSession[] = [];
  try {
    for (const graph of [original, tuned]) sessions.push(await openGraph(graph, input, layer));
    const [before, after] = sessions as [BriefSession, BriefSession];
    let worst = 0;
    for (const { picture, region } of views) {
      const tensor = toTensor(picture, region, input);
      const [was, is] = [await before.run(tensor), await after.run(tensor)];
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
