/** Admission over a real connection: who is counted in, and out again, however soon they leave. */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import fastify, { type FastifyReply } from 'fastify';
import { whenGone } from '../../src/dialects/dialect.ts';
import { RequestError } from '../../src/server/errors.ts';
import { createGate } from '../../src/server/gate.ts';

describe('a client that leaves before it is let in', () => {
  it('takes no place, and its signal says that it is gone', async (t) => {
    const gate = createGate(1, { isFull: false });
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
      await gate.admit(reply);
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

describe('an engine whose queue is full', () => {
  it('has requests refused before their body is read, however few are under way', async (t) => {
    const engine = { isFull: true };
    const gate = createGate(10, engine);
    const app = fastify();
    t.after(() => app.close());
    const read: string[] = [];
    app.addContentTypeParser('text/plain', { parseAs: 'string' }, async (_request: unknown, body: string) => {
      read.push(body);
    });
    app.post('/', { onRequest: async (_request, reply) => gate.admit(reply) }, async () => '');
    app.setErrorHandler((error, _request, reply) =>
      reply.code(503).send(error instanceof RequestError ? error.code : 'another error'),
    );
    const ask = (payload: string) =>
      app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'text/plain' }, payload });
    assert.equal((await ask('first')).body, 'service_full');
    engine.isFull = false;
    assert.equal((await ask('second')).statusCode, 200);
    assert.deepEqual(read, ['second']);
  });
});

describe('requests that a full server refuses', () => {
  it('are refused together, some milliseconds after the first, and waited for at the end', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const gate = createGate(0, { isFull: false });
    const outcomes: string[] = [];
    const [first, second, third] = [new EventEmitter(), new EventEmitter(), new EventEmitter()];
    const ask = (raw: EventEmitter) => {
      gate.admit({ raw } as unknown as FastifyReply).catch(({ code }) => outcomes.push(code));
    };
    ask(first);
    t.mock.timers.tick(24);
    ask(second);
    await turnOfOthers();
    assert.deepEqual(outcomes, []);
    t.mock.timers.tick(1);
    await turnOfOthers();
    assert.deepEqual(outcomes, ['service_full', 'service_full']);

    ask(third);
    t.mock.timers.tick(24);
    await turnOfOthers();
    assert.equal(outcomes.length, 2);
    t.mock.timers.tick(1);
    await turnOfOthers();
    assert.equal(outcomes.length, 3);

    assert.equal(gate.underWay, 0);
    let isDrained = false;
    const drained = gate.drain().then(() => {
      isDrained = true;
    });
    first.emit('close');
    second.emit('close');
    await turnOfOthers();
    assert.equal(isDrained, false);
    third.emit('close');
    await drained;
  });

  it('are waited for also where their client is gone, and while the server shuts down told so at once', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const gate = createGate(0, { isFull: false });
    const gone = Object.assign(new EventEmitter(), { destroyed: true });
    const ask = (raw: EventEmitter) => gate.admit({ raw } as unknown as FastifyReply);
    const refused = assert.rejects(ask(gone), { code: 'service_full' });
    let isDrained = false;
    const drained = gate.drain().then(() => {
      isDrained = true;
    });
    await assert.rejects(ask(new EventEmitter()), { code: 'service_draining' });
    assert.equal(isDrained, false);
    t.mock.timers.tick(25);
    await refused;
    await drained;
  });
});
