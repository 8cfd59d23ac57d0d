/**
 * The networks alone: every run that the pipeline makes for a picture, written down once and repeated, with nothing before it and nothing
 * after. The same graphs, the same values, the same number of runs, whatever the pipeline does. Arguments: weights folder, profile.
 */

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openEngine } from './engine.ts';
import { answerOrders } from './orders.ts';

type Repeat = () => unknown;

const [folder, profile] = process.argv.slice(2) as [string, string];
const assess = await openEngine(folder, profile);
/** Where sessions have their `run`, which the package's types do not say. */
const { prototype } = InferenceSession as unknown as { prototype: { run: (...args: unknown[]) => unknown } };
const { run } = prototype;
const known = new Map<string, Repeat[]>();

/** Runs the pipeline once and writes down what it asks of its networks. */
async function record(bytes: Uint8Array): Promise<Repeat[]> {
  const repeats: Repeat[] = [];
  prototype.run = function (...args) {
    const [feeds, ...others] = args as [Record<string, Tensor>, ...unknown[]];
    // The pipeline may use its buffers again.
    const copies = Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [
        name,
        new Tensor(type as 'float32', (data as Float32Array).slice(), dims),
      ]),
    );
    repeats.push(() => Reflect.apply(run, this, [copies, ...others]));
    return Reflect.apply(run, this, args);
  };
  try {
    await assess(bytes);
  } finally {
    prototype.run = run;
  }
  if (repeats.length === 0) throw new Error('The pipeline ran no network, or not in a way that can be seen.');
  return repeats;
}

await answerOrders(async (bytes, { path }) => {
  // Warm-up, which does not count, sees each picture first.
  const repeats = known.get(path) ?? (await record(bytes));
  known.set(path, repeats);
  for (const repeat of repeats) await repeat();
  return { runs: repeats.length };
});
