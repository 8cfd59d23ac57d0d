/** Which colour profiles are let near the library that computes with them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { isPlainProfile } from '../../src/liveness/profile.ts';
import { decodeRaster } from '../../src/liveness/raster.ts';
import { be32, cat, flat, patched } from '../helpers/hostile/file.ts';
import {
  profileAroundSteps,
  profileOf,
  profileOfBytes,
  profileOfSteps,
  withProfile,
} from '../helpers/hostile/profile.ts';

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

  it('is false of them wherever they lie, by whatever name, and however many values there are', () => {
    const chain = cat('mpet', Buffer.alloc(20));
    const plain = cat('text', Buffer.alloc(8));
    const values = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${100 + i}`, plain]));
    for (const count of [0, 1, 99, 150]) {
      assert.equal(isPlainProfile(profileOf(values(count))), true, `${count}`);
      assert.equal(isPlainProfile(profileOf({ ...values(count), desc: chain })), false, `${count}`);
      assert.equal(isPlainProfile(profileOf({ desc: chain, ...values(count) })), false, `${count}`);
    }
    // Also in a value of another, at an odd place, and beyond what the profile says to be its end.
    const within = profileOf({ desc: plain, note: cat('text', [0], chain) });
    const at = within.indexOf('mpet');
    assert.equal(isPlainProfile(within), true);
    assert.equal(isPlainProfile(patched(within, 132 + 4, be32(at, 8))), false);
    assert.equal(isPlainProfile(patched(patched(within, 132 + 4, be32(at, 8)), 0, be32(at))), false);
  });

  it('is true of a text with those letters, and follows none', async () => {
    const profile = profileAroundSteps(50_000);
    assert.equal(isPlainProfile(profile), true);
    const start = process.cpuUsage();
    await decodeRaster(await withProfile(await flat(64, 64).jpeg().toBuffer(), profile, 'jpeg'), 5_000);
    assert.ok(process.cpuUsage(start).user < 1_000_000, 'steps take minutes');
  });

  it('is of what is cut anywhere what it is', () => {
    const profile = profileOfSteps(1);
    for (let length = 0; length <= profile.length; length++) {
      assert.equal(
        isPlainProfile(profile.subarray(0, length)),
        length < profile.indexOf('mpet') + 4,
        `${length}`,
      );
    }
  });

  it('is false of more bytes than any has', () => {
    const [most, more] = [profileOfBytes(4_000_000), profileOfBytes(4_000_004)];
    assert.deepEqual([most.length, more.length], [4_000_000, 4_000_004]);
    assert.equal(isPlainProfile(most), true);
    assert.equal(isPlainProfile(more), false);
  });
});
