/** Loaded into the server's process by `--import`: how long its event loop keeps others waiting, told by message when asked. */

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks; what is told is how much later than that a look came. */
const resolution = 10;

export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const delay = monitorEventLoopDelay({ resolution });

process.on('message', (message) => {
  if (message === 'watch') {
    delay.reset();
    delay.enable();
  } else if (message === 'tell') {
    delay.disable();
    const late = (ns: number) => Math.max(0, ns / 1e6 - resolution);
    process.send?.({
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
    } satisfies LoopDelay);
  }
});
// Whoever this was loaded into may end as if it were not there.
process.channel?.unref();
