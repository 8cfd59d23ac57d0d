/** ARGOS Face Liveness on this page: one score of one face, and nothing to draw. */

import type { ErrorBody, Success } from '../../../src/dialects/argos/wire.ts';
import { command, type Dialect, json, shellWord } from './dialect.ts';
import type { Reason } from './reading.ts';

const path = '/modules/liveness';

const reasonsByMessage: Readonly<Record<string, Reason>> = {
  FACE_TOO_SMALL: 'face_too_small',
  TOO_MANY_FACES: 'several_faces',
  IMAGE_TOO_LARGE: 'too_large',
  UNSUPPORTED_IMAGE_FORMAT: 'no_image',
  IMAGE_DAMAGED: 'damaged',
  ANALYSIS_FAILED: 'server',
  INVALID_BASE64: 'request',
};

export const argos: Dialect = {
  name: 'argos',
  title: 'ARGOS',
  needs: ['apiKey'],
  takesAddress: false,
  sendsPoint: false,

  async request({ source, keys: { apiKey } }) {
    const faceImage = 'file' in source ? await base64(source.file) : '';
    return {
      path,
      init: {
        headers: { 'x-api-key': apiKey, 'content-type': json },
        body: JSON.stringify({ faceImage }),
      },
    };
  },

  curl({ source, keys: { apiKey } }, origin) {
    if ('url' in source) return '';
    const file = shellWord(source.file.name);
    return [
      `(printf '{"faceImage":"'; base64 < ${file} | tr -d '\\n'; printf '"}') |`,
      command(
        `  curl ${shellWord(`${origin}${path}`)}`,
        `  -H ${shellWord(`x-api-key: ${apiKey}`)}`,
        `  -H ${shellWord(`Content-Type: ${json}`)}`,
        '  -d @-',
      ),
    ].join('\n');
  },

  read(status, body) {
    if (status === 200) {
      const { result } = body as Success;
      const score = result.liveness_score / 100;
      return { kind: 'found', faces: [{ score, verdicts: {}, warnings: [] }], tooSmall: 0, warnings: [] };
    }
    if (status === 403) return { kind: 'refused', reason: 'wrong_key' };
    if (status === 503) return { kind: 'refused', reason: 'busy' };
    const { message = '' } = (body ?? {}) as Partial<ErrorBody>;
    if (status === 429) {
      return { kind: 'refused', reason: message.startsWith('Quota') ? 'quota' : 'rate' };
    }
    const why = message.replace('Fail to analyze face: ', '');
    if (why === 'FACE_NOT_FOUND') return { kind: 'found', faces: [], tooSmall: 0, warnings: [] };
    return {
      kind: 'refused',
      reason: reasonsByMessage[why] ?? (status === 400 ? 'request' : 'server'),
    };
  },
};

/** The bytes of a file in base64. */
async function base64(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(',') + 1);
}
