/** A whole server for contract tests: real models, real sockets, a real database with keys of every kind. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { settings } from '../../src/config.ts';
import { createDownloads, type Downloads } from '../../src/intake/downloads.ts';
import { type EngineOptions, startEngine } from '../../src/liveness/pool.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { buildApp } from '../../src/server/app.ts';
import { createAuthenticator } from '../../src/server/auth.ts';
import type { ClientAddressMode } from '../../src/server/client-address.ts';
import type { ConnectionLimits } from '../../src/server/connections.ts';
import { createGate, type Gate } from '../../src/server/gate.ts';
import { createLimiter } from '../../src/server/limits.ts';
import { createMetrics } from '../../src/server/observability.ts';
import { createQuotas } from '../../src/server/quotas.ts';
import { createRates } from '../../src/server/rates.ts';
import { startRecorder } from '../../src/server/recorder.ts';
import { createReports } from '../../src/server/reports.ts';
import { createSeenBefore } from '../../src/server/seen-before.ts';
import { createWrongKeys } from '../../src/server/wrong-keys.ts';
import { createAvailability } from '../../src/storage/availability.ts';
import { openStorage, type Storage } from '../../src/storage/database.ts';
import { openJournal } from '../../src/storage/journal.ts';
import { Keys } from '../../src/storage/keys.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import { areKept, keepWritten } from './kept-logs.ts';
import { plantKeys } from './keys.ts';
import { standardWeights } from './weights.ts';

export { credential } from './keys.ts';

/** Where the console was built to. */
export const consoleFolder = fileURLToPath(new URL('../../console/dist', import.meta.url));

/** The evaluation reports that come with the product. */
export const shippedReports = fileURLToPath(new URL('../../docs/evaluation', import.meta.url));

/** As `bonafide serve` has them. */
export const connectionDefaults: ConnectionLimits = {
  connections: settings.maxConnections.default,
  perAddress: settings.maxConnectionsPerAddress.default,
  headTimeoutMs: settings.headTimeoutMs.default,
  requestTimeoutMs: settings.requestTimeoutMs.default,
  minBytesPerSecond: settings.minBytesPerSecond.default,
  answerTimeoutMs: settings.answerTimeoutMs.default,
  keepAliveMs: settings.keepAliveMs.default,
};

export interface ServerOptions {
  engine?: Partial<Pick<EngineOptions, 'workers' | 'queue' | 'deadlineMs'>>;
  urlAllowedHosts?: readonly string[];
  urlTimeoutMs?: number;
  /** Who is asked for the hosts of image URLs. */
  nameServers?: readonly string[];
  maxImageBytes?: number;
  nhnConfidence?: 'fraction' | 'percent';
  profileNote?: string;
  knownKeysMs?: number;
  wrongKeysPerMinute?: number;
  trustedProxies?: readonly string[];
  connections?: Partial<ConnectionLimits>;
  corsOrigins?: readonly string[];
  clientAddress?: ClientAddressMode;
  journalBytes?: number;
  /** A database that others use too, and that outlives the server; without one it has its own. */
  storage?: Storage;
  /** Gets every log line. */
  log?: { write(line: string): void };
}

export interface TestServer {
  readonly origin: string;
  readonly app: FastifyInstance;
  readonly gate: Gate;
  /** Holds the journal and, where no other is given, the database. */
  readonly dataFolder: string;
  readonly storage: Storage;
  readonly engine: Awaited<ReturnType<typeof startEngine>>;
  close(): Promise<void>;
}

/** Keeps a server's log, and tells when a line is written that a test waits for. */
export interface LogKeeper {
  readonly lines: string[];
  write(line: string): void;
  /** Resolves with the first line, written before or after, for which this holds; rejects when none comes for long. */
  until(holds: (entry: Record<string, unknown>) => boolean): Promise<void>;
}

export function keepLog(): LogKeeper {
  const lines: string[] = [];
  const waits = new Set<(line: string) => void>();
  return {
    lines,
    write(line) {
      lines.push(line);
      for (const wait of waits) wait(line);
    },
    until(holds) {
      return new Promise((resolve, reject) => {
        const bound = setTimeout(() => reject(new Error('No such line was written.')), 10_000);
        const wait = (line: string) => {
          if (!holds(JSON.parse(line))) return;
          clearTimeout(bound);
          waits.delete(wait);
          resolve();
        };
        waits.add(wait);
        for (const line of lines) wait(line);
      });
    },
  };
}

/** Starts the thread of downloads, which may take longer than a test gives a download. */
async function startThread(downloads: Downloads): Promise<void> {
  const request = { maxBytes: 0, ports: [], signal: new AbortController().signal };
  const codeOf = () => downloads.fetch('', request).catch((error) => error.code);
  while ((await codeOf()) === 'url_timeout');
}

/** Starts a server with the standard profile on a free port of the loopback address. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = await standardWeights();
  const profile = (await loadRegistry(folder)).profile('standard');
  const metrics = createMetrics();
  const limits = { workers: 1, queue: 16, deadlineMs: 20_000, ...options.engine };
  const engine = await startEngine({
    folder,
    profile,
    limits: { maxPixels: 50_331_648 },
    ...limits,
    onWorkerDeath: () => metrics.countWorkerDeath(),
    onAssessed: ({ timings }) => metrics.noteTimings(timings),
  });
  const gate = createGate(limits.workers + limits.queue, engine);
  const remoteImages = createDownloads({
    timeoutMs: options.urlTimeoutMs ?? 5_000,
    allowedHosts: options.urlAllowedHosts ?? [],
    ...(options.nameServers !== undefined && { nameServers: options.nameServers }),
  });
  if (options.urlTimeoutMs !== undefined) await startThread(remoteImages);
  const dataFolder = await mkdtemp(join(tmpdir(), 'bonafide-server-'));
  const storage = options.storage ?? (await openStorage({ folder: dataFolder, create: true }));
  await plantKeys(storage.db);
  const availability = createAvailability(() => {});
  const write = (line: string) => {
    options.log?.write(line);
    keepWritten(line);
  };
  const isRead = options.log !== undefined || areKept;
  const logger = pino({ level: isRead ? 'trace' : 'silent' }, { write });
  const transactions = new Transactions(storage.db);
  const recorder = startRecorder({
    journal: openJournal({
      folder: join(dataFolder, 'journal'),
      maxBytes: options.journalBytes ?? 1_000_000_000,
    }),
    transactions,
    availability,
    seenBefore: createSeenBefore(transactions, availability, 30),
    profile,
    clientAddress: options.clientAddress ?? 'truncated',
    logger,
    onRecorded: metrics.countTransaction,
  });
  const authenticator = await createAuthenticator({
    keys: new Keys(storage.db),
    availability,
    knownKeysMs: options.knownKeysMs ?? 60_000,
    logger,
  });
  const app = await buildApp({
    services: {
      engine,
      profile,
      remoteImages,
      gate,
      authenticator,
      // The suites of wrong keys send more than anybody should.
      wrongKeys: createWrongKeys(options.wrongKeysPerMinute ?? 1_000_000),
      limiter: createLimiter(
        createRates(storage.counters.pool, availability),
        createQuotas(storage.counters.db, availability),
      ),
      recorder,
      availability,
      maxImageBytes: options.maxImageBytes ?? 20_000_000,
      nhnConfidence: options.nhnConfidence ?? 'fraction',
      profileNote: options.profileNote,
    },
    storage,
    metrics,
    logger,
    trustedProxies: options.trustedProxies ?? [],
    connections: { ...connectionDefaults, ...options.connections },
    corsOrigins: options.corsOrigins ?? [],
    modelsFolder: folder,
    reports: createReports({ shipped: shippedReports, own: join(dataFolder, 'evaluations') }),
    consoleFolder,
    version: '0.0.0',
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    origin,
    app,
    gate,
    dataFolder,
    storage,
    engine,
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await remoteImages.close();
      await engine.close();
      await recorder.close();
      await authenticator.close();
      if (options.storage === undefined) await storage.close();
      await rm(dataFolder, { recursive: true });
    },
  };
}
