/** NHN Cloud Face Liveness: `POST /v1.0/appkeys/{appKey}/spoofing`. */

import type { Static } from 'typebox';
import { decodeBase64 } from '../../intake/image-source.ts';
import { RequestError } from '../../server/errors.ts';
import { TagHeaders } from '../../server/tag.ts';
import { acceptJsonOnly, acceptMultipart, jsonLimit } from '../../server/upload.ts';
import { admit, assess, type Dialect, type Services, whenGone } from '../dialect.ts';
import { FormBody, JsonBody, limits, PathParams, responses, toAnswer, toRefusal } from './wire.ts';

type Body = Static<typeof JsonBody> | Static<typeof FormBody>;

export const nhn: Dialect = {
  name: 'nhn',
  prefixes: ['/v1.0'],
  keyHeader: 'authorization',
  routes: (services) => async (app) => {
    acceptJsonOnly(app);
    await acceptMultipart(app, limits.imageBytes);

    app.post<{ Params: Static<typeof PathParams>; Body: Body | undefined }>(
      '/appkeys/:appKey/spoofing',
      {
        bodyLimit: jsonLimit(limits.imageBytes),
        schema: {
          operationId: 'nhnSpoofing',
          summary: 'NHN Cloud Face Liveness: detect faces and spoofing',
          description:
            'Compatible with NHN Cloud Face Liveness v1.0. Every answered request has HTTP status 200; the result is in `header.resultCode`. 503 with `Retry-After` when the server is full or shutting down.',
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
        const { body } = request;
        if (body === undefined) throw new RequestError('invalid_request', 'The body is empty.');
        const signal = whenGone(reply);
        const bytes = await readImage(body, services, signal);
        const mode = body.spoofingCondition ?? 'balanced';
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

async function readImage(body: Body, services: Services, signal: AbortSignal): Promise<Uint8Array> {
  if ('imageFile' in body) return body.imageFile;
  const { bytes, url } = body.image;
  if (bytes !== undefined) return decodeBase64(bytes, limits.imageBytes);
  return await services.remoteImages.fetch(url as string, {
    maxBytes: limits.imageBytes,
    ports: limits.urlPorts,
    signal,
  });
}
