/** The landmarks stage: the five points of every face, from the detector or from a landmark model. */

import type { LandmarkDescriptor } from '../models/descriptor.ts';
import { onlyOutput, type Session } from '../models/session.ts';
import { toTensor } from '../models/tensor.ts';
import { cropRegion } from './crop.ts';
import { type Detection, type Frame, type Landmarks, landmarkNames, type Point } from './types.ts';

/** @returns the five points of each detection, in its order. `model` is needed only where the detector gives none. */
export async function locateLandmarks(
  frame: Frame,
  detections: readonly Detection[],
  model: { descriptor: LandmarkDescriptor; session: Session } | undefined,
): Promise<Landmarks[]> {
  const all: Landmarks[] = [];
  for (const detection of detections) {
    all.push(detection.landmarks ?? (await fromModel(frame, detection, model)));
  }
  return all;
}

async function fromModel(
  frame: Frame,
  { box }: Detection,
  model: { descriptor: LandmarkDescriptor; session: Session } | undefined,
): Promise<Landmarks> {
  if (model === undefined)
    throw new Error('The profile has no landmark model and its detector gives no points.');
  const { descriptor, session } = model;
  const region = cropRegion(box, frame, descriptor.crop);
  const values = onlyOutput(await session.run(toTensor(frame, region, descriptor.input)));
  const mean = (indices: readonly number[]): Point => {
    let x = 0;
    let y = 0;
    for (const index of indices) {
      const [pointX, pointY] = values.subarray(index * 2, index * 2 + 2);
      if (pointX === undefined || pointY === undefined) {
        throw new Error(`The landmark model gave ${values.length / 2} points, none at index ${index}.`);
      }
      x += pointX;
      y += pointY;
    }
    return {
      x: region.x + (x / indices.length) * region.width,
      y: region.y + (y / indices.length) * region.height,
    };
  };
  const { points } = descriptor.output;
  return Object.fromEntries(landmarkNames.map((name) => [name, mean(points[name])])) as Landmarks;
}
