/** What Linux tells of other processes: CPU time and memory of a server and all that it started. */

import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of a clock tick: 100 in a second on every Linux that Node runs on. */
const tickMs = 10;

/** The fields of `/proc/<pid>/stat` after the name, which may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

/** A process and all below it. */
export function treeOf(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? statOf(pid)?.[1] : undefined;
    if (parent === undefined) continue;
    childrenOf.set(Number(parent), [...(childrenOf.get(Number(parent)) ?? []), pid]);
  }
  const below = (pid: number): number[] => [pid, ...(childrenOf.get(pid) ?? []).flatMap(below)];
  return below(root);
}

/** User and system time so far, in ms, to 10 ms for each process. */
export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const fields = statOf(pid);
    if (fields === undefined) throw new Error(`The process ${pid} is gone.`);
    return total + tickMs * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}

/** Resident memory in MB, pages that processes share counted in each. */
export function residentMbOf(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return total + Number(kb) / 1000;
  }, 0);
}

/** The first of the cores that this process may use, as `taskset` takes them. */
export function coreList(count: number): string {
  return allowedCores().slice(0, count).join(',');
}

/** The numbers of the cores that this process may use. */
function allowedCores(): number[] {
  const list = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
