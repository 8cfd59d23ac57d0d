/** What image URLs of a soak lead to: a host that serves pictures, and every way in which one may not. */

import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { portraitBytes } from '../../src/dialects/portrait.ts';

const jpeg = (response: ServerResponse) => response.setHeader('content-type', 'image/jpeg');

const answers: Readonly<Record<string, RequestListener>> = {
  '/portrait.jpg': (_request, response) => jpeg(response).end(portraitBytes),
  '/moved': (_request, response) => response.writeHead(302, { location: '/portrait.jpg' }).end(),
  '/in-circles': (_request, response) => response.writeHead(302, { location: '/in-circles' }).end(),
  '/into-the-network': (_request, response) =>
    response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
  '/page.html': (_request, response) => response.setHeader('content-type', 'text/html').end('<html></html>'),
  '/missing': (_request, response) => response.writeHead(404).end(),
  '/broken': (_request, response) => response.socket?.resetAndDestroy(),
  '/silent': () => {},
  // Says more than comes.
  '/cut-off': (_request, response) => {
    jpeg(response).setHeader('content-length', portraitBytes.length);
    response.write(portraitBytes.subarray(0, 1_000), () => response.socket?.destroy());
  },
  '/dripping': (_request, response) => {
    jpeg(response);
    const drops = setInterval(() => response.write('x'), 50);
    response.once('close', () => clearInterval(drops));
  },
  '/endless': (_request, response) => {
    jpeg(response);
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', pour);
    pour();
  },
};

export const imagePaths = Object.keys(answers);

export interface Images {
  /** Host and port. */
  readonly host: string;
  close(): void;
}

export async function serveImages(): Promise<Images> {
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    answers[path]?.(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
