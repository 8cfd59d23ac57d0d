/** The end of a connection whose last answer was out before the rest of its request was here. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Closed at once it would break on a client that sends, and many then never read their answer: so it is closed when the rest is here and forgotten,
 * or the client gone, or late.
 */
export function lingerOnUnread(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Before Node's own listener, which closes the connection.
    response.prependOnceListener('finish', () => {
      if (request.complete || response.shouldKeepAlive) return;
      const { socket } = request;
      const close = socket.destroySoon.bind(socket);
      socket.destroySoon = () => {
        socket.end();
        request.once('end', close);
      };
    });
  });
}
