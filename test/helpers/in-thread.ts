/** Code run within the one other thread of this process, as a debugger does it. */

import { once } from 'node:events';
import { Session } from 'node:inspector/promises';

/** Has the thread evaluate an expression, once what it is doing is done, and resolves when it has. */
export async function runInThread(expression: string): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    const attached = once(session, 'NodeWorker.attachedToWorker');
    await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    const [{ params }] = await attached;
    const answered = once(session, 'NodeWorker.receivedMessageFromWorker');
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
    await session.post('NodeWorker.sendMessageToWorker', { sessionId: params.sessionId, message });
    await answered;
  } finally {
    session.disconnect();
  }
}

/** Stops the thread for ever, as work without a pause would. */
export const stopThread = () =>
  runInThread('setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))');
