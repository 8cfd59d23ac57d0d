/** The contract a vendor's API fulfils: its own paths, its own words, its own errors, over the same services. */

import { randomInt } from 'node:crypto';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { IntakeError, type IntakeErrorCode } from '../intake/errors.ts';
import type { RemoteImageFetcher } from '../intake/remote-image.ts';
import { AssessmentError, type EngineErrorCode } from '../liveness/errors.ts';
import type { Engine } from '../liveness/pool.ts';
import type { Assessment, OperatingPointName } from '../liveness/types.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import type { Authenticator } from '../server/auth.ts';
import { RequestError, type RequestErrorCode } from '../server/errors.ts';
import type { Gate } from '../server/gate.ts';

/** Every way in which a request can fail. Each dialect maps all of them to its own words. */
export type FailureCode = RequestErrorCode | IntakeErrorCode | EngineErrorCode;

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
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
  /** The routes below one of the prefixes. */
  routes(services: Services, prefix: string): FastifyPluginAsync;
  /** A failure in the dialect's own envelope. */
  refusal(failure: Failure, requestId: string): Refusal;
}

declare module 'fastify' {
  interface FastifyRequest {
    outcome: Outcome | undefined;
    /** The dialect that answers, for log and metrics. */
    dialect: Dialect['name'] | undefined;
  }
}

/** The codes that mean "not now" rather than "not like this". */
export const retryable: ReadonlySet<FailureCode> = new Set([
  'service_full',
  'service_draining',
  'queue_full',
  'deadline_exceeded',
  'worker_died',
]);

/** The header of a refusal that tells a client when to try again, in seconds, where that may help. */
export function retryAfter(code: FailureCode): { 'retry-after'?: string } {
  return retryable.has(code) ? { 'retry-after': '1' } : {};
}

/** As Fastify names the media type of JSON. */
export const jsonType = 'application/json; charset=utf-8';

/** A transaction id: 13 characters of base 36, as ARGOS's example has them. */
export function newTransactionId(): string {
  return Array.from({ length: 13 }, () => randomInt(36).toString(36)).join('');
}

/** An abort signal that fires when the client is gone before its answer. */
export function whenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new AssessmentError('aborted', 'The caller went away.'));
    }
  });
  return controller.signal;
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
  if (error instanceof RequestError || error instanceof IntakeError || error instanceof AssessmentError) {
    return { code: error.code, message: error.message };
  }
  const { code, statusCode, validation, message } = error as {
    code?: string | number;
    statusCode?: number;
    validation?: { instancePath: string; message?: string; params?: Record<string, unknown> }[];
    message?: string;
  };
  if (validation !== undefined) {
    return { code: 'invalid_request', message: describeValidation(validation[0]) };
  }
  // Fastify's and its plugins' own errors about the client's request.
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || code === 'FST_REQ_FILE_TOO_LARGE') {
    return { code: 'too_many_bytes', message: 'The request has more bytes than are allowed.' };
  }
  if (code === 'ECONNRESET' || code === 'FST_MP_PREMATURE_CLOSE') {
    return { code: 'aborted', message: 'The caller went away.' };
  }
  if (code === 'FST_ERR_BAD_URL') {
    // Its own message repeats the path, in which NHN's appKey stands.
    return { code: 'invalid_request', message: 'The path is malformed.' };
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { code: 'unsupported_media_type', message: 'The Content-Type is missing or not supported here.' };
  }
  if (code === 'FST_PARTS_LIMIT' || code === 'FST_FILES_LIMIT' || code === 'FST_FIELDS_LIMIT') {
    return { code: 'invalid_request', message: 'The form has more parts than are allowed.' };
  }
  // A code may also be a number: DOMException has them.
  if (typeof code === 'string' && code.startsWith('FST_') && statusCode !== undefined && statusCode < 500) {
    return { code: 'invalid_request', message: `${message ?? 'The request is malformed'}.` };
  }
  if (error instanceof SyntaxError)
    return { code: 'invalid_request', message: 'The body is not valid JSON.' };
  return { code: 'engine_failure', message: 'The server failed.' };
}

function describeValidation(
  problem: { instancePath: string; message?: string; params?: Record<string, unknown> } | undefined,
): string {
  const where = problem?.instancePath ? problem.instancePath.slice(1).replaceAll('/', '.') : 'The body';
  const extra = problem?.params?.additionalProperty;
  // Cut, for a whole image can be sent where a name belongs.
  const name = extra === undefined ? '' : ` (${String(extra).slice(0, 40)})`;
  return `${where} ${problem?.message ?? 'is invalid'}${name}.`;
}
