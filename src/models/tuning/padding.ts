/** Channel counts brought to whole blocks: onnxruntime computes a convolution in its blocked layout only where they fit. */

import type { Graph, Node } from '../onnx.ts';
import { type Constants, count, type Weights } from './constants.ts';

/** A number of channels that is no multiple of this keeps onnxruntime from its blocked layout. */
const alignment = 4;

/** What such a number is brought to a multiple of: a block on AVX2. Onnxruntime itself fills the blocks of 16 on AVX-512. */
const block = 8;

/**
 * Adds channels to tensors inside the graph whose number is no multiple of 4, up to the next multiple of 8. What is added is
 * computed with weights of zero and read with weights of zero, so that it changes no value. A tensor gets them only where every
 * node that makes or reads it, or a tensor that must have as many, is understood: so none of them comes near an output.
 * @param fixed tensors that stay as they are, beside the graph's inputs and outputs.
 * @returns whether anything was added.
 */
export function padChannels(graph: Graph, constants: Constants, fixed: readonly string[]): boolean {
  const groups = new Groups();
  for (const name of fixed) groups.fix(name);
  // A constant that is added has channels of its own.
  for (const { name } of [...graph.input, ...graph.output, ...graph.initializer]) groups.fix(name);
  const roles = graph.node.map((node) => roleOf(node, constants));
  for (const [i, node] of graph.node.entries()) declare(node, roles[i], groups);

  let isChanged = false;
  for (const [i, node] of graph.node.entries()) {
    const role = roles[i];
    const [input = ''] = node.input;
    const [output = ''] = node.output;
    if (role === undefined || role.kind === 'each') continue;
    const made = groups.addedTo(output);
    const read = groups.addedTo(input);
    if (made + read === 0) continue;
    isChanged = true;
    const replace = (at: number, weights: Weights, dims: readonly number[], rest = 0) => {
      node.input[at] = constants.add(`${node.input[at]}:padded`, grow(weights, dims, rest));
    };
    switch (role.kind) {
      case 'convolution': {
        const [out = 0, into = 0, ...kernel] = role.weights.dims;
        replace(1, role.weights, [out + made, into + (role.isDepthwise ? 0 : read), ...kernel]);
        if (role.bias) replace(2, role.bias, [out + made]);
        const group = node.attribute.find(({ name }) => name === 'group');
        if (role.isDepthwise && group) group.i = out + made;
        break;
      }
      case 'normalisation':
        for (const [at, values] of role.parameters.entries()) {
          // The last is the variance, which is divided by.
          replace(at + 1, values, [values.values.length + made], at === 3 ? 1 : 0);
        }
        break;
    }
  }
  return isChanged;
}

/** What a node does to the channels; undefined where that is not known. */
type Role =
  /** Over all channels, or depthwise: each by itself. */
  | { kind: 'convolution'; weights: Weights; bias: Weights | undefined; isDepthwise: boolean }
  /** Scale, shift, mean and variance of each channel. */
  | { kind: 'normalisation'; parameters: Weights[] }
  /** Each channel by itself, without weights. */
  | { kind: 'each'; operands: readonly string[] };

function roleOf(node: Node, constants: Constants): Role | undefined {
  if (node.domain || node.output.length !== 1) return undefined;
  switch (node.opType) {
    case 'Conv': {
      const weights = constants.read(node.input[1]);
      const bias = constants.read(node.input[2]);
      if (weights === undefined || weights.dims.length !== 4 || (node.input[2] && !bias)) return undefined;
      const groups = Number(node.attribute.find(({ name }) => name === 'group')?.i ?? 1);
      const isDepthwise = groups > 1 && weights.dims[0] === groups && weights.dims[1] === 1;
      return groups === 1 || isDepthwise ? { kind: 'convolution', weights, bias, isDepthwise } : undefined;
    }
    case 'BatchNormalization': {
      const parameters = node.input.slice(1).map((name) => constants.read(name));
      const areWhole = parameters.length === 4 && parameters.every((values) => values?.dims.length === 1);
      return areWhole ? { kind: 'normalisation', parameters: parameters as Weights[] } : undefined;
    }
    case 'Relu':
    case 'Sigmoid':
    case 'GlobalAveragePool':
    case 'AveragePool':
    case 'MaxPool':
    case 'Add':
    case 'Mul':
      return { kind: 'each', operands: node.input };
    case 'Clip':
      // The others are its bounds.
      return { kind: 'each', operands: node.input.slice(0, 1) };
    default:
      return undefined;
  }
}

/** Tells the groups what a node knows of its tensors. */
function declare({ input, output }: Node, role: Role | undefined, groups: Groups): void {
  const [first] = input;
  const [made] = output;
  if (role === undefined || first === undefined || made === undefined) {
    for (const name of [...input, ...output]) groups.fix(name);
    return;
  }
  switch (role.kind) {
    case 'convolution':
      groups.count(made, role.weights.dims[0] ?? 0);
      if (role.isDepthwise) groups.join(first, made);
      else groups.count(first, role.weights.dims[1] ?? 0);
      break;
    case 'normalisation':
      groups.count(made, role.parameters[0]?.values.length ?? 0);
      groups.join(first, made);
      break;
    case 'each':
      for (const name of role.operands) groups.join(name, made);
      break;
  }
}

/** Tensors that must have the same number of channels. */
class Groups {
  readonly #parents = new Map<string, string>();
  readonly #counts = new Map<string, Set<number>>();
  readonly #fixed = new Set<string>();

  /** The tensor keeps its channels. */
  fix(name: string): void {
    this.#fixed.add(this.#root(name));
  }

  /** The tensor has so many channels. */
  count(name: string, channels: number): void {
    const root = this.#root(name);
    this.#counts.set(root, (this.#counts.get(root) ?? new Set()).add(channels));
  }

  join(a: string, b: string): void {
    const [from, to] = [this.#root(a), this.#root(b)];
    if (from === to) return;
    this.#parents.set(from, to);
    for (const channels of this.#counts.get(from) ?? []) this.count(to, channels);
    if (this.#fixed.has(from)) this.#fixed.add(to);
  }

  /** How many channels the tensor gets. */
  addedTo(name: string): number {
    const root = this.#root(name);
    const [channels, ...others] = this.#counts.get(root) ?? [];
    // Where one channel is spread over many, or nothing says how many there are, nothing can be added.
    if (this.#fixed.has(root) || channels === undefined || others.length > 0) return 0;
    // Less than a block is cheaper as it is.
    return channels < block || channels % alignment === 0 ? 0 : block - (channels % block);
  }

  #root(name: string): string {
    let root = name;
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root))
      root = parent;
    return root;
  }
}

/** The same values in a tensor that is larger along its first two dimensions, with `rest` everywhere else. */
function grow({ dims, values }: Weights, wanted: readonly number[], rest: number): Weights {
  const grown = new Float32Array(count(wanted)).fill(rest);
  const row = count(dims.slice(1));
  const wantedRow = count(wanted.slice(1));
  for (let i = 0; i < (dims[0] ?? 0); i++) grown.set(values.subarray(i * row, (i + 1) * row), i * wantedRow);
  return { dims: wanted, values: grown };
}
