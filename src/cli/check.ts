/** `bonafide check`: assesses photographs from the disk, one row or one JSON line each. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getSystemErrorMessage, styleText } from 'node:util';
import { ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import { AssessmentError, type EngineErrorCode } from '../liveness/errors.ts';
import { HeicDecoder } from '../liveness/heic.ts';
import { startEngine } from '../liveness/pool.ts';
import { imageFormats } from '../liveness/sniff.ts';
import {
  type Assessment,
  type OperatingPointName,
  operatingPointNames,
  type Warning,
} from '../liveness/types.ts';
import { annotate } from './annotate.ts';
import { type Command, endOnSignals, settingsHelp } from './command.ts';
import { inOrder } from './in-order.ts';
import { annotatedPaths, extensions, findPictures, firstWithin, readBounded } from './pictures.ts';
import { chooseProfile } from './profile.ts';
import { startDownloadReporter, startReporter } from './progress.ts';
import { printable, table } from './table.ts';

const settingNames = [
  'profile',
  'calibration',
  'dataFolder',
  'workers',
  'maxImageBytes',
  'maxPixels',
] as const;

const help = `Usage: bonafide check FILE|FOLDER ... [options]

Assesses photographs: is there a living person before the camera, or a print or a screen?
Folders are searched, with all that is in them, for ${extensions.join(', ')};
a file that is named is tried whatever its name.

  --json
      One line of JSON for each file: {"file", "profile", "assessment"} or {"file", "profile", "error"}.
  --annotate FOLDER
      Writes each picture there as a JPEG, <name>.jpg, with boxes, points and verdicts drawn in;
      subfolders stay as they are. None of the photographs may lie in that folder.
  --operating-point weak|balanced|strict (default: balanced)
      Where P(live) is cut: from letting most people through to letting fewest attacks through.
${settingsHelp(settingNames)}
Exit code: 0 all live; 1 an attack was found; 2 none was, but something could not be assessed
(unreadable, no face found, not written to --annotate).
`;

/** Nobody is waiting at the other end; only a decoder that hangs must not hold everything for ever. */
const deadlineMs = 300_000;

/** From so many files on, it is told how far it is. */
const many = 10;

export const check: Command = async (args, env) => {
  const options = {
    ...flagOptions(settingNames),
    json: { type: 'boolean' },
    annotate: { type: 'string' },
    'operating-point': { type: 'string', default: 'balanced' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const config = loadConfig(env, values);
  const operatingPoint = asOperatingPoint(values['operating-point']);
  const target = values.annotate as string | undefined;
  if (positionals.length === 0) throw new ConfigError('Name a photograph or a folder. See --help.');

  endOnSignals();
  const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  if (target !== undefined) await mkdir(target, { recursive: true });
  const files = await findPictures(positionals, target);
  if (files.length === 0) throw new ConfigError(`There is no picture in ${positionals.join(', ')}.`);
  // Written beside it, a picture could take the place of a photograph, and would be taken for one the next time.
  const endangered = target === undefined ? undefined : await firstWithin(target, files);
  if (endangered !== undefined) {
    throw new ConfigError(
      `${printable(endangered)} lies in ${target}, the folder of --annotate. Name a folder without photographs.`,
    );
  }
  const targetOf = target === undefined ? undefined : annotatedPaths(target, files);

  const folder = join(config.dataFolder, 'models');
  const download = startDownloadReporter(process.stderr);
  const { resolved, note } = await chooseProfile({
    folder,
    setting: config.profile,
    calibration: config.calibration,
    onProgress: download.onProgress,
    say,
  }).finally(download.stop);
  if (note !== undefined) say(note);
  const profile = resolved.profile.id;

  const workers = Math.min(config.workers, files.length);
  // A file more for each worker is read while it is busy, and no more than that: there may be thousands.
  const atOnce = workers * 2;
  const { maxImageBytes, maxPixels } = config;
  const engine = await startEngine({
    folder,
    profile: resolved,
    limits: { maxPixels },
    workers,
    // What is under way is bounded here, by files.
    queue: Number.POSITIVE_INFINITY,
    deadlineMs,
  });
  const heic = new HeicDecoder();

  async function examine(file: string): Promise<Outcome> {
    let bytes: Uint8Array;
    let assessment: Assessment;
    try {
      bytes = await readBounded(file, maxImageBytes);
      assessment = await engine.assess(bytes, { admitted: imageFormats });
    } catch (error) {
      return { file, failure: asFailure(error, file) };
    }
    if (targetOf === undefined) return { file, assessment };
    try {
      const path = targetOf(file);
      await mkdir(dirname(path), { recursive: true });
      const annotated = await annotate(bytes, assessment, operatingPoint, heic);
      // A link that lies there would lead the bytes elsewhere, perhaps into a photograph.
      await rm(path, { force: true });
      await writeFile(path, annotated);
      return { file, assessment };
    } catch (error) {
      return { file, assessment, notAnnotated: (error as Error).message };
    }
  }

  // On a terminal the lines of JSON would tear the bar apart, and tell as much.
  const isTold = files.length >= many && !(values.json && process.stdout.isTTY);
  const progress = startReporter(process.stderr);
  const outcomes: Outcome[] = [];
  const tally = new Tally(operatingPoint);
  for await (const outcome of inOrder(files, atOnce, examine)) {
    tally.add(outcome);
    if ('notAnnotated' in outcome) say(`Not annotated: ${printable(outcome.file)}: ${outcome.notAnnotated}`);
    if (values.json) process.stdout.write(`${jsonLine(outcome, profile)}\n`);
    else outcomes.push(outcome);
    if (isTold) progress.report('Checking', tally.files, files.length);
  }
  progress.stop();
  await engine.close();

  if (!values.json) {
    const rows = outcomes.flatMap((outcome) => rowsOf(outcome, operatingPoint));
    process.stdout.write(table(['FILE', 'FACE', 'VERDICT', 'P(LIVE)', 'NOTES'], rows));
    process.stdout.write(`\n${tally.sentence(profile)}\n`);
  }
  return tally.exitCode;
};

/** What became of one file. */
export type Outcome =
  | {
      readonly file: string;
      readonly assessment: Assessment;
      /** Why the annotated picture could not be written, where it was wanted. */
      readonly notAnnotated?: string;
    }
  | { readonly file: string; readonly failure: Failure };

interface Failure {
  readonly code: EngineErrorCode | 'unreadable_file';
  readonly message: string;
}

/** What the files come to. */
export class Tally {
  readonly #operatingPoint: OperatingPointName;
  #files = 0;
  #live = 0;
  #attacks = 0;
  #notAssessed = 0;
  #notAnnotated = 0;

  constructor(operatingPoint: OperatingPointName) {
    this.#operatingPoint = operatingPoint;
  }

  get files(): number {
    return this.#files;
  }

  add(outcome: Outcome): void {
    this.#files++;
    const faces = 'assessment' in outcome ? outcome.assessment.faces : [];
    const attacks = faces.filter(({ verdicts }) => verdicts[this.#operatingPoint] === 'attack').length;
    this.#attacks += attacks;
    this.#live += faces.length - attacks;
    if (faces.length === 0) this.#notAssessed++;
    if ('notAnnotated' in outcome) this.#notAnnotated++;
  }

  get exitCode(): 0 | 1 | 2 {
    if (this.#attacks > 0) return 1;
    return this.#notAssessed + this.#notAnnotated > 0 ? 2 : 0;
  }

  sentence(profile: string): string {
    return `Profile ${profile}, operating point ${this.#operatingPoint}: ${this.#live} live, ${this.#attacks} attack; ${this.#notAssessed} of ${this.#files} pictures not assessed.`;
  }
}

/** One row for each face, or one that says why there is none. */
export function rowsOf(outcome: Outcome, operatingPoint: OperatingPointName): string[][] {
  const file = printable(outcome.file);
  if ('failure' in outcome) return [[file, '', 'not assessed', '', outcome.failure.message]];
  const { faces, tooSmall, warnings } = outcome.assessment;
  const notes = (all: readonly Warning[]) => all.map(({ code }) => code.replaceAll('_', ' ')).join(', ');
  if (faces.length === 0) {
    const reason = tooSmall > 0 ? 'face too small' : 'no face found';
    return [[file, '', 'not assessed', '', [reason, notes(warnings)].filter(Boolean).join(', ')]];
  }
  return faces.map((face, i) => {
    const verdict = face.verdicts[operatingPoint];
    const coloured = styleText(verdict === 'live' ? 'green' : 'red', verdict, { stream: process.stdout });
    return [file, `${i + 1}`, coloured, face.pLive.toFixed(3), notes([...warnings, ...face.warnings])];
  });
}

/** The whole outcome as one line of JSON. */
export function jsonLine(outcome: Outcome, profile: string): string {
  const { file } = outcome;
  return JSON.stringify(
    'failure' in outcome
      ? { file, profile, error: outcome.failure }
      : { file, profile, assessment: outcome.assessment },
  );
}

function asFailure(error: unknown, file: string): Failure {
  if (error instanceof AssessmentError) return { code: error.code, message: error.message };
  return { code: 'unreadable_file', message: `The file cannot be read: ${systemReason(error, file)}.` };
}

/** "permission denied", without the path, which is told anyway. Errors that are not the system's are thrown on. */
function systemReason(error: unknown, file: string): string {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) throw error;
  // Node puts U+FFFD where a name is not UTF-8, in a folder as on the command line; no file has that name.
  if (code === 'ENOENT' && file.includes('\ufffd')) return 'its name is not UTF-8';
  return getSystemErrorMessage(errno);
}

function asOperatingPoint(value: unknown): OperatingPointName {
  const found = operatingPointNames.find((name) => name === value);
  if (found === undefined) {
    throw new ConfigError(
      `--operating-point must be one of ${operatingPointNames.join(', ')}; it is "${value}".`,
    );
  }
  return found;
}
