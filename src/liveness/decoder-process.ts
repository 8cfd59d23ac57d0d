/** How a process that decodes photographs takes memory: its environment and the options of Node. */

import { familySync, GLIBC, versionSync } from 'detect-libc';
import type { DecodeLimits } from './decode.ts';

/**
 * How workers take memory from the system. By default a block as large as a frame comes from it anew each time, and a fifth of the
 * decode stage went into the page faults of that; blocks of up to 64 MiB are kept for the next frame instead, in one heap, of which twice that
 * may lie free: at its end there is more than the last frame (docs/adr/0016-frames-in-place.md). Older versions of glibc (before 2.35) refuse such a threshold and would take the rest for worse; other C libraries
 * know nothing of it.
 */
const allocator: Readonly<Record<string, string>> =
  familySync() === GLIBC && Number(versionSync()?.split('.')[1]) >= 35
    ? {
        MALLOC_ARENA_MAX: '1',
        MALLOC_MMAP_THRESHOLD_: `${64 * 2 ** 20}`,
        MALLOC_TRIM_THRESHOLD_: `${128 * 2 ** 20}`,
      }
    : {};

/**
 * How a process that decodes is started: its environment, in place of what it would have of the same name, and the options of Node.
 *
 * The garbage collector counts a frame, and by default goes through the whole heap whenever it is twice what it was: with large
 * photographs for each of them, although the frame itself is given back by `free`. It waits for more than the largest frame instead.
 */
export function decoderProcess({ maxPixels }: DecodeLimits): {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: string[];
} {
  const largestFrame = Math.ceil((3 * maxPixels) / 2 ** 20);
  return {
    env: allocator,
    execArgv: [
      `--initial-old-space-size=${largestFrame + 64}`,
      // What is young is collected more often for it, as its garbage has large buffers: 25 MB less at the same cost.
      '--max-semi-space-size=4',
      // By that signal Node opens a debugger to every local user.
      '--disable-sigusr1',
    ],
  };
}
