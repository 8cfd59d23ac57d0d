/** A server, in a process of its own, whose certificates take as long to verify as their bytes can. */

import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

/** DER (X.690): a value behind its tag and length. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), value]);
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
/** ecdsa-with-SHA256 */
const algorithm = sequence(der(6, Buffer.from('2a8648ce3d040302', 'hex')));
const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z')));
/** X.509's version 3, and the serial number 1. */
const version = [der(0xa0, der(2, Buffer.of(2))), der(2, Buffer.of(1))];
/** The extension basicConstraints: one that may vouch for others. */
const mayVouch = der(
  0xa3,
  sequence(sequence(der(6, Buffer.from('551d13', 'hex')), der(4, sequence(der(1, Buffer.of(255)))))),
);
/** Of the right form, and nobody's. */
const signature = der(3, Buffer.of(0), sequence(...[1, 2].map(() => der(2, Buffer.alloc(71, 1)))));

/** A distinguished name of a common name alone. */
const nameOf = (text: string) =>
  sequence(der(0x31, sequence(der(6, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(text)))));

function certificate(subject: string, issuer: string, key: KeyObject): Buffer {
  const publicKey = key.export({ type: 'spki', format: 'der' });
  const content = [...version, algorithm, nameOf(issuer), validity, nameOf(subject), publicKey, mayVouch];
  return sequence(sequence(...content), algorithm, signature);
}

/** Certificates, each issued by the next, of no more than so many bytes, and the key of the first. The slowest keys that there are. */
function slowChain(bytes: number): { key: string; cert: string } {
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const chain = [certificate('localhost', '0', leaf.publicKey)];
  for (let left = bytes; left > 500; left -= (chain.at(-1)?.length ?? 0) + 3) {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'sect571r1' });
    chain.push(certificate(String(chain.length - 1), String(chain.length), publicKey));
  }
  const pem = chain.map(
    (one) => `-----BEGIN CERTIFICATE-----\n${one.toString('base64')}\n-----END CERTIFICATE-----\n`,
  );
  return { key: leaf.privateKey.export({ type: 'sec1', format: 'pem' }) as string, cert: pem.join('') };
}

export interface CertificateServer {
  readonly url: string;
  stop(): void;
}

export async function startCertificateServer(): Promise<CertificateServer> {
  const server: ChildProcess = fork(fileURLToPath(import.meta.url), ['serve']);
  const [port] = await once(server, 'message');
  return { url: `https://localhost:${port}/`, stop: () => server.disconnect() };
}

if (process.argv[2] === 'serve') {
  const server = createServer({ ...slowChain(15_000), ciphers: 'ALL:@SECLEVEL=0' });
  // They refuse what it shows them.
  server.on('tlsClientError', () => {});
  server.listen(0, () => process.send?.((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}
