/** Real files of every format to upright pixels, and damaged, oversized and foreign ones to the right refusal. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { loadConfig } from '../../src/config.ts';
import { type DecodeLimits, decode } from '../../src/liveness/decode.ts';
import { AssessmentError, type EngineErrorCode } from '../../src/liveness/errors.ts';
import { HeicDecoder } from '../../src/liveness/heic.ts';
import type { Size } from '../../src/liveness/heif-work.ts';
import { imageFormats, sniffFormat } from '../../src/liveness/sniff.ts';
import type { Frame, ImageFormat } from '../../src/liveness/types.ts';
import { free } from '../../src/memory.ts';
import { cat, inFormat } from '../helpers/hostile/file.ts';
import { partsOf } from '../helpers/hostile/gif.ts';
import { alpha, codedOf, heics, heif, ispe } from '../helpers/hostile/heif.ts';
import {
  halfOf,
  lossless,
  oddities,
  type Segment,
  segmentsOf,
  withInterval,
  withJfif,
  withRestartsOf,
} from '../helpers/hostile/jpeg.ts';
import { profileOfSteps, withProfile } from '../helpers/hostile/profile.ts';
import { tiffOf } from '../helpers/hostile/tiff.ts';
import { portraitAreas, portraitSize, portraitSvg } from '../helpers/portrait.ts';

const { width, height } = portraitSize;
const heic = new HeicDecoder();
const roomy: DecodeLimits = { maxPixels: 50_331_648 };

const fixture = (name: string) => readFile(join(import.meta.dirname, '..', 'fixtures', name));

/** The figure's pixels, upright: the truth that every file is held against. */
let upright: Uint8Array;
before(async () => {
  upright = await sharp(Buffer.from(portraitSvg)).flatten().toColourspace('srgb').raw().toBuffer();
  assert.equal(upright.length, width * height * 3);
});

/** The figure, ready to be encoded. */
function figure(): Sharp {
  return sharp(upright, { raw: { width, height, channels: 3 } });
}

async function decoded(bytes: Uint8Array, admitted: readonly ImageFormat[] = imageFormats): Promise<Frame> {
  return await decode(bytes, admitted, roomy, heic);
}

async function refused(bytes: Uint8Array, code: EngineErrorCode, limits = roomy, admitted = imageFormats) {
  let caught: unknown;
  await assert.rejects(decode(bytes, admitted, limits, heic), (error) => {
    caught = error;
    return true;
  });
  assert.ok(caught instanceof AssessmentError, `${caught}`);
  assert.equal(caught.code, code, caught.message);
  return caught;
}

/** Asserts the figure's colours in the middle of each of its areas, where no codec smears one into another. */
function isFigure(frame: Frame, tolerance: number, colourOf = (colour: readonly number[]) => colour): void {
  assert.deepEqual([frame.width, frame.height], [width, height]);
  assert.equal(frame.pixels.length, width * height * 3);
  for (const area of portraitAreas) {
    const expected = colourOf(area.colour);
    for (const y of [area.y + 6, area.y + area.height - 7]) {
      for (const x of [area.x + 6, area.x + area.width - 7]) {
        const at = (y * width + x) * 3;
        const found = [...frame.pixels.subarray(at, at + 3)];
        const worst = Math.max(...found.map((value, i) => Math.abs(value - (expected[i] as number))));
        assert.ok(worst <= tolerance, `at ${x}, ${y}: ${found}, not ${expected}`);
      }
    }
  }
}

describe('every admitted format', () => {
  const files: Record<ImageFormat, [tolerance: number, make: () => Promise<Uint8Array>]> = {
    jpeg: [6, () => figure().jpeg({ quality: 95 }).toBuffer()],
    png: [0, () => figure().png().toBuffer()],
    webp: [0, () => figure().webp({ lossless: true }).toBuffer()],
    avif: [6, () => figure().avif({ quality: 90 }).toBuffer()],
    tiff: [0, () => figure().tiff({ compression: 'lzw' }).toBuffer()],
    gif: [2, () => figure().gif().toBuffer()],
    heic: [6, () => fixture('portrait.heic')],
  };
  for (const [format, [tolerance, make]] of Object.entries(files)) {
    it(`gives the same pixels: ${format}`, async () => {
      const frame = await decoded(await make());
      assert.equal(frame.format, format);
      isFigure(frame, tolerance);
    });
  }

  it('gives the same pixels: an AVIF whose first brand is a general one', async () => {
    const avif = await figure().avif({ quality: 90 }).toBuffer();
    avif.write('mif1', avif.indexOf('avif'), 'latin1');
    const frame = await decoded(avif);
    assert.equal(frame.format, 'avif');
    isFigure(frame, 6);
  });

  it('is tested', () => {
    assert.deepEqual(Object.keys(files).sort(), [...imageFormats].sort());
  });

  it('is told by content, also where the bytes lie within a larger buffer', async () => {
    const png = await figure().png().toBuffer();
    const larger = Buffer.concat([Buffer.from('%PDF-1.7 '), png, Buffer.from('tail')]);
    isFigure(await decoded(larger.subarray(9, 9 + png.length)), 0);
  });
});

describe('orientation', () => {
  /**
   * The upright picture's pixel (x, y) as it is stored under each EXIF orientation, in a stored picture of w x h: EXIF 2.32,
   * table 6, written out by hand so that sharp's own reading of it is not its own witness.
   */
  const stored: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _, h) => [y, h - 1 - x],
    7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
    8: (x, y, w) => [w - 1 - y, x],
  };

  function lying(orientation: number): Sharp {
    const [w, h] = orientation > 4 ? [height, width] : [width, height];
    const place = stored[orientation] as (typeof stored)[number];
    const pixels = new Uint8Array(upright.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [sx, sy] = place(x, y, w, h);
        const from = (y * width + x) * 3;
        pixels.set(upright.subarray(from, from + 3), (sy * w + sx) * 3);
      }
    }
    return sharp(pixels, { raw: { width: w, height: h, channels: 3 } }).withMetadata({ orientation });
  }

  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`${orientation} of a JPEG comes out upright`, async () => {
      const bytes = await lying(orientation).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
      assert.equal((await sharp(bytes).metadata()).orientation, orientation);
      isFigure(await decoded(bytes), 3);
    });
  }

  for (const format of ['png', 'webp', 'tiff'] as const) {
    it(`6 of a ${format} comes out upright`, async () => {
      const options = { webp: { lossless: true }, png: {}, tiff: { compression: 'lzw' as const } }[format];
      const bytes = await lying(6).toFormat(format, options).toBuffer();
      assert.equal((await sharp(bytes).metadata()).orientation, 6);
      isFigure(await decoded(bytes), 0);
    });
  }

  it("of a HEIC is the file's own, and its EXIF is not applied on top", async () => {
    const bytes = await fixture('portrait-rotated.heic');
    assert.ok(bytes.includes('irot') && bytes.includes('Exif\0\0'), 'the fixture tells both ways');
    isFigure(await decoded(bytes), 6);
  });

  it('counts for the size limit as for any picture: its pixels are the same lying or upright', async () => {
    const bytes = await lying(6).png().toBuffer();
    isFigure(await decode(bytes, imageFormats, { maxPixels: width * height }, heic), 0);
    await refused(bytes, 'image_too_large', { maxPixels: width * height - 1 });
  });
});

describe('pixels of other kinds', () => {
  const grey = ([r, g, b]: readonly number[]) => {
    const mean = Math.round(((r as number) + 2 * (g as number) + (b as number)) / 4);
    return [mean, mean, mean];
  };

  it('are laid on white where they are transparent', async () => {
    const pixels = new Uint8Array(4 * 1 * 4);
    pixels.set([255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 255, 128, 0, 0, 0, 0]);
    for (const format of ['png', 'webp', 'tiff'] as const) {
      const options = { webp: { lossless: true }, png: {}, tiff: { compression: 'lzw' as const } }[format];
      const picture = sharp(pixels, { raw: { width: 4, height: 1, channels: 4 } });
      const frame = await decoded(await picture.toFormat(format, options).toBuffer());
      assert.deepEqual([frame.width, frame.height], [4, 1], format);
      const expected = [255, 0, 0, 255, 255, 255, 127, 127, 255, 255, 255, 255];
      for (const [i, value] of expected.entries()) {
        assert.ok(Math.abs((frame.pixels[i] as number) - value) <= 2, `${format}: ${frame.pixels}`);
      }
    }
  });

  it('are repeated over the colours where they are grey', async () => {
    const pixels = Uint8Array.from(
      { length: width * height },
      (_, i) => grey([...upright.subarray(i * 3, i * 3 + 3)])[0] as number,
    );
    for (const format of ['png', 'jpeg', 'tiff'] as const) {
      const picture = sharp(pixels, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
      const bytes = await inFormat(picture, format).toBuffer();
      assert.equal((await sharp(bytes).metadata()).channels, 1);
      isFigure(await decoded(bytes), 3, grey);
    }
  });

  it('are laid on white where they are transparent: HEIC', async () => {
    const sound = await fixture('portrait.heic');
    const { data, config } = codedOf(sound, 'hvcC');
    const item = { type: 'hvc1', data, properties: [1, 2] };
    const opaque = { brand: 'heic', items: [item], properties: [config, ispe(width, height), alpha] };
    const { pixels: plain } = await decoded(heif(opaque));
    // The picture is its own transparency: what is dark in it is clear.
    const { pixels } = await decoded(
      heif({
        ...opaque,
        items: [item, { ...item, properties: [1, 2, 3] }],
        references: [['auxl', 2, [1]]],
      }),
    );
    for (let at = 0; at < plain.length; at += 3) {
      const colours = [...plain.subarray(at, at + 3)] as [number, number, number];
      const share = (0.299 * colours[0] + 0.587 * colours[1] + 0.114 * colours[2]) / 255;
      for (const [i, value] of colours.entries()) {
        const laid = value * share + 255 * (1 - share);
        assert.ok(
          Math.abs((pixels[at + i] as number) - laid) < 12,
          `${at + i}: ${pixels[at + i]}, not ${laid}`,
        );
      }
    }
  });

  it('are both where they are grey and transparent', async () => {
    const greyAlpha = await sharp(Uint8Array.of(60, 255, 60, 0), {
      raw: { width: 2, height: 1, channels: 2 },
    })
      .greyscale()
      .toColourspace('b-w')
      .png()
      .toBuffer();
    assert.equal((await sharp(greyAlpha).metadata()).channels, 2);
    assert.deepEqual([...(await decoded(greyAlpha)).pixels], [60, 60, 60, 255, 255, 255]);
  });

  it('are brought from 16 bit to 8', async () => {
    const deep = Uint16Array.from(upright, (value) => value * 257);
    const bytes = await sharp(deep, { raw: { width, height, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    assert.equal((await sharp(bytes).metadata()).depth, 'ushort');
    isFigure(await decoded(bytes), 1);
  });

  it('are brought from 16 bit grey to 8', async () => {
    const deep = Uint16Array.of(0, 60 * 257, 0xffff);
    const bytes = await sharp(deep, { raw: { width: 3, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const { depth, channels } = await sharp(bytes).metadata();
    assert.deepEqual([depth, channels], ['ushort', 1]);
    assert.deepEqual([...(await decoded(bytes)).pixels], [0, 0, 0, 60, 60, 60, 255, 255, 255]);
  });

  it('are brought from CMYK to RGB', async () => {
    const bytes = await figure().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    assert.equal((await sharp(bytes).metadata()).space, 'cmyk');
    // Ink reaches none of the figure's pure colours; which is which must show all the same.
    isFigure(await decoded(bytes), 75);
  });

  it('are the colours alone where a TIFF has several channels beside them', async () => {
    const beside = { rgb: [200, 100, 50], grey: [120] };
    for (const [kind, colours] of Object.entries(beside)) {
      for (const bits of [8, 16] as const) {
        for (const extra of colours.length === 1 ? [2, 3, 4] : [2]) {
          // Selections of nothing: taken for transparency they would leave a white picture.
          const bytes = tiffOf([...colours, ...Array<number>(extra).fill(0)], bits, colours.length);
          assert.equal((await sharp(bytes).metadata()).channels, colours.length + extra);
          const { pixels } = await decoded(bytes);
          const expected = colours.length === 1 ? [120, 120, 120] : colours;
          assert.deepEqual([...pixels], [...expected, ...expected], `${kind}, ${bits} bit, ${extra} more`);
        }
      }
    }
  });

  it('come from a palette', async () => {
    const bytes = await figure().png({ palette: true, colours: 8 }).toBuffer();
    isFigure(await decoded(bytes), 4);
  });
});

describe('colour profiles', () => {
  it('are followed', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const) {
      const wide = await inFormat(figure().withIccProfile('p3'), format, { quality: 100 }).toBuffer();
      isFigure(await decoded(wide), 6);
      // As stored, its colours are others.
      const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
      assert.throws(() => isFigure({ ...portraitSize, pixels: stored, format }, 6));
    }
    const inks = await figure().withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer();
    assert.equal((await sharp(inks).metadata()).space, 'cmyk');
    isFigure(await decoded(inks), 75);
  });

  it('are passed over where steps of theirs may all lie in one place', async () => {
    const jpeg = await figure().jpeg({ quality: 95 }).toBuffer();
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const) {
      const bytes = await withProfile(jpeg, profileOfSteps(2), format);
      isFigure(await decoded(bytes), 20);
      // Followed, all is black.
      assert.ok((await sharp(bytes).toColourspace('srgb').raw().toBuffer()).every((value) => value < 5));
    }
  });
});

describe('files of several pictures', () => {
  const red = { create: { width: 8, height: 6, channels: 3, background: '#ff0000' } } as const;
  const blue = { create: { width: 8, height: 6, channels: 3, background: '#0000ff' } } as const;

  for (const format of ['gif', 'webp', 'tiff'] as const) {
    it(`give the first: ${format}`, async () => {
      const [first, second] = await Promise.all([red, blue].map((one) => sharp(one).png().toBuffer()));
      const both = sharp([first as Buffer, second as Buffer], { join: { animated: true } });
      const bytes = await inFormat(both, format, { quality: 100 }).toBuffer();
      assert.equal((await sharp(bytes).metadata()).pages, 2);
      const frame = await decoded(bytes);
      assert.deepEqual([frame.width, frame.height], [8, 6]);
      const [r, g, b] = frame.pixels as unknown as [number, number, number];
      assert.ok(r > 240 && g < 15 && b < 15, `${r}, ${g}, ${b}`);
    });
  }

  it('give the one that other programs show: AVIF', async () => {
    const coded = await Promise.all(
      [red, blue].map(async (one) => codedOf(await sharp(one).avif({ effort: 0 }).toBuffer(), 'av1C')),
    );
    const bytes = heif({
      brand: 'avif',
      items: coded.map(({ data }, i) => ({ type: 'av01', data, properties: [2 * i + 1, 2 * i + 2] })),
      properties: coded.flatMap(({ config, width, height }) => [config, ispe(width, height)]),
    });
    for (const shown of [1, 2]) {
      bytes.writeUInt16BE(shown, bytes.indexOf('pitm') + 8);
      assert.equal((await sharp(bytes).metadata()).pages, 2);
      const [r, , b] = (await decoded(bytes)).pixels as unknown as [number, number, number];
      assert.ok(shown === 1 ? r > 240 && b < 15 : r < 15 && b > 240, `${shown}: ${r}, ${b}`);
    }
  });
});

describe('damaged files', () => {
  /** Rough, so that half of the file is about half of the picture. */
  const rough = Uint8Array.from({ length: 120 * 90 * 3 }, (_, i) => Math.abs(Math.sin(i * i)) * 256);
  const picture = () => sharp(rough, { raw: { width: 120, height: 90, channels: 3 } });
  /** Data of a JPEG in four parts, with restarts between them. */
  const restarts = [0, 0xff, 0xd0, 0, 0xff, 0xd1, 0, 0xff, 0xd2, 0];

  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
    it(`are refused when cut short: ${format}`, async () => {
      const bytes = await inFormat(picture(), format).toBuffer();
      assert.equal((await decoded(bytes)).width, 120);
      for (const share of [0.3, 0.6, 0.9]) {
        await refused(bytes.subarray(0, Math.floor(bytes.length * share)), 'undecodable_image');
      }
    });
  }

  it('are refused when there is only a head', async () => {
    for (const head of [
      '\xff\xd8\xff',
      '\x89PNG\r\n\x1a\n',
      'GIF89a',
      'II*\0',
      'RIFF\0\0\0\0WEBP',
      '\0\0\0\x14ftypavif\0\0\0\0mif1',
    ]) {
      await refused(Buffer.from(head, 'latin1'), 'undecodable_image');
    }
  });

  it('are refused in the arithmetic coding of JPEG, of which any bytes are a picture', async () => {
    for (const [progressive, frame, asArithmetic] of [
      [false, 0xc0, 0xc9],
      [true, 0xc2, 0xca],
    ] as const) {
      const jpeg = await picture().jpeg({ progressive }).toBuffer();
      await decoded(jpeg);
      jpeg[jpeg.indexOf(Buffer.of(0xff, frame)) + 1] = asArithmetic;
      const { cause } = await refused(jpeg, 'undecodable_image');
      assert.match(`${cause}`, /arithmetic coding/);
    }
  });

  it('are refused where a JPEG is odd as well, of which alone its decoder tells', async () => {
    const baseline = await picture().jpeg().toBuffer();
    const cmyk = await picture().toColourspace('cmyk').jpeg().toBuffer();
    for (const [name, jpeg] of oddities(baseline, cmyk)) {
      const { pixels } = await decoded(jpeg);
      // As libjpeg reads it by itself.
      const read = await sharp(jpeg, { failOn: 'error' }).toColourspace('srgb').raw().toBuffer();
      assert.ok(Buffer.from(pixels).equals(read), name);
      const { cause } = await refused(halfOf(jpeg), 'undecodable_image');
      assert.match(`${cause}`, /Corrupt JPEG data: premature end/, name);
    }
    const progressive = withJfif(await picture().jpeg({ progressive: true }).toBuffer(), 2);
    await decoded(progressive);
    const { at, end } = segmentsOf(progressive).find(({ marker }) => marker === 0xda) as Segment;
    const hole = cat(progressive.subarray(0, (at + end) >> 1), progressive.subarray(end));
    const { cause } = await refused(hole, 'undecodable_image');
    assert.match(`${cause}`, /Corrupt JPEG data: premature end/);
  });

  it('are refused where a JPEG has bytes too many as well, of which alone its decoder tells', async () => {
    for (const progressive of [false, true]) {
      const jpeg = await picture().jpeg({ progressive }).toBuffer();
      const scan = (segmentsOf(jpeg).find(({ marker }) => marker === 0xda) as Segment).at;
      const stray = cat(jpeg.subarray(0, scan), Buffer.alloc(4), jpeg.subarray(scan));
      assert.deepEqual(await decoded(stray), await decoded(jpeg));
      for (const share of [0.3, 0.6, 0.9]) {
        const cut = cat(stray.subarray(0, Math.floor(stray.length * share)), [0xff, 0xd9]);
        const { cause } = await refused(cut, 'undecodable_image');
        assert.match(`${cause}`, /Corrupt JPEG data: premature end|The JPEG lacks scans/);
      }
      // Behind the data of the last scan they hide nothing; among those before they would.
      const end = jpeg.length - 2;
      const behind = cat(jpeg.subarray(0, end), Buffer.alloc(4), jpeg.subarray(end));
      assert.deepEqual(await decoded(behind), await decoded(jpeg));
      const [, second] = segmentsOf(jpeg).filter(({ marker }) => marker === 0xda);
      if (second === undefined) continue;
      for (const at of [second.at, second.end]) {
        await refused(cat(jpeg.subarray(0, at), Buffer.alloc(4), jpeg.subarray(at)), 'undecodable_image');
      }
    }
  });

  it('are refused where a JPEG lacks restarts, of which its decoder says that there are bytes too many', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const blocks = 48;
    const { pixels } = await decoded(withRestartsOf(...restarts, 0, 0));
    assert.ok(pixels.every((value) => value === 128));
    assert.deepEqual(await decoded(withInterval(jpeg, blocks)), await decoded(jpeg));
    for (const lacking of [
      withInterval(jpeg, blocks >> 1),
      withInterval(jpeg, blocks - 1),
      withRestartsOf(...restarts.slice(0, -3), ...Array(20).fill(0)),
    ]) {
      const { cause } = await refused(lacking, 'undecodable_image');
      assert.match(`${cause}`, /read gave (?!1 )\d+ warnings .* extraneous bytes before marker 0xd9/);
    }
  });

  it('are refused for all else that the decoder of JPEGs warns of', async () => {
    const baseline = await picture().jpeg().toBuffer();
    const progressive = await picture().jpeg({ progressive: true }).toBuffer();
    const last = segmentsOf(progressive).findLast(({ marker }) => marker === 0xda) as Segment;
    for (const [jpeg, warning] of [
      [cat(progressive.subarray(0, last.end), progressive.subarray(last.at)), /Inconsistent progression/],
      [withRestartsOf(...Array(4).fill([0xff, 0]).flat(), ...restarts), /bad Huffman code/],
      [withRestartsOf(0, 0xff, 0xd1, ...restarts.slice(3)), /found marker 0xd1 instead of RST0/],
      [withRestartsOf(...Array(20).fill(0), ...restarts), /extraneous bytes before marker 0xd0/],
      [baseline.subarray(0, -2), /premature end of JPEG image/],
    ] as const) {
      const { cause } = await refused(jpeg, 'undecodable_image');
      assert.match(`${cause}`, warning);
    }
  });

  it('are refused where a GIF ends early by its blocks', async () => {
    const gif = await picture().gif().toBuffer();
    const parts = partsOf(gif);
    const { cause } = await refused(
      cat(gif.subarray(0, parts[parts.length >> 1]), [0, 0x3b]),
      'undecodable_image',
    );
    assert.match(`${cause}`, /The first frame of the GIF has/);
  });

  it('are refused in 12 bit and in lossless JPEG, of which the colours would be wrong', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    jpeg[jpeg.indexOf(Buffer.of(0xff, 0xc0)) + 4] = 12;
    await refused(jpeg, 'undecodable_image');
    const { cause } = await refused(lossless(120, 90), 'undecodable_image');
    assert.match(`${cause}`, /in lossless/);
  });

  it('are refused where bytes in the middle are wrong', async () => {
    const png = await picture().png().toBuffer();
    png.fill(0x55, png.length >> 1, (png.length >> 1) + 64);
    await refused(png, 'undecodable_image');
  });

  it('are refused when a HEIC is cut short or spoilt', async () => {
    const bytes = await fixture('portrait.heic');
    for (const length of [16, 100, 300, bytes.length - 40]) {
      await refused(bytes.subarray(0, length), 'undecodable_image');
    }
    const spoilt = Buffer.from(bytes);
    spoilt.fill(0, spoilt.indexOf('mdat') + 4);
    await refused(spoilt, 'undecodable_image');
    // The decoder goes on to work after all that.
    isFigure(await decoded(bytes), 6);
  });

  it('are refused where a HEIC lacks data that its boxes do not miss', async () => {
    const lacking = (await heics()).filter(
      ({ name, outcomes }) => outcomes[0] !== 'assessed' && /of the data of few|a slice/.test(name),
    );
    assert.equal(lacking.length, 10);
    for (const { name, bytes, outcomes } of lacking) {
      const error = await refused(bytes, outcomes[0] as EngineErrorCode).catch((cause) => {
        throw new Error(name, { cause });
      });
      if (name.includes('there is')) assert.match(`${error.cause}`, /A slice of the HEIC is cut short/, name);
    }
  });

  it('are not seen where a HEIC has an area of one green, as missing blocks are', async () => {
    const { pixels } = await decoded(await fixture('portrait.heic'));
    assert.ok(Buffer.from(pixels).includes(Buffer.alloc(3 * 8, Buffer.of(0, 160, 0))));
  });

  it('are refused without a word about where and how', async () => {
    const error = await refused(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'undecodable_image');
    assert.equal(error.message, 'The png image is damaged or incomplete.');
    assert.ok(error.cause instanceof Error);
  });
});

describe('files too large', () => {
  function chunk(type: string, content: Uint8Array): Buffer {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
    const bytes = Buffer.alloc(body.length + 8);
    bytes.writeUInt32BE(content.length);
    body.copy(bytes, 4);
    bytes.writeUInt32BE(crc32(body), body.length + 4);
    return bytes;
  }

  /** A PNG whose header claims a size that its few kilobytes would unpack towards. */
  function bomb(w: number, h: number): Buffer {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(w, 0);
    header.writeUInt32BE(h, 4);
    header.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.alloc(4_000_000))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }

  it('are refused by their header, before they unpack', async () => {
    const bytes = bomb(30_000, 30_000);
    assert.ok(bytes.length < 10_000, `${bytes.length}`);
    await decoded(await figure().png().toBuffer());
    const memory = process.memoryUsage.rss();
    const start = performance.now();
    const error = await refused(bytes, 'image_too_large');
    const took = performance.now() - start;
    const grown = process.memoryUsage.rss() - memory;
    assert.match(error.message, /30000 x 30000/);
    assert.ok(took < 200, `took ${took} ms`);
    // Unpacked it would be 2.7 GB.
    assert.ok(grown < 50_000_000, `took ${grown} bytes`);
  });

  it('are refused from one pixel above the limit on', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
      const bytes = await inFormat(figure(), format).toBuffer();
      assert.equal((await decode(bytes, imageFormats, { maxPixels: width * height }, heic)).width, width);
      await refused(bytes, 'image_too_large', { maxPixels: width * height - 1 });
    }
  });

  /** Tells whether the decoder was asked for pixels. */
  class WatchedDecoder extends HeicDecoder {
    decodes = 0;
    override async decode(bytes: Uint8Array, check: (size: Size) => void) {
      return await super.decode(bytes, (size) => {
        check(size);
        this.decodes++;
      });
    }
  }

  it('are refused before they are decoded: HEIC', async (t) => {
    const watched = new WatchedDecoder();
    const threads = { begun: 0, ended: 0 };
    const count = (thread: Worker) => {
      threads.begun++;
      thread.once('exit', () => threads.ended++);
    };
    process.on('worker', count);
    t.after(() => process.off('worker', count));
    const bytes = await fixture('portrait.heic');
    const limits = { maxPixels: width * height - 1 };
    await assert.rejects(decode(bytes, imageFormats, limits, watched), { code: 'image_too_large' });
    assert.equal(watched.decodes, 0);
    isFigure(await decode(bytes, imageFormats, { maxPixels: width * height }, watched), 6);
    assert.equal(watched.decodes, 1);
    assert.deepEqual(threads, { begun: 1, ended: 1 });
  });

  /** The fixture with another size in its `ispe` property than its picture has. */
  async function claiming(w: number, h: number): Promise<Buffer> {
    const bytes = await fixture('portrait.heic');
    const at = bytes.indexOf('ispe');
    assert.deepEqual([bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)], [width, height]);
    bytes.writeUInt32BE(w, at + 8);
    bytes.writeUInt32BE(h, at + 12);
    return bytes;
  }

  it('are refused by what a HEIC claims', async () => {
    const watched = new WatchedDecoder();
    const bytes = await claiming(30_000, 30_000);
    await assert.rejects(decode(bytes, imageFormats, roomy, watched), { code: 'image_too_large' });
    assert.equal(watched.decodes, 0);
  });

  it('are refused from one row above 25 megapixels on, of HEIC and AVIF, whatever the limit of others', async () => {
    const watched = new WatchedDecoder();
    const limits = { maxPixels: 500_000_000 };
    const most = await claiming(5_000, 5_001);
    await assert.rejects(decode(most, imageFormats, limits, watched), {
      code: 'image_too_large',
      message: 'The image has 5000 x 5001 pixels; 25000000 in all are the most allowed in heic.',
    });
    assert.equal(watched.decodes, 0);
    await assert.rejects(decode(await claiming(5_000, 5_000), imageFormats, limits, watched), {
      code: 'undecodable_image',
    });
    assert.equal(watched.decodes, 1);
    const avif = await figure().avif({ effort: 0 }).toBuffer();
    avif.writeUInt32BE(5_000, avif.indexOf('ispe') + 8);
    avif.writeUInt32BE(5_001, avif.indexOf('ispe') + 12);
    await refused(avif, 'image_too_large', limits);
  });

  it('are taken of 50 megapixels, as phones name them, in the other formats', async () => {
    const [wide, high] = [8_160, 6_144];
    const bytes = await sharp({ create: { width: wide, height: high, channels: 3, background: '#8a8f94' } })
      .jpeg()
      .toBuffer();
    assert.ok(wide * high > 50_000_000);
    const { maxPixels } = loadConfig({});
    assert.equal((await decode(bytes, imageFormats, { maxPixels }, heic)).width, wide);
  });

  it('are refused where a HEIC claims less than it holds', async () => {
    await refused(await claiming(8, 8), 'undecodable_image');
  });
});

describe('formats not admitted', () => {
  it('are refused though they could be decoded', async () => {
    const png = await figure().png().toBuffer();
    const error = await refused(png, 'unsupported_format', roomy, ['jpeg', 'heic']);
    assert.equal(error.message, 'The image must be one of jpeg, heic; this is png.');
    await refused(await fixture('portrait.heic'), 'unsupported_format', roomy, ['jpeg']);
    assert.equal((await decoded(png, ['png'])).format, 'png');
  });

  it('are refused where the decoder could read them but nobody may send them', async () => {
    assert.equal((await sharp(Buffer.from(portraitSvg)).metadata()).format, 'svg');
    const error = await refused(Buffer.from(portraitSvg), 'unsupported_format');
    assert.match(error.message, /this is none that is known/);
    await refused(new Uint8Array(), 'unsupported_format');
  });

  it('are refused where a file is another format than its first bytes say', async () => {
    const disguised = await fixture('portrait.heic');
    for (let at = disguised.indexOf('heic'); at >= 0; at = disguised.indexOf('heic', at + 1)) {
      disguised.write('avif', at, 'latin1');
    }
    await refused(disguised, 'undecodable_image');
    const av1 = await figure().avif().toBuffer();
    av1.write('heic', av1.indexOf('avif'), 'latin1');
    assert.match(`${(await refused(av1, 'undecodable_image')).cause}`, /neither hvc1 nor made of it/);
  });

  it('are refused where libvips would take them for what nobody may send', async () => {
    // The length of its first box, and the beginning of a comment.
    const drawn = Buffer.from(`<!--ftypavif-->${portraitSvg}`);
    assert.equal((await sharp(drawn).metadata()).format, 'svg');
    assert.equal(sniffFormat(drawn), 'avif');
    const { cause } = await refused(drawn, 'undecodable_image');
    assert.match(`${cause}`, /A box does not end where it may/);
  });
});

describe('free', () => {
  it("gives a frame's memory back at once", async () => {
    for (const bytes of [await figure().jpeg().toBuffer(), await fixture('portrait.heic')]) {
      const frame = await decoded(bytes);
      free(frame.pixels);
      assert.equal(frame.pixels.byteLength, 0);
    }
  });

  it('leaves alone what is a part of something larger', () => {
    const pixels = new Uint8Array(new ArrayBuffer(12), 0, 3);
    free(pixels);
    assert.equal(pixels.byteLength, 3);
  });
});
