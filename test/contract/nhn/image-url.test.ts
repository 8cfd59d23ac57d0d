/** NHN Cloud Face Liveness, `image.url`: what is downloaded, what is refused, and that nothing internal is reached. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Ask, assertReply, connect, json, keyed, nhnError, routes } from '../../helpers/http.ts';
import { type NameServer, startNameServer } from '../../helpers/name-server.ts';
import { padJpeg, readPhotos } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { nhn } = routes;
const photos = await readPhotos();

/** Counts what reaches a server that must not be reached, on a port that the vendor allows in URLs. */
let internalRequests = 0;
const internal = createServer((_, response) => {
  internalRequests += 1;
  response.setHeader('content-type', 'image/jpeg').end(photos.face);
});
let internalUrl: string;

const image =
  (bytes: Uint8Array, type = 'image/jpeg'): RequestListener =>
  (_, response) =>
    response.setHeader('content-type', type).end(bytes);
const redirect =
  (target: () => string): RequestListener =>
  (_, response) =>
    response.writeHead(302, { location: target() }).end();

const pages: Record<string, RequestListener> = {
  '/photo.jpg': image(photos.face),
  '/photo': image(photos.face, 'application/octet-stream'),
  '/moved': redirect(() => '/photo.jpg'),
  '/full': image(padJpeg(photos.face, 3_000_000)),
  '/overfull': image(padJpeg(photos.face, 3_000_001)),
  '/endless': (_, response) => {
    response.setHeader('content-type', 'image/jpeg');
    const chunk = Buffer.alloc(65_536);
    const pump = () => {
      while (response.write(chunk));
    };
    response.on('drain', pump);
    pump();
  },
  '/page': image(Buffer.from('<p>'), 'text/html'),
  '/text-as-image': image(Buffer.from('This is not an image.')),
  '/missing': (_, response) => response.writeHead(404, { 'content-type': 'image/jpeg' }).end(photos.face),
  '/failing': (_, response) => response.writeHead(500).end(),
  '/silent': () => {},
  '/stalled': (_, response) =>
    response.setHeader('content-type', 'image/jpeg').write(photos.face.subarray(0, 99)),
  '/loop': redirect(() => '/loop'),
  '/to-private': redirect(() => internalUrl),
  '/to-metadata': redirect(() => 'http://169.254.169.254/latest/meta-data/'),
  '/to-file': redirect(() => 'file:///etc/passwd'),
  '/to-port': redirect(() => 'http://93.184.215.14:22/'),
};
const images = createServer((request, response) => pages[request.url ?? '']?.(request, response));

let nameServer: NameServer;
let server: TestServer;
let ask: Ask;
let origin: string;

before(async () => {
  await once(images.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(images.address() as AddressInfo).port}`;
  origin = `http://${host}`;
  internalUrl = `http://127.0.0.1:${await listenBetween(internal, 10_000, 12_000)}/photo.jpg`;
  nameServer = await startNameServer((name) => (name.startsWith('slow-') ? 'silence' : 'NXDOMAIN'));
  const nameServers = [nameServer.address];
  server = await startServer({ urlAllowedHosts: [host], urlTimeoutMs: 300, nameServers });
  ask = await connect(server);
});
after(async () => {
  for (const listener of [images, internal]) {
    listener.closeAllConnections();
    listener.close();
  }
  await server.close();
  await nameServer.close();
});

/** @returns the first free port of the range, now listened on. */
async function listenBetween(listener: Server, from: number, to: number): Promise<number> {
  for (let port = from; port <= to; port += 1) {
    const outcome = Promise.withResolvers<boolean>();
    listener.once('listening', () => outcome.resolve(true)).once('error', () => outcome.resolve(false));
    listener.listen(port, '127.0.0.1');
    if (await outcome.promise) return port;
    listener.removeAllListeners('listening').removeAllListeners('error');
  }
  throw new Error('every port is taken');
}

async function refuse(resultCode: number, message: string, url: string): Promise<void> {
  const { body, headers } = json({ image: { url: url.startsWith('/') ? origin + url : url } });
  const reply = await ask(nhn.path, { headers: keyed(nhn, headers), body });
  assertReply(reply, { status: 200, shape: nhnError(resultCode, message) });
}

describe('NHN: image.url', () => {
  for (const path of ['/photo.jpg', '/photo', '/moved', '/full']) {
    it(`takes ${path} of a host that is allowed`, async () => {
      const { body, headers } = json({ image: { url: origin + path } });
      const reply = await ask(nhn.path, { headers: keyed(nhn, headers), body });
      assert.equal(reply.body.header.resultCode, 0);
      assert.equal(reply.body.data.faceDetailCount, 1);
    });
  }
});

describe('NHN -45050 InvalidImageURLException', () => {
  const refused = [
    ['a host that has no address', 'http://does-not-exist.invalid/photo.jpg'],
    ['an answer of 404', '/missing'],
    ['an answer of 500', '/failing'],
    ['a page', '/page'],
    ['redirects without end', '/loop'],
    ['a redirect to a private address', '/to-private'],
    ['a redirect to cloud metadata', '/to-metadata'],
    ['a redirect to a file', '/to-file'],
    ['a redirect to a port that is not allowed', '/to-port'],
    ['localhost', 'http://localhost/photo.jpg'],
    ['a loopback address', 'http://127.0.0.1/photo.jpg'],
    ['a loopback address in hexadecimal', 'http://0x7f000001/photo.jpg'],
    ['a loopback address of IPv6', 'http://[::1]/photo.jpg'],
    ['a private address', 'http://10.0.0.1/photo.jpg'],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['a port that is not allowed', 'http://93.184.215.14:8080/photo.jpg'],
    ['a port below the allowed range', 'http://93.184.215.14:9999/photo.jpg'],
    ['a port above the allowed range', 'http://93.184.215.14:12001/photo.jpg'],
    ['another scheme', 'ftp://example.com/photo.jpg'],
    ['a file', 'file:///etc/passwd'],
    ['a data URL', `data:image/jpeg;base64,${photos.face.toString('base64')}`],
    ['more than 4,096 characters', 'https://example.com/'.padEnd(4_097, 'a')],
    ['credentials', 'http://user:password@93.184.215.14/photo.jpg'],
    ['no URL', 'photo.jpg'],
    ['empty text', ''],
  ] as const;
  for (const [name, url] of refused) {
    it(name, () => refuse(-45050, 'InvalidImageURLException', url));
  }

  it('a private address on a port that is allowed, which is not even connected to', async () => {
    await refuse(-45050, 'InvalidImageURLException', internalUrl);
    await refuse(-45050, 'InvalidImageURLException', '/to-private');
    assert.equal(internalRequests, 0);
  });
});

describe('NHN: other codes for an image.url', () => {
  it('-45060 ImageTimeoutError: a server that does not answer', () =>
    refuse(-45060, 'ImageTimeoutError', '/silent'));
  it('-45060 ImageTimeoutError: a name server that does not answer, which holds up nobody else', async () => {
    let refused = 0;
    const slow = Array.from({ length: 12 }, async (_, i) => {
      await refuse(-45060, 'ImageTimeoutError', `http://slow-${i}.test/`);
      refused += 1;
    });
    for (const { headers, body } of [
      nhn.asking(photos.face),
      json({ image: { url: `${origin}/photo.jpg` } }),
    ]) {
      const reply = await ask(nhn.path, { headers: keyed(nhn, headers), body });
      assert.equal(reply.body.header.resultCode, 0);
    }
    await Promise.all(slow);
    assert.equal(refused, 12);
  });
  it('-45060 ImageTimeoutError: a server that stops half way', () =>
    refuse(-45060, 'ImageTimeoutError', '/stalled'));
  it('-45020 ImageTooLargeException: 3,000,001 bytes', () =>
    refuse(-45020, 'ImageTooLargeException', '/overfull'));
  it('-45020 ImageTooLargeException: bytes without end', () =>
    refuse(-45020, 'ImageTooLargeException', '/endless'));
  it('-45040 InvalidImageFormatException: text declared as an image', () =>
    refuse(-45040, 'InvalidImageFormatException', '/text-as-image'));
});
