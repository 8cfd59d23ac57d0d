/** Which decoders a stranger's file can reach: those of the formats that are taken, and each only by its own first bytes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decode } from '../../src/liveness/decode.ts';
import type { AssessmentError } from '../../src/liveness/errors.ts';
import { HeicDecoder } from '../../src/liveness/heic.ts';
import { startEngine } from '../../src/liveness/pool.ts';
import { decodePhotographsOnly } from '../../src/liveness/raster.ts';
import { imageFormats, sniffFormat } from '../../src/liveness/sniff.ts';
import { loadRegistry } from '../../src/models/registry.ts';
import { drawing, inFormat } from '../helpers/hostile/file.ts';
import { foreigners } from '../helpers/hostile/foreign.ts';
import { standardWeights } from '../helpers/weights.ts';

const files = await foreigners();
const limits = { maxPixels: 50_331_648 };
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');

/** Fails a test that lets it see anything. */
class NoHeic extends HeicDecoder {
  override decode(): never {
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
      Object.values(encoders).map((format) => inFormat(drawing(), format).toBuffer()),
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

it('a real worker shows no decoder a drawing that begins as a photograph', async (t) => {
  // A comment with the size of a box, `ftyp` and a brand in it: of an admitted format by its first bytes, and by all others a drawing.
  const drawing = Buffer.from(`<!--ftypavif-->${svg}${' '.repeat(100)}`);
  assert.equal(sniffFormat(drawing), 'avif');
  const folder = await standardWeights();
  const engine = await startEngine({
    folder,
    profile: (await loadRegistry(folder)).profile('standard'),
    limits,
    workers: 1,
    queue: 1,
    deadlineMs: 60_000,
  });
  t.after(() => engine.close());
  await assert.rejects(engine.assess(drawing, { admitted: imageFormats }), (error: AssessmentError) => {
    assert.equal(error.code, 'undecodable_image');
    // Otherwise it came as far as the decoders.
    assert.match(String(error.cause), /A box does not end where it may/);
    return true;
  });
});

/** Made without the decoders that are blocked. */
async function jpegOf(): Promise<Buffer> {
  return await sharp({ create: { width: 9, height: 9, channels: 3, background: '#8a8f94' } })
    .jpeg()
    .toBuffer();
}
