/** Connections on which a test sends what it likes, byte for byte. */

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { TestServer } from './server.ts';

/** What came over a connection until the server closed it, or said no more for a while. */
export interface Heard {
  readonly text: string;
  /** Of the answers, in their order. */
  readonly statuses: number[];
  readonly isClosed: boolean;
}

/** @param localAddress of the client, one of 127.0.0.0/8. */
export async function open(server: Pick<TestServer, 'origin'>, localAddress = '127.0.0.1'): Promise<Socket> {
  const { hostname: host, port } = new URL(server.origin);
  const socket = connectTcp({ host, port: Number(port), localAddress });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/**
 * Listens until the server closes the connection, or so many answers came and none for a moment after.
 * @param answers that are expected; what comes beyond them is heard as well.
 */
export async function hear(socket: Socket, answers = Number.POSITIVE_INFINITY): Promise<Heard> {
  let text = '';
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  const enough = Promise.withResolvers<void>();
  socket.on('data', (bytes) => {
    text += bytes;
    if (statuses().length >= answers) setTimeout(enough.resolve, 50);
  });
  // Not `once` of events, which takes a reset for a failure of the test.
  const closed = new Promise<true>((resolve) => {
    if (socket.closed) resolve(true);
    else socket.once('close', () => resolve(true));
  });
  const isClosed = await Promise.race([
    closed,
    enough.promise.then(() => false),
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`Neither an answer nor an end came: ${text}`)), 10_000).unref();
    }),
  ]);
  socket.destroy();
  return { text, statuses: statuses(), isClosed };
}

/** Resolves when no more connections than these are left; rejects when that takes long. */
export async function untilConnections(server: TestServer, left: number): Promise<void> {
  const end = performance.now() + 10_000;
  for (;;) {
    const count = await connectionsOf(server);
    if (count <= left) return;
    if (performance.now() > end) throw new Error(`${count} connections are left.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function connectionsOf({ app }: TestServer): Promise<number> {
  return new Promise((resolve, reject) =>
    app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
