/** The admin API over real HTTP: what it does, and how it refuses. Keys and shapes are those of the suites for all routes. */

import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { models, profiles } from '../../src/models/catalog.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import { type Ask, assertShape, connect, json, literal, signIn } from '../helpers/http.ts';
import { credential, planted } from '../helpers/keys.ts';
import { keepLog, type LogKeeper, shippedReports, startServer, type TestServer } from '../helpers/server.ts';
import { id, noon, transaction } from '../helpers/transactions.ts';

let server: TestServer;
let ask: Ask;
let log: LogKeeper;

before(async () => {
  log = keepLog();
  server = await startServer({ log });
  ask = await connect(server);
});
after(() => server.close());

const authorization = `Bearer ${credential.adminToken}`;

async function admin(method: string, path: string, body?: unknown) {
  const { headers = {}, ...rest } = body === undefined ? {} : json(body);
  return await ask(`/admin/v1${path}`, { method, headers: { authorization, ...headers }, ...rest });
}

async function refused(status: number, code: string, method: string, path: string, body?: unknown) {
  const reply = await admin(method, path, body);
  assertShape(reply.body, {
    type: literal(`urn:bonafide:problem:${code}`),
    title: /^[A-Z]/,
    status: literal(status),
    detail: /^.*\.$/,
    code: literal(code),
    requestId: /^[0-9a-z]{13}$/,
  });
  assert.equal(reply.status, status);
  return reply.body.detail as string;
}

/** Resolves when the server takes the database for one that answers. */
async function untilUp(): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    if (metrics.includes('bonafide_database_up 1\n')) return;
    await sleep(50);
  }
}

describe('admin: apps and keys', () => {
  it('makes a key that is good, and tells it once', async () => {
    const { body: app } = await admin('POST', '/apps', { name: 'a/b c', limits: { perDay: 9 } });
    const path = `/apps/${encodeURIComponent('a/b c')}`;
    assert.deepEqual((await admin('GET', path)).body, app);
    const { body: made } = await admin('POST', `${path}/keys`, {
      kind: 'api',
      name: 'web',
      scopes: ['native'],
    });
    const headers = { 'x-api-key': made.secret, 'content-type': 'application/json' };
    assert.equal((await ask('/v1/assess', { headers, body: '{}' })).status, 400);
    assert.equal((await ask('/liveness', { headers, body: '{}' })).status, 403);
    const listed = await admin('GET', `/keys?app=${app.id}`);
    assert.deepEqual(listed.body, { keys: [{ ...made.key, lastUsedAt: listed.body.keys[0].lastUsedAt }] });
    assert.ok(!listed.text.includes(made.secret));
    assert.equal(made.key.createdBy, 'admin token admin');
  });

  it('changes limits as a whole', async () => {
    await admin('POST', '/apps', { name: 'limited', limits: { perDay: 9, perSecond: 1 } });
    const { body } = await admin('PATCH', '/apps/limited', { limits: { perMonth: 5 } });
    assert.deepEqual(body.limits, { perMonth: 5 });
  });

  it('rotates a key once, and no key that has ended', async () => {
    const { body } = await admin('POST', '/apps/contract/keys', { kind: 'secret', name: 'turned' });
    const path = `/keys/${body.key.id}`;
    const { body: fresh } = await admin('POST', `${path}/rotate`, { graceSeconds: 60 });
    assert.equal((await admin('GET', path)).body.replacedBy, fresh.key.id);
    await refused(409, 'conflict', 'POST', `${path}/rotate`, { graceSeconds: 60 });
    await admin('POST', `/keys/${fresh.key.id}/revoke`);
    await refused(409, 'conflict', 'POST', `/keys/${fresh.key.id}/rotate`, { graceSeconds: 0 });
  });

  it('lists by pages', async () => {
    const names: string[] = [];
    let cursor = '';
    do {
      const { body } = await admin('GET', `/apps?limit=2${cursor}`);
      assert.ok(body.apps.length <= 2);
      names.push(...body.apps.map(({ name }: { name: string }) => name));
      cursor = body.next === undefined ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    assert.equal(new Set(names).size, names.length);
    for (const name of ['contract', 'other', 'revoked']) assert.ok(names.includes(name), name);
  });

  it('writes who did what into the log, and no key', async () => {
    const { body } = await admin('POST', '/apps/contract/keys', { kind: 'api', name: 'logged' });
    await admin('POST', `/keys/${body.key.id}/revoke`);
    await log.until(
      (entry) =>
        entry.msg === 'admin request' &&
        entry.route === '/admin/v1/keys/:key/revoke' &&
        (entry.params as { key: string }).key === body.key.id &&
        entry.admin === `adm_${credential.adminToken}`,
    );
    assert.ok(!log.lines.some((line) => line.includes(body.secret)));
  });

  it('writes no key into the log that was sent where its id belongs', async () => {
    const misplaced = 'a-key-in-the-place-of-its-id';
    const detail = await refused(404, 'not_found', 'POST', `/keys/${misplaced}/revoke`);
    assert.equal(detail, 'There is no key with this id.');
    await refused(404, 'not_found', 'POST', `/admin-tokens/${misplaced}/revoke`);
    await log.until(({ route, status }) => route === '/admin/v1/keys/:key/revoke' && status === 404);
    await log.until(({ route }) => route === '/admin/v1/admin-tokens/:adminToken/revoke');
    assert.ok(!log.lines.some((line) => line.includes(misplaced)));
  });
});

describe('admin: refusals', () => {
  const key = { kind: 'api', name: 'a key' };

  it('names what is not there, and what is there already', async () => {
    await refused(404, 'not_found', 'GET', '/nothing');
    await refused(404, 'not_found', 'PUT', '/apps');
    assert.equal(await refused(404, 'not_found', 'GET', '/apps/none'), 'There is no app "none".');
    await refused(404, 'not_found', 'POST', '/apps/none/keys', key);
    await refused(404, 'not_found', 'POST', '/keys/none/revoke');
    await refused(404, 'not_found', 'POST', '/admin-tokens/none/revoke');
    await refused(404, 'not_found', 'GET', '/transactions/none');
    await refused(404, 'not_found', 'DELETE', '/transactions/none');
    await refused(404, 'not_found', 'GET', '/keys?app=none');
    await refused(409, 'conflict', 'POST', '/apps', { name: 'contract' });
    await refused(409, 'conflict', 'POST', '/apps/revoked/keys', key);
  });

  it('takes no body and no query but those it describes', async () => {
    const bodies: [path: string, body: unknown][] = [
      ['/apps', {}],
      ['/apps', { name: '' }],
      ['/apps', { name: 'a\u0007' }],
      ['/apps', { name: 'a', more: 1 }],
      ['/apps', { name: 'a', limits: { perDay: 0 } }],
      ['/apps', { name: 'a', limits: { perDay: '5' } }],
      ['/apps', { name: 'a', limits: { perDay: 1e12 } }],
      ['/apps', { name: 'a', limits: { burst: 5 } }],
      ['/apps', 'text'],
      ['/apps/contract/keys', { ...key, kind: 'admin' }],
      ['/apps/contract/keys', { ...key, scopes: ['nhn'] }],
      ['/apps/contract/keys', { ...key, scopes: [] }],
      ['/apps/contract/keys', { ...key, expiresAt: '2026-02-31T00:00:00Z' }],
      ['/apps/contract/keys', { ...key, expiresAt: '2020-01-01T00:00:00Z' }],
      ['/keys/any/rotate', { graceSeconds: -1 }],
      ['/admin-tokens', { name: 'a', expiresAt: 5 }],
    ];
    for (const [path, body] of bodies) await refused(400, 'invalid_request', 'POST', path, body);
    const queries = [
      '/apps?limit=0',
      '/apps?limit=1000',
      '/apps?limit=1&limit=2',
      '/apps?cursor=x',
      '/apps?more=1',
      '/transactions?from=yesterday',
      '/transactions?imageSha256=abc',
      '/transactions?dialect=other',
      '/transactions/export',
      '/transactions/export?format=xml',
      '/usage?from=2020-01-01',
      '/usage?from=2026-11-31',
      '/usage?by=hour',
      ...['/apps/%00', '/keys/%00', '/keys?app=%00', '/usage?app=%00', '/transactions/%00'],
      ...['app', 'key', 'outcome', 'tag'].map((name) => `/transactions?${name}=%00`),
    ];
    for (const path of queries) await refused(400, 'invalid_request', 'GET', path);
    await refused(400, 'invalid_request', 'DELETE', '/transactions');
    await refused(400, 'invalid_request', 'DELETE', '/transactions?tag=');
  });

  it('answers malformed, mistyped and oversized bodies in its own envelope', async () => {
    const send = async (type: string, body: string) =>
      await ask('/admin/v1/apps', { headers: { authorization, 'content-type': type }, body });
    assert.equal((await send('application/json', '{')).body.code, 'invalid_request');
    assert.equal((await send('text/plain', 'name')).body.code, 'unsupported_media_type');
    assert.equal((await send('application/json', `"${'a'.repeat(2_000_000)}"`)).body.code, 'too_many_bytes');
  });

  it('says when the database does not answer, and a defect is a defect', async (t) => {
    const failing = t.mock.method(server.storage.db, 'selectFrom', () => {
      throw new Error('The connection is lost.');
    });
    await refused(503, 'storage_unavailable', 'GET', '/apps');
    failing.mock.restore();
    await untilUp();
    t.mock.method(Transactions.prototype, 'list', () => Promise.reject(new TypeError('a defect')));
    const detail = await refused(500, 'engine_failure', 'GET', '/transactions');
    assert.doesNotMatch(detail, /defect/);
  });

  it('slows down who guesses, and no token that was right before', async () => {
    const slow = await startServer({ wrongKeysPerMinute: 3 });
    try {
      const askSlow = await connect(slow);
      const guess = () =>
        askSlow('/admin/v1/apps', { method: 'GET', headers: { authorization: 'Bearer guess' } });
      const right = () => askSlow('/admin/v1/apps', { method: 'GET', headers: { authorization } });
      assert.equal((await right()).status, 200);
      for (let i = 0; i < 3; i++) assert.equal((await guess()).status, 401);
      const reply = await guess();
      assert.equal(reply.body.code, 'too_many_wrong_keys');
      assert.equal(reply.status, 429);
      assert.ok(Number(reply.headers.get('retry-after')) > 0);
      assert.equal((await right()).status, 200);
    } finally {
      await slow.close();
    }
  });
});

describe('admin: sessions', () => {
  const own = { 'sec-fetch-site': 'same-origin' };
  const begin = async (body: unknown, headers: Record<string, string> = own, to = ask) =>
    await to('/admin/v1/session', { ...json(body), headers: { ...json(body).headers, ...headers } });

  it('begin with a token, and keep a cookie out of reach of scripts, other sites and the dialects', async () => {
    const { status, headers, body } = await begin({ token: credential.adminToken });
    assert.equal(status, 200);
    const [cookie = '', ...more] = headers.getSetCookie();
    assert.deepEqual(more, []);
    assert.match(
      cookie,
      /^bonafide-session=[\w-]{32}; Max-Age=43(200|1\d\d); Path=\/admin\/v1; HttpOnly; SameSite=Strict$/,
    );
    assert.deepEqual(body.administrator, { id: `adm_${credential.adminToken}`, name: 'admin' });
    const left = Date.parse(body.expiresAt) - Date.now();
    assert.ok(left > 11.9 * 3_600_000 && left <= 12 * 3_600_000);
    const secure = await begin({ token: credential.adminToken }, { ...own, origin: 'https://console.test' });
    assert.match(secure.headers.getSetCookie()[0] ?? '', /; Secure/);
  });

  it('say who is signed in, and end when they sign out', async () => {
    const cookie = await signIn(server);
    const headers = { cookie, ...own };
    const path = '/admin/v1/session';
    const { body } = await ask(path, { method: 'GET', headers });
    assert.equal(body.administrator.name, 'admin');
    const ended = await ask(path, { method: 'DELETE', headers });
    assert.deepEqual(ended.body, { deleted: 1 });
    assert.match(ended.headers.getSetCookie()[0] ?? '', /^bonafide-session=; .*Expires=Thu, 01 Jan 1970/);
    assert.equal((await ask(path, { method: 'GET', headers })).status, 401);
  });

  it('tell of a token when it ends itself, as it is no session', async () => {
    const { body } = await admin('GET', '/session');
    assert.deepEqual(body, {
      administrator: { id: `adm_${credential.adminToken}`, name: 'admin' },
      expiresAt: null,
    });
    assert.deepEqual((await admin('DELETE', '/session')).body, { deleted: 0 });
  });

  it('are begun by pages of ours alone', async () => {
    const token = { token: credential.adminToken };
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://example.com' },
    ]) {
      const reply = await begin(token, headers);
      assert.equal(reply.status, 401, JSON.stringify(headers));
      assert.deepEqual(reply.headers.getSetCookie(), []);
    }
    assert.equal((await begin(token, { origin: server.origin })).status, 200);
  });

  it('take no body but a token', async () => {
    for (const body of [{}, { token: '' }, { token: 5 }, { token: 'a', more: 1 }, 'text', []]) {
      assert.equal((await begin(body)).body.code, 'invalid_request');
    }
    assert.equal((await begin({ token: 'a'.repeat(10_000) })).body.code, 'too_many_bytes');
  });

  it('are not begun with what is no admin token, and such tries are slowed down', async () => {
    for (const name of ['api', 'a revoked admin token', 'an expired admin token'] as const) {
      const reply = await begin({ token: planted[name].secret });
      assert.equal(reply.status, 401);
      assert.deepEqual(reply.headers.getSetCookie(), []);
    }
    const slow = await startServer({ wrongKeysPerMinute: 3 });
    try {
      const askSlow = await connect(slow);
      const cookie = await signIn(slow);
      for (let i = 0; i < 3; i++) assert.equal((await begin({ token: 'guess' }, own, askSlow)).status, 401);
      const reply = await begin({ token: 'guess' }, own, askSlow);
      assert.equal(reply.body.code, 'too_many_wrong_keys');
      assert.ok(Number(reply.headers.get('retry-after')) > 0);
      const guessed = { cookie: 'bonafide-session=guess', ...own };
      const path = '/admin/v1/session';
      assert.equal((await askSlow(path, { method: 'GET', headers: guessed })).status, 429);
      // Who was right before is not locked out by who guesses beside them.
      assert.equal((await begin({ token: credential.adminToken }, own, askSlow)).status, 200);
      await askSlow(path, { method: 'GET', headers: { cookie, ...own } });
    } finally {
      await slow.close();
    }
  });

  it('write signing in and out into the log, without a secret', async () => {
    const cookie = await signIn(server);
    await log.until(
      ({ msg, route, method }) => `${msg} ${method} ${route}` === 'admin request POST /admin/v1/session',
    );
    assert.ok(!log.lines.some((line) => line.includes(cookie.split('=')[1] as string)));
  });
});

describe('admin: models and reports', () => {
  it('tells the models in use as the catalog pins them, and whether the files on the disk are those', async () => {
    const { body } = await admin('GET', '/models');
    const profile = profiles.find(({ id }) => id === 'standard') ?? assert.fail();
    assert.equal(body.profile.id, 'standard');
    assert.deepEqual(body.profile.operatingPoints, profile.operatingPoints);
    assert.deepEqual(body.profile.calibration, profile.calibration);
    assert.equal(body.profile.calibrationSha256, null);
    assert.deepEqual(
      body.models.map((one: { id: string }) => one.id),
      [profile.detector, profile.landmarks, ...profile.liveness.map(({ model }) => model)],
    );
    for (const { id: name, sha256, licence, source, weights, tunedSha256 } of body.models) {
      const model = models.find((one) => one.id === name) ?? assert.fail(name);
      assert.deepEqual([sha256, licence, weights], [model.sha256, model.licence, 'ok']);
      assert.match(source, /^npm: faceplugin-face-recognition-js@0\.0\.1, model\/fr_\w+\.onnx$/);
      // The only one of the profile whose graph has anything to gain.
      if (name === 'minifas-128-head') assert.match(tunedSha256, /^[0-9a-f]{64}$/);
      else assert.equal(tunedSha256, null);
    }
  });

  const own = (name: string) => join(server.dataFolder, 'evaluations', name);
  const shipped = (file: string) => readFile(join(shippedReports, 'standard', file), 'utf8');
  const get = (path: string) =>
    fetch(`${server.origin}/admin/v1/reports${path}`, { headers: { authorization } });

  it('lists the reports that come with the product, and those put into the data folder', async () => {
    await cp(join(shippedReports, 'standard'), own('door.2'), { recursive: true });
    await mkdir(own('broken'), { recursive: true });
    await writeFile(join(own('broken'), 'report.json'), '{');
    await mkdir(own('of something else'), { recursive: true });
    await mkdir(own('empty'), { recursive: true });
    await writeFile(join(server.dataFolder, 'evaluations', 'file'), '');
    const { body } = await admin('GET', '/reports');
    assert.deepEqual(
      body.reports.map(({ origin, name }: { origin: string; name: string }) => `${origin} ${name}`),
      ['shipped accurate', 'shipped standard', 'own door.2'],
    );
    const [, standard, door] = body.reports;
    const { sentence, eer, run } = JSON.parse(await shipped('report.json'));
    const same = { profile: 'standard', pictures: run.manifest.pictures, sentence, eer };
    assert.deepEqual(standard, { origin: 'shipped', name: 'standard', ...same, writtenAt: null });
    assert.deepEqual(door, { origin: 'own', name: 'door.2', ...same, writtenAt: door.writtenAt });
    assert.ok(Math.abs(Date.parse(door.writtenAt) - Date.now()) < 60_000);
  });

  it('serves figures as they are, and the page as a stranger without scripts', async () => {
    const figures = await get('/shipped/standard');
    assert.equal(await figures.text(), await shipped('report.json'));
    const page = await get('/own/door.2/page');
    assert.equal(await page.text(), await shipped('report.html'));
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const policy = page.headers.get('content-security-policy')?.split('; ') ?? [];
    assert.ok(policy.includes('sandbox') && policy.includes("default-src 'none'"));
    assert.ok(!policy.some((rule) => rule.startsWith('script-src')));
  });

  it('finds no file that is no report, whatever the name', async () => {
    await writeFile(join(server.dataFolder, 'report.json'), '{}');
    await writeFile(join(server.dataFolder, 'report.html'), 'secret');
    for (const name of ['none', 'broken', 'empty', 'file', 'door.3']) {
      await refused(404, 'not_found', 'GET', `/reports/own/${name}`);
    }
    const tricks = [
      '..',
      '%2e%2e',
      '..%2f..',
      '%2e%2e%2fevaluations',
      '.',
      'a%2fb',
      'a%5cb',
      'a%00',
      '%20',
      '-a',
    ];
    for (const name of [...tricks, 'a'.repeat(101)]) {
      for (const path of [`/own/${name}`, `/own/${name}/page`]) {
        const { status, text } = await admin('GET', `/reports${path}`);
        assert.ok(status === 400 || status === 404, `${path}: ${status}`);
        assert.doesNotMatch(text, /secret/);
      }
    }
    await refused(400, 'invalid_request', 'GET', '/reports/other/standard');
  });
});

describe('admin: transactions', () => {
  const count = 3_000;
  let app = '';

  before(async () => {
    app = (await admin('POST', '/apps', { name: 'logged' })).body.id;
    await admin('POST', '/apps', { name: 'other' });
    const rows = Array.from({ length: count }, (_, i) =>
      transaction(i + 1, { app, tag: i % 1_000 === 7 ? '=cmd()' : null }),
    );
    await new Transactions(server.storage.db).insert(rows);
  });

  it('finds one by the id of its answer', async () => {
    const whole = transaction(8, { app, tag: '=cmd()' });
    const { body } = await admin('GET', `/transactions/${whole.id}`);
    assert.deepEqual(body, { ...whole, time: new Date(whole.time).toISOString() });
  });

  it('lists what fits by pages, until there is no next', async () => {
    const from = new Date(noon + 1_000).toISOString();
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await admin('GET', `/transactions?app=logged&from=${from}&limit=999${cursor}`);
      ids.push(...body.transactions.map((one: { id: string }) => one.id));
      cursor = body.next === undefined ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    assert.deepEqual(
      ids,
      Array.from({ length: count - 999 }, (_, i) => id(count - i)),
    );
  });

  it('exports all of them as a stream, whole and in order', async () => {
    const path = `${server.origin}/admin/v1/transactions/export?app=${app}&format=`;
    const lines = await fetch(`${path}ndjson`, { headers: { authorization } });
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(lines.headers.get('content-length'), null, 'it is not held as a whole');
    const ids = (await lines.text())
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    assert.deepEqual(
      ids,
      Array.from({ length: count }, (_, i) => id(count - i)),
    );
    const csv = await fetch(`${path}csv`, { headers: { authorization } });
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
    assert.match(csv.headers.get('content-disposition') ?? '', /^attachment; filename="transactions\.csv"$/);
    const rows = (await csv.text()).trim().split('\n');
    assert.equal(rows.length, count + 1);
    assert.match(rows[0] as string, /^id,time,app,/);
    assert.equal(rows.filter((row) => row.includes(",'=cmd(),")).length, 3, 'no cell is a formula');
  });

  it('ends an export whose reader went away', async (t) => {
    const page = { transactions: Array.from({ length: 500 }, (_, i) => transaction(i)), next: 'more' };
    const list = t.mock.method(Transactions.prototype, 'list', async () => page);
    const leaving = new AbortController();
    const url = `${server.origin}/admin/v1/transactions/export?format=ndjson`;
    const response = await fetch(url, { headers: { authorization }, signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    // There is no end to this one: it stops because nobody reads, or never.
    const deadline = Date.now() + 10_000;
    for (let pages = -1; pages !== list.mock.callCount(); await sleep(200)) {
      assert.ok(Date.now() < deadline, 'it goes on');
      pages = list.mock.callCount();
    }
  });

  it('deletes by id and by tag, and goes on counting what was', async () => {
    assert.deepEqual((await admin('DELETE', `/transactions/${id(1)}`)).body, { deleted: 1 });
    assert.deepEqual((await admin('DELETE', '/transactions?tag=%3Dcmd()&app=other')).body, {
      deleted: 0,
    });
    assert.deepEqual((await admin('DELETE', '/transactions?tag=%3Dcmd()')).body, { deleted: 3 });
    await refused(404, 'not_found', 'GET', `/transactions/${id(8)}`);
    const path = '/usage?from=2026-11-21&to=2026-11-21&by=outcome,day';
    for (const name of [app, 'logged']) {
      const { body } = await admin('GET', `${path}&app=${name}`);
      assert.deepEqual(body, { usage: [{ day: '2026-11-21', outcome: 'live', count }] });
    }
  });

  it('takes an app by its id or its name, and says of one that is not there that it is not', async () => {
    for (const name of [app, 'logged']) {
      const { body } = await admin('GET', `/transactions?app=${name}&limit=1`);
      assert.equal(body.transactions[0]?.app, app);
    }
    for (const path of ['/transactions?', '/transactions/export?format=csv&', '/usage?', '/keys?']) {
      await refused(404, 'not_found', 'GET', `${path}app=none`);
    }
    await refused(404, 'not_found', 'DELETE', '/transactions?tag=a&app=none');
  });
});
