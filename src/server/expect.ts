/** `Expect: 100-continue`: who waits with a body is told to send it when somebody begins to read it, and never where the head is refused. */

import type { IncomingMessage, Server } from 'node:http';

/** Requests whose clients were not told to send the body; they may be sending it all the same. */
const untold = new WeakSet<IncomingMessage>();

/**
 * Whether the client of this request may be waiting with its body still. Whether that comes after an answer is then the client's to choose, so that Node makes
 * it the connection's last: one that is kept might take the next request for that body, or the body for a request.
 */
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
    server.emit('request', request, response);
  });
}
