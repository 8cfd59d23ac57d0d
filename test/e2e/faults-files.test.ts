/** Somebody who deletes or replaces files under a running server: no answer is lost in silence, and it goes on when they are back. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStorage } from '../../src/storage/database.ts';
import { keyed, routes } from '../helpers/http.ts';
import { credential, plantKeys } from '../helpers/keys.ts';
import { plainPng } from '../helpers/pictures.ts';
import { linkWeights, serveAs } from '../helpers/serve.ts';

const { native } = routes;
const picture = new Uint8Array(await plainPng(96, 96));

describe('files of a running server', () => {
  let dataFolder: string;
  let database: string;
  let server: Awaited<ReturnType<typeof serveAs>>;
  /** Of requests that were answered. */
  let answered: string[];

  const start = async () => {
    server = await serveAs({}, dataFolder, '--log-level', 'error');
  };
  beforeEach(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-files-'));
    database = join(dataFolder, 'bonafide.db');
    await linkWeights(dataFolder);
    const storage = await openStorage({ folder: dataFolder, create: true });
    await plantKeys(storage.db);
    await storage.close();
    answered = [];
    await start();
  });
  afterEach(async () => {
    await server.kill();
    await rm(dataFolder, { recursive: true });
  });

  async function ask(): Promise<string> {
    const headers = keyed(native, { 'content-type': 'image/png' });
    const response = await fetch(server.origin + native.path, { method: 'POST', headers, body: picture });
    const { code, requestId } = (await response.json()) as { code?: string; requestId: string };
    if (response.status === 200) answered.push(requestId);
    return code === undefined ? `${response.status}` : `${response.status} ${code}`;
  }
  async function readiness() {
    const response = await fetch(`${server.origin}/readyz`);
    const body = (await response.json()) as { status: string; problem?: string };
    return { ...body, httpStatus: response.status };
  }
  /** Until what is said of its state is this. */
  async function untilSaid(status: string, problem: RegExp) {
    for (const end = performance.now() + 15_000; ; await sleep(50)) {
      const said = await readiness();
      if (said.status === status && problem.test(said.problem ?? '')) return said;
      assert.ok(performance.now() < end, JSON.stringify(said));
    }
  }
  /** That each answer is in the log. */
  async function assertLogged() {
    const storage = await openStorage({ folder: dataFolder, create: false });
    const rows = await storage.db.selectFrom('transactions').select('id').where('status', '=', 200).execute();
    await storage.close();
    assert.deepEqual(rows.map(({ id }) => id).sort(), answered.toSorted());
  }
  const gone = /^The file of the database was deleted or replaced .* Keys known here are good until/;

  it('a database that is moved away is missed, and what is answered meanwhile is in it when it is back', async () => {
    assert.equal(await ask(), '200');
    await rename(database, `${database}.away`);
    for (let i = 0; i < 5; i++) assert.equal(await ask(), '200');
    const { httpStatus } = await untilSaid('ready', gone);
    assert.equal(httpStatus, 200);
    assert.match(server.written.join(''), /was deleted or replaced/);
    const apps = await fetch(`${server.origin}/admin/v1/apps`, {
      headers: { authorization: `Bearer ${credential.adminToken}` },
    });
    assert.equal(apps.status, 503);
    assert.equal(((await apps.json()) as { code: string }).code, 'storage_unavailable');
    assert.equal(await ask(), '200');
    await rename(`${database}.away`, database);
    await untilSaid('ready', /^$/);
    assert.equal(await ask(), '200');
    assert.equal(await server.stop(), 0);
    await assertLogged();
  });

  it('a database that is replaced is not written to, and the next start brings to the new one what was answered', async () => {
    await copyFile(database, `${database}.copy`);
    await rename(`${database}.copy`, database);
    assert.equal(await ask(), '200');
    await untilSaid('ready', gone);
    assert.equal(await ask(), '200');
    assert.equal(await server.stop(), 0);
    await start();
    await untilSaid('ready', /^$/);
    assert.equal(await server.stop(), 0);
    await assertLogged();
  });

  it('a journal that is deleted takes no answer until its folder is there again', async () => {
    assert.equal(await ask(), '200');
    await sleep(1_000);
    const journal = join(dataFolder, 'journal');
    await rm(journal, { recursive: true });
    assert.equal(await ask(), '503 log_unavailable');
    await untilSaid('log_failing', /cannot be written/);
    await mkdir(journal);
    await untilSaid('ready', /^$/);
    assert.equal(await ask(), '200');
    assert.equal(await server.stop(), 0);
    await assertLogged();
  });
});
