/** Servers of image URLs whose certificates take long to verify, as much at once as may be: the event loop of the server must not wait for that. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createDownloads } from '../../src/intake/downloads.ts';
import { type CertificateServer, startCertificateServer } from '../helpers/hostile/certificate-server.ts';

/** At once. */
const count = 16;
const downloads = createDownloads({ timeoutMs: 60_000, allowedHosts: ['localhost'] });
let server: CertificateServer;

async function codeOf(): Promise<string> {
  const request = { maxBytes: 1_000_000, ports: [], signal: new AbortController().signal };
  return downloads.fetch(server.url, request).then(
    () => 'taken',
    (error) => error.code,
  );
}

describe('a server of images whose certificates are slow to verify', () => {
  before(async () => {
    server = await startCertificateServer();
    // Starts the thread.
    assert.equal(await codeOf(), 'url_unreachable');
  });
  after(async () => {
    await downloads.close();
    server.stop();
  });

  it('keeps the thread of downloads busy, and the event loop of the server free', async (t) => {
    const all = process.cpuUsage();
    const own = process.threadCpuUsage();
    const codes = await Promise.all(Array.from({ length: count }, codeOf));
    const [allMs, ownMs] = [process.cpuUsage(all), process.threadCpuUsage(own)].map(
      ({ user, system }) => (user + system) / 1_000,
    ) as [number, number];
    t.diagnostic(`${Math.round(ownMs)} ms of a core of all ${Math.round(allMs)}`);
    assert.deepEqual(new Set(codes), new Set(['url_unreachable']));
    assert.ok(allMs > 20 * count, `${allMs} ms of a core: it is no attack any more`);
    assert.ok(ownMs < allMs / 10, `${ownMs} ms of a core of all ${allMs}`);
  });
});
