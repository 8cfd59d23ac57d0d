/** Images in base64 in bodies of JSON: decoded past the parser, which would make texts of all their characters. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decodeBase64, decodeCanonical, requireAtMost } from '../intake/image-source.ts';
import { free } from '../memory.ts';
import { parseJson, readBody } from './body.ts';

/** Bytes of JSON that can carry an image of this size in base64, with room for the rest. */
export function jsonLimit(maxImageBytes: number): number {
  return Math.ceil(maxImageBytes / 3) * 4 + 16_384;
}

/** What the parser is shown in place of an image: what no other text of that body is, which has no backslash. */
const standIn = '\0';

/** Those that were taken out of the bodies of requests. */
const images = new WeakMap<FastifyRequest, Uint8Array>();

/** Has the routes of this plugin take an image in base64 out of their JSON, where it is the text of a field of this name. */
export function acceptBase64(app: FastifyInstance, name: string): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', async (request: FastifyRequest) => {
    const body = await readBody(request);
    try {
      const found = findImage(body, name);
      if (found === undefined) return parseJson(body);
      images.set(request, found.image);
      return parseJson(
        Buffer.concat([body.subarray(0, found.from), Buffer.from('\\u0000'), body.subarray(found.to)]),
      );
    } finally {
      free(body);
    }
  });
}

/**
 * @param text of the field, as the parser has it.
 * @throws IntakeError `too_many_bytes` or `invalid_base64`.
 */
export function imageOf(request: FastifyRequest, text: string, maxBytes: number): Uint8Array {
  const image = images.get(request);
  // Also one of a field that nobody asks for, which would be held as long as the request is.
  images.delete(request);
  if (image === undefined || text !== standIn) return decodeBase64(text, maxBytes);
  requireAtMost(maxBytes, image.length);
  return image;
}

/**
 * Finds the image, and where its text stands in the body. Where it is written in any way that is not plain, nothing is found: then the
 * parser is shown all of it, and an image that is not valid is refused as one.
 */
function findImage(body: Buffer, name: string): { image: Uint8Array; from: number; to: number } | undefined {
  // With one a quote need not be the end of a text.
  if (body.includes('\\')) return undefined;
  const quoted = `"${name}"`;
  const at = body.indexOf(quoted);
  if (at < 0) return undefined;
  const from = body.indexOf('"', at + quoted.length) + 1;
  const to = body.indexOf('"', from);
  if (from === 0 || to < 0 || !/^\s*:\s*$/.test(body.toString('latin1', at + quoted.length, from - 1))) {
    return undefined;
  }
  const image = decodeCanonical(body.subarray(from, to));
  return image && { image, from, to };
}
