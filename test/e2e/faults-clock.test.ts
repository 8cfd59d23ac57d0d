/** A clock that is set hours forward and back under a server: who is let in, what is limited and what is logged stay right. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Storage } from '../../src/storage/database.ts';
import { databases } from '../helpers/databases.ts';
import { keyed, routes } from '../helpers/http.ts';
import { credential, plantKeys } from '../helpers/keys.ts';
import { plainPng } from '../helpers/pictures.ts';
import { linkWeights, metric, type Serving, serveAs } from '../helpers/serve.ts';

const { native } = routes;
const picture = new Uint8Array(await plainPng(96, 96));
const hourMs = 3_600_000;
/** How often the server asks the database for changes of keys. */
const pollMs = 2_000;
const preload = pathToFileURL(join(import.meta.dirname, '..', 'helpers', 'set-clock.ts')).href;

for (const database of databases()) {
  describe(`a clock that is set: ${database.name}`, { skip: database.skip }, () => {
    let storage: Storage;
    let server: Serving;
    let home: string;
    const answered: string[] = [];

    before(async () => {
      await database.begin();
      const { open, folder, url } = await database.create();
      await linkWeights(folder);
      storage = await open();
      await plantKeys(storage.db);
      home = await mkdtemp(join(tmpdir(), 'bonafide-clock-'));
      await writeFile(clockFile(), '0');
      const at = url === undefined ? [] : ['--database-url', url];
      const env = { NODE_OPTIONS: `--import=${preload}`, CLOCK_FILE: clockFile() };
      const flags = ['--known-keys-ms', '10000', '--log-level', 'silent'];
      server = await serveAs({ env: { ...process.env, ...env } }, folder, ...at, ...flags);
    });
    after(async () => {
      await server?.kill();
      await storage.close();
      await rm(home, { recursive: true });
      await database.end();
    });
    const clockFile = () => join(home, 'clock');

    /** The server's clock and nobody else's. */
    async function setClock(hours: number) {
      const offset = `${hours * hourMs}`;
      await writeFile(clockFile(), offset);
      server.child.kill('SIGUSR2');
      const bound = AbortSignal.timeout(10_000);
      while ((await readFile(`${clockFile()}.seen`, 'utf8')) !== offset) {
        bound.throwIfAborted();
        await sleep(1);
      }
    }
    async function ask(key: string = native.key) {
      const headers = keyed(native, { 'content-type': 'image/png', 'x-api-key': key });
      const response = await fetch(server.origin + native.path, { method: 'POST', headers, body: picture });
      const { requestId, code } = (await response.json()) as { requestId: string; code?: string };
      answered.push(requestId);
      return { status: response.status, code, retryAfter: Number(response.headers.get('retry-after')) };
    }
    async function admin(method: string, path: string, headers: Record<string, string>, body?: object) {
      return await fetch(`${server.origin}/admin/v1${path}`, {
        method,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
    }
    const token = { authorization: `Bearer ${credential.adminToken}` };

    it('keeps no known key out, and none in', async () => {
      for (const hours of [0, 5, -5, 0]) {
        await setClock(hours);
        // Longer than it takes until the database is asked again: before that, and after.
        const until = performance.now() + 1.5 * pollMs;
        while (performance.now() < until) assert.deepEqual((await ask()).status, 200, `${hours} h`);
        const ready = await fetch(`${server.origin}/readyz`);
        assert.equal(ready.status, 200);
        assert.equal((await admin('GET', '/apps', token)).status, 200);
      }
    });

    it('limits per second as ever, and not for hours after it was set back', async () => {
      const made = await admin('POST', '/apps/contract/keys', token, {
        kind: 'api',
        name: 'limited',
        limits: { perSecond: 1, burst: 1 },
      });
      const { secret } = (await made.json()) as { secret: string };
      for (const hours of [5, 0, -5, 0]) {
        await setClock(hours);
        const since = performance.now();
        let reply = await ask(secret);
        while (reply.status === 429) {
          assert.ok(reply.retryAfter <= 10, `${reply.retryAfter} s`);
          assert.ok(performance.now() - since < 15_000, `refused for long, ${hours} h`);
          await sleep(200);
          reply = await ask(secret);
        }
        assert.equal(reply.status, 200);
        const burst = await Promise.all(Array.from({ length: 6 }, () => ask(secret)));
        assert.ok(
          burst.some(({ code }) => code === 'rate_limited'),
          `limited, ${hours} h`,
        );
      }
    });

    it('ends a session by it, and has a deadline that knows nothing of it', async () => {
      const own = { 'sec-fetch-site': 'same-origin' };
      const begun = await admin('POST', '/session', own, { token: credential.adminToken });
      const [cookie = ''] = begun.headers.getSetCookie();
      const session = { ...own, cookie: cookie.split(';', 1).join() };
      assert.equal((await admin('GET', '/session', session)).status, 200);
      const slow = ask();
      await setClock(13);
      assert.equal((await slow).status, 200);
      assert.equal((await admin('GET', '/session', session)).status, 401);
      await setClock(0);
    });

    it('has every answer in the log, once, newest first', async () => {
      await metric(server.origin, 'bonafide_journal_bytes 0');
      const listed: { id: string; time: string }[] = [];
      let cursor = '';
      do {
        const page = await admin('GET', `/transactions?limit=200${cursor && `&cursor=${cursor}`}`, token);
        const { transactions, next = '' } = (await page.json()) as {
          transactions: typeof listed;
          next?: string;
        };
        listed.push(...transactions);
        cursor = next;
      } while (cursor !== '');
      const ids = listed.map(({ id }) => id).filter((id) => answered.includes(id));
      assert.deepEqual(ids.toSorted(), answered.toSorted());
      const times = listed.map(({ time }) => time);
      assert.deepEqual(times, times.toSorted().reverse());
      assert.equal(await server.stop(), 0);
    });
  });
}
