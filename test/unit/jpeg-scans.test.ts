/** The scans of a JPEG, counted as a decoder would come upon them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countScans } from '../../src/liveness/jpeg-scans.ts';
import { drawing } from '../helpers/hostile/file.ts';

const scan = [0xff, 0xda, 0, 4, 1, 2];

describe('countScans', () => {
  it('counts those of encoders', async () => {
    assert.equal(countScans(await drawing().jpeg().toBuffer()), 1);
    // Ten, as libjpeg's own script has them.
    assert.equal(countScans(await drawing().jpeg({ progressive: true }).toBuffer()), 10);
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
