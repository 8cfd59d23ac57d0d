/** The same photograph in each form that clients send it in. */

import type { Keys } from './server.ts';

export const forms = ['native, the image as body', 'NHN, multipart', 'ARGOS, JSON with base64'] as const;
export type Form = (typeof forms)[number];

export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Makes requests of one picture, each with other bytes, as those of people are: a number follows the end of the image. */
export function requestMaker(form: Form, keys: Keys, picture: Uint8Array): () => Request {
  let made = 0;
  switch (form) {
    case 'native, the image as body': {
      const headers = { 'x-api-key': keys.apiKey, 'content-type': 'image/jpeg' };
      return () => ({ path: '/v1/assess', headers, body: Buffer.concat([picture, number(made++)]) });
    }
    case 'NHN, multipart': {
      const boundary = 'bonafide-bench';
      const head = Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="imageFile"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`,
      );
      const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
      const headers = {
        authorization: keys.secretKey,
        'content-type': `multipart/form-data; boundary=${boundary}`,
      };
      const path = `/v1.0/appkeys/${keys.appKey}/spoofing`;
      return () => ({ path, headers, body: Buffer.concat([head, picture, number(made++), tail]) });
    }
    case 'ARGOS, JSON with base64': {
      // Whole groups of three bytes, so that the number is a text of its own.
      const padded = Buffer.concat([picture, Buffer.alloc((3 - (picture.length % 3)) % 3)]);
      const head = Buffer.from(`{"faceImage":"${padded.toString('base64')}`);
      const headers = { 'x-api-key': keys.apiKey, 'content-type': 'application/json' };
      const tail = () => Buffer.from(`${number(made++).toString('base64')}"}`);
      return () => ({ path: '/modules/liveness', headers, body: Buffer.concat([head, tail()]) });
    }
  }
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

/** Refused at the door, at the queue, or when the wait was over. */
const notNow: ReadonlySet<unknown> = new Set(['service_full', 'queue_full', 'deadline_exceeded']);

/** Whether an answer is the dialect's own "not now", with the time to come again. */
export function isRefusal(form: Form, status: number, retryAfter: unknown, text: string): boolean {
  if (status !== 503 || !/^\d+$/.test(String(retryAfter))) return false;
  const body = JSON.parse(text) as Record<string, unknown>;
  switch (form) {
    case 'native, the image as body':
      return body.status === 503 && notNow.has(body.code);
    case 'NHN, multipart':
      return (body.header as { resultCode?: unknown } | undefined)?.resultCode === -50000;
    case 'ARGOS, JSON with base64':
      return body.errorCode === 1001 && typeof body.transactionId === 'string';
  }
}
