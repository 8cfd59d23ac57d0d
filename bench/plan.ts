/** What a profile asks of each photograph, as data, for contenders that know nothing of the engine. */

import { cropRegion } from '../src/liveness/crop.ts';
import type { Box } from '../src/liveness/types.ts';
import type { InputDescriptor } from '../src/models/descriptor.ts';
import type { ResolvedProfile } from '../src/models/registry.ts';
import { weightsPath } from '../src/models/weights.ts';
import type { PictureOrder } from './contender.ts';

/** One network: it is shown a part of the photograph, and in the mirror where it has two runs. */
export interface PlannedModel {
  readonly file: string;
  readonly input: InputDescriptor;
  readonly runs: 1 | 2;
}

/** The networks of a profile in their order: detector, landmarks where there are, liveness. */
export function planOf(folder: string, { detector, landmarks, liveness }: ResolvedProfile): PlannedModel[] {
  const models = [detector, ...(landmarks ? [landmarks] : []), ...liveness.map(({ model }) => model)];
  return models.map((model) => ({
    file: weightsPath(folder, model),
    input: model.input,
    runs: 'mirrored' in model && model.mirrored ? 2 : 1,
  }));
}

/**
 * What each network of the plan is shown of a picture with one face. The part is clipped to the picture, and the face is given: whoever is
 * measured by this plan neither pads nor sorts boxes, which is less work than the pipeline has.
 */
export function regionsOf(
  { detector: _, landmarks, liveness }: ResolvedProfile,
  size: { readonly width: number; readonly height: number },
  face: Box,
): PictureOrder['regions'] {
  const crops = [...(landmarks ? [landmarks.crop] : []), ...liveness.map(({ model }) => model.crop)];
  const parts = crops.map((crop) => {
    const region = cropRegion(face, size, crop);
    const x = Math.max(0, Math.round(region.x));
    const y = Math.max(0, Math.round(region.y));
    return {
      x,
      y,
      width: Math.min(Math.round(region.x + region.width), size.width) - x,
      height: Math.min(Math.round(region.y + region.height), size.height) - y,
    };
  });
  return [{ x: 0, y: 0, ...size }, ...parts];
}
