/** ARGOS Face Liveness on the wire: its schemas, its error codes, and the way from an assessment to its answer. */

import { type Static, Type } from 'typebox';
import type { Assessment, ImageFormat } from '../../liveness/types.ts';
import type { FailureCode } from '../dialect.ts';

/** Formats of the vendor's best-practices page. */
export const formats: readonly ImageFormat[] = ['jpeg', 'png', 'webp'];

/**
 * A second face with at least this share of the largest one's area stands in the foreground too: whose liveness would
 * the score be? Smaller ones are passers-by.
 */
const foregroundShare = 1 / 3;

export const Body = Type.Object(
  {
    faceImage: Type.String({
      minLength: 1,
      description: 'The image in base64, without a MIME prefix.',
    }),
  },
  // The vendor's error codes have no word for an unknown field, so one is not refused.
  { additionalProperties: true },
);

const TransactionId = Type.String({
  description: 'Names this request, for support.',
  examples: ['e0nvom3caiis7'],
});

export const Success = Type.Object({
  apiType: Type.Literal('id_live_face'),
  result: Type.Object({
    liveness_score: Type.Number({
      minimum: 0,
      maximum: 100,
      description: '100 x the calibrated probability of a live person.',
    }),
  }),
  transactionId: TransactionId,
});
export type Success = Static<typeof Success>;

export const Refusal = Type.Object({
  transactionId: TransactionId,
  message: Type.String(),
  errorCode: Type.Integer({
    description: '1016 faceImage is required; 1017 face analysis failed; 1001 the service is not available.',
  }),
});
export type Refusal = Static<typeof Refusal>;

/** What an API gateway answers for a key it does not know. */
export const Forbidden = Type.Object({ message: Type.Literal('Forbidden') });

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

/** Why a request with this failure is refused: no image, the wrong place, no service just now, or an image of no use. */
const refusals: Readonly<Record<FailureCode, 'required' | 'elsewhere' | 'unavailable' | Reason>> = {
  invalid_request: 'required',
  unsupported_media_type: 'required',
  method_not_allowed: 'elsewhere',
  not_found: 'elsewhere',
  unauthorized: 'required',
  too_many_bytes: 'IMAGE_TOO_LARGE',
  image_too_large: 'IMAGE_TOO_LARGE',
  invalid_base64: 'INVALID_BASE64',
  unsupported_format: 'UNSUPPORTED_IMAGE_FORMAT',
  undecodable_image: 'IMAGE_DAMAGED',
  url_invalid: 'ANALYSIS_FAILED',
  url_blocked: 'ANALYSIS_FAILED',
  url_unreachable: 'ANALYSIS_FAILED',
  url_bad_status: 'ANALYSIS_FAILED',
  url_not_an_image: 'ANALYSIS_FAILED',
  url_timeout: 'ANALYSIS_FAILED',
  engine_failure: 'ANALYSIS_FAILED',
  service_full: 'unavailable',
  service_draining: 'unavailable',
  queue_full: 'unavailable',
  deadline_exceeded: 'unavailable',
  aborted: 'unavailable',
  worker_died: 'unavailable',
};

/** The body of a refused request. */
export function toRefusal(code: FailureCode, transactionId: string): Refusal {
  const refusal = refusals[code];
  switch (refusal) {
    case 'required':
      return { transactionId, message: 'faceImage is required', errorCode: 1016 };
    case 'elsewhere':
      return { transactionId, message: 'Use POST /modules/liveness with faceImage', errorCode: 1016 };
    case 'unavailable':
      return { transactionId, message: 'Service is not available', errorCode: 1001 };
    default:
      return analysisFailed(refusal, transactionId);
  }
}

function analysisFailed(reason: Reason, transactionId: string): Refusal {
  return { transactionId, message: `Fail to analyze face: ${reason}`, errorCode: 1017 };
}

/** The answer for an assessed image: the score of its largest face, or why there is none. */
export function toAnswer({ faces, tooSmall }: Assessment, transactionId: string): Success | Refusal {
  const [largest, second] = faces;
  if (largest === undefined) {
    return analysisFailed(tooSmall > 0 ? 'FACE_TOO_SMALL' : 'FACE_NOT_FOUND', transactionId);
  }
  const area = ({ box }: typeof largest) => (box.x1 - box.x0) * (box.y1 - box.y0);
  if (second !== undefined && area(second) >= area(largest) * foregroundShare) {
    return analysisFailed('TOO_MANY_FACES', transactionId);
  }
  return {
    apiType: 'id_live_face',
    // Two decimals: the rest is noise of the network.
    result: { liveness_score: Math.round(largest.pLive * 10_000) / 100 },
    transactionId,
  };
}
