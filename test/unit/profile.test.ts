/** Which colour profiles are let near the library that computes with them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { isPlainProfile } from '../../src/liveness/profile.ts';
import { flat } from '../helpers/hostile/file.ts';
import { profileOfBytes, profileOfSteps } from '../helpers/hostile/profile.ts';

describe('isPlainProfile', () => {
  it('is true of those of editors', async () => {
    for (const name of ['srgb', 'p3', 'cmyk']) {
      const { icc } = await sharp(await flat(8, 8).withIccProfile(name).jpeg().toBuffer()).metadata();
      assert.ok(icc !== undefined && isPlainProfile(icc), name);
    }
  });

  it('is false of steps that may lie in one place, however few', () => {
    assert.equal(isPlainProfile(profileOfSteps(1)), false);
    const larger = Buffer.concat([Buffer.alloc(7), profileOfSteps(1), Buffer.alloc(9)]);
    assert.equal(isPlainProfile(larger.subarray(7, -9)), false);
  });

  it('is false of more bytes than any has', () => {
    const [most, more] = [profileOfBytes(4_000_000), profileOfBytes(4_000_004)];
    assert.deepEqual([most.length, more.length], [4_000_000, 4_000_004]);
    assert.equal(isPlainProfile(most), true);
    assert.equal(isPlainProfile(more), false);
  });
});
