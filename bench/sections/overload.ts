/** Five times more than it can do: what is answered, how soon, how the rest is refused, and what stays of it in memory. */

import type { Context } from '../context.ts';
import { figure, type SectionReport } from '../report.ts';
import { startClient } from '../server/client.ts';
import { cpuMsOf, residentMbOf } from '../server/processes.ts';
import { forms } from '../server/requests.ts';
import { startServer } from '../server/server.ts';
import { percentile, spread } from '../statistics.ts';

const size = '1280x960';
const workers = 1;
/** The default of `BONAFIDE_QUEUE` for one core, named here for the bound that follows from it. */
const queue = 16;
/** Those that it was chosen from. */
const queues = [1, 2, 4, 8, 16, 32];
const times = 5;

export async function overloadSection({ profiles, pictures, quick }: Context): Promise<SectionReport> {
  const [profile] = profiles as [Context['profiles'][number]];
  const ms = quick ? 10_000 : 60_000;
  const server = await startServer({ profile, workers, flags: ['--queue', `${queue}`] });
  const { origin, keys } = server;
  const target = { origin, keys, forms, pictures: pictures.bySize[size].map(({ path }) => path) };
  // The client gives way to the server's own process, with which it shares what the worker leaves.
  const client = await startClient({ niceness: 5 });
  const watcher = await startClient();

  const closed = { kind: 'closed', ...target, atOnce: workers + queue / 2 } as const;
  await client.ask({ ...closed, ms: ms / 6 });
  const measureCapacity = async () => {
    const { outcomes, ms: took } = await client.ask({ ...closed, ms: ms / 3 });
    return (1000 * outcomes.length) / took;
  };
  const capacityBefore = await measureCapacity();
  const before = residentMbOf(server.processes());

  const clientBefore = cpuMsOf([client.pid]);
  server.watchLoop();
  const [{ outcomes, ms: took }, alive] = await Promise.all([
    client.ask({ kind: 'open', ...target, perSecond: times * capacityBefore, ms }),
    watcher.ask({ kind: 'watch', address: `${origin}/livez`, everyMs: 20, ms }),
  ]);
  const delay = await server.loopDelay();
  const after = residentMbOf(server.processes());
  const clientCores = (cpuMsOf([client.pid]) - clientBefore) / took;
  // The machine's other work comes and goes: what it left before the minute is not what it left after.
  const capacityAfter = await measureCapacity();
  const capacity = (capacityBefore + capacityAfter) / 2;
  await server.stop();

  const choice: string[][] = [];
  for (const bound of queues) {
    const other = await startServer({ profile, workers, flags: ['--queue', `${bound}`] });
    const there = { ...target, origin: other.origin, keys: other.keys };
    await client.ask({ kind: 'closed', ...there, atOnce: workers + queue / 2, ms: ms / 12 });
    const tried = await client.ask({ kind: 'open', ...there, perSecond: 2 * capacity, ms: ms / 6 });
    const waits = tried.outcomes.filter(({ as }) => as === 'answered').map((outcome) => outcome.ms);
    const perSecond = (1000 * waits.length) / tried.ms;
    choice.push([
      `${bound}`,
      figure(perSecond),
      `${((100 * perSecond) / capacity).toFixed(0)} %`,
      figure(percentile(waits, 0.5)),
      figure(percentile(waits, 0.99)),
    ]);
    await other.stop();
  }
  await client.close();
  await watcher.close();

  const answered = outcomes.filter(({ as }) => as === 'answered').map((outcome) => outcome.ms);
  const refused = outcomes.filter(({ as }) => as === 'refused').map((outcome) => outcome.ms);
  const failed = outcomes.filter(({ as }) => as === 'failed');
  const goodput = (1000 * answered.length) / took;
  const bound = (1.5 * 1000 * (queue + workers)) / capacity;
  const p99 = percentile(answered, 0.99);
  const livez = alive.outcomes.map((outcome) => outcome.ms);
  const livezFailed = alive.outcomes.filter(({ as }) => as === 'failed').length;
  const growth = after / before - 1;
  return {
    title: 'Overload',
    method: [
      `The profile ${profile.id} with one worker and a queue of ${queue}, photographs of ${size} in all three forms in turns.`,
      `Capacity is what a closed loop gets answered with ${closed.atOnce} requests under way, before and after: the mean of both. In between ${times} x as many as before come per second for ${ms / 1000} s, however many of them are still under way; a latency runs from the moment a request was due.`,
      'The server has one worker so that there is a core for who asks: its own process and the client share what the worker leaves, and the client gives way (niceness 5). `/livez` is asked 50 times a second by a third process.',
    ],
    tables: [
      {
        title: `${times} x capacity`,
        columns: ['', ''],
        rows: [
          ['capacity before and after, requests/s', `${figure(capacityBefore)} and ${figure(capacityAfter)}`],
          ['offered, requests/s', figure((1000 * outcomes.length) / ms)],
          ['answered, requests/s', figure(goodput)],
          ['answered, p50 and p99 in ms', `${figure(percentile(answered, 0.5))} and ${figure(p99)}`],
          [
            'refused, p50 and p99 in ms',
            refused.length === 0
              ? 'none'
              : `${figure(percentile(refused, 0.5))} and ${figure(percentile(refused, 0.99))}`,
          ],
          ['neither answered nor properly refused', String(failed.length)],
          ['resident memory before and after, MB', `${figure(before)} and ${figure(after)}`],
          [
            '`/livez` p50 and p99 in ms',
            `${figure(percentile(livez, 0.5))} and ${figure(percentile(livez, 0.99))}`,
          ],
          ['event-loop delay p99 in ms', figure(delay.p99)],
          ['the client, cores', figure(clientCores)],
        ],
      },
      {
        title: 'How many may wait, at twice the capacity',
        columns: ['queue', 'answered, requests/s', 'of the capacity', 'p50, ms', 'p99, ms'],
        rows: choice,
      },
    ],
    aims: [
      {
        aim: `Goodput at ${times} x capacity at least 90 % of capacity`,
        measured: `${((100 * goodput) / capacity).toFixed(0)} %`,
        met: goodput >= 0.9 * capacity,
      },
      {
        aim: 'p99 of what is answered at most 1.5 (Q + N) / throughput',
        measured: `${figure(p99)} ms of ${figure(bound)} ms`,
        met: p99 <= bound,
      },
      {
        aim: 'Resident memory within 10 %',
        measured: `${(100 * growth).toFixed(1)} %`,
        met: Math.abs(growth) <= 0.1,
      },
      {
        aim: '`/livez` p99 at most 20 ms',
        measured: `${figure(percentile(livez, 0.99))} ms`,
        met: percentile(livez, 0.99) <= 20 && livezFailed === 0,
      },
      {
        aim: 'Every refusal a 503 with Retry-After in its dialect',
        measured: `${refused.length} refused so, ${failed.length} otherwise${failed[0] ? ` (first: ${failed[0].why?.slice(0, 100)})` : ''}`,
        met: failed.length === 0 && refused.length > 0,
      },
    ],
    skipped: [],
    data: {
      ...{ capacityBefore, capacityAfter, goodput, before, after, delay, clientCores, failed },
      ms: Object.fromEntries(
        Object.entries({ answered, refused, livez })
          .filter(([, ms]) => ms.length > 0)
          .map(([name, ms]) => [name, { ...spread(ms), p99: percentile(ms, 0.99) }]),
      ),
    },
  };
}
