/** Material for tests that lies beside the repository on machines that have it: pictures and models not ours to publish. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const shared = join(import.meta.dirname, '..', '..', '..', 'shared');

/** `pad`: labelled pictures with `manifest.csv`; `models`: ONNX files. Absent on a machine that has only the repository. */
export function sharedFolder(name: 'pad' | 'models'): string | undefined {
  const folder = join(shared, name);
  return existsSync(folder) ? folder : undefined;
}

/** For the `skip` of a test that needs the folder. A check left out must not look like one that passed, so it is loud. */
export function skipReason(name: 'pad' | 'models'): string | false {
  if (sharedFolder(name) !== undefined) return false;
  const reason = `NOT CHECKED: there is no ../shared/${name} beside the repository`;
  console.warn(`\n*** ${reason} ***\n`);
  return reason;
}
