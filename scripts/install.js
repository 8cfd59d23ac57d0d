/** Installs the dependencies where they are missing or older than the lock file. Runs on any Node, before there is one of our own. */

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const changed = (path) =>
  statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes its record of what is installed last, so an interrupted installation counts as none; and so does one that
// left the development tools out.
if (
  changed('node_modules/.package-lock.json') < changed('package-lock.json') ||
  changed('node_modules/node/bin/node') === 0
) {
  console.log('Installing the dependencies from package-lock.json ...');
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? ['npm'] : [process.execPath, npm];
  // The development tools too, whatever NODE_ENV says: the Node that runs it all is one of them.
  const [program, ...args] = [
    ...command,
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  // For an npm too old to know `allowScripts`: onnxruntime would fetch CUDA libraries that nothing here uses.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const { status } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) {
    console.error('The dependencies could not be installed; see the lines above.');
    process.exit(1);
  }
}
