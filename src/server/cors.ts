/** Which pages of other origins may ask a dialect from a browser (CORS), and read its answers. */

import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dialect } from '../dialects/dialect.ts';

/** How long a browser remembers that it may ask, in seconds. */
const maxAgeSeconds = 600;

/**
 * Lets pages of these origins ask the routes of this plugin. To be called before any hook is added: a preflight carries no
 * key, is no request of anybody's, and refusals too must be readable.
 */
export async function allowOrigins(
  app: FastifyInstance,
  origins: readonly string[],
  { keyHeader }: Pick<Dialect, 'keyHeader'>,
): Promise<void> {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  await app.register(cors, {
    delegator: async ({ headers }: FastifyRequest) => ({
      origin: headers.origin !== undefined && allowed.has(headers.origin) ? headers.origin : false,
      // Any other OPTIONS is a wrong method, with the dialect's own words for it.
      preflight: headers['access-control-request-method'] !== undefined,
      methods: ['POST'],
      allowedHeaders: [keyHeader, 'content-type', 'x-bonafide-tag'],
      exposedHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy'],
      maxAge: maxAgeSeconds,
    }),
  });
}
