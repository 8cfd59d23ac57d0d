/** What an answer says, in the same words for every API: only what that API does say is there. */

import type { Answer, Problem } from '../../../src/dialects/native/wire.ts';

export const apiNames = ['native', 'nhn', 'argos'] as const;
export type ApiName = (typeof apiNames)[number];

/** From letting the most people through to letting the fewest attacks through. */
export const pointNames = ['weak', 'balanced', 'strict'] as const;
export type PointName = (typeof pointNames)[number];

export const landmarkNames = ['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip'] as const;
export type LandmarkName = (typeof landmarkNames)[number];

export type Verdict = 'live' | 'attack';
type NativeFace = Answer['faces'][number];
export type Warning = Answer['warnings'][number];
export type Quality = NativeFace['quality'];
export type SeenBefore = NonNullable<Answer['seenBefore']>;
/** Codes of the native API's problems. */
export type ProblemCode = Problem['code'];

/** A position as fractions of the upright picture. */
export interface Position {
  readonly x: number;
  readonly y: number;
}

export interface FaceBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface FoundFace {
  /** In fractions of the upright picture. */
  readonly box?: FaceBox;
  readonly landmarks?: Readonly<Record<LandmarkName, Position>>;
  /** P(live), 0..1. */
  readonly score?: number;
  readonly verdicts: Readonly<Partial<Record<PointName, Verdict>>>;
  /** Of the detection, as it was answered; says nothing about liveness. */
  readonly confidence?: number;
  readonly quality?: Quality;
  readonly warnings: readonly Warning[];
}

/** The picture was assessed; no face found is an answer too. */
export interface Found {
  readonly kind: 'found';
  /** Largest first. */
  readonly faces: readonly FoundFace[];
  /** Of the upright picture, in pixels. */
  readonly image?: { readonly format: string; readonly width: number; readonly height: number };
  /** P(live) from which a face is live. */
  readonly thresholds?: Readonly<Record<PointName, number>>;
  readonly tooSmall: number;
  /** About the picture as a whole. */
  readonly warnings: readonly Warning[];
  /** Milliseconds per stage. */
  readonly timings?: Readonly<Record<string, number>>;
  readonly seenBefore?: SeenBefore;
  readonly profile?: string;
}

/** Why there is no verdict, as far as a person can do something about it. */
export type Reason =
  /** Said here, without a request. */
  | 'no_key'
  | 'no_address'
  | 'unreadable'
  | 'unreachable'
  | 'wrong_key'
  | 'wrong_keys'
  | 'rate'
  | 'quota'
  | 'busy'
  | 'no_image'
  | 'damaged'
  | 'too_large'
  | 'too_small'
  | 'face_too_small'
  | 'several_faces'
  | 'address'
  | 'address_refused'
  | 'address_timeout'
  | 'request'
  | 'server';

export interface Refused {
  readonly kind: 'refused';
  readonly reason: Reason;
  readonly retryAfterSeconds?: number;
}

export type Reading = Found | Refused;

/** What a picture was taken for as a whole: one attack among several faces is an attack. An API may say no verdict. */
export function outcomeOf({ faces }: Found, point: PointName): Verdict | 'no_face' | 'unsaid' {
  if (faces.length === 0) return 'no_face';
  const verdicts = faces.map(({ verdicts: each }) => each[point]);
  if (verdicts.includes('attack')) return 'attack';
  return verdicts.includes(undefined) ? 'unsaid' : 'live';
}
