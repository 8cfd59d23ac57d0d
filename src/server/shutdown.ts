/** The end of the HTTP server: whoever is owed an answer gets it, whoever would ask again is told not to, and nobody else holds the process. */

import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Gate } from './gate.ts';

/**
 * How long clients that may ask at any moment have to hear, by an answer, that they are to go elsewhere; and after that how long what is
 * left of strangers' requests has.
 */
const noticeMs = 1_000;
/** How often it is looked whether anybody is connected still. */
const checkMs = 20;

/**
 * Refuses what is new, finishes what is under way, and closes every connection. A connection without a request on it, or with one that is
 * not there yet, is not waited for.
 * @param withinMs after which what is under way is given up.
 */
export async function shutDown(app: FastifyInstance, gate: Gate, withinMs: number): Promise<void> {
  const late = sleep(withinMs, undefined, { ref: false });
  // In this time the port stays open: each answer says that it is the connection's last.
  await Promise.race([Promise.all([gate.drain(), untilNobody(app.server)]), late]);
  const closed = app.close();
  // Node counts a connection that said nothing among those with a request, and for a closed server no time of a client runs out.
  const rest = Promise.all([gate.drain(), sleep(noticeMs)]);
  await Promise.race([closed, rest, late]);
  app.server.closeAllConnections();
  await closed;
}

/** Resolves when nobody is connected any more, or has been told. */
async function untilNobody(server: Server): Promise<void> {
  const end = performance.now() + noticeMs;
  while (performance.now() < end && (await connectionsOf(server)) > 0) await sleep(checkMs);
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}
