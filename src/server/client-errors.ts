/** Answers what Node refuses before there is a request: malformed HTTP, too long a head, too slow a client. */

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { type Dialect, type Failure, newTransactionId } from '../dialects/dialect.ts';

/** What Node's HTTP parser says. `rawPacket` holds what the client sent, its key included: it is never logged. */
interface ClientError {
  readonly code?: string;
  readonly rawPacket?: unknown;
}

export interface ClientErrors {
  /** Notes the response under way on its connection. */
  note(response: ServerResponse): void;
  answer(error: ClientError, socket: Socket): void;
}

/** How long a refused client's bytes are still taken: closing at once would often lose it the answer. */
const lingerMs = 1_000;

/** @param dialectOf the dialect that a path belongs to. */
export function createClientErrors(
  dialectOf: (path: string) => Dialect,
  log: FastifyBaseLogger,
): ClientErrors {
  const responses = new WeakMap<Socket, ServerResponse>();
  return {
    note: (response) => responses.set(response.req.socket, response),
    answer(error, socket) {
      const response = responses.get(socket);
      const isArriving = response !== undefined && !response.req.complete;
      const isAnswering = response?.headersSent === true && (isArriving || !response.writableFinished);
      // There is one answer to a request, and a part of one is not to be followed by another.
      if (error.code === 'ECONNRESET' || isAnswering) socket.destroy();
      // Otherwise refused before, and still sending.
      if (!socket.writable) return;

      const start = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1', 0, 256) : '';
      const [, path = ''] = /^\S+ (\S+)/.exec(start) ?? [];
      const dialect = dialectOf((isArriving && response.req.url) || path);
      const failure = toFailure(error.code);
      const requestId = newTransactionId();
      log.debug({ requestId, dialect: dialect.name, code: failure.code, reason: error.code }, 'refused');
      const { status, headers, body } = dialect.refusal(failure, requestId);
      const text = JSON.stringify(body);
      const head = Object.entries({
        ...headers,
        'x-request-id': requestId,
        'content-length': Buffer.byteLength(text),
        connection: 'close',
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${text}`);
      setTimeout(() => socket.destroy(), lingerMs).unref();
    },
  };
}

function toFailure(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { code: 'headers_too_large', message: 'The head of the request has more bytes than are allowed.' };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { code: 'request_timeout', message: 'The request took too long to arrive.' };
  }
  return { code: 'malformed_http', message: 'The request is not valid HTTP.' };
}
