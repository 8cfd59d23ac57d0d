/** The thread that downloads: what `downloads.ts` asks for, `remote-image.ts` does. */

import { parentPort, workerData } from 'node:worker_threads';
import type { DownloadAnswer, DownloadOrder } from './downloads.ts';
import type { IntakeError } from './errors.ts';
import { createRemoteImageFetcher } from './remote-image.ts';

const fetcher = createRemoteImageFetcher(workerData);
const underWay = new Map<number, AbortController>();

async function obey(order: DownloadOrder): Promise<void> {
  const { kind, id } = order;
  if (kind === 'abort') {
    underWay.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  underWay.set(id, controller);
  try {
    const bytes = await fetcher.fetch(order.url, { ...order.request, signal: controller.signal });
    // Handed over, not copied.
    parentPort?.postMessage({ kind: 'fetched', id, bytes } satisfies DownloadAnswer, [
      bytes.buffer as ArrayBuffer,
    ]);
  } catch (error) {
    // Who aborted it was answered then.
    if (controller.signal.aborted) return;
    const { code, message } = error as IntakeError;
    parentPort?.postMessage({ kind: 'failed', id, code, message } satisfies DownloadAnswer);
  } finally {
    underWay.delete(id);
  }
}

parentPort?.on('message', obey);
