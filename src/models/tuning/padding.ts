/** Channel counts brought to whole blocks: onnxruntime computes a convolution in its blocked layout only where they are. */

import type { Graph, Node } from '../onnx.ts';
import type { Constants, Weights } from './tensors.ts';

/** Channels of a block on AVX2; of the other machines' 4 and 16, the one divides it and the other is padded to by onnxruntime. */
const block = 8;

/**
 * Adds channels to tensors inside the graph until their number is a multiple of 8. What is added is computed from weights of zero
 * and read with weights of zero, so that it changes no value. A tensor gets them only if every node that makes or reads it, and
 * every tensor of which those want the same number, is understood; so none of them comes near an output.
 * @param fixed tensors that stay as they are, beside the graph's inputs and outputs.
 */
export function padChannels(graph: Graph, constants: Constants, fixed: readonly string[]): void {
  const groups = new Groups();
  for (const name of fixed) groups.fix(name);
  for (const { name } of [...graph.input, ...graph.output]) groups.fix(name);
  const roles = graph.node.map((node) => roleOf(node, constants));
  for (const [i, node] of graph.node.entries()) declare(node, roles[i], groups);

  for (const [i, node] of graph.node.entries()) {
    const role = roles[i];
    const [input] = node.input;
    const [output] = node.output;
    if (role === undefined || input === undefined || output === undefined) continue;
    const added = groups.addedTo(output);
    const replace = (at: number, weights: Weights, dims: readonly number[], rest?: number) => {
      const name = node.input[at];
      if (name) node.input[at] = constants.add(`${name}:padded`, grow(weights, dims, rest));
    };
    switch (role.kind) {
      case 'convolution': {
        const [out = 0, into = 0, ...kernel] = role.weights.dims;
        const read = groups.addedTo(input);
        if (added + read === 0) break;
        replace(1, role.weights, [out + added, into + read, ...kernel]);
        if (role.bias && added > 0) replace(2, role.bias, [out + added]);
        break;
      }
      case 'depthwise': {
        const [out = 0, ...kernel] = role.weights.dims;
        if (added === 0) break;
        replace(1, role.weights, [out + added, ...kernel]);
        if (role.bias) replace(2, role.bias, [out + added]);
        const group = node.attribute.find(({ name }) => name === 'group');
        if (group) group.i = out + added;
        break;
      }
      case 'normalisation':
        if (added === 0) break;
        for (const [at, values] of role.parameters.entries()) {
          // The last is the variance, which is divided by.
          replace(at + 1, values, [values.values.length + added], at === 3 ? 1 : 0);
        }
        break;
      case 'each':
        break;
    }
  }
}

/** What a node does to the channels; undefined where that is not known. */
type Role =
  | { kind: 'convolution'; weights: Weights; bias: Weights | undefined }
  /** A convolution of each channel by itself. */
  | { kind: 'depthwise'; weights: Weights; bias: Weights | undefined }
  /** Scale, shift, mean and variance of each channel. */
  | { kind: 'normalisation'; parameters: Weights[] }
  /** Each channel by itself, without weights. */
  | { kind: 'each' };

function roleOf(node: Node, constants: Constants): Role | undefined {
  if (node.domain || node.output.length !== 1) return undefined;
  switch (node.opType) {
    case 'Conv': {
      const weights = constants.read(node.input[1]);
      const bias = constants.read(node.input[2]);
      if (weights === undefined || weights.dims.length !== 4 || (node.input[2] && !bias)) return undefined;
      const groups = Number(node.attribute.find(({ name }) => name === 'group')?.i ?? 1);
      if (groups === 1) return { kind: 'convolution', weights, bias };
      const isDepthwise = weights.dims[0] === groups && weights.dims[1] === 1;
      return isDepthwise ? { kind: 'depthwise', weights, bias } : undefined;
    }
    case 'BatchNormalization': {
      const parameters = node.input.slice(1).map((name) => constants.read(name));
      const areWhole = parameters.length === 4 && parameters.every((values) => values?.dims.length === 1);
      return areWhole ? { kind: 'normalisation', parameters: parameters as Weights[] } : undefined;
    }
    case 'Relu':
    case 'Sigmoid':
    case 'Clip':
    case 'GlobalAveragePool':
    case 'AveragePool':
    case 'MaxPool':
    case 'Add':
    case 'Mul':
      return { kind: 'each' };
    default:
      return undefined;
  }
}

/** Tells the groups what a node knows of its tensors. */
function declare({ input, output }: Node, role: Role | undefined, groups: Groups): void {
  const [first, ...others] = input;
  const [made] = output;
  if (role === undefined || first === undefined || made === undefined) {
    for (const name of [...input, ...output]) groups.fix(name);
    return;
  }
  switch (role.kind) {
    case 'convolution':
      groups.count(first, role.weights.dims[1] ?? 0);
      groups.count(made, role.weights.dims[0] ?? 0);
      break;
    case 'depthwise':
      groups.count(made, role.weights.dims[0] ?? 0);
      groups.join(first, made);
      break;
    case 'normalisation':
      groups.count(made, role.parameters[0]?.values.length ?? 0);
      groups.join(first, made);
      break;
    case 'each':
      groups.join(first, made);
      for (const name of others) groups.join(name, made);
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
    return (block - (channels % block)) % block;
  }

  #root(name: string): string {
    let root = name;
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root))
      root = parent;
    return root;
  }
}

/** The same values in a larger tensor, with `rest` everywhere else. */
function grow({ dims, values }: Weights, wanted: readonly number[], rest = 0): Weights {
  const grown = new Float32Array(wanted.reduce((product, dim) => product * dim, 1)).fill(rest);
  const copy = (axis: number, from: number, to: number): void => {
    if (axis === dims.length) {
      grown[to] = values[from] as number;
      return;
    }
    for (let i = 0; i < (dims[axis] as number); i++) {
      copy(axis + 1, from * (dims[axis] as number) + i, to * (wanted[axis] as number) + i);
    }
  };
  copy(0, 0, 0);
  return { dims: wanted, values: grown };
}
