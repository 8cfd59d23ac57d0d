/** What every answer tells browsers and caches, whoever asks, and whatever comes of it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { form, json, keyed, routes, signIn } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { hear, open } from '../helpers/raw.ts';
import { consoleFolder, credential, keepLog, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
const page = 'https://shop.example';
const log = keepLog();
let server: TestServer;

before(async () => {
  server = await startServer({ log, corsOrigins: [page] });
});
after(() => server.close());

/** Written out: what the server no longer sends would not be missed by what it sends. */
const guards: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

function assertGuarded(headers: Headers): void {
  for (const [name, value] of Object.entries(guards)) assert.equal(headers.get(name), value, name);
  for (const name of ['server', 'x-powered-by', 'via']) assert.equal(headers.get(name), null, name);
}

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(server.origin + path, init);
  await response.arrayBuffer();
  return response;
};

describe('headers of answers', () => {
  for (const route of Object.values(routes)) {
    it(route.name, async () => {
      const { headers, body } = route.asking(photos.face);
      const right = keyed(route, headers);
      for (const init of [
        { method: 'POST', headers: right, body },
        { method: 'POST', headers, body },
        { method: 'POST', headers: right, body: '{' },
        { method: 'POST', headers: keyed(route), ...form(['x', 'y']) },
        { method: 'POST', headers: { ...right, origin: page }, body },
        {
          method: 'OPTIONS',
          headers: { origin: page, 'access-control-request-method': 'POST' },
        },
        { method: 'DELETE' },
      ]) {
        assertGuarded((await ask(route.path, init)).headers);
      }
      assertGuarded((await ask(`${route.path}/no/such/path`, { method: 'POST', headers: right })).headers);
    });
  }

  it('those of no dialect', async () => {
    const cookie = await signIn(server);
    const token = { authorization: `Bearer ${credential.adminToken}` };
    for (const [path, init] of [
      ['/livez', {}],
      ['/readyz', {}],
      ['/metrics', {}],
      ['/openapi.json', {}],
      ['/no/such/path', {}],
      ['/%zz', {}],
      ['/admin/v1/apps', {}],
      ['/admin/v1/apps', { headers: token }],
      ['/admin/v1/session', { headers: { cookie } }],
      ['/admin/v1/apps', { method: 'POST', headers: { ...token, ...json({}).headers }, body: '{}' }],
      ['/admin/v1/transactions/export?format=csv', { headers: token }],
      ['/admin/v1/no/such/path', { headers: token }],
    ] as const) {
      assertGuarded((await ask(path, init)).headers);
    }
  });

  it('refusals below the router', async () => {
    for (const text of [
      'xyz\r\n\r\n',
      `POST ${routes.nhn.path} HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n`,
    ]) {
      const socket = await open(server);
      socket.write(text);
      const [head = ''] = (await hear(socket)).text.split('\r\n\r\n');
      const lines = head.split('\r\n').slice(1);
      assertGuarded(new Headers(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string])));
    }
  });

  it("the console's files: pages with a policy of their own, the rest for other sites too", async () => {
    for (const path of ['/', '/docs']) {
      const { headers } = await ask(path);
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self'/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
    }
    const { headers } = await ask('/capture.js');
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-security-policy'), null);
    assert.equal(headers.get('cache-control'), 'no-cache');
  });

  it("the console's files: whole, in part, their heads alone, and not again to whom has them", async () => {
    for (const [path, file] of [
      ['/', 'index.html'],
      ['/docs', 'docs.html'],
      ['/capture.js', 'capture.js'],
    ] as const) {
      const whole = readFileSync(join(consoleFolder, file));
      const length = String(whole.length);
      const first = await fetch(server.origin + path);
      const etag = first.headers.get('etag') ?? '';
      assert.deepEqual(Buffer.from(await first.arrayBuffer()), whole);
      for (const [headers, status, from, to] of [
        [{ range: 'bytes=0-0' }, 206, 0, 1],
        [{ range: 'bytes=10-99' }, 206, 10, 100],
        [{ range: 'bytes=100-' }, 206, 100, whole.length],
        [{ range: 'bytes=-7', 'if-range': etag }, 206, whole.length - 7, whole.length],
        [{ range: 'bytes=-7', 'if-range': '"x"' }, 200, 0, whole.length],
        [{ range: 'bytes=0-1,4-5' }, 200, 0, whole.length],
        [{ 'if-none-match': '"x"', 'if-match': etag }, 200, 0, whole.length],
        [{ 'if-none-match': etag }, 304, 0, 0],
        [{ 'if-modified-since': first.headers.get('last-modified') ?? '' }, 304, 0, 0],
      ] as const) {
        for (const method of ['GET', 'HEAD']) {
          // Without which fetch asks for the file anew.
          const asked = { ...headers, 'cache-control': 'max-age=0' };
          const response = await fetch(server.origin + path, { method, headers: asked });
          const shown = `${method} ${path} ${JSON.stringify(headers)}`;
          assert.equal(response.status, status, shown);
          const part = method === 'GET' ? whole.subarray(from, to) : Buffer.of();
          assert.deepEqual(Buffer.from(await response.arrayBuffer()), part, shown);
          const got = (name: string) => response.headers.get(name);
          assert.equal(got('etag'), etag, shown);
          assert.equal(got('content-length'), status === 304 ? null : String(to - from), shown);
          const range = status === 206 ? `bytes ${from}-${to - 1}/${length}` : null;
          assert.equal(got('content-range'), range, shown);
          for (const name of ['cache-control', 'content-security-policy', 'access-control-allow-origin']) {
            assert.equal(got(name), first.headers.get(name), shown);
          }
        }
      }
    }
  });

  it("the console's files: conditions that do not hold, and parts that there are not", async () => {
    const refusals: [name: string, value: string, status: number, code: string][] = [
      ['range', 'bytes=999999999-', 416, 'range_not_satisfiable'],
      ['range', 'bytes=5-1', 416, 'range_not_satisfiable'],
      ['range', 'bytes=', 416, 'range_not_satisfiable'],
      ['if-match', '"x"', 412, 'precondition_failed'],
      ['if-unmodified-since', 'Thu, 01 Jan 1970 00:00:00 GMT', 412, 'precondition_failed'],
    ];
    for (const path of ['/', '/docs', '/capture.js']) {
      for (const [name, value, status, code] of refusals) {
        for (const method of ['GET', 'HEAD']) {
          const response = await fetch(server.origin + path, { method, headers: { [name]: value } });
          assert.equal(response.status, status, `${method} ${path} with ${name}: ${value}`);
          assertGuarded(response.headers);
          assert.equal(/^bytes \*\/\d+$/.test(response.headers.get('content-range') ?? ''), status === 416);
          const text = await response.text();
          if (method === 'GET') assert.equal((JSON.parse(text) as { code: string }).code, code);
        }
      }
    }
    assert.doesNotMatch(log.lines.join(''), /"level":50|"stack"/);
  });
});
