/** How a process that decodes photographs is started: how it takes its turns on a core, and how it takes memory. */

import { spawnSync } from 'node:child_process';
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

let batch: readonly string[] | undefined;

/**
 * What starts a program under Linux's policy for those at work, which has no thread that was woken put another off its core. The decoder and who waits for it are two
 * threads, and the first wakes the second after each strip of rows (docs/adr/0021-workers-as-batch.md). Nothing where there is no `chrt`, as on other systems, or where it may not.
 */
function asBatch(): readonly string[] {
  batch ??= spawnSync('chrt', ['-b', '0', 'true']).status === 0 ? ['chrt', '-b', '0'] : [];
  return batch;
}

/**
 * How a process that decodes is started: the program and its arguments before any others, and its environment, in place of what it would have of the same
 * name.
 *
 * The garbage collector counts a frame, and by default goes through the whole heap whenever it is twice what it was: with large
 * photographs for each of them, although the frame itself is given back by `free`. It waits for more than the largest frame instead.
 */
export function decoderProcess({ maxPixels }: DecodeLimits): {
  readonly env: Readonly<Record<string, string>>;
  readonly execPath: string;
  readonly execArgv: string[];
} {
  const largestFrame = Math.ceil((3 * maxPixels) / 2 ** 20);
  const [execPath = process.execPath, ...before] = [...asBatch(), process.execPath];
  return {
    env: allocator,
    execPath,
    execArgv: [
      ...before,
      `--initial-old-space-size=${largestFrame + 64}`,
      // What is young is collected more often for it, as its garbage has large buffers: 25 MB less at the same cost.
      '--max-semi-space-size=4',
      // By that signal Node opens a debugger to every local user.
      '--disable-sigusr1',
    ],
  };
}
