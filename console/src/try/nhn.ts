/** NHN Cloud Face Liveness on this page. */

import type { Answer } from '../../../src/dialects/nhn/wire.ts';
import { command, type Dialect, json, shellWord } from './dialect.ts';
import type { LandmarkName, Position, Reason } from './reading.ts';

const reasons: Readonly<Record<number, Reason>> = {
  [-40000]: 'request',
  [-40070]: 'quota',
  [-41005]: 'wrong_key',
  [-45020]: 'too_large',
  // The bytes come as a file here, so no base64 can be wrong: it is a side under 80 px.
  [-45030]: 'too_small',
  [-45040]: 'no_image',
  [-45050]: 'address',
  [-45060]: 'address_timeout',
  [-50000]: 'server',
};
/** By HTTP status, where that says more than the code. */
const byStatus: Readonly<Record<number, (code: number) => Reason>> = {
  429: (code) => (code === -41005 ? 'wrong_keys' : 'quota'),
  503: () => 'busy',
};

const addressBody = (url: string, spoofingCondition: string) =>
  JSON.stringify({ image: { url }, spoofingCondition });
const pathOf = (appKey: string) => `/v1.0/appkeys/${appKey}/spoofing`;

export const nhn: Dialect = {
  name: 'nhn',
  title: 'NHN Cloud',
  needs: ['appKey', 'secretKey'],
  takesAddress: true,
  sendsPoint: true,

  async request({ source, point, keys: { appKey, secretKey } }) {
    const path = pathOf(appKey);
    const headers = { authorization: secretKey };
    if ('url' in source) {
      const body = addressBody(source.url, point);
      return { path, init: { headers: { ...headers, 'content-type': json }, body } };
    }
    const form = new FormData();
    form.set('imageFile', new Blob([await source.file.arrayBuffer()]), source.file.name);
    form.set('spoofingCondition', point);
    return { path, init: { headers, body: form } };
  },

  curl({ source, point, keys: { appKey, secretKey } }, origin) {
    const lines = [
      `curl ${shellWord(`${origin}${pathOf(appKey)}`)}`,
      `-H ${shellWord(`Authorization: ${secretKey}`)}`,
    ];
    if ('url' in source) {
      const body = shellWord(addressBody(source.url, point));
      return command(...lines, `-H ${shellWord(`Content-Type: ${json}`)}`, `-d ${body}`);
    }
    // curl gives commas and semicolons in a file name a meaning of their own: the file comes through the shell.
    return command(
      ...lines,
      `-F spoofingCondition=${point}`,
      `-F 'imageFile=@-;filename=picture' < ${shellWord(source.file.name)}`,
    );
  },

  read(status, body, point) {
    const { header, data } = (body ?? {}) as Partial<Answer>;
    if (header === undefined) return { kind: 'refused', reason: 'server' };
    const code = header.resultCode;
    if (!header.isSuccessful || data === undefined) {
      return { kind: 'refused', reason: byStatus[status]?.(code) ?? reasons[code] ?? 'server' };
    }
    return {
      kind: 'found',
      faces: data.faceDetails.map(({ bbox, landmarks, spoofing, confidence }) => ({
        box: bbox,
        landmarks: Object.fromEntries(landmarks.map(({ type, x, y }) => [type, { x, y }])) as Record<
          LandmarkName,
          Position
        >,
        verdicts: { [point]: spoofing ? 'attack' : 'live' },
        confidence,
        warnings: [],
      })),
      tooSmall: 0,
      warnings: [],
    };
  },
};
