/** Servers of image URLs that send much which is work and no image: many of them at once must not keep the event loop from its turn. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRemoteImageFetcher } from '../../src/intake/remote-image.ts';
import { type ImageServer, kinds, startImageServer } from '../helpers/hostile/image-server.ts';

/** At once. */
const downloads = 16;
const timeoutMs = 5_000;
const maxBytes = 5_000_000;
const fetcher = createRemoteImageFetcher({ allowedHosts: ['127.0.0.1'] });
let server: ImageServer;

/** What many downloads of this kind come to, and the milliseconds of a core that they take: the machine may be busy otherwise. */
async function costOf(kind: string): Promise<{ codes: Set<string>; cpuMs: number }> {
  const start = process.cpuUsage();
  const codes = await Promise.all(
    Array.from({ length: downloads }, () =>
      fetcher.fetch(server.urlOf(kind), { maxBytes, ports: [], signal: AbortSignal.timeout(timeoutMs) }).then(
        () => 'taken',
        (error) => error.code,
      ),
    ),
  );
  const { user, system } = process.cpuUsage(start);
  return { codes: new Set(codes), cpuMs: (user + system) / 1_000 };
}

describe('a server of images that sends much which is no image', () => {
  let mostMs: number;
  before(async () => {
    server = await startImageServer();
    const { codes, cpuMs } = await costOf('image');
    assert.deepEqual(codes, new Set(['too_many_bytes']));
    mostMs = cpuMs + 200;
  });
  after(() => server.stop());

  for (const kind of kinds) {
    it(`costs no more than one that sends too large an image: ${kind}`, async (t) => {
      const { codes, cpuMs } = await costOf(kind);
      t.diagnostic(`${Math.round(cpuMs)} ms of a core, of at most ${Math.round(mostMs)}`);
      // By its bytes, so not when its time is over.
      assert.deepEqual(codes, new Set(['url_unreachable']));
      assert.ok(cpuMs < mostMs, `${cpuMs} ms of a core, of at most ${mostMs}`);
    });
  }
});
