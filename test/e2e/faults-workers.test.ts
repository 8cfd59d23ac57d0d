/**
 * Workers killed at random while requests come: each is answered, as many are lost as workers had one in hand, and nothing is left
 * behind. `npm run test:faults` kills one every second for a minute; without that it is four.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { openStorage } from '../../src/storage/database.ts';
import { assertShape, keyed, type Route, routes } from '../helpers/http.ts';
import { plantKeys } from '../helpers/keys.ts';
import { childrenOf, heldBy, noProc } from '../helpers/processes.ts';
import { linkWeights, metric, type Serving, serve } from '../helpers/serve.ts';

const kills = process.env.FULL === '1' ? 60 : 4;
const workers = 2;
const atOnce = 6;
const everyRoute = [routes.nhn, routes.argos, routes.native];
const face = new Uint8Array(portraitBytes);

interface Answered {
  readonly route: Route;
  readonly status: number;
  readonly body: unknown;
}

describe('workers that are killed', { skip: noProc }, () => {
  let dataFolder: string;
  let server: Serving;
  const pid = () => server.child.pid as number;

  before(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-faults-'));
    await linkWeights(dataFolder);
    const storage = await openStorage({ folder: dataFolder, create: true });
    await plantKeys(storage.db);
    await storage.close();
    // Nothing waits for longer than that, also on a machine that has other work.
    const patient = ['--deadline-ms', '120000', '--log-level', 'silent'];
    server = await serve(dataFolder, '--workers', `${workers}`, ...patient);
  });
  after(async () => {
    await server?.kill();
    await rm(dataFolder, { recursive: true });
  });

  async function ask(route: Route): Promise<Answered> {
    const { headers, body } = route.asking(face);
    const init = { method: 'POST', headers: keyed(route, headers), body };
    const response = await fetch(server.origin + route.path, init);
    return { route, status: response.status, body: await response.json() };
  }

  /** One request after another, of so many clients, until told to end. A connection that breaks rejects. */
  async function load(until: AbortSignal): Promise<Answered[]> {
    const answered: Answered[] = [];
    const client = async (_: unknown, i: number) => {
      for (let turn = i; !until.aborted; turn++) {
        answered.push(await ask(everyRoute[turn % everyRoute.length] as Route));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, client));
    return answered;
  }

  /** When all workers are up and nothing is under way, what the server's own process holds. */
  async function quiet() {
    await metric(server.origin, 'bonafide_requests_under_way 0');
    await metric(server.origin, 'bonafide_journal_bytes 0');
    while ((await childrenOf(pid())).length < workers) await sleep(50);
    for (let i = 0; i < workers; i++) assert.equal((await ask(routes.native)).status, 200);
    return (await heldBy(pid())) ?? assert.fail('the server has ended');
  }

  it(`lose what they had in hand and no more: ${kills}, one a second`, async (t: TestContext) => {
    const warm = new AbortController();
    const warming = load(warm.signal);
    await sleep(2_000);
    warm.abort();
    await warming;
    const before = await quiet();

    const ended = new AbortController();
    const loading = load(ended.signal);
    let killed = 0;
    while (killed < kills) {
      await sleep(1_000);
      const pids = await childrenOf(pid());
      const doomed = pids[Math.floor(Math.random() * pids.length)];
      // Those that were killed the second before may be on their way still.
      if (doomed === undefined) continue;
      process.kill(doomed, 'SIGKILL');
      killed++;
    }
    ended.abort();
    const answered = await loading;
    const lost = answered.filter(({ status }) => status !== 200);
    for (const { route, status, body } of lost) {
      assert.equal(status, route.unavailable.status, JSON.stringify(body));
      assertShape(body, route.unavailable.shape);
    }
    const problems = lost.flatMap(({ body }) => (body as { code?: string }).code ?? []);
    assert.deepEqual(
      problems.filter((code) => code !== 'worker_died'),
      [],
    );
    assert.ok(lost.length <= killed, `${lost.length} requests were lost with ${killed} workers`);
    const after = await quiet();
    const mb = (bytes: number) => Math.round(bytes / 1e6);
    t.diagnostic(
      `${answered.length} requests answered, ${lost.length} of them lost with ${killed} workers; server ${mb(before.rss)} to ${mb(after.rss)} MB, ${before.fds} to ${after.fds} files`,
    );
    // Every worker has a socket and pipes of its own: one that was left behind would be seen.
    assert.ok(after.fds <= before.fds + atOnce, `${before.fds} open files became ${after.fds}`);
    assert.equal(after.threads, before.threads);
    assert.ok(after.rss < before.rss * 1.5, `${mb(before.rss)} MB became ${mb(after.rss)} MB`);
    assert.equal((await childrenOf(pid())).length, workers);
  });
});
