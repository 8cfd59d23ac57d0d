/** A server under load: nothing is lost, its event loop stays free, and a worker that dies takes one request at most. */

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertReply, routes } from '../helpers/http.ts';
import { measureLoop } from '../helpers/loop.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import type { Load, Outcome, Report } from './load-client.ts';

let server: TestServer;
let client: ChildProcess;

before(async () => {
  server = await startServer({ engine: { workers: 2, queue: 32 } });
  client = fork(fileURLToPath(new URL('load-client.ts', import.meta.url)));
});
after(async () => {
  const exited = once(client, 'exit');
  client.disconnect();
  await exited;
  await server.close();
});

/** Has the client ask, and tells of each answer. */
async function load(
  options: Omit<Load, 'origin' | 'concurrency'>,
  onAnswered: (answered: number) => void = () => {},
): Promise<Outcome[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome[]>();
  const onReport = (report: Report) => {
    if ('outcomes' in report) resolve(report.outcomes);
    else onAnswered(report.answered);
  };
  const onExit = () => reject(new Error('The client died.'));
  client.on('message', onReport).once('exit', onExit);
  client.send({ ...options, origin: server.origin, concurrency: 16 } satisfies Load);
  try {
    return await promise;
  } finally {
    client.off('message', onReport).off('exit', onExit);
  }
}

const failed = (outcomes: Outcome[]) => outcomes.filter(({ status }) => status !== 200);

/** Resident memory of the server and its workers, in megabytes. */
function residentMb(): string {
  const pids = [process.pid, ...server.engine.workers.map(({ pid }) => pid)];
  const sizes = pids.map((pid) => {
    const path = `/proc/${pid}/status`;
    const kb = existsSync(path) ? /VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
    return kb === undefined ? '?' : Math.round(Number(kb) / 1000);
  });
  return `${sizes[0]} MB, workers ${sizes.slice(1).join(' and ')} MB`;
}

describe('load', () => {
  const mixed = ['nhn', 'argos', 'native'] as const;

  it('answers 200 requests, 16 at a time, with the event loop free', async (t: TestContext) => {
    t.diagnostic(`resident before: ${residentMb()}`);
    const stopMeasuring = measureLoop();
    const start = performance.now();
    const outcomes = await load({ dialects: mixed, count: 200 });
    const seconds = (performance.now() - start) / 1000;
    const busy = stopMeasuring();
    t.diagnostic(`resident after: ${residentMb()}`);
    t.diagnostic(`event loop p99 ${busy.toFixed(1)} ms; ${(200 / seconds).toFixed(0)} requests/s`);
    assert.deepEqual(failed(outcomes), []);
    assert.equal(outcomes.length, 200);
    assert.ok(busy < 50, `the event loop works for ${busy} ms at once`);
    assert.equal(server.gate.underWay, 0);
  });

  it('loses no more than the request in hand when a worker dies, and goes on', async (t: TestContext) => {
    const [doomed] = server.engine.workers as [ChildProcess];
    const outcomes = await load({ dialects: ['nhn'], count: 200 }, (answered) => {
      if (answered === 60) doomed.kill('SIGKILL');
    });
    assert.equal(doomed.signalCode, 'SIGKILL');
    assert.equal(outcomes.length, 200);
    const lost = failed(outcomes);
    t.diagnostic(`requests lost: ${lost.length}`);
    assert.ok(lost.length <= 1, `${lost.length} requests were lost`);
    for (const { route, status, body } of lost) {
      assertReply(
        { status, body, text: JSON.stringify(body), headers: new Headers() },
        routes[route].unavailable,
      );
    }
    const next = await load({ dialects: mixed, count: 30 });
    assert.deepEqual(failed(next), []);
    assert.notEqual(server.engine.workers[0], doomed);
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    assert.match(metrics, /^bonafide_worker_restarts_total 1$/m);
    t.diagnostic(`resident at the end: ${residentMb()}`);
  });
});
