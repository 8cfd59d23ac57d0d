/** The score file on the disk: read, narrowed to some sets, and taken up again after a kill. */

import { readFile, stat, truncate } from 'node:fs/promises';
import { ConfigError } from '../config.ts';
import { ManifestError, type ManifestRow } from '../evaluation/manifest.ts';
import { differences, parseScores, type ScoredRow, ScoreRun, wholeLines } from '../evaluation/scores.ts';
import { check, readJson } from '../models/registry.ts';

/**
 * Reads a score file.
 * @param sets the names of those wanted, separated by commas; all if not given.
 * @throws ManifestError; ConfigError for a set that is not there.
 */
export async function readScores(path: string, sets?: string): Promise<ScoredRow[]> {
  const rows = parseScores(wholeLines(await readFile(path, 'utf8')), path);
  return sets === undefined ? rows : withinSets(rows, listSets(sets, rows));
}

/** The sets that a flag names. */
export function listSets(flag: string, rows: readonly ManifestRow[]): string[] {
  const known = new Set(rows.map(({ set }) => set));
  const wanted = flag.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new ConfigError(`There is no set named "${unknown}". There are: ${[...known].join(', ')}.`);
  }
  return wanted;
}

export function withinSets<Row extends { set: string }>(
  rows: readonly Row[],
  sets: readonly string[],
): Row[] {
  return rows.filter(({ set }) => sets.includes(set));
}

/**
 * What is known of a score file's making; undefined for one of another program.
 * @throws DescriptorError where the file beside it is not what it should be.
 */
export async function readRun(path: string): Promise<ScoreRun | undefined> {
  const file = path.replace(/(\.csv)?$/, '.json');
  if ((await stat(file).catch(unlessAbsent)) === undefined) return undefined;
  return check(file, ScoreRun, await readJson(file));
}

/**
 * Cuts off the line that a kill tore, and counts the rest.
 * @returns how many pictures are scored; undefined where there is no score file yet.
 * @throws ManifestError where the file was not made by the same run of the same manifest.
 */
export async function takeUp(
  path: string,
  run: ScoreRun,
  rows: readonly ManifestRow[],
): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(unlessAbsent);
  const kept = wholeLines(text ?? '');
  if (text === undefined || kept === '') return undefined;
  const remedy = 'Delete it, or name another folder with --out.';
  const earlier = await readRun(path);
  const different = earlier === undefined ? ['scores.json'] : differences(earlier, run);
  if (different.length > 0) {
    throw new ManifestError(`${path} was made with another ${different.join(', another ')}. ${remedy}`);
  }
  if (kept.length < text.length) await truncate(path, Buffer.byteLength(kept));
  if (kept.indexOf('\n') === kept.length - 1) return 0;
  const scored = parseScores(kept, path);
  const stranger = scored.findIndex((row, i) => row.file !== rows[i]?.file);
  if (stranger >= 0) {
    throw new ManifestError(`${path}, row ${stranger + 2}, is not the manifest's picture. ${remedy}`);
  }
  return scored.length;
}

/** What cannot be fitted is the pictures' fault, and is told as a sentence. */
export function spoken<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw new ManifestError(error.message);
    throw error;
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
