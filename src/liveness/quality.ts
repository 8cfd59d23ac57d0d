/** The quality stage: the conditions a face was taken in, measured, and a warning where they make its verdict less certain. */

import type { InputDescriptor } from '../models/descriptor.ts';
import { toTensor, type View } from '../models/tensor.ts';
import type { Box, Frame, Landmarks, Measures, Point, Warning, WarningCode } from './types.ts';

/**
 * The limits. Sizes, margins and angles are both vendors' published advice; the three about light and focus were set on
 * the development set so that each marks 2-5 % of its genuine pictures (docs/models.md).
 */
export const qualityLimits = {
  /** Shorter side of the picture in pixels. */
  low_resolution: 480,
  /** Number of faces. */
  several_faces: 1,
  /** Shorter side of the face box in pixels. */
  small_face: 150,
  /** Distance between the eyes in pixels. */
  close_eyes: 50,
  /** Distance of the face box from the nearest border in pixels; negative when the box reaches beyond it. */
  near_border: 15,
  /** The largest of yaw, pitch and roll, in degrees, estimated from the five points to about ten degrees. */
  off_angle: 30,
  /** Mean luma of the face box, 0..255. */
  too_dark: 50,
  /** Mean luma of the face box, 0..255. */
  too_bright: 200,
  /** Mean absolute Laplacian of the luma of the face box brought to 128 x 128 pixels. */
  blurred: 2.2,
} as const satisfies Record<WarningCode, number>;

/** Warnings about the picture as a whole. */
export function judgePicture(frame: Frame, faceCount: number): Warning[] {
  return [
    ...below('low_resolution', Math.min(frame.width, frame.height)),
    ...above('several_faces', faceCount),
  ];
}

/**
 * Measures one face.
 * @param luma what the frame shows in `lumaView` of the box.
 */
export function measureFace(frame: Frame, box: Box, landmarks: Landmarks, luma: Float32Array): Measures {
  return {
    side: Math.min(box.x1 - box.x0, box.y1 - box.y0),
    eyeDistance: distance(landmarks.leftEye, landmarks.rightEye),
    margin: Math.min(box.x0, box.y0, frame.width - box.x1, frame.height - box.y1),
    angle: largestAngle(landmarks),
    ...lightAndFocus(luma),
    typologyAngle: typologyAngle(frame, landmarks),
  };
}

/** Warnings about one face. */
export function judgeFace(measures: Measures): Warning[] {
  return [
    ...below('small_face', measures.side),
    ...below('close_eyes', measures.eyeDistance),
    ...below('near_border', measures.margin),
    ...above('off_angle', measures.angle),
    ...below('too_dark', measures.luma),
    ...above('too_bright', measures.luma),
    ...below('blurred', measures.sharpness),
  ];
}

function below(code: WarningCode, value: number): Warning[] {
  return value < qualityLimits[code] ? [{ code, value, limit: qualityLimits[code] }] : [];
}

function above(code: WarningCode, value: number): Warning[] {
  return value > qualityLimits[code] ? [{ code, value, limit: qualityLimits[code] }] : [];
}

const lumaInput: InputDescriptor = {
  width: 128,
  height: 128,
  colour: 'grey',
  mean: 0,
  scale: 1,
  resample: 'triangle',
};

/** What light and focus are measured on: the face at a fixed size, so that the numbers mean the same at every resolution. */
export function lumaView({ x0, y0, x1, y1 }: Box): View {
  return { region: { x: x0, y: y0, width: x1 - x0, height: y1 - y0, beyond: 'edge' }, input: lumaInput };
}

/** @param luma of a `lumaView`. */
export function lightAndFocus(luma: Float32Array): { luma: number; sharpness: number } {
  const side = lumaInput.width;
  let sum = 0;
  let edges = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let i = y * side + 1; i < (y + 1) * side - 1; i++) {
      const centre = luma[i] as number;
      const around =
        (luma[i - 1] as number) +
        (luma[i + 1] as number) +
        (luma[i - side] as number) +
        (luma[i + side] as number);
      sum += centre;
      edges += Math.abs(4 * centre - around);
    }
  }
  const inner = (side - 2) ** 2;
  return { luma: sum / inner, sharpness: edges / inner };
}

/** How far the tip of the nose stands out before the eyes, as a share of the distance between them. */
const noseDepthByEyes = 0.42;
/** The same as a share of the distance from eyes to mouth. */
const noseDepthByMouth = 0.41;
/** How far down from eyes to mouth the tip of the nose lies on a face that looks straight ahead. */
const noseLevel = 0.52;

/**
 * The largest of yaw, pitch and roll in degrees. A turned head moves the tip of the nose against the plane of eyes and
 * mouth by its depth times the tangent of the angle (weak perspective).
 */
export function largestAngle({ leftEye, rightEye, nose, leftLip, rightLip }: Landmarks): number {
  const eyes = middle(leftEye, rightEye);
  const mouth = middle(leftLip, rightLip);
  const roll = Math.atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x);
  const along = (point: Point) => (point.x - eyes.x) * Math.cos(roll) + (point.y - eyes.y) * Math.sin(roll);
  const down = (point: Point) => (point.y - eyes.y) * Math.cos(roll) - (point.x - eyes.x) * Math.sin(roll);
  // Kept from zero: eyes or mouth that fall together are a face in profile, not an infinite number.
  const eyeDistance = Math.max(distance(leftEye, rightEye), 1e-6);
  const mouthDistance = Math.max(Math.abs(down(mouth)), 1e-6);
  const level = down(nose) / mouthDistance;
  const yaw = Math.atan((along(nose) - along(mouth) * level) / eyeDistance / noseDepthByEyes);
  const pitch = Math.atan((level - noseLevel) / noseDepthByMouth);
  return (Math.max(Math.abs(yaw), Math.abs(pitch), Math.abs(roll)) * 180) / Math.PI;
}

/** Side of the square that is looked at on each cheek, as a share of the distance between the eyes. */
const cheekShare = 0.25;

/**
 * The individual typology angle, arctan((L* - 50) / b*), of the mean colour of both cheeks, halfway between eye and corner
 * of the lips. It stands in for skin tone in reports by condition (Chardon et al., 1991), and is moved by the light as
 * well as by the skin.
 */
export function typologyAngle(frame: Frame, { leftEye, rightEye, leftLip, rightLip }: Landmarks): number {
  const side = Math.max(distance(leftEye, rightEye) * cheekShare, 1);
  const plane = cheekInput.width * cheekInput.height;
  const mean: [number, number, number] = [0, 0, 0];
  for (const { x, y } of [middle(leftEye, leftLip), middle(rightEye, rightLip)]) {
    const region = { x: x - side / 2, y: y - side / 2, width: side, height: side, beyond: 'edge' } as const;
    for (const [i, value] of toTensor(frame, region, cheekInput).entries()) {
      const channel = Math.floor(i / plane) as 0 | 1 | 2;
      mean[channel] += value / (2 * plane);
    }
  }
  const { lightness, yellow } = toLab(mean);
  // As an angle of two arguments it has no pole at b* = 0; only coloured light makes skin bluer than grey.
  return (Math.atan2(lightness - 50, Math.max(yellow, 0)) * 180) / Math.PI;
}

const cheekInput: InputDescriptor = {
  width: 8,
  height: 8,
  colour: 'rgb',
  mean: 0,
  scale: 1,
  resample: 'triangle',
};

/** L* and b* of CIELAB (IEC 61966-2-1 sRGB, white point D65) for red, green and blue 0..255. */
function toLab(rgb: readonly [number, number, number]): { lightness: number; yellow: number } {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const cube = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const y = cube(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  const z = cube((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
  return { lightness: 116 * y - 16, yellow: 200 * (y - z) };
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
