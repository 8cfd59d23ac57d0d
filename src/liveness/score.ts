/** The score stage: what each liveness model says of each face. */

import type { LivenessDescriptor } from '../models/descriptor.ts';
import { onlyOutput, type Session } from '../models/session.ts';
import { mirror } from '../models/tensor.ts';

type Output = LivenessDescriptor['output'];
type Head = Extract<Output, { head: unknown }>['head'];
type ClassScores = Exclude<Output, { head: unknown }>;

/** Probabilities are kept this far from 0 and 1, where log-odds would be infinite. */
const probabilityFloor = 1e-6;

/** @returns the model's uncalibrated log-odds of "live" for one prepared crop. */
export async function logOdds(
  input: Float32Array,
  descriptor: LivenessDescriptor,
  session: Session,
): Promise<number> {
  const seen = descriptor.mirrored ? [input, mirror(input, descriptor.input)] : [input];
  let sum = 0;
  for (const view of seen) sum += liveLogOdds(onlyOutput(await session.run(view)), descriptor.output);
  return sum / seen.length;
}

/** Log-odds of "live" from what the network gives, as the descriptor says. */
export function liveLogOdds(values: Float32Array, output: LivenessDescriptor['output']): number {
  return 'head' in output ? headLogOdds(values, output.head) : classLogOdds(values, output);
}

function headLogOdds(values: Float32Array, { weights, intercept }: Head): number {
  const sum = weights.reduce((total, weight, i) => total + weight * (values[i] ?? Number.NaN), intercept);
  if (values.length !== weights.length || !Number.isFinite(sum)) {
    throw new Error(
      `A liveness model gave ${values.length} values, not ${weights.length} that its head can use.`,
    );
  }
  return bounded(sum);
}

/** Log-odds of the live class against all others together. */
function classLogOdds(values: Float32Array, output: ClassScores): number {
  const live = values[output.live];
  const others = values.filter((_, index) => index !== output.live);
  // A raw score alone has nothing to be set against: taken as it is, it would always mean "live".
  const isLone = output.values === 'logits' && others.length === 0;
  if (live === undefined || isLone || !values.every(Number.isFinite)) {
    throw new Error(`A liveness model gave ${values.length} values, none usable at index ${output.live}.`);
  }
  switch (output.values) {
    case 'probabilities': {
      const p = Math.min(Math.max(live, probabilityFloor), 1 - probabilityFloor);
      return Math.log(p / (1 - p));
    }
    case 'logits': {
      const top = Math.max(...others);
      const odds = live - top - Math.log(others.reduce((sum, value) => sum + Math.exp(value - top), 0));
      return bounded(odds);
    }
  }
}

/** The same bound as for probabilities, so that a model's two exports say the same. */
function bounded(odds: number): number {
  const bound = Math.log((1 - probabilityFloor) / probabilityFloor);
  return Math.min(Math.max(odds, -bound), bound);
}
