/** A small disk of a test's own, that can be filled, and that can become read-only under whoever writes to it. */

import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
// Debian has them where only an administrator's PATH looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const as = async (program: string, ...args: string[]) => (await run(program, args, { env })).stdout.trim();

export interface Disk {
  /** Where it is mounted. */
  readonly folder: string;
  /** Leaves no room for anything. */
  fill(): Promise<void>;
  /** Takes that back. */
  free(): Promise<void>;
  /** Makes it read-only as the kernel does when the device fails: amid what is open for writing. */
  fail(): Promise<void>;
  /** Mounts it again, for reading or for both. Nobody may use it. */
  mount(mode: 'ro' | 'rw'): Promise<void>;
  destroy(): Promise<void>;
}

const bytes = 48_000_000;

/** Makes one, as root alone may. */
export async function makeDisk(): Promise<Disk> {
  const home = await mkdtemp(join(tmpdir(), 'bonafide-disk-'));
  const image = join(home, 'image');
  const folder = await mkdtemp(join(tmpdir(), 'bonafide-disk-'));
  const handle = await open(image, 'w');
  await handle.truncate(bytes);
  await handle.close();
  // As on any disk that is not tiny: SQLite relies on a page being one block.
  await as('mkfs.ext4', '-q', '-F', '-b', '4096', image);
  const mount = (mode: 'ro' | 'rw') => as('mount', '-o', `loop,errors=remount-ro,${mode}`, image, folder);
  await mount('rw');
  const filler = join(folder, 'filler');
  return {
    folder,
    async fill() {
      // Once more in small pieces, for what is left between the blocks.
      for (const size of [1_000_000, 4_096]) {
        const piece = Buffer.alloc(size);
        const isFull = (error: NodeJS.ErrnoException) => error.code === 'ENOSPC';
        for (let full = false; !full; ) {
          await writeFile(filler, piece, { flag: 'a', flush: true }).catch((error) => {
            if (!isFull(error)) throw error;
            full = true;
          });
        }
      }
    },
    free: () => rm(filler, { force: true }),
    async fail() {
      // What the kernel still held would be lost, as when the machine dies.
      await as('sync', '-f', folder);
      const device = basename(await as('findmnt', '-n', '-o', 'SOURCE', folder));
      await writeFile(`/sys/fs/ext4/${device}/trigger_fs_error`, '1');
    },
    async mount(mode) {
      await as('umount', folder);
      // What the failure left; 1 says that something was repaired.
      await as('e2fsck', '-fy', image).catch((error) => {
        if (error.code !== 1) throw error;
      });
      await mount(mode);
    },
    async destroy() {
      await as('umount', folder);
      await rm(folder, { recursive: true });
      await rm(home, { recursive: true });
    },
  };
}

/** Why there can be no such disk, loudly, or false. For the `skip` of a test. */
export const noDisk: string | false =
  process.getuid?.() !== 0
    ? 'NOT CHECKED: only root may mount a small disk'
    : await makeDisk().then(
        async (disk) => {
          await disk.destroy();
          return false as const;
        },
        () => 'NOT CHECKED: no small disk can be mounted here (mkfs.ext4, loop devices)',
      );
if (noDisk !== false) process.stderr.write(`${noDisk}\n`);
