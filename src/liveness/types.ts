/** The engine's own words: what one photograph becomes on its way from bytes to verdicts. */

/** Image formats the engine can decode, told apart by content alone. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif' | 'heic';

/** An upright picture (EXIF orientation applied): interleaved RGB, 8 bit, row by row from the top left. */
export interface Frame {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  /** `width * height * 3` bytes. */
  readonly pixels: Uint8Array;
}

/** A position in pixels of the upright frame, origin at its top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle in pixels of the upright frame; detectors may place its corners outside. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** The five points; left and right as seen in the picture. */
export const landmarkNames = ['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip'] as const;
export type LandmarkName = (typeof landmarkNames)[number];
export type Landmarks = Readonly<Record<LandmarkName, Point>>;

/** A face as the detector saw it. */
export interface Detection {
  readonly box: Box;
  /** How sure the detector is that this is a face, 0..1. Says nothing about liveness. */
  readonly score: number;
  /** Present where the detector gives points itself. */
  readonly landmarks?: Landmarks;
}

/** How sensitive the decision is: from letting the most people through to letting the fewest attacks through. */
export const operatingPointNames = ['weak', 'balanced', 'strict'] as const;
export type OperatingPointName = (typeof operatingPointNames)[number];

/** What one photograph of one face was taken for. */
export type Verdict = 'live' | 'attack';

/** Something about the picture that makes its verdict less certain, with the value measured and the limit advised. */
export interface Warning {
  readonly code: WarningCode;
  /** In the unit that `qualityLimits` in `quality.ts` states for the code. */
  readonly value: number;
  readonly limit: number;
}

export type WarningCode =
  | 'low_resolution'
  | 'several_faces'
  | 'small_face'
  | 'close_eyes'
  | 'near_border'
  | 'off_angle'
  | 'too_dark'
  | 'too_bright'
  | 'blurred';

/** What was measured of one face: the conditions its error rates are broken down by, and what warnings are given for. */
export interface Measures {
  /** Shorter side of the face box in pixels. */
  readonly side: number;
  /** Distance between the eyes in pixels. */
  readonly eyeDistance: number;
  /** Distance of the face box from the nearest border in pixels; negative when the box reaches beyond it. */
  readonly margin: number;
  /** The largest of yaw, pitch and roll, in degrees, 0..180. */
  readonly angle: number;
  /** Mean luma of the face box, 0..255. */
  readonly luma: number;
  /** Mean absolute Laplacian of the luma of the face box brought to 128 x 128 pixels, 0..1020. */
  readonly sharpness: number;
  /** Individual typology angle of the cheeks in degrees, -90..90: the lower, the darker the skin, or its light. */
  readonly typologyAngle: number;
}

/** One face, assessed. */
export interface Face {
  readonly box: Box;
  readonly detectionScore: number;
  readonly landmarks: Landmarks;
  /** Calibrated probability that a living person was in front of the camera, 0..1. */
  readonly pLive: number;
  readonly verdicts: Readonly<Record<OperatingPointName, Verdict>>;
  /** What each liveness model said by itself: its uncalibrated log-odds of "live". */
  readonly scores: readonly { readonly model: string; readonly logOdds: number }[];
  readonly measures: Measures;
  readonly warnings: readonly Warning[];
}

/** Milliseconds each stage took, in the order the stages ran. */
export type Timings = Readonly<Partial<Record<string, number>>>;

/** The answer for one photograph. No face found is an answer: `faces` is empty. */
export interface Assessment {
  readonly image: { readonly format: ImageFormat; readonly width: number; readonly height: number };
  /** Largest first, at most 20. */
  readonly faces: readonly Face[];
  /** Faces seen but left out because they are smaller than 60 px. */
  readonly tooSmall: number;
  /** About the picture as a whole. */
  readonly warnings: readonly Warning[];
  readonly timings: Timings;
}
