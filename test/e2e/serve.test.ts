/** The server as its user runs it: started from the command line, asked with the commands it prints, and stopped. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open as openFile, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hashOf } from '../../src/storage/keys.ts';
import { tryLock } from '../../src/storage/lock.ts';
import { freePort } from '../helpers/ports.ts';
import { hear, open } from '../helpers/raw.ts';
import { launcher, linkWeights, metric, serve } from '../helpers/serve.ts';

const shell = promisify(execFile);

/** A file that takes nothing. */
const noFull = { skip: existsSync('/dev/full') ? false : 'There is no /dev/full here.', timeout: 60_000 };

let dataFolder: string;

/** What the first start printed. */
let printed: { secretKey: string; apiKey: string; adminToken: string };

before(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-serve-'));
  await linkWeights(dataFolder);
});
after(() => rm(dataFolder, { recursive: true, force: true }));

const start = (...flags: string[]) => serve(dataFolder, ...flags);

async function refusal(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [launcher, 'serve', '--data', dataFolder, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

describe('serve', () => {
  it('makes an app with its keys on the first start, and prints commands that work as they are', async () => {
    const running = await start();
    try {
      const commands = running.banner.split('\n').filter((line) => line.includes('curl '));
      assert.equal(commands.length, 3);
      const answers = await Promise.all(
        commands.map(async (command) => JSON.parse((await shell('bash', ['-c', command])).stdout)),
      );
      assert.equal(answers[0].data.faceDetails[0].spoofing, true);
      assert.ok(answers[1].result.liveness_score < 50);
      assert.equal(answers[2].faces[0].verdicts.balanced, 'attack');
      const shown = (name: string) =>
        new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(running.banner)?.[1] ?? assert.fail(name);
      printed = {
        secretKey: shown('secretKey'),
        apiKey: shown('x-api-key'),
        adminToken: shown('admin token'),
      };
      const link = running.banner.split('\n').find((line) => line.includes('/#/?')) ?? assert.fail('no link');
      const { hash, origin } = new URL(link.trim());
      assert.equal(origin, running.origin);
      const given = new URLSearchParams(hash.slice('#/?'.length));
      assert.equal(given.get('secretKey'), printed.secretKey);
      assert.equal(given.get('apiKey'), printed.apiKey);
      assert.equal(given.get('appKey'), shown('appKey'));
      const headers = { authorization: `Bearer ${printed.adminToken}` };
      const { apps } = (await (await fetch(`${running.origin}/admin/v1/apps`, { headers })).json()) as {
        apps: { name: string }[];
      };
      assert.deepEqual(
        apps.map(({ name }) => name),
        ['default'],
      );
    } finally {
      assert.equal(await running.stop(), 0);
    }
  });

  it('keeps only hashes of them, in a file for its owner alone', async () => {
    const path = join(dataFolder, 'bonafide.db');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const stored = await readFile(path, 'latin1');
    for (const secret of Object.values(printed)) {
      assert.ok(!stored.includes(secret) && stored.includes(hashOf(secret)));
    }
  });

  it('goes on with them on the next start, and does not print them again', async () => {
    const running = await start();
    for (const secret of Object.values(printed)) assert.ok(!running.banner.includes(secret));
    assert.ok(running.banner.includes(`\nConsole: ${running.origin}/\n`));
    const ready = await fetch(`${running.origin}/readyz`);
    assert.deepEqual(await ready.json(), { status: 'ready', profile: 'standard' });
    assert.equal(await running.stop(), 0);
  });

  it('on SIGTERM finishes what is in flight, refuses what is new, and ends', async () => {
    const { apiKey } = printed;
    const running = await start();
    const picture = await readFile(join(dataFolder, 'samples', 'portrait.jpg'));
    const headers = {
      'x-api-key': apiKey,
      'content-type': 'image/jpeg',
      'content-length': String(picture.length),
    };
    const inFlight = request(`${running.origin}/v1/assess`, { method: 'POST', headers });
    inFlight.write(picture.subarray(0, 1000));
    await underWay(running.origin, 1);

    running.child.kill('SIGTERM');
    const exited = once(running.child, 'exit');
    await status(running.origin, 'draining');
    const refused = await fetch(`${running.origin}/v1/assess`, { method: 'POST', headers, body: picture });
    assert.equal(refused.status, 503);
    assert.ok(refused.headers.has('retry-after'));
    const problem = (await refused.json()) as { code: string };
    assert.equal(problem.code, 'service_draining');

    const answered = once(inFlight, 'response');
    inFlight.end(picture.subarray(1000));
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    response.resume();
    const [code] = await exited;
    assert.equal(code, 0);
  });

  it('bounds connections as it is set to', async () => {
    const running = await start(
      ...['--max-connections', '3', '--max-connections-per-address', '2', '--keep-alive-ms', '3000'],
      ...['--head-timeout-ms', '1000', '--request-timeout-ms', '4000', '--min-bytes-per-second', '0'],
    );
    try {
      const request = 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n';
      const answerOn = async (address: string, text = request) => {
        const socket = await open(running, address);
        socket.write(text);
        return { socket, heard: hear(socket) };
      };
      const start = performance.now();
      const slow = `POST /v1/assess HTTP/1.1\r\nhost: a\r\nx-api-key: ${printed.apiKey}\r\ncontent-type: image/jpeg\r\ncontent-length: 9\r\n\r\n`;
      const held = [await answerOn('127.0.0.1', 'GET'), await answerOn('127.0.0.1', slow)];
      assert.equal((await (await answerOn('127.0.0.1')).heard).text, '', 'one too many of an address');
      const third = await answerOn('127.0.0.2');
      await once(third.socket, 'data');
      assert.equal((await (await answerOn('127.0.0.3')).heard).text, '', 'one too many of all');
      const [head, body] = await Promise.all(
        held.map(async ({ heard }) => ({ ...(await heard), ms: performance.now() - start })),
      );
      assert.match(head?.text ?? '', /"code":"request_timeout"/);
      assert.ok((head?.ms ?? 0) < 3_900, `${head?.ms} ms`);
      assert.match(body?.text ?? '', /"code":"request_timeout"/);
      assert.ok((body?.ms ?? 0) >= 3_900, `${body?.ms} ms`);
      assert.match((await third.heard).text, /^Keep-Alive: timeout=3\r$/m);
    } finally {
      assert.equal(await running.stop(), 0);
    }
  });

  it('asks for the pace that it is set to', async () => {
    const running = await start('--min-bytes-per-second', '100', '--request-timeout-ms', '600000');
    try {
      const slow = request(`${running.origin}/v1/assess`, {
        method: 'POST',
        agent: false,
        headers: { 'x-api-key': printed.apiKey, 'content-type': 'image/jpeg', 'content-length': '1000' },
      });
      slow.on('error', () => {});
      slow.write('x');
      const [response] = await once(slow, 'response', { signal: AbortSignal.timeout(20_000) });
      assert.equal(response.statusCode, 408);
    } finally {
      assert.equal(await running.stop(), 0);
    }
  });

  it('gives up an answer of which nothing is taken for as long as it is set to', async () => {
    const running = await start('--answer-timeout-ms', '1000');
    try {
      const socket = await open(running);
      socket.pause();
      // One of them is that of the metrics.
      await metric(running.origin, 'bonafide_connections 2');
      // 8 MB: more than the operating system takes for a client that does not read.
      socket.write('GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(20));
      const asked = performance.now();
      await metric(running.origin, 'bonafide_connections 1');
      const ms = performance.now() - asked;
      assert.ok(ms >= 900 && ms < 10_000, `${ms} ms`);
      socket.destroy();
    } finally {
      assert.equal(await running.stop(), 0);
    }
  });

  it('stops with a sentence on a bad or unknown setting', async () => {
    assert.deepEqual(await refusal(['--port', 'high']), {
      code: 2,
      stderr: '--port must be a whole number from 0 to 65535; it is "high".\n',
    });
    assert.deepEqual(await refusal([], { BONAFIDE_QUEUE: '-1' }), {
      code: 2,
      stderr: 'BONAFIDE_QUEUE must be a whole number from 0 to 10000; it is "-1".\n',
    });
    const misspelt = await refusal([], { BONAFIDE_PROT: '80' });
    assert.equal(misspelt.code, 2);
    assert.match(misspelt.stderr, /^There is no setting named BONAFIDE_PROT\./);
    const flag = await refusal(['--prot', '80']);
    assert.equal(flag.code, 2);
    assert.match(flag.stderr, /--prot/);
  });

  it('stops with a sentence when the port is taken, and the next start is the first again', async () => {
    const running = await start();
    const { port } = new URL(running.origin);
    const other = join(dataFolder, "the other's data");
    await mkdir(other);
    await symlink(join(dataFolder, 'models'), join(other, 'models'));
    const flags = ['--data', other];
    const second = await refusal(['--profile', 'standard', '--workers', '1', '--port', port, ...flags]);
    assert.equal(second.code, 2);
    assert.match(second.stderr, /^Cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE\./);
    assert.equal(await running.stop(), 0);
    const third = await start(...flags);
    try {
      // The commands hold in a folder whose name a shell would trip over.
      for (const command of third.banner.split('\n').filter((line) => line.includes('curl '))) {
        JSON.parse((await shell('bash', ['-c', command])).stdout);
      }
    } finally {
      assert.equal(await third.stop(), 0);
    }
  });

  it(
    'makes no credential on a first start that cannot show it, and later ones need no room for what they print',
    noFull,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bonafide-unseen-'));
      const full = await openFile('/dev/full', 'w');
      const startUnseen = () =>
        spawn(
          process.execPath,
          [
            launcher,
            'serve',
            '--data',
            folder,
            '--profile',
            'standard',
            '--port',
            `${port}`,
            '--workers',
            '1',
          ],
          { stdio: ['ignore', full.fd, 'pipe'] },
        );
      const port = await freePort();
      try {
        await linkWeights(folder);
        const first = startUnseen();
        const [said = [], [code]] = await Promise.all([first.stderr?.toArray(), once(first, 'exit')]);
        assert.equal(code, 2);
        assert.match(said.join(''), /^ENOSPC: no space left on device, write\.\n$/);
        const second = await serve(folder);
        assert.equal(await second.stop(), 0);
        assert.match(second.banner, /^An app named "default" was made/m);
        const third = startUnseen();
        const ended = once(third, 'exit').then(([code]) => code);
        const isReady = async () =>
          (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok;
        while (third.exitCode === null && !(await isReady())) await sleep(50);
        third.kill('SIGTERM');
        assert.equal(await ended, 0);
      } finally {
        await full.close();
        await rm(folder, { recursive: true });
      }
    },
  );

  it('stops with a sentence when the database is damaged', async () => {
    const other = join(dataFolder, 'damaged');
    await mkdir(other);
    await symlink(join(dataFolder, 'models'), join(other, 'models'));
    await writeFile(join(other, 'bonafide.db'), 'This is no database.'.repeat(100));
    const { code, stderr } = await refusal(['--profile', 'standard', '--data', other]);
    assert.equal(code, 2);
    assert.match(stderr, /^The database \S+bonafide\.db cannot be used: file is not a database\.$/m);
  });

  it('stops with a sentence when another process does not let go of the journals', async () => {
    const lock = tryLock(join(dataFolder, 'journal', 'lock'));
    try {
      const { code, stderr } = await refusal(['--port', '0']);
      assert.match(stderr, /^\S+journal is locked by another process\.\n$/);
      assert.equal(code, 2);
    } finally {
      lock?.release();
    }
  });

  it('stops with a sentence on a host that could never match', async () => {
    for (const host of ['http://intranet/', '10.0.0.0/8', '::1', '*.corp', 'a,,b']) {
      const { code, stderr } = await refusal(['--url-allowed-hosts', host]);
      assert.equal(code, 2, host);
      assert.match(stderr, /^--url-allowed-hosts must be hosts/, host);
    }
  });

  it('stops with a sentence on an origin that could never match, and on all of them', async () => {
    for (const origin of ['shop.example', 'https://shop.example/', 'https://Shop.example', 'null', '*']) {
      const { code, stderr } = await refusal(['--cors-origins', origin]);
      assert.equal(code, 2, origin);
      assert.match(stderr, /^--cors-origins must be origins/, origin);
    }
  });
});

/** Resolves when the server says that so many requests are under way. */
async function underWay(origin: string, count: number): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${origin}/metrics`)).text();
    if (text.includes(`bonafide_requests_under_way ${count}\n`)) return;
  }
}

/** Resolves when `/readyz` gives this status. */
async function status(origin: string, wanted: string): Promise<void> {
  for (;;) {
    const answer = (await (await fetch(`${origin}/readyz`)).json()) as { status: string };
    if (answer.status === wanted) return;
  }
}
