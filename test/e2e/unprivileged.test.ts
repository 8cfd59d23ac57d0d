/** A server that may do nothing: no root, and no folder to write to but its own. */

import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { keyed, routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { linkWeights, serveAs } from '../helpers/serve.ts';

const photos = await readPhotos();
/** A user that no machine has. */
const nobody = { uid: 54_321, gid: 54_321 };
/** Only root can become another user, who must be let near the program. */
const canChange =
  process.getuid?.() === 0 &&
  (await isOpenToAll(import.meta.dirname)) &&
  (await isOpenToAll(process.execPath));

let folder: string;
let dataFolder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bonafide-unprivileged-'));
  dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  await linkWeights(dataFolder);
  if (!canChange) return;
  await chmod(folder, 0o755);
  await chown(dataFolder, nobody.uid, nobody.gid);
});
after(() => rm(folder, { recursive: true }));

async function isOpenToAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  return (mode & 0o001) !== 0 && (dirname(path) === path || (await isOpenToAll(dirname(path))));
}

/** Files that a process has open and may write to. */
async function openForWriting(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const found = await Promise.all(
    names.map(async (name) => {
      const [path, info] = await Promise.all([
        readlink(`/proc/${pid}/fd/${name}`).catch(() => ''),
        readFile(`/proc/${pid}/fdinfo/${name}`, 'utf8').catch(() => ''),
      ]);
      const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? '0', 8);
      return path.startsWith('/') && (flags & 3) !== 0 ? [path] : [];
    }),
  );
  return found.flat().filter((path) => !path.startsWith('/dev/') && !path.startsWith('/memfd:'));
}

/** What is nobody's on this machine, but for the server, in the places where everybody may write. */
async function leftBehind(): Promise<string[]> {
  const found = await Promise.all(
    [tmpdir(), '/var/tmp', '/dev/shm'].map(async (place) => {
      const names = await readdir(place).catch(() => []);
      const owned = names.map(async (name) => {
        const owner = (await stat(join(place, name)).catch(() => undefined))?.uid;
        return owner === nobody.uid ? [join(place, name)] : [];
      });
      return (await Promise.all(owned)).flat();
    }),
  );
  return found.flat();
}

const skip = process.platform === 'linux' ? false : 'NOT CHECKED: needs Linux.';

describe('rights', { skip }, () => {
  it('a server needs none but to write to its data folder', async (t) => {
    if (!canChange)
      t.diagnostic('NOT CHECKED as a user without rights: needs root, and a checkout that others may read.');
    // A home and a folder for temporary files that nobody may write to, as in a container whose file system is read-only.
    const env = { ...process.env, HOME: '/proc', TMPDIR: '/proc', XDG_CACHE_HOME: '/proc' };
    const serving = await serveAs({ env, cwd: '/', ...(canChange && nobody) }, dataFolder);
    try {
      const pid = serving.child.pid as number;
      const apiKey = /^ {2}x-api-key +(\S+)$/m.exec(serving.banner)?.[1] ?? assert.fail(serving.banner);
      for (const bytes of [photos.face, photos.body]) {
        const { headers, body } = routes.native.asking(bytes);
        const own = { ...keyed(routes.native, headers), [routes.native.keyHeader]: apiKey };
        const response = await fetch(serving.origin + routes.native.path, {
          method: 'POST',
          headers: own,
          body,
        });
        assert.equal(response.status, 200, await response.text());
      }
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      const pids = [pid, ...children.split(' ').filter(Boolean).map(Number)];
      assert.ok(pids.length > 1);
      const open = (await Promise.all(pids.map(openForWriting))).flat();
      assert.ok(
        open.some((path) => path.endsWith('bonafide.db')),
        'the database is among them',
      );
      assert.deepEqual(
        open.filter((path) => !path.startsWith(dataFolder + sep)),
        [],
      );
      if (canChange) {
        for (const one of pids) {
          const status = await readFile(`/proc/${one}/status`, 'utf8');
          assert.match(status, new RegExp(`^Uid:(\\s+${nobody.uid}){4}$`, 'm'));
          assert.match(status, /^CapEff:\s+0+$/m);
        }
        assert.deepEqual(await leftBehind(), []);
      }
    } finally {
      assert.equal(await serving.stop(), 0, serving.written.join(''));
    }
    assert.deepEqual(await readdir(folder), ['data'], 'nothing beside the data folder');
  });
});
