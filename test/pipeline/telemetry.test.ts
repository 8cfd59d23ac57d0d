/** Models are run without a word to anybody, and without a file. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadRegistry } from '../../src/models/registry.ts';
import { openSession } from '../../src/models/session.ts';
import { valueCount } from '../../src/models/tensor.ts';
import { standardWeights } from '../helpers/weights.ts';

it('onnxruntime keeps no files to report from', async () => {
  const models = await standardWeights();
  const { detector } = (await loadRegistry(models)).profile('standard');
  const folder = mkdtempSync(join(tmpdir(), 'bonafide-telemetry-'));
  // All places it would take.
  for (const variable of ['TMPDIR', 'HOME', 'XDG_CACHE_HOME']) process.env[variable] = folder;
  const session = await openSession(models, detector);
  await session.run(new Float32Array(valueCount(detector.input)));
  // They are there before a session is.
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});
