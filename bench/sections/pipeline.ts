/** One photograph: what the pipeline costs, beside the least it could cost and beside others at the same work. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stageNames } from '../../src/liveness/pipeline.ts';
import type { Timings } from '../../src/liveness/types.ts';
import { type Contender, type Order, startContender } from '../contender.ts';
import type { BenchProfile, Context } from '../context.ts';
import { findDecoder } from '../decode.ts';
import { installPeer, peerName } from '../peer.ts';
import { type SizeName, sizes } from '../pictures.ts';
import { planOf, regionsOf } from '../plan.ts';
import { type Aim, figure, type SectionReport, withQuartiles } from '../report.ts';
import { alternate, type Turn } from '../rounds.ts';
import { ratios, spread } from '../statistics.ts';

/** Each turn is long enough for the clock that it is read by. */
const timesOf: Record<SizeName, number> = { '640x480': 4, '1280x960': 2, '12 MP': 1 };

/** CPU ms per image by who was measured, one value for each round. */
type Costs = Partial<
  Record<'pipeline' | 'networks' | 'decode' | 'straightforward' | 'opencv' | 'human', number[]>
> & {
  readonly pipeline: number[];
  readonly networks: number[];
  readonly straightforward: number[];
};

interface Cell {
  readonly profile: string;
  readonly size: SizeName;
  readonly costs: Costs;
  /** Milliseconds of each stage, one value for each image. */
  readonly stages: Readonly<Record<string, number[]>>;
}

export async function pipelineSection(context: Context): Promise<SectionReport> {
  const { profiles, quick, pictures } = context;
  const folder = await mkdtemp(join(tmpdir(), 'bonafide-bench-decode-'));
  const decode = await findDecoder(folder);
  const skipped =
    decode === undefined ? ['The decoder in C and so the floor, as there is no djpeg here.'] : [];
  /** Starts somebody who may not be able to do this work here, which is no reason to measure nobody. */
  const ifAble = async (name: string, start: Promise<Contender>): Promise<Contender | undefined> => {
    try {
      return await start;
    } catch (error) {
      skipped.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const cells: Cell[] = [];
  for (const profile of profiles) {
    const plan = JSON.stringify(planOf(profile.folder, profile.resolved));
    // What is compiled while it runs gets faster for some hundred photographs.
    const warmUp = { ...orderOf(context, profile, '640x480'), times: quick ? 15 : 125 };
    const start = async (file: string, ...args: string[]): Promise<Contender> => {
      const contender = await startContender(file, ...args);
      await contender.measure(warmUp);
      return contender;
    };
    const contenders = {
      pipeline: await start('pipeline.ts', profile.folder, profile.id),
      networks: await start('sessions.ts', profile.folder, profile.id),
      straightforward: await start('straightforward.ts', plan),
      opencv: await ifAble(`OpenCV with the networks of ${profile.id}`, start('opencv.py', plan)),
      human: await ifAble(
        peerName,
        installPeer().then((peer) => start('human.ts', peer)),
      ),
    };
    for (const size of Object.keys(sizes) as SizeName[]) {
      console.error(`  ${profile.id} at ${size}`);
      const order = orderOf(context, profile, size);
      const stages: Record<string, number[]> = Object.fromEntries(stageNames.map((name) => [name, []]));
      const turns: Record<string, Turn> = {
        pipeline: async () => {
          const done = await contenders.pipeline.measure(order);
          for (const { timings, faces } of done.answers as { timings: Timings; faces: number }[]) {
            if (faces !== 1) throw new Error(`The pipeline found ${faces} faces where there is one.`);
            for (const name of stageNames) stages[name]?.push(timings[name] as number);
          }
          return done.cpuMs / done.images;
        },
        networks: turnOf(contenders.networks, order),
        straightforward: turnOf(contenders.straightforward, order),
        ...(contenders.opencv && { opencv: turnOf(contenders.opencv, order) }),
        ...(contenders.human && size === '1280x960' && { human: turnOf(contenders.human, order) }),
        ...(decode && {
          decode: () =>
            decode(
              order.pictures.map(({ path }) => path),
              4 * order.times,
            ),
        }),
      };
      const costs = (await alternate(turns, { rounds: quick ? 3 : 15, warmUp: quick ? 1 : 2 })) as Costs;
      cells.push({ profile: profile.id, size, costs, stages });
    }
    for (const contender of Object.values(contenders)) await contender?.close();
  }
  await rm(folder, { recursive: true });
  return {
    title: 'One photograph',
    method: [
      `${pictures.origin}.`,
      'CPU milliseconds per image, user and system, over all threads of a process of its own; all contenders take turns, and another one is first in each round. Each does some hundred photographs first, and a turn begins with one pass over them that does not count. Pipeline and networks run as workers do (`SCHED_BATCH`, their settings of memory), the others as they come.',
      `The floor is what no program can do without: libjpeg-turbo in C (\`djpeg\` to \`/dev/null\`, less what it takes to start, by as many decodings of a picture of 8 x 8), and the networks' own arithmetic: every \`session.run\` of the pipeline for that photograph written down and repeated, with the same graphs, the same values and as often.`,
      'Straightforward is what most would write first: the same networks as often, sharp for each crop from the bytes of the file, sessions with their default options; the place of the face is given to it.',
      `OpenCV runs the same networks on its own engine with one thread, its crops cut from one decoded picture, the place of the face given.`,
      `${peerName} has face detection, mesh, antispoof and liveness on and all else off, its cache of video frames off, and sharp to decode.`,
    ],
    tables: [
      {
        title: 'CPU ms per image',
        columns: [
          'Profile',
          'Size',
          'Pipeline',
          'Decoding in C',
          'Networks',
          'Floor',
          'Straightforward',
          'OpenCV',
          'human',
        ],
        rows: cells.map(({ profile, size, costs }) => [
          profile,
          size,
          ...[
            costs.pipeline,
            costs.decode,
            costs.networks,
            floorOf(costs),
            costs.straightforward,
            costs.opencv,
            costs.human,
          ].map((values) => (values === undefined ? '–' : withQuartiles(spread(values)))),
        ]),
      },
      {
        title: 'Ratios',
        columns: [
          'Profile',
          'Size',
          'Pipeline / floor',
          'Straightforward / pipeline',
          'OpenCV / pipeline',
          'human / pipeline',
        ],
        rows: cells.map(({ profile, size, costs }) => [
          profile,
          size,
          ...[
            ratio(costs.pipeline, floorOf(costs)),
            ratio(costs.straightforward, costs.pipeline),
            ratio(costs.opencv, costs.pipeline),
            ratio(costs.human, costs.pipeline),
          ].map((values) => (values === undefined ? '–' : withQuartiles(spread(values)))),
        ]),
      },
      {
        title: 'Stages, in ms as the answer tells them',
        columns: ['Profile', 'Size', ...stageNames],
        rows: cells.map(({ profile, size, stages }) => [
          profile,
          size,
          ...stageNames.map((name) => figure(spread(stages[name] as number[]).median)),
        ]),
      },
    ],
    aims: aimsOf(cells),
    skipped,
    data: cells.map(({ stages, ...cell }) => ({
      ...cell,
      stages: Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name, spread(ms)])),
    })),
  };
}

function orderOf({ pictures }: Context, { id, resolved }: BenchProfile, size: SizeName): Order {
  return {
    pictures: pictures.bySize[size].map((picture) => ({
      path: picture.path,
      regions: regionsOf(resolved, sizes[size], picture.faces[id] as (typeof picture.faces)[string]),
    })),
    times: timesOf[size],
  };
}

function turnOf(contender: Contender, order: Order): Turn {
  return async () => {
    const { cpuMs, images } = await contender.measure(order);
    return cpuMs / images;
  };
}

function floorOf({ decode, networks }: Costs): number[] | undefined {
  return decode?.map((value, round) => value + (networks[round] as number));
}

function ratio(side: number[] | undefined, other: number[] | undefined): number[] | undefined {
  return side && other && ratios(side, other);
}

function aimsOf(cells: readonly Cell[]): Aim[] {
  const aim = (
    text: string,
    size: SizeName,
    values: (costs: Costs) => number[] | undefined,
    isMet: (median: number) => boolean,
    among: (profile: string) => boolean = () => true,
  ): Aim[] => {
    const found = cells
      .filter((cell) => cell.size === size && among(cell.profile))
      .map(({ profile, costs }) => ({ profile, values: values(costs) }))
      .filter((cell) => cell.values !== undefined)
      .map(({ profile, values: list }) => ({ profile, median: spread(list as number[]).median }));
    if (found.length === 0) return [{ aim: text, measured: 'not measured here', met: false }];
    const measured = found.map(({ profile, median }) => `${profile} ${median.toFixed(2)}`).join(', ');
    return [{ aim: text, measured, met: found.every(({ median }) => isMet(median)) }];
  };
  const toFloor = (costs: Costs) => ratio(costs.pipeline, floorOf(costs));
  return [
    ...aim('Pipeline at most 1.6 x the floor at 1280x960', '1280x960', toFloor, (median) => median <= 1.6),
    ...aim('Pipeline at most 1.4 x the floor at 12 MP', '12 MP', toFloor, (median) => median <= 1.4),
    ...aim(
      '@vladmandic/human at least 5 x the pipeline of `standard`, its equal in work, at 1280x960',
      '1280x960',
      (costs) => ratio(costs.human, costs.pipeline),
      (median) => median >= 5,
      // The equal of its work: one look of a small detector, landmarks, two runs for liveness. `accurate` does far more.
      (profile) => profile === 'standard',
    ),
    ...aim(
      'Straightforward at least 3 x the pipeline at 1280x960',
      '1280x960',
      (costs) => ratio(costs.straightforward, costs.pipeline),
      (median) => median >= 3,
    ),
  ];
}
