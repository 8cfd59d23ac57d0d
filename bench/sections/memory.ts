/** Start and endurance: from the command to the first request, and what many requests leave in memory. */

import type { Context } from '../context.ts';
import { figure, type SectionReport, withQuartiles } from '../report.ts';
import { startClient } from '../server/client.ts';
import { residentMbOf } from '../server/processes.ts';
import { forms } from '../server/requests.ts';
import { startServer, timeStarts } from '../server/server.ts';
import { spread } from '../statistics.ts';

/** Memory is read so often in the course of the run. */
const readings = 20;

/** Memory in MB, one value for each reading. */
interface Resident {
  readonly server: number[];
  readonly workers: number[];
  readonly together: number[];
}

export async function memorySection({ profiles, pictures, quick, long }: Context): Promise<SectionReport> {
  const [profile] = profiles as [Context['profiles'][number]];
  const requests = long ? 30_000 : quick ? 400 : 4_000;
  // Heaps and arenas take what they need once, and are given the time to.
  const warmUp = quick ? 200 : 1_000;
  const starts: { profile: string; ms: number[]; cpuMs: number[] }[] = [];
  for (const one of profiles) {
    const taken = await timeStarts({ profile: one, workers: 1 }, quick ? 3 : 7);
    starts.push({ profile: one.id, ms: taken.map(({ ms }) => ms), cpuMs: taken.map(({ cpuMs }) => cpuMs) });
  }

  const server = await startServer({ profile, workers: 1 });
  const client = await startClient();
  const { origin, keys } = server;
  const paths = [...pictures.bySize['640x480'], ...pictures.bySize['1280x960']].map(({ path }) => path);
  const serve = async (count: number) => {
    const { outcomes } = await client.ask({
      kind: 'closed',
      ...{ origin, keys, forms, pictures: paths },
      ...{ atOnce: 4, requests: count },
    });
    const bad = outcomes.find(({ as }) => as !== 'answered');
    if (bad !== undefined) throw new Error(`A request was ${bad.as}: ${bad.why}`);
  };
  const resident: Resident = { server: [], workers: [], together: [] };
  await serve(warmUp);
  for (let i = 0; i <= readings; i++) {
    if (i > 0) await serve(Math.round(requests / readings));
    const [main, ...workers] = server.processes() as [number, ...number[]];
    resident.server.push(residentMbOf([main]));
    resident.workers.push(residentMbOf(workers));
    resident.together.push(residentMbOf([main, ...workers]));
  }
  await client.close();
  await server.stop();

  const growth = Math.max(...resident.together) / (resident.together[0] as number) - 1;
  const slowest = Math.max(...starts.map(({ ms }) => spread(ms).median));
  return {
    title: 'Start and endurance',
    method: [
      'The start is from the command to `/readyz` answering 200, with one worker, on a data folder that an earlier start has made: weights in place, code compiled, a database with its keys.',
      `Then requests to one server with one worker, in all three forms, of 640x480 and 1280x960, four under way at once: ${warmUp} to warm up, and ${requests} in the course of which resident memory is read ${readings} times.`,
    ],
    tables: [
      {
        title: 'Start, ms',
        columns: ['Profile', 'To `/readyz` 200', 'CPU of server and worker'],
        rows: starts.map(({ profile: id, ms, cpuMs }) => [
          id,
          withQuartiles(spread(ms)),
          withQuartiles(spread(cpuMs)),
        ]),
      },
      {
        title: `Resident memory over ${requests} requests, MB`,
        columns: ['', 'Before', 'Highest', 'After'],
        rows: Object.entries(resident).map(([name, mb]) => [
          name,
          ...[mb[0] as number, Math.max(...mb), mb.at(-1) as number].map(figure),
        ]),
      },
    ],
    aims: [
      {
        aim: 'Ready within 1.5 s with cached weights',
        measured: starts.map(({ profile: id, ms }) => `${id} ${figure(spread(ms).median)} ms`).join(', '),
        met: slowest <= 1_500,
      },
      {
        aim: `Memory at no time more than 10 % above that after the warm-up, over ${requests} requests`,
        measured: `${(100 * growth).toFixed(1)} %`,
        met: growth <= 0.1,
      },
    ],
    skipped: [],
    data: { starts, resident },
  };
}
