/** Uploaded files: in request schemas, and out of multipart forms; held in memory and never on disk. */

import multipart, { type MultipartFile } from '@fastify/multipart';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { expectedLength, Gathered, requireLength } from './body.ts';
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

/** Longest text in a field of a form, in bytes. */
const maxFieldBytes = 1_000;

/**
 * Lets the routes of this plugin take multipart bodies, as `{ field: text or bytes }`; a field sent twice becomes a list,
 * which no schema of ours admits. Bounds are against uploads that never end and forms with a million fields.
 * @param maxFileBytes largest file in bytes.
 */
export async function acceptMultipart(app: FastifyInstance, maxFileBytes: number): Promise<void> {
  await app.register(multipart, {
    limits: { fileSize: maxFileBytes, files: 1, parts: 5, fieldSize: maxFieldBytes },
  });
  app.addHook('preValidation', async (request) => {
    if (request.isMultipart()) request.body = await readForm(request, maxFileBytes);
  });
}

/**
 * Instead of the plugin's `attachFieldsToBody`, under which a malformed form looks like a defect of ours. The plugin bounds parts alone, and there may be
 * anything before the first and behind the last: the whole is bounded here, as any other body by the limit of its route.
 */
async function readForm(request: FastifyRequest, maxFileBytes: number): Promise<Record<string, unknown>> {
  const { raw } = request;
  // A file within its own bound, and the little that a form has beside it, are within that of the route.
  let left = requireLength(request);
  const form = new Map<string, unknown>();
  let file: MultipartFile['file'] | undefined;
  const readParts = async () => {
    for await (const part of request.parts()) {
      file = part.type === 'file' ? part.file : undefined;
      if (part.type === 'field' && part.valueTruncated) {
        throw new RequestError(
          'invalid_request',
          `A field of the form has more than ${maxFieldBytes} bytes.`,
        );
      }
      const value =
        part.type === 'file' ? await readFile(part.file, maxFileBytes, expectedLength(request)) : part.value;
      form.set(part.fieldname, form.has(part.fieldname) ? [form.get(part.fieldname), value] : value);
    }
  };
  const tooLarge = Promise.withResolvers<never>();
  const count = (piece: Buffer) => {
    left -= piece.length;
    if (left < 0) tooLarge.reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
  };
  raw.on('data', count);
  try {
    await Promise.race([readParts(), tooLarge.promise]);
  } catch (error) {
    // Nobody reads on, and Node discards only what nobody began to read: the next request on the connection would wait behind the rest.
    raw.unpipe();
    raw.resume();
    // Nor is what came of it held until then.
    file?.destroy();
    form.clear();
    // The plugin's own errors have a code; those of the parser below it have none.
    if ((error as { code?: string }).code !== undefined) throw error;
    throw new RequestError('invalid_request', 'The form is malformed.');
  } finally {
    raw.off('data', count);
  }
  return Object.fromEntries(form);
}

/**
 * In place of the plugin's `toBuffer`, which keeps every piece. One that is too large is cut, and refused with the part after it.
 * @param formBytes of the whole form, where that is known: the file has a little less.
 */
async function readFile(
  file: MultipartFile['file'],
  maxBytes: number,
  formBytes: number | undefined,
): Promise<Buffer> {
  const gathered = new Gathered(maxBytes, formBytes);
  try {
    for await (const piece of file) gathered.add(piece);
    return gathered.take();
  } catch (error) {
    gathered.drop();
    throw error;
  }
}

/** Bytes of JSON that can carry an image of this size in base64, with room for the rest. */
export function jsonLimit(maxImageBytes: number): number {
  return Math.ceil(maxImageBytes / 3) * 4 + 16_384;
}
