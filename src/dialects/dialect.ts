/** The contract a vendor's API fulfils: its own paths, its own words, its own errors, over the same services. */

import { randomInt } from 'node:crypto';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { IntakeError, type IntakeErrorCode } from '../intake/errors.ts';
import type { RemoteImageFetcher } from '../intake/remote-image.ts';
import { AssessmentError, type EngineErrorCode } from '../liveness/errors.ts';
import type { Engine } from '../liveness/pool.ts';
import type { Assessment, ImageFormat, OperatingPointName } from '../liveness/types.ts';
import { free } from '../memory.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import type { Authenticator, Caller, Looking } from '../server/auth.ts';
import { RequestError, type RequestErrorCode } from '../server/errors.ts';
import type { Gate } from '../server/gate.ts';
import type { Limiter } from '../server/limits.ts';
import type { Recorder } from '../server/recorder.ts';
import type { SeenBefore } from '../server/seen-before.ts';
import type { WrongKeys } from '../server/wrong-keys.ts';
import type { Availability } from '../storage/availability.ts';

/** Every way in which a request can fail. Each dialect maps all of them to its own words. */
export type FailureCode = RequestErrorCode | IntakeErrorCode | EngineErrorCode;

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** What the log says instead, where the message repeats what was sent: that may be a key in the wrong place. */
  readonly reason?: string | undefined;
  /** When to try again, where that is known. */
  readonly retryAfterSeconds?: number | undefined;
}

/** What became of a request, for log and metrics. A closed set: it is a label of a metric. */
export type Outcome =
  | 'live'
  | 'attack'
  | 'no_face'
  | 'face_too_small'
  | 'too_many_faces'
  | 'image_too_small'
  | FailureCode;

/** What a dialect says of an assessed image, and what that comes to. */
export interface Answered<Answer> {
  readonly answer: Answer;
  readonly outcome: Outcome;
}

/** How a failure is answered: all of the response, so that it can also be sent where there is no framework yet. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** What a dialect works with. */
export interface Services {
  readonly engine: Engine;
  readonly profile: ResolvedProfile;
  /** Why the profile in use is not the one hoped for, in a sentence. */
  readonly profileNote?: string | undefined;
  readonly remoteImages: RemoteImageFetcher;
  readonly authenticator: Authenticator;
  readonly wrongKeys: WrongKeys;
  readonly limiter: Limiter;
  readonly recorder: Recorder;
  readonly availability: Availability;
  readonly gate: Gate;
  /** Largest image in bytes. */
  readonly maxImageBytes: number;
  readonly nhnConfidence: 'fraction' | 'percent';
}

/** A vendor's API. */
export interface Dialect {
  readonly name: 'nhn' | 'argos' | 'native';
  /** Everything below these paths is the dialect's, unknown paths and wrong methods included. */
  readonly prefixes: readonly string[];
  /** Where a caller's key is. */
  readonly keyHeader: 'authorization' | 'x-api-key';
  /** The routes below one of the prefixes. */
  routes(services: Services, prefix: string): FastifyPluginAsync;
  /** A failure in the dialect's own envelope. */
  refusal(failure: Failure, requestId: string): Refusal;
}

declare module 'fastify' {
  interface FastifyRequest {
    outcome: Outcome | undefined;
    /** Who asks, once the key was found right. */
    caller: Caller | undefined;
    /** The dialect that answers, for log and metrics. */
    dialect: Dialect['name'] | undefined;
  }
}

/** The codes that mean "not now" rather than "not like this". */
export const retryable: ReadonlySet<FailureCode> = new Set([
  'service_full',
  'service_draining',
  'storage_unavailable',
  'log_unavailable',
  'queue_full',
  'deadline_exceeded',
  'worker_died',
]);

/** The codes that mean "not so much" of a caller. */
export const limiting: ReadonlySet<FailureCode> = new Set([
  'rate_limited',
  'quota_exceeded',
  'too_many_wrong_keys',
]);

/** The header of a refusal that tells a client when to try again, in seconds, where that may help. */
export function retryAfter({ code, retryAfterSeconds }: Failure): { 'retry-after'?: string } {
  const seconds = retryAfterSeconds ?? (retryable.has(code) ? 1 : undefined);
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
}

/** As Fastify names the media type of JSON. */
export const jsonType = 'application/json; charset=utf-8';

/** A transaction id: 13 characters of base 36, as ARGOS's example has them. */
export function newTransactionId(): string {
  return Array.from({ length: 13 }, () => randomInt(36).toString(36)).join('');
}

/**
 * Takes its body from a request, which lasts until its answer is out: the text of an image would be held beside its bytes all that time.
 * @throws RequestError `invalid_request` where there is none.
 */
export function takeBody<Body>(request: { body: Body | undefined }): Body {
  const { body } = request;
  if (body === undefined) throw new RequestError('invalid_request', 'The body is empty.');
  request.body = undefined;
  return body;
}

/** An abort signal that fires when the client is gone before its answer. */
export function whenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new AssessmentError('aborted', 'The caller went away.'));
    }
  };
  // It may have gone before anybody asked.
  if (reply.raw.destroyed) end();
  else reply.raw.once('close', end);
  return controller.signal;
}

/**
 * Lets a request in, on its head alone: what follows costs memory and time, so only who has a key is let near it.
 * @param find looks for the key that the request carries.
 * @throws RequestError `unauthorized` or `too_many_wrong_keys`; with a right key, one of those of log, gate and limits.
 */
export async function admit(
  { wrongKeys, limiter, recorder, gate }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  find: (looking: Looking) => Promise<Caller | undefined>,
): Promise<void> {
  const { ip } = request as { ip?: string };
  if (ip === undefined) throw new AssessmentError('aborted', 'The caller went away.');
  // A right key is never locked out by what others at its address send, as long as this node knows it.
  const known = await find({ cachedOnly: true });
  const caller = known ?? ((await wrongKeys.areTooMany(ip)) ? undefined : await find({}));
  if (caller === undefined) {
    const seconds = await wrongKeys.note(ip);
    if (seconds === undefined) throw new RequestError('unauthorized', 'The key is missing or wrong.');
    throw new RequestError('too_many_wrong_keys', 'Too many wrong keys came from this address.', seconds);
  }
  request.caller = caller;
  recorder.requireRoom();
  // Before the limits, so that what the server has no room for takes nothing of a quota.
  await gate.admit(reply);
  await limiter.consume(caller, reply);
}

/**
 * Assesses the image of a request, and has its transaction tell of it.
 * @param bytes gone afterwards.
 * @param mode the operating point that the answer is for.
 * @throws AssessmentError
 */
export async function assess(
  { engine, recorder }: Services,
  reply: FastifyReply,
  bytes: Uint8Array,
  { mode, ...options }: { mode: OperatingPointName; admitted: readonly ImageFormat[]; signal: AbortSignal },
): Promise<{ assessment: Assessment; seenBefore: SeenBefore | undefined }> {
  const released = Promise.withResolvers<void>();
  const assessing = engine.assess(bytes, { ...options, onReleased: released.resolve });
  const seenBefore = recorder.noteImage(reply, bytes, mode);
  Promise.all([released.promise, seenBefore]).then(() => free(bytes));
  const assessment = await assessing;
  recorder.noteAssessment(reply, assessment);
  return { assessment, seenBefore: await seenBefore };
}

/** What became of an image, for log and metrics; one attack among several faces is an attack. */
export function outcomeOf({ faces }: Assessment, point: OperatingPointName): 'live' | 'attack' | 'no_face' {
  if (faces.length === 0) return 'no_face';
  return faces.some(({ verdicts }) => verdicts[point] === 'attack') ? 'attack' : 'live';
}

/** Gives other methods than POST their own refusal: "wrong method" helps more than "unknown path". */
export function refuseOtherMethods(app: FastifyInstance, url: string): void {
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url,
    schema: { hide: true },
    onRequest: async (_request, reply) => {
      reply.header('allow', 'POST');
      throw new RequestError('method_not_allowed', 'Only POST is allowed here.');
    },
    handler: () => {},
  });
}

/** Names any error that reached a dialect's error handler. An unknown one is a defect of ours. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RequestError) {
    const { code, message, retryAfterSeconds } = error;
    // These name what there is not, or already.
    const reason = code === 'not_found' || code === 'conflict' ? code : undefined;
    return { code, message, reason, retryAfterSeconds };
  }
  if (error instanceof IntakeError || error instanceof AssessmentError) {
    return { code: error.code, message: error.message };
  }
  const { code, statusCode, validation, validationContext, message } = error as {
    code?: string | number;
    statusCode?: number;
    validation?: { instancePath: string; message?: string; params?: Record<string, unknown> }[];
    validationContext?: string;
    message?: string;
  };
  if (validation !== undefined) {
    return { code: 'invalid_request', ...describeValidation(validation[0], validationContext) };
  }
  // Fastify's and its plugins' own errors about the client's request.
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { code: 'too_many_bytes', message: 'The request has more bytes than are allowed.' };
  }
  if (code === 'ECONNRESET') {
    return { code: 'aborted', message: 'The caller went away.' };
  }
  if (code === 'FST_ERR_BAD_URL') {
    // Its own message repeats the path, in which NHN's appKey stands.
    return { code: 'invalid_request', message: 'The path is malformed.' };
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { code: 'unsupported_media_type', message: 'The Content-Type is missing or not supported here.' };
  }
  // A code may also be a number: DOMException has them.
  if (typeof code === 'string' && code.startsWith('FST_') && statusCode !== undefined && statusCode < 500) {
    return { code: 'invalid_request', message: `${message ?? 'The request is malformed'}.`, reason: code };
  }
  if (error instanceof SyntaxError)
    return { code: 'invalid_request', message: 'The body is not valid JSON.' };
  return { code: 'engine_failure', message: 'The server failed.' };
}

function describeValidation(
  problem: { instancePath: string; message?: string; params?: Record<string, unknown> } | undefined,
  context: string | undefined,
): Pick<Failure, 'message' | 'reason'> {
  const whole = context === 'querystring' ? 'The query' : context === 'headers' ? 'The head' : 'The body';
  const where = problem?.instancePath ? problem.instancePath.slice(1).replaceAll('/', '.') : whole;
  const extra = problem?.params?.additionalProperty;
  // Cut, for a whole image can be sent where a name belongs.
  const name = extra === undefined ? '' : ` (${String(extra).slice(0, 40)})`;
  const reason = `${where} ${problem?.message ?? 'is invalid'}`;
  return { message: `${reason}${name}.`, reason: `${reason}.` };
}
