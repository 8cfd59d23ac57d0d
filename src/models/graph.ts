/** A layer inside an ONNX graph, made an output. */

import { encodeModel } from './onnx.ts';

/**
 * Makes a tensor inside the graph an output of its own. A protobuf message may come in pieces that are merged as they are
 * read, so what is added stands behind the file and nothing of it is rewritten.
 * @returns the bytes of a model; loading it fails where the graph has no such tensor.
 */
export function exposeLayer(model: Uint8Array, layer: string): Uint8Array {
  return Buffer.concat([model, encodeModel({ graph: { output: [{ name: layer }] } })]);
}
