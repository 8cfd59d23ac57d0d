/** More workers: what each of them adds, and whether the server's own process still answers at once. */

import { availableParallelism } from 'node:os';
import type { Context } from '../context.ts';
import { figure, type SectionReport, withQuartiles } from '../report.ts';
import { alternate } from '../rounds.ts';
import { type Client, startClient } from '../server/client.ts';
import type { LoopDelay } from '../server/probe.ts';
import { cpuMsOf } from '../server/processes.ts';
import { forms } from '../server/requests.ts';
import { type BenchServer, startServer } from '../server/server.ts';
import { ratios, spread } from '../statistics.ts';

const size = '1280x960';

interface Measured {
  readonly perSecond: number;
  /** Of the server and its workers, per request. */
  readonly cpuMs: number;
  readonly clientCores: number;
  readonly delay: LoopDelay;
}

interface Row {
  readonly workers: number;
  readonly turns: readonly Measured[];
  /** Requests per second beside one worker, in the same round. */
  readonly ratio: number[];
}

export async function scalingSection({ profiles, pictures, quick }: Context): Promise<SectionReport> {
  const [profile] = profiles as [Context['profiles'][number]];
  const paths = pictures.bySize[size].map(({ path }) => path);
  const counts = workerCounts(availableParallelism());
  const servers = new Map<number, { readonly server: BenchServer; readonly client: Client }>();
  const taken = new Map<number, Measured[]>();
  for (const workers of counts) {
    servers.set(workers, {
      server: await startServer({ profile, workers, cores: workers }),
      client: await startClient({ cores: workers }),
    });
    taken.set(workers, []);
  }
  const warmUp = 1;
  const turns = [...servers].map(([workers, { server, client }]) => [
    workers,
    async () => {
      const turn = await load(server, client, paths, workers, quick ? 2_000 : 5_000);
      taken.get(workers)?.push(turn);
      return turn.perSecond;
    },
  ]);
  const perSecond = await alternate(Object.fromEntries(turns), { rounds: quick ? 3 : 10, warmUp });
  for (const { server, client } of servers.values()) {
    await server.stop();
    await client.close();
  }
  const one = perSecond[1] as number[];
  const data: Row[] = [...taken].map(([workers, turns]) => ({
    workers,
    turns: turns.slice(warmUp),
    ratio: ratios(perSecond[workers] as number[], one),
  }));
  const shares = data
    .slice(1)
    .map(({ workers, ratio }) => ({ workers, share: spread(ratio).median / workers }));
  const median = (turns: readonly Measured[], of: (turn: Measured) => number) => spread(turns.map(of)).median;
  const p99 = Math.max(...data.map(({ turns }) => median(turns, ({ delay }) => delay.p99)));
  return {
    title: 'More workers',
    method: [
      `The profile ${profile.id}, photographs of ${size} in all three forms in turns; three requests under way for each worker, so that none ever waits for the client.`,
      'A server with so many workers has as many cores (`taskset`), for everything: its own process and the client share them with the workers, on each row alike.',
      "The delay of the event loop is how much later than it should a timer of 10 ms came in the server's own process.",
    ],
    tables: [
      {
        title: 'Throughput',
        columns: [
          ...['Workers', 'Requests/s', 'x one worker', 'CPU ms per request', 'Client, cores'],
          ...['Event loop p50, ms', 'p99, ms', 'max, ms'],
        ],
        rows: data.map(({ workers, turns, ratio }) => [
          String(workers),
          withQuartiles(spread(turns.map((turn) => turn.perSecond))),
          withQuartiles(spread(ratio)),
          withQuartiles(spread(turns.map(({ cpuMs }) => cpuMs))),
          figure(median(turns, ({ clientCores }) => clientCores)),
          ...(['p50', 'p99', 'max'] as const).map((key) => figure(median(turns, ({ delay }) => delay[key]))),
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

async function load(
  server: BenchServer,
  client: Client,
  pictures: readonly string[],
  workers: number,
  time: number,
): Promise<Measured> {
  const { origin, keys } = server;
  const processes = server.processes();
  const before = cpuMsOf(processes);
  const clientBefore = cpuMsOf([client.pid]);
  server.watchLoop();
  const { outcomes, ms } = await client.ask({
    kind: 'closed',
    ...{ origin, keys, forms, pictures },
    ...{ atOnce: 3 * workers, ms: time },
  });
  const bad = outcomes.find(({ as }) => as !== 'answered');
  if (bad !== undefined) throw new Error(`A request was ${bad.as}: ${bad.why}`);
  return {
    perSecond: (1000 * outcomes.length) / ms,
    cpuMs: (cpuMsOf(processes) - before) / outcomes.length,
    clientCores: (cpuMsOf([client.pid]) - clientBefore) / ms,
    delay: await server.loopDelay(),
  };
}
