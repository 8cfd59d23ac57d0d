/**
 * Keys, images and query strings: looked for in all that a server writes while everything is asked of it that there is, at the level
 * of the log that tells most.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { form, json } from '../helpers/http.ts';
import { landscape, readPhotos } from '../helpers/pictures.ts';
import { linkWeights, serveAs } from '../helpers/serve.ts';

const photos = await readPhotos();
/** Known again wherever it stands: an image nobody else has, as bytes that follow its end are no part of the picture. */
const image = Buffer.concat([photos.face, randomBytes(3_000)]);
const signature = `signature-${randomBytes(12).toString('hex')}`;

let folder: string;
let dataFolder: string;
let serving: Awaited<ReturnType<typeof serveAs>>;
const replies: { asked: string; status: number; headers: IncomingHttpHeaders; text: string }[] = [];

/** What stands for a picture at an address. */
const images = createServer((request, response) => {
  if (request.url?.startsWith('/photo')) response.setHeader('content-type', 'image/jpeg').end(image);
  else if (request.url?.startsWith('/moved')) {
    response.writeHead(302, { location: `/photo?${signature}` }).end();
  } else if (request.url?.startsWith('/broken')) response.socket?.resetAndDestroy();
  else if (!request.url?.startsWith('/silent')) response.writeHead(500).end(`failed: ${request.url}`);
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bonafide-secrets-'));
  dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  await mkdir(join(folder, 'temporary'));
  await linkWeights(dataFolder);
  await once(images.listen(0, '127.0.0.1'), 'listening');
  const env = { ...process.env, TMPDIR: join(folder, 'temporary'), HOME: join(folder, 'temporary') };
  serving = await serveAs(
    { env, cwd: folder },
    dataFolder,
    ...['--log-level', 'trace', '--url-timeout-ms', '2000', '--url-allowed-hosts', imageHost()],
    ...['--request-timeout-ms', '1000', '--max-image-bytes', '400000', '--client-address', 'none'],
  );
});
after(async () => {
  images.closeAllConnections();
  images.close();
  await serving.kill();
  await rm(folder, { recursive: true });
});

const imageHost = () => `127.0.0.1:${(images.address() as AddressInfo).port}`;

/** Asks, and keeps the answer whatever it is. */
async function ask(
  path: string,
  {
    method = 'POST',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: RequestInit['body'] } = {},
): Promise<string> {
  const response = await fetch(serving.origin + path, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const all = Object.fromEntries(response.headers);
  replies.push({
    asked: `${method} ${path.replace(/bf\w_\w+/, '...')}`,
    status: response.status,
    headers: all,
    text,
  });
  return text;
}

/** Sends this over a connection of its own, and keeps what comes. */
async function sendRaw(text: string): Promise<void> {
  const socket = connectTcp(Number(new URL(serving.origin).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.end(text);
  const bytes = await socket.toArray().catch(() => []);
  replies.push({ asked: text.slice(0, 20), status: 0, headers: {}, text: bytes.join('') });
}

/** The processes that a process has started. */
async function childrenOf(pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number);
}

/** The text itself, in base64, in hexadecimal, escaped, reversed by nobody, and byte by byte as JSON writes buffers. */
function writings(secret: Buffer): string[] {
  return [
    secret.toString('latin1'),
    secret.toString('base64'),
    secret.toString('base64url'),
    secret.toString('hex'),
    encodeURIComponent(secret.toString('latin1')),
    [...secret].join(','),
    [...secret].join(', '),
  ];
}

/** Every so many bytes of the image, and of its base64 wherever that begins. */
function fragments(): string[] {
  const found: string[] = [];
  for (let at = 0; at + 24 <= image.length; at += 1_001)
    found.push(image.subarray(at, at + 24).toString('latin1'));
  const base64 = image.toString('base64');
  for (let at = 0; at + 32 <= base64.length; at += 997) found.push(base64.slice(at, at + 32));
  for (let at = image.length - 900; at + 24 <= image.length; at += 300) {
    found.push(...writings(image.subarray(at, at + 24)));
  }
  return found;
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('secrets', () => {
  it('are in nothing that a server writes', async () => {
    const shown = (name: string) =>
      new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(serving.banner)?.[1] ?? assert.fail(`no ${name}`);
    const appKey = shown('appKey');
    const secretKey = shown('secretKey');
    const apiKey = shown('x-api-key');
    const adminToken = shown('admin token');
    const wrongKey = `bfa_${randomBytes(24).toString('hex')}`;
    const nhn = `/v1.0/appkeys/${appKey}/spoofing`;
    const base64 = image.toString('base64');
    const admin = { authorization: `Bearer ${adminToken}` };

    // Keys made on the way are secrets too.
    const app = JSON.parse(await ask('/admin/v1/apps', { method: 'GET', headers: admin })).apps[0].id;
    const make = { kind: 'api', name: 'made', scopes: ['native'], limits: { perDay: 1 } };
    const made = JSON.parse(
      await ask(`/admin/v1/apps/${app}/keys`, {
        ...json(make),
        headers: { ...admin, 'content-type': 'application/json' },
      }),
    ).secret;
    assert.match(made, /^bfa_/);
    replies.pop(); // It is told this once.
    const signedIn = await fetch(`${serving.origin}/admin/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      body: JSON.stringify({ token: adminToken }),
    });
    const [session = ''] = /(?<==)[^;]+/.exec(signedIn.headers.getSetCookie().join()) ?? [];
    assert.ok(session.length > 20);

    const type = { 'content-type': 'application/json' };
    const jpeg = { 'content-type': 'image/jpeg' };
    const asNhn = { authorization: secretKey };
    const asApi = { 'x-api-key': apiKey };
    const url = (path: string) => `http://${imageHost()}${path}?${signature}`;
    const dialects = [
      { path: nhn, key: asNhn, bodyOf: (value: string) => json({ image: { bytes: value } }).body },
      { path: '/modules/liveness', key: asApi, bodyOf: (value: string) => json({ faceImage: value }).body },
      { path: '/v1/assess', key: asApi, bodyOf: (value: string) => json({ image: { bytes: value } }).body },
    ];
    const nobody = (await landscape(200, 200)).toString('base64');
    for (const { path, key, bodyOf } of dialects) {
      const keyed = { ...key, ...type };
      await ask(path, { headers: { ...keyed, 'x-bonafide-tag': 'case-1' }, body: bodyOf(base64) });
      await ask(path, { headers: keyed, body: bodyOf(nobody) });
      await ask(path, { headers: keyed, body: bodyOf(`data:image/jpeg;base64,${base64}`) });
      await ask(path, { headers: keyed, body: bodyOf(base64.slice(0, 3_000)) });
      await ask(path, { headers: keyed, body: bodyOf(base64.repeat(Math.ceil(700_000 / base64.length))) });
      await ask(path, { headers: keyed, body: bodyOf(base64).slice(0, -20) });
      await ask(path, {
        headers: keyed,
        body: json({ [base64.slice(0, 500)]: apiKey, [secretKey]: base64 }).body,
      });
      await ask(path, { headers: keyed, body: '' });
      await ask(path, { headers: { ...keyed, 'content-type': `text/${apiKey}` }, body: base64 });
      await ask(path, { headers: { ...keyed, 'x-bonafide-tag': `${base64.slice(0, 300)}` }, body: '{}' });
      await ask(path, { headers: type, body: bodyOf(base64) });
      await ask(path, {
        headers: { ...type, 'x-api-key': wrongKey, authorization: wrongKey },
        body: bodyOf(base64),
      });
      await ask(`${path}?${signature}`, { headers: keyed, body: '{}' });
      await ask(`${path}/${signature}/${apiKey}`, { headers: keyed, body: '{}' });
      await ask(`${path}%zz${signature}`, { headers: keyed });
      await ask(path, { method: 'PUT', headers: keyed, body: base64 });
      const parts = ['image', 'imageFile', signature].map((name) => [name, new Uint8Array(image)] as const);
      for (const part of parts) await ask(path, { headers: key, ...form([...part]) });
      await ask(path, {
        headers: key,
        ...form([...(parts[0] ?? assert.fail())], [...(parts[1] ?? assert.fail())]),
      });
      await ask(path, {
        headers: { ...key, 'content-type': `multipart/form-data; boundary=${signature}` },
        body: `--${signature}\r\n${base64}`,
      });
      for (const to of ['/photo', '/moved', '/broken', '/failing', '/silent']) {
        await ask(path, { headers: keyed, ...{ body: json({ image: { url: url(to) } }).body } });
      }
      for (const to of [
        `http://10.0.0.1/${signature}`,
        `http://user:${signature}@a/`,
        `file:///${signature}`,
        signature,
      ]) {
        await ask(path, { headers: keyed, body: json({ image: { url: to } }).body });
      }
      const heads = Object.entries(keyed).map(([name, value]) => `${name}: ${value}\r\n`);
      for (const broken of [
        'content-length: x',
        `transfer-encoding: chunked\r\n\r\n${base64.slice(0, 99)}`,
        `x: ${base64}`,
        `x\0${apiKey}`,
        'content-length: 999',
      ]) {
        await sendRaw(
          `POST ${path}?${signature} HTTP/1.1\r\nhost: ${signature}\r\n${heads.join('')}${broken}\r\n\r\n${base64.slice(0, 400)}`,
        );
      }
      // Gone amid the upload, and too slow for it.
      for (const isSlow of [false, true]) {
        const upload = httpRequest(serving.origin + path, {
          method: 'POST',
          agent: false,
          headers: { ...keyed, 'content-length': 100_000 },
        });
        upload.on('error', () => {});
        await new Promise<void>((resolve) => upload.write(bodyOf(base64).slice(0, 9_000), () => resolve()));
        if (isSlow) {
          const [answer] = await once(upload, 'response');
          replies.push({
            asked: `slow ${path}`,
            status: answer.statusCode,
            headers: answer.headers,
            text: (await answer.toArray()).join(''),
          });
        }
        upload.destroy();
      }
    }
    await ask('/v1/assess', { headers: { ...asApi, ...jpeg }, body: new Uint8Array(image) });
    await ask('/v1/assess', { headers: { ...asApi, ...jpeg }, body: base64 });
    for (let i = 0; i < 2; i += 1) {
      await ask('/v1/assess', { headers: { 'x-api-key': made, ...jpeg }, body: new Uint8Array(image) });
    }
    // The admin API, by token and by session, right and wrong.
    const cookie = { cookie: `bonafide-session=${session}`, 'sec-fetch-site': 'same-origin' };
    for (const headers of [admin, cookie, { authorization: `Bearer ${wrongKey}` }]) {
      for (const path of [
        'apps',
        'keys',
        'admin-tokens',
        'transactions',
        'usage',
        'models',
        'session',
        signature,
      ]) {
        await ask(`/admin/v1/${path}`, { method: 'GET', headers });
      }
      await ask(`/admin/v1/transactions/export?format=ndjson`, { method: 'GET', headers });
      await ask(`/admin/v1/keys/${apiKey}/revoke`, { headers });
      await ask('/admin/v1/apps', { headers: { ...headers, ...type }, body: `{"name":"${secretKey}` });
    }
    await ask('/admin/v1/session', {
      headers: { ...type, 'sec-fetch-site': 'same-origin' },
      body: `{"token":"${wrongKey}"}`,
    });

    // Keys where names and ids belong. Who sent them may be told so, in few words.
    const told = replies.length;
    for (const { path, key } of dialects) {
      for (const misplaced of [apiKey, secretKey, adminToken]) {
        await ask(path, { headers: { ...key, ...type }, body: `{"${misplaced}":1}` });
        await ask(path, { headers: { ...key, ...type }, body: `{"image":{"${misplaced}":"x"}}` });
        await ask(path, { headers: key, ...form([misplaced, 'x'], ['image', new Uint8Array(image)]) });
        await ask(`${path}?${misplaced}=${misplaced}`, { headers: { ...key, ...type }, body: '{}' });
        await ask(`${path}/${misplaced}`, { headers: key });
      }
    }
    for (const misplaced of [apiKey, secretKey, adminToken]) {
      for (const path of [
        ...['apps', 'keys', 'transactions', 'reports/own', 'nothing'].map((list) => `${list}/${misplaced}`),
        ...['app', 'cursor', 'key', misplaced].flatMap((name) =>
          ['keys', 'transactions', 'usage', 'transactions/export'].map(
            (list) => `${list}?${name}=${misplaced}`,
          ),
        ),
      ]) {
        await ask(`/admin/v1/${path}`, { method: 'GET', headers: admin });
      }
      for (const list of ['apps', 'keys', 'admin-tokens'])
        await ask(`/admin/v1/${list}/${misplaced}/revoke`, { headers: admin });
      await ask('/admin/v1/apps', { headers: { ...admin, ...type }, body: `{"name":"x","${misplaced}":1}` });
    }

    for (const { asked, text } of replies.splice(told)) {
      // What is not found or not known; a page of a list would be longer.
      assert.ok(text.length < 500, `${asked}: ${text.length} characters`);
    }

    // A worker that dies with an image in its hands.
    if (process.platform === 'linux') {
      const [worker] = await childrenOf(serving.child.pid as number);
      const answers = Array.from({ length: 6 }, () =>
        ask('/v1/assess', { headers: { ...asApi, ...jpeg }, body: new Uint8Array(photos.body) }),
      );
      await sleep(100);
      process.kill(worker as number, 'SIGSEGV');
      await Promise.all(answers);
    }
    for (const path of ['/metrics', '/readyz', '/livez', '/openapi.json', `/${signature}`])
      await ask(path, { method: 'GET' });

    const outcomes = new Set(serving.written.join('').match(/"outcome":"\w+"/g));
    const expected = [
      'attack|live',
      'no_face',
      'unauthorized',
      'invalid_base64',
      'too_many_bytes',
      'url_blocked',
    ];
    expected.push(
      'url_timeout',
      'url_bad_status',
      'url_unreachable',
      'invalid_request',
      'aborted',
      'request_timeout',
    );
    expected.push('quota_exceeded', 'malformed_http|headers_too_large');
    for (const one of expected) {
      assert.ok(
        [...outcomes].some((outcome) => new RegExp(`"(${one})"`).test(outcome)),
        `${one}: ${[...outcomes]}`,
      );
    }

    // Not by SIGTERM, which would tidy up.
    const before = new Map<string, string>();
    for (const path of await filesUnder(folder))
      before.set(path, await readFile(path, 'latin1').catch(() => ''));
    await serving.kill();
    const files = new Map<string, string>(before);
    for (const path of await filesUnder(folder))
      files.set(`${path}, at the end`, await readFile(path, 'latin1'));
    assert.ok(
      [...files.keys()].some((path) => path.endsWith('bonafide.db')),
      [...files.keys()].join('\n'),
    );

    const texts: [string, string][] = [
      ['the log', serving.written.join('')],
      ...replies.map(({ asked, text, headers }): [string, string] => [
        `the answer to ${asked}`,
        `${JSON.stringify(headers)}\n${text}`,
      ]),
      ...files,
    ];
    const secrets = Object.entries({ secretKey, apiKey, adminToken, wrongKey, session, made, signature });
    for (const [where, text] of texts) {
      for (const [name, secret] of secrets) {
        for (const writing of writings(Buffer.from(secret))) {
          assert.ok(!text.includes(writing), `the ${name} is in ${where}`);
        }
      }
      for (const fragment of fragments())
        assert.ok(!text.includes(fragment), `a part of the image is in ${where}`);
    }
    const log = serving.written.join('');
    // Nor a part of them: of what is refused a beginning might be told. Ten characters are not secret.
    for (const [name, secret] of secrets) {
      for (const [where, text] of [['the log', log] as const, ...files]) {
        assert.ok(!text.includes(secret.slice(0, 20)), `the beginning of the ${name} is in ${where}`);
      }
    }
    assert.ok(!log.includes(appKey), 'the appKey, which is a part of a path, is in the log');
    assert.ok(log.length > 20_000, 'the log tells most');

    const root = join(import.meta.dirname, '..', '..');
    for (const { asked, status, text } of replies) {
      if (status === 200 && !text.startsWith('{"header":{"isSuccessful":false')) continue;
      assert.doesNotMatch(
        text,
        /\bat .+:\d+:\d+|node_modules|node:internal|\.ts\b/,
        `a stack in the answer to ${asked}`,
      );
      for (const path of [root, folder]) assert.ok(!text.includes(path), `a path in the answer to ${asked}`);
    }
  });
});
