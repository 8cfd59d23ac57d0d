/** Image downloads: what is fetched, what is refused, and that nothing is left open or reached in secret. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { IntakeErrorCode } from '../../src/intake/errors.ts';
import {
  createRemoteImageFetcher,
  type RemoteImageFetcher,
  type RemoteImageFetcherOptions,
  type RemoteImageRequest,
} from '../../src/intake/remote-image.ts';
import { type NameServer, type Said, startNameServer } from '../helpers/name-server.ts';

const image = Buffer.from('an image, as far as a download can tell');
const ports = [
  { from: 80, to: 80 },
  { from: 443, to: 443 },
  { from: 10000, to: 12000 },
];

/** Names that only the test's name server knows; `localhost` is the one that is allowed to be local. */
const names: Record<string, Said> = {
  'unlisted.test': ['127.0.0.1'],
  'private.test': ['10.1.2.3'],
  'mixed.test': ['93.184.215.14', '10.1.2.3'],
  'mixed6.test': ['93.184.215.14', '64:ff9b::a01:203'],
  'empty.test': [],
  'failing.test': 'SERVFAIL',
  'silent.test': 'silence',
};

const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/image': (_, response) => response.setHeader('content-type', 'image/jpeg').end(image),
  '/untyped': (_, response) => response.end(image),
  '/binary': (_, response) => response.setHeader('content-type', 'Application/Octet-Stream; x=y').end(image),
  '/query?a=b%20c&d': (_, response) => response.end('query kept'),
  '/page': (_, response) => response.setHeader('content-type', 'text/html').end('<p>'),
  '/imagelike': (_, response) => response.setHeader('content-type', 'imagery/png').end(image),
  '/gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(image)),
  '/identity': (_, response) => response.setHeader('content-encoding', 'identity').end(image),
  '/headers': (request, response) => response.end(JSON.stringify(request.headers)),
  '/silent': () => {},
  '/drip': (_, response) => {
    const timer = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(timer));
  },
  '/endless': (_, response) => {
    const chunk = Buffer.alloc(65536);
    const pump = () => {
      while (response.write(chunk));
    };
    response.on('drain', pump);
    pump();
  },
  '/crumbs': (_, response) => {
    for (const byte of image) response.write(Buffer.of(byte));
    response.end();
  },
  '/announced': (_, response) => response.setHeader('content-length', 1e9).write('.'),
  '/understated': (_, response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n${image}`);
  },
  '/overstated': (_, response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\ntoo little');
  },
  '/reset': (_, response) => response.socket?.resetAndDestroy(),
  '/reset-in-body': (_, response) => {
    response.write('.', () => response.socket?.resetAndDestroy());
  },
  '/garbage': (_, response) => response.socket?.end('not HTTP'),
  '/error': (_, response) => response.writeHead(500).write('a body that never ends'),
};

let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  const url = request.url ?? '';
  const [, status, target] = /^\/(30\d)\/(.*)$/.exec(url) ?? [];
  if (target !== undefined) {
    response.writeHead(Number(status), { location: decodeURIComponent(target) }).end('moved');
  } else {
    (routes[url] ?? (() => response.writeHead(404).end('not here')))(request, response);
  }
});

let origin: string;
let nameServer: NameServer;

function open(options: Partial<RemoteImageFetcherOptions> = {}): RemoteImageFetcher {
  return createRemoteImageFetcher({
    allowedHosts: ['localhost'],
    nameServers: [nameServer.address],
    ...options,
  });
}

function fetchOf(url: string, request: Partial<RemoteImageRequest> = {}, fetcher = open()) {
  const signal = AbortSignal.timeout(2_000);
  return fetcher.fetch(new URL(url, origin).href, { maxBytes: 1000, ports, signal, ...request });
}

/** That a download ends with its time, for the very reason that its signal tells. */
async function assertEnds(url: string, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  await assert.rejects(fetchOf(url, { signal }), (error) => error === signal.reason);
}

async function assertRefused(download: Promise<Uint8Array>, code: IntakeErrorCode): Promise<void> {
  await assert.rejects(download, (error: Error & { code?: string }) => {
    assert.equal(error.name, 'IntakeError');
    assert.equal(error.code, code, error.message);
    // The URL may be signed, and an address tells about the network.
    assert.doesNotMatch(error.message, /\.test|:\/\/|\d\.\d|[0-9a-f]*::|secret/);
    assert.match(error.message, /^[A-Z].*\.$/);
    return true;
  });
}

async function listen(listener: Server): Promise<number> {
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  return (listener.address() as AddressInfo).port;
}

async function connectionsOf(listener: Server): Promise<number> {
  return new Promise((done, fail) => listener.getConnections((error, n) => (error ? fail(error) : done(n))));
}

async function assertAllClosed(listener: Server): Promise<void> {
  for (let tries = 0; tries < 50 && (await connectionsOf(listener)) > 0; tries += 1) await delay(2);
  assert.equal(await connectionsOf(listener), 0, 'a connection was left open');
}

before(async () => {
  // The server keeps idle connections open, so those found closed were closed by the fetcher.
  server.keepAliveTimeout = 0;
  origin = `http://localhost:${await listen(server)}`;
  nameServer = await startNameServer((name) => names[name] ?? 'NXDOMAIN');
});
afterEach(() => assertAllClosed(server));
after(async () => {
  server.close();
  await nameServer.close();
});

describe('downloads', () => {
  for (const path of ['/image', '/untyped', '/binary', '/identity', '/crumbs']) {
    it(`returns the bytes of ${path}`, async () => {
      assert.deepEqual(Buffer.from(await fetchOf(path)), image);
    });
  }

  it('returns an image of exactly as many bytes as allowed', async () => {
    assert.equal((await fetchOf('/crumbs', { maxBytes: image.length })).length, image.length);
    assert.equal((await fetchOf('/image', { maxBytes: image.length })).length, image.length);
  });

  it('keeps the query and leaves out the fragment', async () => {
    assert.equal(Buffer.from(await fetchOf('/query?a=b%20c&d#fragment')).toString(), 'query kept');
  });

  it('sends nothing that tells about the client', async () => {
    const headers = JSON.parse(Buffer.from(await fetchOf('/headers')).toString());
    const { host, connection, ...rest } = headers;
    assert.deepEqual(rest, { 'user-agent': 'bonafide', 'accept-encoding': 'identity' });
  });

  for (const status of [301, 302, 303, 307, 308]) {
    it(`follows ${status}, to a relative and to an absolute URL`, async () => {
      assert.deepEqual(Buffer.from(await fetchOf(`/${status}/..%2Fimage`)), image);
      assert.deepEqual(
        Buffer.from(await fetchOf(`/${status}/${encodeURIComponent(`${origin}/image`)}`)),
        image,
      );
    });
  }

  it('follows three redirects and no more', async () => {
    const redirecting = (times: number): string =>
      times === 0 ? '/image' : `/302/${encodeURIComponent(redirecting(times - 1))}`;
    assert.deepEqual(Buffer.from(await fetchOf(redirecting(3))), image);
    await assertRefused(fetchOf(redirecting(4)), 'url_bad_status');
  });

  it('serves several downloads at once', async () => {
    const fetcher = open();
    const all = await Promise.all(Array.from({ length: 20 }, () => fetchOf('/image', {}, fetcher)));
    assert.ok(all.every((bytes) => image.equals(bytes)));
  });
});

describe('addresses that are not public', () => {
  const literals = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '169.254.169.254',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[::7f00:1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:8.8.8.8]',
    '[::ffff:0:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[100::1]',
    '[2001::1]',
    '[2001:2::1]',
    '[2001:db8::1]',
    '[2002:7f00:1::]',
    '[3fff::1]',
    '[4000::1]',
    '[5f00::1]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[fec0::1]',
    '[ff02::1]',
  ];
  for (const literal of literals) {
    it(`refuses ${literal}`, () => assertRefused(fetchOf(`http://${literal}/`), 'url_blocked'));
  }

  it('refuses localhost by any of its names, and asks nobody about it', async () => {
    const fetcher = open({ allowedHosts: [] });
    const asked = nameServer.asked.length;
    for (const name of ['localhost', 'LOCALHOST.', 'a.localhost', 'a.localhost.']) {
      await assertRefused(fetchOf(`http://${name}/`, {}, fetcher), 'url_blocked');
      await assertRefused(fetchOf(`https://${name}/`, {}, fetcher), 'url_blocked');
    }
    assert.equal(nameServer.asked.length, asked);
  });

  for (const name of ['unlisted.test', 'private.test', 'mixed.test', 'mixed6.test']) {
    it(`refuses ${name}, which resolves to one`, async () => {
      await assertRefused(fetchOf(`http://${name}/?secret`), 'url_blocked');
      await assertRefused(fetchOf(`https://${name}/?secret`), 'url_blocked');
    });
  }

  it('refuses a redirect to one', async () => {
    const { port } = new URL(origin);
    for (const host of ['127.0.0.1', '169.254.169.254', '[::1]', 'unlisted.test']) {
      const target = encodeURIComponent(`http://${host}:${port}/image`);
      const request = { ports: [{ from: 1, to: 65535 }] };
      await assertRefused(fetchOf(`/302/${target}`, request), 'url_blocked');
    }
  });

  it('connects to the address it checked, whatever the name resolves to afterwards', async () => {
    const { port } = new URL(origin);
    // Global unicast space given back to IANA: public by its number, and nobody is there.
    const ipv4 = [[], ['127.0.0.1']];
    const ipv6 = [['3ffe::1'], []];
    const rebinding = await startNameServer((_, type) => (type === 'A' ? ipv4 : ipv6).shift() ?? []);
    const fetcher = open({ nameServers: [rebinding.address] });
    const requestsBefore = requests;
    const request = { ports: [{ from: 1, to: 65535 }] };
    const signal = AbortSignal.timeout(200);
    await assert.rejects(
      fetchOf(`http://rebound.test:${port}/image`, { ...request, signal }, fetcher),
      (error: Error & { code?: string }) => error === signal.reason || error.code === 'url_unreachable',
    );
    assert.deepEqual(rebinding.asked.toSorted(), ['A rebound.test', 'AAAA rebound.test']);
    await assertRefused(fetchOf(`http://rebound.test:${port}/image`, request, fetcher), 'url_blocked');
    assert.equal(rebinding.asked.length, 4);
    assert.equal(requests, requestsBefore);
    await rebinding.close();
  });

  it('allows a host by literal and by port, and only as named', async () => {
    const { port } = new URL(origin);
    for (const host of ['127.0.0.1', `127.0.0.1:${port}`]) {
      const fetcher = open({ allowedHosts: [host] });
      assert.deepEqual(Buffer.from(await fetchOf(`http://127.0.0.1:${port}/image`, {}, fetcher)), image);
      await assertRefused(fetchOf('http://127.0.0.2/image', {}, fetcher), 'url_blocked');
    }
    const elsewhere = open({ allowedHosts: ['127.0.0.1:81'] });
    await assertRefused(fetchOf('http://127.0.0.1/image', {}, elsewhere), 'url_blocked');
  });
});

describe('URLs', () => {
  const refused = [
    'ftp://localhost/',
    'gopher://localhost/',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    'blob:http://localhost/1',
    'javascript:alert(1)',
    'http://user:secret@localhost/',
    'http://user@localhost/',
    'http://:secret@localhost/',
    'http://unlisted.test:22/',
    'http://unlisted.test:9999/',
    'http://unlisted.test:12001/',
    'http://unlisted.test:0/',
  ];
  for (const url of refused) {
    it(`refuses ${url}`, () => assertRefused(fetchOf(url), 'url_invalid'));
    it(`refuses a redirect to ${url}`, () =>
      assertRefused(fetchOf(`/302/${encodeURIComponent(url)}`), 'url_invalid'));
  }

  it('refuses what is no URL', async () => {
    for (const url of ['', 'image.jpg', '//localhost/', 'http://', 'http://[::1', 'http://a:70000/']) {
      await assertRefused(
        open().fetch(url, { maxBytes: 1000, ports, signal: AbortSignal.timeout(2_000) }),
        'url_invalid',
      );
    }
  });

  it('lets allowed ports and the scheme’s own pass on to the address check', async () => {
    for (const port of ['', ':80', ':443', ':10000', ':12000']) {
      await assertRefused(fetchOf(`http://private.test${port}/`), 'url_blocked');
    }
    await assertRefused(fetchOf('https://private.test/', { ports: [] }), 'url_blocked');
  });
});

describe('answers', () => {
  const refused: [path: string, code: IntakeErrorCode][] = [
    ['/404', 'url_bad_status'],
    ['/error', 'url_bad_status'],
    ['/304/', 'url_bad_status'],
    ['/302/..%2F302%2F', 'url_bad_status'],
    ['/page', 'url_not_an_image'],
    ['/imagelike', 'url_not_an_image'],
    ['/gzip', 'url_not_an_image'],
    ['/endless', 'too_many_bytes'],
    ['/announced', 'too_many_bytes'],
    ['/overstated', 'url_unreachable'],
    ['/reset', 'url_unreachable'],
    ['/reset-in-body', 'url_unreachable'],
    ['/garbage', 'url_unreachable'],
  ];
  for (const [path, code] of refused) {
    it(`refuses ${path} as ${code}`, () => assertRefused(fetchOf(path), code));
  }

  it('refuses one byte more than the limit', async () => {
    await assertRefused(fetchOf('/image', { maxBytes: image.length - 1 }), 'too_many_bytes');
    await assertRefused(fetchOf('/crumbs', { maxBytes: image.length - 1 }), 'too_many_bytes');
  });

  it('reads no further than the announced length', async () => {
    assert.deepEqual(Buffer.from(await fetchOf('/understated')), image.subarray(0, 4));
  });

  it('refuses a server that is not there and a name without addresses', async () => {
    const gone = createTcpServer();
    const port = await listen(gone);
    await once(gone.close(), 'close');
    await assertRefused(fetchOf(`http://localhost:${port}/`), 'url_unreachable');
    await assertRefused(fetchOf('http://empty.test/'), 'url_unreachable');
    await assertRefused(fetchOf('http://gone.test/'), 'url_unreachable');
    await assertRefused(fetchOf('http://failing.test/'), 'url_unreachable');
  });
});

describe('time', () => {
  for (const path of ['/silent', '/drip', `/302/..%2Fdrip`]) {
    it(`limits ${path}`, () => assertEnds(path, 100));
  }

  it('limits name resolution', () => assertEnds('http://silent.test/', 50));

  it('limits a TLS handshake, and closes its connection', async () => {
    const mute = createTcpServer();
    const port = await listen(mute);
    const download = assertEnds(`https://localhost:${port}/`, 100);
    const [socket] = await once(mute, 'connection');
    socket.resume().on('error', () => {});
    await download;
    await assertAllClosed(mute);
    mute.close();
  });

  it('ends with the reason of the caller’s signal', async () => {
    for (const path of ['/silent', '/drip']) {
      const caller = new AbortController();
      const reason = new Error('the client went away');
      setTimeout(() => caller.abort(reason), 50);
      await assert.rejects(fetchOf(path, { signal: caller.signal }), (error) => error === reason);
    }
  });

  it('does not connect for a caller already gone', async () => {
    const requestsBefore = requests;
    const reason = new Error('the client went away');
    await assert.rejects(
      fetchOf('/image', { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.equal(requests, requestsBefore);
  });
});
