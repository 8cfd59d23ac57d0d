/** The forms in which refusals come, each of the API that the path belongs to. */

import assert from 'node:assert/strict';
import { argos } from '../../../src/dialects/argos/routes.ts';
import type { Dialect } from '../../../src/dialects/dialect.ts';
import { native } from '../../../src/dialects/native/routes.ts';
import { nhn } from '../../../src/dialects/nhn/routes.ts';
import { assertShape, literal, type Reply, type Shape } from '../http.ts';

const id = /^[0-9a-z]{13}$/;

/** By status, which a problem repeats. */
const envelopes = new Map<Dialect, (status: number) => readonly Shape[]>([
  [nhn, () => [{ header: { isSuccessful: literal(false), resultCode: 'integer', resultMessage: 'string' } }]],
  [
    argos,
    () => [{ transactionId: id, message: 'string', errorCode: 'integer' }, { message: literal('Forbidden') }],
  ],
  [
    native,
    (status) => [
      {
        type: /^urn:bonafide:problem:[a-z_0-9]+$/,
        title: 'string',
        status: literal(status),
        detail: 'string',
        code: 'string',
        requestId: id,
      },
    ],
  ],
]);

/** Whose a path is; the native API's problems are those of all that is no dialect's too. */
function dialectOf(target: string): Dialect {
  const [first = ''] = /^\/[^/?#]*/.exec(target) ?? [];
  return [...envelopes.keys()].find(({ prefixes }) => prefixes.includes(first)) ?? native;
}

/** Whether an answer refuses, and in the way of this path. */
export function isRefusalAt(target: string, { status, body }: Pick<Reply, 'status' | 'body'>): boolean {
  return (
    envelopes
      .get(dialectOf(target))?.(status)
      .some((shape) => isOf(shape, body)) === true
  );
}

/** Whether it refuses in the way of any path. */
export function isRefusal({ status, body }: Pick<Reply, 'status' | 'body'>): boolean {
  return [...envelopes.values()].some((shapes) => shapes(status).some((shape) => isOf(shape, body)));
}

function isOf(shape: Shape, body: unknown): boolean {
  try {
    assertShape(body, shape);
    return true;
  } catch (error) {
    assert.ok(error instanceof assert.AssertionError);
    return false;
  }
}
