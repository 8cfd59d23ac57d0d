/** Image downloads over TLS as an attacker would have them: servers that nobody vouches for, and handshakes that are far more work than their image. */

import assert from 'node:assert/strict';
import { getDiffieHellman } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { createRemoteImageFetcher } from '../../src/intake/remote-image.ts';

const maxBytes = 100_000;
const fetcher = createRemoteImageFetcher({ allowedHosts: ['localhost'] });
const fetchOf = (port: number) =>
  fetcher.fetch(`https://localhost:${port}/`, { maxBytes, ports: [], signal: AbortSignal.timeout(2_000) });

const sized = (body: string | Buffer) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ]);

describe('downloads over TLS', () => {
  const file = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
  const vouched = ['localhost.pem', 'other.test.pem', 'rsa.pem'].map(file);
  const trusted = getCACertificates('default');
  const elliptic = { key: file('key.pem'), cert: file('localhost.pem') };
  const rsa = { key: file('rsa-key.pem'), cert: file('rsa.pem') };
  beforeEach(() => setDefaultCACertificates([...trusted, ...vouched]));
  afterEach(() => setDefaultCACertificates(trusted));

  /** What comes of a download from a server that says it is somebody. */
  async function fetchFrom(
    options: TlsOptions,
    answer: (socket: TLSSocket) => unknown = (socket) => socket.end(sized('image')),
  ) {
    const tls = createTlsServer(options, (socket) => {
      socket.on('error', () => {}).once('data', () => answer(socket));
    });
    await once(tls.listen(0), 'listening');
    try {
      return Buffer.from(await fetchOf((tls.address() as AddressInfo).port));
    } finally {
      await once(tls.close(), 'close');
    }
  }

  const refusedFor =
    (cause: RegExp) => (error: Error & { code?: string; cause?: Error & { code?: string } }) => {
      assert.equal(error.code, 'url_unreachable');
      assert.match(`${error.cause?.code} ${error.cause?.message}`, cause);
      return true;
    };

  it('refuses a server that nobody vouches for, and one that is vouched for under another name', async () => {
    assert.equal(String(await fetchFrom(elliptic)), 'image');
    const other = { ...elliptic, cert: file('other.test.pem') };
    await assert.rejects(fetchFrom(other), refusedFor(/ERR_TLS_CERT_ALTNAME_INVALID/));
    setDefaultCACertificates(trusted);
    await assert.rejects(fetchFrom(elliptic), refusedFor(/DEPTH_ZERO_SELF_SIGNED_CERT/));
    await assert.rejects(fetchFrom(other), refusedFor(/DEPTH_ZERO_SELF_SIGNED_CERT/));
  });

  it('agrees on keys by elliptic curves, in TLS 1.2 and 1.3', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const ecdhCurve of ['X25519', 'P-256', 'P-384', 'P-521']) {
        for (const who of [elliptic, rsa]) {
          assert.equal(String(await fetchFrom({ ...who, maxVersion, ecdhCurve })), 'image');
        }
      }
    }
  });

  it('lets no server choose a group as large as it likes, which takes a second of the event loop', async () => {
    const dhe = { ...rsa, maxVersion: 'TLSv1.2', dhparam: dhParameters('modp18') } as const;
    const noAgreement = refusedFor(/HANDSHAKE_FAILURE/);
    await assert.rejects(fetchFrom({ ...dhe, ciphers: 'DHE-RSA-AES128-GCM-SHA256' }), noAgreement);
    await assert.rejects(fetchFrom({ ...elliptic, ecdhCurve: 'ffdhe3072' }), noAgreement);
  });

  it('shakes hands once, however often a server of TLS 1.2 asks for it', async () => {
    let again = 0;
    const askAgain = (socket: TLSSocket) => {
      // By OpenSSL a server that is refused another one ends the connection when it next writes; it is not told before.
      const patience = setTimeout(() => socket.end(sized('image')), 500);
      socket.renegotiate({}, () => {
        again += 1;
        clearTimeout(patience);
        socket.end(sized('image'));
      });
    };
    const tls12 = { ...elliptic, maxVersion: 'TLSv1.2' } as const;
    await assert.rejects(fetchFrom(tls12, askAgain), refusedFor(/UND_ERR_SOCKET/));
    assert.equal(again, 0);
  });

  it('takes the certificates of anybody, and not dozens, each of which is milliseconds to verify', async () => {
    const certificates = (count: number) => ({ ...elliptic, cert: elliptic.cert.repeat(count) });
    assert.equal(String(await fetchFrom(certificates(30))), 'image');
    await assert.rejects(fetchFrom(certificates(50)), refusedFor(/much longer/));
  });

  it('takes records of a packet each, and none of a byte', async () => {
    const large = Buffer.alloc(maxBytes, 'image');
    const inRecordsOf = (bytes: number) => async (socket: TLSSocket) => {
      const answer = sized(large);
      for (let at = 0; at < answer.length && !socket.destroyed; at += bytes) {
        // Pieces that wait for each other become one record.
        await new Promise((done) => socket.write(answer.subarray(at, at + bytes), done));
      }
      socket.end();
    };
    assert.deepEqual(await fetchFrom(elliptic, inRecordsOf(1_300)), large);
    await assert.rejects(fetchFrom(elliptic, inRecordsOf(1)), refusedFor(/much longer/));
  });

  it('refuses what speaks no TLS on a port for it', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(sized('image')));
    });
    await once(server.listen(0), 'listening');
    await assert.rejects(fetchOf((server.address() as AddressInfo).port), refusedFor(/WRONG_VERSION_NUMBER/));
    await once(server.close(), 'close');
  });
});

/** A known group as a server is given it, in PEM: PKCS #3, a SEQUENCE of the prime, whose first bit is set, and of the generator 2. */
function dhParameters(group: 'modp18'): string {
  const prime = getDiffieHellman(group).getPrime();
  const lengthOf = (length: number) => Buffer.of(0x82, length >> 8, length & 255);
  const numbers = Buffer.concat([
    Buffer.of(2),
    lengthOf(prime.length + 1),
    Buffer.of(0),
    prime,
    Buffer.of(2, 1, 2),
  ]);
  const der = Buffer.concat([Buffer.of(0x30), lengthOf(numbers.length), numbers]);
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}
