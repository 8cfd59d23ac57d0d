/** Limits on the wire: what an answer says is left, and how each dialect refuses what is too much. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keys, type Limits } from '../../src/storage/keys.ts';
import {
  type Ask,
  argosError,
  assertReply,
  connect,
  type Expected,
  fill,
  literal,
  nhnError,
  type Reply,
  type Route,
  routes,
} from '../helpers/http.ts';
import { plainPng } from '../helpers/pictures.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const { nhn, argos, argosShort, native } = routes;
const picture = await plainPng(96, 96);
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer({
    engine: { workers: 1, queue: 8 },
    wrongKeysPerMinute: 3,
    trustedProxies: ['127.0.0.1'],
  });
  ask = await connect(server);
});
after(() => server.close());

/** An app of its own with a key of each kind. */
interface Account {
  readonly appId: string;
  readonly appKey: string;
  readonly secret: string;
  readonly api: string;
}

let made = 0;
async function account(limits: { app?: Limits; key?: Limits }): Promise<Account> {
  const keys = new Keys(server.storage.db);
  const app = await keys.createApp(`limited ${made++}`, limits.app);
  const common = { app: app.id, name: 'key', createdBy: 'test', limits: limits.key ?? {} };
  const secret = await keys.createKey({ ...common, kind: 'secret' });
  const api = await keys.createKey({ ...common, kind: 'api' });
  return { appId: app.id, appKey: app.appKey, secret: secret.secret, api: api.secret };
}

async function post(route: Route, { appKey, secret, api }: Account, more = {}): Promise<Reply> {
  const { headers, body } = route.asking(picture);
  const path = route.dialect === 'nhn' ? `/v1.0/appkeys/${appKey}/spoofing` : route.path;
  const key = route.dialect === 'nhn' ? secret : api;
  return await ask(path, { headers: { ...headers, [route.keyHeader]: key, ...more }, body });
}

const limitedProblem = (code: string, title: string): Expected => ({
  status: 429,
  shape: {
    type: literal(`urn:bonafide:problem:${code}`),
    title: literal(title),
    status: literal(429),
    detail: /^[A-Z].*\.$/,
    code: literal(code),
    requestId: /^[0-9a-z]{13}$/,
  },
});

const quotaRefusals: [route: Route, refusal: Expected][] = [
  [nhn, { status: 429, shape: nhnError(-40070, 'ServiceQuotaExceededException') }],
  [argos, { status: 429, shape: argosError(1001, 'Quota is exceeded') }],
  [argosShort, { status: 429, shape: argosError(1001, 'Quota is exceeded') }],
  [native, limitedProblem('quota_exceeded', 'Quota exceeded')],
];
const rateRefusals: [route: Route, refusal: Expected][] = [
  [nhn, { status: 429, shape: nhnError(-40070, 'ServiceQuotaExceededException') }],
  [argos, { status: 429, shape: argosError(1001, 'Too many requests') }],
  [argosShort, { status: 429, shape: argosError(1001, 'Too many requests') }],
  [native, limitedProblem('rate_limited', 'Too many requests')],
];

const untilMidnight = () => Math.ceil((new Date().setUTCHours(24, 0, 0, 0) - Date.now()) / 1000);
const near = (value: unknown, seconds: number) =>
  assert.ok(Math.abs(Number(value) - seconds) < 60, `${value}`);

describe('limits: a quota', () => {
  for (const [route, refusal] of quotaRefusals) {
    it(`${route.name}: is told as it goes, and refused when it is used up`, async () => {
      const caller = await account({ key: { perDay: 2 } });
      for (const left of [1, 0]) {
        const { status, headers } = await post(route, caller);
        assert.notEqual(status, 429);
        assert.equal(headers.get('ratelimit-policy'), '"key-day";q=2;w=86400');
        const [, told, reset] = /^"key-day";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? [];
        assert.equal(Number(told), left);
        near(reset, untilMidnight());
      }
      const refused = await post(route, caller);
      assertReply(refused, refusal);
      near(refused.headers.get('retry-after'), untilMidnight());
      assert.match(refused.headers.get('ratelimit') ?? '', /^"key-day";r=0;t=\d+$/);
    });
  }

  it('of an app holds for all of its keys together, beside those of the key', async () => {
    const caller = await account({ app: { perMonth: 3 }, key: { perDay: 2 } });
    await post(native, caller);
    await post(native, caller);
    const byKey = await post(native, caller);
    assert.equal(byKey.body.code, 'quota_exceeded');
    assert.match(byKey.body.detail, /day/);
    const other = await post(nhn, caller);
    assert.equal(other.status, 200, 'what one key was refused took nothing of the app');
    assert.match(other.headers.get('ratelimit') ?? '', /^"key-day";r=1;t=\d+, "app-month";r=0;t=\d+$/);
    assert.match(
      other.headers.get('ratelimit-policy') ?? '',
      /^"key-day";q=2;w=86400, "app-month";q=3;w=2\d{6}$/,
    );
    const byApp = await post(nhn, caller);
    assert.equal(byApp.status, 429);
    const used = await server.storage.db
      .selectFrom('quotas')
      .select('used')
      .where('subject', '=', `app:${caller.appId}`)
      .executeTakeFirst();
    assert.equal(used?.used, 3);
  });

  it('is not used by what the server has no room for', async () => {
    const caller = await account({ key: { perDay: 1 } });
    const held = await fill(server, 9);
    const full = await post(native, caller);
    await held.release();
    assert.equal(full.body.code, 'service_full');
    assert.equal((await post(native, caller)).status, 200);
  });

  it('is used by a request that turns out to be of no use', async () => {
    const caller = await account({ key: { perDay: 1 } });
    const malformed = await ask(native.path, {
      headers: { 'x-api-key': caller.api, 'content-type': 'application/json' },
      body: '{',
    });
    assert.equal(malformed.status, 400);
    assert.match(malformed.headers.get('ratelimit') ?? '', /^"key-day";r=0;/);
    assert.equal((await post(native, caller)).status, 429);
  });

  it('is not told to who has none', async () => {
    const { headers } = await post(native, await account({}));
    assert.equal(headers.get('ratelimit'), null);
    assert.equal(headers.get('ratelimit-policy'), null);
  });
});

describe('limits: a rate', () => {
  /** Asks so fast that the second cannot be over. */
  const burst = async (route: Route, caller: Account, count: number) =>
    await Promise.all(Array.from({ length: count }, () => post(route, caller)));

  for (const [route, refusal] of rateRefusals) {
    it(`${route.name}: refuses what is more within a second`, async () => {
      const caller = await account({ key: { perSecond: 1 } });
      const replies = await burst(route, caller, 2);
      const [refused, ...others] = replies.filter(({ status }) => status === 429) as [Reply];
      assert.deepEqual(others, []);
      assertReply(refused, refusal);
      assert.equal(refused.headers.get('retry-after'), '1');
      assert.equal(refused.headers.get('ratelimit-policy'), '"key-second";q=1;w=1');
      assert.equal(refused.headers.get('ratelimit'), '"key-second";r=0;t=1');
    });
  }

  it('lets a burst through once', async () => {
    const caller = await account({ app: { perSecond: 1, burst: 1 } });
    const statuses = (await burst(native, caller, 2)).map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200]);
    const more = await burst(native, caller, 2);
    assert.ok(more.some(({ status }) => status === 429));
  });

  it('takes nothing of the quota of who exceeds it', async () => {
    const caller = await account({ key: { perSecond: 1, perDay: 100 } });
    await burst(native, caller, 2);
    const rows = await server.storage.db.selectFrom('quotas').select(['subject', 'used']).execute();
    assert.equal(rows.at(-1)?.used, 1);
  });
});

describe('wrong keys', () => {
  let address = '';
  let made = 0;
  beforeEach(() => {
    address = `198.51.100.${++made}`;
  });
  const from = (key: string, forwardedFor = address) =>
    ask(native.path, {
      headers: { ...native.asking(picture).headers, 'x-api-key': key, 'x-forwarded-for': forwardedFor },
      body: native.asking(picture).body,
    });

  const refusals: [route: Route, refusal: Expected][] = [
    [nhn, { status: 429, shape: nhnError(-41005, 'UnauthorizedAppKeyOrSecretKey') }],
    [argos, { status: 429, shape: argosError(1001, 'Too many requests') }],
    [argosShort, { status: 429, shape: argosError(1001, 'Too many requests') }],
    [native, limitedProblem('too_many_wrong_keys', 'Too many wrong keys')],
  ];
  for (const [route, refusal] of refusals) {
    it(`${route.name}: of an address are slowed down, and a right one of it is not`, async () => {
      const { headers, body } = route.asking(picture);
      const send = (key: string) =>
        ask(route.path, {
          headers: { ...headers, [route.keyHeader]: key, 'x-forwarded-for': address },
          body,
        });
      for (let i = 0; i < 3; i++) assertReply(await send(`wrong ${i}`), route.forbidden);
      const refused = await send('wrong again');
      assertReply(refused, refusal);
      const seconds = Number(refused.headers.get('retry-after'));
      assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
      assert.notEqual((await send(route.key)).status, 429);
    });
  }

  it('cost no query any more once they are too many', async (t) => {
    for (let i = 0; i < 4; i++) await from(`wrong ${i}`);
    const look = t.mock.method(Keys.prototype, 'liveByHash');
    assert.equal((await from('another')).status, 429);
    assert.equal(look.mock.callCount(), 0);
  });

  it('do not keep a key out that is made meanwhile', async () => {
    const { appId } = await account({});
    for (let i = 0; i < 4; i++) await from(`wrong ${i}`);
    const made = await new Keys(server.storage.db).createKey({
      app: appId,
      kind: 'api',
      name: 'new',
      createdBy: 'test',
    });
    const since = Date.now();
    while ((await from(made.secret)).status !== 200) {
      assert.ok(Date.now() - since < 5_000, 'the node has not heard of it within 5 s');
      await sleep(100);
    }
    assert.equal((await from('another')).status, 429);
  });

  it('are counted for the address that a trusted proxy names, and no other', async () => {
    for (let i = 0; i < 4; i++) await from(`wrong ${i}`);
    assert.equal((await from('another')).status, 429);
    // Only the proxy's own word counts: what stands before it, anybody may have written.
    assert.equal((await from('another', `203.0.113.9, ${address}`)).status, 429);
    assert.equal((await from('another', '203.0.113.9')).status, 401);
  });

  it('are counted for the network that an IPv6 client has to itself', async () => {
    for (let i = 0; i < 4; i++) await from(`wrong ${i}`, `2001:db8:0:1::${i}`);
    assert.equal((await from('another', '2001:db8:0:1:ffff::')).status, 429);
    assert.equal((await from('another', '2001:db8:0:2::')).status, 401);
  });

  it('are counted for an address whatever its port, where a proxy tells that', async () => {
    for (let i = 0; i < 4; i++) await from(`wrong ${i}`, `${address}:${4711 + i}`);
    assert.equal((await from('another', `${address}:80`)).status, 429);
    assert.equal((await from('another', address)).status, 429);
  });

  it('are counted for the connection where no proxy is trusted, whatever a client says', async () => {
    const alone = await startServer({ wrongKeysPerMinute: 3 });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) {
        const headers = {
          'x-api-key': `wrong ${i}`,
          'x-forwarded-for': `198.51.100.${i}`,
          forwarded: 'for=192.0.2.1',
        };
        statuses.push((await fetch(alone.origin + native.path, { method: 'POST', headers })).status);
      }
      assert.deepEqual(statuses, [401, 401, 401, 429]);
    } finally {
      await alone.close();
    }
  });
});
