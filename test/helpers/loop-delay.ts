/** The delay of this process's event loop beside that of an idle process, which tells what the machine itself adds. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const resolution = 10;

export interface LoopDelays {
  /** 99th percentile in milliseconds, with the 10 that the measure itself takes. */
  readonly own: number;
  /** The same of a process that does nothing else. */
  readonly idle: number;
}

/**
 * Starts measuring; what comes back ends it.
 * An event loop is delayed by its own work and by whoever else has the cores. A busy machine delays the idle process as
 * well, so the difference is what this process did to itself.
 */
export async function measureLoopDelay(): Promise<() => Promise<LoopDelays>> {
  const bystander = fork(fileURLToPath(import.meta.url), ['bystander']);
  await once(bystander, 'message');
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  return async () => {
    delay.disable();
    const told = once(bystander, 'message');
    bystander.send('stop');
    const [idle] = await told;
    const exited = once(bystander, 'exit');
    bystander.disconnect();
    await exited;
    return { own: delay.percentile(99) / 1e6, idle };
  };
}

if (process.argv[2] === 'bystander') {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  process.on('message', () => {
    delay.disable();
    process.send?.(delay.percentile(99) / 1e6);
  });
  process.send?.('measuring');
}
