/** The console's files at `/`, and what a browser may do with them. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import serveFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { RequestError } from './errors.ts';

/**
 * What the pages may load and send: themselves and this server, and nothing else. Pictures are shown from memory (`blob:`),
 * and the face finder is WebAssembly.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Adds the routes of what was built into `folder`, one per file: any other path stays unknown. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) return;
  await app.register(async (scope) => {
    scope.setErrorHandler((error, _request, reply) => {
      throw toRequestError(error, reply);
    });
    await scope.register(serveFiles, {
      root: folder,
      wildcard: false,
      cacheControl: false,
      setHeaders(reply, path) {
        if (path.endsWith('.html')) {
          reply.header('content-security-policy', policy);
          reply.header('cross-origin-opener-policy', 'same-origin');
          reply.header('permissions-policy', 'camera=(self), microphone=(), geolocation=()');
          reply.header('cache-control', 'no-cache');
          return;
        }
        // A policy of a script would be that of a worker made of it.
        reply.removeHeader('content-security-policy');
        // The capture element and what it loads are for other sites too, and hold no secret.
        reply.header('access-control-allow-origin', '*');
        reply.header('cross-origin-resource-policy', 'cross-origin');
        // Names under assets/ change with their content.
        reply.header(
          'cache-control',
          path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
    scope.get('/docs', { schema: { hide: true } }, (_request, reply) => reply.sendFile('docs.html'));
  });
}

/** Names what the plugin refuses, which it does by a status alone; whatever else it is stays as it is. */
function toRequestError(error: unknown, reply: FastifyReply): unknown {
  const { statusCode, headers } = error as { statusCode?: number; headers?: Record<string, string> };
  switch (statusCode) {
    case 412:
      return new RequestError('precondition_failed', 'The file is not as the request has it.');
    case 416:
      reply.headers(headers ?? {});
      return new RequestError('range_not_satisfiable', 'The file has no such part.');
    default:
      return error;
  }
}
