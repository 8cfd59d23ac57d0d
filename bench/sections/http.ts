/** One request: what HTTP, keys, limits and the log add to the pipeline. */

import { startContender } from '../contender.ts';
import type { BenchProfile, Context } from '../context.ts';
import type { SectionReport } from '../report.ts';
import { withQuartiles } from '../report.ts';
import { alternate, type Rounds, type Turn } from '../rounds.ts';
import { type Client, startClient } from '../server/client.ts';
import { cpuMsOf } from '../server/processes.ts';
import { type Form, forms } from '../server/requests.ts';
import { type BenchServer, startServer } from '../server/server.ts';
import { ratios, spread } from '../statistics.ts';

const size = '1280x960';

interface Amount {
  /** Of a turn. */
  readonly requests: number;
  /** Requests of each form before the rounds. */
  readonly warmUp: number;
  readonly rounds: Rounds;
}

export async function httpSection({ profiles, pictures, quick }: Context): Promise<SectionReport> {
  const amount: Amount = quick
    ? { requests: 24, warmUp: 48, rounds: { rounds: 3, warmUp: 1 } }
    : { requests: 96, warmUp: 600, rounds: { rounds: 4, warmUp: 2 } };
  // Some hundredths of a ratio stay with a process for its life: one start would tell of those.
  const starts = quick ? 1 : 3;
  const paths = pictures.bySize[size].map(({ path }) => path);
  const client = await startClient();
  const data: { profile: string; form: Form; pipeline: number[]; request: number[]; ratio: number[] }[] = [];
  for (const profile of profiles) {
    const taken: Record<string, number[]>[] = [];
    for (let start = 0; start < starts; start++) taken.push(await takeTurns(profile, client, paths, amount));
    const all = (name: string) => taken.flatMap((turns) => turns[name] as number[]);
    const alone = all('pipeline');
    for (const form of forms) {
      const request = all(form);
      data.push({ profile: profile.id, form, pipeline: alone, request, ratio: ratios(request, alone) });
    }
  }
  await client.close();
  const medians = data.map(({ profile, form, ratio }) => ({ profile, form, median: spread(ratio).median }));
  return {
    title: 'One request',
    method: [
      `The server as \`bonafide serve\` starts it, with one worker, SQLite, keys, limits and the log; photographs of ${size}, each request with bytes of its own.`,
      'CPU milliseconds of the server and its worker, from `/proc`, for each request; the client is a process of its own, and two requests are under way at once. The pipeline takes its turns between, in a process of its own and with the same photographs.',
      `Both did more than ${forms.length * amount.warmUp} photographs before, in ${starts === 1 ? 'one start' : `each of ${starts} starts`}.`,
    ],
    tables: [
      {
        title: 'CPU ms per request',
        columns: ['Profile', 'Form', 'Pipeline', 'Request', 'Request / pipeline'],
        rows: data.map(({ profile, form, pipeline, request, ratio }) => [
          profile,
          form,
          ...[pipeline, request, ratio].map((values) => withQuartiles(spread(values))),
        ]),
      },
    ],
    aims: [
      {
        aim: 'A request at most 1.2 x the pipeline, in every form',
        measured: medians
          .map(({ profile, form, median }) => `${profile}, ${form}: ${median.toFixed(2)}`)
          .join('; '),
        met: medians.every(({ median }) => median <= 1.2),
      },
    ],
    skipped: [],
    data,
  };
}

/** Starts the server and the pipeline, and gives the pipeline and each form its turns. */
async function takeTurns(
  profile: BenchProfile,
  client: Client,
  paths: readonly string[],
  { requests, warmUp, rounds }: Amount,
): Promise<Record<string, number[]>> {
  const server = await startServer({ profile, workers: 1, cores: 1 });
  const pipeline = await startContender('pipeline.ts', profile.folder, profile.id);
  const order = { pictures: paths.map((path) => ({ path, regions: [] })), times: requests / paths.length };
  const turns: Record<string, Turn> = {
    pipeline: async () => {
      const { cpuMs, images } = await pipeline.measure(order);
      return cpuMs / images;
    },
    ...Object.fromEntries(
      forms.map((form) => [form, () => requestCpuMs(server, client, form, paths, requests)]),
    ),
  };
  // What is compiled while it runs gets faster for some two thousand requests. The server has a turn for each form where the pipeline has one: both are to be as warm.
  for (const form of forms) await requestCpuMs(server, client, form, paths, warmUp);
  const images = forms.length * (warmUp + rounds.warmUp * requests);
  await pipeline.measure({ ...order, times: images / paths.length });
  const taken = await alternate(turns, rounds);
  await pipeline.close();
  await server.stop();
  return taken;
}

async function requestCpuMs(
  server: BenchServer,
  client: Client,
  form: Form,
  pictures: readonly string[],
  requests: number,
): Promise<number> {
  const processes = server.processes();
  const before = cpuMsOf(processes);
  const { origin, keys } = server;
  const { outcomes } = await client.ask({
    kind: 'closed',
    ...{ origin, keys, forms: [form], pictures },
    ...{ atOnce: 2, requests },
  });
  const bad = outcomes.find(({ as }) => as !== 'answered');
  if (bad !== undefined) throw new Error(`A request was ${bad.as}: ${bad.why}`);
  return (cpuMsOf(processes) - before) / requests;
}
