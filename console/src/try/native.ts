/** The native API on this page. */

import type { Answer, Problem } from '../../../src/dialects/native/wire.ts';
import { command, type Dialect, json, shellWord } from './dialect.ts';
import { type Found, landmarkNames, type ProblemCode, pointNames, type Reason } from './reading.ts';

/** Media types that the API takes a body of as an image; any other file goes as bytes of no type, and is told what it is. */
const imageType = /^image\/(?:jpeg|jpg|png|webp|avif|tiff|gif|heic|heif)$/;
const typeOf = (file: File) => (imageType.test(file.type) ? file.type : 'application/octet-stream');
const addressBody = (url: string) => JSON.stringify({ image: { url } });

const reasons: Readonly<Record<ProblemCode, Reason>> = {
  invalid_request: 'request',
  unsupported_media_type: 'request',
  malformed_http: 'request',
  headers_too_large: 'request',
  request_timeout: 'busy',
  unauthorized: 'wrong_key',
  too_many_wrong_keys: 'wrong_keys',
  rate_limited: 'rate',
  quota_exceeded: 'quota',
  not_found: 'request',
  precondition_failed: 'request',
  range_not_satisfiable: 'request',
  conflict: 'request',
  method_not_allowed: 'request',
  invalid_base64: 'request',
  too_many_bytes: 'too_large',
  image_too_large: 'too_large',
  unsupported_format: 'no_image',
  undecodable_image: 'damaged',
  url_invalid: 'address_refused',
  url_blocked: 'address_refused',
  url_unreachable: 'address',
  url_bad_status: 'address',
  url_not_an_image: 'address',
  url_timeout: 'address_timeout',
  service_full: 'busy',
  service_draining: 'busy',
  storage_unavailable: 'busy',
  log_unavailable: 'busy',
  queue_full: 'busy',
  deadline_exceeded: 'busy',
  aborted: 'busy',
  worker_died: 'busy',
  engine_failure: 'server',
};

export const native: Dialect = {
  name: 'native',
  title: 'bonafide',
  needs: ['apiKey'],
  takesAddress: true,
  sendsPoint: false,

  async request({ source, keys: { apiKey } }) {
    const [type, body] =
      'url' in source
        ? [json, addressBody(source.url)]
        : [typeOf(source.file), await source.file.arrayBuffer()];
    return {
      path: '/v1/assess',
      init: { headers: { 'x-api-key': apiKey, 'content-type': type }, body },
    };
  },

  curl({ source, keys: { apiKey } }, origin) {
    const type = 'url' in source ? json : typeOf(source.file);
    return command(
      `curl ${shellWord(`${origin}/v1/assess`)}`,
      `-H ${shellWord(`x-api-key: ${apiKey}`)}`,
      `-H ${shellWord(`Content-Type: ${type}`)}`,
      'url' in source
        ? `-d ${shellWord(addressBody(source.url))}`
        : `--data-binary @- < ${shellWord(source.file.name)}`,
    );
  },

  read(status, body) {
    if (status === 200) return toFound(body as Answer);
    const { code } = (body ?? {}) as Partial<Problem>;
    return { kind: 'refused', reason: (code && reasons[code]) ?? 'server' };
  },
};

function toFound(answer: Answer): Found {
  const { image, faces, operatingPoints, tooSmall, warnings, timings, seenBefore, profile } = answer;
  const { width, height } = image;
  return {
    kind: 'found',
    image,
    profile,
    faces: faces.map(({ box, landmarks, pLive, verdicts, detectionScore, quality, warnings }) => ({
      box: { x0: box.x0 / width, y0: box.y0 / height, x1: box.x1 / width, y1: box.y1 / height },
      landmarks: fromEach(landmarkNames, (name) => ({
        x: landmarks[name].x / width,
        y: landmarks[name].y / height,
      })),
      score: pLive,
      verdicts,
      confidence: detectionScore,
      quality,
      warnings,
    })),
    thresholds: fromEach(pointNames, (name) => operatingPoints[name].threshold),
    tooSmall,
    warnings,
    timings,
    ...(seenBefore !== undefined && { seenBefore }),
  };
}

function fromEach<Name extends string, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
}
