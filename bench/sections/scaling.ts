/** More workers: what each of them adds, and whether the server's own process still answers at once. */

import { availableParallelism } from 'node:os';
import type { Context } from '../context.ts';
import { figure, type SectionReport, withQuartiles } from '../report.ts';
import { alternate, type Turn } from '../rounds.ts';
import { type Client, startClient } from '../server/client.ts';
import type { LoopDelay } from '../server/probe.ts';
import { forms } from '../server/requests.ts';
import { type BenchServer, startServer } from '../server/server.ts';
import { ratios, spread } from '../statistics.ts';

const size = '1280x960';

interface Row {
  readonly workers: number;
  readonly perSecond: number[];
  /** Beside one worker, in the same round. */
  readonly ratio: number[];
  readonly delays: LoopDelay[];
}

export async function scalingSection({ profiles, pictures, quick }: Context): Promise<SectionReport> {
  const [profile] = profiles as [Context['profiles'][number]];
  const paths = pictures.bySize[size].map(({ path }) => path);
  const counts = workerCounts(availableParallelism());
  const client = await startClient();
  const rows: Omit<Row, 'ratio'>[] = [];
  const turns: Record<string, Turn> = {};
  const servers: BenchServer[] = [];
  for (const workers of counts) {
    const server = await startServer({ profile, workers, cores: workers });
    servers.push(server);
    const delays: LoopDelay[] = [];
    rows.push({ workers, perSecond: [], delays });
    turns[workers] = async () => {
      server.watchLoop();
      const perSecond = await throughput(server, client, paths, workers, quick ? 2_000 : 5_000);
      delays.push(await server.loopDelay());
      return perSecond;
    };
  }
  const warmUp = 1;
  const taken = await alternate(turns, { rounds: quick ? 3 : 10, warmUp });
  for (const server of servers) await server.stop();
  await client.close();
  const one = taken[1] as number[];
  const data: Row[] = rows.map(({ workers, delays }) => {
    const perSecond = taken[workers] as number[];
    return { workers, perSecond, ratio: ratios(perSecond, one), delays: delays.slice(warmUp) };
  });
  const shares = data
    .slice(1)
    .map(({ workers, ratio }) => ({ workers, share: spread(ratio).median / workers }));
  const p99 = Math.max(...data.map(({ delays }) => spread(delays.map((delay) => delay.p99)).median));
  return {
    title: 'More workers',
    method: [
      `The profile ${profile.id}, photographs of ${size} in all three forms in turns; two requests more under way than there are workers.`,
      'A server with so many workers has as many cores (`taskset`), for everything: its own process shares them with the workers. The client has all cores, and on the last row it shares them with the server.',
      "The delay of the event loop is how much later than it should a timer of 10 ms came in the server's own process.",
    ],
    tables: [
      {
        title: 'Throughput',
        columns: ['Workers', 'Requests/s', 'x one worker', 'Event loop p50, ms', 'p99, ms', 'max, ms'],
        rows: data.map(({ workers, perSecond, ratio, delays }) => [
          String(workers),
          withQuartiles(spread(perSecond)),
          withQuartiles(spread(ratio)),
          ...(['p50', 'p99', 'max'] as const).map((key) =>
            figure(spread(delays.map((delay) => delay[key])).median),
          ),
        ]),
      },
    ],
    aims: [
      ...(shares.length === 0
        ? []
        : [
            {
              aim: 'N workers at least 0.9 N x one worker',
              measured: shares.map(({ workers, share }) => `${workers}: ${share.toFixed(2)} N`).join(', '),
              met: shares.every(({ share }) => share >= 0.9),
            },
          ]),
      {
        aim: 'Event-loop delay p99 at most 15 ms at full load',
        measured: `${figure(p99)} ms`,
        met: p99 <= 15,
      },
    ],
    skipped: shares.length === 0 ? ['What a second worker adds, as there is one core.'] : [],
    data,
  };
}

/** 1, 2, 4, ... and as many as there are cores. */
function workerCounts(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

async function throughput(
  { origin, keys }: BenchServer,
  client: Client,
  pictures: readonly string[],
  workers: number,
  time: number,
): Promise<number> {
  const { outcomes, ms } = await client.ask({
    kind: 'closed',
    ...{ origin, keys, forms, pictures },
    ...{ atOnce: workers + 2, ms: time },
  });
  const bad = outcomes.find(({ as }) => as !== 'answered');
  if (bad !== undefined) throw new Error(`A request was ${bad.as}: ${bad.why}`);
  return (1000 * outcomes.length) / ms;
}
