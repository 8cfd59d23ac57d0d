/** The manifest of an evaluation: what every picture is known to be, as a CSV file beside the pictures. */

import { parse } from 'csv-parse/sync';

/** One picture and what it is known to be. */
export interface ManifestRow {
  /** Path of the picture, relative to the manifest's folder. */
  readonly file: string;
  readonly bonaFide: boolean;
  /** Attack species (print, replay, ...); absent for bona fide pictures and for attacks of unknown make. */
  readonly species?: string | undefined;
  /** One person, video or session: its frames are averaged, as they are not independent. */
  readonly group: string;
  /** Pictures of one origin, as a camera or a collection. */
  readonly set: string;
  /** Every other column, by name. */
  readonly extra: Readonly<Record<string, string>>;
}

/** A manifest or a score file that cannot be used. `message` is a sentence for people that names the row. */
export class ManifestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ManifestError';
  }
}

/** The manifest's own columns, and what each is for. */
const columns = {
  file: 'the path of the picture, relative to the manifest',
  label: 'bona-fide or attack',
  group: 'what the frames of one person, video or session have in common',
  set: 'the camera or collection that the picture is from',
} as const;

/** What a species column holds where there is no species, or none that is known. */
const noSpecies = new Set(['', 'none', 'unknown']);

/**
 * Reads a manifest: columns file, label, species (or, as older ones name it, attack), group and set, in any order. Other
 * columns are kept.
 * @param name what errors call it.
 * @throws ManifestError
 */
export function parseManifest(text: string, name: string): ManifestRow[] {
  const records = parseCsv(text, name);
  const [first] = records;
  if (first === undefined) throw new ManifestError(`${name} has no rows.`);
  for (const [column, meaning] of Object.entries(columns)) {
    if (!(column in first)) {
      throw new ManifestError(`${name} has no column named ${column}: ${meaning}.`);
    }
  }
  const speciesColumn = 'species' in first ? 'species' : 'attack';
  const seen = new Map<string, number>();
  return records.map((record, index) => {
    const row = index + 2;
    const fault = (sentence: string) => new ManifestError(`${name}, row ${row}: ${sentence}`);
    const { file = '', label = '', group = '', set = '', [speciesColumn]: species = '', ...extra } = record;
    for (const [column, value] of Object.entries({ file, group, set })) {
      if (value.trim() === '') throw fault(`${column} is empty.`);
    }
    // A line break would tear the score file's last line from its end when a run is killed.
    const broken = Object.entries(record).find(([, value]) => /\p{Cc}/u.test(value));
    if (broken !== undefined) throw fault(`${broken[0]} holds a line break or another control character.`);
    if (label !== 'bona-fide' && label !== 'attack') {
      throw fault(`label must be bona-fide or attack; it is "${label}".`);
    }
    const earlier = seen.get(file);
    if (earlier !== undefined) throw fault(`${file} is in row ${earlier} already.`);
    seen.set(file, row);
    const bonaFide = label === 'bona-fide';
    const isKnown = !bonaFide && !noSpecies.has(species.trim());
    return { file, bonaFide, ...(isKnown && { species: species.trim() }), group, set, extra };
  });
}

/**
 * A CSV file's rows by column name.
 * @throws ManifestError where it is no CSV, or a column is there twice.
 */
function parseCsv(text: string, name: string): Record<string, string>[] {
  const uniqueHeads = (cells: string[]) => {
    const heads = cells.map((cell) => cell.trim());
    const twice = heads.find((head, i) => heads.indexOf(head) !== i);
    if (twice !== undefined) throw new ManifestError(`${name} has two columns named ${twice}.`);
    return heads;
  };
  try {
    return parse(text, { bom: true, columns: uniqueHeads, skip_empty_lines: true });
  } catch (error) {
    if (error instanceof ManifestError) throw error;
    throw new ManifestError(`${name} is not CSV: ${(error as Error).message}.`);
  }
}
