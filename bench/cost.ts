/**
 * What keys, limits and the log cost: the same requests to the same engine, with them and without them, in turns.
 * `npm run bench:cost`, or `npm run bench:cost -- Postgres` for one of the databases; with FULL=1 more of them. Each request of a pair
 * follows the other at once.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Services } from '../src/dialects/dialect.ts';
import { createDownloads } from '../src/intake/downloads.ts';
import { startEngine } from '../src/liveness/pool.ts';
import { loadRegistry } from '../src/models/registry.ts';
import { buildApp } from '../src/server/app.ts';
import { createAuthenticator } from '../src/server/auth.ts';
import { createGate } from '../src/server/gate.ts';
import { createLimiter } from '../src/server/limits.ts';
import { createMetrics } from '../src/server/observability.ts';
import { createQuotas } from '../src/server/quotas.ts';
import { createRates } from '../src/server/rates.ts';
import { startRecorder } from '../src/server/recorder.ts';
import { createReports } from '../src/server/reports.ts';
import { createSeenBefore } from '../src/server/seen-before.ts';
import { createWrongKeys } from '../src/server/wrong-keys.ts';
import { createAvailability } from '../src/storage/availability.ts';
import type { Storage } from '../src/storage/database.ts';
import { openJournal } from '../src/storage/journal.ts';
import { Keys } from '../src/storage/keys.ts';
import { Transactions } from '../src/storage/transactions.ts';
import { databases } from '../test/helpers/databases.ts';
import { readPhotos } from '../test/helpers/pictures.ts';
import { connectionDefaults } from '../test/helpers/server.ts';
import { standardWeights } from '../test/helpers/weights.ts';
import { spread } from './statistics.ts';

/** What the client is told to do: pairs of turns, one at each address, that take turns in being first. */
interface Run {
  readonly origins: readonly [string, string];
  readonly key: string;
  readonly pairs: number;
  /** Requests of a turn, all at once. */
  readonly atOnce: number;
}
/** Milliseconds of each turn at the first and at the second address. */
type Ran = readonly (readonly [number, number])[];

/** Pairs of turns for each number of requests at once. */
const pairs = process.env.FULL === '1' ? 400 : 150;

/** What callers commonly have: a rate of the key and a quota of its app. Neither is reached. */
const limits = { key: { perSecond: 1_000_000, burst: 1_000_000 }, app: { perMonth: 1_000_000_000 } };

async function measure(): Promise<void> {
  const folder = await standardWeights();
  const profile = (await loadRegistry(folder)).profile('standard');
  const engine = await startEngine({
    folder,
    profile,
    limits: { maxPixels: 50_331_648 },
    workers: 1,
    queue: 64,
    deadlineMs: 20_000,
  });
  const client = fork(import.meta.filename, ['client']);
  await once(client, 'message');
  try {
    const named = process.argv.slice(2);
    for (const database of databases().filter(({ name }) => named.length === 0 || named.includes(name))) {
      if (database.skip !== false) {
        console.log(`${database.name}: ${database.skip}`);
        continue;
      }
      await database.begin();
      const storage = await (await database.create()).open();
      await compare(database.name, storage, { engine, profile }, client);
      await storage.close();
      await database.end();
    }
  } finally {
    client.kill();
    await engine.close();
  }
}

async function compare(
  name: string,
  storage: Storage,
  common: Pick<Services, 'engine' | 'profile'>,
  client: ChildProcess,
): Promise<void> {
  const keys = new Keys(storage.db);
  const app = await keys.createApp('bench', limits.app);
  const { secret } = await keys.createKey({
    app: app.id,
    kind: 'api',
    name: 'bench',
    createdBy: 'bench',
    limits: limits.key,
  });
  const journalFolder = await mkdtemp(join(tmpdir(), 'bonafide-bench-'));
  const availability = createAvailability((error) => {
    if (error !== undefined) throw error;
  });
  const transactions = new Transactions(storage.db);
  const logger = pino({ level: 'silent' });
  const recorder = startRecorder({
    journal: openJournal({ folder: journalFolder, maxBytes: 1_000_000_000 }),
    transactions,
    availability,
    seenBefore: createSeenBefore(transactions, availability, 30),
    profile: common.profile,
    clientAddress: 'truncated',
    logger,
    onRecorded: () => {},
  });
  const authenticator = await createAuthenticator({ keys, availability, knownKeysMs: 60_000, logger });
  const shared = {
    ...common,
    availability,
    remoteImages: createDownloads({ timeoutMs: 1_000, allowedHosts: [] }),
    maxImageBytes: 20_000_000,
    nhnConfidence: 'fraction' as const,
    wrongKeys: createWrongKeys(20),
  };
  const caller = {
    app: { id: app.id, appKey: app.appKey, name: app.name, limits: {} },
    key: { id: 'bench', limits: {} },
  };
  const sides: Record<'with' | 'without', Services> = {
    with: {
      ...shared,
      gate: createGate(65, { isFull: false }),
      authenticator,
      limiter: createLimiter(
        createRates(storage.counters.pool, availability),
        createQuotas(storage.counters.db, availability),
      ),
      recorder,
    },
    without: {
      ...shared,
      gate: createGate(65, { isFull: false }),
      authenticator: { ...authenticator, byApiKey: async () => caller },
      limiter: { consume: async () => {} },
      recorder: {
        ...recorder,
        requireRoom() {},
        noteImage: async () => undefined,
        noteAssessment() {},
        record: async () => {},
      },
    },
  };
  const apps: FastifyInstance[] = [];
  const origins: string[] = [];
  for (const services of [sides.with, sides.without]) {
    const server = await buildApp({
      services,
      metrics: createMetrics(),
      logger,
      storage,
      trustedProxies: [],
      connections: connectionDefaults,
      corsOrigins: [],
      modelsFolder: '',
      reports: createReports({ shipped: '', own: '' }),
      consoleFolder: '',
      version: '0',
    });
    origins.push(await server.listen({ host: '127.0.0.1', port: 0 }));
    apps.push(server);
  }
  const run = async (atOnce: number, runPairs: number): Promise<Ran> => {
    const order = { origins: origins as [string, string], key: secret, pairs: runPairs, atOnce };
    client.send(order satisfies Run);
    const [ran] = (await once(client, 'message')) as [Ran];
    return ran;
  };
  for (const atOnce of [1, 8]) {
    await run(atOnce, 20);
    const ran = await run(atOnce, pairs);
    const [cost, free] = [0, 1].map((side) => spread(ran.map((turn) => turn[side] as number)).median);
    // The machine's other work comes and goes; what is compared happened right after each other.
    const ratio = spread(ran.map(([one, other]) => one / other)).median;
    console.log(
      `${name}, ${atOnce} at once: ${cost?.toFixed(2)} ms with, ${free?.toFixed(2)} ms without; ratio ${ratio.toFixed(3)} (medians of ${pairs} pairs)`,
    );
  }
  for (const server of apps) {
    server.server.closeAllConnections();
    await server.close();
  }
  await recorder.close();
  await authenticator.close();
  await shared.remoteImages.close();
  await rm(journalFolder, { recursive: true });
}

async function client(): Promise<void> {
  // 1200 x 1200: vendors advise at least 640 x 480, and the other sample is a thumbnail.
  const { body: photo } = await readPhotos();
  let pictures = 0;
  /** Another one each time, by a number after its end, as those of people are. */
  const picture = () => {
    const bytes = new Uint8Array(photo.length + 4);
    bytes.set(photo);
    new DataView(bytes.buffer).setUint32(photo.length, pictures++);
    return bytes;
  };
  const turn = async (origin: string, key: string, atOnce: number): Promise<number> => {
    const start = performance.now();
    const ask = async () => {
      const headers = { 'x-api-key': key, 'content-type': 'image/jpeg' };
      const response = await fetch(`${origin}/v1/assess`, { method: 'POST', headers, body: picture() });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`It answered ${response.status}.`);
    };
    await Promise.all(Array.from({ length: atOnce }, ask));
    return performance.now() - start;
  };
  process.on('message', async ({ origins: [one, other], key, pairs: number, atOnce }: Run) => {
    const ran: [number, number][] = [];
    for (let i = 0; i < number; i++) {
      if (i % 2 === 0) {
        const first = await turn(one, key, atOnce);
        ran.push([first, await turn(other, key, atOnce)]);
      } else {
        const first = await turn(other, key, atOnce);
        ran.push([await turn(one, key, atOnce), first]);
      }
    }
    process.send?.(ran satisfies Ran);
  });
  process.send?.('ready');
}

await (process.argv[2] === 'client' ? client() : measure());
