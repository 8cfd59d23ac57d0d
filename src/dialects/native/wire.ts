/** The native API on the wire: everything the engine knows, and problems as RFC 9457 has them. */

import { type Static, Type } from 'typebox';
import { maxUrlLength, type PortRange } from '../../intake/remote-image.ts';
import {
  type Assessment,
  landmarkNames,
  type Measures,
  operatingPointNames,
  type Point,
} from '../../liveness/types.ts';
import { examplesKeyword, withExamples } from '../../server/examples.ts';
import type { SeenBefore } from '../../server/seen-before.ts';
import { UploadedFile } from '../../server/upload.ts';
import { type Failure, type FailureCode, type Refusal, retryAfter, type Services } from '../dialect.ts';
import { elidedPortrait, portraitBase64, portraitPath } from '../portrait.ts';

/** Media types of a raw image body; the content decides what it is. */
export const rawTypes = [
  'image/jpeg',
  // No media type that is registered, but many say it.
  'image/jpg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/tiff',
  'image/gif',
  'image/heic',
  'image/heif',
  'application/octet-stream',
] as const;

/** Ports an image URL may name. */
export const urlPorts: readonly PortRange[] = [
  { from: 80, to: 80 },
  { from: 443, to: 443 },
];

const strict = { additionalProperties: false } as const;

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
    },
    strict,
  ),
  {
    bytes: { summary: 'The image in base64', value: { image: { bytes: portraitBase64 } } },
    url: { summary: 'The address of an image', value: { image: { url: 'https://example.com/photo.jpg' } } },
  },
);

export const FormBody = {
  ...Type.Object({ image: UploadedFile }, strict),
  [examplesKeyword]: { file: { summary: 'The drawn portrait', value: { image: elidedPortrait } } },
};

/** Shown with any media type, for a wrong one is not held against an image. */
export const RawBody = {
  ...UploadedFile,
  [examplesKeyword]: { file: { summary: 'The drawn portrait', externalValue: portraitPath } },
};

const Position = Type.Object({ x: Type.Number(), y: Type.Number() });
const Verdict = Type.Enum(['live', 'attack']);
const Warning = Type.Object({
  code: Type.String({ description: 'What makes the verdict less certain.' }),
  value: Type.Number({ description: 'As measured.' }),
  limit: Type.Number({ description: 'As advised.' }),
});

const quality = {
  side: Type.Number({
    description: 'Shorter side of the box, in pixels; beyond the image where the box is.',
  }),
  eyeDistance: Type.Number({ description: 'Distance between the eyes, in pixels.' }),
  margin: Type.Number({
    description: 'Distance of the box from the nearest border, in pixels; negative where it reaches beyond.',
  }),
  angle: Type.Number({ description: 'Largest of yaw, pitch and roll, in degrees, 0..180.' }),
  luma: Type.Number({ description: 'Mean luma of the box, 0..255.' }),
  sharpness: Type.Number({
    description: 'Mean absolute Laplacian of the luma of the box brought to 128 x 128 pixels, 0..1020.',
  }),
  // Not the typology angle: a caller has no business with the tone of a skin, only an evaluation has.
} satisfies Record<Exclude<keyof Measures, 'typologyAngle'>, unknown>;
const measureNames = Object.keys(quality) as (keyof typeof quality)[];

const AnswerMembers = Type.Object({
  requestId: Type.String(),
  status: Type.Enum(['assessed', 'no_face'], {
    description: 'no_face: nothing was assessed, which is neither live nor an attack.',
  }),
  profile: Type.String({ description: 'The models in use, together with their operating points.' }),
  profileNote: Type.Optional(
    Type.String({ description: 'Why it is this profile and not the one hoped for.' }),
  ),
  models: Type.Array(Type.Object({ id: Type.String(), task: Type.String(), sha256: Type.String() })),
  calibrationSha256: Type.Optional(
    Type.String({
      description:
        "Of the BONAFIDE_CALIBRATION file in place of the profile's own calibration, where one is.",
    }),
  ),
  operatingPoints: Type.Record(
    Type.Enum([...operatingPointNames]),
    Type.Object({ threshold: Type.Number(), apcer: Type.Number(), bpcer: Type.Number() }),
    {
      description:
        'P(live) from which a face is live, with both error rates on the development set, or on the pictures of the calibration.',
    },
  ),
  image: Type.Object({
    format: Type.String(),
    width: Type.Integer({ description: 'Of the upright image, in pixels.' }),
    height: Type.Integer(),
  }),
  faces: Type.Array(
    Type.Object({
      box: Type.Object(
        { x0: Type.Number(), y0: Type.Number(), x1: Type.Number(), y1: Type.Number() },
        { description: 'In pixels of the upright image, clamped to it.' },
      ),
      landmarks: Type.Record(Type.Enum([...landmarkNames]), Position, {
        description: 'In pixels; left and right as seen in the picture.',
      }),
      detectionScore: Type.Number({ description: 'How sure the detector is that this is a face, 0..1.' }),
      pLive: Type.Number({ description: 'Calibrated probability of a live person, 0..1.' }),
      verdicts: Type.Record(Type.Enum([...operatingPointNames]), Verdict),
      scores: Type.Array(Type.Object({ model: Type.String(), logOdds: Type.Number() }), {
        description: 'What each liveness model said by itself, uncalibrated.',
      }),
      quality: Type.Object(quality, {
        description: 'The conditions the face was taken in, as measured; warnings are of these.',
      }),
      warnings: Type.Array(Warning),
    }),
    { description: 'Largest first, at most 20.' },
  ),
  seenBefore: Type.Optional(
    Type.Object(
      {
        status: Type.Enum(['seen', 'not_seen', 'unknown'], {
          description: 'unknown: the database did not answer, and this server had not seen it just before.',
        }),
        requestId: Type.Optional(Type.String({ description: 'Of the last transaction with it.' })),
        firstAt: Type.Optional(Type.String({ format: 'date-time' })),
        lastAt: Type.Optional(Type.String({ format: 'date-time' })),
      },
      {
        description:
          'Whether these very bytes came before under the same app, within BONAFIDE_SEEN_BEFORE_DAYS. A camera never takes the same picture twice.',
      },
    ),
  ),
  tooSmall: Type.Integer({ description: 'Faces left out because they are under 60 px.' }),
  warnings: Type.Array(Warning, { description: 'About the image as a whole.' }),
  timings: Type.Record(Type.String(), Type.Number(), { description: 'Milliseconds per stage.' }),
});
export type Answer = Static<typeof AnswerMembers>;

/** What is said of the drawn portrait. */
const portraitAnswer: Answer = {
  requestId: 'e0nvom3caiis7',
  status: 'assessed',
  profile: 'standard',
  models: [
    {
      id: 'ultraface-rfb-320',
      task: 'detect',
      sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854',
    },
    {
      id: 'landmark-68',
      task: 'landmarks',
      sha256: 'f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258',
    },
    {
      id: 'minifas-128-head',
      task: 'liveness',
      sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
    },
  ],
  operatingPoints: {
    weak: { threshold: 0.079, apcer: 0.4942, bpcer: 0.01 },
    balanced: { threshold: 0.53, apcer: 0.1026, bpcer: 0.1281 },
    strict: { threshold: 0.9727, apcer: 0.008, bpcer: 0.5408 },
  },
  image: { format: 'jpeg', width: 160, height: 200 },
  faces: [
    {
      box: { x0: 51.62, y0: 54.97, x1: 111.13, y1: 129.99 },
      landmarks: {
        leftEye: { x: 66.47, y: 83.35 },
        rightEye: { x: 93.54, y: 82.62 },
        nose: { x: 80.15, y: 98.61 },
        leftLip: { x: 69.75, y: 111.15 },
        rightLip: { x: 90.25, y: 110.75 },
      },
      detectionScore: 0.9999890327453613,
      pLive: 0.00886183012327414,
      verdicts: { weak: 'attack', balanced: 'attack', strict: 'attack' },
      scores: [{ model: 'minifas-128-head', logOdds: -3.131995990510756 }],
      quality: { side: 59.51, eyeDistance: 27.08, margin: 48.87, angle: 5.42, luma: 158.28, sharpness: 6.47 },
      warnings: [
        { code: 'small_face', value: 59.51, limit: 150 },
        { code: 'close_eyes', value: 27.08, limit: 50 },
      ],
    },
  ],
  tooSmall: 0,
  warnings: [{ code: 'low_resolution', value: 160, limit: 480 }],
  timings: {
    decode: 10.95,
    detect: 8.38,
    landmarks: 0.89,
    crop: 1.46,
    score: 6.99,
    quality: 0.66,
    decide: 0.02,
  },
  seenBefore: { status: 'not_seen' },
};

export const Answer = withExamples(
  { ...AnswerMembers, description: 'Assessed; `status` tells whether there was a face.' },
  {
    attack: { summary: 'A picture of a person', value: portraitAnswer },
    seen: {
      summary: 'The same picture again',
      value: {
        ...portraitAnswer,
        seenBefore: {
          status: 'seen',
          requestId: 'a8k2m4x0q7z1c',
          firstAt: '2026-11-20T08:15:30.120Z',
          lastAt: '2026-11-21T17:02:11.004Z',
        },
      },
    },
    noFace: {
      summary: 'No face in it',
      value: {
        ...portraitAnswer,
        status: 'no_face',
        image: { format: 'jpeg', width: 640, height: 480 },
        faces: [],
        warnings: [],
      },
    },
  },
);

const problems: Readonly<Record<FailureCode, { status: number; title: string }>> = {
  invalid_request: { status: 400, title: 'Invalid request' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  malformed_http: { status: 400, title: 'Malformed HTTP' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  request_timeout: { status: 408, title: 'Request timed out' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  too_many_wrong_keys: { status: 429, title: 'Too many wrong keys' },
  rate_limited: { status: 429, title: 'Too many requests' },
  quota_exceeded: { status: 429, title: 'Quota exceeded' },
  not_found: { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Conflict' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  invalid_base64: { status: 400, title: 'Invalid base64' },
  too_many_bytes: { status: 413, title: 'Too many bytes' },
  image_too_large: { status: 413, title: 'Image too large' },
  unsupported_format: { status: 415, title: 'Unsupported image format' },
  undecodable_image: { status: 422, title: 'Undecodable image' },
  url_invalid: { status: 400, title: 'Invalid image URL' },
  url_blocked: { status: 400, title: 'Image URL not allowed' },
  url_unreachable: { status: 422, title: 'Image URL unreachable' },
  url_bad_status: { status: 422, title: 'Image URL answered with an error' },
  url_not_an_image: { status: 422, title: 'Image URL is no image' },
  url_timeout: { status: 422, title: 'Image URL timed out' },
  service_full: { status: 503, title: 'Service full' },
  service_draining: { status: 503, title: 'Service shutting down' },
  storage_unavailable: { status: 503, title: 'Database unavailable' },
  log_unavailable: { status: 503, title: 'Log unavailable' },
  queue_full: { status: 503, title: 'Service full' },
  deadline_exceeded: { status: 503, title: 'Deadline exceeded' },
  aborted: { status: 503, title: 'Request aborted' },
  worker_died: { status: 503, title: 'Worker lost' },
  engine_failure: { status: 500, title: 'Internal error' },
};

/** RFC 9457 problem details. */
export const Problem = Type.Object({
  type: Type.String({ description: 'urn:bonafide:problem: and the code.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.Enum(Object.keys(problems) as FailureCode[]),
  requestId: Type.String(),
});
export type Problem = Static<typeof Problem>;

function toProblem({ code, message }: Failure, requestId: string): Problem {
  const { status, title } = problems[code];
  return { type: `urn:bonafide:problem:${code}`, title, status, detail: message, code, requestId };
}

/** A failure as a problem. */
export function toRefusal(failure: Failure, requestId: string): Refusal {
  const body = toProblem(failure, requestId);
  const headers = { 'content-type': 'application/problem+json; charset=utf-8', ...retryAfter(failure) };
  return { status: body.status, headers, body };
}

/** A documented problem with an example of it, and of others that share its status. */
export function problem(
  description: string,
  code: FailureCode,
  message: string,
  others: Partial<Record<FailureCode, string>> = {},
): object {
  const cases = Object.entries({ [code]: message, ...others }) as [FailureCode, string][];
  const examples = Object.fromEntries(
    cases.map(([code, message]) => [
      code,
      { summary: problems[code].title, value: toProblem({ code, message }, 'e0nvom3caiis7') },
    ]),
  );
  return { description, content: { 'application/problem+json': { schema: Problem, examples } } };
}

/** Answers by HTTP status. */
export const responses = {
  200: Answer,
  400: problem(
    'The request is malformed, or its URL is none that may be asked.',
    'invalid_request',
    "The body must have required property 'image'.",
    {
      invalid_base64:
        'The image is not valid base64. Send the standard alphabet with padding, without a MIME prefix.',
      url_invalid: 'The image URL does not lead to a valid http or https URL.',
      url_blocked: 'The image URL leads to an address that is not public.',
    },
  ),
  401: problem('The key is missing or wrong.', 'unauthorized', 'The key is missing or wrong.'),
  405: problem('Only POST is allowed.', 'method_not_allowed', 'Only POST is allowed here.'),
  408: problem('It did not arrive in time.', 'request_timeout', 'The request took too long to arrive.'),
  413: problem(
    'More bytes or pixels than are allowed.',
    'too_many_bytes',
    'The request has more bytes than are allowed.',
    { image_too_large: 'The image has 30000 x 30000 pixels; 50331648 in all are the most allowed in png.' },
  ),
  415: problem(
    'No media type, or no image format, that is taken here.',
    'unsupported_media_type',
    'The Content-Type is missing or not supported here.',
    {
      unsupported_format:
        'The image must be one of jpeg, png, webp, avif, tiff, gif, heic; this is none that is known.',
    },
  ),
  422: problem(
    'No picture could be had from what was sent.',
    'undecodable_image',
    'The jpeg image is damaged or incomplete.',
    { url_unreachable: 'The image could not be downloaded.' },
  ),
  431: problem(
    'More bytes of headers than are allowed.',
    'headers_too_large',
    'The head of the request has more bytes than are allowed.',
  ),
  429: problem(
    'Over a rate or a quota, or too many wrong keys; `Retry-After` says when to ask again.',
    'quota_exceeded',
    'The quota of this day is used up.',
  ),
  500: problem('A defect of ours; the log has it.', 'engine_failure', 'The server failed.'),
  503: problem(
    'Full, shutting down or out of time; `Retry-After` says when to ask again.',
    'service_full',
    'The server is full.',
  ),
};

/** The answer for an assessed image. */
export function toAnswer(
  assessment: Assessment,
  seenBefore: SeenBefore | undefined,
  { profile: { profile, models, calibrationSha256 }, profileNote }: Pick<Services, 'profile' | 'profileNote'>,
  requestId: string,
): Answer {
  const { image, faces, tooSmall, warnings, timings } = assessment;
  const within = (value: number, limit: number) => round(Math.min(Math.max(value, 0), limit));
  return {
    requestId,
    status: faces.length === 0 ? 'no_face' : 'assessed',
    profile: profile.id,
    ...(profileNote !== undefined && { profileNote }),
    models: models.map(({ id, task, sha256 }) => ({ id, task, sha256 })),
    ...(calibrationSha256 !== undefined && { calibrationSha256 }),
    operatingPoints: profile.operatingPoints,
    image: { ...image },
    faces: faces.map(({ measures, ...face }) => ({
      ...face,
      box: {
        x0: within(face.box.x0, image.width),
        y0: within(face.box.y0, image.height),
        x1: within(face.box.x1, image.width),
        y1: within(face.box.y1, image.height),
      },
      landmarks: Object.fromEntries(
        landmarkNames.map((name) => [name, roundPoint(face.landmarks[name])]),
      ) as Answer['faces'][number]['landmarks'],
      verdicts: { ...face.verdicts },
      scores: face.scores.map((score) => ({ ...score })),
      quality: Object.fromEntries(
        measureNames.map((name) => [name, round(measures[name])]),
      ) as Answer['faces'][number]['quality'],
      warnings: face.warnings.map((warning) => ({ ...warning, value: round(warning.value) })),
    })),
    ...(seenBefore !== undefined && { seenBefore: toSeenBefore(seenBefore) }),
    tooSmall,
    warnings: warnings.map((warning) => ({ ...warning, value: round(warning.value) })),
    timings: Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, round(ms as number)])),
  };
}

function toSeenBefore(seenBefore: SeenBefore): NonNullable<Answer['seenBefore']> {
  if (seenBefore.status !== 'seen') return { status: seenBefore.status };
  const { status, requestId, firstAt, lastAt } = seenBefore;
  const iso = (time: number) => new Date(time).toISOString();
  return { status, requestId, firstAt: iso(firstAt), lastAt: iso(lastAt) };
}

/** Hundredths of a pixel, a degree or a millisecond: the rest is noise. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function roundPoint({ x, y }: Point): Point {
  return { x: round(x), y: round(y) };
}
