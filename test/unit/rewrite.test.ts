/** Rewriting graphs: small ones, which onnxruntime must find to be the same function as what becomes of them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeModel, encodeModel, type Graph, type Node } from '../../src/models/onnx.ts';
import { compare, tolerance } from '../../src/models/tuning/compare.ts';
import { rewriteModel } from '../../src/models/tuning/rewrite.ts';
import { attribute, constant, conv, graph, input, node, noiseViews, values } from '../helpers/graphs.ts';

const views = noiseViews();

/** The rewritten model; that it says the same on noise is asserted on the way. */
async function rewritten(model: Uint8Array, layer?: string): Promise<Graph> {
  const bytes = rewriteModel(model, layer);
  assert.ok(bytes !== undefined, 'is left as it is');
  const difference = await compare(model, bytes, input, layer, views);
  assert.ok(difference <= tolerance / 10, `differs by ${difference}`);
  return decodeModel(bytes).graph as Graph;
}

const kinds = ({ node: nodes }: Graph) => nodes.map(({ opType }) => opType);

/** Channels that each convolution makes. */
const channels = (rewritten: Graph) =>
  rewritten.node
    .filter(({ opType }) => opType === 'Conv')
    .map(({ input: [, weights] }) =>
      Number(rewritten.initializer.find(({ name }) => name === weights)?.dims[0]),
    );

describe('PRelu', () => {
  const withSlope = (slope: Float32Array, dims: readonly number[]) =>
    graph(
      [conv('input', 'a', 3, 8), node('PRelu', ['a', 'slope'], 'b'), conv('b', 'output', 8, 2)],
      [constant('slope', dims, slope)],
    );

  for (const [what, from, to] of [
    ['below 1', 0, 0.9],
    ['of either sign', -0.8, 0.8],
    ['on both sides of 1', -0.5, 3],
  ] as const) {
    it(`becomes other operators, with slopes ${what}`, async () => {
      const slope = values(8, 7).map((value) => from + (value + 0.5) * (to - from));
      const result = await rewritten(withSlope(slope, [8, 1, 1]));
      assert.ok(!kinds(result).includes('PRelu'));
      assert.ok(kinds(result).includes('BatchNormalization'));
      assert.ok(!result.initializer.some(({ name }) => name === 'slope'), 'what nothing uses is dropped');
    });
  }

  it('stays where it has one slope for all channels, or one for each place', () => {
    assert.equal(rewriteModel(withSlope(values(1), [1])), undefined);
    assert.equal(rewriteModel(withSlope(values(16 * 16), [1, 16, 16])), undefined);
  });

  it('goes also where its slope is listed as an input beside its value, as older exports do', () => {
    const original = withSlope(values(8), [8, 1, 1]);
    const model = decodeModel(original);
    model.graph?.input.push({ name: 'slope', type: { tensorType: { elemType: 1, shape: { dim: [] } } } });
    const rewritten = rewriteModel(encodeModel(model));
    assert.ok(rewritten);
    assert.deepEqual(rewritten, rewriteModel(original));
  });

  it('stays where its slope is an input, or computed', () => {
    const given = decodeModel(withSlope(values(8), [8, 1, 1]));
    const { graph: parts } = given;
    assert.ok(parts);
    parts.input.push({ name: 'slope', type: { tensorType: { elemType: 1, shape: { dim: [] } } } });
    parts.initializer = parts.initializer.filter(({ name }) => name !== 'slope');
    assert.equal(rewriteModel(encodeModel(given)), undefined);
    const computed = graph([
      conv('input', 'a', 3, 8),
      node('GlobalAveragePool', ['a'], 'slope'),
      node('PRelu', ['a', 'slope'], 'output'),
    ]);
    assert.equal(rewriteModel(computed), undefined);
  });

  it('stays where it is not known that its input is a picture', () => {
    const model = graph(
      [node('Squeeze', ['input'], 'a', [attribute('axes', [0])]), node('PRelu', ['a', 'slope'], 'output')],
      [constant('slope', [3, 1, 1], values(3))],
    );
    assert.equal(rewriteModel(model), undefined);
  });

  it('gives its parts names that nothing has', async () => {
    const model = graph(
      [
        conv('input', 'a', 3, 8),
        node('PRelu', ['a', 'slope'], 'b'),
        node('Relu', ['a'], 'b:part'),
        node('Relu', ['b:part'], 'b:factor'),
        node('Add', ['b', 'b:factor'], 'c'),
        conv('c', 'output', 8, 2),
      ],
      [constant('slope', [8, 1, 1], values(8))],
    );
    assert.ok(!kinds(await rewritten(model)).includes('PRelu'));
  });
});

describe('channels', () => {
  it('come in whole blocks inside the graph, through everything that keeps them apart', async () => {
    const model = graph(
      [
        conv('input', 'a', 3, 13),
        node('Relu', ['a'], 'b'),
        conv('b', 'c', 13, 13, 13),
        node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], 'd'),
        node('Clip', ['d'], 'e', [attribute('min', -2), attribute('max', 2)]),
        node('Add', ['b', 'e'], 'f'),
        // Squeeze and excitation.
        node('GlobalAveragePool', ['f'], 'g'),
        conv('g', 'h', 13, 9, 1, 1),
        node('Relu', ['h'], 'i'),
        conv('i', 'j', 9, 13, 1, 1),
        node('Sigmoid', ['j'], 'k'),
        node('Mul', ['f', 'k'], 'l'),
        node('MaxPool', ['l'], 'm', [attribute('kernel_shape', [2, 2]), attribute('strides', [2, 2])]),
        node('AveragePool', ['m'], 'n', [attribute('kernel_shape', [2, 2])]),
        conv('n', 'output', 13, 5),
      ],
      [
        constant('scale', [13], values(13, 1)),
        constant('shift', [13], values(13, 2)),
        constant('mean', [13], values(13, 3)),
        constant(
          'variance',
          [13],
          values(13, 4).map((value) => value + 1),
        ),
      ],
    );
    assert.deepEqual(channels(await rewritten(model)), [16, 16, 16, 16, 5]);
  });

  it('are added to what PRelu becomes', async () => {
    const model = graph(
      [conv('input', 'a', 3, 13), node('PRelu', ['a', 'slope'], 'b'), conv('b', 'output', 13, 3)],
      [constant('slope', [13, 1, 1], values(13))],
    );
    assert.deepEqual(channels(await rewritten(model)), [16, 3]);
  });

  const plain = (...nodes: Node[]) => graph([conv('input', 'a', 3, 13), ...nodes]);
  const left: Record<string, Uint8Array> = {
    'are flattened': plain(node('Flatten', ['a'], 'output')),
    'are moved': plain(node('Transpose', ['a'], 'output', [attribute('perm', [0, 2, 3, 1])])),
    'stand beside others': plain(
      node('Concat', ['a', 'a'], 'b', [attribute('axis', 1)]),
      conv('b', 'output', 26, 2),
    ),
    'are normalised over': plain(
      node('Softmax', ['a'], 'b', [attribute('axis', 1)]),
      conv('b', 'output', 13, 2),
    ),
    'meet one that is spread over them': plain(
      conv('input', 'one', 3, 1),
      node('Mul', ['a', 'one'], 'b'),
      conv('b', 'output', 13, 2),
    ),
    'are convolved in groups of several': graph([
      conv('input', 'a', 3, 18),
      conv('a', 'b', 18, 18, 3),
      node('Relu', ['b'], 'output'),
    ]),
    'are fewer than a block': graph([conv('input', 'a', 3, 5), conv('a', 'output', 5, 2)]),
    'need nothing added': graph([conv('input', 'a', 3, 12), conv('a', 'output', 12, 2)]),
  };
  for (const [where, model] of Object.entries(left)) {
    it(`stay as they are where they ${where}`, () => assert.equal(rewriteModel(model), undefined));
  }

  it('stay as they are where they are an output, and before it where as many must be', async () => {
    const model = graph([conv('input', 'a', 3, 13), conv('a', 'b', 13, 14), node('Relu', ['b'], 'output')]);
    assert.deepEqual(channels(await rewritten(model)), [16, 14]);
  });

  it('stay as they are where a constant is added', () => {
    const model = graph(
      [conv('input', 'a', 3, 13), node('Add', ['a', 'b'], 'c'), conv('c', 'output', 13, 2)],
      [constant('b', [1, 13, 1, 1], values(13))],
    );
    assert.equal(rewriteModel(model), undefined);
  });

  it('stay as they are in the layer that a head reads, and in no other', async () => {
    const model = graph([
      conv('input', 'a', 3, 13),
      conv('a', 'b', 13, 14),
      node('Relu', ['b'], 'c'),
      conv('c', 'output', 14, 2),
    ]);
    assert.deepEqual(channels(await rewritten(model)), [16, 16, 2]);
    assert.deepEqual(channels(await rewritten(model, 'c')), [16, 14, 2]);
    assert.deepEqual(channels(await rewritten(model, 'b')), [16, 14, 2]);
  });
});

describe('a model', () => {
  const nodes = [conv('input', 'a', 3, 13), conv('a', 'output', 13, 2)];

  it('keeps all that is not understood of its file', () => {
    // The version of the format, as `graph` has it, and the name of the program that made the file: fields 1 and 2.
    const version = Buffer.from([0x08, 4]);
    const producer = Buffer.concat([Buffer.from([0x12, 6]), Buffer.from('nobody')]);
    const result = Buffer.from(rewriteModel(Buffer.concat([graph(nodes), producer])) as Uint8Array);
    assert.deepEqual(result.subarray(-10), Buffer.concat([version, producer]));
  });

  it('becomes the same bytes every time', () => {
    const model = graph(nodes);
    assert.deepEqual(rewriteModel(model), rewriteModel(model));
  });

  it('is not rewritten twice', () => {
    assert.equal(rewriteModel(rewriteModel(graph(nodes)) as Uint8Array), undefined);
  });

  const changed = (change: (graph: Graph) => void) => {
    const model = decodeModel(graph(nodes));
    change(model.graph as Graph);
    return encodeModel(model);
  };
  const others: Record<string, Uint8Array> = {
    'is of an older version of the operators': graph(nodes, [], 8),
    'has a graph inside a node': changed(({ node: [first] }) =>
      first?.attribute.push({ name: 'body', type: 5 }),
    ),
    'has values in another file': changed(({ initializer: [first] }) => {
      if (first) first.dataLocation = 1;
    }),
    'has sparse values': changed((graph) => graph.sparseInitializer.push(new Uint8Array())),
    'has operators of another domain': changed((graph) => {
      for (const each of graph.node) each.domain = 'org.example';
    }),
    'is empty': new Uint8Array(),
  };
  for (const [what, model] of Object.entries(others)) {
    it(`is left as it is where it ${what}`, () => assert.equal(rewriteModel(model), undefined));
  }

  it('must be one', () => {
    assert.throws(() => rewriteModel(Buffer.from('no such thing as a model')));
    assert.throws(() => rewriteModel(graph(nodes).subarray(0, 500)));
  });
});
