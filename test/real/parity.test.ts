/** What every network says of one drawn face, pinned: a changed colour order, scale, crop, kernel or file turns this red. */

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { cropRegion } from '../../src/liveness/crop.ts';
import { detect } from '../../src/liveness/detect.ts';
import { locateLandmarks } from '../../src/liveness/landmarks.ts';
import { logOdds } from '../../src/liveness/score.ts';
import type { Box, Frame, Landmarks, Point } from '../../src/liveness/types.ts';
import type {
  DetectorDescriptor,
  LandmarkDescriptor,
  LivenessDescriptor,
  ModelDescriptor,
} from '../../src/models/descriptor.ts';
import { loadRegistry, type Registry } from '../../src/models/registry.ts';
import { openSession, type Session } from '../../src/models/session.ts';
import { toTensor } from '../../src/models/tensor.ts';
import { requireWeights } from '../../src/models/weights.ts';
import { skipReason } from '../helpers/shared.ts';
import { accurateWeights, standardWeights } from '../helpers/weights.ts';

/** How far log-odds, scores and pixels may be from their pin: what another CPU's order of additions changes. */
const tolerance = { logOdds: 1e-3, score: 1e-3, pixels: 0.02 };

/** What a wrong preprocessing must change at least, for the pins to notice it. */
const notice = { logOdds: 0.01, pixels: 0.1 };

/**
 * A face and shoulders, drawn by formula: shaded, warm in colour, off the middle, with fine texture, in a picture of
 * another shape than any network's input.
 */
function drawFace(): Frame {
  const [width, height] = [1100, 980];
  const face = { x: 470, y: 430, halfWidth: 84, halfHeight: 112 };
  const square = (value: number) => value * value;
  /** 1 in the middle of an ellipse, 0 from its edge on; in units of the face. */
  const ellipse = (u: number, v: number, cu: number, cv: number, ru: number, rv: number) =>
    Math.max(0, 1 - square((u - cu) / ru) - square((v - cv) / rv));
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const u = (x - face.x) / face.halfWidth;
      const v = (y - face.y) / face.halfHeight;
      const grain = (x * 7 + y * 13) % 17;
      let colour = [60 + x / 12 + grain, 90 + y / 12, 150 - x / 16 + grain];
      const paint = (amount: number, red: number, green: number, blue: number) => {
        const share = Math.min(1, 2 * amount);
        colour = colour.map((value, i) => value * (1 - share) + ([red, green, blue][i] as number) * share);
      };
      if (ellipse(u, v, 0, 2.3, 2.2, 1.3) > 0) colour = [50 + 2 * grain, 60, 110 + ((x >> 1) % 2) * 40];
      if (Math.abs(u) < 0.5 && v > 0 && v < 1.4) colour = [170, 125, 105];
      if (v < 0.3 && ellipse(u, v, 0, -0.2, 1.15, 1.15) > 0) colour = [55 + grain, 40 + grain, 30];
      const skin = ellipse(u, v, 0, 0, 1, 1);
      if (skin > 0 && v > -0.65) {
        const light = 0.55 + 0.45 * Math.sqrt(skin) + 0.1 * u;
        colour = [215 * light, 165 * light + (grain >> 2), 140 * light];
        for (const side of [-1, 1]) {
          paint(ellipse(u, v, side * 0.4, -0.35, 0.24, 0.05), 60, 42, 32);
          paint(ellipse(u, v, side * 0.4, -0.17, 0.2, 0.1), 235, 230, 225);
          paint(ellipse(u, v, side * 0.4, -0.17, 0.085, 0.09), 40, 28, 22);
          paint(ellipse(u, v, side * 0.1, 0.22, 0.07, 0.04), 110, 70, 60);
        }
        paint(0.4 * ellipse(u, v, -0.06, 0.05, 0.06, 0.22), 235, 190, 165);
        paint(ellipse(u, v, 0, 0.5, 0.32, 0.09), 165, 75, 75);
        paint(ellipse(u, v, 0, 0.5, 0.3, 0.02), 90, 35, 40);
      }
      for (let i = 0; i < 3; i++)
        pixels[at + i] = Math.min(255, Math.max(0, Math.round(colour[i] as number)));
    }
  }
  return { format: 'png', width, height, pixels };
}

const frame = drawFace();

/** The face itself, and a box in the corner, whose crops have to move in or be mirrored. */
const boxes = {
  face: { x0: 390, y0: 326, x1: 552, y1: 540 },
  corner: { x0: -6, y0: 770, x1: 140, y1: 975 },
} as const satisfies Record<string, Box>;

interface Pin {
  readonly detection?: {
    readonly score: number;
    readonly box: readonly number[];
    readonly points?: readonly number[];
  };
  readonly landmarks?: Record<keyof typeof boxes, readonly number[]>;
  readonly logOdds?: Record<keyof typeof boxes, number>;
}

/** Log-odds as the networks gave them on 2026-11-22, boxes and points in pixels of the picture. */
const pins: Record<string, Pin> = {
  'ultraface-rfb-320': { detection: { score: 1, box: [390.0268, 329.0272, 550.7402, 523.5322] } },
  'landmark-68': {
    landmarks: {
      face: [
        436.3511, 404.4345, 503.6936, 399.1291, 468.0991, 444.6626, 449.424, 489.4574, 494.946, 487.0385,
      ],
      corner: [
        70.5647, 828.0336, 136.9803, 831.7269, 101.4977, 858.7228, 72.7271, 898.744, 126.7889, 903.1436,
      ],
    },
  },
  'minifas-128': { logOdds: { face: 2.61856, corner: -0.31368 } },
  'minifas-128-head': { logOdds: { face: 1.1502, corner: -1.6839 } },
  'yunet-2023mar': {
    detection: {
      score: 0.9263,
      box: [391.5579, 334.753, 546.5747, 529.43],
      points: [
        435.9693, 403.4433, 507.9596, 404.629, 472.4888, 442.7312, 439.5597, 473.5687, 499.876, 474.495,
      ],
    },
  },
  'minifasnet-v2': { logOdds: { face: -4.78094, corner: -2.13351 } },
  'minifasnet-v1se': { logOdds: { face: -5.08999, corner: 3.12416 } },
  'facenox-9820': { logOdds: { face: 5.98896, corner: -0.92936 } },
};

const pointsOf = (landmarks: Landmarks): number[] =>
  (['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip'] as const).flatMap((name) => {
    const { x, y }: Point = landmarks[name];
    return [x, y];
  });

async function detection(descriptor: DetectorDescriptor, session: Session) {
  const { faces } = await detect(frame, descriptor, session);
  return faces.map(({ score, box, landmarks }) => ({
    score,
    box: [box.x0, box.y0, box.x1, box.y1],
    points: landmarks && pointsOf(landmarks),
  }));
}

async function points(descriptor: LandmarkDescriptor, session: Session, box: Box): Promise<number[]> {
  const [landmarks] = await locateLandmarks(frame, [{ box, score: 1 }], { descriptor, session });
  return pointsOf(landmarks as Landmarks);
}

async function odds(descriptor: LivenessDescriptor, session: Session, box: Box): Promise<number> {
  const region = cropRegion(box, frame, descriptor.crop);
  return await logOdds(toTensor(frame, region, descriptor.input), descriptor, session);
}

const furthest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

function isPinned(found: readonly number[], expected: readonly number[], within: number): void {
  assert.equal(found.length, expected.length);
  assert.ok(furthest(found, expected) <= within, `[${found.map((value) => value.toFixed(4))}]`);
}

/** Preprocessing that is wrong in one respect each. */
function spoilt<Descriptor extends ModelDescriptor>(descriptor: Descriptor): Record<string, Descriptor> {
  const { input } = descriptor;
  const other = { rgb: 'bgr', bgr: 'rgb', grey: undefined } as const;
  const colour = other[input.colour];
  return {
    ...(colour && { 'the other colour order': { ...descriptor, input: { ...input, colour } } }),
    'another scale': { ...descriptor, input: { ...input, scale: input.scale === 1 ? 255 : 1 } },
    'a scale a little off': { ...descriptor, input: { ...input, scale: input.scale * 1.1 } },
    'another mean': { ...descriptor, input: { ...input, mean: input.mean + 10 } },
    'the other kernel': {
      ...descriptor,
      input: { ...input, resample: input.resample === 'bilinear' ? 'triangle' : 'bilinear' },
    },
    ...('crop' in descriptor && {
      'a crop a little larger': {
        ...descriptor,
        crop: { ...descriptor.crop, factor: descriptor.crop.factor * 1.05 },
      },
    }),
    ...('mirrored' in descriptor && { 'no mirror': { ...descriptor, mirrored: false } }),
    ...('fit' in descriptor && {
      'the other fit': { ...descriptor, fit: descriptor.fit === 'stretch' ? 'letterbox' : 'stretch' },
    }),
  };
}

function describeModels(weights: () => Promise<string>, ids: readonly string[]): void {
  let folder: string;
  let registry: Registry;
  before(async () => {
    folder = await weights();
    registry = await loadRegistry(folder);
  });

  for (const id of ids) {
    it(`says what it always said: ${id}`, async (t) => {
      const descriptor = registry.models.get(id) as ModelDescriptor;
      await requireWeights(folder, [descriptor]);
      const session = await openSession(folder, descriptor);
      const pin = pins[id] as Pin;
      switch (descriptor.task) {
        case 'detect': {
          const found = await detection(descriptor, session);
          t.diagnostic(JSON.stringify(found));
          assert.equal(found.length, 1);
          const [is] = found as [(typeof found)[number]];
          const was = pin.detection as NonNullable<Pin['detection']>;
          isPinned([is.score], [was.score], tolerance.score);
          isPinned(is.box, was.box, tolerance.pixels);
          isPinned(is.points ?? [], was.points ?? [], tolerance.pixels);
          for (const [name, wrong] of Object.entries(spoilt(descriptor))) {
            const [other] = await detection(wrong, session);
            const moved = other === undefined ? Number.POSITIVE_INFINITY : furthest(other.box, is.box);
            t.diagnostic(`${name}: ${moved.toFixed(3)}`);
            assert.ok(moved > notice.pixels, `${name} moves the box by ${moved} px only`);
          }
          break;
        }
        case 'landmarks':
        case 'liveness': {
          const ask = async (asked: typeof descriptor, box: Box) =>
            asked.task === 'landmarks'
              ? await points(asked, session, box)
              : [await odds(asked, session, box)];
          const within = descriptor.task === 'landmarks' ? tolerance.pixels : tolerance.logOdds;
          const least = descriptor.task === 'landmarks' ? notice.pixels : notice.logOdds;
          const changes = new Map<string, number>();
          for (const [where, box] of Object.entries(boxes) as [keyof typeof boxes, Box][]) {
            const found = await ask(descriptor, box);
            t.diagnostic(`${where} ${found.map((value) => value.toFixed(5)).join(', ')}`);
            isPinned(found, [pin.landmarks?.[where] ?? pin.logOdds?.[where] ?? []].flat(), within);
            for (const [name, wrong] of Object.entries(spoilt(descriptor))) {
              const change = furthest(await ask(wrong, box), found);
              changes.set(name, Math.max(change, changes.get(name) ?? 0));
            }
          }
          for (const [name, change] of changes) {
            t.diagnostic(`${name}: ${change.toFixed(3)}`);
            assert.ok(change > least, `${name} changes the answer by ${change} only`);
          }
        }
      }
    });
  }
}

describe('the models of the profile "standard"', () => {
  describeModels(standardWeights, ['ultraface-rfb-320', 'landmark-68', 'minifas-128', 'minifas-128-head']);
});

describe('the models of the profile "accurate", and facenox', { skip: skipReason('models') }, () => {
  describeModels(
    async () => (await accurateWeights()) as string,
    ['yunet-2023mar', 'minifasnet-v2', 'minifasnet-v1se', 'facenox-9820'],
  );
});
