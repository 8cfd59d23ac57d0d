/** The young part of the heap of the server's process. V8 takes its size at the start of a process alone, or as it is made here. */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Of either half of the young part, in bytes. */
const youngHalf = 4 * 2 ** 20;

/**
 * Lets the young part of this process's heap grow from the two halves of 1 MB that it begins with to 4 MB each, and no further. It would go on to 134 MB by and by;
 * with 1 MB it is gone through four times as often, and with more than 16 all of the heap each time it is full (docs/adr/0020-bodies-given-back.md).
 */
export function holdYoungHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=4');
  // It grows when more than it holds has stayed.
  const staying: object[] = [];
  while (youngBytes() < youngHalf && staying.length < 1e6) {
    for (let i = 0; i < 1_000; i++) staying.push({});
  }
  setFlagsFromString('--semi-space-growth-factor=1');
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
