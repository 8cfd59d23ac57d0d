/** PRelu in operators that onnxruntime has in its blocked layout: without them each PRelu costs two changes of layout. */

import { attributeTypes, type Graph, type Node } from '../onnx.ts';
import type { Constants } from './tensors.ts';

/**
 * Replaces PRelu(x) with slope a by a x + (1 - a) Relu(x), where the slope is one constant for each channel. The factors are
 * BatchNormalizations with nothing but a scale, as a blocked Mul by a constant does not exist.
 */
export function replacePRelu(graph: Graph, constants: Constants): void {
  graph.node = graph.node.flatMap((node) =>
    node.opType === 'PRelu' ? (replacement(node, constants) ?? node) : node,
  );
}

function replacement(node: Node, constants: Constants): Node[] | undefined {
  const [x, slopeName] = node.input;
  const [y] = node.output;
  const slope = constants.read(slopeName);
  if (x === undefined || y === undefined || slope === undefined) return undefined;
  // Channels x 1 x 1: in that form it is one value for each channel of a picture, whatever its size.
  const [channels, ...rest] = slope.dims;
  if (channels === undefined || rest.length !== 2 || rest.some((dim) => dim !== 1)) return undefined;

  const zeros = new Float32Array(channels);
  const ones = new Float32Array(channels).fill(1);
  const vector = (part: string, values: Float32Array) =>
    constants.add(`${y}:${part}`, { dims: [channels], values });
  const [zero, unit] = [vector('zero', zeros), vector('one', ones)];
  const scale = (input: string, part: string, values: Float32Array): Node => ({
    opType: 'BatchNormalization',
    input: [input, vector(part, values), zero, zero, unit],
    output: [`${y}:${part}-scaled`],
    attribute: [{ name: 'epsilon', f: 0, type: attributeTypes.float }],
  });
  const below = scale(x, 'slope', slope.values);
  if (slope.values.every((a) => a <= 1)) {
    const above = scale(
      x,
      'rest',
      slope.values.map((a) => 1 - a),
    );
    return [
      below,
      above,
      op('Relu', above.output, `${y}:relu`),
      op('Add', [below.output[0]!, `${y}:relu`], y),
    ];
  }
  const above = scale(
    `${y}:relu`,
    'rest',
    slope.values.map((a) => 1 - a),
  );
  return [below, op('Relu', [x], `${y}:relu`), above, op('Add', [below.output[0]!, above.output[0]!], y)];
}

function op(opType: string, input: string[], output: string): Node {
  return { opType, input, output: [output], attribute: [] };
}
