/** Uploaded files: in request schemas, and out of multipart forms; held in memory and never on disk. */

import { Busboy } from '@fastify/busboy';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { free } from '../memory.ts';
import { readBody } from './body.ts';
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
 * which no schema of ours admits.
 * @param maxFileBytes largest file in bytes.
 */
export function acceptMultipart(app: FastifyInstance, maxFileBytes: number): void {
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest) => {
    const body = await readBody(request);
    try {
      return await parseForm(body, request.headers['content-type'] as string, maxFileBytes);
    } finally {
      free(body);
    }
  });
}

/** The parser is given the whole at once: of pieces it would keep parts, in ways that are its own. */
async function parseForm(
  body: Buffer,
  contentType: string,
  maxFileBytes: number,
): Promise<Record<string, unknown>> {
  const form = new Map<string, unknown>();
  const put = (name: string, value: string | Buffer) => {
    form.set(name, form.has(name) ? [form.get(name), value] : value);
  };
  const refusal = (message: string) => new RequestError('invalid_request', message);
  const malformed = () => refusal('The form is malformed.');
  await new Promise<void>((resolve, reject) => {
    // Thrown and not told: the parser must go no further, which would make an object of every boundary that is still to come.
    const tooMany = () => {
      throw refusal('The form has more parts than are allowed.');
    };
    let parser: InstanceType<typeof Busboy>;
    try {
      parser = new Busboy({
        headers: { 'content-type': contentType },
        // More than there is: it must wait for nobody, as nobody reads on in a part that it passes over.
        highWaterMark: body.length + 1,
        fileHwm: body.length + 1,
        limits: { fileSize: maxFileBytes, files: 1, parts: 5, fieldSize: maxFieldBytes },
      });
    } catch {
      return reject(malformed());
    }
    parser
      .on('field', (name, value, _isNameCut, isCut) => {
        if (isCut) reject(refusal(`A field of the form has more than ${maxFieldBytes} bytes.`));
        else put(name, value);
      })
      .on('file', (name, file) => {
        const pieces: Buffer[] = [];
        file
          .on('data', (piece: Buffer) => pieces.push(piece))
          .on('limit', () => reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()))
          .on('error', () => reject(malformed()))
          .on('end', () => put(name, Buffer.concat(pieces)));
      })
      .on('partsLimit', tooMany)
      .on('filesLimit', tooMany)
      .on('error', () => reject(malformed()))
      .on('finish', resolve)
      .end(body);
  });
  return Object.fromEntries(form);
}
