/** The served OpenAPI document: it describes the routes that run, all of them, and each answer is as it says. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { portraitBytes, portraitPath } from '../../src/dialects/portrait.ts';
import {
  type Ask,
  adminOperations,
  askAdmin,
  assertReply,
  closed,
  connect,
  fill,
  formats,
  json,
  keyed,
  type OpenApi,
  type OpenApiOperation,
  openApiOf,
  type Reply,
  type Route,
  routes,
  startUpload,
} from '../helpers/http.ts';
import { planted } from '../helpers/keys.ts';
import { claimingPng, landscape, padJpeg, placeFaces, readPhotos, tileFaces } from '../helpers/pictures.ts';
import { consoleFolder, startServer, type TestServer } from '../helpers/server.ts';

const ajv = new Ajv2020({ keywords: ['x-file'], formats });
const maxImageBytes = 100_000;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;
let document: OpenApi;

/** Takes connections, and never answers. */
const silent = createServer(() => {});
let silentHost: string;

before(async () => {
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  silentHost = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  server = await startServer({
    engine: { workers: 1, queue: 1 },
    maxImageBytes,
    urlAllowedHosts: [silentHost],
    urlTimeoutMs: 100,
  });
  ask = await connect(server);
  document = await openApiOf(server.origin);
});
after(async () => {
  await server.close();
  silent.close();
});

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The operations of the running app, in the document's notation; those open to everybody are none of the document's. */
function runningOperations(): string[] {
  const files = readdirSync(consoleFolder, { recursive: true, encoding: 'utf8' });
  const pages = ['/', '/docs', ...files.map((file) => `/${file}`)];
  const open = ['/livez', '/readyz', '/metrics', '/openapi.json', portraitPath, ...pages];
  const parents: string[] = [];
  return server.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, path, taken] = /^([│ ]*)[├└]── (\S+) \((.*)\)$/.exec(line) ?? [];
      if (indent === undefined || path === undefined) return [];
      const depth = indent.length / 4;
      parents[depth] = (parents[depth - 1] ?? '') + path;
      const whole = (parents[depth] as string).replace(/:(\w+)/g, '{$1}');
      const known = (taken?.split(', ') ?? []).filter((method) => methods.includes(method));
      return open.includes(whole) ? [] : known.map((method) => `${method} ${whole}`);
    });
}

function operations(): [name: string, operation: OpenApiOperation][] {
  return Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]): [string, OpenApiOperation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

const templateOf = ({ path }: Route) => path.replace(/\/appkeys\/[^/]+/, '/appkeys/{appKey}');

function operationOf(route: Route): OpenApiOperation {
  const operation = document.paths[templateOf(route)]?.post;
  assert.ok(operation, `${route.path} is described`);
  return operation;
}

describe('OpenAPI: the document', () => {
  it('is of version 3.1 and open to everybody', async () => {
    const response = await fetch(`${server.origin}/openapi.json`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.match(document.openapi, /^3\.1\./);
  });

  it('describes exactly the authenticated operations of the running app', () => {
    const described = operations().map(([name]) => name);
    const dialects = Object.values(routes).map((route) => `POST ${templateOf(route)}`);
    const admin = adminOperations.map(({ method, template }) => `${method} ${template}`);
    assert.deepEqual(described.toSorted(), [...dialects, ...admin].sort());
    // The dialects' paths take other methods to say that they do not.
    const isRefusal = (name: string) =>
      dialects.some((one) => one !== name && one === `POST ${name.split(' ')[1]}`);
    assert.deepEqual(
      runningOperations()
        .filter((name) => !isRefusal(name))
        .sort(),
      described.sort(),
    );
  });

  it('gives each operation a name of its own, a summary and answers', () => {
    const names = operations().map(([, { operationId }]) => operationId);
    assert.equal(new Set(names).size, names.length);
    for (const [name, { operationId, summary, requestBody, responses }] of operations()) {
      assert.match(operationId, /^[a-z][A-Za-z]+$/, name);
      assert.ok(summary.length > 0, name);
      for (const { schema } of Object.values(requestBody?.content ?? {})) assert.ok(schema, name);
      for (const [status, { description, content }] of Object.entries(responses)) {
        assert.ok(description.length > 0 && description !== 'Default Response', `${name} ${status}`);
        for (const [type, { schema }] of Object.entries(content)) {
          const expected = type.includes('json') && !type.includes('ndjson') ? 'object' : 'string';
          assert.equal((schema as { type?: string }).type, expected, `${name} ${status}`);
        }
      }
    }
  });

  it('names the header that each route takes its key from', () => {
    for (const route of Object.values(routes)) {
      const [scheme, ...others] = operationOf(route).security.flatMap((entry) => Object.keys(entry));
      assert.deepEqual(others, []);
      const { in: place, name } = document.components.securitySchemes[scheme as string] as {
        in: string;
        name: string;
      };
      assert.equal(place, 'header');
      assert.equal(name.toLowerCase(), route.keyHeader);
    }
    for (const [name, { security }] of operations()) {
      if (!name.includes('/admin/')) continue;
      const isOpen = name === 'POST /admin/v1/session';
      assert.deepEqual(security, isOpen ? [] : [{ adminToken: [] }, { adminSession: [] }], name);
    }
    assert.deepEqual(document.components.securitySchemes.adminSession, {
      type: 'apiKey',
      in: 'cookie',
      name: 'bonafide-session',
      description: "The cookie of a session of the console, for the server's own pages alone.",
    });
    assert.deepEqual(document.components.securitySchemes.adminToken, {
      type: 'http',
      scheme: 'bearer',
      description: 'An admin token.',
    });
  });

  it('describes bodies by schemas that compile, and that say what the server says', async () => {
    for (const route of Object.values(routes)) {
      const { schema } = operationOf(route).requestBody.content['application/json'] as { schema: object };
      const validate = ajv.compile(schema);
      const { body } = route.asking(photos.face);
      assert.ok(validate(JSON.parse(body)), ajv.errorsText(validate.errors));
      assert.ok(!validate({}), 'an empty body is not as described');
    }
  });
});

interface Media {
  readonly schema: { readonly properties?: Record<string, object> };
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value?: unknown; readonly externalValue?: string }>;
}

/** By their names; what stands elsewhere is undefined. */
const examplesOf = ({ example, examples = {} }: Media): Record<string, unknown> => ({
  ...(example !== undefined && { one: example }),
  ...Object.fromEntries(Object.entries(examples).map(([name, { value }]) => [name, value])),
});

describe('OpenAPI: examples and closed sets', () => {
  it('shows every request and every answer, in every media type, as its schema says', () => {
    for (const [name, { requestBody, responses }] of operations()) {
      const answers = Object.entries(responses).flatMap(([status, { content }]) =>
        Object.entries(content).map(([type, media]) => [`${status} ${type}`, media] as const),
      );
      for (const [type, media] of [...Object.entries(requestBody?.content ?? {}), ...answers]) {
        const examples = Object.entries(examplesOf(media as Media));
        assert.ok(examples.length > 0, `${name} ${type} has an example`);
        // A file has none in JSON.
        const validate = new Ajv2020({ keywords: ['x-file'], formats }).compile(closed(media.schema));
        for (const [example, value] of examples) {
          if (value === undefined) continue;
          assert.ok(validate(value), `${name} ${type} ${example}: ${ajv.errorsText(validate.errors)}`);
        }
      }
    }
  });

  it('names no key that could be one', () => {
    const text = JSON.stringify(document);
    assert.ok(!/bf[ast]_[\w-]{20}/.test(text));
    for (const secret of Object.values(planted)) assert.ok(!text.includes(secret.secret));
  });

  for (const route of Object.values(routes)) {
    it(`${route.name}: describes every answer in words of its own`, () => {
      const descriptions = Object.values(operationOf(route).responses).map(({ description }) => description);
      assert.equal(new Set(descriptions).size, descriptions.length);
      assert.ok(!descriptions.includes('Default Response'));
    });
  }

  it("shows the vendors' own examples", async () => {
    for (const route of [routes.nhn, routes.argos, routes.argosShort]) {
      const file = new URL(`${route.dialect}/fixtures/answer.json`, import.meta.url);
      const shown = examplesOf(operationOf(route).responses[200]?.content['application/json'] as Media);
      assert.deepEqual(shown.vendor, JSON.parse(await readFile(file, 'utf8')));
    }
  });

  it('names every code that an answer can hold, and no other', async () => {
    const enumAt = (route: Route, status: number, ...path: string[]): unknown[] => {
      const [media] = Object.values(operationOf(route).responses[status]?.content ?? {});
      // biome-ignore lint/suspicious/noExplicitAny: what it is, is what the test checks.
      return path.reduce((schema: any, name) => schema.properties[name], media?.schema).enum;
    };
    const file = new URL('nhn/fixtures/error-codes.json', import.meta.url);
    const published: Record<string, string> = JSON.parse(await readFile(file, 'utf8'));
    // Of a sibling API, and our extension of this one.
    const messages = { ...published, '-40070': 'ServiceQuotaExceededException' };
    const sorted = (values: unknown[]) => values.map(String).sort();
    for (const status of [200, 429, 503]) {
      const codes = enumAt(routes.nhn, status, 'header', 'resultCode');
      assert.deepEqual(sorted(codes), sorted([0, ...Object.keys(messages)]));
      const words = enumAt(routes.nhn, status, 'header', 'resultMessage');
      assert.deepEqual(sorted(words), sorted(['Success', ...Object.values(messages)]));
    }
    for (const route of [routes.argos, routes.argosShort]) {
      for (const status of [400, 429, 503]) {
        assert.deepEqual(sorted(enumAt(route, status, 'errorCode')), ['1001', '1016', '1017']);
      }
    }
    const problems = enumAt(routes.native, 400, 'code');
    for (const code of ['invalid_request', 'url_blocked', 'queue_full', 'headers_too_large']) {
      assert.ok(problems.includes(code), code);
    }
  });
});

/** For each route, requests that are answered with each status it documents. `connect` compares answer and schema. */
type Produce = (route: Route, t: TestContext) => Promise<Reply>;

const post: Produce = (route) => {
  const { headers, body } = route.asking(photos.face);
  return ask(route.path, { headers: keyed(route, headers), body });
};
const image =
  (bytes: () => Promise<Buffer> | Buffer): Produce =>
  async (route) => {
    const { headers, body } = route.asking(await bytes());
    return await ask(route.path, { headers: keyed(route, headers), body });
  };
const malformed: Produce = (route) =>
  ask(route.path, { ...json({}), headers: keyed(route, json({}).headers) });
const withoutKey: Produce = (route) => ask(route.path, route.asking(photos.face));
const whenFull: Produce = async (route, t) => {
  const held = await fill(server, 2);
  const reply = await post(route, t);
  await held.release();
  assertReply(reply, route.unavailable);
  return reply;
};
const overQuota: Produce = async (route) => {
  const { secret } =
    planted[`${route.dialect === 'nhn' ? 'a secret' : 'an x-api-key'} for one request a day`];
  const { headers, body } = route.asking(photos.face);
  const limited = () => ask(route.path, { headers: { ...headers, [route.keyHeader]: secret }, body });
  await limited();
  return await limited();
};
const whenDefective: Produce = async (route, t) => {
  const assess = t.mock.method(server.engine, 'assess', () => Promise.reject(new TypeError('a defect')));
  const reply = await post(route, t);
  assess.mock.restore();
  return reply;
};
const otherMethod: Produce = (route) => ask(route.path, { method: 'PUT', headers: keyed(route) });
const longHead: Produce = (route) =>
  ask(route.path, { headers: keyed(route, { 'x-long': 'a'.repeat(20_000) }) });
/** As Node says it after a minute. */
const tooSlow: Produce = async (route) => {
  server.app.server.once('request', ({ socket }) =>
    server.app.server.emit(
      'clientError',
      Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
      socket,
    ),
  );
  const upload = startUpload(server, route.path, keyed(route, { 'content-type': 'image/jpeg' }), {
    expect: false,
  });
  const reply = await upload.answered;
  upload.request.destroy();
  return reply;
};
const tooLarge = image(() => padJpeg(photos.face, maxImageBytes + 1));
const noImage = image(() => Buffer.from('This is not an image.'));
const cutShort = image(() => photos.body.subarray(0, 20_000));
const nobody = image(() => landscape(640, 480));

const withBytes =
  (bytes: string): Produce =>
  async (route) => {
    const { headers, body } = json(route.dialect === 'argos' ? { faceImage: bytes } : { image: { bytes } });
    return await ask(route.path, { headers: keyed(route, headers), body });
  };
const withUrl =
  (url: () => string): Produce =>
  async (route) => {
    const { headers, body } = json({ image: { url: url() } });
    return await ask(route.path, { headers: keyed(route, headers), body });
  };
const raw =
  (bytes: () => Buffer, type = 'image/jpeg'): Produce =>
  async (route) =>
    await ask(route.path, {
      headers: keyed(route, { 'content-type': type }),
      body: new Uint8Array(bytes()),
    });
const noUrl = withUrl(() => 'https://...');
const portrait = image(() => portraitBytes);
/** Bytes that no other test sends: the server knows those it has seen. */
const newPortrait = image(() => padJpeg(portraitBytes, portraitBytes.length + 9));
const newLandscape = image(() => landscape(640, 481));
const claiming = image(() => claimingPng(30_000, 30_000));
const notBase64 = withBytes('data:image/png;base64,AAAA');

/** By the names that the examples of the document have, where there are any. */
const produced: Record<Route['dialect'], Record<number, Record<string, Produce>>> = {
  nhn: {
    200: {
      portrait,
      noFace: nobody,
      InvalidParam: malformed,
      UnauthorizedAppKeyOrSecretKey: withoutKey,
      ImageTooLargeException: image(() => padJpeg(photos.face, 3_000_001)),
      InvalidImageParameterException: notBase64,
      InvalidImageFormatException: noImage,
      InvalidImageURLException: noUrl,
      ImageTimeoutError: withUrl(() => `http://${silentHost}/`),
      InternalServerError: whenDefective,
      'a person': post,
      'cut short': cutShort,
    },
    429: { ServiceQuotaExceededException: overQuota },
    503: { InternalServerError: whenFull },
  },
  argos: {
    200: { portrait, 'a person': post },
    400: {
      required: malformed,
      FACE_NOT_FOUND: nobody,
      TOO_MANY_FACES: image(() => tileFaces(photos.face, 2, 1, 256)),
      FACE_TOO_SMALL: image(() =>
        placeFaces(photos.face, { width: 480, height: 360 }, [{ x: 200, y: 150, side: 56 }]),
      ),
      INVALID_BASE64: notBase64,
      IMAGE_TOO_LARGE: tooLarge,
      UNSUPPORTED_IMAGE_FORMAT: noImage,
      IMAGE_DAMAGED: cutShort,
      ANALYSIS_FAILED: whenDefective,
    },
    403: { forbidden: withoutKey },
    429: { quota: overQuota },
    503: { full: whenFull },
  },
  native: {
    // In the order in which the server sees the picture first and again.
    200: { attack: newPortrait, seen: newPortrait, noFace: newLandscape, 'a person': post },
    400: {
      invalid_request: malformed,
      invalid_base64: notBase64,
      url_invalid: withUrl(() => 'photo.jpg'),
      url_blocked: withUrl(() => 'http://127.0.0.1/'),
    },
    401: { unauthorized: withoutKey },
    405: { method_not_allowed: otherMethod },
    408: { request_timeout: tooSlow },
    413: {
      too_many_bytes: raw(() => padJpeg(photos.face, maxImageBytes * 2)),
      image_too_large: claiming,
      'a larger image': tooLarge,
    },
    415: { unsupported_media_type: raw(() => photos.face, 'text/plain'), unsupported_format: noImage },
    422: { undecodable_image: cutShort, url_unreachable: withUrl(() => 'http://photos.invalid/') },
    429: { quota_exceeded: overQuota },
    431: { headers_too_large: longHead },
    500: { engine_failure: whenDefective },
    503: { service_full: whenFull },
  },
};

/** What every answer has anew. */
const anew = { requestId: '', transactionId: '', timings: {}, seenBefore: {} };

/**
 * Says that an answer is the example of it: word for word where it was refused; where it was not, of its shape, for another
 * processor's numbers differ in the last digits.
 */
function assertExample(answer: object, example: object): void {
  const same = (value: object) => ({ ...value, ...anew });
  const isAnswer = 'faces' in example || 'data' in example || 'result' in example;
  if (!isAnswer) assert.deepEqual(same(answer), same(example));
  assert.deepEqual(outlineOf(answer), outlineOf(example));
}

/** The names of all members, the types of their values, and what is neither a number nor an id. */
function outlineOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(outlineOf);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? 'number' : value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      /^(requestId|transactionId|.*At)$/.test(name) ? typeof member : outlineOf(member),
    ]),
  );
}

for (const route of Object.values(routes)) {
  describe(`OpenAPI: ${route.name}`, () => {
    const byStatus = produced[route.dialect];

    it('documents exactly the statuses there are', () => {
      assert.deepEqual(Object.keys(operationOf(route).responses), Object.keys(byStatus));
    });

    for (const [status, requests] of Object.entries(byStatus)) {
      it(`answers ${status} as documented`, async (t) => {
        const [media] = Object.values(operationOf(route).responses[status]?.content ?? {});
        const { vendor: _, ...examples } = examplesOf(media as Media);
        for (const [name, request] of Object.entries(requests)) {
          const reply = await request(route, t);
          assert.equal(reply.status, Number(status));
          if (name in examples) assertExample(reply.body, examples[name] as object);
          delete examples[name];
        }
        assert.deepEqual(Object.keys(examples), [], 'every example is an answer of the server');
      });
    }

    it('assesses the examples of requests, in every media type', async () => {
      const { content } = operationOf(route).requestBody;
      for (const [type, media] of Object.entries(content) as [string, Media][]) {
        for (const [name, { value, externalValue }] of Object.entries(media.examples ?? {})) {
          if (name === 'url') continue;
          const picture = new Uint8Array(await (await fetch(server.origin + portraitPath)).arrayBuffer());
          const asking = {
            headers: keyed(route, { 'content-type': type }),
            body: externalValue === undefined ? JSON.stringify(value) : picture,
          };
          const reply = await ask(route.path, {
            ...asking,
            ...(type === 'multipart/form-data' && {
              headers: keyed(route),
              body: formOf(media, value as Record<string, string>, picture),
            }),
          });
          const [, portraitAnswer] = Object.entries(
            examplesOf(operationOf(route).responses[200]?.content['application/json'] as Media),
          ).find(([name]) => name === 'portrait' || name === 'attack') as [string, object];
          assert.equal(reply.status, 200, `${type} ${name}: ${reply.text}`);
          assert.deepEqual(
            { ...(outlineOf(reply.body) as object), ...anew },
            { ...(outlineOf(portraitAnswer) as object), ...anew },
          );
        }
      }
    });
  });
}

/** The form of an example, with the picture for what is a file. */
function formOf(
  { schema }: Media,
  value: Record<string, string>,
  picture: Uint8Array<ArrayBuffer>,
): FormData {
  const form = new FormData();
  for (const [name, text] of Object.entries(value)) {
    if ('x-file' in (schema.properties?.[name] ?? {})) form.append(name, new Blob([picture]), 'portrait.jpg');
    else form.append(name, text);
  }
  return form;
}

describe('OpenAPI: the admin API', () => {
  for (const operation of adminOperations) {
    const { method, template, body } = operation;
    it(`${method} ${template}: takes and answers what it describes`, async () => {
      const { requestBody, responses } = document.paths[template]?.[method.toLowerCase()] ?? assert.fail();
      assert.equal(requestBody !== undefined, body !== undefined);
      if (body !== undefined) {
        const { schema } = requestBody.content['application/json'] ?? assert.fail();
        const validate = ajv.compile(schema);
        assert.ok(validate(body), ajv.errorsText(validate.errors));
      }
      const [asked] = Object.values(examplesOf((requestBody?.content['application/json'] ?? {}) as Media));
      const response = await askAdmin(
        server,
        // The token of an example opens nothing.
        asked === undefined || operation.isOpen ? operation : { ...operation, body: asked as object },
      );
      assert.equal(response.status, 200, `${template} is answered`);
      const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
      const media = responses[200]?.content[type] ?? assert.fail(`${type} is described`);
      const [example] = Object.values(examplesOf(media as Media));
      const text = await response.text();
      if (type === 'text/csv') assert.equal(text.split('\n')[0], String(example).split('\n')[0]);
      if (type !== 'application/json') return;
      const answer = JSON.parse(text);
      const validate = ajv.compile(closed(media.schema));
      assert.ok(validate(answer), ajv.errorsText(validate.errors));
      // What is passed on as it was written has more members than its example shows.
      const isOpen = (media.schema as { additionalProperties?: boolean }).additionalProperties === true;
      const compared = isOpen
        ? Object.fromEntries(Object.keys(example as object).map((name) => [name, (answer as never)[name]]))
        : answer;
      assert.deepEqual(membersOf(example, compared), membersOf(compared, example));
    });
  }
});

/** The names of a value's members, and of theirs, as far as the other one has them too: lists may be empty, and values null. */
function membersOf(value: unknown, other: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(other)) {
    return value.length === 0 || other.length === 0 ? [] : membersOf(value[0], other[0]);
  }
  if (typeof value !== 'object' || typeof other !== 'object' || value === null || other === null) return '';
  return Object.entries(value)
    .filter(([name]) => !optional.includes(name))
    .map(([name, member]) => [
      name,
      name === 'limits' ? '' : membersOf(member, (other as Record<string, unknown>)[name]),
    ])
    .sort();
}

/** Not after the last page. */
const optional = ['next'];
