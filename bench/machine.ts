/** The machine and the versions that a run is of. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

export type Machine = Readonly<Record<string, string | number>>;

const root = join(import.meta.dirname, '..');

export function describeMachine(): Machine {
  return {
    CPU: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    'vector instructions': vectorInstructions(),
    'memory (GB)': Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    Node: process.versions.node,
    onnxruntime: versionOf('onnxruntime-node'),
    sharp: versionOf('sharp'),
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The widest that networks can use. */
function vectorInstructions(): string {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
    const known = ['sse4_2', 'avx', 'avx2', 'avx512f', 'avx512_vnni', 'amx_int8'];
    return known.filter((flag) => flags.includes(flag)).join(', ') || 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Read from the folder: not every package lets its package.json be imported. */
function versionOf(name: string): string {
  const text = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes';
    return git('rev-parse', '--short=10', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}
