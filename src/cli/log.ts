/** The log on stdout: lines wait for a reader that is slow, and nothing waits for one that has stopped. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, type LoggerOptions, pino } from 'pino';

export interface Log {
  readonly logger: Logger;
  /** Writes what is no line of the log between its lines, and as they are. */
  print(text: string): void;
  /** Resolves when all lines are written, or soon. */
  close(): Promise<void>;
}

/** Bytes of lines that wait; those beyond are lost. Against a reader that stops, and would have all of the memory. */
const maxBytes = 10_000_000;
/** How long the end waits for a reader. */
const endMs = 1_000;

export function openLog(level: LoggerOptions['level'] & string): Log {
  const stream = pino.destination({ dest: 1, sync: false, maxLength: maxBytes });
  // A disk that is full, or a terminal that was closed: the next line tries again. It is nothing to end for.
  stream.on('error', () => {});
  // Before pino's own, which would try for ever to write what is left.
  process.prependListener('exit', () => stream.destroy());
  let isOpen = true;
  const write = (line: string) => {
    if (isOpen) stream.write(line);
  };
  return {
    logger: pino({ level, base: null }, { write }),
    print: write,
    async close() {
      isOpen = false;
      const closed = once(stream, 'close').catch(() => {});
      stream.end();
      await Promise.race([closed, sleep(endMs)]);
    },
  };
}
