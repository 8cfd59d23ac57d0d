/** Every authenticated route, alike: who has no key is refused in the route's own envelope, before a body is read. */

import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type Ask, assertReply, connect, keyed, type Route, routes, startUpload } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
});
after(() => server.close());

interface Attempt {
  readonly headers?: OutgoingHttpHeaders;
  readonly query?: string;
}

const otherHeaders = [
  'authorization',
  'x-api-key',
  'api-key',
  'apikey',
  'x-secret-key',
  'proxy-authorization',
];

/** What somebody may send who does not have the key, or not where it belongs. */
function attempts({ keyHeader, key }: Route): Record<string, Attempt> {
  const send = (value: string | string[]): Attempt => ({ headers: { [keyHeader]: value } });
  return {
    'no key': {},
    'an empty key': send(''),
    'a wrong key': send('wrong'),
    'a key that begins right': send(key.slice(0, -1)),
    'a key that goes on': send(`${key}0`),
    'a key of other case': send(key.toUpperCase()),
    'a key with a space in it': send(`${key.slice(0, 8)} ${key.slice(8)}`),
    'a key before a no-break space': send(`${key}\u00a0`),
    'a key before a tab and more': send(`${key}\t0`),
    'a key in quotation marks': send(`"${key}"`),
    'a key behind a scheme': send(`Bearer ${key}`),
    'a key of 10 kB': send('k'.repeat(10_000)),
    'the right key 400 times over': send(key.repeat(400)),
    'the right key twice, as a list': send([key, key]),
    'the right key and a wrong one': send([key, 'wrong']),
    'a wrong key and the right one': send(['wrong', key]),
    'the right key twice, in one header': send(`${key}, ${key}`),
    "another API's key": send(key === credential.apiKey ? credential.secretKey : credential.apiKey),
    'the appKey': send(credential.appKey),
    'the key in the query': { query: `?${keyHeader}=${key}&key=${key}&secretKey=${key}&apiKey=${key}` },
    'the key in a cookie': { headers: { cookie: `${keyHeader}=${key}` } },
    'the key in other headers': {
      headers: Object.fromEntries(
        otherHeaders.filter((name) => name !== keyHeader).map((name) => [name, key]),
      ),
    },
  };
}

for (const route of Object.values(routes)) {
  describe(`keys: ${route.name}`, () => {
    it('lets in who has the key', async () => {
      const { headers, body } = route.asking(photos.face);
      assert.equal((await ask(route.path, { headers: keyed(route, headers), body })).status, 200);
    });

    for (const [name, { headers = {}, query = '' }] of Object.entries(attempts(route))) {
      it(`refuses ${name}, before the body is read`, async (t) => {
        const assess = t.mock.method(server.engine, 'assess');
        const admit = t.mock.method(server.gate, 'admit');
        const upload = startUpload(server, route.path + query, {
          'content-type': 'application/json',
          ...headers,
        });
        await upload.begun;
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

describe('paths that do not exist', () => {
  for (const path of ['/v1.0/else', '/modules/else', '/liveness/else', '/v1/else']) {
    it(`${path}: is refused before the body of whoever it is is read`, async () => {
      const upload = startUpload(server, path, { 'content-type': 'application/json' });
      await upload.begun;
      upload.request.write('{"image":');
      const { status, headers } = await upload.answered;
      upload.request.destroy();
      assert.equal(status, path.startsWith('/v1.0') ? 200 : 404);
      assert.equal(headers.get('x-request-id')?.length, 13);
    });
  }
});
