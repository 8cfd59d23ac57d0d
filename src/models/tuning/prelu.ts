/** PRelu in operators that onnxruntime has in its blocked layout: without them each PRelu costs two changes of layout. */

import { attributeTypes, type Graph, type Node } from '../onnx.ts';
import type { Constants } from './constants.ts';

/**
 * Replaces PRelu(x) with slope a by a x + (1 - a) Relu(x), where the slope is one constant for each channel. Each factor is a
 * BatchNormalization with nothing but a scale: a product with a constant has no blocked form.
 * @returns whether there was any.
 */
export function replacePRelu(graph: Graph, constants: Constants): boolean {
  const { length } = graph.node;
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  graph.node = graph.node.flatMap((node) => replacement(node, makers, constants) ?? node);
  return graph.node.length > length;
}

function replacement(
  { opType, domain, input, output }: Node,
  makers: ReadonlyMap<string, Node>,
  constants: Constants,
): Node[] | undefined {
  const [x, slopeName] = input;
  const [y] = output;
  if (opType !== 'PRelu' || domain || x === undefined || y === undefined) return undefined;
  const channels = channelsOf(makers.get(x), constants);
  const slope = constants.read(slopeName);
  // Channels x 1 x 1: one value for each.
  if (slope === undefined || slope.dims.join() !== `${channels},1,1`) return undefined;

  const vector = (values: Float32Array) => constants.add(`${y}:factor`, { dims: [values.length], values });
  const zeros = vector(new Float32Array(slope.values.length));
  const ones = vector(new Float32Array(slope.values.length).fill(1));
  const made = () => constants.freeName(`${y}:part`);
  const scale = (of: string, factors: Float32Array, to: string): Node => ({
    opType: 'BatchNormalization',
    input: [of, vector(factors), zeros, zeros, ones],
    output: [to],
    attribute: [{ name: 'epsilon', f: 0, type: attributeTypes.float }],
  });
  const relu = (of: string, to: string): Node => ({
    opType: 'Relu',
    input: [of],
    output: [to],
    attribute: [],
  });

  const [below, between, above] = [made(), made(), made()];
  const remainder = slope.values.map((a) => 1 - a);
  return [
    scale(x, slope.values, below),
    // Scaled first, where no factor turns the sign, Relu becomes a part of the scaling.
    ...(remainder.every((factor) => factor >= 0)
      ? [scale(x, remainder, between), relu(between, above)]
      : [relu(x, between), scale(between, remainder, above)]),
    { opType: 'Add', input: [below, above], output: [y], attribute: [] },
  ];
}

/** @returns how many channels a convolution of pictures makes; undefined for any other node. */
function channelsOf(maker: Node | undefined, constants: Constants): number | undefined {
  if (maker?.opType !== 'Conv' || maker.domain) return undefined;
  const dims = constants.read(maker.input[1])?.dims;
  return dims?.length === 4 ? dims[0] : undefined;
}
