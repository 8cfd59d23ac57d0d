/** Every authenticated route, alike: who has no key is refused in the route's own envelope, before a body is read. */

import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { sessionCookie } from '../../src/server/admin/authentication.ts';
import { hashOf, Keys } from '../../src/storage/keys.ts';
import {
  type Ask,
  adminForbidden,
  adminOperations,
  askAdmin,
  assertReply,
  connect,
  type Route,
  routes,
  signIn,
  startUpload,
} from '../helpers/http.ts';
import { credential, planted } from '../helpers/keys.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
  await beginSessions();
});
after(() => server.close());

interface Attempt {
  readonly headers?: OutgoingHttpHeaders;
  readonly query?: string;
  readonly path?: string;
}

/** Where a key belongs, and how it is written there. */
interface Place {
  readonly keyHeader: string;
  readonly key: string;
  readonly write: (key: string) => string;
  /** Which of the keys there are may be sent there. */
  readonly good: readonly PlantedName[];
}

type PlantedName = keyof typeof planted;

const otherHeaders = [
  'authorization',
  'x-api-key',
  'api-key',
  'apikey',
  'x-secret-key',
  'proxy-authorization',
];

/** What somebody may send who does not have the key, or not where it belongs. */
function attempts({ keyHeader, key, write, good }: Place): Record<string, Attempt> {
  const send = (...values: string[]): Attempt => {
    const [value, ...more] = values.map(write);
    return { headers: { [keyHeader]: more.length === 0 ? value : [value as string, ...more] } };
  };
  return {
    'no key': {},
    'an empty header': { headers: { [keyHeader]: '' } },
    'an empty key': send(''),
    'a wrong key': send('wrong'),
    'a key that begins right': send(key.slice(0, -1)),
    'a key that goes on': send(`${key}0`),
    'a key of other case': send(key.toUpperCase()),
    'a key with a space in it': send(`${key.slice(0, 8)} ${key.slice(8)}`),
    'a key before a no-break space': send(`${key}\u00a0`),
    'a key before a tab and more': send(`${key}\t0`),
    'a key in quotation marks': send(`"${key}"`),
    'a key behind a scheme too many': send(`Bearer ${key}`),
    'a key behind another scheme': { headers: { [keyHeader]: `Basic ${key}` } },
    'a key of 10 kB': send('k'.repeat(10_000)),
    'the right key 400 times over': send(key.repeat(400)),
    'the right key twice, as a list': send(key, key),
    'the right key and a wrong one': send(key, 'wrong'),
    'a wrong key and the right one': send('wrong', key),
    'the right key twice, in one header': send(`${key}, ${key}`),
    'the appKey': send(credential.appKey),
    'the hash of the key': send(hashOf(key)),
    'the key in the query': { query: `${keyHeader}=${key}&key=${key}&secretKey=${key}&apiKey=${key}` },
    'the key in a cookie': { headers: { cookie: `${keyHeader}=${key}` } },
    'the key in other headers': {
      headers: Object.fromEntries(
        otherHeaders.filter((name) => name !== keyHeader).map((name) => [name, write(key)]),
      ),
    },
    ...Object.fromEntries(
      Object.entries(planted)
        .filter(([name]) => !good.includes(name as PlantedName))
        .map(([name, { secret }]) => [`${name}, which is not for here`, send(secret)]),
    ),
  };
}

const apiKeys: readonly PlantedName[] = ['api', 'a spare x-api-key', 'an x-api-key for one request a day'];

/** The keys that are good for a dialect. */
const goodKeys: Readonly<Record<Route['dialect'], readonly PlantedName[]>> = {
  nhn: ['secret', 'a secret for one request a day'],
  argos: [...apiKeys, 'an x-api-key for ARGOS alone'],
  native: [...apiKeys, 'an x-api-key for the native API alone'],
};

for (const route of Object.values(routes)) {
  const place: Place = { ...route, write: (key) => key, good: goodKeys[route.dialect] };
  const tries = attempts(place);
  if (route.dialect === 'nhn') {
    const key = { headers: { authorization: route.key } };
    tries["another app's appKey"] = { ...key, path: route.path.replace('contract', 'other') };
    tries["a revoked app's appKey"] = { ...key, path: route.path.replace('contract', 'revoked') };
    tries['an appKey of other case'] = { ...key, path: route.path.replace('contract', 'Contract') };
    tries['a longer appKey'] = { ...key, path: route.path.replace('contract', 'contractt') };
  }

  describe(`keys: ${route.name}`, () => {
    // Those with a quota are good, but only for one of the routes.
    for (const name of place.good.filter((one) => !one.includes('one request a day'))) {
      it(`lets in who has a key: ${name}`, async () => {
        const { headers, body } = route.asking(photos.face);
        const { secret } = planted[name];
        const reply = await ask(route.path, { headers: { ...headers, [route.keyHeader]: secret }, body });
        assert.equal(reply.status, 200);
        assert.notEqual(reply.body.header?.isSuccessful, false);
      });
    }

    for (const [name, { headers = {}, query = '', path = route.path }] of Object.entries(tries)) {
      it(`refuses ${name}, before the body is read`, async (t) => {
        const assess = t.mock.method(server.engine, 'assess');
        const admit = t.mock.method(server.gate, 'admit');
        const upload = startUpload(server, `${path}?${query}`, {
          'content-type': 'application/json',
          ...headers,
        });
        // More is announced and never comes.
        upload.request.write('{"image":');
        assertReply(await upload.answered, route.forbidden);
        upload.request.destroy();
        assert.equal(admit.mock.callCount(), 0);
        assert.equal(assess.mock.callCount(), 0);
      });
    }

    it('refuses without a key whatever the method and the media type', async () => {
      const image = await ask(route.path, {
        headers: { 'content-type': 'image/jpeg' },
        body: new Uint8Array(photos.face),
      });
      assertReply(image, route.forbidden);
      const nothing = await ask(route.path, {});
      assertReply(nothing, route.forbidden);
    });

    it('says nothing of the key, nor of which part of it was wrong', async () => {
      const { headers, body } = route.asking(photos.face);
      const wrong = await ask(route.path, { headers: { ...headers, [route.keyHeader]: 'tried-this' }, body });
      const none = await ask(route.path, { headers, body });
      assert.doesNotMatch(wrong.text, /tried-this|contract/);
      const masked = (text: string) => text.replace(/"[0-9a-z]{13}"/, '');
      assert.equal(masked(wrong.text), masked(none.text));
    });
  });
}

describe('keys: another app with its own', () => {
  it('is let in, so that what is refused above is refused for whom it was sent', async () => {
    const { headers, body } = routes.nhn.asking(photos.face);
    const authorization = planted["another app's secret"].secret;
    const path = routes.nhn.path.replace('contract', 'other');
    const reply = await ask(path, { headers: { ...headers, authorization }, body });
    assert.equal(reply.body.header.resultCode, 0);
  });
});

/** The secret of a session that is good, one that was signed out, one whose time is over, and one whose token has ended. */
const sessions = { good: '', 'signed out': '', expired: '', 'of a revoked token': '' };

async function beginSessions(): Promise<void> {
  const secretOf = (cookie: string) => cookie.split('=')[1] as string;
  const { db } = server.storage;
  const keys = new Keys(db);
  for (const name of Object.keys(sessions) as (keyof typeof sessions)[]) {
    const { made, secret } = await keys.createAdminToken(name, 'test');
    const cookie = await signIn(server, secret);
    sessions[name] = secretOf(cookie);
    if (name === 'of a revoked token') await keys.revokeAdminToken(made.id);
    if (name === 'signed out') {
      const headers = { cookie, 'sec-fetch-site': 'same-origin' };
      const { status } = await fetch(`${server.origin}/admin/v1/session`, { method: 'DELETE', headers });
      assert.equal(status, 200);
    }
  }
  const expired = hashOf(sessions.expired);
  await db.updateTable('sessions').set({ expires_at: Date.now() }).where('hash', '=', expired).execute();
}

/** What a browser may send that has no session, or was made to send its cookie by somebody else's page. */
function sessionAttempts(method: string): Record<string, () => OutgoingHttpHeaders> {
  const own = { 'sec-fetch-site': 'same-origin' };
  const send = (secret: () => string, more: OutgoingHttpHeaders = own) => {
    return () => ({ cookie: `${sessionCookie}=${secret()}`, ...more });
  };
  const good = () => sessions.good;
  return {
    'an empty session': send(() => ''),
    'a wrong session': send(() => 'wrong'),
    'a session that begins right': send(() => sessions.good.slice(0, -1)),
    'a session that goes on': send(() => `${sessions.good}0`),
    'a session of other case': send(() => sessions.good.toUpperCase()),
    'the hash of the session': send(() => hashOf(sessions.good)),
    'the admin token as a session': send(() => credential.adminToken),
    'a session in another cookie': () => ({ cookie: `session=${sessions.good}`, ...own }),
    'a session as a token': () => ({ authorization: `Bearer ${sessions.good}`, ...own }),
    'a session beside a wrong token': send(good, { ...own, authorization: 'Bearer wrong' }),
    ...Object.fromEntries(
      (['signed out', 'expired', 'of a revoked token'] as const).map((name) => [
        `a session that is ${name}`,
        send(() => sessions[name]),
      ]),
    ),
    'a session by a page of another site': send(good, { 'sec-fetch-site': 'cross-site' }),
    'a session by a page of another port': send(good, { 'sec-fetch-site': 'same-site' }),
    'a session by no page at all': send(good, { 'sec-fetch-site': 'none' }),
    'a session by two pages': send(good, { 'sec-fetch-site': ['same-origin', 'cross-site'] }),
    'a session by another site that claims our origin': () => ({
      ...send(good, { 'sec-fetch-site': 'cross-site' })(),
      origin: server.origin,
    }),
    'a session with the origin of another site': send(good, { origin: 'https://example.com' }),
    'a session with the origin of another port': send(good, { origin: 'http://127.0.0.1:1' }),
    'a session with an origin that is none': send(good, { origin: 'null' }),
    ...(method !== 'GET' && { 'a session by a browser that tells no page': send(good, {}) }),
  };
}

for (const { method, template, path, body } of adminOperations.filter(({ isOpen }) => !isOpen)) {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const refused = async (address: string, headers: OutgoingHttpHeaders) => {
    const upload = startUpload(server, address, { ...type, ...headers }, { method });
    upload.request.write('{"name":');
    const reply = await upload.answered;
    upload.request.destroy();
    assertReply(reply, adminForbidden);
    assert.doesNotMatch(reply.text, /contract/);
  };

  describe(`admin tokens: ${method} ${template}`, () => {
    const tries = attempts({
      keyHeader: 'authorization',
      key: credential.adminToken,
      write: (key) => `Bearer ${key}`,
      good: ['admin'],
    });
    tries['the token without a scheme'] = { headers: { authorization: credential.adminToken } };

    for (const [name, { headers = {}, query = '' }] of Object.entries(tries)) {
      it(`refuses ${name}, before a body is read`, async () => {
        await refused(`${path}${path.includes('?') ? '&' : '?'}${query}`, headers);
      });
    }
  });

  describe(`sessions: ${method} ${template}`, () => {
    for (const [name, headers] of Object.entries(sessionAttempts(method))) {
      it(`refuses ${name}, before a body is read`, () => refused(path, headers()));
    }
  });
}

describe('admin tokens', () => {
  for (const operation of adminOperations) {
    it(`let in: ${operation.method} ${operation.template}`, async () => {
      const response = await askAdmin(server, operation);
      assert.equal(response.status, 200, await response.text());
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('cross-origin-resource-policy'), 'same-origin');
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    });
  }
});

describe('sessions', () => {
  const ways: Record<string, (method: string) => Record<string, string>> = {
    'a page of ours': () => ({ 'sec-fetch-site': 'same-origin' }),
    'a browser that tells the origin of what changes something': (method) =>
      method === 'GET' ? {} : { origin: server.origin },
  };
  for (const { method, template, path, body } of adminOperations.filter(({ isOpen }) => !isOpen)) {
    for (const [name, headersOf] of Object.entries(ways)) {
      it(`let in by ${name}: ${method} ${template}`, async () => {
        // Some operations end what they are asked about, the session among them.
        const cookie = await signIn(server);
        const response = await fetch(server.origin + path, {
          method,
          headers: {
            cookie,
            ...headersOf(method),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        // What was made or ended before is in conflict, or gone.
        assert.ok([200, 404, 409].includes(response.status), await response.text());
      });
    }
  }
});

describe('paths that do not exist', () => {
  for (const path of [
    '/else',
    '/v1.0/else',
    '/modules/else',
    '/liveness/else',
    '/v1/else',
    '/admin/v1/else',
  ]) {
    it(`${path}: is refused before the body of whoever it is is read`, async () => {
      const upload = startUpload(server, path, { 'content-type': 'application/json' });
      upload.request.write('{"image":');
      const { status, headers } = await upload.answered;
      upload.request.destroy();
      assert.equal(status, path.startsWith('/v1.0') ? 200 : 404);
      assert.equal(headers.get('x-request-id')?.length, 13);
    });
  }
});
