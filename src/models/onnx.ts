/** The ONNX file format: the parts of a graph that are read or changed here. All else in a file is kept as it is. */

import protobuf from 'protobufjs';

/** int64 as protobufjs has it; `Number` makes a number of it. */
export type Int64 = number | { toNumber(): number };

export interface Model {
  opsetImport: { domain?: string; version?: Int64 }[];
  graph?: Graph | null;
  /** Operators that the file itself defines, unread. */
  functions: Uint8Array[];
}

export interface Graph {
  node: Node[];
  initializer: Tensor[];
  sparseInitializer: Uint8Array[];
  input: ValueInfo[];
  output: ValueInfo[];
  /** What the file says of tensors inside the graph; nobody needs it. */
  valueInfo: ValueInfo[];
}

export interface Node {
  input: string[];
  output: string[];
  name?: string;
  opType: string;
  /** Empty for the operators of ONNX itself. */
  domain?: string;
  attribute: Attribute[];
}

export interface Attribute {
  name: string;
  f?: number;
  i?: Int64;
  ints?: Int64[];
  /** Of one of `attributeTypes`, or of another. */
  type: number;
}

export interface Tensor {
  name: string;
  dims: Int64[];
  /** 1 is float32. */
  dataType: number;
  floatData?: number[];
  rawData?: Uint8Array;
  /** 1 where the values lie in another file. */
  dataLocation?: number;
}

export interface ValueInfo {
  name: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim: Dimension[] } | null } | null } | null;
}

/** A number, a name for an unknown number, or nothing. */
export interface Dimension {
  dimValue?: Int64;
  dimParam?: string;
}

/** The kinds of attributes that are written here, and those that hold a graph of their own. */
export const attributeTypes = { float: 1, int: 2, graph: 5, graphs: 10 } as const;

/** float32, as tensors name their type. */
export const float32 = 1;

const one = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ rule: 'repeated', type, id });

/** The numbers are the format's (onnx.proto). */
const modelProto = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        graph: one('GraphProto', 7),
        opsetImport: many('OperatorSetIdProto', 8),
        functions: many('bytes', 25),
      },
    },
    OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
    GraphProto: {
      fields: {
        node: many('NodeProto', 1),
        initializer: many('TensorProto', 5),
        input: many('ValueInfoProto', 11),
        output: many('ValueInfoProto', 12),
        valueInfo: many('ValueInfoProto', 13),
        sparseInitializer: many('bytes', 15),
      },
    },
    NodeProto: {
      fields: {
        input: many('string', 1),
        output: many('string', 2),
        name: one('string', 3),
        opType: one('string', 4),
        attribute: many('AttributeProto', 5),
        domain: one('string', 7),
      },
    },
    AttributeProto: {
      fields: {
        name: one('string', 1),
        f: one('float', 2),
        i: one('int64', 3),
        ints: many('int64', 8),
        type: one('int32', 20),
      },
    },
    TensorProto: {
      fields: {
        dims: many('int64', 1),
        dataType: one('int32', 2),
        floatData: many('float', 4),
        name: one('string', 8),
        rawData: one('bytes', 9),
        dataLocation: one('int32', 14),
      },
    },
    ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
    TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
    TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
    TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
    DimensionProto: { fields: { dimValue: one('int64', 1), dimParam: one('string', 2) } },
  },
}).lookupType('ModelProto');

/** @throws {Error} for bytes that are no protobuf message of this form */
export function decodeModel(bytes: Uint8Array): Model {
  const reader = protobuf.Reader.create(bytes);
  // Fields that the schema above leaves out are kept as they came, and written again.
  reader.discardUnknown = false;
  return modelProto.decode(reader) as unknown as Model;
}

/** @param model whole, or the part of one that `decodeModel` would merge into what stands before it. */
export function encodeModel(model: Partial<Model> | { graph: Partial<Graph> }): Uint8Array {
  return modelProto.encode(model).finish();
}
