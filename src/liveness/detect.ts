/** The detect stage: every face in the picture, largest first. */

import { free } from '../memory.ts';
import type { DetectorDescriptor } from '../models/descriptor.ts';
import type { Session } from '../models/session.ts';
import { type Region, toTensor } from '../models/tensor.ts';
import { equalise, type Relight, relight, stretch } from './relight.ts';
import type { Box, Detection, Frame, LandmarkName, Landmarks, Point } from './types.ts';

/** Both vendors' bound; it also bounds the work a crowd (or a sheet of faces) can cause. */
export const maxFaces = 20;

/**
 * Smaller faces are no face to either vendor. In pixels of the box's longer side: boxes are tight, and a person's face is
 * half as high again as it is wide.
 */
export const minFaceSide = 60;

/** What the detector saw. */
export interface Detections {
  /** At most 20 faces of at least 60 px, largest first. Boxes may reach beyond the picture. */
  readonly faces: Detection[];
  /** How many more were left out because they are smaller. */
  readonly tooSmall: number;
}

/**
 * Finds the faces of a picture. Where there is none, it is looked at again: from further off, as a face that fills the picture
 * is too large for the network, and in another light, as a dark one before a bright window has too little contrast.
 */
export async function detect(
  frame: Frame,
  detector: DetectorDescriptor,
  session: Session,
): Promise<Detections> {
  const { input, threshold } = detector;
  const region = inputRegion(frame, detector);
  const first = await look(toTensor(frame, region, input), region, detector, threshold, session);
  if (first.faces.length + first.tooSmall > 0) return first;
  for (const { distance, light } of secondLooks) {
    const further = stepBack(frame, region, distance);
    const levels = toTensor(frame, further, { ...input, mean: 0, scale: 1 });
    const lit = relight(levels, input, light);
    const again = await look(lit, further, detector, Math.min(threshold, secondThreshold), session);
    if (again.faces.length > 0) return again;
  }
  return first;
}

/**
 * Chosen on the development set, of which `standard` left 8.6 % of the genuine pictures unanswered after one look and leaves
 * 0.9 % after these; none of the faces so found is elsewhere than the true one (docs/models.md).
 */
const secondLooks: readonly { readonly distance: number; readonly light: Relight }[] = [
  { distance: 1.3, light: equalise },
  { distance: 1.6, light: stretch },
];

/** Detection score for the second looks; the detector's own where that is lower. */
const secondThreshold = 0.5;

/** One run of the detector over what it is shown of the region. */
async function look(
  tensor: Float32Array,
  region: Region,
  detector: DetectorDescriptor,
  threshold: number,
  session: Session,
): Promise<Detections> {
  const outputs = await session.run(tensor);
  free(tensor);
  const found = suppressOverlaps(decode(outputs, { ...detector, threshold }, region), detector.overlap);
  const faces = found
    .filter(({ box: { x0, y0, x1, y1 } }) => {
      const [width, height] = [x1 - x0, y1 - y0];
      // One without a width or a height has no proportions that a crop could keep.
      return Math.min(width, height) > 0 && Math.max(width, height) >= minFaceSide;
    })
    .sort((a, b) => area(b.box) - area(a.box));
  return { faces: faces.slice(0, maxFaces), tooSmall: found.length - faces.length };
}

/** The part of the plane that fills the network's input: the picture, or the picture and black to its right or below. */
function inputRegion(frame: Frame, { fit, input }: DetectorDescriptor): Region {
  switch (fit) {
    case 'stretch':
      return { x: 0, y: 0, width: frame.width, height: frame.height, beyond: 'edge' };
    case 'letterbox': {
      const scale = Math.max(frame.width / input.width, frame.height / input.height);
      return { x: 0, y: 0, width: input.width * scale, height: input.height * scale, beyond: 'black' };
    }
  }
}

/** The same region from further off, around the middle of the picture; what is beyond repeats the edge. */
function stepBack(frame: Frame, region: Region, distance: number): Region {
  const width = region.width * distance;
  const height = region.height * distance;
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height, beyond: 'edge' };
}

type Outputs = Readonly<Record<string, Float32Array>>;

function decode(outputs: Outputs, detector: DetectorDescriptor, region: Region): Detection[] {
  switch (detector.output.layout) {
    case 'corner-boxes':
      return decodeCornerBoxes(outputs, detector.output, detector.threshold, region);
    case 'stride-grid':
      return decodeStrideGrid(outputs, detector.output, detector, region);
  }
}

type Layout<Name> = Extract<DetectorDescriptor['output'], { layout: Name }>;

function decodeCornerBoxes(
  outputs: Outputs,
  layout: Layout<'corner-boxes'>,
  threshold: number,
  region: Region,
): Detection[] {
  const scores = tensor(outputs, layout.scores);
  const boxes = tensor(outputs, layout.boxes, scores.length * 2);
  const detections: Detection[] = [];
  for (let i = 0; i < scores.length / 2; i++) {
    const score = scores[i * 2 + layout.face] as number;
    // Written so that a NaN from a broken model is dropped too.
    if (!(score >= threshold)) continue;
    const [x0, y0, x1, y1] = boxes.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number];
    detections.push({
      score,
      box: {
        x0: region.x + x0 * region.width,
        y0: region.y + y0 * region.height,
        x1: region.x + x1 * region.width,
        y1: region.y + y1 * region.height,
      },
    });
  }
  return detections;
}

function decodeStrideGrid(
  outputs: Outputs,
  layout: Layout<'stride-grid'>,
  { input, threshold }: DetectorDescriptor,
  region: Region,
): Detection[] {
  const scaleX = region.width / input.width;
  const scaleY = region.height / input.height;
  const detections: Detection[] = [];
  for (const stride of layout.strides) {
    const columns = input.width / stride;
    const cells = columns * (input.height / stride);
    const classes = tensor(outputs, `cls_${stride}`, cells);
    const objects = tensor(outputs, `obj_${stride}`, cells);
    const boxes = tensor(outputs, `bbox_${stride}`, cells * 4);
    const points = tensor(outputs, `kps_${stride}`, cells * 10);
    // Not in the loop, where it would be made anew for each of thousands of cells.
    const detectionAt = (i: number, score: number): Detection => {
      const column = i % columns;
      const row = (i - column) / columns;
      const x = region.x + (column + (boxes[i * 4] as number)) * stride * scaleX;
      const y = region.y + (row + (boxes[i * 4 + 1] as number)) * stride * scaleY;
      const width = Math.exp(boxes[i * 4 + 2] as number) * stride * scaleX;
      const height = Math.exp(boxes[i * 4 + 3] as number) * stride * scaleY;
      const point = (n: number): Point => ({
        x: region.x + (column + (points[i * 10 + n * 2] as number)) * stride * scaleX,
        y: region.y + (row + (points[i * 10 + n * 2 + 1] as number)) * stride * scaleY,
      });
      return {
        score,
        box: { x0: x - width / 2, y0: y - height / 2, x1: x + width / 2, y1: y + height / 2 },
        landmarks: Object.fromEntries(
          layout.points.map((name: LandmarkName, n: number) => [name, point(n)]),
        ) as Landmarks,
      };
    };
    for (let i = 0; i < classes.length; i++) {
      const score = Math.sqrt(unit(classes[i] as number) * unit(objects[i] as number));
      if (score >= threshold) detections.push(detectionAt(i, score));
    }
  }
  return detections;
}

/** Of boxes that overlap by more than `limit` (intersection over union) only the best-scored stays. */
function suppressOverlaps(detections: Detection[], limit: number): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of detections.sort((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlap(box, candidate.box) <= limit)) kept.push(candidate);
  }
  return kept;
}

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

function area(box: Box): number {
  return (box.x1 - box.x0) * (box.y1 - box.y0);
}

function unit(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

function tensor(outputs: Outputs, name: string, count?: number): Float32Array {
  const values = outputs[name];
  if (values === undefined) throw new Error(`The detector has no output named ${name}.`);
  if (count !== undefined && values.length !== count) {
    throw new Error(`The detector's output ${name} has ${values.length} values, not ${count}.`);
  }
  return values;
}
