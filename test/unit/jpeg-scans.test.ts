/** The scans of a JPEG, counted as a decoder would come upon them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readScans } from '../../src/liveness/jpeg-scans.ts';
import { cat, drawing } from '../helpers/hostile/file.ts';
import { segmentsOf } from '../helpers/hostile/jpeg.ts';

const scan = [0xff, 0xda, 0, 4, 1, 2];

const countScans = (jpeg: Uint8Array) => readScans(jpeg).count;

describe('readScans', () => {
  it('counts those of encoders', async () => {
    assert.equal(countScans(await drawing().jpeg().toBuffer()), 1);
    // Ten, as libjpeg's own script has them.
    assert.equal(countScans(await drawing().jpeg({ progressive: true }).toBuffer()), 10);
  });

  it('looks no further than at one too many', async () => {
    const jpeg = await drawing().jpeg({ progressive: true }).toBuffer();
    assert.equal(readScans(jpeg, 10).count, 10);
    assert.equal(readScans(jpeg, 4).count, 5);
  });

  it('passes over data, restarts and fill bytes', () => {
    const data = [1, 0xff, 0, 0xff, 0xd0, 7, 0xff, 0xd7, 0xff, 0x01];
    const jpeg = [0xff, 0xd8, ...scan, ...data, 0xff, 0xff, 0xff, ...scan, ...data, 0xff, 0xd9];
    assert.equal(countScans(Uint8Array.from(jpeg)), 2);
  });

  it('takes what is reserved for no segment, behind whose length scans could hide', () => {
    for (const code of [0x02, 0x4f, 0xbf]) {
      const gap = [0xff, code, 0xff, 0xff, 0xff, 0xd0];
      assert.equal(countScans(Uint8Array.from([0xff, 0xd8, ...scan, 1, ...gap, 2, ...scan, ...scan])), 3);
    }
  });

  it('does not look into segments, nor behind the end', () => {
    const comment = [0xff, 0xfe, 0, 2 + scan.length, ...scan];
    const jpeg = [0xff, 0xd8, ...comment, ...scan, 0xff, 0xd9, ...scan];
    assert.equal(countScans(Uint8Array.from(jpeg)), 1);
  });

  it('drops bytes of no segment before the first scan, and nothing else', () => {
    const filled = [0xff, 0xff, 0xff, 0xfe, 0, 3, 1];
    const comment = [0xff, 0xfe, 0, 3, 1];
    const rest = [...scan, 1, 0xff, 0, 2, 0xff, 0xd9, 7, 7];
    const sound = Uint8Array.from([0xff, 0xd8, ...filled, ...comment, ...rest]);
    assert.equal(readScans(sound).jpeg, sound);
    for (const stray of [[0], [0, 0, 0, 0], [0xff, 0, 7], [0xff, 0], [7, 0xff]]) {
      const jpeg = [0xff, 0xd8, ...filled, ...stray, ...comment, ...stray, ...rest];
      assert.deepEqual(readScans(Uint8Array.from(jpeg)).jpeg, Buffer.from(sound), `${stray}`);
    }
  });

  it('refuses them at many places and between scans, where something would be lost with them', () => {
    const comment = [0xff, 0xfe, 0, 3, 1];
    const places = (count: number) =>
      Uint8Array.from([
        0xff,
        0xd8,
        ...Array(count)
          .fill([0, ...comment])
          .flat(),
        ...scan,
        1,
        0xff,
        0xd9,
      ]);
    assert.equal(countScans(places(16)), 1);
    assert.throws(() => readScans(places(17)), /at many places/);
    const jpeg = [0xff, 0xd8, ...scan, 1, ...comment, 0, ...scan, 2, 0xff, 0xd9];
    assert.throws(() => readScans(Uint8Array.from(jpeg)), /between its scans/);
  });

  it('tells whether something of a component is never said', async () => {
    for (const progressive of [false, true]) {
      for (const jpeg of [
        await drawing().jpeg({ progressive }).toBuffer(),
        await drawing().jpeg({ progressive, optimizeScans: progressive }).toBuffer(),
        await drawing().toColourspace('b-w').jpeg({ progressive }).toBuffer(),
        await drawing().toColourspace('cmyk').jpeg({ progressive }).toBuffer(),
      ]) {
        assert.equal(readScans(jpeg).isWhole, true);
        for (const { at } of segmentsOf(jpeg).filter(({ marker }) => marker === 0xda)) {
          assert.equal(readScans(cat(jpeg.subarray(0, at), [0xff, 0xd9])).isWhole, false);
        }
      }
    }
  });

  it('ends with what is cut anywhere', () => {
    const jpeg = Uint8Array.from([0xff, 0xd8, ...scan, 1, 0xff, 0, ...scan, 0xff, 0xd9]);
    for (let length = 0; length < jpeg.length; length++) {
      assert.ok(countScans(jpeg.subarray(0, length)) <= 2, `${length}`);
    }
    assert.equal(countScans(Buffer.from('zzz\xff\xd8', 'latin1').subarray(3)), 0);
    // A length of 0 or 1 is none, and must not be stayed at.
    assert.equal(countScans(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 1])), 0);
  });
});
