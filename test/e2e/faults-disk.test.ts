/** A disk that is full, and one that becomes read-only: no answer is lost, nothing is half-written, and a sentence says what is wrong. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { storeFile } from '../../src/models/download.ts';
import { openStorage } from '../../src/storage/database.ts';
import { run } from '../helpers/cli.ts';
import { type Disk, makeDisk, noDisk } from '../helpers/disk.ts';
import { keyed, routes } from '../helpers/http.ts';
import { credential, plantKeys } from '../helpers/keys.ts';
import { plainPng } from '../helpers/pictures.ts';
import { launcher, linkWeights, type Serving, serve } from '../helpers/serve.ts';

const { native } = routes;
const picture = new Uint8Array(await plainPng(96, 96));
const noChanges = /takes no changes: its disk is full or fails, or it is read-only\./;

describe('a data folder whose disk', { skip: noDisk }, () => {
  let disk: Disk;
  let dataFolder: string;
  let server: Serving | undefined;
  /** Of requests that were answered. */
  let answered: string[];

  before(async () => {
    disk = await makeDisk();
  });
  after(() => disk?.destroy());
  beforeEach(async () => {
    dataFolder = join(disk.folder, `data${Math.random()}`);
    const storage = await openStorage({ folder: dataFolder, create: true });
    await plantKeys(storage.db);
    await storage.close();
    await linkWeights(dataFolder);
    answered = [];
    server = await serve(dataFolder, '--log-level', 'silent');
  });
  afterEach(async () => {
    await server?.kill();
    await disk.free();
  });
  const origin = () => server?.origin ?? assert.fail('there is no server');

  /** Asks for one assessment. @returns the status, and the code of a refusal. */
  async function ask(): Promise<string> {
    const headers = keyed(native, { 'content-type': 'image/png' });
    const response = await fetch(origin() + native.path, { method: 'POST', headers, body: picture });
    const { code, requestId } = (await response.json()) as { code?: string; requestId: string };
    if (response.status === 503) assert.ok(response.headers.has('retry-after'));
    else answered.push(requestId);
    return code === undefined ? `${response.status}` : `${response.status} ${code}`;
  }
  async function askAdmin(method: string, path: string, body?: object) {
    const response = await fetch(`${origin()}/admin/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${credential.adminToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  async function untilReady(status: string) {
    const bound = AbortSignal.timeout(30_000);
    for (;;) {
      const said = (await (await fetch(`${origin()}/readyz`, { signal: bound })).json()) as {
        status: string;
      };
      if (said.status === status) return;
      await sleep(50);
    }
  }
  /** A start that ends by itself. */
  async function refusedStart() {
    const args = [launcher, 'serve', '--data', dataFolder, '--profile', 'standard', '--port', '0'];
    const child = spawn(process.execPath, [...args, '--workers', '1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 30_000,
    });
    const text = child.stderr.toArray();
    const [code] = await once(child, 'close');
    return { code, stderr: (await text).join('') };
  }
  /** That nothing can be changed, and that this is said. */
  async function assertReadOnly() {
    while ((await ask()) === '200');
    assert.equal(await ask(), '503 log_unavailable');
    await untilReady('log_failing');
    assert.equal((await askAdmin('GET', '/apps')).status, 200);
    // A page of the database may have had room for one more row.
    let made = await askAdmin('POST', '/apps', { name: `app ${Math.random()}` });
    while (made.status === 200) made = await askAdmin('POST', '/apps', { name: `app ${Math.random()}` });
    assert.equal(made.status, 503, JSON.stringify(made.body));
    assert.equal(made.body.code, 'storage_unavailable');
    assert.match(`${made.body.detail}`, noChanges);
  }
  /** That each answer is in the log once, and the folder holds nothing else. */
  async function assertWhole() {
    const storage = await openStorage({ folder: dataFolder, create: false });
    const rows = await storage.db.selectFrom('transactions').select('id').where('status', '=', 200).execute();
    const { rows: check } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(
      storage.db,
    );
    await storage.close();
    assert.deepEqual(rows.map(({ id }) => id).sort(), answered.toSorted());
    assert.deepEqual(
      check.map((row) => row.integrity_check),
      ['ok'],
    );
    const names = await readdir(dataFolder, { recursive: true });
    assert.deepEqual(
      names.filter((name) => /\.part$|probe|\.ndjson$/.test(name)),
      [],
    );
  }

  /** That a start on the full disk says why it ends, and that the next, when there is room, finds all that was answered. */
  async function assertStartsWithRoom() {
    const { code, stderr } = await refusedStart();
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^[^\n]*(no space left on device|its disk is full)[^\n]*\n$/);
    await disk.free();
    server = await serve(dataFolder, '--log-level', 'silent');
    assert.equal(await ask(), '200');
    assert.equal(await server.stop(), 0);
    await assertWhole();
  }

  it('is full refuses what it cannot keep, and goes on when there is room', async () => {
    assert.equal(await ask(), '200');
    await disk.fill();
    await assertReadOnly();
    const cli = await run(['apps', 'create', 'a'.repeat(100)], { BONAFIDE_DATA: dataFolder });
    assert.equal(cli.code, 2, cli.stderr);
    assert.match(cli.stderr, noChanges);
    await assert.rejects(storeFile(join(dataFolder, 'weights'), Buffer.alloc(100_000)), { code: 'ENOSPC' });
    await disk.free();
    await untilReady('ready');
    assert.equal(await ask(), '200');
    assert.equal((await askAdmin('POST', '/apps', { name: 'again' })).status, 200);
    assert.equal(await server?.stop(), 0);
    await assertWhole();
  });

  it('is full at the end and at the next start loses nothing of it', async () => {
    assert.equal(await ask(), '200');
    await disk.fill();
    await assertReadOnly();
    assert.equal(await server?.stop(), 0);
    // The end of the last one made a little room.
    await disk.fill();
    await assertStartsWithRoom();
  });

  it('is full when the server is killed has the next start say why it ends, and loses nothing of it', async () => {
    assert.equal(await ask(), '200');
    await disk.fill();
    await assertReadOnly();
    await server?.kill();
    await disk.fill();
    await assertStartsWithRoom();
  });

  it('becomes read-only refuses what it cannot keep, and the next start says why it ends', async () => {
    assert.equal(await ask(), '200');
    await disk.fail();
    await assertReadOnly();
    assert.equal(await server?.stop(), 0);
    await disk.mount('ro');
    const { code, stderr } = await refusedStart();
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^[^\n]*read-only[^\n]*\n$/i);
    await disk.mount('rw');
    server = await serve(dataFolder, '--log-level', 'silent');
    assert.equal(await ask(), '200');
    assert.equal(await server.stop(), 0);
    await assertWhole();
  });
});
