/**
 * The same networks as most would first write it: sharp for each crop from the bytes of the file, sessions with their default options.
 * Argument: the plan, as JSON.
 */

import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import type { PictureOrder } from '../contender.ts';
import type { PlannedModel } from '../plan.ts';
import { answerOrders } from './orders.ts';

const plan = JSON.parse(process.argv[2] as string) as PlannedModel[];
const models = await Promise.all(
  plan.map(async (model) => ({ ...model, session: await InferenceSession.create(model.file) })),
);

/** Crops, resizes and brings to 1 x channels x height x width, once for each run. */
async function inputsOf(
  bytes: Uint8Array,
  { x, y, width: wide, height: high }: PictureOrder['regions'][number],
  { input: { width, height, colour, mean, scale }, runs }: PlannedModel,
): Promise<Tensor[]> {
  const cropped = sharp(bytes)
    .rotate()
    .extract({ left: x, top: y, width: wide, height: high })
    .resize(width, height, { fit: 'fill' });
  const channels = colour === 'grey' ? 1 : 3;
  const pixels = await (colour === 'grey' ? cropped.greyscale() : cropped).raw().toBuffer();
  return Array.from({ length: runs }, (_, mirrored) => {
    const values = new Float32Array(pixels.length);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const from = (row * width + (mirrored === 1 ? width - 1 - column : column)) * channels;
        for (let channel = 0; channel < channels; channel++) {
          const source = colour === 'bgr' ? 2 - channel : channel;
          values[channel * width * height + row * width + column] =
            ((pixels[from + source] as number) - mean) / scale;
        }
      }
    }
    return new Tensor('float32', values, [1, channels, height, width]);
  });
}

await answerOrders(async (bytes, { regions }) => {
  for (const [i, model] of models.entries()) {
    const { session } = model;
    for (const tensor of await inputsOf(bytes, regions[i] as PictureOrder['regions'][number], model)) {
      await session.run({ [session.inputNames[0] as string]: tensor });
    }
  }
});
