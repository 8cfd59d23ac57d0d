/** Two server processes on one database: what is changed on one holds on the other, keys at once and their end within 5 s. */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../helpers/cli.ts';
import { databases } from '../helpers/databases.ts';
import { linkWeights, type Serving, serve } from '../helpers/serve.ts';

/** What the documents promise. */
const promisedMs = 5_000;

for (const database of databases()) {
  describe(`nodes: two on one ${database.name}`, { skip: database.skip }, () => {
    let nodes: [Serving, Serving];
    let adminToken: string;
    let firstKey: string;
    let env: Record<string, string>;

    before(async () => {
      await database.begin();
      const { folder, url } = await database.create();
      // SQLite is a file that both must see; with Postgres they share nothing else.
      const folders = url === undefined ? [folder, folder] : [join(folder, 'a'), join(folder, 'b')];
      for (const one of new Set(folders)) {
        await mkdir(one, { recursive: true });
        await linkWeights(one);
      }
      const flags = url === undefined ? [] : ['--database-url', url];
      // Together on an empty database: one makes the tables and the first app, and the other finds them.
      const started = await Promise.all(folders.map((one) => serve(one, ...flags)));
      nodes = started as [Serving, Serving];
      const tokens = nodes.flatMap(({ banner }) => /admin token +(\S+)/.exec(banner)?.[1] ?? []);
      assert.equal(tokens.length, 1, 'one of them was the first');
      adminToken = tokens[0] as string;
      firstKey = nodes.flatMap(({ banner }) => banner.match(/bfa_[\w-]+/) ?? [])[0] as string;
      env = { BONAFIDE_DATA: folders[0] as string, ...(url && { BONAFIDE_DATABASE_URL: url }) };
    });
    after(async () => {
      await Promise.all((nodes ?? []).map((node) => node.stop()));
      await database.end();
    });

    const admin = async (node: Serving, path: string, body?: object) => {
      const response = await fetch(`${node.origin}/admin/v1${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      assert.equal(response.status, 200, path);
      // biome-ignore lint/suspicious/noExplicitAny: its shape is tested elsewhere.
      return (await response.json()) as any;
    };
    const newKey = async (node: Serving): Promise<{ key: { id: string; app: string }; secret: string }> =>
      await admin(node, '/apps/default/keys', { kind: 'api', name: 'a key' });
    /** Whether a node lets this key in; the request itself is of no use. */
    const isGood = async ({ origin }: Serving, key: string) => {
      const { status } = await fetch(`${origin}/v1/assess`, {
        method: 'POST',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body: '{}',
      });
      assert.ok(status === 400 || status === 401, `${status}`);
      return status === 400;
    };
    /** Within the time that is promised, on both nodes. */
    const endsInTime = async (key: string, since: number) => {
      for (const node of nodes) {
        while (await isGood(node, key)) {
          assert.ok(Date.now() - since < promisedMs, `still good after ${promisedMs} ms`);
          await sleep(50);
        }
      }
    };

    it('a key made on one is good on the other at once', async () => {
      for (const [maker, other] of [nodes, nodes.toReversed() as typeof nodes]) {
        const { secret } = await newKey(maker);
        assert.ok(await isGood(other, secret));
        assert.ok(await isGood(maker, secret));
      }
    });

    it('a key revoked on one ends on both', async () => {
      const { key, secret } = await newKey(nodes[0]);
      for (const node of nodes) assert.ok(await isGood(node, secret));
      const since = Date.now();
      await admin(nodes[1], `/keys/${key.id}/revoke`);
      await endsInTime(secret, since);
    });

    it('a key rotated on one ends on both when its grace period does, and not before', async () => {
      const { key, secret } = await newKey(nodes[0]);
      for (const node of nodes) assert.ok(await isGood(node, secret));
      const rotated = Date.now();
      const { secret: fresh } = await admin(nodes[0], `/keys/${key.id}/rotate`, { graceSeconds: 6 });
      for (const node of nodes) assert.ok(await isGood(node, fresh));
      // Longer than a node takes to hear of it.
      await sleep(rotated + 5_000 - Date.now());
      for (const node of nodes) assert.ok(await isGood(node, secret), 'good within the grace period');
      await endsInTime(secret, rotated + 6_000);
      for (const node of nodes) assert.ok(await isGood(node, fresh));
    });

    it('an app revoked on the command line takes its keys with it', async () => {
      const created = await run(['apps', 'create', 'short-lived', '--json'], env);
      const { id } = JSON.parse(created.stdout);
      const args = ['keys', 'create', 'a key', '--app', id, '--kind', 'api'];
      const secret = (await run(args, env)).stdout.trim();
      for (const node of nodes) assert.ok(await isGood(node, secret));
      const revoked = await run(['apps', 'revoke', 'short-lived'], env);
      assert.equal(revoked.code, 0, revoked.stderr);
      await endsInTime(secret, Date.now());
    });

    it('an admin token revoked on one is refused by both at once', async () => {
      const { adminToken: made, secret } = await admin(nodes[0], '/admin-tokens', { name: 'short-lived' });
      const status = async ({ origin }: Serving) =>
        (await fetch(`${origin}/admin/v1/apps`, { headers: { authorization: `Bearer ${secret}` } })).status;
      assert.deepEqual(await Promise.all(nodes.map(status)), [200, 200]);
      await admin(nodes[1], `/admin-tokens/${made.id}/revoke`);
      assert.deepEqual(await Promise.all(nodes.map(status)), [401, 401]);
    });

    it('the last use of a key is told, wherever it was', async () => {
      const { key, secret } = await newKey(nodes[0]);
      const since = Date.now();
      assert.ok(await isGood(nodes[1], secret));
      for (;;) {
        const { stdout } = await run(['keys', 'list', '--json'], env);
        const listed = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { id: string; lastUsedAt: string | null })
          .find(({ id }) => id === key.id);
        if (listed?.lastUsedAt) return assert.ok(Date.parse(listed.lastUsedAt) >= since);
        assert.ok(Date.now() - since < 10_000, 'it is told within some seconds');
      }
    });

    // The last one, as this address has to bear the consequences.
    it("wrong keys do not keep the first start's key out, nor one that is made meanwhile", async () => {
      for (const { origin } of nodes) {
        const guess = async (key: string) =>
          (await fetch(`${origin}/v1/assess`, { method: 'POST', headers: { 'x-api-key': key } })).status;
        let status = 401;
        for (let i = 0; status === 401; i++) status = await guess(`wrong ${i}`);
        assert.equal(status, 429);
      }
      for (const node of nodes) assert.ok(await isGood(node, firstKey));
      const args = ['keys', 'create', 'a key', '--app', 'default', '--kind', 'api'];
      const secret = (await run(args, env)).stdout.trim();
      const since = Date.now();
      for (const { origin } of nodes) {
        const headers = { 'x-api-key': secret, 'content-type': 'application/json' };
        const ask = () => fetch(`${origin}/v1/assess`, { method: 'POST', headers, body: '{}' });
        while ((await ask()).status === 429) {
          assert.ok(Date.now() - since < promisedMs, `not known after ${promisedMs} ms`);
          await sleep(50);
        }
        assert.equal((await ask()).status, 400);
      }
    });
  });
}
