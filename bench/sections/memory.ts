/** Start and endurance: from the command to the first request, and what many requests leave in memory. */

import type { Context } from '../context.ts';
import { figure, type SectionReport, withQuartiles } from '../report.ts';
import { startClient } from '../server/client.ts';
import { residentMbOf } from '../server/processes.ts';
import { forms } from '../server/requests.ts';
import { startServer } from '../server/server.ts';
import { spread } from '../statistics.ts';

/** Memory is read so often in the course of the run. */
const readings = 20;

export async function memorySection({ profiles, pictures, quick, long }: Context): Promise<SectionReport> {
  const [profile] = profiles as [Context['profiles'][number]];
  const requests = long ? 30_000 : quick ? 400 : 4_000;
  const starts: { profile: string; ms: number[] }[] = [];
  for (const one of profiles) {
    const ms: number[] = [];
    for (let i = 0; i < (quick ? 3 : 7); i++) {
      const begin = performance.now();
      const server = await startServer({ profile: one, workers: 1 });
      const { status } = await fetch(`${server.origin}/readyz`);
      if (status !== 200) throw new Error(`/readyz answered ${status}.`);
      ms.push(performance.now() - begin);
      await server.stop();
    }
    starts.push({ profile: one.id, ms });
  }

  const server = await startServer({ profile, workers: 1 });
  const client = await startClient();
  const { origin, keys } = server;
  const paths = [...pictures.bySize['640x480'], ...pictures.bySize['1280x960']].map(({ path }) => path);
  const residentMb: number[] = [];
  for (let i = 0; i < readings; i++) {
    const { outcomes } = await client.ask({
      kind: 'closed',
      ...{ origin, keys, forms, pictures: paths },
      ...{ atOnce: 4, requests: Math.round(requests / readings) },
    });
    const bad = outcomes.find(({ as }) => as !== 'answered');
    if (bad !== undefined) throw new Error(`A request was ${bad.as}: ${bad.why}`);
    residentMb.push(residentMbOf(server.processes()));
  }
  await client.close();
  await server.stop();

  // The first tenth is warm-up: heaps and arenas take what they need once.
  const steady = residentMb.slice(readings / 10);
  const [first, last] = [steady[0] as number, steady.at(-1) as number];
  const growth = last / first - 1;
  const slowest = Math.max(...starts.map(({ ms }) => spread(ms).median));
  return {
    title: 'Start and endurance',
    method: [
      'The start is from the command to `/readyz` answering 200, with the weights in place and one worker; it makes the database and the first keys as well.',
      `Then ${requests} requests to one server with one worker, in all three forms, of 640x480 and 1280x960, four under way at once; resident memory is that of the server and its worker, read ${readings} times.`,
    ],
    tables: [
      {
        title: 'Start, ms',
        columns: ['Profile', 'To `/readyz` 200'],
        rows: starts.map(({ profile: id, ms }) => [id, withQuartiles(spread(ms))]),
      },
      {
        title: `Resident memory over ${requests} requests, MB`,
        columns: ['After a tenth', 'Highest since', 'At the end'],
        rows: [[figure(first), figure(Math.max(...steady)), figure(last)]],
      },
    ],
    aims: [
      {
        aim: 'Ready within 1.5 s with cached weights',
        measured: starts.map(({ profile: id, ms }) => `${id} ${figure(spread(ms).median)} ms`).join(', '),
        met: slowest <= 1_500,
      },
      {
        aim: `Memory steady within 10 % over ${requests} requests`,
        measured: `${(100 * growth).toFixed(1)} %`,
        met: Math.abs(growth) <= 0.1,
      },
    ],
    skipped: [],
    data: { starts, residentMb },
  };
}
