/** The constants of a graph: read, added, and dropped where nothing uses them any more. */

import { float32, type Graph, type Tensor } from '../onnx.ts';

/** A constant's shape and its values, in row-major order. */
export interface Weights {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The constants of a graph by name, and names that are free in it. */
export class Constants {
  readonly #graph: Graph;
  readonly #tensors: Map<string, Tensor>;
  /** Of tensors of every kind, which share their names. */
  readonly #names: Set<string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    const used = graph.node.flatMap(({ input, output }) => [...input, ...output]);
    this.#names = new Set([...graph.input.map(({ name }) => name), ...this.#tensors.keys(), ...used]);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @returns undefined for what is no constant, or none of float32 that is whole in the file. */
  read(name: string | undefined): Weights | undefined {
    const tensor = name ? this.#tensors.get(name) : undefined;
    if (tensor === undefined || tensor.dataType !== float32 || tensor.dataLocation) return undefined;
    const dims = tensor.dims.map(Number);
    const values = valuesOf(tensor);
    return values.length === count(dims) ? { dims, values } : undefined;
  }

  /** Adds a constant. @returns its name. */
  add(name: string, { dims, values }: Weights): string {
    const free = this.freeName(name);
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const tensor: Tensor = { name: free, dims: [...dims], dataType: float32, rawData };
    this.#tensors.set(free, tensor);
    this.#graph.initializer.push(tensor);
    return free;
  }

  /** @returns the name, or one made of it that nothing in the graph has; from now on it is taken. */
  freeName(name: string): string {
    let free = name;
    for (let i = 2; this.#names.has(free); i++) free = `${name}:${i}`;
    this.#names.add(free);
    return free;
  }

  /** Drops the constants that nothing uses. */
  prune(): void {
    const used = new Set(this.#graph.node.flatMap(({ input }) => input));
    for (const { name } of [...this.#graph.input, ...this.#graph.output]) used.add(name);
    this.#graph.initializer = this.#graph.initializer.filter(({ name }) => used.has(name));
  }
}

/** How many values a tensor of that shape has. */
export function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function valuesOf({ rawData, floatData }: Tensor): Float32Array {
  if (!rawData?.length) return Float32Array.from(floatData ?? []);
  // Little-endian by the format, as every machine that onnxruntime-node runs on. Copied, as it may lie anywhere in the file.
  const bytes = rawData.slice(0, rawData.length - (rawData.length % 4));
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
