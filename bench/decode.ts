/** libjpeg-turbo in C, as its own command: the least that reading a photograph can cost. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';

const run = promisify(execFile);

/** Two loops over files, each with the CPU time of its children and of the shell around them. */
const script = `
TIMEFORMAT='%3U %3S'
count=$1; tiny=$2; shift 2
time for ((i = 0; i < count; i++)); do for file in "$@"; do djpeg -outfile /dev/null "$file"; done; done
time for ((i = 0; i < count; i++)); do for file in "$@"; do djpeg -outfile /dev/null "$tiny"; done; done
`;

/**
 * @param folder to put a tiny picture in.
 * @returns what measures the decoding of files in ms of CPU per file, so many times over; the start of the command, which the same number
 *   of tiny pictures costs, is taken off. Undefined without `djpeg` and `bash`.
 */
export async function findDecoder(
  folder: string,
): Promise<((paths: readonly string[], times: number) => Promise<number>) | undefined> {
  try {
    await run('djpeg', ['-version']);
    await run('bash', ['-c', 'true']);
  } catch {
    return undefined;
  }
  const tiny = join(folder, 'tiny.jpg');
  await writeFile(
    tiny,
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } })
      .jpeg()
      .toBuffer(),
  );
  return async (paths, times) => {
    const { stderr } = await run('bash', ['-c', script, 'bash', String(times), tiny, ...paths]);
    const [user, system, tinyUser, tinySystem] = stderr.trim().split(/\s+/).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return (1000 * (user + system - tinyUser - tinySystem)) / (times * paths.length);
  };
}
