/** The same function as another graph, which onnxruntime runs in less time. */

import { attributeTypes, decodeModel, encodeModel, type Graph } from '../onnx.ts';
import { padChannels } from './padding.ts';
import { replacePRelu } from './prelu.ts';
import { Constants } from './tensors.ts';

/** Raised with every change of what is written here: what an older version wrote is then made again. */
export const rewriterVersion = 1;

/** The first opset in which BatchNormalization, Conv and PRelu are as they are used here. */
const leastOpset = 9;

export interface GraphOptions {
  /** Shape of the only input, as the descriptor has it. */
  readonly inputShape: readonly number[];
  /** Names of tensors inside the graph that keep name, shape and values. */
  readonly layers: readonly string[];
}

/**
 * Rewrites a model: the shape of its input is fixed, constants are no inputs any more, PRelu becomes operators of the blocked
 * layout, and channels come in whole blocks. Equal bytes and options give equal bytes.
 * @returns undefined for a graph with parts that are not known here.
 * @throws {Error} for bytes that are no model
 */
export function rewriteModel(
  bytes: Uint8Array,
  { inputShape, layers }: GraphOptions,
): Uint8Array | undefined {
  const model = decodeModel(bytes);
  const { graph } = model;
  const opset = model.opsetImport.find(({ domain }) => !domain)?.version;
  if (!graph || opset === undefined || Number(opset) < leastOpset || !isPlain(graph)) return undefined;
  if (model.functions.length > 0) return undefined;

  const constants = new Constants(graph);
  graph.input = graph.input.filter(({ name }) => !constants.has(name));
  const [input, ...others] = graph.input;
  const type = input?.type?.tensorType;
  if (others.length > 0 || !type) return undefined;
  type.shape = { dim: inputShape.map((dimValue) => ({ dimValue })) };
  // Shapes of tensors that may have more channels now; onnxruntime finds them itself.
  graph.valueInfo = [];
  replacePRelu(graph, constants);
  padChannels(graph, constants, layers);
  constants.prune();
  return encodeModel(model);
}

/** Whether every value a node uses stands in its own graph, as a whole tensor in this file. */
function isPlain(graph: Graph): boolean {
  const kinds: readonly number[] = [attributeTypes.graph, attributeTypes.graphs];
  return (
    graph.sparseInitializer.length === 0 &&
    graph.initializer.every(({ dataLocation }) => !dataLocation) &&
    graph.node.every(({ attribute }) => attribute.every(({ type }) => !kinds.includes(type)))
  );
}
