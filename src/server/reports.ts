/** The evaluation reports that the console shows: those that come with the product, and the user's own. */

import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** `shipped` with the product; a user's `own` lie in the data folder. */
export type ReportOrigin = 'shipped' | 'own';

/** What a list tells of a report. */
export interface ReportEntry {
  readonly origin: ReportOrigin;
  readonly name: string;
  readonly profile: string;
  /** Of the manifest. */
  readonly pictures: number;
  /** The finding in one sentence. */
  readonly sentence: string;
  /** Equal error rate with its 95 % interval, 0..1; null where there are not both people and attacks. */
  readonly eer: { readonly value: number; readonly low: number | null; readonly high: number | null } | null;
  /** When one's own was written; of a shipped one the file's time says nothing. */
  readonly writtenAt: string | null;
}

export interface Reports {
  /** Those that can be read: the shipped ones, then one's own, by name. */
  list(): Promise<ReportEntry[]>;
  /** `report.json` of one; undefined where there is none. */
  figures(origin: ReportOrigin, name: string): Promise<Buffer | undefined>;
  /** `report.html` of one; undefined where there is none. */
  page(origin: ReportOrigin, name: string): Promise<Buffer | undefined>;
}

/** What a folder must be named to be found: nothing that a path could be made of. */
export const reportName = '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$';
const isName = new RegExp(reportName);

/** A report has some hundred kilobytes, with its contact sheet a few megabytes; a file beyond that is none. */
const maxBytes = 50_000_000;
/** Folders looked at for a list, of each origin: each costs a file that is read. */
const maxReports = 200;

const Bound = Type.Union([Type.Number(), Type.Null()]);

/** The part of `report.json` that a list tells. */
const Summary = Type.Object({
  run: Type.Object({
    profile: Type.String(),
    manifest: Type.Object({ pictures: Type.Integer() }),
  }),
  sentence: Type.String(),
  eer: Type.Optional(Type.Object({ value: Type.Number(), low: Bound, high: Bound })),
});

/** @param folders whose folders hold a `report.json` and a `report.html` each; one that is not there is an empty one. */
export function createReports(folders: Readonly<Record<ReportOrigin, string>>): Reports {
  const pathOf = (origin: ReportOrigin, name: string, file: string) => join(folders[origin], name, file);

  async function entryOf(origin: ReportOrigin, name: string): Promise<ReportEntry | undefined> {
    const file = await read(pathOf(origin, name, 'report.json'));
    const summary = file && parse(file.bytes);
    if (file === undefined || !Value.Check(Summary, summary)) return undefined;
    const { run, sentence, eer } = summary;
    return {
      origin,
      name,
      profile: run.profile,
      pictures: run.manifest.pictures,
      sentence,
      eer: eer ? { value: eer.value, low: eer.low, high: eer.high } : null,
      writtenAt: origin === 'own' ? file.writtenAt : null,
    };
  }

  return {
    async list() {
      const entries: ReportEntry[] = [];
      for (const origin of ['shipped', 'own'] as const) {
        for (const name of (await foldersIn(folders[origin])).slice(0, maxReports)) {
          const entry = await entryOf(origin, name);
          if (entry !== undefined) entries.push(entry);
        }
      }
      return entries;
    },
    async figures(origin, name) {
      const file = isName.test(name) ? await read(pathOf(origin, name, 'report.json')) : undefined;
      return file !== undefined && parse(file.bytes) !== undefined ? file.bytes : undefined;
    },
    async page(origin, name) {
      return isName.test(name) ? (await read(pathOf(origin, name, 'report.html')))?.bytes : undefined;
    },
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error): Dirent[] => {
    if (isAbsent(error)) return [];
    throw error;
  });
  return entries
    .map(({ name }) => name)
    .filter((name) => isName.test(name))
    .sort();
}

/** A file whole; undefined where there is none, or none that could be a report. */
async function read(path: string): Promise<{ bytes: Buffer; writtenAt: string } | undefined> {
  const file = await open(path).catch((error) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxBytes) return undefined;
    return { bytes: await file.readFile(), writtenAt: stat.mtime.toISOString() };
  } finally {
    await file.close();
  }
}

function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
