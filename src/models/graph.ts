/** What is changed of an ONNX graph before it runs. */

import protobuf from 'protobufjs';

/** The part of onnx.proto that is written here; the field numbers are the format's. */
const schema = protobuf.Root.fromJSON({
  nested: {
    ModelProto: { fields: { graph: { type: 'GraphProto', id: 7 } } },
    GraphProto: { fields: { output: { rule: 'repeated', type: 'ValueInfoProto', id: 12 } } },
    ValueInfoProto: { fields: { name: { type: 'string', id: 1 } } },
  },
});

/**
 * Makes a tensor inside the graph an output of its own. A protobuf message may come in pieces that are merged as they are
 * read, so what is added stands behind the file and nothing of it is rewritten.
 * @returns the bytes of a model; loading it fails where the graph has no such tensor.
 */
export function exposeLayer(model: Uint8Array, layer: string): Uint8Array {
  const addition = schema
    .lookupType('ModelProto')
    .encode({ graph: { output: [{ name: layer }] } })
    .finish();
  return Buffer.concat([model, addition]);
}
