/**
 * A server that is killed amid its work: whatever it had answered is in the log, once. `npm run test:kill` kills it ten
 * times amid 2,000 requests each; without that it is a smaller number of both.
 */

import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { databases } from '../helpers/databases.ts';
import { json, keyed, routes } from '../helpers/http.ts';
import { plantKeys } from '../helpers/keys.ts';
import { plainPng } from '../helpers/pictures.ts';
import { linkWeights, metric, type Serving, serve } from '../helpers/serve.ts';

const isFull = process.env.FULL === '1';
const rounds = isFull ? 10 : 2;
const count = isFull ? 2_000 : 200;
const concurrency = 16;

/** A picture that is assessed in a few milliseconds, as every one costs two databases of so many rounds. */
const picture = new Uint8Array(await plainPng(96, 96));
const { nhn, argos, native } = routes;

/** Requests of every dialect, assessed and refused, and what their rows must say. */
const kinds = [
  {
    outcome: 'no_face',
    path: native.path,
    init: { headers: keyed(native, { 'content-type': 'image/png' }), body: picture },
  },
  {
    outcome: 'no_face',
    path: argos.path,
    init: { headers: keyed(argos, argos.asking(picture).headers), body: argos.asking(picture).body },
  },
  {
    outcome: 'invalid_base64',
    path: nhn.path,
    init: { ...json({ image: { bytes: '?' } }), headers: keyed(nhn, json({}).headers) },
  },
] as const;

interface Answered {
  readonly id: string;
  readonly status: number;
}

/** Asks with everything that is left, until all of it is answered or the server is gone. */
async function ask(
  { origin }: Serving,
  left: number[],
  answered: Map<number, Answered>,
  onAnswer: () => void,
): Promise<void> {
  const oneAfterAnother = async () => {
    for (let i = left.shift(); i !== undefined; i = left.shift()) {
      const { path, init } = kinds[i % kinds.length] as (typeof kinds)[number];
      const headers = { ...init.headers, 'x-bonafide-tag': `${i}` };
      try {
        const response = await fetch(origin + path, { method: 'POST', ...init, headers });
        await response.arrayBuffer();
        answered.set(i, { id: response.headers.get('x-request-id') ?? '', status: response.status });
        onAnswer();
      } catch {
        // The server is gone, and this request with it.
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, oneAfterAnother));
}

/** What a dead server left in its journal. */
async function journalBytes(dataFolder: string): Promise<number> {
  const journal = join(dataFolder, 'journal');
  const names = await readdir(journal, { recursive: true });
  const files = names.filter((name) => name.endsWith('.ndjson')).map((name) => stat(join(journal, name)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}

for (const database of databases()) {
  describe(`kill -9: ${database.name}`, { skip: database.skip }, () => {
    before(() => database.begin());
    after(() => database.end());

    it(`loses nothing that was answered: ${rounds} times amid ${count} requests`, async (t: TestContext) => {
      const { open, folder, url } = await database.create();
      await linkWeights(folder);
      const storage = await open();
      await plantKeys(storage.db);
      const start = () =>
        serve(
          folder,
          ...(url === undefined ? [] : ['--database-url', url]),
          '--workers',
          '2',
          '--log-level',
          'error',
          // It is not about time, of which a machine with other work has little.
          '--deadline-ms',
          '120000',
        );
      for (let round = 0; round < rounds; round++) {
        const answered = new Map<number, Answered>();
        const left = Array.from({ length: count }, (_, i) => round * count + i);
        const doomed = await start();
        const deathAt = Math.floor(count * (0.2 + 0.6 * Math.random()));
        let killed: Promise<void> | undefined;
        await ask(doomed, left, answered, () => {
          if (answered.size >= deathAt) killed ??= doomed.kill();
        });
        await killed;
        const answeredBefore = answered.size;
        const waiting = await journalBytes(folder);

        const next = await start();
        await ask(next, left, answered, () => {});
        await metric(next.origin, 'bonafide_journal_bytes 0');
        if (round === rounds - 1) assert.equal(await next.stop(), 0);
        else await next.kill();

        const rows = await storage.db
          .selectFrom('transactions')
          .select(['id', 'tag', 'status', 'outcome'])
          .where('tag', 'is not', null)
          .execute();
        const byTag = new Map(rows.map((row) => [Number(row.tag), row]));
        assert.equal(byTag.size, rows.length, 'no request is in the log twice');
        for (const [i, { id, status }] of answered) {
          const row = byTag.get(i);
          assert.ok(row, `request ${i} was answered, and is not in the log`);
          const { outcome } = kinds[i % kinds.length] as (typeof kinds)[number];
          assert.deepEqual({ ...row }, { id, tag: `${i}`, status, outcome });
        }
        const lost = count - answered.size;
        assert.ok(lost <= concurrency, `${lost} requests were not answered`);
        const [{ counted }] = (await storage.db
          .selectFrom('usage')
          .select((select) => select.fn.sum<number>('count').as('counted'))
          .execute()) as [{ counted: number }];
        assert.equal(Number(counted), rows.length, 'each is counted once');
        t.diagnostic(
          `killed after ${answeredBefore} answers with ${waiting} bytes in the journal; ${answered.size} of ${count} answered, ${rows.length} rows in all`,
        );
      }
      if (url === undefined) {
        const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(storage.db);
        assert.deepEqual(
          rows.map((row) => row.integrity_check),
          ['ok'],
        );
      }
      // Of all the processes that were killed, nothing is left but what they kept.
      const left = (await readdir(folder, { recursive: true })).filter((name) =>
        /\.part$|\.ndjson$|journal.[0-9a-f-]{36}/.test(name),
      );
      assert.deepEqual(left, []);
      await storage.close();
    });
  });
}
