/** A server in a process of its own, to be fuzzed: what it holds open is counted before and after. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStorage } from '../../../src/storage/database.ts';
import { keyed, routes } from '../http.ts';
import { plantKeys } from '../keys.ts';
import { linkWeights, serveAs } from '../serve.ts';
import { filesWithSecrets, LogSearch } from './secrets.ts';

export interface FuzzedServer {
  readonly origin: string;
  /** What the server and its workers hold, and what the server itself took of a core so far, where the system tells. */
  measure(): {
    openFiles: number;
    megabytes: number;
    peakMegabytes: number;
    cpuMs: number;
    workerMegabytes: number[];
  };
  /** Begins to measure the server's peak anew. */
  forgetPeak(): void;
  /** Rejects where the server died, lost a worker, goes on holding what it had not held before, or left a temporary file. */
  assertNothingLeft(): Promise<void>;
  /** Ends the server, and rejects where a key or a picture is in its log or in a file of its data folder. */
  assertNothingTold(): Promise<void>;
  stop(): Promise<void>;
}

const isLinux = process.platform === 'linux';
/** A connection of which no side is closed, in the system's table of them. */
const established = '01';

/** @param logLevel how much it writes, all of which is searched for secrets. */
export async function fuzzedServer(logLevel: 'error' | 'trace' = 'error'): Promise<FuzzedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bonafide-fuzz-'));
  const [dataFolder, temporary] = [join(folder, 'data'), join(folder, 'temporary')];
  mkdirSync(dataFolder);
  mkdirSync(temporary);
  await linkWeights(dataFolder);
  const storage = await openStorage({ folder: dataFolder, create: true });
  await plantKeys(storage.db);
  await storage.close();
  const serving = await serveAs(
    { env: { ...process.env, TMPDIR: temporary, HOME: temporary }, cwd: temporary },
    dataFolder,
    ...['--workers', '2', '--log-level', logLevel, '--wrong-keys-per-minute', '1000000'],
  );
  const closed = once(serving.child, 'close');
  const log = new LogSearch();
  for (const stream of [serving.child.stdout, serving.child.stderr]) {
    stream?.on('data', () => log.take(serving.written.splice(0).join('')));
  }
  serving.child.stderr?.pipe(process.stderr);
  const { pid } = serving.child;
  const workersOf = () =>
    isLinux ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number) : [];
  const sizeOf = (process: number | undefined, which: 'VmRSS' | 'VmHWM') => {
    const status = isLinux ? readFileSync(`/proc/${process}/status`, 'utf8') : '';
    const [, kilobytes = '0'] = new RegExp(`${which}:\\s+(\\d+)`).exec(status) ?? [];
    return Math.round((Number(kilobytes) * 1_024) / 1e6);
  };
  /** Of all its threads, by hundredths of a second: behind the name, which may hold spaces, the 12th and the 13th. */
  const cpuMsOf = (process: number | undefined) => {
    const stat = isLinux ? readFileSync(`/proc/${process}/stat`, 'utf8') : '';
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
  };
  const openFiles = () =>
    (isLinux ? readdirSync(`/proc/${pid}/fd`) : []).flatMap((descriptor) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
      } catch {
        return []; // closed meanwhile
      }
    });
  const port = Number(new URL(serving.origin).port).toString(16).toUpperCase().padStart(4, '0');
  /** What it holds by itself: a connection that its client keeps open too, as `fetch` does for a minute, is not left behind. */
  const held = () => {
    const table = isLinux ? readFileSync('/proc/net/tcp', 'utf8') : '';
    const connections = table
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === established)
      .map((row) => `socket:[${row[9]}]`);
    return openFiles().filter((name) => !connections.includes(name));
  };
  // After which everything is open that stays so, what the thread of downloads has too.
  const { native } = routes;
  for (const [type, body] of [
    ['image/png', 'x'],
    ['application/json', '{"image":{"url":""}}'],
  ] as const) {
    const headers = keyed(native, { 'content-type': type });
    await (await fetch(serving.origin + native.path, { method: 'POST', headers, body })).arrayBuffer();
  }
  // The file of the journal is open until its lines are in the database.
  const journal = () => readdirSync(join(dataFolder, 'journal'), { recursive: true, encoding: 'utf8' });
  while (journal().some((name) => name.endsWith('.ndjson'))) await sleep(20);
  const before = { held: held(), workers: workersOf() };
  return {
    origin: serving.origin,
    measure: () => ({
      openFiles: openFiles().length,
      megabytes: sizeOf(pid, 'VmRSS'),
      peakMegabytes: sizeOf(pid, 'VmHWM'),
      cpuMs: cpuMsOf(pid),
      workerMegabytes: workersOf().map((worker) => sizeOf(worker, 'VmRSS')),
    }),
    forgetPeak() {
      if (isLinux) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    },
    async assertNothingLeft() {
      assert.equal(serving.child.exitCode, null);
      assert.deepEqual(workersOf(), before.workers, 'no worker died');
      // Sockets that were closed take a moment to be gone, and refused ones linger for a second.
      const deadline = Date.now() + 10_000;
      while (held().length !== before.held.length && Date.now() < deadline) await sleep(50);
      const now = held();
      const more = now.filter((name) => !before.held.includes(name));
      assert.equal(now.length, before.held.length, `open files, and now ${more.join(' ')}`);
      assert.deepEqual(readdirSync(temporary, { recursive: true }), [], 'no temporary file is left');
    },
    async assertNothingTold() {
      const inFiles = await filesWithSecrets(dataFolder);
      await serving.stop();
      await closed;
      log.take(serving.written.join(''));
      assert.deepEqual([...inFiles, ...(await log.end())], [], 'secrets in what the server wrote');
    },
    async stop() {
      await serving.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
