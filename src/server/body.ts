/** Bodies as they arrive: each read into one piece of memory, and JSON looked over before it is parsed. */

import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { free } from '../memory.ts';
import { RequestError } from './errors.ts';

/**
 * Most values in a body of JSON, the names of an object apart. No schema of ours has twenty. A parser makes 22 bytes of each byte of `[{},{},...`,
 * a call for each level of `[[[[...`, and compares each long name with all before it: 27 MB of any of these take seconds.
 */
const maxValues = 100;

/** What a body without a length is given at first, in bytes. */
const firstBytes = 65_536;

/** Lets all routes take JSON, in UTF-8 as RFC 8259 has it, and no other text: what is not the media type it says is never read. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async (request: FastifyRequest) => {
    const bytes = await readBody(request);
    try {
      return parseJson(bytes);
    } finally {
      free(bytes);
    }
  });
}

/**
 * Bytes put together as they come. Each piece is copied at once: kept until the last is there, as the framework and its plugins do, those of
 * a body in chunks of one byte would hold 300 times as much.
 */
class Gathered {
  readonly #limit: number;
  #bytes: Buffer;
  #length = 0;

  /**
   * @param limit most bytes.
   * @param expected how many there will be, where that is known.
   */
  constructor(limit: number, expected = firstBytes) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(expected, limit));
  }

  /** @returns whether it was taken: false where there would be more than the limit. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#limit) return false;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(length, this.#bytes.length * 2), this.#limit));
      this.#bytes.copy(larger, 0, 0, this.#length);
      free(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    return true;
  }

  /** Gives all of it back, for one that came to nothing. */
  drop(): void {
    free(this.#bytes);
  }

  /** @returns all that came, in memory of its own; nothing is added after that. */
  take(): Buffer {
    const { buffer } = this.#bytes as Buffer<ArrayBuffer>;
    return this.#length === buffer.byteLength ? this.#bytes : Buffer.from(buffer.transfer(this.#length));
  }
}

/**
 * Looks at what the head says of the body, before any of it is read.
 * @returns most bytes that the route takes.
 * @throws the framework's own error where there are to be more.
 */
function requireLength({ headers, routeOptions }: FastifyRequest): number {
  const limit = routeOptions.bodyLimit as number;
  if (Number(headers['content-length']) > limit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
  return limit;
}

/** Bytes of the body as the head says, where it does. */
function expectedLength({ headers }: FastifyRequest): number | undefined {
  const { 'content-length': said } = headers;
  return said === undefined ? undefined : Number(said);
}

/**
 * Reads the whole body of a request, up to the limit of its route.
 * @throws the framework's own error where it has more bytes, and Node's where the client goes away.
 */
export async function readBody(request: FastifyRequest): Promise<Buffer> {
  const limit = requireLength(request);
  const { raw } = request;
  const gathered = new Gathered(limit, expectedLength(request));
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      // It goes on flowing: Node discards what nobody listens to.
      raw.off('data', add).off('end', finish).off('error', fail);
      settle();
    };
    const add = (piece: Buffer) => {
      if (!gathered.add(piece)) fail(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      // The parser made it for us, and others there are none.
      free(piece);
    };
    const finish = () => end(() => resolve(gathered.take()));
    const fail = (error: Error) => {
      gathered.drop();
      end(() => reject(error));
    };
    raw.on('data', add).on('end', finish).on('error', fail);
  });
}

/** A byte that begins or separates values stands before each but the first; those within texts are counted too. Base64 has none. */
const marks = Array.from('[{,', (mark) => mark.charCodeAt(0));

function hasTooManyValues(bytes: Buffer): boolean {
  let count = 1;
  for (const mark of marks) {
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      if (++count > maxValues) return true;
    }
  }
  return false;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws RequestError `invalid_request`. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new RequestError('invalid_request', 'The body is empty.');
  if (hasTooManyValues(bytes)) {
    throw new RequestError('invalid_request', `The body has more than ${maxValues} values.`);
  }
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // Neither's reason is shown, which may repeat what was sent.
    throw new RequestError('invalid_request', 'The body is not valid JSON.');
  }
}
