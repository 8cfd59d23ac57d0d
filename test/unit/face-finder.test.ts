/** The build's change to MediaPipe's glue: all code from text is gone, and another version of the package stops the build. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { faceFinderGlue } from '../../console/face-finder.ts';

const name = '@mediapipe/face_detection/face_detection_solution_simd_wasm_bin.js';
const glue = await readFile(createRequire(import.meta.url).resolve(name), 'utf8');
const { filter, handler } = faceFinderGlue().transform as {
  filter: { id: RegExp };
  handler(this: { error(message: string): never }, code: string): { code: string };
};
const build = {
  error(message: string): never {
    throw new Error(message);
  },
};

describe('the glue of the face finder', () => {
  it('is a module that makes no code from text and asks for nothing of Node', () => {
    assert.match(`/node_modules/${name}`, filter.id);
    const { code } = handler.call(build, glue);
    const made = /new Function\(|\(Function,|\beval\(|\brequire\("/g;
    assert.equal(glue.match(made)?.length, 7);
    assert.equal(code.match(made), null);
    assert.ok(code.trimEnd().endsWith('\nexport default createMediapipeSolutionsWasm;'));
  });

  it('stops the build where the package is another', () => {
    assert.throws(() => handler.call(build, glue.replace('var ', 'var  ')), /another than the one/);
  });
});
