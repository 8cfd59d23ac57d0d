/** NHN Cloud Face Liveness, -50000: what a client hears when the server cannot answer, and when to come back. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AssessmentError, type EngineErrorCode } from '../../../src/liveness/errors.ts';
import {
  type Ask,
  assertReply,
  connect,
  fill,
  keyed,
  nhnError,
  type Reply,
  routes,
  startUpload,
} from '../../helpers/http.ts';
import { readPhotos } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { nhn } = routes;
const photos = await readPhotos();
const internalError = nhnError(-50000, 'InternalServerError');
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer({ engine: { workers: 1, queue: 1 } });
  ask = await connect(server);
});
after(() => server.close());

async function post(through = ask): Promise<Reply> {
  const { headers, body } = nhn.asking(photos.face);
  return await through(nhn.path, { headers: keyed(nhn, headers), body });
}

function assertUnavailable(reply: Reply): void {
  assertReply(reply, { status: 503, shape: internalError });
  assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}

describe('NHN -50000 InternalServerError', () => {
  it('assumed: 503 and Retry-After when the server is full, and again an answer when it is not', async () => {
    const held = await fill(server, 2);
    assert.equal(server.gate.underWay, 2);
    assertUnavailable(await post());
    await held.release();
    assert.equal(server.gate.underWay, 0);
    assert.equal((await post()).body.header.resultCode, 0);
  });

  it('assumed: 503 and Retry-After while the server shuts down, but what is under way is answered', async () => {
    const draining = await startServer();
    try {
      const { headers, body } = nhn.asking(photos.face);
      const upload = startUpload(draining, nhn.path, keyed(nhn, headers));
      await upload.begun;
      const through = await connect(draining);
      const drained = draining.gate.drain();
      assertUnavailable(await post(through));
      upload.request.end(body);
      const { status, body: answer } = await upload.answered;
      assert.equal(status, 200);
      assert.equal(answer.header.resultCode, 0);
      await drained;
    } finally {
      await draining.close();
    }
  });

  it('assumed: 503 and Retry-After when there was no time left for the photograph', async () => {
    const hasty = await startServer({ engine: { deadlineMs: 1 } });
    try {
      assertUnavailable(await post(await connect(hasty)));
    } finally {
      await hasty.close();
    }
  });

  for (const code of ['queue_full', 'deadline_exceeded', 'worker_died'] satisfies EngineErrorCode[]) {
    it(`assumed: 503 and Retry-After for ${code}`, async (t) => {
      t.mock.method(server.engine, 'assess', () => Promise.reject(new AssessmentError(code, 'No.')));
      assertUnavailable(await post());
    });
  }

  it('200 for a defect of ours, about which nothing is said', async (t) => {
    t.mock.method(server.engine, 'assess', () =>
      Promise.reject(new TypeError('/secret/path is not a function')),
    );
    const reply = await post();
    assertReply(reply, { status: 200, shape: internalError });
    assert.equal(reply.headers.get('retry-after'), null);
  });
});
