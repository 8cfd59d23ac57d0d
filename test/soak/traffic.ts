/** What a soaked server meets: the kinds of traffic and of disturbance, each with how often it comes and what may come of it. */

import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { portraitBytes } from '../../src/dialects/portrait.ts';
import { hostileFiles } from '../helpers/hostile/corpus.ts';
import type { HostileFile } from '../helpers/hostile/file.ts';
import { json, keyed, type Route, routes } from '../helpers/http.ts';
import { credential } from '../helpers/keys.ts';
import { animate, claimingPng, heicHead, landscape, plainPng, readPhotos } from '../helpers/pictures.ts';
import { childrenOf } from '../helpers/processes.ts';
import { hear, open } from '../helpers/raw.ts';
import { imagePaths } from './images.ts';

/** The server that is soaked. */
export interface Target {
  readonly origin: string;
  readonly pid: number;
  /** The process of a worker that is left alone. */
  readonly spared: number;
  /** Host and port of the pictures that URLs lead to. */
  readonly images: string;
}

/** A kind of thing that happens to a server again and again. */
export interface Kind {
  readonly name: string;
  /** Milliseconds from one to the next, on average. */
  readonly everyMs: number;
  /** All that may come of it, beside `503` with `Retry-After` from a server that has too much to do, or whose worker died. */
  readonly expects: readonly string[];
  /** Does it once. @returns what came of it: a status, or a word. Rejects with what is never expected. */
  run(target: Target): Promise<string>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const { nhn, argos, native } = routes;

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: its shape is tested elsewhere.
  readonly body: any;
}

async function ask(
  { origin }: Target,
  path: string,
  { method = 'POST', headers, body }: Asked,
): Promise<Answer> {
  const asking = request(origin + path, {
    method,
    agent,
    headers: { ...headers, ...(body !== undefined && { 'content-length': `${Buffer.byteLength(body)}` }) },
  });
  asking.end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const text = (await response.toArray()).join('');
  const status = response.statusCode ?? 0;
  if (status === 503 && !('retry-after' in response.headers)) throw new Error(`503 without a word: ${text}`);
  return { status, body: text === '' ? undefined : JSON.parse(text) };
}

/** An answer in one word: the status, and where all have the same, what tells them apart. */
async function assess(target: Target, route: Route, image: Uint8Array): Promise<string> {
  const { headers, body } = route.asking(image);
  const answer = await ask(target, route.path, { headers: keyed(route, headers), body });
  const nhnCode = answer.body?.header?.resultCode;
  return answer.status === 200 && nhnCode ? `${nhnCode}` : `${answer.status}`;
}

const admin = (target: Target, method: string, path: string, body?: object) =>
  ask(target, `/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${credential.adminToken}`, ...(body && json(body).headers) },
    ...(body && { body: JSON.stringify(body) }),
  });

const photos = await readPhotos();
const small = await sharp(photos.face).resize(320).jpeg().toBuffer();
const pictures = [
  Buffer.from(portraitBytes),
  small,
  await plainPng(96, 96),
  await landscape(640, 480),
  await animate(small, 'webp'),
];

/** What no dialect takes, each for another reason. */
const badPictures = [
  small.subarray(0, small.length / 2),
  small.subarray(0, 20),
  claimingPng(60_000, 60_000),
  heicHead(),
  Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9999999" height="9999999"/>'),
  Buffer.from('%PDF-1.7\n'),
  Buffer.alloc(5_000),
];

let turn = 0;
const next = <Item>(items: readonly Item[]) => items[turn++ % items.length] as Item;

const everyDialect = [native, argos, nhn].map(
  (route): Kind => ({
    name: `${route.name}, photographs`,
    everyMs: 450,
    expects: ['200', '400', '-45040'],
    run: (target) => assess(target, route, next(pictures)),
  }),
);

const badImages = [native, argos, nhn].map(
  (route): Kind => ({
    name: `${route.name}, what is no photograph`,
    everyMs: 600,
    expects: ['400', '413', '415', '422', '-45020', '-45030', '-45040'],
    run: (target) => assess(target, route, next(badPictures)),
  }),
);

/** All that a stranger might send, each file in its turn. */
const hostile = await hostileFiles();
let turnOfHostile = 0;
const hostileImages: Kind = {
  name: 'hostile pictures',
  everyMs: 800,
  expects: ['200', '413', '415', '422'],
  async run(target) {
    const { bytes } = hostile[turnOfHostile++ % hostile.length] as HostileFile;
    const headers = keyed(native, { 'content-type': 'image/jpeg' });
    return bytes.length === 0
      ? '422'
      : `${(await ask(target, native.path, { headers, body: bytes })).status}`;
  },
};

/** Shows each of them twice, as many at a time as keep the workers busy. */
export async function showAll(target: Target): Promise<void> {
  const one = async () => {
    while (turnOfHostile < 2 * hostile.length) await hostileImages.run(target);
  };
  await Promise.all(Array.from({ length: 4 }, one));
}

const imageUrls: Kind = {
  name: 'image URLs',
  everyMs: 700,
  // Of what leads to none, some is the fault of its address, and some of who serves it.
  expects: ['200', '400', '413', '422'],
  async run(target) {
    const body = JSON.stringify({
      image: { url: `http://${target.images}${next(imagePaths)}?${Math.random()}` },
    });
    const headers = keyed(native, { 'content-type': 'application/json' });
    return `${(await ask(target, native.path, { headers, body })).status}`;
  },
};

/** The head of an upload whose body comes by and by, or never. */
function upload({ origin }: Target, body: Uint8Array) {
  const asking = request(origin + native.path, {
    method: 'POST',
    agent: false,
    headers: keyed(native, { 'content-type': 'image/jpeg', 'content-length': `${body.length}` }),
  });
  asking.on('error', () => {});
  return asking;
}

const rude: readonly Kind[] = [
  {
    name: 'uploads that are given up',
    everyMs: 400,
    expects: ['gone'],
    async run(target) {
      const asking = upload(target, photos.face);
      asking.write(photos.face.subarray(0, Math.floor(photos.face.length * Math.random())));
      await sleep(Math.random() * 300);
      asking.destroy();
      return 'gone';
    },
  },
  {
    name: 'clients gone before their answer',
    everyMs: 700,
    expects: ['gone'],
    async run(target) {
      const asking = upload(target, photos.face);
      asking.end(photos.face);
      await sleep(Math.random() * 100);
      asking.destroy();
      return 'gone';
    },
  },
  {
    name: 'slow uploads',
    everyMs: 2_000,
    expects: ['200'],
    async run(target) {
      const asking = upload(target, small);
      const answered = once(asking, 'response');
      const step = Math.ceil(small.length / 20);
      for (let at = 0; at < small.length; at += step) {
        asking.write(small.subarray(at, at + step));
        await sleep(200);
      }
      asking.end();
      const [response] = (await answered) as [IncomingMessage];
      await response.toArray();
      return `${response.statusCode}`;
    },
  },
  {
    name: 'heads that never end',
    everyMs: 1_000,
    expects: ['gone'],
    async run({ origin }) {
      const { hostname, port } = new URL(origin);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      await once(socket, 'connect');
      for (let i = 0; i < 10 && !socket.destroyed; i++) {
        socket.write(i === 0 ? 'POST /v1/assess HTTP/1.1\r\n' : `x-${i}: y\r\n`);
        await sleep(500);
      }
      socket.destroy();
      return 'gone';
    },
  },
  {
    name: 'what is not HTTP',
    everyMs: 3_000,
    expects: ['400'],
    async run({ origin }) {
      const { hostname, port } = new URL(origin);
      const socket = connect(Number(port), hostname);
      socket.end('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
      const text = (await socket.toArray()).join('');
      return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? text;
    },
  },
];

/** Sends these bytes over a connection of its own. @returns the statuses that came until it was closed. */
async function converse(target: Target, bytes: string | Buffer, ending: 'end' | 'write'): Promise<string> {
  const socket = await open(target);
  socket[ending](bytes);
  const { statuses, isClosed } = await hear(socket);
  return isClosed ? statuses.join(' ') || 'closed' : 'left open';
}

const asking = `POST ${native.path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${native.key}\r\ncontent-type: application/json\r\n`;
const whole = `${asking}content-length: 2\r\n\r\n{}`;
const last = 'GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
/** What a proxy may read in another way. */
const smuggled = [
  `${asking}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  `${asking}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  `${asking}content-length: 2, 2\r\n\r\n{}`,
  `${asking}transfer-encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n`,
  whole.replaceAll('\r\n', '\n'),
  whole.replace('host: a', 'host: a, b'),
].map((request) => request + whole);

const wire: readonly Kind[] = [
  {
    name: 'half-closed connections',
    everyMs: 900,
    // Who closes their half before the answer is taken for gone; so soon after, the answer may be out already.
    expects: ['closed', '400'],
    run: (target) => converse(target, whole, 'end'),
  },
  {
    name: 'pipelined requests',
    everyMs: 900,
    expects: ['400 400 400 200'],
    async run(target) {
      const statuses = await converse(target, whole.repeat(3) + last, 'write');
      // Any of them may find the server full.
      return /^((400|503) ){3}200$/.test(statuses) ? '400 400 400 200' : statuses;
    },
  },
  {
    name: 'requests that a proxy may read in another way',
    everyMs: 900,
    expects: ['400'],
    run: (target) => converse(target, next(smuggled), 'write'),
  },
  {
    name: 'idle connections',
    everyMs: 1_500,
    expects: ['gone'],
    async run(target) {
      const sockets = await Promise.all(Array.from({ length: 4 }, () => open(target, '127.0.0.2')));
      // Each other one was used before.
      for (const [i, socket] of sockets.entries()) {
        socket.resume();
        if (i % 2 === 0) socket.write('GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
      }
      await sleep(12_000);
      for (const socket of sockets) socket.destroy();
      return 'gone';
    },
  },
];

const refused: readonly Kind[] = [
  {
    name: 'malformed requests',
    everyMs: 150,
    expects: ['400'],
    async run(target) {
      const body = next([
        '{"image":{"bytes":"?"}}',
        '{"image":{"url":"http://127.0.0.1/"}}',
        '{"image"',
        '[]',
      ]);
      const headers = keyed(native, { 'content-type': 'application/json' });
      return `${(await ask(target, native.path, { headers, body })).status}`;
    },
  },
  {
    name: 'wrong keys',
    everyMs: 4_000,
    expects: ['401', '429'],
    async run(target) {
      const headers = { 'x-api-key': `wrong-${Math.random()}`, 'content-type': 'application/json' };
      return `${(await ask(target, native.path, { headers, body: '{}' })).status}`;
    },
  },
];

/** As long as documents promise for what is changed to hold. */
const changeMs = 5_000;

const operated: readonly Kind[] = [
  {
    name: 'lists of the admin API',
    everyMs: 1_000,
    expects: ['200'],
    async run(target) {
      const path = next([
        '/transactions?limit=50',
        '/usage?by=outcome',
        '/keys?app=contract&limit=20',
        '/models',
      ]);
      return `${(await admin(target, 'GET', path)).status}`;
    },
  },
  {
    name: 'keys made, limited, used and revoked',
    everyMs: 8_000,
    expects: ['revoked'],
    async run(target) {
      const made = await admin(target, 'POST', '/apps/contract/keys', { kind: 'api', name: 'soak' });
      if (made.status !== 200) return `made: ${made.status}`;
      const { key, secret } = made.body;
      const limited = await admin(target, 'PATCH', `/keys/${key.id}`, { limits: { perSecond: 100 } });
      if (limited.status !== 200) return `limited: ${limited.status}`;
      // To an address with many wrong keys a new one is known by then.
      await sleep(changeMs);
      const headers = { 'x-api-key': secret, 'content-type': 'application/json' };
      const use = async () => (await ask(target, native.path, { headers, body: '{}' })).status;
      const used = await use();
      if (used !== 400 && used !== 503) return `used: ${used}`;
      const revoked = await admin(target, 'POST', `/keys/${key.id}/revoke`);
      if (revoked.status !== 200) return `revoked: ${revoked.status}`;
      await sleep(changeMs);
      const after = await use();
      return after === 401 || after === 429 ? 'revoked' : `after: ${after}`;
    },
  },
  {
    name: 'workers killed',
    everyMs: 20_000,
    expects: ['killed'],
    async run({ pid, spared }) {
      const workers = (await childrenOf(pid)).filter((worker) => worker !== spared);
      const doomed = workers[Math.floor(Math.random() * workers.length)];
      if (doomed !== undefined) process.kill(doomed, 'SIGKILL');
      return 'killed';
    },
  },
];

/** All of it. What is added to this list is soaked too. */
export const kinds: readonly Kind[] = [
  ...everyDialect,
  ...badImages,
  hostileImages,
  imageUrls,
  ...refused,
  ...rude,
  ...wire,
  ...operated,
];
