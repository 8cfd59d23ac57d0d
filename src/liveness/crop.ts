/** The crop stage: which part of the picture each model looks at, given a face box. */

import type { LandmarkDescriptor, LivenessDescriptor } from '../models/descriptor.ts';
import type { Region } from '../models/tensor.ts';
import type { Box } from './types.ts';

type Crop = LandmarkDescriptor['crop'] | LivenessDescriptor['crop'];

/** @returns the region of the picture that a model with this crop rule sees of this face, in pixels. */
export function cropRegion(box: Box, picture: { width: number; height: number }, crop: Crop): Region {
  const width = box.x1 - box.x0;
  const height = box.y1 - box.y0;
  switch (crop.kind) {
    case 'shift': {
      // The factor gives way before the crop outgrows the picture, so that proportions stay the box's.
      const factor = Math.min((picture.width - 1) / width, (picture.height - 1) / height, crop.factor);
      return inside(box, width * factor, height * factor, picture);
    }
    case 'square-shift': {
      const side = Math.min(height * crop.factor, picture.width, picture.height);
      return inside(box, side, side, picture);
    }
    case 'square-reflect': {
      const side = Math.max(width, height) * crop.factor;
      const x = (box.x0 + box.x1 - side) / 2;
      const y = (box.y0 + box.y1 - side) / 2;
      return { x, y, width: side, height: side, beyond: 'mirror' };
    }
  }
}

/** A region of the given size around the box's centre, moved as little as keeps it inside the picture. */
function inside(box: Box, width: number, height: number, picture: { width: number; height: number }): Region {
  const x = shift((box.x0 + box.x1 - width) / 2, width, picture.width);
  const y = shift((box.y0 + box.y1 - height) / 2, height, picture.height);
  return { x, y, width, height, beyond: 'edge' };
}

function shift(start: number, length: number, limit: number): number {
  return Math.max(0, Math.min(start, limit - length));
}
