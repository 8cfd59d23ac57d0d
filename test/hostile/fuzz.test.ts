/**
 * A running server under requests of every kind: each has an answer that the OpenAPI document has, none a fault of ours, nothing stays
 * behind, and no key or picture is written anywhere. `npm run fuzz -- --requests 200000 --seed 1` sends more, and repeats those of a seed.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzz } from '../helpers/fuzz/fuzz.ts';
import { fuzzedServer } from '../helpers/fuzz/server.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

it(`1,500 requests of seed ${seed}`, async (t) => {
  const server = await fuzzedServer('trace');
  try {
    const { statuses, assessed, slowestMs } = await fuzz(server.origin, { count: 1_500, seed });
    t.diagnostic(`${JSON.stringify(statuses)}; slowest ${slowestMs.toFixed(0)} ms`);
    t.diagnostic(`pictures assessed: ${JSON.stringify(assessed)}`);
    for (const [dialect, count] of Object.entries(assessed)) {
      assert.ok(count > 30, `${count} pictures were assessed through ${dialect}`);
    }
    await server.assertNothingLeft();
    await server.assertNothingTold();
  } finally {
    await server.stop();
  }
});
