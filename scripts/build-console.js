/** Builds the console where it is missing or older than its sources. Runs before npm start and npm test. */

import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const folder = fileURLToPath(new URL('../console/', import.meta.url));
const lock = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const index = `${folder}dist/index.html`;
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const sources = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => !entry.parentPath.startsWith(`${folder}dist`) && entry.name !== 'dist')
  .map((entry) => changed(`${entry.parentPath}/${entry.name}`));

if (changed(index) < Math.max(changed(lock), ...sources)) {
  console.log('Building the console ...');
  // The page is what tells that it was built: of a build that was broken off none is left.
  rmSync(index, { force: true });
  await build({ configFile: `${folder}vite.config.ts`, logLevel: 'warn' });
  utimesSync(index, new Date(), new Date());
}
