/**
 * A rolling restart: two servers on one database behind nginx, 50 requests a second, and each server ended by SIGTERM and
 * started again in turn. No client notices. `npm run test:rolling` goes on for two minutes; without that it is two rounds.
 */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { databases } from '../helpers/databases.ts';
import { keyed, type Route, routes } from '../helpers/http.ts';
import { plantKeys } from '../helpers/keys.ts';
import { type Nginx, noNginx, startNginx } from '../helpers/nginx.ts';
import { plainPng } from '../helpers/pictures.ts';
import { freePort } from '../helpers/ports.ts';
import { linkWeights, type Serving, serve } from '../helpers/serve.ts';

const perSecond = 50;
const isFull = process.env.FULL === '1';
/** For how long; where that is no time, until each server was restarted once. */
const forMs = isFull ? 120_000 : 0;
/** Between a server that is back and the next that goes. */
const restMs = 1_000;

const { nhn, argos, native } = routes;
const nobody = new Uint8Array(await plainPng(96, 96));
const face = new Uint8Array(portraitBytes);

interface Kind {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly holds: RegExp;
}

const kind = (route: Route, body: string, status: number, holds: RegExp): Kind => ({
  path: route.path,
  headers: keyed(route, { 'content-type': 'application/json' }),
  body,
  status,
  holds,
});

/** Requests of every dialect that a worker looks at. */
const assessed: readonly Kind[] = [
  kind(native, native.asking(face).body, 200, /"verdicts"/),
  kind(native, native.asking(nobody).body, 200, /"faces":\[\]/),
  kind(argos, argos.asking(nobody).body, 400, /FACE_NOT_FOUND/),
  kind(nhn, nhn.asking(nobody).body, 200, /"faceDetailCount":0/),
];
/** And that are refused for their picture. */
const refused: readonly Kind[] = [
  kind(native, JSON.stringify({ image: { bytes: '?' } }), 400, /"code":"invalid_base64"/),
  kind(argos, JSON.stringify({ faceImage: '?' }), 400, /INVALID_BASE64/),
  kind(nhn, JSON.stringify({ image: { bytes: '?' } }), 200, /"resultCode":-45030/),
];

/** One in ten is assessed: as many as a busy machine of two cores has the time for with one server, while the other one starts. */
function kindOf(i: number): Kind {
  const kinds = i % 10 === 0 ? assessed : refused;
  return kinds[Math.floor(i / 10) % kinds.length] as Kind;
}

interface Outcome {
  readonly ms: number;
  /** What is wrong with the answer, or that there was none. */
  readonly fault: string | undefined;
}

/** Asks once, as a client does that never tries again. */
function ask(origin: string, agent: Agent, i: number): Promise<Outcome> {
  const { path, headers, body, status, holds } = kindOf(i);
  const start = performance.now();
  return new Promise((resolve) => {
    const end = (fault: string | undefined) => resolve({ ms: performance.now() - start, fault });
    const asking = request(origin + path, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': `${Buffer.byteLength(body)}`, 'x-bonafide-tag': `${i}` },
    });
    asking.on('error', (error) => end(`${error}`));
    asking.on('response', async (response) => {
      const text = (await response.toArray().catch((error) => [`${error}`])).join('');
      const isRight = response.statusCode === status && holds.test(text);
      end(isRight ? undefined : `${response.statusCode}: ${text}`);
    });
    asking.end(body);
  });
}

/** Asks at an even rate, whatever becomes of it, until it is told to end. */
async function load(origin: string, until: AbortSignal): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: true });
  const asked: Promise<Outcome>[] = [];
  const start = performance.now();
  while (!until.aborted) {
    const due = ((performance.now() - start) * perSecond) / 1000;
    while (asked.length < due) asked.push(ask(origin, agent, asked.length));
    await sleep(5);
  }
  const outcomes = await Promise.all(asked);
  agent.destroy();
  return outcomes;
}

for (const database of databases()) {
  describe(`rolling restart: ${database.name}`, { skip: noNginx || database.skip }, () => {
    let nginx: Nginx;
    const nodes: Serving[] = [];
    let starts: (() => Promise<Serving>)[];
    let countRows: () => Promise<number>;

    before(async () => {
      await database.begin();
      const { open, folder, url } = await database.create();
      const folders = url === undefined ? [folder, folder] : [join(folder, 'a'), join(folder, 'b')];
      for (const one of new Set(folders)) {
        await mkdir(one, { recursive: true });
        await linkWeights(one);
      }
      const storage = await open();
      await plantKeys(storage.db);
      const ports: [number, number] = [await freePort(), await freePort()];
      const common = ['--log-level', 'error', '--deadline-ms', '30000', '--queue', '200'];
      starts = folders.map((one, i) => () => {
        const at = ['--port', `${ports[i]}`, ...(url === undefined ? [] : ['--database-url', url])];
        return serve(one, ...at, ...common);
      });
      nodes.push(...(await Promise.all(starts.map((start) => start()))));
      nginx = await startNginx(ports);
      countRows = async () => {
        const tags = await storage.db
          .selectFrom('transactions')
          .select('tag')
          .where('tag', 'is not', null)
          .execute();
        await storage.close();
        return new Set(tags.map(({ tag }) => tag)).size;
      };
    });
    after(async () => {
      await nginx?.stop();
      await Promise.all(nodes.map((node) => node.stop()));
      await database.end();
    });

    it(`fails none of ${perSecond} requests a second`, async (t: TestContext) => {
      const ended = new AbortController();
      const loading = load(nginx.origin, ended.signal);
      const start = performance.now();
      let restarts = 0;
      do {
        for (const [i, begin] of starts.entries()) {
          await sleep(restMs);
          assert.equal(await nodes[i]?.stop(), 0);
          nodes[i] = await begin();
          restarts++;
        }
      } while (performance.now() - start < forMs);
      await sleep(restMs);
      ended.abort();
      const seconds = (performance.now() - start) / 1000;
      const outcomes = await loading;
      const times = outcomes.map(({ ms }) => ms).sort((a, b) => a - b);
      const [half, most] = [0.5, 0.99].map((share) => times[Math.floor(times.length * share)] as number);
      t.diagnostic(
        `${outcomes.length} requests in ${seconds.toFixed(0)} s (${(outcomes.length / seconds).toFixed(1)}/s), ${restarts} restarts; median ${half?.toFixed(0)} ms, p99 ${most?.toFixed(0)} ms, longest ${times.at(-1)?.toFixed(0)} ms`,
      );
      const faults = outcomes.flatMap(({ fault }) => fault ?? []);
      assert.equal(
        faults.length,
        0,
        `${faults.slice(0, 5).join('\n')}\n${(await nginx.errors()).slice(0, 3000)}`,
      );
      assert.ok(outcomes.length >= seconds * perSecond * 0.95, 'the rate was held');
      for (const node of nodes.splice(0)) assert.equal(await node.stop(), 0);
      // What was answered is in the log, whichever server it was.
      assert.equal(await countRows(), outcomes.length);
    });
  });
}
