/** Fuzzes a running server with requests of every kind, and says what must hold of each answer. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { settings } from '../../../src/config.ts';
import { openApiCheck, openApiOf } from '../http.ts';
import { credential } from '../keys.ts';
import { readPictures } from './body.ts';
import { type Answer, Connection } from './connection.ts';
import { isRefusal, isRefusalAt } from './envelopes.ts';
import { type FuzzedRequest, requests } from './request.ts';

export interface Fuzzed {
  /** How many requests had which status; `closed` is of those that were none, or did not end. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many pictures were assessed through each dialect. */
  readonly assessed: Readonly<Record<'nhn' | 'argos' | 'native', number>>;
  /** The longest time to an answer. */
  readonly slowestMs: number;
}

const clients = 8;

/**
 * Sends `count` requests, by eight clients at once.
 * @throws with the smallest request that it could make of one whose answer was wrong, and the seed and path that make it again.
 */
export async function fuzz(
  origin: string,
  { count, seed }: { count: number; seed: number },
): Promise<Fuzzed> {
  const statuses: Record<string, number> = {};
  let slowestMs = 0;
  const judge = await judgeOf(origin);
  const arbitrary = requests(await openApiOf(origin), await readPictures());
  let hasHung = false;
  const runs = Array.from({ length: clients }, async (_, client) => {
    const connection = new Connection(origin);
    const send = async ({ bytes, isTorn, method }: FuzzedRequest) => {
      const start = performance.now();
      const answer = await connection.send(bytes, isTorn, method === 'HEAD');
      const ms = performance.now() - start;
      slowestMs = Math.max(slowestMs, ms);
      return { answer, isLate: answer?.status === 503 && ms > settings.deadlineMs.default / 2 };
    };
    const property = fc.asyncProperty(arbitrary, async (request) => {
      // One is enough: to make it smaller would take a deadline for each try.
      if (hasHung) return;
      const { answer, isLate } = await send(request);
      // A deadline may pass because the machine is busy otherwise; when it passes again, it is for the request.
      if (isLate && (await send(request)).isLate) {
        hasHung = true;
        assert.fail(`There was no answer within the deadline, twice: ${answer?.text}`);
      }
      const status = answer?.status ?? 'closed';
      statuses[status] = (statuses[status] ?? 0) + 1;
      judge(request, answer);
    });
    try {
      await fc.assert(property, {
        seed: seed * clients + client,
        numRuns: Math.ceil(count / clients),
        endOnFailure: false,
      });
    } finally {
      connection.close();
    }
  });
  const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { statuses, assessed: await assessedBy(origin), slowestMs };
}

/** Of all that came to what can be said of a picture alone. */
async function assessedBy(origin: string): Promise<Fuzzed['assessed']> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const count = (dialect: string) => {
    const lines = Array.from(
      metrics.matchAll(/^bonafide_requests_total\{dialect="(\w+)",outcome="(\w+)"\} (\d+)$/gm),
    );
    return lines
      .filter(([, of, outcome = '']) => of === dialect && ['live', 'attack', 'no_face'].includes(outcome))
      .reduce((sum, [, , , value]) => sum + Number(value), 0);
  };
  return { nhn: count('nhn'), argos: count('argos'), native: count('native') };
}

/** What may not be said to a stranger: where the program lies, how it failed, and whatever opens a door. */
const leaks = [process.cwd(), 'node_modules', 'file://', '\n    at ', '.ts:', 'SQLITE', credential.appKey];

/** Told to nobody in any answer; an id made of a key of the tests is none. The text itself first, as it is soon looked for. */
const keys = new RegExp(
  [credential.secretKey, credential.apiKey, credential.adminToken]
    .map((key) => `${key}(?<!(?:adm|key)_${key})`)
    .join('|'),
);

/** Statuses of what was refused before a route was found for it. */
const belowRoutes: ReadonlySet<number> = new Set([400, 404, 408, 413, 415, 431]);

async function judgeOf(
  origin: string,
): Promise<(request: FuzzedRequest, answer: Answer | undefined) => void> {
  const conforms = await openApiCheck(origin);
  return ({ method, target, isTorn }, answer) => {
    if (answer === undefined) {
      assert.ok(isTorn, 'a request that ends as it says is answered');
      return;
    }
    const { status, headers, text } = answer;
    assert.ok(status < 500 || status === 503, `status ${status}: ${text}`);
    const type = headers.get('content-type') ?? '';
    const isJson = /^application\/(problem\+)?json/.test(type);
    const told = `${[...headers].join('\n')}\n${text}`;
    assert.doesNotMatch(told, keys, 'a key is told to nobody');
    const isRefused = status >= 400 || text.includes('"isSuccessful":false');
    for (const leak of isRefused ? leaks : []) {
      assert.ok(!told.includes(leak), `${JSON.stringify(leak)} in ${told}`);
    }
    if (status >= 400) assert.match(headers.get('x-request-id') ?? '', /^[0-9a-z]{13}$/);
    // An answer to HEAD or without a body says no more.
    if (text === '') return;
    const body: unknown = isJson ? JSON.parse(text) : text;
    if (isJson) assert.ok(!Object.hasOwn(body as object, 'statusCode'), `the framework answered: ${text}`);
    const reply = { status, headers, text, body };
    // Of what breaks off, is no HTTP or comes in one piece with the end of a body the path may not be known.
    const isPathless = isTorn || /"code":"(malformed_http|headers_too_large)"/.test(text);
    const isOfHere = isPathless ? isRefusal(reply) : isRefusalAt(target, reply);
    assert.ok(status < 400 || isOfHere, `no refusal of here: ${status} ${text}`);
    if (isTorn || (belowRoutes.has(status) && isProblem(body))) return;
    conforms(method, target, reply);
  };
}

function isProblem(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'requestId' in body && 'code' in body;
}
