/** `bonafide serve`: models, database, engine and server put together, and taken apart again on SIGTERM. */

import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import {
  type Config,
  ConfigError,
  flagOptions,
  loadConfig,
  parseCommand,
  type SettingName,
  settings,
} from '../config.ts';
import { createDownloads } from '../intake/downloads.ts';
import { launchEngine } from '../liveness/pool.ts';
import { prepareFolder, storeFile } from '../models/download.ts';
import { createAuthenticator } from '../server/auth.ts';
import { createGate } from '../server/gate.ts';
import { createLimiter } from '../server/limits.ts';
import { createMetrics } from '../server/observability.ts';
import { createQuotas } from '../server/quotas.ts';
import { createRates } from '../server/rates.ts';
import { startRecorder } from '../server/recorder.ts';
import { createReports } from '../server/reports.ts';
import { startRetention } from '../server/retention.ts';
import { createSeenBefore } from '../server/seen-before.ts';
import { shutDown } from '../server/shutdown.ts';
import { createWrongKeys } from '../server/wrong-keys.ts';
import { shellWord } from '../shell.ts';
import { createAvailability } from '../storage/availability.ts';
import { openStorage } from '../storage/database.ts';
import { type FirstCredential, makeFirstCredential } from '../storage/first-credential.ts';
import { openJournal } from '../storage/journal.ts';
import { Keys } from '../storage/keys.ts';
import { Transactions } from '../storage/transactions.ts';
import { type Command, packageVersion, settingsHelp } from './command.ts';
import { type Log, openLog } from './log.ts';
import { chooseProfile } from './profile.ts';
import { startDownloadReporter } from './progress.ts';

const settingNames = Object.keys(settings) as SettingName[];

const help = `Usage: bonafide serve [--flag value ...]

Runs the server. The first start pulls the models and makes an app with its keys.
Every setting is a flag and an environment variable; the flag wins.

${settingsHelp(settingNames)}`;

export const serve: Command = async (args, env) => {
  const options = { ...flagOptions(settingNames), help: { type: 'boolean', short: 'h' } } as const;
  const { values } = parseCommand(args, options, false);
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const config = loadConfig(env, values);
  const log = openLog(config.logLevel);
  try {
    return await runServer(config, log);
  } finally {
    await log.close();
  }
};

async function runServer(config: Config, { logger, print }: Log): Promise<number> {
  // By default the garbage collector goes through the whole heap, with four threads, when that has grown by a few megabytes; it now waits until it is half
  // as large again as what was left the last time. Refusing four of five requests costs a quarter less for it (docs/adr/0020-bodies-given-back.md).
  setFlagsFromString('--heap-growing-percent=50');
  // It begins to go through it when a third of that room is used: by default later, and then it may have to do it all at once.
  setFlagsFromString('--incremental-marking-soft-trigger=30');
  const folder = join(config.dataFolder, 'models');
  // What a start or a pull left that was killed.
  await prepareFolder(folder);
  const { onProgress, stop } = startDownloadReporter(process.stderr);
  const { resolved: profile, note } = await chooseProfile({
    folder,
    setting: config.profile,
    calibration: config.calibration,
    onProgress,
    say: (sentence) => process.stderr.write(`${sentence}\n`),
  }).finally(stop);
  const storage = await openStorage({ folder: config.dataFolder, url: config.databaseUrl, create: true });

  // Until here a signal ends the process at once, as nothing is under way yet that could be lost.
  const stopped = untilSignal();
  const metrics = createMetrics();
  const { engine, started } = launchEngine({
    folder,
    profile,
    limits: { maxPixels: config.maxPixels },
    workers: config.workers,
    queue: config.queue,
    deadlineMs: config.deadlineMs,
    onWorkerDeath(reason) {
      metrics.countWorkerDeath();
      logger.error({ err: reason }, 'a worker died and is being replaced');
    },
    onAssessed: ({ timings }) => metrics.noteTimings(timings),
  });
  // Half of all that this process loads, while the workers load their models; and the server is put together in that time.
  const { buildApp } = await import('../server/app.ts');
  const gate = createGate(config.workers + config.queue, engine);
  const availability = createAvailability((error) => {
    if (error === undefined) logger.info('the database answers again');
    else logger.error({ err: error }, 'the database does not answer');
  });
  const authenticator = await createAuthenticator({
    keys: new Keys(storage.db),
    availability,
    knownKeysMs: config.knownKeysMs,
    logger,
  });
  const transactions = new Transactions(storage.db);
  const recorder = startRecorder({
    journal: openJournal({ folder: join(config.dataFolder, 'journal'), maxBytes: config.journalBytes }),
    transactions,
    availability,
    seenBefore:
      config.seenBeforeDays === 0
        ? undefined
        : createSeenBefore(transactions, availability, config.seenBeforeDays),
    profile,
    clientAddress: config.clientAddress,
    logger,
    onRecorded: metrics.countTransaction,
  });
  const stopRetention = startRetention(storage.db, availability, config.retentionDays, logger);
  const remoteImages = createDownloads({
    timeoutMs: config.urlTimeoutMs,
    allowedHosts: config.urlAllowedHosts,
    onThreadDeath({ stack }) {
      // Not the error itself, whose other properties may hold a URL or what came from it.
      logger.error({ stack }, 'the thread of downloads died, and the next download starts another');
    },
  });
  const app = await buildApp({
    services: {
      engine,
      profile,
      remoteImages,
      gate,
      authenticator,
      wrongKeys: createWrongKeys(config.wrongKeysPerMinute),
      limiter: createLimiter(
        createRates(storage.counters.pool, availability),
        createQuotas(storage.counters.db, availability),
      ),
      recorder,
      availability,
      maxImageBytes: config.maxImageBytes,
      nhnConfidence: config.nhnConfidence,
      ...(note !== undefined && { profileNote: note }),
    },
    storage,
    metrics,
    logger,
    trustedProxies: config.trustedProxies,
    connections: {
      connections: config.maxConnections,
      perAddress: config.maxConnectionsPerAddress,
      headTimeoutMs: config.headTimeoutMs,
      requestTimeoutMs: config.requestTimeoutMs,
      minBytesPerSecond: config.minBytesPerSecond,
      answerTimeoutMs: config.answerTimeoutMs,
      keepAliveMs: config.keepAliveMs,
    },
    corsOrigins: config.corsOrigins,
    modelsFolder: folder,
    reports: createReports({
      shipped: fileURLToPath(new URL('../../docs/evaluation', import.meta.url)),
      own: join(config.dataFolder, 'evaluations'),
    }),
    consoleFolder: fileURLToPath(new URL('../../console/dist', import.meta.url)),
    version: await packageVersion(),
  });
  await started;
  await app.listen({ host: config.host, port: config.port }).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(
      `Cannot listen on ${config.host}:${config.port}: ${error.code ?? error.message}. Choose another with --port or --host.`,
    );
  });

  const origin = originOf(app.server.address() as AddressInfo);
  // Not before there is somewhere to use it, and not unless it can be shown: of a start that failed no credential must be left that nobody saw.
  const sample = resolve(config.dataFolder, 'samples', 'portrait.jpg');
  const isFirst = await makeFirstCredential(storage.db, (credential) =>
    show(firstSteps(origin, credential, sample)),
  );
  if (isFirst) {
    await authenticator.notice();
    // Only now: until the credential is made, others that start on the same database wait.
    await drawPortrait(sample);
  }
  // Like the log: nobody needs it, and where it cannot be written that is nothing to end for.
  print(banner({ origin, place: storage.place, profile: profile.profile.id, note, isFirst }));
  // Rather than at its end, which may be a kill.
  flushCompileCache();

  await stopped;
  await shutDown(app, gate, config.shutdownMs);
  await remoteImages.close();
  await engine.close();
  stopRetention();
  await recorder.close();
  await authenticator.close();
  await storage.close();
  return 0;
}

/** SIGHUP too: also a terminal that is closed must not cost anybody the answer. */
const ends = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The first of these signals; a second one ends the process at once, as it does by default. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      for (const signal of ends) process.off(signal, stop);
      resolve();
    };
    for (const signal of ends) process.on(signal, stop);
  });
}

/** A drawn portrait as a screen shows it, for the first request: a presentation attack, and called one. */
async function drawPortrait(path: string): Promise<void> {
  await prepareFolder(dirname(path));
  // Not before it is needed: no later start has a use for sharp in this process.
  const { renderSvg } = await import('../liveness/raster.ts');
  const drawing = await readFile(new URL('../../assets/portrait.svg', import.meta.url), 'utf8');
  await storeFile(path, await renderSvg(drawing));
}

/** An address that a command on this machine can use. */
function originOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Resolves when this was written; where it cannot be, the process ends (see main.ts). */
function show(text: string): Promise<void> {
  return new Promise((resolve) =>
    process.stdout.write(text, (error) => {
      if (!error) resolve();
    }),
  );
}

/** What is shown once, on the first start, and never again in a service's log. */
function firstSteps(origin: string, credential: FirstCredential, sample: string): string {
  const { appKey, secretKey, apiKey, adminToken } = credential;
  // Through the shell: curl gives commas and semicolons in a file name a meaning of their own.
  const picture = shellWord(sample);
  return `An app named "default" was made. These are shown this once, as only their hashes are kept:
  appKey       ${appKey}
  secretKey    ${secretKey}
  x-api-key    ${apiKey}
  admin token  ${adminToken}

The console, with these keys in its address; what follows the # never leaves the browser:
  ${origin}/#/?${new URLSearchParams({ appKey, secretKey, apiKey })}

NHN Cloud Face Liveness:
  curl ${origin}/v1.0/appkeys/${appKey}/spoofing -H 'Authorization: ${secretKey}' -F 'imageFile=@-;filename=portrait.jpg' < ${picture}

ARGOS Face Liveness:
  (printf '{"faceImage":"'; base64 < ${picture} | tr -d '\\n'; printf '"}') | curl ${origin}/modules/liveness -H 'x-api-key: ${apiKey}' -H 'Content-Type: application/json' -d @-

The native API:
  curl ${origin}/v1/assess -H 'x-api-key: ${apiKey}' -H 'Content-Type: image/jpeg' --data-binary @- < ${picture}

${sample} is a drawing as a screen shows it, so each says that it is an attack. Try a photograph of yourself.

`;
}

interface BannerFacts {
  origin: string;
  /** Of the database. */
  place: string;
  profile: string;
  note: string | undefined;
  isFirst: boolean;
}

/** What is printed when the server is ready. */
function banner({ origin, place, profile, note, isFirst }: BannerFacts): string {
  const lines = [`bonafide is ready on ${origin} with the ${profile} profile.`];
  if (note !== undefined) lines.push(note);
  if (!isFirst) {
    lines.push(`Console: ${origin}/`, `Apps and keys are in ${place}; bonafide keys list shows them.`);
  }
  lines.push(`OpenAPI document: ${origin}/openapi.json`);
  return `${lines.join('\n')}\n`;
}
