/** The client of the load test: a process of its own, so that its work is not on the server's event loop. */

import sharp from 'sharp';
import { keyed, routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';

export interface Load {
  readonly origin: string;
  readonly dialects: readonly (keyof typeof routes)[];
  readonly requests: number;
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
const pictures = [face, body, await sharp(face).resize(640).png().toBuffer()];

async function run({ origin, dialects, requests, concurrency }: Load): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const oneAfterAnother = async () => {
    while (next < requests) {
      const i = next;
      next += 1;
      const name = dialects[i % dialects.length] as keyof typeof routes;
      const route = routes[name];
      const asking = route.asking(pictures[Math.floor(i / dialects.length) % pictures.length] as Buffer);
      const response = await fetch(origin + route.path, {
        method: 'POST',
        headers: keyed(route, asking.headers),
        body: asking.body,
      });
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
