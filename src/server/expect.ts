/** `Expect: 100-continue`: who waits with a body is told to send it when somebody begins to read it, and never where the head is refused. */

import type { IncomingMessage, Server } from 'node:http';

/** Requests whose clients were not told to send the body; they may be sending it all the same. */
const untold = new WeakSet<IncomingMessage>();

/** Whether the client of this request may be waiting with its body still. */
export function mayWait(request: IncomingMessage): boolean {
  return untold.has(request);
}

/** Bodies have to be read by `resume`, as listening to `data` and piping do: nothing else has the client told to send one. */
export function meetExpectations(server: Server): void {
  // A client may expect what it likes; nothing else means anything.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('checkContinue', (request, response) => {
    untold.add(request);
    request.once('resume', () => {
      // Behind an answer it is Node that reads, to forget it.
      if (response.headersSent) return;
      untold.delete(request);
      response.writeContinue();
    });
    // Before Node's own listener, which closes the connection.
    response.prependOnceListener('finish', () => {
      if (untold.has(request) && !request.complete) linger(request);
    });
    server.emit('request', request, response);
  });
}

/**
 * Whether a body still comes after an answer that did not wait for it is the client's to choose. Node ends the connection, for one that is kept
 * might take the next request for that body, or the body for a request. Closed at once it would break on a client that sends, and many then never
 * read their answer: so it is closed when the body is here, or the client gone, or late.
 */
function linger(request: IncomingMessage): void {
  const { socket } = request;
  const close = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    socket.end();
    request.once('end', close);
  };
}
