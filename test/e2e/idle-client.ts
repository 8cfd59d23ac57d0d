/** A client that opens connections and is idle on them: a process of its own, as a process has only so many file descriptors. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Idle {
  readonly port: number;
  readonly count: number;
  /** Sent on each connection; nothing is a client that never asks. */
  readonly text: string;
}

const sockets: Socket[] = [];

process.on('message', async ({ port, count, text }: Idle) => {
  // Some at a time, as the system holds only so many that the server has not taken yet.
  for (let i = 0; i < count; i += 100) {
    const batch = Array.from({ length: Math.min(100, count - i) }, (_, j) =>
      // An address is good for some 28,000 connections to the same port.
      connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + ((i + j) % 20)}` }),
    );
    for (const socket of batch) {
      socket.on('error', () => {}).resume();
      sockets.push(socket);
    }
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    if (text !== '') for (const socket of batch) socket.write(text);
  }
  process.send?.('connected');
});
