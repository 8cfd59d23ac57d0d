/** Downloads of images named by clients, kept from reaching into the network the server stands in. */

import { constants } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { IntakeError } from './errors.ts';
import { createHostResolver } from './resolver.ts';

/** Ports from `from` up to and including `to`. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface RemoteImageFetcherOptions {
  /**
   * Hosts that may have addresses that are not public and use any port, for closed networks: host names
   * in lower case, IPv4 addresses or IPv6 addresses in brackets, each as `host` or as `host:port`.
   */
  readonly allowedHosts: readonly string[];
  /** Addresses of the name servers to ask, each with a port if that is not 53. Default: those of the operating system. */
  readonly nameServers?: readonly string[];
}

export interface RemoteImageRequest {
  /** Most bytes in the image, inclusive. */
  readonly maxBytes: number;
  /** Ports a URL may name; one that names none, or its scheme's own, is always allowed. */
  readonly ports: readonly PortRange[];
  /** Ends the download, whose only clock it is: name resolution, connections, redirects and body together. */
  readonly signal: AbortSignal;
}

export interface RemoteImageFetcher {
  /**
   * Downloads what an http or https URL names.
   *
   * @throws IntakeError with any code but `invalid_base64`; or the reason of `signal` once that is aborted.
   */
  fetch(url: string, request: RemoteImageRequest): Promise<Uint8Array>;
}

/** Most characters of a URL. Signed addresses of object stores, with the token of a session in them, have two to three thousand. */
export const maxUrlLength = 4_096;
/** Most characters of a host (RFC 1035, 2.3.4). */
const maxHostLength = 253;

const maxRedirects = 3;

/**
 * Those of Node's default that public servers use, and no DHE: there the server chooses the group, and one of 10,000 bits takes a second of the
 * event loop.
 */
const ciphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** None of finite fields (RFC 7919), which TLS 1.3 has too. */
const groups = ['X25519', 'P-256', 'P-384', 'P-521'];

/** A fetcher that follows at most three redirects, each checked as the first URL is. */
export function createRemoteImageFetcher(options: RemoteImageFetcherOptions): RemoteImageFetcher {
  const resolver = createHostResolver(options.nameServers);
  const allowedHosts = new Set(options.allowedHosts);

  function isAllowedHost(url: URL): boolean {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return allowedHosts.has(url.hostname) || allowedHosts.has(`${url.hostname}:${port}`);
  }

  /** The URL to ask, checked as far as it can be without resolving its host name. */
  function checkedUrl(text: string, ports: readonly PortRange[], base?: string): URL {
    const url = isBounded(text) ? URL.parse(text, base) : null;
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new IntakeError('url_invalid', 'The image URL does not lead to a valid http or https URL.');
    }
    // Credentials would make the server vouch for somebody, and serve to disguise the host.
    if (url.username !== '' || url.password !== '') {
      throw new IntakeError('url_invalid', 'The image URL must not carry a user name or a password.');
    }
    if (isAllowedHost(url)) return url;
    // Keeps requests from being used to speak to mail, database and other servers.
    const port = Number(url.port);
    if (url.port !== '' && !ports.some(({ from, to }) => from <= port && port <= to)) {
      throw new IntakeError('url_invalid', 'The image URL leads to a port that is not allowed.');
    }
    // No lookup happens for a literal. URL has turned octal, hexadecimal and short forms into plain ones.
    const address = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) !== 0 && !isPublic(address)) throw blocked();
    // Always this machine, and no name to ask a name server for (RFC 6761, 6.3).
    if (/(^|\.)localhost\.?$/.test(url.hostname)) throw blocked();
    return url;
  }

  async function addressesOf(hostname: string, allowed: boolean, signal: AbortSignal) {
    const addresses = await (allowed ? resolver.askSystem(hostname) : resolver.ask(hostname, signal));
    // Node connects to the first of a list without a look at its length, and throws where nobody catches.
    if (addresses.length === 0) {
      throw new IntakeError('url_unreachable', 'The host of the image URL has no address.');
    }
    // One bad address condemns the name: which one gets connected to is not for its owner to choose.
    if (!allowed && !addresses.every(({ address }) => isPublic(address))) throw blocked();
    return addresses;
  }

  /** One request without following redirects: the bytes, or where the answer redirects to. */
  async function get(url: URL, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | string> {
    const allowed = isAllowedHost(url);
    // Not before the first address: a fifth of a start would go into loading it.
    const { buildConnector, Client } = await import('undici');
    // A socket created with a signal that is aborted already connects all the same, and stays.
    signal.throwIfAborted();
    const connect = buildConnector({
      signal,
      // The connection is made to the very addresses checked here. Resolving once to check and once to
      // connect would let a name server answer with a public address first and an internal one next.
      lookup: (hostname, _options, callback) => {
        addressesOf(hostname, allowed, signal).then(
          (addresses) => callback(null, addresses),
          (error) => callback(error, []),
        );
      },
      autoSelectFamily: true, // makes lookup's callback take a list
      timeout: 0, // `signal` is the only clock
      ciphers: ciphers.join(':'),
      ecdhCurve: groups.join(':'),
      // No server of images needs a second handshake; one of TLS 1.2 could have thirty, each of milliseconds, within its bytes.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
    const bytes = new ArrayBuffer(0, { maxByteLength: maxBytes });
    const image = new Uint8Array(bytes);
    // A client per request: no connection, and so no check, is shared between downloads.
    const client = new Client(url.origin, {
      connect: (target, callback) => {
        const use = (socket: Socket) => {
          limitOverhead(socket, () => bytes.byteLength, freeOverhead);
          callback(null, socket);
        };
        const port = target.port || (target.protocol === 'https:' ? '443' : '80');
        connect({ ...target, port, protocol: 'http:' }, (...[error, transport]) => {
          if (error !== null) return callback(error, null);
          if (target.protocol === 'http:') return use(transport);
          let decrypted = () => 0;
          limitOverhead(transport, () => decrypted());
          connect({ ...target, httpSocket: asStream(transport) as Socket }, (...[error, socket]) => {
            if (error !== null) return callback(error, null);
            // Of a record nothing is decrypted before it is here whole.
            decrypted = () => socket.bytesRead + recordBytes;
            use(socket);
          });
        });
      },
      headersTimeout: 0,
      bodyTimeout: 0,
      // `limitOverhead` bounds it. This bound makes an error of every header that is left of what was read.
      maxHeaderSize: Number.MAX_SAFE_INTEGER,
    });
    const stop = () => client.destroy(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      // Not `request`, whose stream costs more for each piece than all else, and has the rest of what was read parsed before anybody can look.
      return await new Promise((resolve, reject) => {
        client.dispatch(
          {
            method: 'GET',
            path: url.pathname + url.search,
            headers: { 'user-agent': 'bonafide', 'accept-encoding': 'identity' },
          },
          {
            // By this undici tells a handler from those of earlier versions.
            onRequestStart() {},
            // What is thrown in these closes the connection, and comes to `onResponseError`.
            onResponseStart(_controller, status, headers) {
              if (status < 200) return;
              const { location } = headers;
              if ([301, 302, 303, 307, 308].includes(status) && typeof location === 'string') {
                resolve(location);
                throw new Error('Of a redirect nothing else is read.');
              }
              requireImage(status, headers, maxBytes);
            },
            onResponseData(_controller, chunk) {
              const start = bytes.byteLength;
              // The declared length may be absent or a lie, and the body endless.
              if (start + chunk.length > maxBytes) throw tooManyBytes(maxBytes);
              // The memory taken is that of the bytes, however small the pieces they come in.
              bytes.resize(start + chunk.length);
              image.set(chunk, start);
            },
            onResponseEnd() {
              resolve(new Uint8Array(bytes.transferToFixedLength()));
            },
            onResponseError(_controller, error) {
              reject(error);
            },
          },
        );
      });
    } finally {
      signal.removeEventListener('abort', stop);
      // Closes the connection, read to its end or not.
      await client.destroy();
    }
  }

  async function download(
    text: string,
    { maxBytes, ports, signal }: RemoteImageRequest,
  ): Promise<Uint8Array> {
    let url = checkedUrl(text, ports);
    // A bound on redirects, for otherwise each request could be made to send out many.
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const answer = await get(url, maxBytes, signal);
      if (typeof answer !== 'string') return answer;
      url = checkedUrl(answer, ports, url.href);
    }
    throw new IntakeError('url_bad_status', `The image URL redirects more than ${maxRedirects} times.`);
  }

  return {
    async fetch(url, request) {
      try {
        return await download(url, request);
      } catch (error) {
        if (error instanceof IntakeError) throw error;
        request.signal.throwIfAborted();
        throw new IntakeError('url_unreachable', 'The image could not be downloaded.', { cause: error });
      }
    },
  };
}

/**
 * Whether a URL, before anything is parsed, is no longer than one may be, and neither is its host where that has letters beyond ASCII: to write
 * those in ASCII takes time that grows with the square of their number, 80 ms for four thousand.
 */
function isBounded(text: string): boolean {
  if (text.length > maxUrlLength) return false;
  // Any number of slashes, of either kind and also none, may stand before a host, and line ends and tabs anywhere.
  const [beginning = ''] = /^[^/\\?#]*[/\\]*[^/\\?#]*/.exec(text.replace(/[\t\n\r]/g, '')) ?? [];
  return beginning.length <= 'https://'.length + maxHostLength || /^\p{ASCII}*$/u.test(beginning);
}

/** Whether the address belongs to the public internet and to nothing on this side of it. */
function isPublic(text: string): boolean {
  const address = ipaddr.parse(text);
  // 'unicast' is what is left when the special ranges are taken away: private, loopback, link-local (cloud
  // metadata), and the IPv6 ones that embed an IPv4 address and may be translated to an internal one.
  if (address.range() !== 'unicast') return false;
  // IPv6 is public only where global unicast is assigned, which leaves out IPv4-compatible `::a.b.c.d`.
  if (address.kind() === 'ipv6') return address.match(ipaddr.parseCIDR('2000::/3'));
  // Azure's platform endpoint is internal to every virtual machine there, on an address that looks public.
  return address.toString() !== '168.63.129.16';
}

function mayBeImage(contentType: string): boolean {
  const type = contentType.split(';', 1).join().trim().toLowerCase();
  return type.startsWith('image/') || type === 'application/octet-stream' || type === 'binary/octet-stream';
}

/** @throws IntakeError where an answer that is no redirect does not promise an image. */
function requireImage(status: number, headers: IncomingHttpHeaders, maxBytes: number): void {
  if (status !== 200) {
    throw new IntakeError('url_bad_status', `The server of the image answered with status ${status}.`);
  }
  // Nothing here decompresses, so that a few bytes cannot become gigabytes.
  if (String(headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new IntakeError('url_not_an_image', 'The server of the image sent it compressed.');
  }
  // Keeps pages and API answers from being read through what is said about the "image".
  if (!mayBeImage(String(headers['content-type'] ?? 'image/*'))) {
    throw new IntakeError('url_not_an_image', 'What the image URL leads to is declared to be no image.');
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooManyBytes(maxBytes);
}

/** Bytes that are parsed in one go; 64 kB may hold as many headers or chunks as take tens of milliseconds. */
const parsedAtOnce = 8_192;
/**
 * Bytes of an answer that are no part of the image: so many, and one for so many of the image. Chunks of a few hundred bytes keep to it, and below
 * TLS a handshake, which has 3 to 10 kB of certificates, and records of a packet each.
 */
const freeOverhead = 16_384;
const imageBytesPerOverhead = 32;
/** Most bytes of a TLS record (RFC 8446, 5.2). */
const recordBytes = 16_645;

/**
 * Ends a connection that brings much that is no part of the image: early hints, headers and trailers without end, lines that never end,
 * chunks of a byte; below TLS, certificates by the dozen, tickets, changes of keys, records of a byte. Each of these takes microseconds to
 * milliseconds, so that a few hundred kilobytes of them would stop the event loop, and with it every clock, for seconds.
 * @param imageBytes how many bytes of the image were parsed; below TLS, how many bytes were decrypted.
 * @param mostInARow how many of the others may follow each other: headers and trailers are kept, in three hundred bytes each, until all of them are here.
 */
function limitOverhead(
  socket: Socket,
  imageBytes: () => number,
  mostInARow = Number.POSITIVE_INFINITY,
): void {
  const read = socket.read.bind(socket);
  let given = 0;
  /** Bytes of the image when it last grew, and of the others. */
  let last = 0;
  let others = 0;
  // By this the parser gets its bytes: nothing but a look before each piece keeps it from what it should not parse.
  socket.read = () => {
    const image = imageBytes();
    const overhead = given - image;
    if (image > last) {
      last = image;
      others = overhead;
    }
    const left = Math.min(
      freeOverhead + Math.floor(image / imageBytesPerOverhead) - overhead,
      mostInARow - (overhead - others),
    );
    if (left < 0) socket.destroy(new Error('The answer is much longer than its image.'));
    if (socket.destroyed) return null;
    const piece = read(Math.min(parsedAtOnce, left + 1, socket.readableLength) || undefined);
    given += piece?.length ?? 0;
    return piece;
  };
}

/**
 * A connection as TLS takes it where the bytes are to pass `limitOverhead` first: from a socket it takes them below JavaScript, two megabytes at a
 * time. A piece follows when the one before was taken.
 */
function asStream(socket: Socket): Duplex {
  const stream = new Duplex({
    readableHighWaterMark: 1,
    read() {
      const piece: Buffer | null = socket.read();
      if (piece !== null) stream.push(piece);
      else socket.once('readable', () => stream._read(0));
    },
    write: (bytes, _encoding, done) => socket.write(bytes, done),
    final: (done) => socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket
    .on('end', () => stream.push(null))
    .on('error', (error) => stream.destroy(error))
    .on('close', () => stream.destroy());
  return stream;
}

function blocked(): IntakeError {
  return new IntakeError('url_blocked', 'The image URL leads to an address that is not public.');
}

function tooManyBytes(maxBytes: number): IntakeError {
  return new IntakeError('too_many_bytes', `The image has more than ${maxBytes} bytes.`);
}
