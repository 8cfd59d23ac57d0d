import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { arrivalsOf } from '../../src/liveness/arrivals.ts';

const bytes = (from: number, to: number) => Uint8Array.from({ length: to - from }, (_, i) => from + i);

describe('arrivals', () => {
  for (const [name, cuts] of [
    ['in one piece each', [0, 40, 90, 100]],
    ['all in one piece', [0, 100]],
    ['in pieces that end elsewhere', [0, 1, 39, 41, 95, 100]],
    ['byte by byte', Array.from({ length: 101 }, (_, i) => i)],
  ] as const) {
    for (const when of ['before', 'after']) {
      it(`come as they were sent ${name}, asked for ${when} they are here`, async () => {
        const stream = new PassThrough();
        const receive = arrivalsOf(stream);
        const ask = () => [receive(40), receive(50), receive(0), receive(10)];
        const early = when === 'before' ? ask() : undefined;
        for (const [i, cut] of cuts.slice(1).entries()) stream.write(bytes(cuts[i] as number, cut));
        await turn();
        const all = await Promise.all(early ?? ask());
        assert.deepEqual(
          all.map((one) => Uint8Array.from(one)),
          [bytes(0, 40), bytes(40, 90), bytes(0, 0), bytes(90, 100)],
        );
      });
    }
  }

  it('are waited for', async () => {
    const stream = new PassThrough();
    const receive = arrivalsOf(stream);
    let isHere = false;
    const all = receive(4).then(() => {
      isHere = true;
    });
    stream.write(bytes(0, 3));
    await turn();
    assert.equal(isHere, false);
    stream.write(bytes(3, 4));
    await all;
  });
});
