/** Running one ONNX model: the only importer of onnxruntime-node. */

import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { InputDescriptor, ModelDescriptor } from './descriptor.ts';
import { exposeLayer } from './graph.ts';
import { layerOf, readTuned } from './tuning/store.ts';
import { weightsPath } from './weights.ts';

// onnxruntime tells Microsoft of each model that is loaded and run, under an identifier of the device, and keeps files for
// that in the folders for temporary files and caches. It looks at this when its first session is made.
// biome-ignore lint/style/noProcessEnv: no setting of ours; it is asked in no other way.
process.env.ORT_DISABLE_TELEMETRY = '1';

/** A loaded model. `run` blocks the thread it is called on, so only workers call it. */
export interface Session {
  /**
   * @param input 1 x channels x height x width, as the descriptor's input says.
   * @returns every output by name, flattened; of a model with a head, the layer that it reads alone.
   */
  run(input: Float32Array): Promise<Readonly<Record<string, Float32Array>>>;
}

/** A session that does not last as long as its process. */
export interface BriefSession extends Session {
  /** Frees what it holds. */
  release(): Promise<void>;
}

/** Loads a model from the weights folder, by its tuned graph where there is one. */
export async function openSession(
  folder: string,
  model: Pick<ModelDescriptor, 'id' | 'sha256' | 'input' | 'output'>,
): Promise<Session> {
  const graph = (await readTuned(folder, model)) ?? (await readFile(weightsPath(folder, model)));
  return await openGraph(graph, model.input, layerOf(model));
}

/**
 * Loads a graph whose only input has the descriptor's size, ready to give its outputs or the layer that is named.
 * One thread: with a worker per core, more only cost more CPU for the same answers.
 */
export async function openGraph(
  graph: Uint8Array,
  input: InputDescriptor,
  layer: string | undefined,
): Promise<BriefSession> {
  const session = await InferenceSession.create(layer === undefined ? graph : exposeLayer(graph, layer), {
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
    release: () => session.release(),
  };
}

/** The values of a model that has one output. */
export function onlyOutput(outputs: Readonly<Record<string, Float32Array>>): Float32Array {
  const [values] = Object.values(outputs);
  if (values === undefined) throw new Error('The model has no output.');
  return values;
}
