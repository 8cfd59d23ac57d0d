/** Which profile runs: the one that was named, or the best whose weights are there or can be had within seconds. */

import { dirname } from 'node:path';
import { applyCalibration, loadCalibration } from '../models/calibration.ts';
import type { DownloadOptions } from '../models/download.ts';
import { loadRegistry, type Registry, type ResolvedProfile } from '../models/registry.ts';
import { pullWeights, verifyWeights, WeightsError, type WeightsErrorCode } from '../models/weights.ts';
import { pullCommand } from '../shell.ts';
import { tune } from './tuning.ts';

export interface ProfileChoice {
  /** Its weights are all there and whole. */
  readonly resolved: ResolvedProfile;
  /** A sentence for people, where a better profile could not be taken. */
  readonly note?: string;
}

export interface PullOptions {
  /** Where the weights and the user's own descriptors are. */
  readonly folder: string;
  readonly onProgress?: DownloadOptions['onProgress'];
  /** Told, as a sentence, before the network is used, and of a graph that could not be tuned. */
  readonly say: (sentence: string) => void;
}

/** Longest wait for the first byte of a public address, in milliseconds, before `standard` is taken instead. */
const patienceMs = 3_000;

export interface ProfileOptions extends PullOptions {
  /** `auto`, or the id of a profile. */
  readonly setting: string;
  /** Path of a calibration that takes the place of the profile's own. */
  readonly calibration?: string | undefined;
}

/**
 * Resolves the settings `profile` and `calibration`, pulls what is missing, and tunes what is not tuned yet.
 *
 * @throws DescriptorError for an unknown profile, or a calibration that is not of it; WeightsError when its weights cannot
 *   be had
 */
export async function chooseProfile(options: ProfileOptions): Promise<ProfileChoice> {
  const { calibration: path } = options;
  // Before anything is downloaded.
  const calibration = path === undefined ? undefined : await loadCalibration(path);
  const choice = await resolveSetting(options);
  await tune(options.folder, choice.resolved.models, options);
  if (path === undefined || calibration === undefined) return choice;
  return { ...choice, resolved: applyCalibration(choice.resolved, calibration, path) };
}

/**
 * Resolves the setting `profile`, and pulls what is missing. `auto` asks the network only while neither `accurate` nor
 * `standard` is whole: what the first start came to stands until `bonafide models pull accurate`, so that no later start
 * needs a network or waits for one.
 */
async function resolveSetting(options: ProfileOptions): Promise<ProfileChoice> {
  const { folder, setting, say, onProgress } = options;
  const registry = await loadRegistry(folder);
  if (setting !== 'auto') {
    const resolved = registry.profile(setting);
    if ((await findFault(folder, resolved)) !== undefined) {
      say(`Pulling the weights of the profile ${setting} to ${folder}.`);
      await pullWeights(folder, resolved.models, { onProgress });
    }
    return { resolved };
  }
  const accurate = registry.profile('accurate');
  const fault = await findFault(folder, accurate);
  if (fault === undefined) return { resolved: accurate };
  const standard = registry.profile('standard');
  if ((await findFault(folder, standard)) === undefined)
    return { resolved: standard, note: note(folder, fault) };
  return await pullBest(registry, options);
}

/**
 * Pulls `accurate` if its public addresses answer within 3 s, and `standard` in any case. `standard` comes last: that it
 * is whole tells later starts that `accurate` was tried.
 *
 * @throws WeightsError when the weights of `standard` cannot be had
 */
export async function pullBest(
  registry: Registry,
  { folder, onProgress, say }: PullOptions,
): Promise<ProfileChoice> {
  const accurate = registry.profile('accurate');
  const standard = registry.profile('standard');
  say(`Pulling the weights of the profile accurate, or else standard, to ${folder}.`);
  const fault = await pullExtra(folder, accurate, standard, { onProgress, firstByteTimeoutMs: patienceMs });
  await pullWeights(folder, standard.models, { onProgress });
  return fault === undefined ? { resolved: accurate } : { resolved: standard, note: note(folder, fault) };
}

/** What is wrong with the weights of one model. */
interface Fault {
  readonly id: string;
  readonly code: WeightsErrorCode;
}

/** Pulls what `profile` needs beyond `base`, up to the first model whose weights cannot be had. */
async function pullExtra(
  folder: string,
  profile: ResolvedProfile,
  base: ResolvedProfile,
  options: DownloadOptions,
): Promise<Fault | undefined> {
  for (const model of profile.models.filter((candidate) => !base.models.includes(candidate))) {
    try {
      await pullWeights(folder, [model], options);
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      return { id: model.id, code: error.code };
    }
  }
  return undefined;
}

async function findFault(folder: string, { models }: ResolvedProfile): Promise<Fault | undefined> {
  for (const model of models) {
    const state = await verifyWeights(folder, model);
    if (state !== 'ok') return { id: model.id, code: state };
  }
  return undefined;
}

const reasons: Record<WeightsErrorCode, string> = {
  missing: 'are missing',
  damaged: 'are damaged',
  unreachable: `could not be reached within ${patienceMs / 1000} s`,
  wrong_content: 'are not what is pinned, at their address',
  no_source: 'are missing and have no source',
};

function note(folder: string, { id, code }: Fault): string {
  return `Using the standard profile, because the weights of ${id} ${reasons[code]}. Run: ${pullCommand(dirname(folder), 'accurate')}`;
}
