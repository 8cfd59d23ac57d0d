/** ARGOS Face Liveness on the wire: its schemas, its error codes, and the way from an assessment to its answer. */

import { type Static, Type } from 'typebox';
import type { Assessment, ImageFormat } from '../../liveness/types.ts';
import { type Example, withExamples } from '../../server/examples.ts';
import {
  type Answered,
  type Failure,
  type FailureCode,
  jsonType,
  limiting,
  type Refusal,
  retryAfter,
} from '../dialect.ts';
import { portraitBase64 } from '../portrait.ts';

/** Formats of the vendor's best-practices page. */
export const formats: readonly ImageFormat[] = ['jpeg', 'png', 'webp'];

/**
 * A second face with at least this share of the largest one's area stands in the foreground too: whose liveness would
 * the score be? Smaller ones are passers-by.
 */
const foregroundShare = 1 / 3;

export const Body = withExamples(
  Type.Object(
    {
      faceImage: Type.String({
        // In place of a least length, which is told by counting the characters of the whole image.
        not: { const: '' },
        description: 'The image in base64, without a MIME prefix.',
      }),
    },
    // The vendor's error codes have no word for an unknown field, so one is not refused.
    { additionalProperties: true },
  ),
  { portrait: { summary: 'The drawn portrait', value: { faceImage: portraitBase64 } } },
);

const TransactionId = Type.String({
  description: 'Names this request, for support.',
  examples: ['e0nvom3caiis7'],
});

const transactionId = 'e0nvom3caiis7';

const success = (score: number) =>
  ({ apiType: 'id_live_face', result: { liveness_score: score }, transactionId }) as const;

export const Success = withExamples(
  Type.Object(
    {
      apiType: Type.Literal('id_live_face'),
      result: Type.Object({
        liveness_score: Type.Number({
          minimum: 0,
          maximum: 100,
          description: '100 x the calibrated probability of a live person.',
        }),
      }),
      transactionId: TransactionId,
    },
    { description: 'The score of the largest face.' },
  ),
  {
    vendor: { summary: "The vendor's example: a person", value: success(95) },
    portrait: { summary: 'The drawn portrait', value: success(0.89) },
  },
);
export type Success = Static<typeof Success>;

const errorCodes = { required: 1016, failed: 1017, unavailable: 1001 } as const;

export const ErrorBody = Type.Object({
  transactionId: TransactionId,
  message: Type.String(),
  errorCode: Type.Enum(Object.values(errorCodes), {
    type: 'integer',
    description:
      '1016 faceImage is required; 1017 face analysis failed; 1001 the service is not available, or not to this caller now.',
  }),
});
export type ErrorBody = Static<typeof ErrorBody>;

/** What the vendor's gateway answers for a key it does not know. */
export const Forbidden = withExamples(
  Type.Object({ message: Type.Literal('Forbidden') }, { description: 'The key is missing or wrong.' }),
  { forbidden: { summary: 'A wrong key', value: { message: 'Forbidden' } } },
);

/** Why a face could not be analysed, in the words of the vendor's field. */
type Reason =
  | 'FACE_NOT_FOUND'
  | 'TOO_MANY_FACES'
  | 'FACE_TOO_SMALL'
  | 'INVALID_BASE64'
  | 'IMAGE_TOO_LARGE'
  | 'UNSUPPORTED_IMAGE_FORMAT'
  | 'IMAGE_DAMAGED'
  | 'ANALYSIS_FAILED';

type Words = Omit<ErrorBody, 'transactionId'>;

const failed = (reason: Reason): Words => ({
  message: `Fail to analyze face: ${reason}`,
  errorCode: errorCodes.failed,
});
const required: Words = { message: 'faceImage is required', errorCode: errorCodes.required };
const elsewhere: Words = {
  message: 'Use POST /modules/liveness with faceImage',
  errorCode: errorCodes.required,
};
const unavailable: Words = { message: 'Service is not available', errorCode: errorCodes.unavailable };
const tooMany: Words = { message: 'Too many requests', errorCode: errorCodes.unavailable };
const quotaExceeded: Words = { message: 'Quota is exceeded', errorCode: errorCodes.unavailable };

const wordsByFailure: Readonly<Record<Exclude<FailureCode, 'unauthorized'>, Words>> = {
  invalid_request: required,
  unsupported_media_type: required,
  malformed_http: required,
  headers_too_large: required,
  request_timeout: required,
  method_not_allowed: elsewhere,
  not_found: elsewhere,
  conflict: elsewhere,
  precondition_failed: elsewhere,
  range_not_satisfiable: elsewhere,
  too_many_bytes: failed('IMAGE_TOO_LARGE'),
  image_too_large: failed('IMAGE_TOO_LARGE'),
  invalid_base64: failed('INVALID_BASE64'),
  unsupported_format: failed('UNSUPPORTED_IMAGE_FORMAT'),
  undecodable_image: failed('IMAGE_DAMAGED'),
  url_invalid: failed('ANALYSIS_FAILED'),
  url_blocked: failed('ANALYSIS_FAILED'),
  url_unreachable: failed('ANALYSIS_FAILED'),
  url_bad_status: failed('ANALYSIS_FAILED'),
  url_not_an_image: failed('ANALYSIS_FAILED'),
  url_timeout: failed('ANALYSIS_FAILED'),
  engine_failure: failed('ANALYSIS_FAILED'),
  too_many_wrong_keys: tooMany,
  rate_limited: tooMany,
  quota_exceeded: quotaExceeded,
  service_full: unavailable,
  service_draining: unavailable,
  storage_unavailable: unavailable,
  log_unavailable: unavailable,
  queue_full: unavailable,
  deadline_exceeded: unavailable,
  aborted: unavailable,
  worker_died: unavailable,
};

const shown = (summary: string, words: Words): Example<ErrorBody> => ({
  summary,
  value: { transactionId, ...words },
});

/** Answers by HTTP status. */
export const responses = {
  200: Success,
  400: withExamples(
    { ...ErrorBody, description: 'No faceImage (1016), or one of no use (1017).' },
    {
      required: shown('No faceImage', required),
      FACE_NOT_FOUND: shown('No face in it', failed('FACE_NOT_FOUND')),
      TOO_MANY_FACES: shown('A second person in the foreground', failed('TOO_MANY_FACES')),
      FACE_TOO_SMALL: shown('No face from 60 px on', failed('FACE_TOO_SMALL')),
      INVALID_BASE64: shown('Not canonical base64', failed('INVALID_BASE64')),
      IMAGE_TOO_LARGE: shown('More bytes or pixels than are allowed', failed('IMAGE_TOO_LARGE')),
      UNSUPPORTED_IMAGE_FORMAT: shown('Neither JPEG, PNG nor WebP', failed('UNSUPPORTED_IMAGE_FORMAT')),
      IMAGE_DAMAGED: shown('Damaged or cut short', failed('IMAGE_DAMAGED')),
      ANALYSIS_FAILED: shown('A defect of ours', failed('ANALYSIS_FAILED')),
    },
  ),
  403: Forbidden,
  429: withExamples(
    {
      ...ErrorBody,
      description:
        'Over a rate or a quota, or too many wrong keys (1001); `Retry-After` says when to ask again.',
    },
    { quota: shown('Over a quota', quotaExceeded) },
  ),
  503: withExamples(
    {
      ...ErrorBody,
      description: 'Full, shutting down or out of time (1001); `Retry-After` says when to ask again.',
    },
    { full: shown('Full', unavailable) },
  ),
};

/** A failure in the vendor's words. */
export function toRefusal(failure: Failure, transactionId: string): Refusal {
  const { code } = failure;
  const headers = { 'content-type': jsonType, ...retryAfter(failure) };
  if (code === 'unauthorized') return { status: 403, headers, body: { message: 'Forbidden' } };
  return { status: statusOf(code), headers, body: { transactionId, ...wordsByFailure[code] } };
}

function statusOf(code: Exclude<FailureCode, 'unauthorized'>): number {
  if (code === 'not_found') return 404;
  if (limiting.has(code)) return 429;
  return wordsByFailure[code] === unavailable ? 503 : 400;
}

/** The answer for an assessed image: the score of its largest face, or why there is none. */
export function toAnswer(
  { faces, tooSmall }: Assessment,
  transactionId: string,
): Answered<Success | ErrorBody> {
  const [largest, second] = faces;
  if (largest === undefined) {
    return tooSmall > 0
      ? { outcome: 'face_too_small', answer: { transactionId, ...failed('FACE_TOO_SMALL') } }
      : { outcome: 'no_face', answer: { transactionId, ...failed('FACE_NOT_FOUND') } };
  }
  const area = ({ box }: typeof largest) => (box.x1 - box.x0) * (box.y1 - box.y0);
  if (second !== undefined && area(second) >= area(largest) * foregroundShare) {
    return { outcome: 'too_many_faces', answer: { transactionId, ...failed('TOO_MANY_FACES') } };
  }
  return {
    outcome: largest.verdicts.balanced,
    answer: {
      apiType: 'id_live_face',
      // Two decimals: the rest is noise of the network.
      result: { liveness_score: Math.round(largest.pLive * 10_000) / 100 },
      transactionId,
    },
  };
}
