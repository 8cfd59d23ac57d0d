/** Answers what Node refuses before there is a request: malformed HTTP, too long a head, too slow a client. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { type Dialect, newTransactionId } from '../dialects/dialect.ts';
import { smallPieces } from './connections.ts';
import { RequestError } from './errors.ts';
import { guardHeaders } from './headers.ts';

/** What Node's HTTP parser says. `rawPacket` holds what the client sent, its key included: it is never logged. */
interface ClientError {
  readonly code?: string;
  readonly rawPacket?: unknown;
}

export interface ClientErrors {
  /** Notes the response under way on its connection, and the id of its request. */
  note(response: ServerResponse, requestId: string): void;
  answer(error: ClientError, socket: Socket): void;
  /** What a request was refused with here while its body arrived: for the router it only broke off. */
  refusalOf(request: IncomingMessage): RequestError | undefined;
}

/** The last request of a connection, and the answer to the one before it. */
interface Noted {
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly earlier: ServerResponse | undefined;
}

/** How long a refused client's bytes are still taken: closing at once would often lose it the answer. */
const lingerMs = 1_000;

/** @param dialectOf the dialect that a path belongs to. */
export function createClientErrors(
  dialectOf: (path: string) => Dialect,
  log: FastifyBaseLogger,
): ClientErrors {
  const underWay = new WeakMap<Socket, Noted>();
  const awaited = new WeakSet<ServerResponse>();
  const refusals = new WeakMap<IncomingMessage, RequestError>();
  function answer(error: ClientError, socket: Socket): void {
    const noted = underWay.get(socket);
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

    const start = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1', 0, 256) : '';
    const [, path = ''] = /^\S+ (\S+)/.exec(start) ?? [];
    const dialect = dialectOf((isArriving && response.req.url) || path);
    const failure = toError(error.code);
    const requestId = (isArriving ? noted?.requestId : undefined) ?? newTransactionId();
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
    note(response, requestId) {
      const { socket } = response.req;
      underWay.set(socket, { response, requestId, earlier: underWay.get(socket)?.response });
    },
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
