/** What is installed, and what may run while it is: the lock file, the policy on install scripts, and the container. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
const { scripts, allowScripts, devDependencies } = JSON.parse(await read('package.json'));

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
const { '': _own, ...locked }: Record<string, Locked> = JSON.parse(await read('package-lock.json')).packages;

describe('packages', () => {
  it('are each pinned by their content, wherever they come from', () => {
    for (const [path, { integrity, resolved }] of Object.entries(locked)) {
      assert.match(integrity ?? '', /^sha512-/, path);
      assert.equal(resolved, undefined, path);
    }
  });

  it('run no script when they are installed, but for the Node that develops with', () => {
    const name = (path: string) => path.replace(/^.*node_modules\//, '');
    const withScripts = Object.entries(locked).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    );
    assert.deepEqual(Object.keys(allowScripts).sort(), withScripts.map(([path]) => name(path)).sort());
    const allowed = withScripts.filter(([path]) => allowScripts[name(path)] !== false);
    assert.deepEqual(
      allowed.map(([path, { dev }]) => [name(path), dev]),
      [['node', true]],
    );
  });

  it('that are not listed stop the installation, rather than run their scripts', async () => {
    assert.match(await read('.npmrc'), /^strict-allow-scripts=true$/m);
  });

  it('of ours runs none at its users', () => {
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      assert.ok(!(name in scripts), name);
  });
});

describe('the Dockerfile', () => {
  it('ends as a user without rights, on the Node that the tests run on, and runs no install script', async () => {
    const text = await read('Dockerfile');
    assert.equal([...text.matchAll(/^USER (.*)$/gm)].at(-1)?.[1], '1000:1000');
    const [, major] = /\^(\d+)\./.exec(devDependencies.node) ?? [];
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.deepEqual(new Set(bases), new Set([`node:${major}-slim`]));
    for (const [command] of text.matchAll(/npm (ci|install|pack)[^&\n]*/g))
      assert.match(command, / --ignore-scripts\b/);
  });
});
