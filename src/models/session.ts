/** Running one ONNX model: the only importer of onnxruntime-node. */

import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { InputDescriptor } from './descriptor.ts';
import { exposeLayer } from './graph.ts';

/** A loaded model. `run` blocks the thread it is called on, so only workers call it. */
export interface Session {
  /**
   * @param input 1 x channels x height x width, as the descriptor's input says.
   * @returns every output by name, flattened; where a layer was asked for, that layer alone.
   */
  run(input: Float32Array): Promise<Readonly<Record<string, Float32Array>>>;
}

/**
 * Loads an ONNX file whose only input has the descriptor's size.
 * One thread: with a worker per core, more only cost more CPU for the same answers.
 * @param layer a tensor inside the graph that is wanted in place of the outputs.
 */
export async function openSession(file: string, input: InputDescriptor, layer?: string): Promise<Session> {
  const bytes = await readFile(file);
  const session = await InferenceSession.create(layer === undefined ? bytes : exposeLayer(bytes, layer), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // Errors only: several public exports make onnxruntime warn about harmless unused initialisers.
    logSeverityLevel: 3,
  });
  const inputName = session.inputNames[0];
  if (inputName === undefined) throw new Error('The model has no input.');
  const wanted = layer === undefined ? session.outputNames : [layer];
  const shape = [1, input.colour === 'grey' ? 1 : 3, input.height, input.width];
  return {
    async run(data) {
      const results = await session.run({ [inputName]: new Tensor('float32', data, shape) }, wanted);
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]),
      );
    },
  };
}

/** The values of a model that has one output. */
export function onlyOutput(outputs: Readonly<Record<string, Float32Array>>): Float32Array {
  const [values] = Object.values(outputs);
  if (values === undefined) throw new Error('The model has no output.');
  return values;
}
