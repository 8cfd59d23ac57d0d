/** The native API: `POST /v1/assess`. */

import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { requireAtMost } from '../../intake/image-source.ts';
import { imageFormats } from '../../liveness/sniff.ts';
import { acceptBase64, imageOf, jsonLimit } from '../../server/base64.ts';
import { readBody } from '../../server/body.ts';
import { TagHeaders } from '../../server/tag.ts';
import { acceptMultipart } from '../../server/upload.ts';
import {
  admit,
  assess,
  type Dialect,
  outcomeOf,
  refuseOtherMethods,
  type Services,
  takeBody,
  whenGone,
} from '../dialect.ts';
import { FormBody, JsonBody, RawBody, rawTypes, responses, toAnswer, toRefusal, urlPorts } from './wire.ts';

type Body = Static<typeof JsonBody> | Static<typeof FormBody> | Static<typeof RawBody>;
type Asking = FastifyRequest<{ Body: Body | undefined }>;

const description = `Takes JSON, a multipart form with one file \`image\`, or the image itself as the body. The content decides what an image is, and not
its media type: JPEG, PNG, WebP, AVIF, TIFF, GIF and HEIC are read, the orientation in EXIF applied.

Of every face there is one calibrated probability of a live person, the verdict at each of the three operating points, what was
measured of the conditions it was taken in, and warnings where they are out of the ordinary. No face found is an answer: \`status\` is
\`no_face\`. Problems are those of RFC 9457, with a \`code\` of a closed set.`;

export const native: Dialect = {
  name: 'native',
  prefixes: ['/v1'],
  keyHeader: 'x-api-key',

  routes: (services) => async (app) => {
    acceptBase64(app, 'bytes');
    acceptMultipart(app, services.maxImageBytes);
    app.addContentTypeParser([...rawTypes], readBody);
    refuseOtherMethods(app, '/assess');

    app.post<{ Body: Body | undefined }>(
      '/assess',
      {
        bodyLimit: jsonLimit(services.maxImageBytes),
        schema: {
          operationId: 'assess',
          summary: 'Assess the faces of one photograph',
          description,
          tags: ['bonafide'],
          security: [{ apiKey: [] }],
          headers: TagHeaders,
          body: {
            content: {
              'application/json': { schema: JsonBody },
              'multipart/form-data': { schema: FormBody },
              ...Object.fromEntries(rawTypes.map((type) => [type, { schema: RawBody }])),
            },
          },
          response: responses,
        },
        onRequest: (request, reply) =>
          admit(services, request, reply, (looking) =>
            services.authenticator.byApiKey(request.headers['x-api-key'], 'native', looking),
          ),
      },
      async (request, reply) => {
        const signal = whenGone(reply);
        const bytes = await readImage(request, services, signal);
        const { assessment, seenBefore } = await assess(services, reply, bytes, {
          mode: 'balanced',
          admitted: imageFormats,
          signal,
        });
        request.outcome = outcomeOf(assessment, 'balanced');
        return toAnswer(assessment, seenBefore, services, request.id);
      },
    );
  },

  refusal: toRefusal,
};

async function readImage(request: Asking, services: Services, signal: AbortSignal): Promise<Uint8Array> {
  const body = takeBody(request);
  if (body instanceof Uint8Array) {
    // The route's own limit has room for base64.
    requireAtMost(services.maxImageBytes, body.length);
    return body;
  }
  const { image } = body;
  if (image instanceof Uint8Array) return image;
  if (image.bytes !== undefined) return imageOf(request, image.bytes, services.maxImageBytes);
  return await services.remoteImages.fetch(image.url as string, {
    maxBytes: services.maxImageBytes,
    ports: urlPorts,
    signal,
  });
}
