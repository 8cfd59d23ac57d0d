/** The console's files at `/`, and what a browser may do with them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { type SendResult, send } from '@fastify/send';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
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

/** A file as it was read when it had this entity tag. */
interface Held {
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Adds the routes of what was built into `folder`, one per file: any other path stays unknown. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) return;
  // 8 MB in all, which the answers share: of a file that is read as it is sent, each holds 150 kB for as long as its client takes nothing.
  const held = new Map<string, Held>();

  function bytesOf(path: string, etag: string): Buffer {
    const known = held.get(path);
    if (known?.etag === etag) return known.bytes;
    // Once for each file, in 2 ms at most, and so before anybody else asks for it.
    const bytes = readFileSync(path);
    held.set(path, { etag, bytes });
    return bytes;
  }

  async function answer(name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    // As for a request of the head alone, for which the file is not opened.
    const asked = { method: 'HEAD', headers: request.headers } as unknown as Readable;
    const found = await send(asked, encodeURI(name), { root: folder, cacheControl: false });
    if (found.type !== 'file') return refuse(found, reply);
    const { statusCode, headers, metadata, stream } = found;
    reply.code(statusCode).headers(headers);
    allow(reply, name);
    // Empty; of nothing at all Fastify would give HEAD the length.
    if (statusCode === 304) return reply.send(stream);
    const bytes = bytesOf(metadata.path, headers.ETag ?? '');
    const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(headers['Content-Range'] ?? '') ?? [];
    return reply.send(last === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1));
  }

  const serve = (path: string, name: string) =>
    app.get(path, { schema: { hide: true } }, (request, reply) => answer(name, request, reply));
  serve('/', 'index.html');
  serve('/docs', 'docs.html');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
    serve(`/${name}`, name);
  }
}

/** Says what a browser may do with a file. */
function allow(reply: FastifyReply, name: string): void {
  if (name.endsWith('.html')) {
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
    name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
}

/** Names what `send` refuses, which it does by a status alone; whatever else it is stays as it is. */
function refuse(found: Exclude<SendResult, { type: 'file' }>, reply: FastifyReply): FastifyReply {
  const { statusCode, headers } = found;
  if (statusCode === 412) {
    throw new RequestError('precondition_failed', 'The file is not as the request has it.');
  }
  if (statusCode === 416) {
    reply.header('content-range', headers['Content-Range']);
    throw new RequestError('range_not_satisfiable', 'The file has no such part.');
  }
  if (found.type === 'error' && statusCode !== 404) throw found.metadata.error;
  // Removed since the start.
  reply.callNotFound();
  return reply;
}
