/** Which decoders a stranger's file can reach: those of the formats that are taken, and each only by its own first bytes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decode } from '../../src/liveness/decode.ts';
import { HeicDecoder } from '../../src/liveness/heic.ts';
import { decodePhotographsOnly } from '../../src/liveness/raster.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import { drawing } from '../helpers/hostile/file.ts';
import { foreigners } from '../helpers/hostile/foreign.ts';

const files = await foreigners();
const limits = { maxPixels: 50_331_648 };
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');

/** Fails a test that lets it see anything. */
class NoHeic extends HeicDecoder {
  override readSize(): never {
    throw new Error('The HEIC decoder was asked.');
  }
}

describe('in a worker', () => {
  it('only the decoders of photographs are there', async () => {
    const encoders = {
      jpeg: 'jpeg',
      png: 'png',
      webp: 'webp',
      avif: 'avif',
      tiff: 'tiff',
      gif: 'gif',
    } as const;
    const photographs = await Promise.all(
      Object.values(encoders).map((format) => drawing().toFormat(format).toBuffer()),
    );
    assert.equal((await sharp(svg).metadata()).format, 'svg', 'sharp can draw');
    decodePhotographsOnly();
    await assert.rejects(sharp(svg).metadata(), /unsupported image format/);
    await assert.rejects(sharp(svg).png().toBuffer(), /unsupported image format/);
    for (const bytes of photographs) {
      assert.equal((await decode(bytes, imageFormats, limits, new NoHeic())).width, 160);
    }
  });

  it('a file of another kind is refused before any decoder sees it', async () => {
    // With no decoder left, whoever asked one would get another error.
    sharp.block({ operation: ['VipsForeignLoad'] });
    const jpeg = await decode(await jpegOf(), imageFormats, limits, new NoHeic()).catch(({ code }) => code);
    assert.equal(jpeg, 'undecodable_image');
    for (const { name, bytes } of files) {
      await assert.rejects(
        decode(bytes, imageFormats, limits, new NoHeic()),
        { code: 'unsupported_format' },
        name,
      );
    }
  });
});

/** Made without the decoders that are blocked. */
async function jpegOf(): Promise<Buffer> {
  return await sharp({ create: { width: 9, height: 9, channels: 3, background: '#8a8f94' } })
    .jpeg()
    .toBuffer();
}
