/** Whole requests, from the head to the last byte, some of which are no HTTP. */

import { readdirSync } from 'node:fs';
import fc, { type Arbitrary } from 'fast-check';
import type { OpenApi, OpenApiOperation } from '../http.ts';
import { credential, plantedTransaction } from '../keys.ts';
import { type Body, bodies, bombBodies, type Pictures, rightBodies } from './body.ts';
import { misplacedKey } from './secrets.ts';
import { headerText, text } from './text.ts';

export interface FuzzedRequest {
  readonly method: string;
  readonly target: string;
  /** All bytes, as they go over the socket. */
  readonly bytes: Buffer;
  /** Whether it does not end as it says, or is none: then the connection may be closed without an answer. */
  readonly isTorn: boolean;
  /** For the report of one that fails. */
  [fc.toStringMethod](): string;
}

/** Shown by its first bytes: most bodies are long and say little. */
function shown(request: Omit<FuzzedRequest, typeof fc.toStringMethod>): FuzzedRequest {
  return {
    ...request,
    [fc.toStringMethod]: () => JSON.stringify(request.bytes.toString('latin1', 0, 2_000)),
  };
}

/** What makes requests of what an OpenAPI document describes, and of what it does not. */
export function requests({ paths }: OpenApi, pictures: Pictures): Arbitrary<FuzzedRequest> {
  const operations = Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      template,
      method: method.toUpperCase(),
      operation,
    })),
  );
  // The dialects are what strangers come to first.
  const weighed = operations.map((operation) => ({
    weight: operation.template.startsWith('/admin') ? 1 : 5,
    arbitrary: described(operation, pictures.plain),
  }));
  const dialects = operations.filter(
    ({ template, operation }) => !template.startsWith('/admin') && operation.requestBody !== undefined,
  );
  return fc.oneof(
    // Those that come to a picture find what lies behind the checks.
    { weight: 2_500, arbitrary: fc.oneof(...dialects.map((operation) => assessed(operation, pictures))) },
    { weight: 4_000, arbitrary: fc.oneof(...weighed) },
    { weight: 700, arbitrary: elsewhere(pictures.plain) },
    { weight: 300, arbitrary: noHttp },
    { weight: 300, arbitrary: files },
    // 27 MB each.
    { weight: 10, arbitrary: fc.oneof(...dialects.map(bombed)) },
  );
}

/** With everything right. */
function assessed({ template, method, operation }: Described, pictures: Pictures): Arbitrary<FuzzedRequest> {
  return rightBodies(operation.requestBody?.content ?? {}, pictures).chain((body) =>
    fc
      .constantFrom<Framing>('length', 'length', 'chunked')
      .map((framing) => toRight({ template, method, body, framing })),
  );
}

/** With everything right but the body. */
function bombed({ template, method }: Described): Arbitrary<FuzzedRequest> {
  return bombBodies.map((body) => toRight({ template, method, body, framing: 'length' }));
}

function toRight({
  template,
  method,
  body,
  framing,
}: {
  template: string;
  method: string;
  body: Body;
  framing: Framing;
}): FuzzedRequest {
  const target = template.replace('{appKey}', credential.appKey);
  return write({ method, target, headers: [rightKey(template)], body, framing });
}

interface Described {
  readonly template: string;
  readonly method: string;
  readonly operation: OpenApiOperation & {
    readonly parameters?: readonly {
      readonly in: string;
      readonly name: string;
      readonly schema: { enum?: string[] };
    }[];
  };
}

function described({ template, method, operation }: Described, picture: Buffer): Arbitrary<FuzzedRequest> {
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  return fc
    .record({
      method: mostly(fc.constant(method), anyMethod),
      path: pathOf(template),
      query: query.length === 0 ? mostly(fc.constant(''), anyQuery) : fc.oneof(queryOf(query), anyQuery),
      key: keyHeaders(template),
      headers: extraHeaders,
      body:
        operation.requestBody === undefined
          ? mostly(fc.constant(undefined), bodies({}, picture))
          : bodies(operation.requestBody.content, picture),
      framing: framings,
    })
    .map(({ path, query: search, key, headers, ...rest }) =>
      write({ ...rest, target: path + search, headers: [...key, ...headers] }),
    );
}

const mostly = <T>(usual: Arbitrary<T>, other: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: other });

const anyMethod = fc.constantFrom(
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'post',
  'BREW',
  'P',
  '',
);

/** Bytes of a path or a query as no client would write them. */
const rawPath = fc.constantFrom(
  '%',
  '%0',
  '%zz',
  '%00',
  '%2f',
  '%2F..%2f',
  '..',
  '../..',
  '%2e%2e',
  '.',
  '//',
  '\\',
  ';a=b',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '%F0%9F%98%80',
  '*',
  '?',
  '#',
  '%23',
  '%3f',
  ':',
  '@',
  '+',
  '~',
  '$',
  '^',
  '`',
  '{}',
  '|',
  '"',
  '<',
  'x'.repeat(500),
  'x'.repeat(20_000),
  '%41'.repeat(2_000),
  '/'.repeat(3_000),
);

const pathValue = (parameter: string): Arbitrary<string> => {
  const known: Readonly<Record<string, readonly string[]>> = {
    appKey: [credential.appKey, credential.appKey, credential.appKey, 'other-app-key', misplacedKey],
    // None that the fuzzing itself needs.
    app: ['other', 'revoked', 'app_other', 'new'],
    key: ['key_contract-spare-api', 'key_contract-other-secret', 'key_contract-revoked-api', 'key_none'],
    adminToken: ['adm_contract-revoked-admin', 'adm_none'],
    transaction: [plantedTransaction, 'zzzzzzzzzzzzz'],
    origin: ['shipped', 'own'],
    report: ['standard', 'accurate', '..'],
  };
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...(known[parameter] ?? ['x'])) },
    { weight: 1, arbitrary: text.map((value) => encodeURIComponent(value.toWellFormed())) },
    { weight: 1, arbitrary: rawPath },
  );
};

function pathOf(template: string): Arbitrary<string> {
  const pieces = template
    .split(/\{(\w+)\}/)
    .map((piece, i) => (i % 2 === 0 ? fc.constant(piece) : pathValue(piece)));
  return mostly(
    fc.tuple(...pieces).map((all) => all.join('')),
    fc.tuple(fc.tuple(...pieces), rawPath).map(([all, more]) => all.join('') + more),
  );
}

const anyQuery = fc.oneof(
  rawPath.map((value) => `?${value}`),
  fc.constantFrom(
    '?',
    '?&',
    '?=',
    '?a',
    '?a=b&a=c',
    '?__proto__[x]=1&constructor=2',
    '?limit=1&limit=2',
    '?cursor=AAAA',
    `?key=${misplacedKey}`,
    `?${'a=b&'.repeat(3_000)}`,
  ),
  fc
    .array(fc.tuple(text, text), { maxLength: 4 })
    .map(
      (pairs) =>
        `?${pairs.map((pair) => pair.map((value) => encodeURIComponent(value.toWellFormed())).join('=')).join('&')}`,
    ),
);

function queryOf(
  parameters: readonly { readonly name: string; readonly schema: { enum?: string[] } }[],
): Arbitrary<string> {
  const value = ({ enum: values }: { enum?: string[] }) =>
    fc.oneof(
      fc.constantFrom(
        ...(values ?? [
          '1',
          '1000',
          'other',
          'day,app',
          '2026-01-01',
          '2026-01-01T00:00:00.000Z',
          'live',
          'a'.repeat(64),
        ]),
      ),
      fc.constantFrom('0', '-1', '1e3', '1.5', '9'.repeat(30), 'csv', 'ndjson', 'day,day', ',', misplacedKey),
      text,
    );
  const pair = fc
    .constantFrom(...parameters)
    .chain(({ name, schema }) => fc.tuple(fc.constant(name), value(schema)));
  return fc
    .array(pair, { maxLength: 4 })
    .map((pairs) =>
      pairs.length === 0
        ? ''
        : `?${pairs.map(([name, of]) => `${name}=${encodeURIComponent(of.toWellFormed())}`).join('&')}`,
    );
}

type Header = readonly [name: string, value: string];

function rightKey(template: string): Header {
  if (template.startsWith('/v1.0')) return ['authorization', credential.secretKey];
  if (template.startsWith('/admin')) return ['authorization', `Bearer ${credential.adminToken}`];
  return ['x-api-key', credential.apiKey];
}

function keyHeaders(template: string): Arbitrary<readonly Header[]> {
  const right = rightKey(template);
  const [name] = right;
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant([right]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        [],
        [right, right],
        [right, [name, 'x']] as Header[],
        [[name, '']] as Header[],
        [[name, misplacedKey]] as Header[],
      ),
    },
    { weight: 1, arbitrary: headerText.map((wrong) => [[name, wrong]] as Header[]) },
  );
}

const header: Arbitrary<Header> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'x-bonafide-tag',
      'cookie',
      'x-forwarded-for',
      'origin',
      'sec-fetch-site',
      'accept',
      'accept-encoding',
      'range',
      'if-none-match',
      'content-encoding',
      'forwarded',
      'x-request-id',
      'user-agent',
      'referer',
      'x-http-method-override',
    ),
    headerText,
  ),
  fc.constantFrom<Header>(
    ['expect', '100-continue'],
    ['expect', 'miracles'],
    ['connection', 'close'],
    ['connection', 'x-api-key'],
    ['content-encoding', 'gzip'],
    ['content-type', 'text/plain'],
    ['cookie', `bonafide_session=${'x'.repeat(4_000)}`],
    ['host', ''],
    ['host', 'a b'],
    ['x-long', 'x'.repeat(20_000)],
    ['x y', 'a name with a space'],
    ['', 'no name'],
    ['access-control-request-method', 'POST'],
  ),
);

const extraHeaders: Arbitrary<readonly Header[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.array(header, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc
      .nat({ max: 300 })
      .map((count) => Array.from({ length: count }, (_, i) => [`x-${i}`, 'x'] as const)),
  },
);

/** How the length of a body is told. */
type Framing = (typeof framingNames)[number];
const framingNames = [
  'length',
  'chunked',
  'short',
  'long',
  'none',
  'both',
  'negative',
  'two lengths',
  'bad chunks',
  'gzip, chunked',
  'no last chunk',
] as const;
const framings: Arbitrary<Framing> = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Framing>('length') },
  { weight: 4, arbitrary: fc.constant<Framing>('chunked') },
  { weight: 3, arbitrary: fc.constantFrom(...framingNames) },
);

/** Other paths than those described, with other methods. */
function elsewhere(picture: Buffer): Arbitrary<FuzzedRequest> {
  const start = fc.constantFrom(
    '',
    '/',
    '/v1',
    '/v1/',
    '/v1.0',
    '/v1.0/appkeys/',
    '/modules',
    '/liveness/',
    '/admin',
    '/admin/v1',
    '/admin/v1/',
    '/docs',
    '/docs/',
    '/assets',
    '/assets/',
    '/openapi.json',
    '/metrics',
    '/livez',
    '/readyz',
    '/portrait.jpg',
    '/capture.js',
    '/favicon.ico',
    'http://example.com/v1/assess',
    '*',
    '/%76%31/assess',
    '/V1/ASSESS',
    '/v1/assess/',
    '/v1//assess',
  );
  return fc
    .record({
      method: anyMethod,
      start,
      more: mostly(fc.constant(''), rawPath),
      query: mostly(fc.constant(''), anyQuery),
      headers: extraHeaders,
      body: mostly(fc.constant(undefined), bodies({}, picture)),
      framing: framings,
    })
    .map(({ start: path, more, query, ...rest }) => write({ ...rest, target: path + more + query }));
}

const consolePaths = readdirSync(new URL('../../../console/dist', import.meta.url), { recursive: true }).map(
  (name) => `/${name}`,
);

/** When, and what part of it, a file is wanted. */
const condition: Arbitrary<Header> = fc.oneof(
  fc.tuple(
    fc.constant('range'),
    fc.oneof(
      fc.constantFrom(
        'bytes=0-',
        'bytes=-1',
        'bytes=-0',
        'bytes=',
        'bytes=-',
        'bytes=5-1',
        'bytes=0-0,2-3',
        'bytes=999999999-',
        `bytes=${'9'.repeat(30)}-`,
        `bytes=${'0-1,'.repeat(2_000)}`,
        'x=0-1',
        'x',
      ),
      headerText,
    ),
  ),
  fc.tuple(
    fc.constantFrom('if-match', 'if-none-match', 'if-range'),
    fc.oneof(fc.constantFrom('*', '"x"', 'W/"x"', '"', '*, "x"', `${'"x", '.repeat(2_000)}"y"`), headerText),
  ),
  fc.tuple(
    fc.constantFrom('if-modified-since', 'if-unmodified-since', 'if-range'),
    fc.oneof(
      fc.constantFrom(
        'Thu, 01 Jan 1970 00:00:00 GMT',
        'Fri, 31 Dec 9999 23:59:59 GMT',
        'Thu, 99 Foo 1970 00:00:00',
        '0',
      ),
      headerText,
    ),
  ),
);

/** The files of the console. */
const files: Arbitrary<FuzzedRequest> = fc
  .record({
    method: mostly(fc.constantFrom('GET', 'HEAD'), anyMethod),
    path: fc.constantFrom('/', '/docs', ...consolePaths),
    more: mostly(fc.constant(''), rawPath),
    headers: fc.array(fc.oneof({ weight: 3, arbitrary: condition }, header), { maxLength: 3 }),
  })
  .map(({ path, more, ...rest }) =>
    write({ ...rest, target: path + more, body: undefined, framing: 'length' }),
  );

const noHttp: Arbitrary<FuzzedRequest> = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        'GET / HTTP/9.9\r\n\r\n',
        'GET / HTTP/1.0\r\n\r\n',
        'GET /\r\n\r\n',
        '\r\n\r\n\r\n',
        'POST /v1/assess HTTP/1.1\n\n',
        'POST /v1/assess HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n',
        'POST /v1.0/appkeys/x/spoofing HTTP/1.1\r\n',
        'POST /modules/liveness HTTP/1.1\r\nhost: x\r\nx: \0\r\n\r\n',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\n\r\n',
        'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
        'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n\r\n',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      )
      .map((value) => Buffer.from(value, 'latin1')),
  )
  .map((bytes) => shown({ method: '', target: '', bytes, isTorn: true }));

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Body | undefined;
  readonly framing: Framing;
}

function write({ method, target, headers, body, framing }: Parts): FuzzedRequest {
  const bytes = Buffer.from(body?.bytes ?? []);
  const said: Header[] = body?.type === undefined ? [] : [['content-type', body.type]];
  const { lengths, content, isTorn } = body === undefined ? bodyless : framed(bytes, framing);
  const lines = [['host', 'localhost'] as const, ...headers, ...said, ...lengths].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  // A value with a line end in it may end the head anywhere, or announce a body that does not come.
  const isBroken = [target, ...headers.flat(), ...said.flat()].some((value) => /[\r\n]/.test(value));
  // Latin-1, as heads are; a character beyond it is two bytes of UTF-8.
  const head = Buffer.from(
    `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`,
    /[^\0-\xff]/.test(target + lines) ? 'utf8' : 'latin1',
  );
  return shown({
    method,
    target,
    bytes: Buffer.concat([head, content]),
    isTorn: isTorn || isBroken || /\s/.test(target),
  });
}

interface Framed {
  readonly lengths: readonly Header[];
  readonly content: Buffer;
  readonly isTorn: boolean;
}

const bodyless: Framed = { lengths: [], content: Buffer.alloc(0), isTorn: false };

const chunked = (bytes: Buffer) =>
  Buffer.concat([
    ...(bytes.length === 0
      ? []
      : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);

function framed(bytes: Buffer, framing: Framing): Framed {
  const length = (value: number | string): Header => ['content-length', String(value)];
  const coding = (value: string): Header => ['transfer-encoding', value];
  switch (framing) {
    case 'length':
      return { lengths: [length(bytes.length)], content: bytes, isTorn: false };
    case 'chunked':
      return { lengths: [coding('chunked')], content: chunked(bytes), isTorn: false };
    case 'short':
      return { lengths: [length(bytes.length + 9)], content: bytes, isTorn: true };
    case 'long':
      return { lengths: [length(bytes.length >> 1)], content: bytes, isTorn: true };
    case 'none':
      return { lengths: [], content: bytes, isTorn: true };
    case 'both':
      return { lengths: [length(bytes.length), coding('chunked')], content: chunked(bytes), isTorn: true };
    case 'negative':
      return { lengths: [length('-1')], content: bytes, isTorn: true };
    case 'two lengths':
      return { lengths: [length(bytes.length), length(0)], content: bytes, isTorn: true };
    case 'bad chunks':
      return {
        lengths: [coding('chunked')],
        content: Buffer.concat([Buffer.from('zz\r\n'), bytes]),
        isTorn: true,
      };
    case 'gzip, chunked':
      return { lengths: [coding('gzip, chunked')], content: chunked(bytes), isTorn: true };
    case 'no last chunk':
      return { lengths: [coding('chunked')], content: chunked(bytes).subarray(0, -5), isTorn: true };
  }
}
