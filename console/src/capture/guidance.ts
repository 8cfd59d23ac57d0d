/** What to tell a person before the camera, one thing at a time, and when the picture is good. Knows no browser. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A face as the finder gives it, in pixels of the picture. Left and right are the person's own; ears are where they begin. */
export interface FoundFace {
  readonly box: Box;
  readonly points: Readonly<
    Record<'rightEye' | 'leftEye' | 'nose' | 'mouth' | 'rightEar' | 'leftEar', Point>
  >;
}

/** One frame of the camera. */
export interface Frame {
  /** In pixels of the camera, as everything here. */
  readonly width: number;
  readonly height: number;
  /** The part of it that the person sees. */
  readonly view: Box;
  readonly faces: readonly FoundFace[];
  /** Mean luma of the largest face, or of the view where there is none, 0..255. */
  readonly luma: number;
  /** Mean absolute Laplacian of the luma of the largest face brought to 128 x 128 pixels, as the server measures it. */
  readonly sharpness: number;
  /** In milliseconds, on a clock that does not go back. */
  readonly time: number;
}

export type Instruction =
  | 'show'
  | 'alone'
  | 'closer'
  | 'further'
  | 'centre'
  | 'straight'
  | 'brighter'
  | 'darker'
  | 'still';

export interface Guidance {
  readonly instruction: Instruction;
  /** How much of the good frames that a picture is chosen from is there, 0..1. */
  readonly progress: number;
  /** How good this frame is among the good ones; undefined where it is not good. */
  readonly score: number | undefined;
}

/**
 * On the near side of what the server warns of (docs/models.md). Of 418 genuine pictures of the development set, for which
 * nobody was guided, light lets 94 % through, sharpness 97 % and the angle 67 %.
 */
export const limits = {
  /** Width of the face by that of the view: the oval is 0.62 of it. */
  least: 0.36,
  most: 0.66,
  /** Width of the face in pixels, for a camera of few of them: the server warns below 150. */
  leastPixels: 170,
  /** Distance of the face from the middle of the view, by the view's width. */
  offset: 0.12,
  /** Degrees; the server warns from 30. */
  angle: 20,
  /** Mean luma of the face; the server warns below 50 and above 200. Hardly stricter: dark skin is no bad light. */
  dark: 53,
  bright: 195,
  /** Mean luma of a view without a face, below which that is why there is none. */
  night: 40,
  /** The server warns below 2.2. Hardly stricter: nobody can mend a camera by holding still. */
  sharpness: 2.35,
  /** Widths of the face that it moves in a second. */
  motion: 0.35,
  /** Another face counts from so much of the width of the largest. */
  other: 0.35,
} as const;

/** An instruction that is shown goes when its limit is kept with this much to spare, so that it does not come and go. */
const slack = 0.1;
/** For so long another instruction must hold before it is shown, and the one shown stays, in milliseconds. */
const settleMs = 250;
const dwellMs = 700;
/** What a picture is chosen from: so many good frames in a row, over so many milliseconds. */
const enoughFrames = 5;
const enoughMs = 700;
/** No movement can be told from the frame before when that is longer ago. */
const stepMs = 600;

/** Follows the frames of one camera. */
export class Guide {
  #shown: Instruction = 'show';
  #shownAt = Number.NEGATIVE_INFINITY;
  #next: { instruction: Instruction; since: number } | undefined;
  #before: Frame | undefined;
  #good = { frames: 0, since: 0 };

  /** @param frame later than the one before. */
  next(frame: Frame): Guidance {
    const motion = motionBetween(this.#before, frame);
    this.#before = frame;
    const wanted = judge(frame, motion, this.#shown);
    if (wanted === undefined) {
      if (this.#good.frames++ === 0) this.#good.since = frame.time;
    } else {
      this.#good.frames = 0;
    }
    this.#settle(wanted ?? 'still', frame.time);
    const { frames, since } = this.#good;
    return {
      instruction: this.#shown,
      progress: frames === 0 ? 0 : Math.min(frames / enoughFrames, (frame.time - since) / enoughMs, 1),
      score: wanted === undefined ? scoreOf(frame) : undefined,
    };
  }

  #settle(wanted: Instruction, time: number): void {
    if (wanted === this.#shown) {
      this.#next = undefined;
      return;
    }
    if (this.#next?.instruction !== wanted) this.#next = { instruction: wanted, since: time };
    if (time - this.#next.since < settleMs || time - this.#shownAt < dwellMs) return;
    this.#shown = wanted;
    this.#shownAt = time;
    this.#next = undefined;
  }
}

/**
 * What is most in the way of a good picture; undefined where nothing is.
 * @param motion of the largest face, in its widths per second; undefined where it cannot be told yet.
 * @param shown what the person is being told: its limits are drawn closer.
 */
export function judge(frame: Frame, motion: number | undefined, shown: Instruction): Instruction | undefined {
  const { view, luma, sharpness } = frame;
  const face = largest(frame.faces);
  if (face === undefined) return luma < limits.night ? 'brighter' : 'show';
  const under = (value: number, limit: number, name: Instruction) =>
    value < limit * (shown === name ? 1 + slack : 1);
  const over = (value: number, limit: number, name: Instruction) =>
    value > limit * (shown === name ? 1 - slack : 1);

  const width = widthOf(face.box);
  const viewWidth = view.x1 - view.x0;
  const isOther = (other: FoundFace) => other !== face && widthOf(other.box) >= width * limits.other;
  if (frame.faces.some(isOther)) return 'alone';
  const share = width / viewWidth;
  // A camera of few pixels asks for a face so large that it must still fit.
  const least = Math.min(Math.max(limits.least, limits.leastPixels / viewWidth), limits.most * 0.8);
  if (under(share, least, 'closer')) return 'closer';
  if (over(share, limits.most, 'further')) return 'further';
  const offset =
    Math.hypot(
      (face.box.x0 + face.box.x1) / 2 - (view.x0 + view.x1) / 2,
      (face.box.y0 + face.box.y1) / 2 - (view.y0 + view.y1) / 2,
    ) / viewWidth;
  if (over(offset, limits.offset, 'centre')) return 'centre';
  if (over(largestAngle(face), limits.angle, 'straight')) return 'straight';
  if (under(luma, limits.dark, 'brighter')) return 'brighter';
  if (over(luma, limits.bright, 'darker')) return 'darker';
  if (motion === undefined || over(motion, limits.motion, 'still')) return 'still';
  if (under(sharpness, limits.sharpness, 'still')) return 'still';
  return undefined;
}

/** The widest of them. */
export function largest(faces: readonly FoundFace[]): FoundFace | undefined {
  return faces.reduce<FoundFace | undefined>(
    (most, face) => (most === undefined || widthOf(face.box) > widthOf(most.box) ? face : most),
    undefined,
  );
}

/** Sharp and from the front. */
function scoreOf({ faces, sharpness }: Frame): number {
  const face = largest(faces);
  return face === undefined ? 0 : sharpness * (1 - largestAngle(face) / 45);
}

/** How fast the eyes, nose and mouth of the largest face move, in widths of the face per second. */
function motionBetween(before: Frame | undefined, { faces, time }: Frame): number | undefined {
  const [was, is] = [largest(before?.faces ?? []), largest(faces)];
  if (before === undefined || was === undefined || is === undefined || time - before.time > stepMs) {
    return undefined;
  }
  const steps = (['rightEye', 'leftEye', 'nose', 'mouth'] as const).map((name) =>
    distance(was.points[name], is.points[name]),
  );
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return mean / widthOf(is.box) / (Math.max(time - before.time, 1) / 1000);
}

/** How far the tip of the nose stands out before the line between the ears, as a share of half of their distance. */
const noseBeforeEars = 1.5;
/** How far it stands out before eyes and mouth, as a share of the distance between those. */
const noseBeforeMouth = 0.41;
/** How far down from eyes to mouth it lies on a face that looks straight ahead. */
const noseLevel = 0.5;

/** The largest of yaw, pitch and roll in degrees, to about ten (weak perspective, as the server has it). */
export function largestAngle({ points }: FoundFace): number {
  const { rightEye, leftEye, nose, mouth, rightEar, leftEar } = points;
  const roll = Math.atan2(leftEye.y - rightEye.y, leftEye.x - rightEye.x);
  const along = (point: Point) => point.x * Math.cos(roll) + point.y * Math.sin(roll);
  const down = (point: Point) => point.y * Math.cos(roll) - point.x * Math.sin(roll);
  const ears = Math.max(Math.abs(along(leftEar) - along(rightEar)), 1e-6);
  const yaw = Math.atan((2 * along(nose) - along(leftEar) - along(rightEar)) / ears / noseBeforeEars);
  const eyes = (down(rightEye) + down(leftEye)) / 2;
  const height = Math.max(Math.abs(down(mouth) - eyes), 1e-6);
  const pitch = Math.atan(((down(nose) - eyes) / height - noseLevel) / noseBeforeMouth);
  return (Math.max(Math.abs(yaw), Math.abs(pitch), Math.abs(roll)) * 180) / Math.PI;
}

/**
 * Luma and sharpness of a square picture, as the server measures them of a face.
 * @param rgba its pixels, 4 bytes each, `side` x `side`.
 */
export function lightAndFocus(rgba: Uint8ClampedArray, side: number): { luma: number; sharpness: number } {
  const luma = new Float32Array(side * side);
  for (let i = 0; i < luma.length; i++) {
    // ITU-R BT.601, as in the server.
    luma[i] =
      0.299 * (rgba[4 * i] as number) +
      0.587 * (rgba[4 * i + 1] as number) +
      0.114 * (rgba[4 * i + 2] as number);
  }
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

/** The middle of a frame that is seen through a window of this shape (width by height). */
export function viewOf(width: number, height: number, shape: number): Box {
  const [wide, tall] = [Math.min(width, height * shape), Math.min(height, width / shape)];
  const [x0, y0] = [(width - wide) / 2, (height - tall) / 2];
  return { x0, y0, x1: x0 + wide, y1: y0 + tall };
}

function widthOf({ x0, x1 }: Box): number {
  return x1 - x0;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
