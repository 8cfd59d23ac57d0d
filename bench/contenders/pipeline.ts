/** The product's own pipeline, in this process. Arguments: weights folder, profile. */

import { openEngine } from './engine.ts';
import { answerOrders } from './orders.ts';

const [folder, profile] = process.argv.slice(2) as [string, string];
const assess = await openEngine(folder, profile);
await answerOrders(async (bytes) => {
  const { timings, faces } = await assess(bytes);
  return { timings, faces: faces.length };
});
