/** Answers what Node refuses before there is a request: malformed HTTP, too long a head, too slow a client. */

import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { type Dialect, newTransactionId } from '../dialects/dialect.ts';
import { smallPieces } from './connections.ts';
import { RequestError } from './errors.ts';
import { guardHeaders } from './headers.ts';
import { beginningOf } from './turns.ts';

/** What Node's HTTP parser says. */
interface ClientError {
  readonly code?: string;
}

export interface ClientErrors {
  /** Notes from now on in which order requests arrive. */
  watch(server: Server): void;
  /** Notes the id of the request of a response. */
  note(response: ServerResponse, requestId: string): void;
  answer(error: ClientError, socket: Socket): void;
  /** What a request was refused with here while its body arrived: for the router it only broke off. */
  refusalOf(request: IncomingMessage): RequestError | undefined;
}

/** The answer to the last request of a connection, and to the one before it; they may be waiting for their turn. */
interface Noted {
  readonly response: ServerResponse;
  readonly earlier: ServerResponse | undefined;
}

/** How long a refused client's bytes are still taken: closing at once would often lose it the answer. */
const lingerMs = 1_000;

/** @param dialectOf the dialect that a path belongs to. */
export function createClientErrors(
  dialectOf: (path: string) => Dialect,
  log: FastifyBaseLogger,
): ClientErrors {
  const arrived = new WeakMap<Socket, Noted>();
  const requestIds = new WeakMap<ServerResponse, string>();
  const awaited = new WeakSet<ServerResponse>();
  const refusals = new WeakMap<IncomingMessage, RequestError>();
  function answer(error: ClientError, socket: Socket): void {
    const noted = arrived.get(socket);
    const response = noted?.response;
    const isArriving = response !== undefined && !response.req.complete;
    // There is one answer to a request.
    if (error.code === 'ECONNRESET' || (isArriving && response.headersSent)) socket.destroy();
    // Otherwise refused before, and still sending.
    if (!socket.writable) return;
    // Answers come in the order of their requests: the refusal of what came behind a good one waits for that one's.
    const owed = isArriving ? noted?.earlier : response;
    if (owed !== undefined && !owed.writableFinished) {
      if (!awaited.has(owed)) owed.once('finish', () => answer(error, socket));
      awaited.add(owed);
      return;
    }

    const [, path = ''] = /^\S+ (\S+)/.exec(beginningOf(socket)) ?? [];
    const dialect = dialectOf((isArriving && response.req.url) || path);
    const failure = toError(error.code);
    const requestId = (isArriving ? requestIds.get(response) : undefined) ?? newTransactionId();
    // Who ended the connection amid a body has gone away, whatever the parser makes of it.
    if (isArriving && error.code !== 'HPE_INVALID_EOF_STATE') refusals.set(response.req, failure);
    log.debug({ requestId, dialect: dialect.name, code: failure.code, reason: error.code }, 'refused');
    const { status, headers, body } = dialect.refusal(failure, requestId);
    const text = JSON.stringify(body);
    const head = Object.entries({
      ...guardHeaders,
      ...headers,
      'x-request-id': requestId,
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${text}`);
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  return {
    watch(server) {
      // Before the one who handles them.
      server.prependListener('request', ({ socket }, response) => {
        arrived.set(socket, { response, earlier: arrived.get(socket)?.response });
      });
    },
    note: (response, requestId) => requestIds.set(response, requestId),
    answer,
    refusalOf: (request) => refusals.get(request),
  };
}

function toError(code: string | undefined): RequestError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RequestError('headers_too_large', 'The head of the request has more bytes than are allowed.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new RequestError('request_timeout', 'The request took too long to arrive.');
  }
  if (code === smallPieces) {
    return new RequestError('malformed_http', 'The body comes in too many small pieces.');
  }
  return new RequestError('malformed_http', 'The request is not valid HTTP.');
}
