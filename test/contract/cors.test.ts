/** Pages of other origins: those that a setting names may ask the dialects and read every answer; nobody may ask the admin API. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fill, keyed, type Route, routes } from '../helpers/http.ts';
import { credential, planted } from '../helpers/keys.ts';
import { landscape } from '../helpers/pictures.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const named = 'https://shop.example';
const other = 'https://elsewhere.example';
const photo = await landscape(640, 480);

let server: TestServer;
let closed: TestServer;
before(async () => {
  [server, closed] = await Promise.all([
    startServer({ corsOrigins: [named, 'http://localhost:3000'], engine: { queue: 1 } }),
    startServer(),
  ]);
});
after(() => Promise.all([server.close(), closed.close()]));

/** What a browser asks before it sends a request of a page of another origin. */
async function preflight(
  { origin: at }: TestServer,
  path: string,
  origin: string | undefined,
  headers: Record<string, string> = { 'access-control-request-method': 'POST' },
): Promise<Response> {
  return await fetch(at + path, {
    method: 'OPTIONS',
    headers: { ...(origin !== undefined && { origin }), ...headers },
  });
}

async function post(
  { origin: at }: TestServer,
  path: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<Response> {
  return await fetch(at + path, { method: 'POST', headers, body });
}

const asking = (route: Route, origin: string) => {
  const { headers, body } = route.asking(photo);
  return { headers: { ...headers, ...keyed(route), origin }, body };
};

function assertReadable({ headers }: Response, origin = named): void {
  assert.equal(headers.get('access-control-allow-origin'), origin);
  assert.match(headers.get('vary') ?? '', /\borigin\b/i);
  assert.equal(headers.get('access-control-allow-credentials'), null);
}

const list = (text: string | null) => text?.toLowerCase().split(/, */) ?? [];

for (const route of Object.values(routes)) {
  describe(`${route.name}, asked by a page of another origin`, () => {
    it('lets the browser send what the route needs, without a key', async () => {
      for (const origin of [named, 'http://localhost:3000']) {
        const answer = await preflight(server, route.path, origin);
        assert.equal(answer.status, 204);
        assert.equal(await answer.text(), '');
        assertReadable(answer, origin);
        assert.equal(answer.headers.get('access-control-allow-methods'), 'POST');
        assert.deepEqual(list(answer.headers.get('access-control-allow-headers')), [
          route.keyHeader,
          'content-type',
          'x-bonafide-tag',
        ]);
      }
    });

    it('lets the page read the answer, its id and when to ask again', async () => {
      const answer = await post(server, route.path, asking(route, named));
      assert.ok([200, 400].includes(answer.status), `${answer.status}`);
      assertReadable(answer);
      const exposed = list(answer.headers.get('access-control-expose-headers'));
      assert.ok(exposed.includes('x-request-id') && exposed.includes('retry-after'), `${exposed}`);
    });

    it('lets the page read that its key is wrong, and that a path is', async () => {
      const { headers, body } = asking(route, named);
      const wrong = await post(server, route.path, {
        headers: { ...headers, [route.keyHeader]: 'wrong' },
        body,
      });
      assert.equal(wrong.status, route.forbidden.status);
      assertReadable(wrong);
      assertReadable(await post(server, `${route.path}/none`, { headers, body }));
      assertReadable(await post(server, route.path, { headers, body: '{' }));
    });

    it('lets the page read that the server is full', async () => {
      const { release } = await fill(server, 2);
      try {
        const answer = await post(server, route.path, asking(route, named));
        assert.equal(answer.status, 503);
        assertReadable(answer);
        // Nor does the browser's question take a place.
        assert.equal((await preflight(server, route.path, named)).status, 204);
      } finally {
        await release();
      }
    });

    it('tells no other origin anything, nor any without the setting', async () => {
      for (const [at, origin] of [
        [server, other],
        [server, 'null'],
        [server, `${named}.evil.example`],
        [closed, named],
      ] as const) {
        const asked = await preflight(at, route.path, origin);
        assert.notEqual(asked.status, 204);
        for (const answer of [asked, await post(at, route.path, asking(route, origin))]) {
          assert.deepEqual(
            [...answer.headers.keys()].filter((name) => name.startsWith('access-control-')),
            [],
          );
        }
      }
    });

    it('answers an OPTIONS that is no preflight in its own words', async () => {
      for (const origin of [named, undefined]) {
        const [with_, without] = await Promise.all(
          [server, closed].map((at) => preflight(at, route.path, origin, {})),
        );
        assert.equal(with_?.status, without?.status);
        const shape = (text: string) => Object.keys(JSON.parse(text));
        assert.deepEqual(shape((await with_?.text()) ?? ''), shape((await without?.text()) ?? ''));
      }
    });
  });
}

describe('a preflight', () => {
  it('uses nothing of a quota, and is no request of the metrics', async () => {
    const fresh = await startServer({ corsOrigins: [named] });
    try {
      const { native } = routes;
      for (let i = 0; i < 3; i++) await preflight(fresh, native.path, named);
      const metrics = await (await fetch(`${fresh.origin}/metrics`)).text();
      assert.doesNotMatch(metrics, /^bonafide_requests_total\{/m);
      const { secret } = planted['an x-api-key for one request a day'];
      const { headers, body } = asking(native, named);
      const answer = await post(fresh, native.path, { headers: { ...headers, 'x-api-key': secret }, body });
      assert.equal(answer.status, 200);
    } finally {
      await fresh.close();
    }
  });
});

describe('the admin API and the rest', () => {
  it('are for no page of another origin', async () => {
    for (const path of ['/admin/v1/apps', '/metrics', '/openapi.json', '/livez']) {
      const headers = { authorization: `Bearer ${credential.adminToken}`, origin: named };
      for (const answer of [
        await fetch(server.origin + path, { headers }),
        await preflight(server, path, named, { 'access-control-request-method': 'GET' }),
      ]) {
        assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
      }
    }
  });
});
