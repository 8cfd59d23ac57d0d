/**
 * The log of transactions: every answer to somebody with a right key is in the journal before it is sent, and in the
 * database soon after (docs/adr/0007-journal.md).
 */

import { createHash } from 'node:crypto';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { Assessment, OperatingPointName } from '../liveness/types.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import type { Availability } from '../storage/availability.ts';
import { type Journal, JournalError } from '../storage/journal.ts';
import type { Transaction, Transactions } from '../storage/transactions.ts';
import type { Caller } from './auth.ts';
import { type ClientAddressMode, keptAddress } from './client-address.ts';
import { RequestError } from './errors.ts';
import type { SeenBefore, SeenBeforeLookup } from './seen-before.ts';
import { tagHeader, tagOf } from './tag.ts';

export interface RecorderOptions {
  readonly journal: Journal;
  readonly transactions: Transactions;
  readonly availability: Availability;
  /** Where pictures are compared with earlier ones. */
  readonly seenBefore: SeenBeforeLookup | undefined;
  readonly profile: ResolvedProfile;
  readonly clientAddress: ClientAddressMode;
  readonly logger: FastifyBaseLogger;
  /** Told of every transaction that was kept. */
  readonly onRecorded: (transaction: Transaction) => void;
}

export interface Recorder {
  /** @throws RequestError `log_unavailable` where an answer could not be kept. */
  requireRoom(): void;
  /**
   * Notes the image of a request and compares it with earlier ones, beside the assessment. Never rejects.
   * @param bytes read until it resolves.
   * @returns undefined where pictures are not compared.
   */
  noteImage(
    reply: FastifyReply,
    bytes: Uint8Array,
    mode: OperatingPointName,
  ): Promise<SeenBefore | undefined>;
  noteAssessment(reply: FastifyReply, assessment: Assessment): void;
  /**
   * Writes the row of a request whose answer is about to be sent; nothing where nobody with a right key asked.
   * @throws RequestError `log_unavailable`, and the answer must not be sent.
   */
  record(reply: FastifyReply): Promise<void>;
  /** Bytes in the journal that are not in the database yet. */
  readonly backlogBytes: number;
  /** Whether the next answer could not be kept. */
  readonly isFull: boolean;
  /** Whether the last answer could not be kept because the disk fails. */
  readonly isFailing: boolean;
  /** Whether the database answers and yet did not take the last batch, which stays in the journal. */
  readonly isRefused: boolean;
  /** Writes what waits into the database, if that answers, and ends. What is left is for the next start. */
  close(): Promise<void>;
}

/** What is known of a request's image on the way. */
interface Noted {
  /** When the request began. */
  readonly time: number;
  readonly bytes: number;
  readonly mode: OperatingPointName;
  /** SHA-256 in hexadecimal, where it could be made. */
  readonly sha256: Promise<string | undefined>;
  readonly seenBefore: Promise<SeenBefore | undefined>;
  assessment?: Assessment;
}

/** From an answer to its row in the database, where that answers. */
const batchMs = 500;
/** Until what a process left that died beside this one is taken over. */
const adoptMs = 60_000;

/** Begins at once to write what an earlier process left. */
export function startRecorder(options: RecorderOptions): Recorder {
  const { journal, transactions, availability, seenBefore, profile, clientAddress, logger } = options;
  const noted = new WeakMap<FastifyRequest, Noted>();
  const models = profile.models.map(({ id, sha256 }) => ({ id, sha256 }));
  let writing: Promise<void> | undefined;
  let isRefused = false;

  async function commit(lines: readonly string[]): Promise<void> {
    const rows = lines.flatMap((line) => toTransaction(line, logger));
    await transactions.insert(rows);
    for (const { app, imageSha256, id } of rows) {
      if (imageSha256 !== null) seenBefore?.forget(app, imageSha256, id);
    }
  }

  function write(): Promise<void> {
    if (journal.bytes === 0) return writing ?? Promise.resolve();
    writing ??= journal
      .drain((lines) => availability.run(() => commit(lines)))
      .then(() => {
        isRefused = false;
      })
      .catch((error) => {
        const wasRefused = isRefused;
        // That the database is away is logged where it is noticed, once, as this is.
        isRefused = availability.isUp;
        if (isRefused && !wasRefused) logger.error({ err: error }, 'transactions stay in the journal');
      })
      .finally(() => {
        writing = undefined;
      });
    return writing;
  }

  const batches = setInterval(() => {
    write();
    journal.probe();
  }, batchMs).unref();
  const adoptions = setInterval(() => {
    try {
      journal.adopt();
    } catch (error) {
      logger.error({ err: error }, 'the journals of other processes cannot be looked at');
    }
  }, adoptMs).unref();

  async function toRow({ app, key }: Caller, reply: FastifyReply): Promise<Transaction> {
    const { request } = reply;
    const image = noted.get(request);
    const { assessment } = image ?? {};
    const seen = await image?.seenBefore;
    const { dialect, outcome } = request;
    return {
      id: request.id,
      time: image?.time ?? beginOf(reply),
      app: app.id,
      key: key.id,
      dialect: dialect ?? '',
      mode: image?.mode ?? null,
      outcome: outcome ?? 'engine_failure',
      status: reply.statusCode,
      faces: assessment?.faces.length ?? null,
      pLive: assessment?.faces.map(({ pLive }) => rounded(pLive, 1e6)) ?? null,
      verdicts: assessment?.faces.map(({ verdicts }) => verdicts) ?? null,
      profile: assessment === undefined ? null : profile.profile.id,
      models: assessment === undefined ? null : models,
      calibrationSha256: assessment === undefined ? null : (profile.calibrationSha256 ?? null),
      imageSha256: (await image?.sha256) ?? null,
      imageBytes: image?.bytes ?? null,
      imageFormat: assessment?.image.format ?? null,
      width: assessment?.image.width ?? null,
      height: assessment?.image.height ?? null,
      timings: assessment === undefined ? null : roundedTimings(assessment.timings),
      totalMs: rounded(reply.elapsedTime, 100),
      client: keptAddress(request.ip, clientAddress),
      tag: tagOf(request.headers[tagHeader]) ?? null,
      seenBefore: seen?.status === 'seen' ? seen.requestId : null,
    };
  }

  return {
    requireRoom() {
      if (journal.isFull) throw unavailable();
    },
    noteImage(reply, bytes, mode) {
      const { request } = reply;
      const sha256 = digest(bytes).catch((error) => {
        logger.error({ err: error }, 'a picture has no SHA-256');
        return undefined;
      });
      const time = beginOf(reply);
      const look = async () => {
        const { caller, id } = request;
        const known = await sha256;
        if (caller !== undefined && known !== undefined)
          return await seenBefore?.look(caller.app.id, known, id, time);
        return undefined;
      };
      const image = { time, bytes: bytes.length, mode, sha256, seenBefore: look() };
      noted.set(request, image);
      return image.seenBefore;
    },
    noteAssessment({ request }, assessment) {
      const image = noted.get(request);
      if (image !== undefined) image.assessment = assessment;
    },
    async record(reply) {
      const { caller, outcome } = reply.request;
      // The last one says that there is no row.
      if (caller === undefined || outcome === 'log_unavailable') return;
      const row = await toRow(caller, reply);
      try {
        await journal.append(JSON.stringify(row));
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        if (row.imageSha256 !== null) seenBefore?.forget(row.app, row.imageSha256, row.id);
        throw unavailable(error);
      }
      options.onRecorded(row);
    },
    get backlogBytes() {
      return journal.bytes;
    },
    get isFull() {
      return journal.isFull;
    },
    get isFailing() {
      return journal.isFailing;
    },
    get isRefused() {
      return isRefused;
    },
    async close() {
      clearInterval(batches);
      clearInterval(adoptions);
      // Once more when the batch under way is done, for what came in the meantime.
      await write();
      await write();
      await journal.close();
    },
  };
}

/** When a request began, in milliseconds since 1970. */
function beginOf(reply: FastifyReply): number {
  return Math.round(Date.now() - reply.elapsedTime);
}

function unavailable(cause?: unknown): RequestError {
  return new RequestError(
    'log_unavailable',
    'The transaction cannot be kept, so it is not answered.',
    undefined,
    {
      cause,
    },
  );
}

function toTransaction(line: string, logger: FastifyBaseLogger): Transaction[] {
  try {
    return [JSON.parse(line) as Transaction];
  } catch {
    // Only a damaged disk can do that, and it must not keep the others from the database.
    logger.error('a line of the journal is damaged and is left out of the log');
    return [];
  }
}

/** Of a picture that are hashed at once: a millisecond of the event loop. */
const hashedAtOnce = 1_000_000;

/** In pieces, between which others have their turn. A thread of the pool would be given a copy and take half as long again, for most pictures to spare nobody anything. */
async function digest(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += hashedAtOnce) {
    if (at > 0) await turnOfOthers();
    hash.update(bytes.subarray(at, at + hashedAtOnce));
  }
  return hash.digest('hex');
}

function rounded(value: number, per: number): number {
  return Math.round(value * per) / per;
}

/** Hundredths of a millisecond: the rest is noise. */
function roundedTimings(timings: Assessment['timings']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(timings).map(([stage, ms]) => [stage, rounded(ms as number, 100)]),
  );
}
