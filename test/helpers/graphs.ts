/** Small ONNX graphs for tests: an input of 1 x 3 x 16 x 16, and weights that are the same every time. */

import type { InputDescriptor } from '../../src/models/descriptor.ts';
import { type Attribute, encodeModel, type Graph, type Node, type Tensor } from '../../src/models/onnx.ts';
import type { View } from '../../src/models/tuning/compare.ts';

/** That of every graph here; values from -1 to 1. */
export const input: InputDescriptor = {
  width: 16,
  height: 16,
  colour: 'rgb',
  mean: 127.5,
  scale: 127.5,
  resample: 'bilinear',
};

/** Noise from -0.5 to 0.5. */
export function values(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const mixed = Math.imul((i + 1) * 64 + seed, 0x9e3779b1);
    return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 0) / 2 ** 32 - 0.5;
  });
}

/** Pictures of noise. */
export function noiseViews(): View[] {
  return [1, 2, 3].map((seed) => ({
    picture: {
      width: 16,
      height: 16,
      pixels: Uint8Array.from(values(768, seed), (value) => (value + 0.5) * 255),
    },
    region: { x: 0, y: 0, width: 16, height: 16, beyond: 'edge' },
  }));
}

export function constant(name: string, dims: readonly number[], data: Float32Array): Tensor {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...dims], dataType: 1, rawData };
}

export function attribute(name: string, value: number | readonly number[]): Attribute {
  if (typeof value !== 'number') return { name, ints: [...value], type: 7 };
  const isFloat = name === 'min' || name === 'max';
  return isFloat ? { name, f: value, type: 1 } : { name, i: value, type: 2 };
}

export function node(opType: string, from: string[], to: string, attributes: Attribute[] = []): Node {
  return { opType, input: from, output: [to], attribute: attributes };
}

/** A convolution with a bias that keeps the size; its weights are those that `graph` makes for it. */
export function conv(from: string, to: string, into: number, out: number, group = 1, side = 3): Node {
  const pad = (side - 1) / 2;
  const weights = `${to}.${out}x${into / group}x${side}x${side}`;
  const attributes = [attribute('group', group), attribute('pads', [pad, pad, pad, pad])];
  return node('Conv', [from, weights, `${to}.${out}`], to, attributes);
}

/** A model of the nodes, whose output is `output`. */
export function graph(nodes: Node[], constants: Tensor[] = [], opset = 9): Uint8Array {
  const made = nodes
    .filter(({ opType }) => opType === 'Conv')
    .flatMap(({ input: [, ...names] }) => names)
    .map((name, seed) => {
      const dims = name
        .slice(name.lastIndexOf('.') + 1)
        .split('x')
        .map(Number);
      return constant(
        name,
        dims,
        values(
          dims.reduce((product, dim) => product * dim, 1),
          seed,
        ),
      );
    });
  const shape = { dim: [1, 3, 16, 16].map((dimValue) => ({ dimValue })) };
  const whole: Graph = {
    node: nodes,
    initializer: [...made, ...constants],
    sparseInitializer: [],
    input: [{ name: 'input', type: { tensorType: { elemType: 1, shape } } }],
    output: [{ name: 'output', type: { tensorType: { elemType: 1 } } }],
    valueInfo: [],
  };
  // Field 1 is the version of the format; a graph must have a name as well, its field 2.
  const version = Buffer.from([0x08, 4]);
  const name = Buffer.from([0x3a, 3, 0x12, 1, 0x67]);
  return Buffer.concat([
    version,
    name,
    encodeModel({ opsetImport: [{ version: opset }], graph: whole, functions: [] }),
  ]);
}
