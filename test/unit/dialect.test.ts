import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { admit, assess, type Services } from '../../src/dialects/dialect.ts';
import { AssessmentError } from '../../src/liveness/errors.ts';
import type { AssessOptions } from '../../src/liveness/pool.ts';

describe('the bytes of a picture', () => {
  for (const last of ['engine', 'recorder'] as const) {
    it(`are kept as long as anybody reads them, the ${last} last, and no longer`, async () => {
      const readers = { engine: Promise.withResolvers<void>(), recorder: Promise.withResolvers<undefined>() };
      const services = {
        engine: {
          assess: async (_bytes: Uint8Array, { onReleased }: AssessOptions) => {
            readers.engine.promise.then(() => onReleased?.());
            return {};
          },
        },
        recorder: { noteImage: () => readers.recorder.promise, noteAssessment() {} },
      } as unknown as Services;
      const bytes = new Uint8Array(100);
      const { signal } = new AbortController();
      const answer = assess(services, {} as FastifyReply, bytes, { mode: 'balanced', admitted: [], signal });
      readers[last === 'engine' ? 'recorder' : 'engine'].resolve(undefined);
      await turn();
      assert.equal(bytes.length, 100);
      readers[last].resolve(undefined);
      await answer;
      await turn();
      assert.equal(bytes.length, 0);
    });
  }
});

describe('a request', () => {
  it('whose connection was reset before it had an address is one of a client that went away', async () => {
    const request = { ip: undefined } as unknown as FastifyRequest;
    const find = () => assert.fail('a key was looked for');
    await assert.rejects(
      admit({} as Services, request, {} as FastifyReply, find),
      (error) => error instanceof AssessmentError && error.code === 'aborted',
    );
  });
});
