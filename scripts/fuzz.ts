/** `npm run fuzz -- --requests 200000 --seed 1`: fuzzes a server of its own, and prints what came of it. */

import { parseArgs } from 'node:util';
import { fuzz } from '../test/helpers/fuzz/fuzz.ts';
import { fuzzedServer } from '../test/helpers/fuzz/server.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' } },
});
const seed = Number(values.seed);
const server = await fuzzedServer('trace');
try {
  console.log(`Before: ${JSON.stringify(server.measure())}`);
  const start = performance.now();
  const { statuses, assessed, slowestMs } = await fuzz(server.origin, {
    count: Number(values.requests),
    seed,
  });
  const seconds = (performance.now() - start) / 1_000;
  await server.assertNothingLeft();
  console.log(`After: ${JSON.stringify(server.measure())}`);
  await server.assertNothingTold();
  console.log(
    `${values.requests} requests of seed ${seed} in ${seconds.toFixed(0)} s; the slowest took ${slowestMs.toFixed(0)} ms`,
  );
  console.log(`Statuses: ${JSON.stringify(statuses)}; pictures assessed: ${JSON.stringify(assessed)}`);
} finally {
  await server.stop();
}
