/** The contender's side of a measurement: orders come as lines of JSON, and each is answered with the CPU time it took. */

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Done, Order, PictureOrder } from '../contender.ts';

/**
 * Serves until the input ends. The files are read, and each is done once, before the clock starts; CPU time is that of all threads of the process.
 * @param assess one picture; what it answers is told with the time.
 */
export async function answerOrders(
  assess: (bytes: Uint8Array, picture: PictureOrder) => Promise<unknown>,
): Promise<void> {
  const files = new Map<string, Uint8Array>();
  tell({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const { pictures, times } = JSON.parse(line) as Order;
    for (const { path } of pictures) if (!files.has(path)) files.set(path, await readFile(path));
    // While the others had their turns, memory was given back and caches went cold, which a server at work never is.
    for (const picture of pictures) await assess(files.get(picture.path) as Uint8Array, picture);
    const answers: unknown[] = [];
    const start = process.cpuUsage();
    for (let time = 0; time < times; time++) {
      for (const picture of pictures) {
        answers.push(await assess(files.get(picture.path) as Uint8Array, picture));
      }
    }
    const { user, system } = process.cpuUsage(start);
    tell({ cpuMs: (user + system) / 1000, images: answers.length, answers } satisfies Done);
  }
}

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
