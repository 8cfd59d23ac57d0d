/** The client of the load test: a process of its own, so that its work is not on the server's event loop. */

import sharp from 'sharp';
import { keyed, routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';

export interface Load {
  readonly origin: string;
  readonly dialects: readonly (keyof typeof routes)[];
  readonly count: number;
  /** Requests under way at once. */
  readonly concurrency: number;
}

export interface Outcome {
  readonly route: keyof typeof routes;
  readonly status: number;
  readonly body: unknown;
}

/** What the client tells: after each answer their number so far, and at the end all of them. */
export type Report = { readonly answered: number } | { readonly outcomes: Outcome[] };

const { face, body } = await readPhotos();
const pictures = [face, body, await sharp(face).png().toBuffer()];

interface Request {
  readonly path: string;
  readonly init: RequestInit;
}

/** Made once each: on two cores, what the client works the server cannot. */
const made = new Map<string, Request>();

function requestOf(name: keyof typeof routes, picture: number): Request {
  const id = `${name} ${picture}`;
  const known = made.get(id);
  if (known !== undefined) return known;
  const route = routes[name];
  const { headers, body } = route.asking(pictures[picture] as Buffer);
  const request = { path: route.path, init: { method: 'POST', headers: keyed(route, headers), body } };
  made.set(id, request);
  return request;
}

async function run({ origin, dialects, count, concurrency }: Load): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const oneAfterAnother = async () => {
    while (next < count) {
      const i = next;
      next += 1;
      const name = dialects[i % dialects.length] as keyof typeof routes;
      const { path, init } = requestOf(name, Math.floor(i / dialects.length) % pictures.length);
      const response = await fetch(origin + path, init);
      outcomes.push({ route: name, status: response.status, body: await response.json() });
      process.send?.({ answered: outcomes.length } satisfies Report);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, oneAfterAnother));
  return outcomes;
}

process.on('message', async (load: Load) => {
  process.send?.({ outcomes: await run(load) } satisfies Report);
});
