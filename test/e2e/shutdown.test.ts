/** How a server ends by a signal: nobody who is owed an answer goes without, and nobody else holds it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { openStorage } from '../../src/storage/database.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import { keyed, routes } from '../helpers/http.ts';
import { credential, plantKeys } from '../helpers/keys.ts';
import { hear, open } from '../helpers/raw.ts';
import { linkWeights, metric, type Serving, serve, serveAs } from '../helpers/serve.ts';
import { transaction } from '../helpers/transactions.ts';

const { native } = routes;
const picture = new Uint8Array(portraitBytes);
/** In the log from the beginning: an export of some 20 MB. */
const rows = 30_000;
let dataFolder: string;
let server: Serving | undefined;

before(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-shutdown-'));
  await linkWeights(dataFolder);
  const storage = await openStorage({ folder: dataFolder, create: true });
  await plantKeys(storage.db);
  const time = Date.now();
  for (let number = 1; number <= rows; number += 1_000) {
    const some = Array.from({ length: 1_000 }, (_, i) => transaction(number + i, { time }));
    await new Transactions(storage.db).insert(some);
  }
  await storage.close();
});
afterEach(() => server?.kill());
after(() => rm(dataFolder, { recursive: true }));

/** An upload whose body is still to come. */
function upload({ origin }: Serving, headers = keyed(native, {})): ClientRequest {
  const asking = request(origin + native.path, {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-type': 'image/jpeg', 'content-length': `${picture.length}` },
  });
  asking.on('error', () => {});
  asking.write(picture.subarray(0, 100));
  return asking;
}

/** @returns the exit code, and how long the end took. */
async function end(serving: Serving, signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
  const start = performance.now();
  const exited = once(serving.child, 'exit');
  serving.child.kill(signal);
  const [code] = await exited;
  return { code, ms: performance.now() - start };
}

describe('the end of a server', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`by ${signal} finishes what is under way`, async () => {
      server = await serve(dataFolder);
      const asking = upload(server);
      await metric(server.origin, 'bonafide_requests_under_way 1');
      const ended = end(server, signal);
      await sleep(1_500);
      const answered = once(asking, 'response');
      asking.end(picture.subarray(100));
      const [response] = (await answered) as [IncomingMessage];
      assert.equal(response.statusCode, 200);
      assert.match((await response.toArray()).join(''), /"verdicts"/);
      assert.equal((await ended).code, 0);
    });
  }

  it('waits for a request that does not end as long as it is set to, and no longer', async () => {
    server = await serve(
      dataFolder,
      ...['--shutdown-ms', '3000', '--min-bytes-per-second', '0', '--request-timeout-ms', '600000'],
    );
    upload(server);
    await metric(server.origin, 'bonafide_requests_under_way 1');
    const { code, ms } = await end(server, 'SIGTERM');
    assert.equal(code, 0);
    assert.ok(ms >= 3_000 && ms < 4_500, `${ms} ms`);
  });

  const strangers: Record<string, (serving: Serving) => Promise<unknown>> = {
    'a connection that says nothing': (serving) => open(serving),
    'half a head': async (serving) => (await open(serving)).write('POST /v1/assess HTTP/1.1\r\nhost:'),
    'an upload without a key': async (serving) => once(upload(serving, {}), 'response'),
    'an idle connection': (serving) => fetch(`${serving.origin}/livez`),
    'a sign-in whose body does not come': async (serving) =>
      (await open(serving)).write(
        'POST /admin/v1/session HTTP/1.1\r\nhost: a\r\nsec-fetch-site: same-origin\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      ),
  };
  for (const [name, come] of Object.entries(strangers)) {
    it(`is not held up by ${name}`, async () => {
      server = await serve(dataFolder);
      await come(server);
      await sleep(100);
      const { code, ms } = await end(server, 'SIGTERM');
      assert.equal(code, 0);
      assert.ok(ms < 3_000, `${ms} ms`);
    });
  }

  it('finishes an export that was asked for with an admin token', async () => {
    server = await serve(dataFolder);
    const { hostname: host, port } = new URL(server.origin);
    const exporting = request({
      ...{ host, port, path: '/admin/v1/transactions/export?format=ndjson', agent: false },
      headers: { authorization: `Bearer ${credential.adminToken}` },
    });
    exporting.end();
    const [response] = (await once(exporting, 'response')) as [IncomingMessage];
    // Nobody reads on: what is left of it fits into no buffer between.
    const ended = end(server, 'SIGTERM');
    await sleep(3_000);
    assert.equal(server.child.exitCode, null);
    const lines = (await response.toArray()).join('').split('\n');
    assert.ok(lines.length > rows, `${lines.length}`);
    assert.equal((await ended).code, 0);
  });

  it('tells a client that still sends, and does not close on it before it has sent all', async () => {
    server = await serve(dataFolder);
    const asking = upload(server);
    await metric(server.origin, 'bonafide_requests_under_way 1');
    const late = await open(server);
    const ended = end(server, 'SIGTERM');
    await sleep(200);
    // As many clients do, it reads when it has sent everything.
    late.pause();
    const head = {
      ...keyed(native, { 'content-type': 'image/jpeg' }),
      host: 'a',
      'content-length': '200000',
    };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    late.write(`POST ${native.path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    for (let i = 0; i < 4; i++) {
      await sleep(100);
      late.write(Buffer.alloc(50_000));
    }
    await sleep(100);
    const { statuses, text, isClosed } = await hear(late.resume());
    assert.deepEqual(statuses, [503]);
    assert.match(text, /^connection: close\r$/im);
    assert.ok(isClosed);
    asking.destroy();
    assert.equal((await ended).code, 0);
  });

  it('leaves no client on a kept connection without an answer, nor anybody whose request it took', async (t) => {
    const serving = await serveAs({}, dataFolder, '--queue', '100');
    server = serving;
    const agent = new Agent({ keepAlive: true });
    const heard: Heard[] = [];
    let isEnding = false;
    const client = async (bytes: string | Uint8Array) => {
      for (;;) {
        const answer = await ask(serving, agent, bytes);
        heard.push({ ...answer, isEnding });
        if (answer.error !== undefined) return;
      }
    };
    const clients = [
      ...Array.from({ length: 8 }, () => client('{}')),
      ...Array.from({ length: 4 }, () => client(Buffer.alloc(3_000_000))),
      ...Array.from({ length: 2 }, () => client(picture)),
    ];
    await sleep(1_500);
    isEnding = true;
    const { code, ms } = await end(serving, 'SIGTERM');
    await Promise.all(clients);
    agent.destroy();
    assert.equal(code, 0);
    assert.ok(ms < 5_000, `${ms} ms`);

    const errors = heard.filter(({ error }) => error !== undefined);
    const counts: Record<string, number> = {};
    for (const { status, error, connection, isEnding } of heard) {
      const label = `${isEnding ? 'after' : 'before'}: ${status ?? error} ${connection ?? ''}`;
      counts[label] = (counts[label] ?? 0) + 1;
    }
    t.diagnostic(JSON.stringify(counts));
    // A connection that only the kernel had taken is refused too, in its way.
    assert.deepEqual(
      errors.filter(({ error, reused }) => reused || !/^(ECONNREFUSED|ECONNRESET)$/.test(error ?? '')),
      [],
    );
    const refused = heard.filter(({ status, isEnding }) => isEnding && status === 503);
    assert.ok(refused.length > 20);
    assert.deepEqual(
      refused.filter(({ connection }) => connection !== 'close'),
      [],
    );
    assert.ok(heard.some(({ status, isEnding }) => isEnding && status === 200));
    // As many as were taken, and each was answered to its end.
    const lines = serving.written
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.includes('"msg":"request"'))
      .map((line) => JSON.parse(line) as { outcome: string });
    assert.deepEqual(
      lines.filter(({ outcome }) => outcome === 'aborted'),
      [],
    );
    assert.equal(lines.length, heard.length - errors.length);
  });
});

interface Answer {
  readonly status?: number | undefined;
  readonly connection?: string | undefined;
  readonly error?: string | undefined;
  /** Whether the connection had brought an answer before. */
  readonly reused: boolean;
}

interface Heard extends Answer {
  readonly isEnding: boolean;
}

/** Asks once for an assessment of these bytes, and never again; text is refused for what it is. */
function ask({ origin }: Serving, agent: Agent, bytes: string | Uint8Array): Promise<Answer> {
  const type = typeof bytes === 'string' ? 'application/json' : 'image/jpeg';
  return new Promise((resolve) => {
    const asking = request(origin + native.path, {
      method: 'POST',
      agent,
      headers: keyed(native, { 'content-type': type, 'content-length': `${bytes.length}` }),
    });
    const fail = ({ code: error }: NodeJS.ErrnoException) =>
      resolve({ error: `${error}`, reused: asking.reusedSocket });
    asking.on('error', fail);
    asking.on('response', (response) => {
      response.on('error', fail);
      response.resume().on('end', () =>
        resolve({
          status: response.statusCode,
          connection: response.headers.connection,
          reused: asking.reusedSocket,
        }),
      );
    });
    asking.end(bytes);
  });
}

describe('SIGUSR1', () => {
  it('opens no debugger', async () => {
    const serving = await serveAs({}, dataFolder);
    server = serving;
    serving.child.kill('SIGUSR1');
    await sleep(500);
    assert.equal((await fetch(`${serving.origin}/livez`)).status, 200);
    assert.doesNotMatch(serving.written.join(''), /debugger|inspector/i);
  });
});

describe('a log', () => {
  it('that nobody reads any more holds up neither answers nor the end', async () => {
    server = await serveAs({}, dataFolder, '--log-level', 'trace');
    server.child.stdout?.pause();
    const agent = new Agent({ keepAlive: true });
    // More lines than the pipe and this process hold between them.
    for (let i = 0; i < 150; i++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ask(server as Serving, agent, '{}')),
      );
      assert.ok(answers.every(({ status }) => status === 400));
    }
    agent.destroy();
    assert.ok((server.child.stdout?.readableLength ?? 0) > 0);
    const { code, ms } = await end(server, 'SIGTERM');
    assert.equal(code, 0);
    assert.ok(ms < 5_000, `${ms} ms`);
  });
});
