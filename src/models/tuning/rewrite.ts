/** The same function as another graph, which onnxruntime runs in less time. */

import { attributeTypes, decodeModel, encodeModel, type Graph, type Model } from '../onnx.ts';
import { Constants } from './constants.ts';
import { padChannels } from './padding.ts';
import { replacePRelu } from './prelu.ts';

/** The first opset in which the operators are as they are written here. */
const leastOpset = 9;

/**
 * Rewrites a model: PRelu becomes operators of the blocked layout, and channels come in whole blocks. Names and shapes of inputs
 * and outputs stay. The same bytes and layer give the same bytes; whoever changes which, raises the version in `store.ts`.
 * @param layer a tensor inside the graph that keeps name, shape and values as well.
 * @returns undefined where there is nothing to gain, or a part of the graph is not understood.
 * @throws {Error} for bytes that are no model
 */
export function rewriteModel(bytes: Uint8Array, layer?: string): Uint8Array | undefined {
  const model = decodeModel(bytes);
  const { graph } = model;
  if (!graph || !isUnderstood(model, graph)) return undefined;
  // Older exports list the constants as inputs too, in whose place another value may be given. Nobody does.
  const given = new Set(graph.initializer.map(({ name }) => name));
  graph.input = graph.input.filter(({ name }) => !given.has(name));
  const constants = new Constants(graph);
  const hasReplaced = replacePRelu(graph, constants);
  const hasPadded = padChannels(graph, constants, layer === undefined ? [] : [layer]);
  if (!hasReplaced && !hasPadded) return undefined;
  constants.prune();
  // Shapes of tensors that may have more channels now; onnxruntime finds them itself.
  graph.valueInfo = [];
  return encodeModel(model);
}

/** Whether every value that a node uses stands in this graph, and whole in this file. */
function isUnderstood({ opsetImport, functions }: Model, graph: Graph): boolean {
  const opset = opsetImport.find(({ domain }) => !domain)?.version ?? 0;
  const graphs: readonly number[] = [attributeTypes.graph, attributeTypes.graphs];
  return (
    Number(opset) >= leastOpset &&
    functions.length === 0 &&
    graph.sparseInitializer.length === 0 &&
    graph.initializer.every(({ dataLocation }) => !dataLocation) &&
    graph.node.every(({ attribute }) => attribute.every(({ type }) => !graphs.includes(type)))
  );
}
