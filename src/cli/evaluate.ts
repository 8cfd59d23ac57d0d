/** `bonafide evaluate`: scores the pictures of a manifest, and makes a report of the scores. */

import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Config, ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import type { Estimate } from '../evaluation/bootstrap.ts';
import type { Fitted } from '../evaluation/calibration.ts';
import { makeThumbnails } from '../evaluation/contact-sheet.ts';
import { ManifestError, type ManifestRow, parseManifest } from '../evaluation/manifest.ts';
import type { ReportOptions } from '../evaluation/report.ts';
import {
  columnsFor,
  describeRun,
  headLine,
  rowLine,
  type ScoredRow,
  type ScoreRun,
  scoreAssessment,
} from '../evaluation/scores.ts';
import { compare, type Summary, summarise } from '../evaluation/summary.ts';
import { AssessmentError } from '../liveness/errors.ts';
import { startEngine } from '../liveness/pool.ts';
import { imageFormats } from '../liveness/sniff.ts';
import { operatingPointNames } from '../liveness/types.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import { type Command, endOnSignals, packageVersion, settingsHelp } from './command.ts';
import { inOrder } from './in-order.ts';
import { readBounded } from './pictures.ts';
import { chooseProfile } from './profile.ts';
import { startDownloadReporter, startReporter } from './progress.ts';
import { listSets, readRun, readScores, spoken, takeUp, withinSets } from './score-file.ts';
import { printable, table } from './table.ts';

const settingNames = [
  'profile',
  'calibration',
  'dataFolder',
  'workers',
  'maxImageBytes',
  'maxPixels',
] as const;

const help = `Usage: bonafide evaluate MANIFEST.csv [options]
       bonafide evaluate --from SCORES.csv [options]

Measures how well a profile tells people from attacks on your own pictures, in two steps. The first scores the
pictures; broken off, it goes on where it ended. The second makes a report of the scores, and needs no model.
The manifest has one row for each picture and the columns file, label (bona-fide or attack), species (print,
replay, ...), group (one person, video or session) and set (one camera or collection); docs/evaluation.md says how
to make one.

  --out FOLDER (default: evaluation/<profile>, or the folder of --from)
      Where scores.csv, scores.json, report.html and report.json are written.
  --scores-only
      Scores, and makes no report.
  --from SCORES.csv
      Makes the report of scores that are there.
  --sets A,B,...
      Counts these sets only.
  --dev A,B,... --eval C,D,...
      Fits and chooses thresholds on the first sets, and reports on the others. If not given, every set is left out
      of the fit in turn, and judged by what was fitted on the others.
  --weights
      Fits each liveness model's weight as well, where it would fit the calibration alone.
  --compare FOLDER|SCORES.csv
      Lays the scores of another run beside these.
  --no-pictures
      Leaves the contact sheet out, so that the report holds no photograph.
${settingsHelp(settingNames)}`;

/** Nobody is waiting at the other end; only a decoder that hangs must not hold everything for ever. */
const deadlineMs = 300_000;

/** Draws of the bootstrap, and the seed that makes two reports of the same scores the same. */
const resampling = { draws: 1000, seed: 1 } as const;

export const evaluate: Command = async (args, env) => {
  const options = {
    ...flagOptions(settingNames),
    out: { type: 'string' },
    'scores-only': { type: 'boolean', default: false },
    from: { type: 'string' },
    sets: { type: 'string' },
    dev: { type: 'string' },
    eval: { type: 'string' },
    weights: { type: 'boolean', default: false },
    compare: { type: 'string' },
    'no-pictures': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const config = loadConfig(env, values);
  const flag = (name: keyof typeof options) => values[name] as string | undefined;
  const [manifest, ...rest] = positionals;
  const from = flag('from');
  if (rest.length > 0 || (manifest === undefined) === (from === undefined)) {
    throw new ConfigError('Name one manifest, or one score file with --from. See --help.');
  }
  if (from !== undefined && values['scores-only']) throw new ConfigError('--from has its scores already.');
  if ((flag('dev') === undefined) !== (flag('eval') === undefined)) {
    throw new ConfigError('--dev and --eval go together. See --help.');
  }
  if (flag('dev') !== undefined && flag('sets') !== undefined) {
    throw new ConfigError('--sets does not go with --dev and --eval, which name all sets.');
  }

  endOnSignals();
  const scores = from ?? (await score(manifest as string, flag('out'), config));
  if (values['scores-only']) {
    process.stdout.write(`${scores}\n`);
    return 0;
  }
  await report(scores, flag('out') ?? dirname(scores), {
    choice: { sets: flag('sets'), dev: flag('dev'), eval: flag('eval') },
    fitted: values.weights ? 'weights' : 'calibration',
    compare: flag('compare'),
    withPictures: !values['no-pictures'],
    maxPixels: config.maxPixels,
  });
  return 0;
};

interface ReportChoice {
  readonly choice: { readonly [Name in 'sets' | 'dev' | 'eval']: string | undefined };
  readonly fitted: Fitted;
  readonly compare: string | undefined;
  readonly withPictures: boolean;
  readonly maxPixels: number;
}

/** Makes the report of a score file, and tells its figures. */
async function report(scores: string, folder: string, options: ReportChoice): Promise<void> {
  const { choice, fitted, compare: second, withPictures, maxPixels } = options;
  const all = await readScores(scores);
  const run = await readRun(scores);
  const summariseRun = (rows: readonly ScoredRow[], own: ScoreRun | undefined) => {
    const { sets, dev, eval: evaluated } = choice;
    const counted = sets === undefined ? rows : withinSets(rows, listSets(sets, rows));
    const split =
      dev === undefined || evaluated === undefined
        ? undefined
        : apart({ dev: listSets(dev, rows), eval: listSets(evaluated, rows) });
    return spoken(() => summarise(counted, own, { fitted, split, ...resampling }));
  };
  const summarised = summariseRun(all, run);
  const { summary } = summarised;

  let compared: ReportOptions = {};
  if (second !== undefined) {
    const path = (await isFolder(second)) ? join(second, 'scores.csv') : second;
    const [rows, own] = [await readScores(path), await readRun(path)];
    const other = summariseRun(rows, own);
    const differences = compare(summarised, other, haveSamePictures(all, rows));
    const name = own?.profile === run?.profile ? path : (own?.profile ?? path);
    compared = { compared: { name, summary: other.summary, differences } };
  }

  const worst = new Set([...summary.worst.bonaFide, ...summary.worst.attack].map(({ file }) => file));
  const faces = all.flatMap(({ file, face }) => (worst.has(file) ? [{ file, box: face?.box }] : []));
  const base = run && resolve(dirname(scores), dirname(run.manifest.path));
  const thumbnails =
    withPictures && base !== undefined
      ? await makeThumbnails(faces, (file) => resolve(base, file), maxPixels)
      : undefined;

  await mkdir(folder, { recursive: true });
  const page = join(folder, 'report.html');
  // The plots take longer to load than most of this to run.
  const { renderReport } = await import('../evaluation/report.ts');
  await writeFile(page, renderReport(summary, { ...compared, thumbnails }));
  const digits = (_: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value;
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(summary, digits, 2)}\n`);
  process.stdout.write(`${summary.sentence}\n\n${figures(summary)}\nReport: ${page}\n`);
}

/** Figures of what parameters were fitted on would be taken for figures of what they had not seen. */
function apart<Split extends Record<'dev' | 'eval', readonly string[]>>(split: Split): Split {
  const both = split.dev.find((set) => split.eval.includes(set));
  if (both !== undefined) throw new ConfigError(`The set ${both} is in both --dev and --eval.`);
  return split;
}

/** The table of the terminal. */
function figures({ operatingPoints }: Summary): string {
  const percent = (own: Estimate | undefined) => {
    if (own === undefined) return '';
    const share = (rate: number) => (100 * rate).toFixed(1);
    const range = own.low === null || own.high === null ? '' : ` (${share(own.low)}-${share(own.high)})`;
    return `${share(own.value)} %${range}`;
  };
  const rows = operatingPointNames.map((name) => {
    const { threshold, maxApcer, bpcer, acer } = operatingPoints[name];
    return [name, `${threshold}`, percent(maxApcer), percent(bpcer), percent(acer)];
  });
  return table(['OPERATING POINT', 'P(LIVE) FROM', 'APCER', 'BPCER', 'ACER'], rows);
}

/** Draw by draw, only the same groups can be compared. */
function haveSamePictures(one: readonly ScoredRow[], other: readonly ScoredRow[]): boolean {
  const key = ({ file, bonaFide, set, group }: ScoredRow) => JSON.stringify([file, bonaFide, set, group]);
  const files = new Set(other.map(key));
  return one.length === other.length && one.every((row) => files.has(key(row)));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

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
    // What is under way is bounded here, by files.
    queue: Number.POSITIVE_INFINITY,
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
