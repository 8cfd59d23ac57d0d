/** NHN Cloud Face Liveness: `POST /v1.0/appkeys/{appKey}/spoofing`. */

import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { acceptBase64, imageOf, jsonLimit } from '../../server/base64.ts';
import { TagHeaders } from '../../server/tag.ts';
import { acceptMultipart } from '../../server/upload.ts';
import { admit, assess, type Dialect, type Services, takeBody, whenGone } from '../dialect.ts';
import { FormBody, JsonBody, limits, PathParams, responses, toAnswer, toRefusal } from './wire.ts';

type Body = Static<typeof JsonBody> | Static<typeof FormBody>;
type Asking = FastifyRequest<{ Body: Body | undefined }>;

const description = `Compatible with NHN Cloud Face Liveness v1.0: PNG or JPEG from 80 x 80 px to 3,000,000 bytes; up to 20 faces, largest first.
Every answered request has HTTP status 200; the result is in \`header.resultCode\`.

Where the vendor's pages are silent, or say two things, this is assumed:

- \`confidence\` is about finding the face and says nothing of spoofing: 0 to 1, or to 100 where \`BONAFIDE_NHN_CONFIDENCE\` is \`percent\`.
- No face is a success: \`faceDetailCount\` 0 and an empty \`faceDetails\`. An error has a \`header\` and no \`data\`.
- \`bbox\` and landmarks are fractions of the upright image, EXIF orientation applied; left and right are as seen in the picture.
- A face counts from 60 px of its box's longer side, however far it is turned.
- None or both of \`image.url\` and \`image.bytes\`, unknown fields, malformed JSON, another media type or method: -40000.
- Base64 must be canonical, without a MIME prefix; otherwise, and for a side under 80 px, -45030. Too many pixels are -45020, a damaged
  image is -45040.
- -45050 is also a URL that leads to an address that is not public, or to anything but an image.
- Over a rate or a quota: HTTP 429 and -40070. Full, shutting down or out of time: HTTP 503 and -50000. Both have \`Retry-After\`.`;

export const nhn: Dialect = {
  name: 'nhn',
  prefixes: ['/v1.0'],
  keyHeader: 'authorization',
  routes: (services) => async (app) => {
    acceptBase64(app, 'bytes');
    acceptMultipart(app, limits.imageBytes);

    app.post<{ Params: Static<typeof PathParams>; Body: Body | undefined }>(
      '/appkeys/:appKey/spoofing',
      {
        bodyLimit: jsonLimit(limits.imageBytes),
        schema: {
          operationId: 'nhnSpoofing',
          summary: 'NHN Cloud Face Liveness: detect faces and spoofing',
          description,
          tags: ['NHN Cloud Face Liveness'],
          security: [{ nhnSecretKey: [] }],
          params: PathParams,
          headers: TagHeaders,
          body: {
            content: {
              'application/json': { schema: JsonBody },
              'multipart/form-data': { schema: FormBody },
            },
          },
          response: responses,
        },
        onRequest: (request, reply) =>
          admit(services, request, reply, (looking) => {
            const { appKey } = request.params as Static<typeof PathParams>;
            return services.authenticator.bySecret(appKey, request.headers.authorization, looking);
          }),
      },
      async (request, reply) => {
        const mode = request.body?.spoofingCondition ?? 'balanced';
        const signal = whenGone(reply);
        const bytes = await readImage(request, services, signal);
        const { assessment } = await assess(services, reply, bytes, {
          mode,
          admitted: limits.formats,
          signal,
        });
        const { answer, outcome } = toAnswer(assessment, mode, services.nhnConfidence);
        request.outcome = outcome;
        return answer;
      },
    );
  },

  refusal: toRefusal,
};

async function readImage(request: Asking, services: Services, signal: AbortSignal): Promise<Uint8Array> {
  const body = takeBody(request);
  if ('imageFile' in body) return body.imageFile;
  const { bytes, url } = body.image;
  if (bytes !== undefined) return imageOf(request, bytes, limits.imageBytes);
  return await services.remoteImages.fetch(url as string, {
    maxBytes: limits.imageBytes,
    ports: limits.urlPorts,
    signal,
  });
}
