/** Image downloads as an attacker would have them: every spelling of an internal address, and servers that lie, flood or drip. */

import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { IntakeErrorCode } from '../../src/intake/errors.ts';
import {
  createRemoteImageFetcher,
  type RemoteImageFetcher,
  type RemoteImageRequest,
} from '../../src/intake/remote-image.ts';
import { type NameServer, type Said, startNameServer } from '../helpers/name-server.ts';

/** Every port, so that nothing but the address is in the way. */
const ports = [{ from: 1, to: 65_535 }];
const maxBytes = 100_000;

/** Public by its number, in space that was given back to IANA: nobody is there. */
const nobody = '3ffe::1';

const names: Record<string, Said> = {
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'unspecified.test': ['0.0.0.0'],
  'private.test': ['192.168.1.1'],
  'metadata.test': ['169.254.169.254'],
  'unique-local.test': ['fd00:ec2::254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'six-to-four.test': ['2002:7f00:1::'],
  'mixed.test': ['93.184.215.14', '127.0.0.1'],
  'mixed-families.test': ['93.184.215.14', '::1'],
  'last-of-many.test': [...Array.from({ length: 20 }, (_, i) => `93.184.215.${i}`), '10.0.0.1'],
  'alias.test': { cname: 'loopback.test' },
  'alias-of-alias.test': { cname: 'alias.test' },
  'alias-of-itself.test': { cname: 'alias-of-itself.test' },
  'xn--bcher-kva.test': ['127.0.0.1'],
  'under_score.test': ['127.0.0.1'],
  intranet: ['127.0.0.1'],
  'silent.test': 'silence',
};

const ok = 'HTTP/1.1 200 OK\r\n';
const sized = (body: string | Buffer, ...head: string[]) =>
  Buffer.concat([
    Buffer.from(`${ok}${head.map((line) => `${line}\r\n`).join('')}content-length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ]);
const moved = (status: number, ...locations: string[]) =>
  `HTTP/1.1 ${status} Moved\r\n${locations.map((to) => `location: ${to}\r\n`).join('')}content-length: 0\r\n\r\n`;

/** Writes this once, and then that for ever. */
const flood = (begin: string, chunk: string) => (socket: Socket) => {
  socket.write(begin);
  const pump = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', pump);
  pump();
};
const drip = (begin: string, piece: string) => (socket: Socket) => {
  socket.write(begin);
  const timer = setInterval(() => socket.write(piece), 5);
  socket.on('close', () => clearInterval(timer));
};

type Answer = string | Buffer | ((socket: Socket) => void);

/** What the server says at a path, byte for byte, before it closes. */
const pages: Record<string, Answer> = {};
/** The heads of the requests that came, and what came behind them. */
let received: string[] = [];
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (bytes) => {
    const text = bytes.toString('latin1');
    received.push(text);
    const [, path = ''] = text.split(' ');
    const answer = pages[path] ?? 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n';
    if (typeof answer === 'function') answer(socket);
    else socket.end(answer);
  });
});

let port: number;
let nameServer: NameServer;

function open(): RemoteImageFetcher {
  return createRemoteImageFetcher({ allowedHosts: ['localhost'], nameServers: [nameServer.address] });
}

function fetchOf(url: string, request: Partial<RemoteImageRequest> = {}, fetcher = open()) {
  return fetcher.fetch(url, { maxBytes, ports, signal: AbortSignal.timeout(2_000), ...request });
}

/** What the server says at this path. */
function page(path: string, request: Partial<RemoteImageRequest> = {}, fetcher = open()) {
  return fetchOf(`http://localhost:${port}${path}`, request, fetcher);
}

/** That a download ends with this signal, and for no other reason. */
async function assertEnds(download: (signal: AbortSignal) => Promise<Uint8Array>, timeoutMs: number) {
  const signal = AbortSignal.timeout(timeoutMs);
  await assert.rejects(download(signal), (error) => error === signal.reason);
}

async function assertRefused(download: Promise<Uint8Array>, ...codes: IntakeErrorCode[]): Promise<void> {
  await assert.rejects(download, (error: Error & { code?: string }) => {
    assert.ok(codes.includes(error.code as IntakeErrorCode), `${error.code}: ${error.message}`);
    return true;
  });
}

/** Tells a refusal before anything was connected to from one that came after. */
async function assertNotAsked(run: () => Promise<void>): Promise<void> {
  received = [];
  await run();
  assert.deepEqual(received, []);
}

before(async () => {
  await once(server.listen(0), 'listening');
  ({ port } = server.address() as AddressInfo);
  nameServer = await startNameServer((name) => names[name] ?? 'NXDOMAIN');
});
afterEach(async () => {
  const count = () =>
    new Promise<number>((done, fail) => server.getConnections((error, n) => (error ? fail(error) : done(n))));
  const deadline = performance.now() + 2_000;
  while ((await count()) > 0 && performance.now() < deadline) await new Promise((done) => setImmediate(done));
  assert.equal(await count(), 0, 'a connection was left open');
});
after(async () => {
  server.close();
  await nameServer.close();
});

describe('SSRF: spellings of internal addresses', () => {
  const spellings = [
    // IPv4 as numbers of every base, in every number of parts.
    ...['2130706433', '0x7f000001', '0X7F000001', '017700000001', '127.1', '127.0.1', '127.65535', '0177.1'],
    ...['0x7f.0x0.0x0.0x1', '0177.0.0.01', '127.0x0.1', '0x7f.1', '127.000000000.0.1', '0', '0x', '0.0'],
    ...['2852039166', '0xa9fea9fe', '169.254.43518', '0251.0376.0251.0376', '0xa9.254.0251.254'],
    // Digits and dots that Unicode takes for them.
    ...['１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', '𝟙𝟚𝟟.𝟘.𝟘.𝟙'],
    // Escaped, and with a dot too many.
    ...['%31%32%37.0.0.1', '127%2e0%2e0%2e1', '127.0.0.1.', '0x7f.1.', '127.0.0%E3%80%821'],
    // IPv6, and IPv4 within it.
    ...['[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0001]'],
    ...['[::ffff:127.0.0.1]', '[::FFFF:7F00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::ffff:169.254.169.254]'],
    ...[
      '[::ffff:0:127.0.0.1]',
      '[::127.0.0.1]',
      '[::a9fe:a9fe]',
      '[64:ff9b::127.0.0.1]',
      '[64:ff9b::a9fe:a9fe]',
    ],
    ...[
      '[64:ff9b:1::a00:1]',
      '[2002:7f00:1::]',
      '[2002:a9fe:a9fe::1]',
      '[2001:0:7f00:1::]',
      '[2001::a9fe:a9fe]',
    ],
    ...['[fe80::1]', '[febf::1]', '[fec0::1]', '[fc00::1]', '[fdff:ffff::1]', '[fd00:ec2::254]', '[ff02::1]'],
    // Names that are this machine by definition.
    ...[
      'LocalHost',
      'localhost.',
      'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
      'loc\u00adalhost',
      'localhost。',
      'a.b.localhost',
      '%6cocalhost',
    ],
  ];
  for (const spelling of spellings) {
    it(`refuses ${JSON.stringify(spelling)}`, () =>
      assertNotAsked(async () => {
        const fetcher = createRemoteImageFetcher({ allowedHosts: [] });
        for (const scheme of ['http', 'https']) {
          await assertRefused(fetchOf(`${scheme}://${spelling}:${port}/`, {}, fetcher), 'url_blocked');
        }
      }));
  }

  const malformed = [
    ...['127.0.0.256', '0x1ffffffff', '4294967296', '1.2.3.4.5', '127.0.0.08', '0x7f.0.0.g.1'],
    ...[
      '[fe80::1%25eth0]',
      '[fe80::1%eth0]',
      '[fe80::1%25lo]',
      '[::1',
      '::1',
      '[::1]]',
      '[::ffff:127.0.0.256]',
    ],
    ...['[v1.fe80]', '[]', '[127.0.0.1]', '127.0.0.1\0', 'a b', 'a%00b', 'a%0d%0ab', 'a<b', '%'],
  ];
  for (const host of malformed) {
    it(`refuses ${JSON.stringify(host)} as no host at all`, () =>
      assertNotAsked(() => assertRefused(fetchOf(`http://${host}/`), 'url_invalid')));
  }
});

describe('SSRF: shapes of URLs', () => {
  const at = (text: string) => text.replaceAll('PORT', String(port));
  const blocked = [
    ...[
      'http:127.0.0.1:PORT/',
      'http:/127.0.0.1:PORT',
      'http:///127.0.0.1:PORT',
      'http:\\\\127.0.0.1:PORT\\',
    ],
    ...[
      ' http://127.0.0.1:PORT/ ',
      '\thttp://127.0.0.1:PORT/',
      'ht\r\ntp://127.0.0.1:PORT/',
      'http://127.0\n.0.1/',
    ],
    ...[
      'HTTP://127.0.0.1:PORT/',
      'http://127.0.0.1:PORT#@example.com/',
      'http://127.0.0.1:PORT?@example.com/',
    ],
    ...[
      'http://127.0.0.1:PORT\\@example.com/',
      'http://127.0.0.1:PORT/@example.com/',
      'http://127.0.0.1:00080/',
    ],
    ...['http://127.0.0.1:/', 'http://127.0.0.1:PORT/../..//example.com/'],
  ];
  for (const url of blocked) {
    it(`refuses ${JSON.stringify(url)}, whose host is an internal one`, () =>
      assertNotAsked(() => assertRefused(fetchOf(at(url)), 'url_blocked')));
  }

  const invalid = [
    ...[
      'gopher://127.0.0.1:PORT/_GET',
      'file:///etc/passwd',
      'file://localhost/etc/passwd',
      'ftp://localhost/a',
    ],
    ...[
      'data:image/png;base64,AAAA',
      'blob:http://localhost:PORT/1',
      'javascript:alert(1)',
      'ws://localhost:PORT/',
    ],
    ...[
      'dict://localhost:PORT/',
      'ldap://localhost/',
      'about:blank',
      'jar:http://localhost!/',
      'view-source:http://a/',
    ],
    ...['http+unix://%2fvar%2frun%2fdocker.sock/', 'unix:/var/run/docker.sock', 'x-http://localhost/'],
    ...['http://user@localhost:PORT/', 'http://user:pw@localhost:PORT/'],
    ...[
      'http://example.com@localhost:PORT/',
      'http://example.com%40@localhost:PORT/',
      'http://a:b:c@localhost/',
    ],
    ...[
      'http://127.0.0.1:PORT;@example.com',
      'http://localhost:65536/',
      'http://localhost:-1/',
      'http://localhost:a/',
    ],
    ...['//127.0.0.1:PORT/', '/etc/passwd', 'localhost:PORT', '', ' ', 'http://', 'https://?', 'http://#'],
  ];
  for (const url of invalid) {
    it(`refuses ${JSON.stringify(url)}`, () =>
      assertNotAsked(() => assertRefused(fetchOf(at(url)), 'url_invalid')));
  }

  it('takes a URL of 4,096 characters, and parses none that is longer, from a client or in a redirect', async () => {
    const start = `http://localhost:${port}/`;
    const longest = start.padEnd(4_096, 'a');
    pages[longest.slice(start.length - 1)] = sized('image');
    pages['/out'] = moved(302, longest);
    assert.equal(Buffer.from(await fetchOf(longest)).toString(), 'image');
    assert.equal(Buffer.from(await page('/out')).toString(), 'image');
    await assertNotAsked(() => assertRefused(fetchOf(`${longest}a`), 'url_invalid'));
    pages['/out'] = moved(302, `${longest}a`);
    await assertRefused(page('/out'), 'url_invalid');
  });

  it('parses no host beyond ASCII that is longer than a name may be, however it is written', async () => {
    const host = String.fromCodePoint(...Array.from({ length: 1_300 }, (_, i) => 0x4e00 + i));
    for (const start of ['http://', 'https:', 'http:\\\\', ' http:/\t/', '//', 'http://a@', 'http:////']) {
      await assertNotAsked(() => assertRefused(fetchOf(start + host), 'url_invalid'));
      pages['/out'] = Buffer.from(moved(302, start + host));
      await assertRefused(page('/out'), 'url_invalid');
    }
    pages[`/${encodeURIComponent(host.slice(0, 400))}`] = sized('image');
    assert.equal(Buffer.from(await page(`/${host.slice(0, 400)}`)).toString(), 'image');
  });

  it('lets line breaks make neither a header nor a second request', async () => {
    const tricks = [
      '/a\r\nx-injected: 1',
      '/a%0d%0ax-injected:%201',
      '/a HTTP/1.1\r\nx-injected: 1\r\n\r\nGET /second HTTP/1.1',
      '/a?b=\r\n\r\nGET /second',
      '/a#\r\nx-injected: 1',
      '/a\u010d\u010ax-injected: 1',
      '/a\u{2028}x-injected: 1',
    ];
    for (const trick of tricks) {
      received = [];
      await assertRefused(page(trick), 'url_bad_status');
      assert.equal(received.length, 1);
      assert.match(received[0] as string, /^GET \/a\S* HTTP\/1\.1\r\n([^\r\n]+\r\n)+\r\n$/);
      assert.doesNotMatch(received[0] as string, /^x-injected|^GET \/second/m);
    }
  });

  it('asks in the name of the URL, and no other', async () => {
    pages['/'] = sized('image');
    received = [];
    await page('/');
    assert.deepEqual(received[0]?.match(/^host: .*$/gim), [`host: localhost:${port}`]);
  });
});

describe('SSRF: names', () => {
  for (const name of Object.keys(names).filter(
    (one) => !['silent.test', 'alias-of-itself.test'].includes(one),
  )) {
    it(`refuses ${name}`, () =>
      assertNotAsked(() => assertRefused(fetchOf(`http://${name}:${port}/`), 'url_blocked')));
  }

  it('refuses an internal name in the letters of its language', () =>
    assertNotAsked(() => assertRefused(fetchOf(`http://b\u00fccher.test:${port}/`), 'url_blocked')));

  it('follows no alias for ever', () =>
    assertRefused(fetchOf('http://alias-of-itself.test/'), 'url_unreachable'));

  it('asks nobody for a name with the search domains of this network behind it', async () => {
    const asked = nameServer.asked.length;
    await assertRefused(fetchOf('http://no-such-host/'), 'url_unreachable');
    const questions = nameServer.asked.slice(asked).toSorted();
    assert.deepEqual(questions, ['A no-such-host', 'AAAA no-such-host']);
  });

  it('connects to nothing that a name turns to after it was looked at', async () => {
    for (const [first, then] of [
      [[nobody], ['127.0.0.1']],
      [[nobody], ['::1']],
    ] as const) {
      const turns = { A: [first, then], AAAA: [first, then] };
      const turning = await startNameServer((_, type) => turns[type].shift() ?? then);
      const nameServers = [turning.address];
      const fetcher = createRemoteImageFetcher({ allowedHosts: [], nameServers });
      await assertNotAsked(async () => {
        const url = `http://turning.test:${port}/`;
        const signal = AbortSignal.timeout(300);
        await assert.rejects(
          fetchOf(url, { signal }, fetcher),
          (error: Error & { code?: string }) => error === signal.reason || error.code === 'url_unreachable',
        );
        await assertRefused(fetchOf(url, {}, fetcher), 'url_blocked');
      });
      assert.equal(turning.asked.length, 4, 'one question of each family for each download');
      await turning.close();
    }
  });
});

describe('SSRF: slow name servers', () => {
  it('do not hold up other lookups, and leave nothing behind when time is over', async () => {
    const fetcher = open();
    let ended = 0;
    const slow = Array.from({ length: 64 }, async (_, i) => {
      names[`slow-${i}.test`] = 'silence';
      await assertEnds((signal) => fetchOf(`http://slow-${i}.test/`, { signal }, fetcher), 2_000);
      ended += 1;
    });
    // What the process itself asks of the operating system and reads of its disk waits in line with lookups of that kind.
    await lookup('localhost');
    await readFile(import.meta.filename);
    pages['/beside'] = sized('image');
    assert.equal(Buffer.from(await page('/beside')).toString(), 'image');
    assert.equal(ended, 0);
    await Promise.all(slow);
    assert.ok(!process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap'));
    assert.ok(!process.getActiveResourcesInfo().includes('QueryReqWrap'));
  });

  it('of a host that the operator allowed are asked once at a time, as that cannot be called off', async () => {
    const fetcher = open();
    pages['/'] = sized('image');
    const underWay = new Set<number>();
    let most = 0;
    const hook = createHook({
      init(id, type) {
        if (type === 'GETADDRINFOREQWRAP') underWay.add(id);
        most = Math.max(most, underWay.size);
      },
      before: (id) => underWay.delete(id),
    }).enable();
    await Promise.all(Array.from({ length: 20 }, () => page('/', {}, fetcher))).finally(() => hook.disable());
    assert.equal(most, 1);
  });

  it('end with the client that asked', async () => {
    const caller = new AbortController();
    const reason = new Error('the client went away');
    const asked = nameServer.asked.length;
    const download = fetchOf('http://silent.test/', { signal: caller.signal });
    const ended = assert.rejects(download, (error) => error === reason);
    while (nameServer.asked.length === asked) await new Promise((done) => setImmediate(done));
    caller.abort(reason);
    await ended;
  });
});

describe('SSRF: redirects', () => {
  const targets = [
    ...[
      'http://127.0.0.1:PORT/',
      '//127.0.0.1:PORT/',
      '\\\\127.0.0.1:PORT\\',
      'http://0x7f.1:PORT/',
      'http://[::1]/',
    ],
    ...['http://loopback.test:PORT/', 'http://mixed.test:PORT/', 'https://metadata.test/', '//intranet/'],
    ...['http://169.254.169.254/latest/meta-data/', 'http://[::ffff:a9fe:a9fe]/'],
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    for (const target of targets) {
      it(`refuses ${status} to ${target}`, async () => {
        pages['/out'] = moved(status, target.replaceAll('PORT', String(port)));
        received = [];
        await assertRefused(page('/out'), 'url_blocked');
        assert.equal(received.length, 1);
      });
    }
  }

  for (const target of [
    'file:///etc/passwd',
    'gopher://a/',
    'data:,x',
    'http://user:pw@localhost/',
    'http://[::1',
  ]) {
    it(`refuses a redirect to ${target}`, async () => {
      pages['/out'] = moved(302, target);
      await assertRefused(page('/out'), 'url_invalid');
    });
  }

  for (const status of [300, 304, 305, 306, 309, 399]) {
    it(`does not follow ${status}`, async () => {
      pages['/in'] = moved(status, '/image');
      pages['/image'] = sized('image');
      received = [];
      await assertRefused(page('/in'), 'url_bad_status');
      assert.equal(received.length, 1);
    });
  }

  it('follows no answer with two targets, with none or with itself', async () => {
    pages['/two'] = moved(302, '/image', '/image');
    pages['/none'] = moved(302);
    pages['/self'] = moved(302, '');
    for (const path of ['/two', '/none', '/self']) await assertRefused(page(path), 'url_bad_status');
  });

  it('keeps no cookie and names no referrer on the way', async () => {
    pages['/first'] = moved(302, '/second').replace('\r\n', '\r\nset-cookie: session=1; path=/\r\n');
    pages['/second'] = sized('image', 'set-cookie: session=2; path=/');
    received = [];
    await page('/first');
    await page('/second');
    assert.equal(received.length, 3);
    for (const head of received) assert.doesNotMatch(head, /cookie|referer|origin|authorization/i);
  });
});

describe('SSRF: answers that lie', () => {
  const bomb = Buffer.alloc(10_000_000);
  const packed = {
    gzip: gzipSync(bomb),
    'x-gzip': gzipSync(bomb),
    br: brotliCompressSync(bomb),
    deflate: deflateSync(bomb),
    zstd: zstdCompressSync(bomb),
    'GZIP, identity': gzipSync(bomb),
    'identity, gzip': gzipSync(bomb),
  };
  for (const [encoding, bytes] of Object.entries(packed)) {
    it(`refuses a bomb of ${encoding}, and unpacks none that is not called one`, async () => {
      pages['/bomb'] = sized(bytes, `content-encoding: ${encoding}`);
      await assertRefused(page('/bomb'), 'url_not_an_image');
      pages['/unlabelled'] = sized(bytes, 'content-type: image/jpeg');
      assert.deepEqual(Buffer.from(await page('/unlabelled')), bytes);
      pages['/in-transfer'] = `${ok}transfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
      assert.equal(Buffer.from(await page('/in-transfer')).toString(), 'abc');
    });
  }

  const refused: [name: string, answer: Answer, code: IntakeErrorCode][] = [
    ['more bytes announced than come', `${ok}content-length: 400\r\n\r\nimage`, 'url_unreachable'],
    ['far more announced than allowed', `${ok}content-length: 1000000000\r\n\r\nimage`, 'too_many_bytes'],
    ['a length of 27 digits', `${ok}content-length: ${'9'.repeat(27)}\r\n\r\nimage`, 'url_unreachable'],
    ['a negative length', `${ok}content-length: -5\r\n\r\nimage`, 'url_unreachable'],
    ['two lengths', `${ok}content-length: 5\r\ncontent-length: 6\r\n\r\nimages`, 'url_unreachable'],
    [
      'a length and chunks',
      `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n`,
      'url_unreachable',
    ],
    ['chunks without their end', `${ok}transfer-encoding: chunked\r\n\r\n5\r\nimage\r\n`, 'url_unreachable'],
    ['a chunk of no length', `${ok}transfer-encoding: chunked\r\n\r\nxyz\r\n`, 'url_unreachable'],
    [
      'a chunk of 2^64 bytes',
      `${ok}transfer-encoding: chunked\r\n\r\n10000000000000005\r\nimage`,
      'url_unreachable',
    ],
    ['a page', sized('<p>', 'content-type: text/html'), 'url_not_an_image'],
    ['a page first', sized('<p>', 'content-type: text/html', 'content-type: image/png'), 'url_not_an_image'],
    [
      'a page that is called an image too',
      sized('<p>', 'content-type: text/html, image/png'),
      'url_not_an_image',
    ],
    ['JSON', sized('{}', 'content-type: application/json'), 'url_not_an_image'],
    ['nothing', 'HTTP/1.1 204 No Content\r\n\r\n', 'url_bad_status'],
    ['a part', 'HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\nimage', 'url_bad_status'],
    ['status 999', 'HTTP/1.1 999 x\r\ncontent-length: 5\r\n\r\nimage', 'url_bad_status'],
    [
      'another protocol',
      'HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nimage',
      'url_unreachable',
    ],
    ['100 that nobody expects', `HTTP/1.1 100 Continue\r\n\r\n${ok}\r\nimage`, 'url_unreachable'],
    ['HTTP/0.9', 'image', 'url_unreachable'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\nimage', 'url_unreachable'],
    ['bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 5\n\nimage', 'url_unreachable'],
    ['a header with a null in it', `${ok}x: a\0b\r\ncontent-length: 5\r\n\r\nimage`, 'url_unreachable'],
    ['a header of 20 kB', `${ok}x: ${'a'.repeat(20_000)}\r\n\r\nimage`, 'url_unreachable'],
    ['100,000 headers', `${ok}${'x:a\r\n'.repeat(100_000)}\r\nimage`, 'url_unreachable'],
    ['the end', '', 'url_unreachable'],
  ];
  for (const [name, answer, code] of refused) {
    it(`refuses ${name}`, async () => {
      pages['/'] = answer;
      await assertRefused(page('/'), code);
    });
  }

  const taken: [name: string, answer: Answer][] = [
    ['HTTP/1.0, whose end is that of the connection', 'HTTP/1.0 200 OK\r\n\r\nimage'],
    ['less announced than comes', `${ok}content-length: 5\r\n\r\nimages`],
    ['a second answer behind the first', Buffer.concat([sized('image'), sized('other')])],
    ['early hints', `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${ok}content-length: 5\r\n\r\nimage`],
    [
      'a trailer that calls it a page',
      `${ok}transfer-encoding: chunked\r\n\r\n5\r\nimage\r\n0\r\ncontent-type: text/html\r\n\r\n`,
    ],
  ];
  for (const [name, answer] of taken) {
    it(`takes no more than the image from ${name}`, async () => {
      pages['/'] = answer;
      assert.equal(Buffer.from(await page('/')).toString(), 'image');
    });
  }
});

describe('SSRF: answers without end', () => {
  const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
  const floods: [name: string, begin: string, chunk: string][] = [
    ['bytes', `${ok}\r\n`, 'a'.repeat(65_536)],
    ['chunks', chunked, `1000\r\n${'a'.repeat(4_096)}\r\n`.repeat(16)],
    ['headers', ok, 'x: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1_000)],
    ['one header', `${ok}x: `, 'a'.repeat(65_536)],
    ['a status', 'HTTP/1.1 200 ', 'a'.repeat(65_536)],
    ['empty lines', '', '\r\n'.repeat(10_000)],
    ['early hints', '', 'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'.repeat(1_000)],
    ['100 Continue', '', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)],
    ['one chunk extension', `${chunked}1;`, 'a'.repeat(65_536)],
    ['chunk extensions', chunked, `1;${'a'.repeat(1_000)}\r\nx\r\n`.repeat(50)],
    ['trailers', `${chunked}5\r\nimage\r\n0\r\n`, 'x: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1_000)],
  ];
  for (const [name, begin, chunk] of floods) {
    it(`ends a flood of ${name} by its bytes, long before its time`, async () => {
      let sent = 0;
      pages['/'] = (socket) => {
        flood(begin, chunk)(socket);
        socket.on('close', () => (sent = socket.bytesWritten));
      };
      const start = performance.now();
      const signal = AbortSignal.timeout(20_000);
      await assertRefused(page('/', { signal }), 'too_many_bytes', 'url_unreachable');
      assert.ok(performance.now() - start < 10_000);
      // What lies in the buffers of the two sockets comes on top of what was read.
      assert.ok(sent < 20_000_000, `${sent} bytes were sent`);
    });
  }

  it('lets no more trailers come than there may be headers, however large the image', async () => {
    const size = 0x80000;
    const trailed = (lines: number) =>
      `${chunked}${size.toString(16)}\r\n${'a'.repeat(size)}\r\n0\r\n${'a:\r\n'.repeat(lines)}\r\n`;
    pages['/'] = trailed(3_000);
    assert.equal((await page('/', { maxBytes: size })).length, size);
    // 28 kB, of which the image alone would allow 32.
    pages['/'] = trailed(7_000);
    await assertRefused(page('/', { maxBytes: size }), 'url_unreachable');
  });

  const drips: [name: string, begin: string, piece: string][] = [
    ['bytes', `${ok}\r\n`, 'a'],
    ['chunks', chunked, '1\r\na\r\n'],
    ['a head', ok, 'x'],
    ['headers', ok, 'x: a\r\n'],
    ['early hints', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['a chunk extension', `${chunked}1;`, 'a'],
    ['trailers', `${chunked}5\r\nimage\r\n0\r\n`, 'x: a\r\n'],
    ['empty lines', '', '\r\n'],
    ['a length that is never reached', `${ok}content-length: 100000\r\n\r\n`, 'a'],
    ['silence', '', ''],
  ];
  for (const [name, begin, piece] of drips) {
    it(`ends a drip of ${name} by its time`, async () => {
      pages['/'] = drip(begin, piece);
      const start = performance.now();
      await assertEnds((signal) => page('/', { signal }), 150);
      assert.ok(performance.now() - start < 1_500);
    });
  }

  it('ends a chain of redirects that are each a little slow by their time together', async () => {
    pages['/slow'] = (socket) => setTimeout(() => socket.end(moved(302, '/slow')), 120);
    const start = performance.now();
    await assertEnds((signal) => page('/slow', { signal }), 300);
    assert.ok(performance.now() - start < 1_500);
  });
});
