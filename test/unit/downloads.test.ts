/** The thread of downloads as its caller sees it: who waits is answered in time, whatever the thread does, and it may end at any time. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createDownloads, type Downloads } from '../../src/intake/downloads.ts';
import { IntakeError, type IntakeErrorCode } from '../../src/intake/errors.ts';
import { runInThread, stopThread } from '../helpers/in-thread.ts';

const image = Buffer.alloc(100_000, 'image');
const server = createServer((request, response) => {
  if (request.url === '/image') response.end(image);
  else if (request.url === '/missing') response.writeHead(404).end();
});
let origin: string;
/** Of the thread that is there; there is never more than one in this process. */
let downloads: Downloads;
const deaths: Error[] = [];

function open(timeoutMs = 20_000): void {
  const onThreadDeath = (reason: Error) => deaths.push(reason);
  downloads = createDownloads({ timeoutMs, allowedHosts: ['localhost'], onThreadDeath });
}

function fetchOf(path: string, signal = new AbortController().signal): Promise<Uint8Array> {
  return downloads.fetch(`${origin}${path}`, { maxBytes: 1_000_000, ports: [], signal });
}

async function assertRefused(download: Promise<Uint8Array>, code: IntakeErrorCode): Promise<void> {
  await assert.rejects(download, (error) => {
    assert.ok(error instanceof IntakeError);
    assert.equal(error.code, code);
    assert.match(error.message, /^[A-Z][^/]+\.$/);
    return true;
  });
}

/** The next request of a download, and when its connection is closed. */
async function nextRequest(): Promise<{ closed: Promise<unknown> }> {
  const [{ socket }] = (await once(server, 'request')) as [IncomingMessage];
  return { closed: once(socket, 'close', { signal: AbortSignal.timeout(10_000) }) };
}

before(async () => {
  await once(server.listen(0), 'listening');
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await downloads.close();
  deaths.length = 0;
});
after(() => server.close());

describe('the thread of downloads', () => {
  it('starts with the first, and is kept', async () => {
    open();
    assert.equal(downloads.thread, undefined);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const timersBefore = timers();
    assert.deepEqual(Buffer.from(await fetchOf('/image')), image);
    const { thread } = downloads;
    assert.ok(thread);
    const all = await Promise.all(Array.from({ length: 20 }, () => fetchOf('/image')));
    assert.ok(all.every((bytes) => image.equals(bytes)));
    assert.equal(downloads.thread, thread);
    assert.equal(timers(), timersBefore, 'clocks end with their downloads');
    assert.deepEqual(deaths, []);
  });

  it('tells why there is no image', async () => {
    open();
    await assertRefused(fetchOf('/missing'), 'url_bad_status');
    await assertRefused(
      downloads.fetch('http://127.0.0.1/', { maxBytes: 1, ports: [], signal: AbortSignal.timeout(20_000) }),
      'url_blocked',
    );
  });

  it('is given no more of a URL than shows that it is too long', async () => {
    open();
    await fetchOf('/image');
    const told: { url?: string }[] = [];
    const thread = downloads.thread as Worker;
    const post = thread.postMessage.bind(thread);
    thread.postMessage = (order) => {
      told.push(order);
      post(order);
    };
    await assertRefused(fetchOf(`/${'a'.repeat(10_000_000)}`), 'url_invalid');
    assert.equal(told[0]?.url?.length, 4_097);
  });

  it('ends a download with its time', async () => {
    open(2_000);
    const requested = nextRequest();
    const refused = assertRefused(fetchOf('/silent'), 'url_timeout');
    const { closed } = await requested;
    await refused;
    await closed;
  });

  it('ends a download with its caller, for the reason that it gives', async () => {
    open();
    const requested = nextRequest();
    const caller = new AbortController();
    const reason = new Error('the client went away');
    const ended = assert.rejects(fetchOf('/silent', caller.signal), (error) => error === reason);
    const { closed } = await requested;
    caller.abort(reason);
    await ended;
    await closed;
    await assert.rejects(fetchOf('/image', AbortSignal.abort(reason)), (error) => error === reason);
  });

  it('keeps neither time nor caller waiting where it is stopped', async () => {
    open(300);
    // Starts the thread, which may take longer.
    await fetchOf('/image').catch(() => {});
    await stopThread();
    const caller = new AbortController();
    const reason = new Error('the client went away');
    const aborted = assert.rejects(fetchOf('/image', caller.signal), (error) => error === reason);
    const late = assertRefused(fetchOf('/image'), 'url_timeout');
    caller.abort(reason);
    await aborted;
    await late;
  });

  it('ends with a defect in it: what is under way is lost, and the next download starts another', async () => {
    open();
    const requested = nextRequest();
    const lost = assertRefused(fetchOf('/silent'), 'url_unreachable');
    await requested;
    const { thread } = downloads;
    await runInThread('setImmediate(() => { throw new Error("a defect"); })');
    await lost;
    assert.deepEqual(
      deaths.map(({ message }) => message),
      ['a defect'],
    );
    assert.deepEqual(Buffer.from(await fetchOf('/image')), image);
    assert.notEqual(downloads.thread, thread);
  });

  it('ends when the downloads are closed, and what is under way with it', async () => {
    open();
    const requested = nextRequest();
    const lost = assertRefused(fetchOf('/silent'), 'url_unreachable');
    const { closed } = await requested;
    await downloads.close();
    await lost;
    await closed;
    assert.equal(downloads.thread, undefined);
    await assertRefused(fetchOf('/image'), 'url_unreachable');
    assert.deepEqual(deaths, []);
  });
});
