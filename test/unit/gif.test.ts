/** The pixels of a GIF's first frame, counted by its codes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { requireWholeFrame } from '../../src/liveness/gif.ts';
import { cat, drawing } from '../helpers/hostile/file.ts';
import { blocksOf, partsOf } from '../helpers/hostile/gif.ts';

/** Of noise, whose codes are many and short, and of one colour, whose are few and long. */
async function pictures(): Promise<Buffer[]> {
  const noise = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => Math.abs(Math.sin(i * i)) * 256);
  const raw = { width: 200, height: 150, channels: 3 } as const;
  return await Promise.all([
    sharp(noise, { raw }).gif().toBuffer(),
    sharp(noise, { raw }).gif({ colours: 2 }).toBuffer(),
    sharp(noise, { raw }).gif({ progressive: true }).toBuffer(),
    sharp({ create: { width: 900, height: 700, channels: 3, background: '#8a8f94' } })
      .gif()
      .toBuffer(),
    drawing().gif().toBuffer(),
    drawing().gif({ colours: 16 }).toBuffer(),
  ]);
}

describe('requireWholeFrame', () => {
  it('takes what is whole', async () => {
    for (const gif of await pictures()) requireWholeFrame(gif);
  });

  it('refuses what is not, though its blocks are', async () => {
    for (const gif of await pictures()) {
      const ends = partsOf(gif);
      for (const share of [0.2, 0.5, 0.9]) {
        const end = ends[Math.floor(ends.length * share) - 1] ?? (ends[0] as number) - 5;
        if (ends.length < 2) continue;
        const cut = cat(gif.subarray(0, end), [0, 0x3b]);
        assert.throws(() => requireWholeFrame(cut), /of the GIF has \d+ of \d+ pixels/);
      }
    }
  });

  it('counts to the pixel', async () => {
    const gif = await drawing(90).gif().toBuffer();
    const frame = blocksOf(gif).find(({ kind }) => kind === 0x2c)?.at as number;
    const height = gif.readUInt16LE(frame + 7);
    gif.writeUInt16LE(height + 1, frame + 7);
    assert.throws(() => requireWholeFrame(gif), {
      message: `The first frame of the GIF has ${90 * height} of ${90 * (height + 1)} pixels.`,
    });
  });

  it('ends with what is cut anywhere', async () => {
    const gif = await drawing(90).gif().toBuffer();
    for (let length = 0; length < gif.length - 1; length += 7) {
      try {
        requireWholeFrame(gif.subarray(0, length));
      } catch (error) {
        assert.match(`${error}`, /of the GIF has/);
      }
    }
  });
});
