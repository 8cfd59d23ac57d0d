/** How long this process's event loop works without a pause, whatever else the machine does. */

const everyMs = 10;

/**
 * Starts measuring; what comes back ends it.
 *
 * Between two turns of a timer the loop may work on anything, and who comes meanwhile waits so long. That is counted in CPU time of this
 * thread, as time on the clock has the machine's other work in it; what waits for a disk is not counted.
 * @returns the 99th percentile of the CPU time between two turns, in milliseconds; of a free loop a few, and `everyMs` where it never rests.
 */
export function measureLoop(): () => number {
  const taken: number[] = [];
  let before = used();
  const timer = setInterval(() => {
    const now = used();
    taken.push(now - before);
    before = now;
  }, everyMs);
  return () => {
    clearInterval(timer);
    taken.push(used() - before);
    taken.sort((a, b) => a - b);
    return taken[Math.floor(taken.length * 0.99)] as number;
  };
}

/** CPU time of this thread so far, in milliseconds. */
function used(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
