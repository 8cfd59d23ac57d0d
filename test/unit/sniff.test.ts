/** Formats told apart by their first bytes, and everything else refused. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imageFormats, sniffFormat } from '../../src/liveness/sniff.ts';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** An ISO media file's first box: major brand, minor version, compatible brands. */
function ftyp(major: string, compatible: readonly string[] = [], minor = '\0\0\0\0'): Uint8Array {
  const body = `ftyp${major}${minor}${compatible.join('')}`;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 4);
  return Uint8Array.from(Buffer.concat([size, Buffer.from(body, 'latin1')]));
}

const heads = {
  jpeg: ['\xff\xd8\xff\xe0\0\x10JFIF\0', '\xff\xd8\xff\xe1\0\x18Exif\0\0', '\xff\xd8\xff\xdb\0\x43\0'],
  png: ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
  webp: ['RIFF\x24\0\0\0WEBPVP8 ', 'RIFF\x24\0\0\0WEBPVP8X'],
  gif: ['GIF87a\x01\0\x01\0', 'GIF89a\x01\0\x01\0'],
  tiff: ['II*\0\x08\0\0\0', 'MM\0*\0\0\0\x08'],
} as const;

describe('sniffFormat', () => {
  for (const [format, texts] of Object.entries(heads)) {
    it(`knows ${format}`, () => {
      for (const text of texts) assert.equal(sniffFormat(bytes(text)), format, JSON.stringify(text));
    });
  }

  it('knows every admissible format', () => {
    const known = new Set([...Object.keys(heads), 'heic', 'avif']);
    assert.deepEqual([...imageFormats].sort(), [...known].sort());
  });

  it('knows HEIC and AVIF by the major brand', () => {
    for (const brand of ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis']) {
      assert.equal(sniffFormat(ftyp(brand)), 'heic', brand);
    }
    for (const brand of ['avif', 'avis']) assert.equal(sniffFormat(ftyp(brand)), 'avif', brand);
  });

  it('knows them by a compatible brand where the major one is general', () => {
    assert.equal(sniffFormat(ftyp('mif1', ['mif1', 'heic'])), 'heic');
    assert.equal(sniffFormat(ftyp('mif1', ['mif1', 'miaf', 'MA1B', 'avif'])), 'avif');
    assert.equal(sniffFormat(ftyp('msf1', ['hevc'])), 'heic');
  });

  it('passes over a minor version of any bytes', () => {
    for (const minor of ['\n\n\n\n', '\0\n\0\0', '\xff\xfe\r\n', '1234']) {
      assert.equal(sniffFormat(ftyp('mif1', ['mif1', 'heic'], minor)), 'heic', JSON.stringify(minor));
    }
  });

  it('looks for brands within the first box alone', () => {
    const mp4 = ftyp('mp42', ['isom']);
    assert.equal(sniffFormat(Uint8Array.from([...mp4, ...ftyp('heic')])), undefined);
    // Brands stand at every fourth byte: letters that straddle two of them are none.
    assert.equal(sniffFormat(ftyp('isom', ['xxhe', 'icxx'])), undefined);
  });

  it('refuses other media of the same container', () => {
    for (const brand of ['isom', 'mp42', 'qt  ', 'M4A ', 'mif1', 'crx ']) {
      assert.equal(sniffFormat(ftyp(brand)), undefined, brand);
    }
  });

  it('survives a first box of a wrong size', () => {
    for (const size of [0, 1, 7, 8, 9, 15, 0x7fffffff, 0xffffffff]) {
      const head = ftyp('mp42', ['isom']);
      new DataView(head.buffer).setUint32(0, size);
      assert.equal(sniffFormat(head), undefined, `${size}`);
    }
    const endless = ftyp('heic');
    new DataView(endless.buffer).setUint32(0, 0xffffffff);
    assert.equal(sniffFormat(endless), 'heic');
  });

  it('takes a head that is cut short for what it shows, or for nothing', () => {
    const complete: [string, Uint8Array, number][] = [
      ...Object.entries(heads).map(([format, [text]]): [string, Uint8Array, number] => [
        format,
        bytes(text as string),
        { jpeg: 3, png: 8, webp: 12, gif: 6, tiff: 4 }[format] as number,
      ]),
      ['heic', ftyp('heic'), 12],
      ['avif', ftyp('avif'), 12],
    ];
    for (const [format, head, needed] of complete) {
      for (let length = 0; length <= 12; length++) {
        assert.equal(
          sniffFormat(head.subarray(0, length)),
          length >= needed ? format : undefined,
          `${format}, ${length} bytes`,
        );
      }
    }
  });

  it('reads bytes that lie within a larger buffer', () => {
    const whole = Uint8Array.from([...bytes('\0\0\0\x08'), ...ftyp('heic'), ...bytes('\xff\xd8\xff')]);
    assert.equal(sniffFormat(whole.subarray(4)), 'heic');
    assert.equal(sniffFormat(whole.subarray(20)), 'jpeg');
    // Nothing before or after the view may count.
    assert.equal(sniffFormat(whole.subarray(20, 22)), undefined);
    assert.equal(sniffFormat(whole.subarray(0, 16)), undefined);
  });

  const refused = {
    'an SVG': '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    'an SVG behind an XML head': '<?xml version="1.0"?><svg></svg>',
    'a PDF': '%PDF-1.7\n',
    'a BMP': 'BM\x36\0\0\0\0\0\0\0\x36\0\0\0',
    'a text': 'Just some words, long enough for any head.',
    'a JPEG 2000': '\0\0\0\x0cjP  \r\n\x87\n',
    'a JPEG XL': '\xff\x0a\xfa\x7f',
    'a Photoshop document': '8BPS\0\x01',
    'an icon': '\0\0\x01\0\x01\0',
    'a WAVE': 'RIFF\x24\0\0\0WAVEfmt ',
    'a BigTIFF': 'II+\0\x08\0\0\0',
    'a GIF of no known version': 'GIF90a\x01\0\x01\0',
    'a PNG through a text-mode transfer': '\x89PNG\n\x1a\n\0\0\0\0\rIHDR',
    'a JPEG behind a byte order mark': '\xef\xbb\xbf\xff\xd8\xff\xe0',
    'a data URL': 'data:image/png;base64,iVBORw0KGgo=',
    'a base64 text': '/9j/4AAQSkZJRgABAQ',
    'an MVG script': 'push graphic-context\nviewbox 0 0 640 480\n',
    zeros: '\0'.repeat(64),
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      assert.equal(sniffFormat(bytes(text)), undefined);
    });
  }
});
