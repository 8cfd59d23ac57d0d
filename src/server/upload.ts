/** Uploaded files: in request schemas, and out of multipart forms; held in memory and never on disk. */

import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Gathered, requireLength } from './body.ts';
import { RequestError } from './errors.ts';

/** The schema of an uploaded file: bytes, not text. OpenAPI 3.1 has no type for it, only its media type. */
export const UploadedFile = Type.Unsafe<Uint8Array>({
  contentMediaType: 'application/octet-stream',
  'x-file': true,
});

/** Ajv's side of `x-file`. */
export const fileKeyword = {
  keyword: 'x-file',
  errors: false,
  validate: (_schema: true, data: unknown) => data instanceof Uint8Array,
} as const;

/**
 * Lets the routes of this plugin take multipart bodies, as `{ field: text or bytes }`; a field sent twice becomes a list,
 * which no schema of ours admits. Bounds are against uploads that never end and forms with a million fields.
 * @param maxFileBytes largest file in bytes.
 */
export async function acceptMultipart(app: FastifyInstance, maxFileBytes: number): Promise<void> {
  await app.register(multipart, {
    limits: { fileSize: maxFileBytes, files: 1, fields: 4, parts: 5, fieldSize: 1_000, fieldNameSize: 100 },
  });
  app.addHook('preValidation', async (request) => {
    if (!request.isMultipart()) return;
    // A file within its own bound, and the little that a form has beside it, are within that of the route.
    requireLength(request);
    request.body = await readForm(request, maxFileBytes);
  });
}

/** Instead of the plugin's `attachFieldsToBody`, under which a malformed form looks like a defect of ours. */
async function readForm(request: FastifyRequest, maxFileBytes: number): Promise<Record<string, unknown>> {
  const form = new Map<string, unknown>();
  try {
    for await (const part of request.parts()) {
      const value = part.type === 'file' ? await readFile(part.file, maxFileBytes) : part.value;
      form.set(part.fieldname, form.has(part.fieldname) ? [form.get(part.fieldname), value] : value);
    }
  } catch (error) {
    // Nobody reads on, and Node discards only what nobody began to read: the next request on the connection would wait behind the rest.
    request.raw.unpipe();
    request.raw.resume();
    // The plugin's own errors have a code; those of the parser below it have none.
    if ((error as { code?: string }).code !== undefined) throw error;
    throw new RequestError('invalid_request', 'The form is malformed.');
  }
  return Object.fromEntries(form);
}

/** In place of the plugin's `toBuffer`, which keeps every piece. One that is too large is cut, and refused with the part after it. */
async function readFile(file: MultipartFile['file'], maxBytes: number): Promise<Buffer> {
  const gathered = new Gathered(maxBytes);
  for await (const piece of file) gathered.add(piece);
  return gathered.bytes;
}

/** Bytes of JSON that can carry an image of this size in base64, with room for the rest. */
export function jsonLimit(maxImageBytes: number): number {
  return Math.ceil(maxImageBytes / 3) * 4 + 16_384;
}
