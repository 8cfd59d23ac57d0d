/** Every model and profile there is to choose from: the catalog's, and those a user described beside their own weights. */

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import * as catalog from './catalog.ts';
import type { ModelDescriptor } from './descriptor.ts';
import {
  DetectorDescriptor,
  LandmarkDescriptor,
  LivenessDescriptor,
  ProfileDescriptor,
} from './descriptor.ts';

const tasks = {
  detect: DetectorDescriptor,
  landmarks: LandmarkDescriptor,
  liveness: LivenessDescriptor,
} as const;

/** A descriptor file that does not hold, or a profile that cannot be put together. `message` is a sentence for people. */
export class DescriptorError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DescriptorError';
  }
}

/** A profile with the models it names. */
export interface ResolvedProfile {
  profile: ProfileDescriptor;
  detector: DetectorDescriptor;
  /** Absent where the detector gives the five points itself. */
  landmarks?: LandmarkDescriptor;
  liveness: { model: LivenessDescriptor; weight: number }[];
  /** All of the above, each once: what must be pulled to run the profile. */
  models: ModelDescriptor[];
  /** SHA-256 of the calibration file that took the place of the profile's own, where one did. */
  calibrationSha256?: string;
}

export interface Registry {
  models: ReadonlyMap<string, ModelDescriptor>;
  profiles: ReadonlyMap<string, ProfileDescriptor>;
  /** @throws {DescriptorError} for an id that is unknown or of the wrong task, or a profile without five points */
  profile(id: string): ResolvedProfile;
}

/**
 * The catalog, and over it what `<id>.model.json` and `<id>.profile.json` in the folder describe: a file with an id of
 * the catalog takes that entry's place. A folder that does not exist is an empty one.
 *
 * @throws {DescriptorError} for a JSON file that is neither, is named otherwise than its id, or breaks the schema, and for a profile
 *   whose thresholds do not rise
 */
export async function loadRegistry(folder: string): Promise<Registry> {
  const models = new Map(catalog.models.map((model) => [model.id, model]));
  const profiles = new Map(catalog.profiles.map((profile) => [profile.id, profile]));

  for (const path of await jsonFiles(folder)) {
    const name = basename(path);
    const [, stem, kind] = /^(.+)\.(model|profile)\.json$/.exec(name) ?? [];
    // Passing over it in silence would hide a slip in the name.
    if (kind === undefined) {
      throw new DescriptorError(`${name} is named neither <id>.model.json nor <id>.profile.json.`);
    }
    const value = await readJson(path);
    const entry = kind === 'model' ? checkModel(name, value) : check(name, ProfileDescriptor, value);
    if (entry.id !== stem) {
      throw new DescriptorError(
        `${name} describes ${entry.id}, so it must be named ${entry.id}.${kind}.json.`,
      );
    }
    if ('operatingPoints' in entry) {
      checkThresholds(name, entry.operatingPoints);
      profiles.set(entry.id, entry);
    } else models.set(entry.id, entry);
  }

  return { models, profiles, profile: (id) => resolve(models, profiles, id) };
}

function resolve(
  models: ReadonlyMap<string, ModelDescriptor>,
  profiles: ReadonlyMap<string, ProfileDescriptor>,
  id: string,
): ResolvedProfile {
  const profile = profiles.get(id);
  if (profile === undefined) throw new DescriptorError(unknown('profile', id, [...profiles.keys()]));

  const find = <Task extends keyof typeof tasks>(task: Task, wanted: string) => {
    const able = [...models.values()].filter((model) => model.task === task);
    const model = able.find((candidate) => candidate.id === wanted);
    if (model === undefined) {
      const ids = able.map((candidate) => candidate.id);
      throw new DescriptorError(`In profile ${id}: ${unknown(`model of task ${task}`, wanted, ids)}`);
    }
    return model as Extract<ModelDescriptor, { task: Task }>;
  };

  const detector = find('detect', profile.detector);
  const landmarks = profile.landmarks === undefined ? undefined : find('landmarks', profile.landmarks);
  if (landmarks === undefined && detector.output.layout === 'corner-boxes') {
    throw new DescriptorError(
      `Profile ${id} needs a landmarks model, because its detector ${detector.id} finds boxes only.`,
    );
  }
  const liveness = profile.liveness.map(({ model, weight }) => ({ model: find('liveness', model), weight }));
  return {
    profile,
    detector,
    ...(landmarks && { landmarks }),
    liveness,
    models: [
      ...new Set([detector, ...(landmarks ? [landmarks] : []), ...liveness.map(({ model }) => model)]),
    ],
  };
}

function unknown(what: string, id: string, known: readonly string[]): string {
  return `There is no ${what} named "${id}". Known: ${known.join(', ') || 'none'}.`;
}

/** The folder's JSON files in order of name. */
async function jsonFiles(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @throws {DescriptorError} for what is no JSON */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(basename(path), await readFile(path, 'utf8'));
}

/** @throws {DescriptorError} for what is no JSON */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DescriptorError(`${name} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
}

/** @throws {DescriptorError} where a stricter operating point would let more pass than a weaker one */
export function checkThresholds(
  name: string,
  { weak, balanced, strict }: ProfileDescriptor['operatingPoints'],
): void {
  if (weak.threshold <= balanced.threshold && balanced.threshold <= strict.threshold) return;
  throw new DescriptorError(
    `${name}: /operatingPoints must have thresholds that rise from weak over balanced to strict, or are the same, and they are ${weak.threshold}, ${balanced.threshold} and ${strict.threshold}.`,
  );
}

/** Checks against the schema of the model's own task: against the union of all, the errors would be those of another. */
function checkModel(name: string, value: unknown): ModelDescriptor {
  const task = (value as { task?: unknown } | null)?.task;
  if (typeof task !== 'string' || !Object.hasOwn(tasks, task)) {
    throw new DescriptorError(`${name}: /task must be one of ${Object.keys(tasks).join(', ')}.`);
  }
  return check(name, tasks[task as keyof typeof tasks], value);
}

/** @throws {DescriptorError} that names the field, for a value that breaks the schema */
export function check<Schema extends TSchema>(name: string, schema: Schema, value: unknown): Static<Schema> {
  if (Value.Check(schema, value)) return value;
  const errors = Value.Errors(schema, value);
  // Where one of several forms is admitted, the errors of all are listed. A form with another fixed value, or without
  // one of the fields given, is not the form that was meant.
  const form = (schemaPath: string) => /^.*\/anyOf\/\d+/.exec(schemaPath)?.[0];
  const notMeant = new Set(
    errors
      .filter(({ keyword }) => keyword === 'const' || keyword === 'boolean')
      .map((e) => form(e.schemaPath)),
  );
  const meant = errors.filter(({ schemaPath }) => !form(schemaPath) || !notMeant.has(form(schemaPath)));
  const { keyword, instancePath, message } = meant[0] ??
    errors[0] ?? { instancePath: '', message: 'is invalid' };
  const fault = keyword === 'boolean' ? 'is no field of this descriptor' : message;
  throw new DescriptorError(`${name}: ${instancePath || 'the descriptor'} ${fault}.`);
}
