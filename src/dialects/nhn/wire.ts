/** NHN Cloud Face Liveness on the wire: its schemas, its result codes, and the way from an assessment to its answer. */

import { type Static, Type } from 'typebox';
import { maxUrlLength, type PortRange } from '../../intake/remote-image.ts';
import {
  type Assessment,
  type ImageFormat,
  landmarkNames,
  type OperatingPointName,
  operatingPointNames,
} from '../../liveness/types.ts';
import { type Example, examplesKeyword, withExamples } from '../../server/examples.ts';
import { UploadedFile } from '../../server/upload.ts';
import {
  type Answered,
  type Failure,
  type FailureCode,
  jsonType,
  limiting,
  outcomeOf,
  type Refusal,
  retryAfter,
  retryable,
} from '../dialect.ts';
import { elidedPortrait, portraitBase64 } from '../portrait.ts';

/** The published limits of the vendor. */
export const limits = {
  /** Bytes of an image. */
  imageBytes: 3_000_000,
  /** Width and height in pixels, each. */
  imageSide: 80,
  formats: ['jpeg', 'png'] as const satisfies ImageFormat[],
  /** Ports an image URL may name. */
  urlPorts: [
    { from: 80, to: 80 },
    { from: 443, to: 443 },
    { from: 10_000, to: 12_000 },
  ] as const satisfies PortRange[],
} as const;

const strict = { additionalProperties: false } as const;

const SpoofingCondition = Type.Optional(
  Type.Enum([...operatingPointNames], {
    default: 'balanced',
    description: 'Sensitivity of the spoofing decision.',
  }),
);

export const JsonBody = withExamples(
  Type.Object(
    {
      image: Type.Object(
        {
          url: Type.Optional(
            Type.String({ description: `Address of the image, of at most ${maxUrlLength} characters.` }),
          ),
          bytes: Type.Optional(Type.String({ description: 'The image in base64.' })),
        },
        { ...strict, minProperties: 1, maxProperties: 1, description: 'Exactly one of url and bytes.' },
      ),
      spoofingCondition: SpoofingCondition,
    },
    strict,
  ),
  {
    bytes: {
      summary: 'The image in base64',
      value: { image: { bytes: portraitBase64 }, spoofingCondition: 'balanced' },
    },
    url: {
      summary: "The vendor's example: the address of an image",
      value: { image: { url: 'https://...' } },
    },
  },
);

export const FormBody = {
  ...Type.Object({ imageFile: UploadedFile, spoofingCondition: SpoofingCondition }, strict),
  [examplesKeyword]: {
    file: {
      summary: 'The drawn portrait',
      value: { imageFile: elidedPortrait, spoofingCondition: 'balanced' },
    },
  },
};

export const PathParams = Type.Object({
  appKey: Type.String({ description: 'The app key of the credential.', examples: ['Zp3fQx0aK9mV1cRt'] }),
});

/** The vendor's result codes of failures, by message. */
export const results = {
  InvalidParam: -40000,
  ServiceQuotaExceededException: -40070,
  UnauthorizedAppKeyOrSecretKey: -41005,
  ImageTooLargeException: -45020,
  InvalidImageParameterException: -45030,
  InvalidImageFormatException: -45040,
  InvalidImageURLException: -45050,
  ImageTimeoutError: -45060,
  InternalServerError: -50000,
} as const;
type ResultMessage = keyof typeof results;

const Header = Type.Object({
  isSuccessful: Type.Boolean(),
  resultCode: Type.Enum([0, ...Object.values(results)], {
    type: 'integer',
    description: '0 for success.',
  }),
  resultMessage: Type.Enum(['Success', ...(Object.keys(results) as ResultMessage[])]),
});

const Fraction = Type.Number();

const FaceDetail = Type.Object({
  bbox: Type.Object({ x0: Fraction, y0: Fraction, x1: Fraction, y1: Fraction }),
  landmarks: Type.Array(Type.Object({ type: Type.Enum([...landmarkNames]), x: Fraction, y: Fraction })),
  spoofing: Type.Boolean(),
  confidence: Type.Number({
    description: 'How sure the detector is that this is a face; says nothing of spoofing.',
  }),
});

export const Answer = Type.Object({
  header: Header,
  data: Type.Optional(
    Type.Object({
      faceDetailCount: Type.Integer(),
      faceDetails: Type.Array(FaceDetail),
    }),
  ),
});
export type Answer = Static<typeof Answer>;

/** The example of the vendor's guide. */
const answerExample: Answer = {
  header: { isSuccessful: true, resultCode: 0, resultMessage: 'Success' },
  data: {
    faceDetailCount: 1,
    faceDetails: [
      {
        bbox: {
          x0: 0.08727272727272728,
          y0: 0.29333333333333333,
          x1: 0.24363636363636362,
          y1: 0.6213333333333333,
        },
        landmarks: [
          { type: 'leftEye', x: 0.1290909090909091, y: 0.4266666666666667 },
          { type: 'rightEye', x: 0.2018181818181818, y: 0.432 },
          { type: 'nose', x: 0.16545454545454547, y: 0.49333333333333335 },
          { type: 'leftLip', x: 0.13818181818181818, y: 0.5546666666666666 },
          { type: 'rightLip', x: 0.19272727272727272, y: 0.56 },
        ],
        spoofing: true,
        confidence: 0.997854,
      },
    ],
  },
};

/** What is said of the drawn portrait. */
const portraitExample: Answer = {
  header: { isSuccessful: true, resultCode: 0, resultMessage: 'Success' },
  data: {
    faceDetailCount: 1,
    faceDetails: [
      {
        bbox: {
          x0: 0.32265135645866394,
          y0: 0.2748394012451172,
          x1: 0.6945708990097046,
          y1: 0.6499635577201843,
        },
        landmarks: [
          { type: 'leftEye', x: 0.415448262763536, y: 0.4167286779301706 },
          { type: 'rightEye', x: 0.5846292622397598, y: 0.4131076968516713 },
          { type: 'nose', x: 0.5009354438704894, y: 0.4930521293159238 },
          { type: 'leftLip', x: 0.4359544526764614, y: 0.555771915316015 },
          { type: 'rightLip', x: 0.5640826779746577, y: 0.5537313305720062 },
        ],
        spoofing: true,
        confidence: 0.9999890327453613,
      },
    ],
  },
};

const noFaceExample: Answer = {
  header: { isSuccessful: true, resultCode: 0, resultMessage: 'Success' },
  data: { faceDetailCount: 0, faceDetails: [] },
};

const refused = (resultMessage: ResultMessage, summary: string): Record<string, Example<Answer>> => ({
  [resultMessage]: { summary, value: errorAnswer(resultMessage) },
});

/** Answers by HTTP status. */
export const responses = {
  200: withExamples(
    { ...Answer, description: 'Assessed, or refused: `header.resultCode` says which.' },
    {
      vendor: { summary: "The vendor's example", value: answerExample },
      portrait: { summary: 'The drawn portrait', value: portraitExample },
      noFace: { summary: 'No face in it', value: noFaceExample },
      ...refused('InvalidParam', 'Not what the schema says'),
      ...refused('UnauthorizedAppKeyOrSecretKey', 'A wrong appKey or secretKey'),
      ...refused('ImageTooLargeException', 'More than 3,000,000 bytes, or too many pixels'),
      ...refused('InvalidImageParameterException', 'Not canonical base64, or a side under 80 px'),
      ...refused('InvalidImageFormatException', 'Neither PNG nor JPEG, or damaged'),
      ...refused('InvalidImageURLException', 'A URL that is none, may not be asked, or leads to no image'),
      ...refused('ImageTimeoutError', 'The download took too long'),
      ...refused('InternalServerError', 'A defect of ours'),
    },
  ),
  429: withExamples(
    {
      ...Answer,
      description: 'Over a rate or a quota, or too many wrong keys; `Retry-After` says when to ask again.',
    },
    refused('ServiceQuotaExceededException', 'Over a quota'),
  ),
  503: withExamples(
    { ...Answer, description: 'Full, shutting down or out of time; `Retry-After` says when to ask again.' },
    refused('InternalServerError', 'Full'),
  ),
};

const resultByFailure: Readonly<Record<FailureCode, ResultMessage>> = {
  invalid_request: 'InvalidParam',
  unsupported_media_type: 'InvalidParam',
  malformed_http: 'InvalidParam',
  headers_too_large: 'InvalidParam',
  request_timeout: 'InvalidParam',
  not_found: 'InvalidParam',
  conflict: 'InvalidParam',
  precondition_failed: 'InvalidParam',
  range_not_satisfiable: 'InvalidParam',
  method_not_allowed: 'InvalidParam',
  unauthorized: 'UnauthorizedAppKeyOrSecretKey',
  too_many_wrong_keys: 'UnauthorizedAppKeyOrSecretKey',
  rate_limited: 'ServiceQuotaExceededException',
  quota_exceeded: 'ServiceQuotaExceededException',
  too_many_bytes: 'ImageTooLargeException',
  image_too_large: 'ImageTooLargeException',
  invalid_base64: 'InvalidImageParameterException',
  unsupported_format: 'InvalidImageFormatException',
  undecodable_image: 'InvalidImageFormatException',
  url_invalid: 'InvalidImageURLException',
  url_blocked: 'InvalidImageURLException',
  url_unreachable: 'InvalidImageURLException',
  url_bad_status: 'InvalidImageURLException',
  url_not_an_image: 'InvalidImageURLException',
  url_timeout: 'ImageTimeoutError',
  service_full: 'InternalServerError',
  service_draining: 'InternalServerError',
  storage_unavailable: 'InternalServerError',
  log_unavailable: 'InternalServerError',
  queue_full: 'InternalServerError',
  deadline_exceeded: 'InternalServerError',
  aborted: 'InternalServerError',
  worker_died: 'InternalServerError',
  engine_failure: 'InternalServerError',
};

/** A failure in the vendor's words, with HTTP status 200 where it is about the request itself. */
export function toRefusal(failure: Failure): Refusal {
  const { code } = failure;
  return {
    status: retryable.has(code) ? 503 : limiting.has(code) ? 429 : 200,
    headers: { 'content-type': jsonType, ...retryAfter(failure) },
    body: errorAnswer(resultByFailure[code]),
  };
}

/** A header and no data. */
function errorAnswer(resultMessage: ResultMessage): Answer {
  return { header: { isSuccessful: false, resultCode: results[resultMessage], resultMessage } };
}

/**
 * The answer for an assessed image. Coordinates are fractions of the upright image, boxes clamped to it.
 * An image with a side under 80 px has no answer: assumed -45030, "invalid image parameter".
 */
export function toAnswer(
  assessment: Assessment,
  spoofingCondition: OperatingPointName,
  confidence: 'fraction' | 'percent',
): Answered<Answer> {
  const { image, faces } = assessment;
  if (Math.min(image.width, image.height) < limits.imageSide) {
    return { outcome: 'image_too_small', answer: errorAnswer('InvalidImageParameterException') };
  }
  const unit = (value: number) => Math.min(Math.max(value, 0), 1);
  const answer: Answer = {
    header: { isSuccessful: true, resultCode: 0, resultMessage: 'Success' },
    data: {
      faceDetailCount: faces.length,
      faceDetails: faces.map(({ box, landmarks, detectionScore, verdicts }) => ({
        bbox: {
          x0: unit(box.x0 / image.width),
          y0: unit(box.y0 / image.height),
          x1: unit(box.x1 / image.width),
          y1: unit(box.y1 / image.height),
        },
        landmarks: landmarkNames.map((type) => ({
          type,
          x: landmarks[type].x / image.width,
          y: landmarks[type].y / image.height,
        })),
        spoofing: verdicts[spoofingCondition] === 'attack',
        confidence: confidence === 'percent' ? detectionScore * 100 : detectionScore,
      })),
    },
  };
  return { outcome: outcomeOf(assessment, spoofingCondition), answer };
}
