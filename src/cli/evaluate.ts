/** `bonafide evaluate`: scores the pictures of a manifest, and makes a report of the scores. */

import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Config, ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import { ManifestError, type ManifestRow, parseManifest } from '../evaluation/manifest.ts';
import {
  columnsFor,
  describeRun,
  headLine,
  rowLine,
  type ScoredRow,
  scoreAssessment,
} from '../evaluation/scores.ts';
import { imageFormats } from '../liveness/decode.ts';
import { AssessmentError } from '../liveness/errors.ts';
import { startEngine } from '../liveness/pool.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import { type Command, endOnSignals, packageVersion, settingsHelp } from './command.ts';
import { inOrder } from './in-order.ts';
import { readBounded } from './pictures.ts';
import { chooseProfile } from './profile.ts';
import { startDownloadReporter, startReporter } from './progress.ts';
import { takeUp } from './score-file.ts';
import { printable } from './table.ts';

const settingNames = [
  'profile',
  'calibration',
  'dataFolder',
  'workers',
  'maxImageBytes',
  'maxPixels',
] as const;

const help = `Usage: bonafide evaluate MANIFEST.csv [options]

Measures how well a profile tells people from attacks on your own pictures. The manifest has one row for each
picture and the columns file, label (bona-fide or attack), species (print, replay, ...), group (one person, video or
session) and set (one camera or collection); docs/evaluation.md says how to make one.

  --out FOLDER (default: evaluation/<profile>)
      Where scores.csv and scores.json are written. A run that was broken off goes on where it ended.
${settingsHelp(settingNames)}`;

/** Nobody is waiting at the other end; only a decoder that hangs must not hold everything for ever. */
const deadlineMs = 300_000;

export const evaluate: Command = async (args, env) => {
  const options = {
    ...flagOptions(settingNames),
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const config = loadConfig(env, values);
  const [manifest, ...rest] = positionals;
  if (manifest === undefined || rest.length > 0) throw new ConfigError('Name one manifest. See --help.');
  endOnSignals();
  const path = await score(manifest, values.out as string | undefined, config);
  process.stdout.write(`${path}\n`);
  return 0;
};

/**
 * Scores what is not scored yet of a manifest, one line after another in its order.
 * @returns the path of the score file.
 */
async function score(manifestPath: string, out: string | undefined, config: Config): Promise<string> {
  const text = await readFile(manifestPath, 'utf8');
  const rows = parseManifest(text, manifestPath);
  const base = dirname(manifestPath);
  await requireFiles(base, rows);

  const profile = await resolveProfile(config);
  const folder = out ?? join('evaluation', profile.profile.id);
  const run = describeRun(profile, await packageVersion(), {
    path: relative(folder, manifestPath),
    sha256: createHash('sha256').update(text).digest('hex'),
    pictures: rows.length,
  });
  const columns = columnsFor(rows, run);
  const path = join(folder, 'scores.csv');
  await mkdir(folder, { recursive: true });
  const done = await takeUp(path, run, rows);
  if (done === undefined) {
    await writeFile(join(folder, 'scores.json'), `${JSON.stringify(run, undefined, 2)}\n`);
    await writeFile(path, headLine(columns));
  }
  const open = rows.slice(done ?? 0);
  if (open.length === 0) return path;

  const workers = Math.min(config.workers, open.length);
  // A file more for each worker is read while it is busy.
  const atOnce = workers * 2;
  const engine = await startEngine({
    folder: join(config.dataFolder, 'models'),
    profile,
    limits: { maxPixels: config.maxPixels },
    workers,
    queue: atOnce,
    deadlineMs,
  });
  const examine = async (row: ManifestRow): Promise<ScoredRow> => {
    try {
      const bytes = await readBounded(resolve(base, row.file), config.maxImageBytes);
      return scoreAssessment(row, await engine.assess(bytes, { admitted: imageFormats }), profile.profile);
    } catch (error) {
      if (!(error instanceof AssessmentError)) throw error;
      return { ...row, outcome: 'unreadable', reason: error.code, faces: 0 };
    }
  };
  const progress = startReporter(process.stderr);
  let count = rows.length - open.length;
  progress.report('Scoring', count, rows.length);
  try {
    for await (const row of inOrder(open, atOnce, examine)) {
      // At once and whole, so that a kill costs at most the pictures under way.
      appendFileSync(path, rowLine(row, columns));
      progress.report('Scoring', ++count, rows.length);
    }
  } finally {
    progress.stop();
    await engine.close();
  }
  return path;
}

/** A path that leads nowhere is a slip in the manifest, and no picture that could not be read. */
async function requireFiles(base: string, rows: readonly ManifestRow[]): Promise<void> {
  const absent: string[] = [];
  const isThere = (row: ManifestRow) =>
    stat(resolve(base, row.file)).then(
      (stats) => stats.isFile(),
      () => false,
    );
  for (const row of rows) if (!(await isThere(row))) absent.push(row.file);
  if (absent.length > 0) {
    const others = absent.length > 1 ? `, nor are ${absent.length - 1} more` : '';
    throw new ManifestError(
      `${printable(absent[0] as string)} is not in ${base}${others}. No picture was scored.`,
    );
  }
}

async function resolveProfile({ dataFolder, profile, calibration }: Config): Promise<ResolvedProfile> {
  const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const { onProgress, stop } = startDownloadReporter(process.stderr);
  const folder = join(dataFolder, 'models');
  const choice = chooseProfile({ folder, setting: profile, calibration, onProgress, say });
  const { resolved, note } = await choice.finally(stop);
  if (note !== undefined) say(note);
  return resolved;
}
