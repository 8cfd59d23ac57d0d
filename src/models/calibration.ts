/** A calibration file: what `bonafide calibrate` fitted on a user's own pictures, in place of what a profile came with. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Static, Type } from 'typebox';
import { type ModelDescriptor, ProfileDescriptor } from './descriptor.ts';
import { check, checkThresholds, DescriptorError, parseJson, type ResolvedProfile } from './registry.ts';

const strict = { additionalProperties: false } as const;
const { id, liveness, calibration, operatingPoints } = ProfileDescriptor.properties;

const Class = Type.Object({ pictures: Type.Integer(), groups: Type.Integer() }, strict);

export const Calibration = Type.Object(
  {
    /** The profile that it belongs to. */
    profile: id,
    /** SHA-256 of each of its models: what was fitted to one network's scores says nothing about another's. */
    models: Type.Record(Type.String(), Type.String({ pattern: '^[0-9a-f]{64}$' })),
    /** See `digestSettings`. */
    settings: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** These three take the place of the profile's own. */
    liveness,
    calibration,
    operatingPoints,
    /** What it was fitted on, for people. */
    fitted: Type.Object(
      {
        /** Version of bonafide. */
        bonafide: Type.String(),
        /** SHA-256 of the manifest. */
        manifest: Type.String(),
        sets: Type.Array(Type.String(), { minItems: 1 }),
        /** What was left out in turn to get the rates of the operating points. */
        leftOut: Type.Enum(['set', 'group']),
        bonaFide: Class,
        attack: Class,
        /** Pooled equal error rate of the scores so got, 0..1. */
        eer: Type.Number({ minimum: 0, maximum: 1 }),
      },
      strict,
    ),
  },
  strict,
);
export type Calibration = Static<typeof Calibration>;

/** A calibration that was read from a file. */
export interface LoadedCalibration extends Calibration {
  /** Of the file. */
  readonly sha256: string;
}

/**
 * SHA-256 of all in the descriptors that a score hangs on beside the weights: crops, kernels, outputs, thresholds. The order
 * of a file's fields does not matter.
 */
export function digestSettings(models: readonly ModelDescriptor[]): string {
  const settings = models.map(({ title: _, licence: __, origin: ___, source: ____, ...rest }) => rest);
  const inOrder = (_: string, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(settings, inOrder)).digest('hex');
}

/** @throws {DescriptorError} for a file that is none; the system's error where it cannot be read */
export async function loadCalibration(path: string): Promise<LoadedCalibration> {
  const name = basename(path);
  const bytes = await readFile(path);
  const calibration = check(name, Calibration, parseJson(name, bytes.toString()));
  checkThresholds(name, calibration.operatingPoints);
  return { ...calibration, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * The profile with this calibration in place of its own.
 * @param path what errors call the calibration.
 * @throws {DescriptorError} where it was fitted for another profile, or for other weights
 */
export function applyCalibration(
  resolved: ResolvedProfile,
  { profile: of, models, settings, liveness, calibration, operatingPoints, sha256 }: LoadedCalibration,
  path: string,
): ResolvedProfile {
  const { profile } = resolved;
  const remedy = 'Fit it again with bonafide evaluate and bonafide calibrate.';
  if (of !== profile.id) {
    throw new DescriptorError(
      `${path} is a calibration of the profile ${of}, and ${profile.id} is in use. Set BONAFIDE_PROFILE=${of}, or fit it again for ${profile.id}.`,
    );
  }
  const differing = resolved.models.find((model) => models[model.id] !== model.sha256);
  if (differing !== undefined || Object.keys(models).length !== resolved.models.length) {
    const which = differing === undefined ? 'other models' : `other weights of ${differing.id}`;
    throw new DescriptorError(`${path} was fitted with ${which} than the profile ${of} has. ${remedy}`);
  }
  if (digestSettings(resolved.models) !== settings) {
    throw new DescriptorError(
      `${path} was fitted when the descriptors of the profile ${of} said otherwise of preprocessing or outputs. ${remedy}`,
    );
  }
  const names = (members: typeof liveness) => members.map(({ model }) => model).join(', ');
  if (names(liveness) !== names(profile.liveness)) {
    throw new DescriptorError(
      `${path} weighs ${names(liveness)}, and the profile ${of} has ${names(profile.liveness)}. ${remedy}`,
    );
  }
  return {
    ...resolved,
    profile: { ...profile, liveness, calibration, operatingPoints },
    liveness: resolved.liveness.map((member, i) => ({
      ...member,
      weight: liveness[i]?.weight ?? Number.NaN,
    })),
    calibrationSha256: sha256,
  };
}
