/** NHN Cloud Face Liveness, requests that are refused for what they ask: every one in the documented envelope. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import {
  type Ask,
  type Asking,
  assertReply,
  connect,
  form,
  json,
  keyed,
  nhnError,
  routes,
} from '../../helpers/http.ts';
import { readPhotos } from '../../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../../helpers/server.ts';

const { nhn } = routes;
const messages: Record<string, string> = JSON.parse(
  await readFile(new URL('fixtures/error-codes.json', import.meta.url), 'utf8'),
);

const photos = await readPhotos();
const bytes = photos.face.toString('base64');
const file = new Uint8Array(photos.face);
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer();
  ask = await connect(server);
});
after(() => server.close());

async function refuse(resultCode: number, path: string, asking: Asking): Promise<void> {
  const message = messages[resultCode];
  assert.ok(message, `${resultCode} is documented`);
  assertReply(await ask(path, asking), { status: 200, shape: nhnError(resultCode, message) });
}

/** Asks with the key. */
async function refuseKeyed(resultCode: number, asking: Asking): Promise<void> {
  await refuse(resultCode, nhn.path, { ...asking, headers: keyed(nhn, asking.headers) });
}

describe('NHN -40000 InvalidParam', () => {
  const jsonBodies: [name: string, value: unknown][] = [
    ['no image', {}],
    ['no image but a condition', { spoofingCondition: 'weak' }],
    ['an image that is text', { image: bytes }],
    ['an image that is null', { image: null }],
    ['an image that is a list', { image: [{ bytes }] }],
    ['neither url nor bytes', { image: {} }],
    ['both url and bytes', { image: { bytes, url: 'https://example.com/a.jpg' } }],
    ['bytes that are no text', { image: { bytes: 12 } }],
    ['bytes that are null', { image: { bytes: null } }],
    ['a url that is no text', { image: { url: ['https://example.com/a.jpg'] } }],
    ['a condition of another name (assumed)', { image: { bytes }, spoofingCondition: 'medium' }],
    ['a condition in capitals (assumed)', { image: { bytes }, spoofingCondition: 'Strict' }],
    ['a condition that is null (assumed)', { image: { bytes }, spoofingCondition: null }],
    ['a condition that is empty (assumed)', { image: { bytes }, spoofingCondition: '' }],
    ['an unknown member (assumed)', { image: { bytes }, orientation: true }],
    ['an unknown member of image (assumed)', { image: { bytes, name: 'a' } }],
    ['a list', [{ image: { bytes } }]],
    ['text', 'image'],
    ['null', null],
    ['a number', 1],
  ];
  for (const [name, value] of jsonBodies) {
    it(`JSON: ${name}`, () => refuseKeyed(-40000, json(value)));
  }

  const type = { 'content-type': 'application/json' };
  const raw: [name: string, asking: Asking][] = [
    ['malformed JSON', { headers: type, body: '{"image":' }],
    ['JSON with a comma too many', { headers: type, body: `{"image":{"bytes":"${bytes}",}}` }],
    ['JSON that poisons a prototype', { headers: type, body: '{"__proto__":{"image":1}}' }],
    ['an empty body of JSON', { headers: type, body: '' }],
    ['no body and no content type', {}],
    ['a body without a content type', { body: new Uint8Array(Buffer.from(json({ image: { bytes } }).body)) }],
    ['JSON that says it is text', { headers: { 'content-type': 'text/plain' }, body: '{}' }],
    ['JSON that says it is XML', { headers: { 'content-type': 'application/xml' }, body: '{}' }],
    ['the image itself', { headers: { 'content-type': 'image/jpeg' }, body: file }],
    [
      'a form of the other kind',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'imageFile=a' },
    ],
    ['no content type that can be read', { headers: { 'content-type': 'json' }, body: '{}' }],
  ];
  for (const [name, asking] of raw) {
    it(`assumed: ${name}`, () => refuseKeyed(-40000, asking));
  }

  const multipart = (boundary: string, body: string): Asking => ({
    headers: { 'content-type': `multipart/form-data${boundary}` },
    body,
  });
  const part = (name: string, text: string) =>
    `--x\r\ncontent-disposition: form-data; name=${name}\r\n\r\n${text}\r\n`;
  const forms: [name: string, asking: Asking][] = [
    ['no imageFile', form(['spoofingCondition', 'weak'])],
    ['imageFile as a text field', form(['imageFile', bytes])],
    ['a second file', form(['imageFile', file], ['imageFile', file])],
    ['a second file of another name', form(['imageFile', file], ['other', file])],
    ['the file under another name', form(['image', file])],
    ['an unknown field', form(['imageFile', file], ['orientation', 'true'])],
    ['an unknown condition', form(['imageFile', file], ['spoofingCondition', 'medium'])],
    [
      'two conditions',
      form(['imageFile', file], ['spoofingCondition', 'weak'], ['spoofingCondition', 'weak']),
    ],
    ['a condition that is a file', form(['imageFile', file], ['spoofingCondition', file])],
    ['a field named as a prototype', form(['imageFile', file], ['__proto__', 'a'])],
    [
      'more fields than any form of ours has',
      form(...Array.from({ length: 9 }, () => ['a', 'b'] as [string, string])),
    ],
    ['a form without a boundary', multipart('', 'imageFile')],
    ['a form with an empty boundary', multipart('; boundary=', '--\r\n')],
    ['a form with an endless boundary', multipart(`; boundary=${'x'.repeat(300)}`, 'imageFile')],
    ['a form without parts', multipart('; boundary=x', '--x--\r\n')],
    ['a form that is empty', multipart('; boundary=x', '')],
    ['a form that is none', multipart('; boundary=x', '{"image":{}}')],
    ['a form cut short in its head', multipart('; boundary=x', '--x\r\ncontent-disp')],
    ['a form cut short in a field', multipart('; boundary=x', part('spoofingCondition', 'we'))],
    ['a form cut short in its file', multipart('; boundary=x', part('imageFile; filename=a', 'abc'))],
  ];
  for (const [name, asking] of forms) {
    it(`assumed: ${name}`, () => refuseKeyed(-40000, asking));
  }

  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    it(`assumed: ${method} instead of POST`, () => refuseKeyed(-40000, { method }));
  }

  it('assumed: HEAD instead of POST, which has no body', async () => {
    const reply = await ask(nhn.path, { method: 'HEAD', headers: keyed(nhn) });
    assert.equal(reply.status, 200);
    assert.equal(reply.text, '');
  });

  const elsewhere = [
    '/v1.0',
    '/v1.0/',
    '/v1.0/spoofing',
    `/v1.0/appkeys/${credential.appKey}`,
    `/v1.0/appkeys/${credential.appKey}/spoofing/`,
    `/v1.0/appkeys/${credential.appKey}/spoof`,
    `/v1.0/appkeys/${credential.appKey}/spoofing/more`,
    `/v1.0/appkeys/${credential.appKey}%zz/spoofing`,
  ];
  for (const path of elsewhere) {
    it(`assumed: the unknown path ${path}`, () =>
      refuse(-40000, path, { ...json({ image: { bytes } }), headers: keyed(nhn) }));
  }

  it('assumed: an unknown path, whatever the body says it is', () =>
    refuse(-40000, '/v1.0/else', { headers: { 'content-type': 'image/tiff' }, body: file }));
});

describe('NHN -41005 UnauthorizedAppKeyOrSecretKey', () => {
  const asking = json({ image: { bytes } });
  const headers = (more: Record<string, string>) => ({ ...asking, headers: { ...asking.headers, ...more } });
  const path = (appKey: string, query = '') => `/v1.0/appkeys/${appKey}/spoofing${query}`;
  const secret = credential.secretKey;

  it('a wrong secretKey', () => refuse(-41005, nhn.path, headers({ authorization: `${secret}0` })));
  it('no secretKey', () => refuse(-41005, nhn.path, asking));
  it('an empty secretKey', () => refuse(-41005, nhn.path, headers({ authorization: '' })));
  it('a secretKey behind a scheme', () =>
    refuse(-41005, nhn.path, headers({ authorization: `Bearer ${secret}` })));
  it('a wrong appKey', () => refuse(-41005, path('another-app-key'), headers({ authorization: secret })));
  it('no appKey', () => refuse(-41005, path(''), headers({ authorization: secret })));
  it('an appKey of other case', () =>
    refuse(-41005, path(credential.appKey.toUpperCase()), headers({ authorization: secret })));
  it('an appKey that is too long for any', () =>
    refuse(-41005, path('a'.repeat(5_000)), headers({ authorization: secret })));
  it('the appKey as secretKey', () =>
    refuse(-41005, nhn.path, headers({ authorization: credential.appKey })));
  it('the secretKey in the query', () =>
    refuse(-41005, path(credential.appKey, `?authorization=${secret}&secretKey=${secret}`), asking));
  it('the secretKey in x-api-key', () => refuse(-41005, nhn.path, headers({ 'x-api-key': secret })));
  it('the secretKey in X-Secret-Key', () => refuse(-41005, nhn.path, headers({ 'x-secret-key': secret })));
  it("the other APIs' key", () =>
    refuse(-41005, nhn.path, headers({ authorization: credential.apiKey, 'x-api-key': credential.apiKey })));
  it('before anything is said about the body', () =>
    refuse(-41005, nhn.path, { headers: { 'content-type': 'application/json' }, body: '{' }));
});
