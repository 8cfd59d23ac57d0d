/** The served OpenAPI document: it describes the routes that run, all of them, and each answer is as it says. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
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
import { landscape, padJpeg, readPhotos } from '../helpers/pictures.ts';
import { consoleFolder, startServer, type TestServer } from '../helpers/server.ts';

const ajv = new Ajv2020({ keywords: ['x-file'], formats });
const maxImageBytes = 100_000;
const photos = await readPhotos();
let server: TestServer;
let ask: Ask;
let document: OpenApi;

before(async () => {
  server = await startServer({ engine: { workers: 1, queue: 1 }, maxImageBytes });
  ask = await connect(server);
  document = await openApiOf(server.origin);
});
after(() => server.close());

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The operations of the running app, in the document's notation; those open to everybody are none of the document's. */
function runningOperations(): string[] {
  const files = readdirSync(consoleFolder, { recursive: true, encoding: 'utf8' });
  const open = ['/livez', '/readyz', '/metrics', '/openapi.json', '/', ...files.map((file) => `/${file}`)];
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
  readonly schema: { readonly examples?: unknown[] };
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}

const examplesOf = ({ schema, example, examples = {} }: Media): unknown[] => [
  ...(schema.examples ?? []),
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
];

describe('OpenAPI: examples and closed sets', () => {
  for (const route of Object.values(routes)) {
    it(`${route.name}: shows the request in JSON and every answer, each as its schema says`, () => {
      const { requestBody, responses } = operationOf(route);
      const media = [
        requestBody.content['application/json'],
        ...Object.values(responses).flatMap(({ content }) => Object.values(content)),
      ] as Media[];
      for (const one of media) {
        const examples = examplesOf(one);
        assert.ok(examples.length > 0);
        const validate = ajv.compile(closed(one.schema));
        for (const example of examples) assert.ok(validate(example), ajv.errorsText(validate.errors));
      }
    });

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
      assert.deepEqual(shown[0], JSON.parse(await readFile(file, 'utf8')));
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

const produced: Record<Route['dialect'], Record<number, Produce[]>> = {
  nhn: {
    200: [post, nobody, malformed, withoutKey, noImage, cutShort, whenDefective],
    429: [overQuota],
    503: [whenFull],
  },
  argos: {
    200: [post],
    400: [malformed, nobody, tooLarge, noImage, cutShort, whenDefective],
    403: [withoutKey],
    429: [overQuota],
    503: [whenFull],
  },
  native: {
    200: [post, nobody],
    400: [malformed],
    401: [withoutKey],
    405: [otherMethod],
    408: [tooSlow],
    413: [tooLarge],
    415: [noImage],
    422: [cutShort],
    429: [overQuota],
    431: [longHead],
    500: [whenDefective],
    503: [whenFull],
  },
};

for (const route of Object.values(routes)) {
  describe(`OpenAPI: ${route.name}`, () => {
    const byStatus = produced[route.dialect];

    it('documents exactly the statuses there are', () => {
      assert.deepEqual(Object.keys(operationOf(route).responses), Object.keys(byStatus));
    });

    for (const [status, requests] of Object.entries(byStatus)) {
      it(`answers ${status} as documented`, async (t) => {
        for (const request of requests) assert.equal((await request(route, t)).status, Number(status));
      });
    }
  });
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
      const response = await askAdmin(server, operation);
      assert.equal(response.status, 200, `${template} is answered`);
      const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
      const { schema } = responses[200]?.content[type] ?? assert.fail(`${type} is described`);
      if (type !== 'application/json') return;
      const validate = ajv.compile(closed(schema));
      assert.ok(validate(await response.json()), ajv.errorsText(validate.errors));
    });
  }
});
