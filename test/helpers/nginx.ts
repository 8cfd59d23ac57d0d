/** Debian's nginx before servers, with the configuration that the documents tell of, in a temporary folder and never as a service. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';

const documented = join(import.meta.dirname, '..', '..', 'docs', 'nginx.conf');

// Debian has it where only an administrator's PATH looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** Why there is no nginx to test with, loudly, or false. For the `skip` of a test. */
export const noNginx: string | false = await promisify(execFile)('nginx', ['-v'], { env }).then(
  () => false,
  () => 'NOT CHECKED: no nginx is installed (Debian: apt-get install nginx-light)',
);
if (noNginx !== false) process.stderr.write(`${noNginx}\n`);

export interface Nginx {
  readonly origin: string;
  /** What it wrote of errors. */
  errors(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts it with `docs/nginx.conf` as it is but for the addresses, and resolves when it listens.
 * @param ports of the servers on the loopback address.
 */
export async function startNginx(ports: readonly [number, number]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'bonafide-nginx-'));
  const port = await freePort();
  const sites = (await readFile(documented, 'utf8'))
    .replace('127.0.0.1:8081', `127.0.0.1:${ports[0]}`)
    .replace('127.0.0.1:8082', `127.0.0.1:${ports[1]}`)
    .replace('listen 80;', `listen 127.0.0.1:${port};`);
  const log = join(folder, 'error.log');
  const path = join(folder, 'nginx.conf');
  await writeFile(join(folder, 'bonafide.conf'), sites);
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  await writeFile(
    path,
    `daemon off; pid ${join(folder, 'pid')}; error_log ${log}; worker_processes 1;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events {} http { access_log off; ${kept.join(' ')} include ${join(folder, 'bonafide.conf')}; }`,
  );
  const child = spawn('nginx', ['-c', path, '-p', folder, '-e', log], { env, stdio: 'inherit' });
  await listening(child, port);
  return {
    origin: `http://127.0.0.1:${port}`,
    errors: () => readFile(log, 'utf8'),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}.`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(20);
  }
}
