/** ARGOS Face Liveness: `POST /modules/liveness`, also served at `/liveness`. */

import type { Static } from 'typebox';
import { acceptBase64, imageOf, jsonLimit } from '../../server/base64.ts';
import { TagHeaders } from '../../server/tag.ts';
import { admit, assess, type Dialect, refuseOtherMethods, takeBody, whenGone } from '../dialect.ts';
import { Body, formats, responses, toAnswer, toRefusal } from './wire.ts';

const description = `Compatible with ARGOS Face Liveness, at \`/modules/liveness\` and \`/liveness\` alike. The answer has the score of the largest
face, 0 to 100.

Where the vendor's pages are silent, this is assumed:

- \`liveness_score\` is 100 x the calibrated probability of a live person, with at most two decimals.
- A second face of at least a third of the largest one's area is \`TOO_MANY_FACES\`; smaller ones are passers-by.
- \`faceImage\` that is missing, empty or no string, and a body that is no JSON, are 1016. One that is there and of no use is 1017, with the
  reason in \`message\`.
- Base64 must be canonical; JPEG, PNG and WebP are read, and the orientation in EXIF is applied.
- Unknown fields are ignored, as long as the body has no more than 100 values (1016).
- A missing or wrong key is HTTP 403 \`{"message":"Forbidden"}\`, as a gateway answers.
- 1001, with HTTP 429 or 503, is a sibling module's code for "not now"; \`Retry-After\` says when.
- \`transactionId\` is 13 characters of base 36, and the header \`x-request-id\` too.`;

export const argos: Dialect = {
  name: 'argos',
  prefixes: ['/modules', '/liveness'],
  keyHeader: 'x-api-key',

  routes: (services, prefix) => async (app) => {
    const url = prefix === '/modules' ? '/liveness' : '';
    acceptBase64(app, 'faceImage');
    refuseOtherMethods(app, url);

    app.post<{ Body: Static<typeof Body> | undefined }>(
      url,
      {
        bodyLimit: jsonLimit(services.maxImageBytes),
        schema: {
          operationId: prefix === '/modules' ? 'argosLiveness' : 'argosLivenessShort',
          summary: 'ARGOS Face Liveness: score one face',
          description,
          tags: ['ARGOS Face Liveness'],
          security: [{ apiKey: [] }],
          headers: TagHeaders,
          body: Body,
          response: responses,
        },
        onRequest: (request, reply) =>
          admit(services, request, reply, (looking) =>
            services.authenticator.byApiKey(request.headers['x-api-key'], 'argos', looking),
          ),
      },
      async (request, reply) => {
        const bytes = imageOf(request, takeBody(request).faceImage, services.maxImageBytes);
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
