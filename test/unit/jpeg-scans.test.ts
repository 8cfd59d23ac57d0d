/** The scans of a JPEG, counted as a decoder would come upon them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readScans } from '../../src/liveness/jpeg-scans.ts';
import { cat, drawing } from '../helpers/hostile/file.ts';
import { segmentsOf } from '../helpers/hostile/jpeg.ts';

const scan = [0xff, 0xda, 0, 4, 1, 2];

/** One of one component, and of all its coefficients. */
const sequential = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];

/** What becomes of a JPEG of these segments, without the markers of its beginning and its end. */
function mended(...segments: number[]): number[] {
  return [...readScans(Uint8Array.from([0xff, 0xd8, ...segments, 0xff, 0xd9])).jpeg].slice(2, -2);
}

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

  it('looks no further than at a sequential scan of all components', () => {
    const frame = (code: number) => [0xff, code, 0, 11, 8, 0, 9, 0, 9, 1, 1, 0x11, 0];
    const jpeg = (code: number) =>
      Uint8Array.from([0xff, 0xd8, ...frame(code), ...sequential, 7, ...sequential]);
    assert.equal(countScans(jpeg(0xc0)), 1);
    assert.equal(countScans(jpeg(0xc2)), 2);
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

  it('leaves them between scans, where something would be lost with them', () => {
    const comment = [0xff, 0xfe, 0, 3, 1];
    const jpeg = Uint8Array.from([0xff, 0xd8, ...scan, 1, ...comment, 0, ...scan, 2, 0xff, 0xd9]);
    assert.equal(readScans(jpeg).jpeg, jpeg);
  });

  it('mends a version of JFIF that there is not', () => {
    const jfif = (major: number) => [
      0xff,
      0xe0,
      0,
      16,
      ...Buffer.from('JFIF\0'),
      major,
      2,
      0,
      0,
      1,
      0,
      1,
      0,
      0,
    ];
    for (const major of [0, 1, 2, 255]) {
      assert.deepEqual(mended(...jfif(major), ...scan, 7), [...jfif(1), ...scan, 7], `${major}`);
    }
    // Neither is one to libjpeg.
    for (const other of [
      [0xff, 0xe0, 0, 15, ...jfif(2).slice(4, -1)],
      [0xff, 0xe1, ...jfif(2).slice(2)],
    ]) {
      assert.deepEqual(mended(...other, ...scan, 7), [...other, ...scan, 7]);
    }
  });

  it('mends a way of coding colours that Adobe does not have, wherever it stands', () => {
    const adobe = (transform: number) => [
      0xff,
      0xee,
      0,
      14,
      ...Buffer.from('Adobe'),
      0,
      100,
      0,
      0,
      0,
      0,
      transform,
    ];
    const frameOf = (components: number) => {
      const each = Array.from({ length: components }, (_, id) => [id, 0x11, 0]).flat();
      return [0xff, 0xc0, 0, 8 + each.length, 8, 0, 9, 0, 9, components, ...each];
    };
    for (const [components, kept, instead] of [
      [3, [0, 1], 1],
      [4, [0, 2], 2],
    ] as const) {
      for (const transform of [0, 1, 2, 77, 255]) {
        const expected = (kept as readonly number[]).includes(transform) ? transform : instead;
        const frame = frameOf(components);
        const rest = [...sequential, 7];
        assert.deepEqual(mended(...adobe(transform), ...frame, ...rest), [
          ...adobe(expected),
          ...frame,
          ...rest,
        ]);
        assert.deepEqual(mended(...frame, ...adobe(transform), ...rest), [
          ...frame,
          ...adobe(expected),
          ...rest,
        ]);
      }
    }
  });

  it('mends what scans of sequential pictures say of coefficients, and of no others', () => {
    const frame = (code: number) => [0xff, code, 0, 14, 8, 0, 9, 0, 9, 2, 1, 0x11, 0, 2, 0x11, 0];
    const second = sequential.with(5, 2);
    const stating = (...stated: number[]) => [
      ...[...sequential.slice(0, -3), ...stated, 7],
      ...[...second.slice(0, -3), ...stated, 7],
    ];
    for (const stated of [
      [0, 0, 0],
      [0, 62, 0],
      [1, 63, 0],
      [0, 63, 0x10],
      [0, 63, 1],
    ]) {
      for (const code of [0xc0, 0xc1]) {
        const both = stating(...stated);
        assert.deepEqual(mended(...frame(code), ...both), [...frame(code), ...stating(0, 63, 0)]);
        const { isWhole } = readScans(Uint8Array.from([0xff, 0xd8, ...frame(code), ...both]));
        assert.equal(isWhole, true);
      }
      const other = [...frame(0xc2), ...stating(...stated)];
      assert.deepEqual(mended(...other), other);
    }
  });

  it('refuses what is odd at many places', () => {
    const places = (count: number) =>
      mended(...Array.from({ length: count }, () => [0, 0xff, 0xfe, 0, 3, 1]).flat(), ...scan, 7);
    assert.equal(places(16).length, 16 * 5 + scan.length + 1);
    assert.throws(() => places(17), /odd at many places/);
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
