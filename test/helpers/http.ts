/** Asking a server over real sockets, and saying exactly what its answers must be. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { credential, planted, plantedTransaction } from './keys.ts';
import type { TestServer } from './server.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what the tests check.
  readonly body: any;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData | ReadableStream;
}

export type Ask = (path: string, asking?: Asking) => Promise<Reply>;

/**
 * @returns what POSTs (or another method) to a path of the server, and checks what holds for every answer: a request id,
 *   JSON in no envelope of the framework, and, for what the served OpenAPI document describes, a documented status with
 *   exactly a documented body.
 */
export async function connect(server: TestServer): Promise<Ask> {
  const conforms = await openApiCheck(server.origin);
  return async (path, { method = 'POST', headers = {}, body } = {}) => {
    const response = await fetch(server.origin + path, {
      method,
      headers,
      ...(body !== undefined && { body }),
      ...(body instanceof ReadableStream && { duplex: 'half' as const }),
    });
    const reply = await checkedReply(response.status, response.headers, await response.text());
    conforms(method, path, reply);
    return reply;
  };
}

function checkedReply(status: number, headers: Headers, text: string): Reply {
  assert.match(headers.get('x-request-id') ?? '', /^[0-9a-z]{13}$/, 'every answer names its request');
  assert.match(headers.get('content-type') ?? '', /^application\/(problem\+)?json; charset=utf-8$/);
  const body = text === '' ? undefined : JSON.parse(text);
  assert.ok(!('statusCode' in (body ?? {})), `the framework answered: ${text}`);
  return { status, headers, text, body };
}

/** As the server writes them. */
export const formats = { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ };

/** The part of an OpenAPI document that tests look at. */
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, OpenApiOperation>>;
  readonly components: { readonly securitySchemes: Record<string, { in: string; name: string }> };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: Record<string, string[]>[];
  readonly requestBody: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content: Record<string, { readonly schema: object }> }
  >;
}

export async function openApiOf(origin: string): Promise<OpenApi> {
  return (await (await fetch(`${origin}/openapi.json`)).json()) as OpenApi;
}

/** Checks answers against the document that the server itself serves. */
export async function openApiCheck(
  origin: string,
): Promise<(method: string, path: string, reply: Reply) => void> {
  const { paths } = await openApiOf(origin);
  const ajv = new Ajv2020({ allErrors: true, formats });
  const compiled = new Map<object, ValidateFunction>();
  return (method, path, { status, headers, body, text }) => {
    const template = Object.keys(paths).find((candidate) => matchesTemplate(candidate, path));
    const operation = template && paths[template]?.[method.toLowerCase()];
    if (!operation) return;
    const documented = operation.responses[status];
    assert.ok(documented, `${operation.operationId} does not document status ${status}: ${text}`);
    const mediaType = headers.get('content-type')?.split(';')[0] ?? '';
    const { schema } = documented.content[mediaType] ?? {};
    assert.ok(schema, `${operation.operationId} does not document ${mediaType} for ${status}`);
    const validate = compiled.get(schema) ?? ajv.compile(closed(schema));
    compiled.set(schema, validate);
    assert.ok(validate(body), `${text} is not as documented: ${ajv.errorsText(validate.errors)}`);
  };
}

/** The schema with no room for members it does not name. */
export function closed(schema: unknown): object {
  const copy = Array.isArray(schema) ? schema.map(closedWithin) : mapValues(schema as object, closedWithin);
  return 'properties' in copy && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

function closedWithin(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? closed(value) : value;
}

function mapValues(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

function matchesTemplate(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}(\\?.*)?$`).test(path);
}

export function json(value: unknown): { headers: Record<string, string>; body: string } {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** A multipart form: text fields, and bytes as files. */
export function form(...fields: [name: string, value: string | Uint8Array<ArrayBuffer>][]): {
  body: FormData;
} {
  const body = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') body.append(name, value);
    else body.append(name, new Blob([value]), `${name}.jpg`);
  }
  return { body };
}

/**
 * What a value must be, exactly: a JSON type, a text that matches, a list of one shape, or an object with these members,
 * no others, in this order.
 */
export type Shape =
  | 'string'
  | 'boolean'
  | 'number'
  | 'integer'
  | RegExp
  | Literal
  | readonly [Shape]
  | { readonly [member: string]: Shape };

class Literal {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** This very value. */
export function literal(value: string | number | boolean): Shape {
  return new Literal(value) as unknown as Shape;
}

/** Throws where the value is not of the shape, and says where. */
export function assertShape(value: unknown, shape: Shape, where = '$'): void {
  if (shape instanceof Literal) {
    assert.equal(value, shape.value, where);
  } else if (shape instanceof RegExp) {
    assert.equal(typeof value, 'string', where);
    assert.match(value as string, shape, where);
  } else if (shape === 'integer') {
    assert.ok(Number.isInteger(value), `${where} must be an integer, not ${value}`);
  } else if (typeof shape === 'string') {
    assert.equal(typeof value, shape, where);
  } else if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), `${where} must be a list`);
    for (const [i, item] of value.entries()) assertShape(item, shape[0] as Shape, `${where}[${i}]`);
  } else {
    assert.ok(
      typeof value === 'object' && value !== null && !Array.isArray(value),
      `${where} must be an object`,
    );
    assert.deepEqual(Object.keys(value), Object.keys(shape), `members of ${where}`);
    for (const [name, member] of Object.entries(shape)) {
      assertShape((value as Record<string, unknown>)[name], member as Shape, `${where}.${name}`);
    }
  }
}

/** The shape of an example: its members in their order, and the types of its values. */
export function shapeOf(example: unknown): Shape {
  if (Array.isArray(example)) return [shapeOf(example[0])];
  if (typeof example === 'object' && example !== null) {
    return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, shapeOf(value)]));
  }
  return typeof example as 'string' | 'boolean' | 'number';
}

/** An authenticated route, and what is to be known of it to test what all of them have in common. */
export interface Route {
  readonly name: string;
  readonly dialect: 'nhn' | 'argos' | 'native';
  readonly path: string;
  readonly keyHeader: string;
  readonly key: string;
  /** A request that this route assesses, without its key. */
  asking(image: Uint8Array): { headers: Record<string, string>; body: string };
  /** What the route answers to a wrong key, and while it takes no more. */
  readonly forbidden: Expected;
  readonly unavailable: Expected;
}

export interface Expected {
  readonly status: number;
  readonly shape: Shape;
}

const base64 = (image: Uint8Array) => Buffer.from(image).toString('base64');
const transactionId = /^[0-9a-z]{13}$/;

export const nhnError = (resultCode: number, resultMessage: string): Shape => ({
  header: {
    isSuccessful: literal(false),
    resultCode: literal(resultCode),
    resultMessage: literal(resultMessage),
  },
});

export const argosError = (errorCode: number, message: string | RegExp): Shape => ({
  transactionId,
  message: typeof message === 'string' ? literal(message) : message,
  errorCode: literal(errorCode),
});

const argosRoute = (name: string, path: string): Route => ({
  name,
  dialect: 'argos',
  path,
  keyHeader: 'x-api-key',
  key: credential.apiKey,
  asking: (image) => json({ faceImage: base64(image) }),
  forbidden: { status: 403, shape: { message: literal('Forbidden') } },
  unavailable: { status: 503, shape: argosError(1001, 'Service is not available') },
});

const problem = (status: number, code: RegExp): Shape => ({
  type: /^urn:bonafide:problem:[a-z_]+$/,
  title: /^[A-Z]/,
  status: literal(status),
  detail: /^[A-Z].*\.$/,
  code,
  requestId: transactionId,
});

export const routes: Readonly<Record<'nhn' | 'argos' | 'argosShort' | 'native', Route>> = {
  nhn: {
    name: 'NHN',
    dialect: 'nhn',
    path: `/v1.0/appkeys/${credential.appKey}/spoofing`,
    keyHeader: 'authorization',
    key: credential.secretKey,
    asking: (image) => json({ image: { bytes: base64(image) } }),
    forbidden: { status: 200, shape: nhnError(-41005, 'UnauthorizedAppKeyOrSecretKey') },
    unavailable: { status: 503, shape: nhnError(-50000, 'InternalServerError') },
  },
  argos: argosRoute('ARGOS', '/modules/liveness'),
  argosShort: argosRoute("ARGOS, the server's own path", '/liveness'),
  native: {
    name: 'native',
    dialect: 'native',
    path: '/v1/assess',
    keyHeader: 'x-api-key',
    key: credential.apiKey,
    asking: (image) => json({ image: { bytes: base64(image) } }),
    forbidden: { status: 401, shape: problem(401, /^unauthorized$/) },
    unavailable: { status: 503, shape: problem(503, /_(full|draining|exceeded|died|unavailable)$/) },
  },
};

/** An operation of the admin API, and a request that it answers: on a server as tests find it, with 200. */
export interface AdminOperation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As the OpenAPI document has it. */
  readonly template: string;
  readonly path: string;
  readonly body?: object;
  /** Whether it asks for no proof. */
  readonly isOpen?: true;
}

const adminOperation = (
  method: AdminOperation['method'],
  template: string,
  { path = template, body, isOpen }: { path?: string; body?: object; isOpen?: true } = {},
): AdminOperation => ({
  method,
  template: `/admin/v1${template}`,
  path: `/admin/v1${path}`,
  ...(body !== undefined && { body }),
  ...(isOpen && { isOpen }),
});

const keyPath = (rest = '') => ({ path: `/keys/key_${planted['a spare x-api-key'].secret}${rest}` });

/** All of the admin API. */
export const adminOperations: readonly AdminOperation[] = [
  adminOperation('POST', '/session', { body: { token: credential.adminToken }, isOpen: true }),
  adminOperation('GET', '/session'),
  adminOperation('DELETE', '/session'),
  adminOperation('GET', '/apps'),
  adminOperation('POST', '/apps', { body: { name: 'new', limits: { perDay: 5 } } }),
  adminOperation('GET', '/apps/{app}', { path: '/apps/other' }),
  adminOperation('PATCH', '/apps/{app}', { path: '/apps/other', body: { limits: { perDay: 5 } } }),
  adminOperation('POST', '/apps/{app}/keys', {
    path: '/apps/other/keys',
    body: { kind: 'api', name: 'new', scopes: ['native'], expiresAt: '2100-01-01T00:00:00.000Z' },
  }),
  adminOperation('POST', '/apps/{app}/revoke', { path: '/apps/revoked/revoke' }),
  adminOperation('GET', '/keys', { path: '/keys?app=other&limit=5' }),
  adminOperation('GET', '/keys/{key}', keyPath()),
  adminOperation('PATCH', '/keys/{key}', { ...keyPath(), body: { limits: { perSecond: 5, burst: 5 } } }),
  adminOperation('POST', '/keys/{key}/rotate', { ...keyPath('/rotate'), body: { graceSeconds: 60 } }),
  adminOperation('POST', '/keys/{key}/revoke', keyPath('/revoke')),
  adminOperation('GET', '/admin-tokens'),
  adminOperation('POST', '/admin-tokens', { body: { name: 'new' } }),
  adminOperation('POST', '/admin-tokens/{adminToken}/revoke', {
    path: `/admin-tokens/adm_${planted['a revoked admin token'].secret}/revoke`,
  }),
  adminOperation('GET', '/transactions', { path: '/transactions?outcome=live&limit=5' }),
  adminOperation('DELETE', '/transactions', { path: '/transactions?tag=none' }),
  adminOperation('GET', '/transactions/export', { path: '/transactions/export?format=csv' }),
  adminOperation('GET', '/transactions/{transaction}', { path: `/transactions/${plantedTransaction}` }),
  adminOperation('DELETE', '/transactions/{transaction}', { path: `/transactions/${plantedTransaction}` }),
  adminOperation('GET', '/usage', { path: '/usage?by=day,outcome' }),
  adminOperation('GET', '/models'),
  adminOperation('GET', '/reports'),
  adminOperation('GET', '/reports/{origin}/{report}', { path: '/reports/shipped/standard' }),
  adminOperation('GET', '/reports/{origin}/{report}/page', { path: '/reports/shipped/standard/page' }),
];

/** The operation's request, with a token that is good. */
export async function askAdmin(
  server: TestServer,
  { method, path, body }: Pick<AdminOperation, 'method' | 'path' | 'body'>,
): Promise<Response> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return await fetch(server.origin + path, {
    method,
    headers: { authorization: `Bearer ${credential.adminToken}`, origin: server.origin, ...type },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** Signs in as the console does. @returns the browser's cookie, as it sends it. */
export async function signIn(server: TestServer, token: string = credential.adminToken): Promise<string> {
  const response = await fetch(`${server.origin}/admin/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ token }),
  });
  assert.equal(response.status, 200, await response.text());
  const [cookie = ''] = response.headers.getSetCookie();
  return cookie.split(';', 1).join();
}

export const adminForbidden: Expected = { status: 401, shape: problem(401, /^unauthorized$/) };

/** The route's key in its place, and more headers. */
export function keyed({ keyHeader, key }: Route, more: Record<string, string> = {}): Record<string, string> {
  return { [keyHeader]: key, ...more };
}

export function assertReply(reply: Reply, { status, shape }: Expected): void {
  assert.equal(reply.status, status, reply.text);
  assertShape(reply.body, shape);
}

/** A request whose body goes on for as long as the test wants. */
export interface Upload {
  readonly request: ClientRequest;
  /** The server asks for the body, and its gate has counted the request in; never where it is refused by its head. */
  readonly begun: Promise<void>;
  readonly answered: Promise<Reply>;
}

/** Sends a head with `Expect: 100-continue` and no body yet. */
export function startUpload(
  server: TestServer,
  path: string,
  headers: OutgoingHttpHeaders,
  options: { expect?: boolean; method?: string } = {},
): Upload {
  const request = httpRequest(server.origin + path, {
    method: options.method ?? 'POST',
    agent: false,
    headers: {
      'transfer-encoding': 'chunked',
      ...(options.expect !== false && { expect: '100-continue' }),
      ...headers,
    },
  });
  request.flushHeaders();
  const { promise: begun, resolve: begin, reject } = Promise.withResolvers<void>();
  request.once('continue', begin);
  // Gone before its answer: of no interest where nobody waits for one.
  request.on('error', reject);
  begun.catch(() => {});
  // Bounded, so that a request which is taken although it should be refused fails its test.
  const signal = AbortSignal.timeout(10_000);
  const answered = once(request, 'response', { signal }).then(async ([message]: IncomingMessage[]) => {
    const response = message as IncomingMessage;
    const text = (await response.toArray()).join('');
    return checkedReply(
      response.statusCode ?? 0,
      new Headers(response.headers as Record<string, string>),
      text,
    );
  });
  answered.catch(() => {});
  return { request, begun, answered };
}

/** Fills the server with requests whose bodies do not end. */
export async function fill(server: TestServer, count: number): Promise<{ release(): Promise<void> }> {
  const { native } = routes;
  const closed: Promise<unknown>[] = [];
  const noteClose = (_: unknown, response: NodeJS.EventEmitter) => closed.push(once(response, 'close'));
  server.app.server.on('request', noteClose);
  const uploads = Array.from({ length: count }, () =>
    startUpload(server, native.path, keyed(native, { 'content-type': 'image/jpeg' })),
  );
  await Promise.all(uploads.map(({ begun }) => begun));
  server.app.server.off('request', noteClose);
  return {
    async release() {
      for (const { request } of uploads) request.destroy();
      await Promise.all(closed);
    },
  };
}

/**
 * What simple clients do: asks for the connection to be closed, and sends everything before it reads anything.
 * @returns the answer as it came over the socket.
 */
export async function sendAllThenRead(
  server: TestServer,
  path: string,
  { headers, body }: { headers: Record<string, string>; body: Uint8Array },
): Promise<string> {
  const socket = connectTcp(Number(new URL(server.origin).port), '127.0.0.1');
  socket.pause();
  const all = { host: 'localhost', connection: 'close', 'content-length': body.length, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(body, (error) => (error ? reject(error) : resolve()));
  });
  socket.resume();
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}
