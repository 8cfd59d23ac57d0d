/** Admission over a real connection: who is counted in, and out again, however soon they leave. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { whenGone } from '../../src/dialects/dialect.ts';
import { createGate } from '../../src/server/gate.ts';

describe('a client that leaves before it is let in', () => {
  it('takes no place, and its signal says that it is gone', async (t) => {
    const gate = createGate(1);
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const admitted = Promise.withResolvers<{ underWay: number; isGone: boolean }>();
    const app = fastify();
    t.after(() => app.close());
    app.get('/', async (_request, reply) => {
      // As where its key has to be looked up.
      reply.raw.once('close', left.resolve);
      arrived.resolve();
      await left.promise;
      gate.admit(reply);
      admitted.resolve({ underWay: gate.underWay, isGone: whenGone(reply).aborted });
      return '';
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as { port: number };
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await arrived.promise;
    client.destroy();
    assert.deepEqual(await admitted.promise, { underWay: 0, isGone: true });
    await gate.drain();
  });
});
