/** `bonafide models`: which weights there are, where they come from, and whether they are whole. */

import { dirname, join } from 'node:path';
import { ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import type { ModelDescriptor } from '../models/descriptor.ts';
import { loadRegistry, type Registry } from '../models/registry.ts';
import { verifyTuned } from '../models/tuning/tune.ts';
import { pullWeights, requireWeights, verifyWeights, WeightsError } from '../models/weights.ts';
import { pullCommand } from '../shell.ts';
import { type Command, endOnSignals, settingsHelp } from './command.ts';
import { pullBest } from './profile.ts';
import { startDownloadReporter } from './progress.ts';
import { table } from './table.ts';
import { tune } from './tuning.ts';

const help = `Usage: bonafide models list|pull|verify [ID ...]

  list     Every model: what for, whose, in which profiles, and whether its weights are there.
  pull     Pulls what is missing or damaged of the profiles and models named; without a name, of
           the profile accurate where its addresses answer within 3 s, and of standard. Then makes
           their tuned graphs again.
  verify   Checks the weights of the profiles and models named against their SHA-256, and their
           tuned graphs against what rewriting the weights gives; without a name, all that are
           there, of which at least one profile must be complete. Exit code 1 if something is
           damaged, or weights are missing.

An ID is that of a profile or of a model.

${settingsHelp(['dataFolder'])}`;

export const models: Command = async (args, env) => {
  const options = { ...flagOptions(['dataFolder']), help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const { dataFolder } = loadConfig(env, values);
  const folder = join(dataFolder, 'models');
  const [action, ...ids] = positionals;

  endOnSignals();
  switch (action) {
    case 'list':
      return await list(folder, ids);
    case 'pull':
      return await pull(folder, ids);
    case 'verify':
      return await verify(folder, ids);
    default:
      throw new ConfigError('Say: bonafide models list, pull or verify. See --help.');
  }
};

async function list(folder: string, ids: readonly string[]): Promise<number> {
  const registry = await loadRegistry(folder);
  const wanted = ids.length > 0 ? modelsNamed(registry, ids) : [...registry.models.values()];
  const rows: string[][] = [];
  for (const model of wanted) {
    const { id, task, licence, origin } = model;
    const state = await verifyWeights(folder, model);
    rows.push([id, task, state, profilesWith(registry, id).join(', '), licence, origin]);
  }
  process.stdout.write(table(['MODEL', 'TASK', 'STATE', 'PROFILES', 'LICENCE', 'ORIGIN'], rows));
  return 0;
}

async function pull(folder: string, ids: readonly string[]): Promise<number> {
  const registry = await loadRegistry(folder);
  const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const { onProgress, stop } = startDownloadReporter(process.stderr);
  const done = (what: string) => `The weights of ${what} are in ${folder}.`;
  const pulling =
    ids.length > 0
      ? pullWeights(folder, modelsNamed(registry, ids), { onProgress }).then(() => done(ids.join(', ')))
      : pullBest(registry, { folder, onProgress, say }).then(
          ({ resolved, note }) => note ?? done(resolved.profile.id),
        );
  const sentence = await pulling.finally(stop);
  const wanted = ids.length > 0 ? modelsNamed(registry, ids) : [...registry.models.values()];
  await tune(folder, wanted, { anew: true, say });
  say(sentence);
  return 0;
}

async function verify(folder: string, ids: readonly string[]): Promise<number> {
  const registry = await loadRegistry(folder);
  const wanted = ids.length > 0 ? modelsNamed(registry, ids) : [...registry.models.values()];
  const rows: string[][] = [];
  const faults: string[] = [];
  const whole = new Set<string>();
  for (const model of wanted) {
    const fault = await faultOf(folder, model);
    // Nobody has to have every model there is; what was named is wanted.
    if (fault !== undefined && (ids.length > 0 || fault.code === 'damaged')) faults.push(fault.message);
    rows.push([model.id, 'weights', fault?.code ?? 'ok', fault === undefined ? model.sha256 : '']);
    if (fault !== undefined) continue;
    whole.add(model.id);
    const tuned = await verifyTuned(folder, model);
    if (tuned.state === 'damaged') {
      faults.push(
        `The tuned graph of ${model.id} is not what its weights give. Run: ${pullCommand(dirname(folder), model.id)}`,
      );
    }
    const state = tuned.state === 'none' ? `none: ${tuned.reason}` : tuned.state;
    rows.push([model.id, 'tuned graph', state, tuned.state === 'ok' ? tuned.sha256 : '']);
  }
  const isComplete = (id: string) => registry.profile(id).models.every((model) => whole.has(model.id));
  if (ids.length === 0 && ![...registry.profiles.keys()].some(isComplete)) {
    faults.push(`The weights of no profile are complete. Run: ${pullCommand(dirname(folder))}`);
  }
  process.stdout.write(table(['MODEL', 'FILE', 'STATE', 'SHA-256'], rows));
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function faultOf(folder: string, model: ModelDescriptor): Promise<WeightsError | undefined> {
  try {
    await requireWeights(folder, [model]);
    return undefined;
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
}

/** The models of the profiles, and the models, that have these ids; each once. */
function modelsNamed(registry: Registry, ids: readonly string[]): ModelDescriptor[] {
  const found = ids.flatMap((id) => {
    if (registry.profiles.has(id)) return registry.profile(id).models;
    const model = registry.models.get(id);
    if (model !== undefined) return [model];
    const known = [...registry.profiles.keys(), ...registry.models.keys()];
    throw new ConfigError(`There is no profile and no model named "${id}". Known: ${known.join(', ')}.`);
  });
  return [...new Set(found)];
}

function profilesWith({ profiles }: Registry, id: string): string[] {
  return [...profiles.values()]
    .filter(
      ({ detector, landmarks, liveness }) =>
        detector === id || landmarks === id || liveness.some(({ model }) => model === id),
    )
    .map((profile) => profile.id);
}
