import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

/** How large the young part of a process's heap is after a million small objects that stay, in MB. */
async function youngMegabytes(first: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { holdYoungHeap } from '${new URL('../../src/cli/heap.ts', import.meta.url)}';
    ${first}
    const staying = Array.from({ length: 1e6 }, (_, i) => ({ i }));
    const { space_size } = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(space_size / 2 ** 20, staying.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return Number.parseFloat(stdout);
}

describe('holdYoungHeap', () => {
  it('holds both halves at 4 MB', async () => {
    assert.equal(await youngMegabytes('holdYoungHeap();'), 8);
  });

  it('is needed', async () => {
    assert.ok((await youngMegabytes('')) > 8);
  });
});
