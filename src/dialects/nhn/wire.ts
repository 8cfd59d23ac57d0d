/** NHN Cloud Face Liveness on the wire: its schemas, its result codes, and the way from an assessment to its answer. */

import { type Static, Type } from 'typebox';
import type { PortRange } from '../../intake/remote-image.ts';
import {
  type Assessment,
  type ImageFormat,
  landmarkNames,
  operatingPointNames,
} from '../../liveness/types.ts';
import { UploadedFile } from '../../server/upload.ts';
import type { FailureCode } from '../dialect.ts';

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

export const JsonBody = Type.Object(
  {
    image: Type.Object(
      {
        url: Type.Optional(Type.String({ description: 'Address of the image.' })),
        bytes: Type.Optional(Type.String({ description: 'The image in base64.' })),
      },
      { ...strict, minProperties: 1, maxProperties: 1, description: 'Exactly one of url and bytes.' },
    ),
    spoofingCondition: SpoofingCondition,
  },
  strict,
);

export const FormBody = Type.Object(
  { imageFile: UploadedFile, spoofingCondition: SpoofingCondition },
  strict,
);

export const PathParams = Type.Object({
  appKey: Type.String({ description: 'The app key of the credential.' }),
});

const Header = Type.Object({
  isSuccessful: Type.Boolean(),
  resultCode: Type.Integer(),
  resultMessage: Type.String(),
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

/** The vendor's result codes and messages; -40070 is the sibling API's. */
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

const resultByFailure: Readonly<Record<FailureCode, keyof typeof results>> = {
  invalid_request: 'InvalidParam',
  unsupported_media_type: 'InvalidParam',
  not_found: 'InvalidParam',
  method_not_allowed: 'InvalidParam',
  unauthorized: 'UnauthorizedAppKeyOrSecretKey',
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
  queue_full: 'InternalServerError',
  deadline_exceeded: 'InternalServerError',
  aborted: 'InternalServerError',
  worker_died: 'InternalServerError',
  engine_failure: 'InternalServerError',
};

/** The answer to a request that failed: a header and no data. */
export function toErrorAnswer(code: FailureCode): Answer {
  return errorAnswer(resultByFailure[code]);
}

function errorAnswer(resultMessage: keyof typeof results): Answer {
  return { header: { isSuccessful: false, resultCode: results[resultMessage], resultMessage } };
}

/**
 * The answer for an assessed image. Coordinates are fractions of the upright image, boxes clamped to it.
 * An image with a side under 80 px has no answer: assumed -45030, "invalid image parameter".
 */
export function toAnswer(
  { image, faces }: Assessment,
  spoofingCondition: (typeof operatingPointNames)[number],
  confidence: 'fraction' | 'percent',
): Answer {
  if (Math.min(image.width, image.height) < limits.imageSide) {
    return errorAnswer('InvalidImageParameterException');
  }
  const unit = (value: number) => Math.min(Math.max(value, 0), 1);
  return {
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
}
