/** A server of images, in a process of its own, that sends what it is told to as fast as anybody takes it. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
/** Many small ones: of the bytes that are read at once, as many as there can be. */
const headers = 'a:\r\n'.repeat(16_000);
/** Nearly as long as Node has a head. */
const longHeader = `a: ${'b'.repeat(16_300)}\r\n`;

/** What is sent once, and what then without end, at each path. */
const floods: Readonly<Record<string, readonly [begin: string, piece: string]>> = {
  image: [`${ok}\r\n`, 'a'.repeat(65_536)],
  'early hints': ['', 'HTTP/1.1 103 \r\n\r\n'.repeat(4_000)],
  'early hints of many headers': ['', `HTTP/1.1 103 \r\n${headers}\r\n`],
  'chunks of a byte': [chunked, '1\r\na\r\n'.repeat(11_000)],
  'chunks of 64 bytes': [chunked, `40\r\n${'a'.repeat(64)}\r\n`.repeat(1_000)],
  'chunk extensions': [chunked, '1;a\r\na\r\n'.repeat(8_000)],
  headers: [ok, headers],
  'headers behind a long one': [ok + longHeader, headers],
  trailers: [`${chunked}5\r\nimage\r\n0\r\n`, headers],
  'trailers behind a long one': [`${chunked}5\r\nimage\r\n0\r\n${longHeader}`, headers],
  'redirects of many headers': ['', `HTTP/1.1 302 \r\nlocation: /\r\n${headers}\r\n`],
};

/** Names of the floods that are no image. */
export const kinds = Object.keys(floods).filter((kind) => kind !== 'image');

export interface ImageServer {
  /** Where a flood of this kind comes from. */
  urlOf(kind: string): string;
  stop(): void;
}

export async function startImageServer(): Promise<ImageServer> {
  const server: ChildProcess = fork(fileURLToPath(import.meta.url), ['serve']);
  const [port] = await once(server, 'message');
  return {
    urlOf: (kind) => `http://127.0.0.1:${port}/${encodeURIComponent(kind)}`,
    stop: () => server.disconnect(),
  };
}

if (process.argv[2] === 'serve') {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const [, path = ''] = head.toString('latin1').split(' ');
      // Any path there is not is that of another redirect.
      const [begin, piece] = (floods[decodeURIComponent(path.slice(1))] ??
        floods['redirects of many headers']) as [string, string];
      socket.write(begin);
      const pump = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on('drain', pump);
      pump();
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}
