/** What the kernel knows of other processes. Linux alone has it where it is looked for here. */

import { readdir, readFile } from 'node:fs/promises';

/** Why processes cannot be looked at, loudly, or false. For the `skip` of a test. */
export const noProc: string | false =
  process.platform !== 'linux' && 'NOT CHECKED: only Linux tells of processes in /proc';
if (noProc !== false) process.stderr.write(`${noProc}\n`);

/** What one process holds. */
export interface Held {
  /** Resident memory in bytes. */
  readonly rss: number;
  /** Open files, sockets and pipes. */
  readonly fds: number;
  readonly threads: number;
}

/** The processes that one has begun and that have not ended: of a server, its workers. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = text.split(' ').filter(Boolean).map(Number);
  const states = await Promise.all(pids.map(stateOf));
  return pids.filter((_, i) => states[i] !== undefined && states[i] !== 'Z');
}

/** @returns undefined where it has ended. */
export async function heldBy(pid: number): Promise<Held | undefined> {
  try {
    const [status, fds] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const rss = number('VmRSS') * 1024;
    return Number.isNaN(rss) ? undefined : { rss, fds: fds.length, threads: number('Threads') };
  } catch {
    return undefined;
  }
}

async function stateOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^State:\s+(\S)/m.exec(status)?.[1];
}
