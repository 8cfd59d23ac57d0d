/** ARGOS Face Liveness: `POST /modules/liveness`, also served at `/liveness`. */

import type { Static } from 'typebox';
import { decodeBase64 } from '../../intake/image-source.ts';
import { RequestError } from '../../server/errors.ts';
import { TagHeaders } from '../../server/tag.ts';
import { acceptJsonOnly, jsonLimit } from '../../server/upload.ts';
import { admit, assess, type Dialect, refuseOtherMethods, whenGone } from '../dialect.ts';
import { Body, ErrorBody, errorExamples, Forbidden, formats, Success, toAnswer, toRefusal } from './wire.ts';

export const argos: Dialect = {
  name: 'argos',
  prefixes: ['/modules', '/liveness'],
  keyHeader: 'x-api-key',

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
          headers: TagHeaders,
          body: Body,
          response: {
            200: Success,
            400: {
              ...ErrorBody,
              description: 'No faceImage (1016), or one of no use (1017).',
              examples: [errorExamples.refused],
            },
            403: Forbidden,
            429: {
              ...ErrorBody,
              description:
                'Over a rate or a quota, or too many wrong keys (1001); `Retry-After` says when to ask again.',
              examples: [errorExamples.limited],
            },
            503: {
              ...ErrorBody,
              description: 'Full, shutting down or out of time (1001); `Retry-After` says when to ask again.',
              examples: [errorExamples.unavailable],
            },
          },
        },
        onRequest: (request, reply) =>
          admit(services, request, reply, (looking) =>
            services.authenticator.byApiKey(request.headers['x-api-key'], 'argos', looking),
          ),
      },
      async (request, reply) => {
        if (request.body === undefined) throw new RequestError('invalid_request', 'The body is empty.');
        const bytes = decodeBase64(request.body.faceImage, services.maxImageBytes);
        const { assessment } = await assess(services, reply, bytes, {
          mode: 'balanced',
          admitted: formats,
          signal: whenGone(reply),
        });
        const { answer, outcome } = toAnswer(assessment, request.id);
        request.outcome = outcome;
        return reply.code('errorCode' in answer ? 400 : 200).send(answer);
      },
    );
  },

  refusal: toRefusal,
};
