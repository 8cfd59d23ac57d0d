/** ARGOS Face Liveness: `POST /modules/liveness`, also served at `/liveness`. */

import type { Static } from 'typebox';
import { decodeBase64 } from '../../intake/image-source.ts';
import { RequestError } from '../../server/errors.ts';
import { acceptJsonOnly, jsonLimit } from '../../server/upload.ts';
import {
  type Dialect,
  outcomeOf,
  refuseOtherMethods,
  retryAfterSeconds,
  retryable,
  whenGone,
} from '../dialect.ts';
import { Body, Forbidden, formats, Refusal, Success, toAnswer, toRefusal } from './wire.ts';

export const argos: Dialect = {
  name: 'argos',
  prefixes: ['/modules', '/liveness'],

  routes: (services, prefix) => async (app) => {
    const url = prefix === '/modules' ? '/liveness' : '';
    acceptJsonOnly(app);
    refuseOtherMethods(app, url);

    app.post<{ Body: Static<typeof Body> | undefined }>(
      url,
      {
        bodyLimit: jsonLimit(services.maxImageBytes),
        schema: {
          operationId: prefix === '/modules' ? 'argosLiveness' : 'argosLivenessShort',
          summary: 'ARGOS Face Liveness: score one face',
          description:
            'Compatible with ARGOS Face Liveness. The largest face is scored; a second face of at least a third of its area is refused.',
          tags: ['ARGOS Face Liveness'],
          security: [{ apiKey: [] }],
          body: Body,
          response: { 200: Success, 400: Refusal, 403: Forbidden, 503: Refusal },
        },
        onRequest: async (request, reply) => {
          if (!services.authenticator.acceptsApiKey(request.headers['x-api-key'])) {
            throw new RequestError('unauthorized', 'The x-api-key is wrong.');
          }
          services.gate.admit(reply);
        },
      },
      async (request, reply) => {
        if (request.body === undefined) throw new RequestError('invalid_request', 'The body is empty.');
        const bytes = decodeBase64(request.body.faceImage, services.maxImageBytes);
        const assessment = await services.engine.assess(bytes, {
          admitted: formats,
          signal: whenGone(reply),
        });
        request.outcome = outcomeOf(assessment, 'balanced');
        const answer = toAnswer(assessment, request.id);
        return reply.code('errorCode' in answer ? 400 : 200).send(answer);
      },
    );
  },

  refuse(reply, { code }) {
    if (code === 'unauthorized') return reply.code(403).send({ message: 'Forbidden' });
    if (code === 'not_found') reply.code(404);
    else if (retryable.has(code)) reply.code(503).header('retry-after', retryAfterSeconds);
    else reply.code(400);
    return reply.send(toRefusal(code, reply.request.id));
  },
};
