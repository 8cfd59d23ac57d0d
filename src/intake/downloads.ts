/**
 * The downloads' front: a thread of its own for them, started with the first, and one clock over each. A thread, because OpenSSL verifies certificates
 * without a pause, and the slowest chains of as many strangers as may be downloaded from at once take seconds (docs/adr/0019-thread-of-downloads.md).
 */

import { Worker } from 'node:worker_threads';
import { IntakeError, type IntakeErrorCode } from './errors.ts';
import {
  maxUrlLength,
  type RemoteImageFetcher,
  type RemoteImageFetcherOptions,
  type RemoteImageRequest,
} from './remote-image.ts';

export type DownloadOrder =
  | {
      readonly kind: 'fetch';
      readonly id: number;
      readonly url: string;
      readonly request: Omit<RemoteImageRequest, 'signal'>;
    }
  /** Nobody waits for this one any more. */
  | { readonly kind: 'abort'; readonly id: number };

export type DownloadAnswer =
  | { readonly kind: 'fetched'; readonly id: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: IntakeErrorCode;
      readonly message: string;
    };

export interface DownloadsOptions extends RemoteImageFetcherOptions {
  /** Milliseconds for a whole download: name resolution, connections, redirects and body together. */
  readonly timeoutMs: number;
  /** Told of a thread that died, with the reason. The next download starts another. */
  readonly onThreadDeath?: (reason: Error) => void;
}

export interface Downloads extends RemoteImageFetcher {
  /** The thread, while there is one, for tests that stop or end it. */
  readonly thread: Worker | undefined;
  /** Ends the thread and, as `url_unreachable`, the downloads under way and every later one. */
  close(): Promise<void>;
}

/** `.ts` in a checkout, `.js` in the published package. */
const threadFile = new URL(
  import.meta.url.endsWith('.ts') ? './download-thread.ts' : './download-thread.js',
  import.meta.url,
);

const unreachable = (cause?: Error) =>
  new IntakeError('url_unreachable', 'The image could not be downloaded.', { cause });

/** A fetcher whose downloads, however much work a stranger makes of them, never keep the caller's event loop from its turn. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { timeoutMs, onThreadDeath, ...workerData } = options;
  const underWay = new Map<number, PromiseWithResolvers<Uint8Array>>();
  let thread: Worker | undefined;
  let nextId = 0;
  let closing = false;

  function startThread(): Worker {
    let reason: Error | undefined;
    return new Worker(threadFile, { workerData })
      .on('message', (answer: DownloadAnswer) => {
        const outcome = underWay.get(answer.id);
        if (answer.kind === 'fetched') outcome?.resolve(answer.bytes);
        else outcome?.reject(new IntakeError(answer.code, answer.message));
      })
      .on('error', (error: Error) => {
        reason = error;
      })
      .on('exit', (code) => {
        thread = undefined;
        reason ??= new Error(`The thread ended with code ${code}.`);
        for (const outcome of underWay.values()) outcome.reject(unreachable(reason));
        if (!closing) onThreadDeath?.(reason);
      });
  }

  function tell(order: DownloadOrder): void {
    thread?.postMessage(order);
  }

  return {
    async fetch(url, { signal, ...request }) {
      signal.throwIfAborted();
      if (closing) throw unreachable();
      try {
        thread ??= startThread();
      } catch (error) {
        // As where the system has no thread left to give.
        onThreadDeath?.(error as Error);
        throw unreachable(error as Error);
      }
      const id = nextId++;
      const outcome = Promise.withResolvers<Uint8Array>();
      const giveUp = (reason: unknown) => {
        outcome.reject(reason);
        tell({ kind: 'abort', id });
      };
      const onAbort = () => giveUp(signal.reason);
      // One clock over everything, as a server that drips bytes resets any timeout between them; and here, as the thread's own would stand still with it.
      const clock = setTimeout(() => {
        giveUp(new IntakeError('url_timeout', `The image could not be downloaded within ${timeoutMs} ms.`));
      }, timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      underWay.set(id, outcome);
      // Of one that is too long, no more than shows it.
      tell({ kind: 'fetch', id, url: url.slice(0, maxUrlLength + 1), request });
      return await outcome.promise.finally(() => {
        underWay.delete(id);
        clearTimeout(clock);
        signal.removeEventListener('abort', onAbort);
      });
    },

    get thread() {
      return thread;
    },

    async close() {
      closing = true;
      await thread?.terminate();
    },
  };
}
