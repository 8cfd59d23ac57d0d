/** The constants of a graph: read, replaced, and dropped where nothing uses them any more. */

import { float32, type Graph, type Tensor } from '../onnx.ts';

/** A constant of a graph, float32. */
export interface Weights {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The constants of a graph by name. */
export class Constants {
  readonly #graph: Graph;
  readonly #tensors: Map<string, Tensor>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @returns undefined for what is no constant, or none of float32 in the file itself. */
  read(name: string | undefined): Weights | undefined {
    const tensor = name === undefined ? undefined : this.#tensors.get(name);
    if (tensor === undefined || tensor.dataType !== float32 || tensor.dataLocation) return undefined;
    const dims = tensor.dims.map(Number);
    const values = valuesOf(tensor);
    return values.length === dims.reduce((product, dim) => product * dim, 1) ? { dims, values } : undefined;
  }

  /** Adds a constant. @returns its name, one that is not in use. */
  add(wanted: string, { dims, values }: Weights): string {
    let name = wanted;
    for (let i = 2; this.#tensors.has(name); i++) name = `${wanted}_${i}`;
    const bytes = new DataView(new ArrayBuffer(values.length * 4));
    for (const [i, value] of values.entries()) bytes.setFloat32(i * 4, value, true);
    const tensor: Tensor = {
      name,
      dims: [...dims],
      dataType: float32,
      rawData: new Uint8Array(bytes.buffer),
    };
    this.#tensors.set(name, tensor);
    this.#graph.initializer.push(tensor);
    return name;
  }

  /** Drops the constants that nothing uses. */
  prune(): void {
    const used = new Set(this.#graph.node.flatMap(({ input }) => input));
    for (const { name } of this.#graph.output) used.add(name);
    this.#graph.initializer = this.#graph.initializer.filter(({ name }) => used.has(name));
  }
}

function valuesOf({ rawData, floatData = [] }: Tensor): Float32Array {
  if (rawData === undefined || rawData.length === 0) return Float32Array.from(floatData);
  // Little-endian by the format, whatever this machine is.
  const bytes = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Float32Array.from({ length: rawData.length >> 2 }, (_, i) => bytes.getFloat32(i * 4, true));
}
