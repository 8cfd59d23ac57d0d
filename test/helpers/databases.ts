/** The databases that tests run on: SQLite in a temporary folder, and a Postgres of their own where one is installed. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openStorage, type Storage } from '../../src/storage/database.ts';

const run = promisify(execFile);

/** A Postgres server for one test file. */
export interface PostgresServer {
  /** Makes an empty database, and tells its address. */
  createDatabase(): Promise<string>;
  /** Ends it at once, as a crash would, with everybody's connections. */
  stop(): Promise<void>;
  /** Starts it again, with what it held. */
  start(): Promise<void>;
  /** Ends it and removes all it held. */
  destroy(): Promise<void>;
}

/** Where Debian puts the programs of its newest version, or wherever another installation says they are. */
async function findPrograms(): Promise<string | undefined> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  const debian = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
  const other = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  // Clients come without a server.
  return [...debian, ...other].find((folder) => existsSync(join(folder, 'initdb')));
}

const programs = await findPrograms();

/** Why there is no Postgres to test on, loudly, or false. For the `skip` of a test. */
export const noPostgres: string | false =
  programs === undefined && 'NOT CHECKED: no Postgres is installed (Debian: apt-get install postgresql)';
if (noPostgres !== false) process.stderr.write(`${noPostgres}\n`);

/** Starts a Postgres with an empty cluster in a temporary folder, on a free port of the loopback address. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bonafide-postgres-'));
  const data = join(folder, 'data');
  const password = join(folder, 'password');
  await writeFile(password, 'test');
  // Postgres refuses to run as the superuser, as whom tests may.
  const user = process.getuid?.() === 0 ? await nobody() : undefined;
  if (user !== undefined) {
    await chown(folder, user.uid, user.gid);
    await chown(password, user.uid, user.gid);
  }
  const as = (program: string, ...args: string[]) =>
    run(join(programs as string, program), args, { cwd: folder, ...user });
  const port = await freePort();
  const encoding = ['--encoding', 'UTF8', '--locale', 'C'];
  await as('initdb', '-D', data, '-U', 'test', '--pwfile', password, '-A', 'scram-sha-256', ...encoding);
  // Durable is what a test of a crash of ours needs, not of the machine's: fsync only takes time.
  const settings = `-c listen_addresses=127.0.0.1 -c port=${port} -c fsync=off -c unix_socket_directories='${folder}'`;
  const start = async () => {
    await as('pg_ctl', 'start', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings);
  };
  const stop = async () => {
    await as('pg_ctl', 'stop', '-D', data, '-w', '-m', 'immediate');
  };
  await start();
  let databases = 0;
  let isRunning = true;
  return {
    async createDatabase() {
      const name = `test${databases++}`;
      const env = { ...process.env, PGPASSWORD: 'test' };
      const args = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'test', name];
      await run(join(programs as string, 'createdb'), args, { env });
      return `postgres://test:test@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      await stop();
      isRunning = false;
    },
    async start() {
      await start();
      isRunning = true;
    },
    async destroy() {
      if (isRunning) await stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const id = async (what: string) => Number((await run('id', [what, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A kind of database, and how to come by empty ones. */
export interface Database {
  readonly name: 'SQLite' | 'Postgres';
  readonly skip: string | false;
  /** Before the tests of a file. */
  begin(): Promise<void>;
  /** An empty database; each `open` of it is as by a process of its own. */
  create(): Promise<{ open(): Promise<Storage>; readonly folder: string; readonly url: string | undefined }>;
  /** After the tests of a file. */
  end(): Promise<void>;
}

/** Both databases, for a suite that runs unchanged on each. */
export function databases(): readonly Database[] {
  let postgres: PostgresServer | undefined;
  const folders: string[] = [];
  const emptyFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bonafide-storage-'));
    folders.push(folder);
    return folder;
  };
  const removeFolders = async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  };
  return [
    {
      name: 'SQLite',
      skip: false,
      async begin() {},
      async create() {
        const folder = await emptyFolder();
        return { folder, url: undefined, open: () => openStorage({ folder, create: true }) };
      },
      end: removeFolders,
    },
    {
      name: 'Postgres',
      skip: noPostgres,
      async begin() {
        postgres = await startPostgres();
      },
      async create() {
        const url = await (postgres as PostgresServer).createDatabase();
        const folder = await emptyFolder();
        return { folder, url, open: () => openStorage({ folder, url, create: true }) };
      },
      async end() {
        await postgres?.destroy();
        await removeFolders();
      },
    },
  ];
}
