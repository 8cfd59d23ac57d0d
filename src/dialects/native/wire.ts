/** The native API on the wire: everything the engine knows, and problems as RFC 9457 has them. */

import { type Static, Type } from 'typebox';
import type { PortRange } from '../../intake/remote-image.ts';
import { type Assessment, landmarkNames, operatingPointNames, type Point } from '../../liveness/types.ts';
import type { ResolvedProfile } from '../../models/registry.ts';
import { UploadedFile } from '../../server/upload.ts';
import type { Failure, FailureCode } from '../dialect.ts';

/** Media types of a raw image body; the content decides what it is. */
export const rawTypes = [
  'image/jpeg',
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

export const JsonBody = Type.Object(
  {
    image: Type.Object(
      {
        url: Type.Optional(Type.String({ description: 'Address of the image.' })),
        bytes: Type.Optional(Type.String({ description: 'The image in base64.' })),
      },
      { ...strict, minProperties: 1, maxProperties: 1, description: 'Exactly one of url and bytes.' },
    ),
  },
  strict,
);

export const FormBody = Type.Object({ image: UploadedFile }, strict);
export { UploadedFile as RawBody };

const Position = Type.Object({ x: Type.Number(), y: Type.Number() });
const Verdict = Type.Enum(['live', 'attack']);
const Warning = Type.Object({
  code: Type.String({ description: 'What makes the verdict less certain.' }),
  value: Type.Number({ description: 'As measured.' }),
  limit: Type.Number({ description: 'As advised.' }),
});

export const Answer = Type.Object({
  requestId: Type.String(),
  status: Type.Enum(['assessed', 'no_face'], {
    description: 'no_face: nothing was assessed, which is neither live nor an attack.',
  }),
  profile: Type.String({ description: 'The models in use, together with their operating points.' }),
  models: Type.Array(Type.Object({ id: Type.String(), task: Type.String(), sha256: Type.String() })),
  operatingPoints: Type.Record(
    Type.Enum([...operatingPointNames]),
    Type.Object({ threshold: Type.Number(), apcer: Type.Number(), bpcer: Type.Number() }),
    { description: 'P(live) from which a face is live, with both error rates on the development set.' },
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
      warnings: Type.Array(Warning),
    }),
    { description: 'Largest first, at most 20.' },
  ),
  tooSmall: Type.Integer({ description: 'Faces left out because they are under 60 px.' }),
  warnings: Type.Array(Warning, { description: 'About the image as a whole.' }),
  timings: Type.Record(Type.String(), Type.Number(), { description: 'Milliseconds per stage.' }),
});
export type Answer = Static<typeof Answer>;

/** RFC 9457 problem details. */
export const Problem = Type.Object({
  type: Type.String({ description: 'urn:bonafide:problem: and the code.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  requestId: Type.String(),
});
export type Problem = Static<typeof Problem>;

const problems: Readonly<Record<FailureCode, { status: number; title: string }>> = {
  invalid_request: { status: 400, title: 'Invalid request' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  not_found: { status: 404, title: 'Not found' },
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
  queue_full: { status: 503, title: 'Service full' },
  deadline_exceeded: { status: 503, title: 'Deadline exceeded' },
  aborted: { status: 503, title: 'Request aborted' },
  worker_died: { status: 503, title: 'Worker lost' },
  engine_failure: { status: 500, title: 'Internal error' },
};

/** The body of a refused request. */
export function toProblem({ code, message }: Failure, requestId: string): Problem {
  return { type: `urn:bonafide:problem:${code}`, ...problems[code], detail: message, code, requestId };
}

/** The answer for an assessed image. */
export function toAnswer(
  assessment: Assessment,
  { profile, models }: ResolvedProfile,
  requestId: string,
): Answer {
  const { image, faces, tooSmall, warnings, timings } = assessment;
  const within = (value: number, limit: number) => round(Math.min(Math.max(value, 0), limit));
  return {
    requestId,
    status: faces.length === 0 ? 'no_face' : 'assessed',
    profile: profile.id,
    models: models.map(({ id, task, sha256 }) => ({ id, task, sha256 })),
    operatingPoints: profile.operatingPoints,
    image: { ...image },
    faces: faces.map((face) => ({
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
      warnings: face.warnings.map((warning) => ({ ...warning, value: round(warning.value) })),
    })),
    tooSmall,
    warnings: warnings.map((warning) => ({ ...warning, value: round(warning.value) })),
    timings: Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, round(ms as number)])),
  };
}

/** Hundredths of a pixel or a millisecond: the rest is noise. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function roundPoint({ x, y }: Point): Point {
  return { x: round(x), y: round(y) };
}
