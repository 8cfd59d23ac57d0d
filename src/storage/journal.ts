/**
 * Lines that outlive the process that wrote them: append-only files between an answer and the database
 * (docs/adr/0007-journal.md).
 *
 * `folder/<owner>/<number>.ndjson`, where an owner is one run of one process, which holds `folder/<owner>/lock` for as long
 * as it lives. Folders whose lock is free were left behind, and are taken over by whoever sees them first.
 */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lock, tryLock } from './lock.ts';

export interface JournalOptions {
  /** Where the journals of all processes of this data folder are. */
  readonly folder: string;
  /** Most bytes that may wait, this process's and those it took over; against a disk filled by a long outage. */
  readonly maxBytes: number;
}

export interface Journal {
  /**
   * Resolves once the line is with the operating system, from where the death of this process cannot take it. Only a crash
   * of the machine can, as nothing waits for the disk.
   * @param line without line breaks.
   * @throws JournalError and the line is not there.
   */
  append(line: string): Promise<void>;
  /** Bytes that wait. */
  readonly bytes: number;
  /** Whether the next line would be refused. */
  readonly isFull: boolean;
  /** Whether the last line could not be written, and nothing since. */
  readonly isFailing: boolean;
  /** Tries whether a journal that is failing can be written again: without a line nobody else would. Never rejects. */
  probe(): Promise<void>;
  /** Takes over what dead processes left. */
  adopt(): void;
  /**
   * Hands over every line that waits, oldest first and some at a time, and forgets them once `commit` resolves for their
   * whole file. What fails, and what a death interrupts, is handed over again: lines come at least once.
   * @throws what `commit` throws, and the lines stay; JournalError where somebody has taken files away, which are looked for again.
   */
  drain(commit: (lines: readonly string[]) => Promise<void>): Promise<void>;
  /** Ends the writing. What still waits stays in the folder, for the next process. */
  close(): Promise<void>;
}

/** The journal is full or its disk fails. `message` is a sentence for people. */
export class JournalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JournalError';
  }
}

/** A file is closed at this size, so that a long outage leaves files that fit into memory one by one. */
const maxSegmentBytes = 4_000_000;

/** Lines handed over at once: a few milliseconds of the event loop. */
const linesAtOnce = 100;

/** About as many as a few lines: a disk that has no more room than that is as good as full. */
const probeBytes = 16_384;

const filesMissing =
  'Files of the journal were deleted: put them back, or what was answered is not in the log.';

/** Longest wait for another process that just looks through the folder. */
const folderWaitMs = 5_000;

/** The folder of one run of one process. */
interface Owner {
  readonly path: string;
  readonly lock: Lock;
  /** Files of it that were not handed over yet. */
  segments: number;
}

interface Segment {
  readonly owner: Owner;
  readonly path: string;
  bytes: number;
}

interface OpenSegment extends Segment {
  readonly handle: FileHandle;
  /** The end of the write under way. */
  written: Promise<void>;
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: JournalError) => void;
}

/** Opens this process's own journal and takes over what dead processes left. */
export function openJournal({ folder, maxBytes }: JournalOptions): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  /** Those whose folder is this process's to remove. */
  const owners = new Set<Owner>();
  let own = begin();
  const sealed: Segment[] = [];
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let current: OpenSegment | undefined;
  let count = 0;
  let bytes = 0;
  let isFailing = false;

  function begin(): Owner {
    const owner = alone(folder, () => {
      const path = join(folder, randomUUID());
      mkdirSync(path, { mode: 0o700 });
      return { path, lock: tryLock(join(path, 'lock')) as Lock, segments: 0 };
    });
    owners.add(owner);
    return owner;
  }

  /**
   * Begins a folder anew where somebody has removed this process's own. The folder of all is never made again: where that is missing, so
   * may be the disk that belongs there, and what is written in its place would not be found.
   */
  function requireFolder(): void {
    if (existsSync(own.path)) return;
    const lost = own;
    own = begin();
    if (lost.segments > 0) return;
    lost.lock.release();
    owners.delete(lost);
  }

  async function openSegment(): Promise<OpenSegment> {
    requireFolder();
    count += 1;
    const path = join(own.path, `${String(count).padStart(8, '0')}.ndjson`);
    const handle = await open(path, 'ax', 0o600);
    own.segments += 1;
    return { owner: own, path, bytes: 0, handle, written: Promise.resolve() };
  }

  /** One write for all lines that came while the last one was under way. */
  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const data = Buffer.from(batch.map(({ line }) => `${line}\n`).join(''));
      try {
        current ??= await openSegment();
        const segment = current;
        const written = append(segment, data);
        segment.written = written.catch(() => {});
        await written;
        bytes += data.length;
        isFailing = false;
        if (segment.bytes >= maxSegmentBytes && segment === current) await seal();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = new JournalError('The journal of transactions cannot be written.', { cause: error });
        isFailing = true;
        await giveUp().catch(() => {});
        for (const { reject } of batch) reject(failure);
      }
    }
    // In the turn that found nothing more: a line that comes after it begins the next.
    writing = undefined;
  }

  /** No more is written to the current file, which waits to be handed over. */
  async function seal(): Promise<void> {
    const segment = current;
    if (segment === undefined) return;
    current = undefined;
    sealed.push(segment);
    await segment.written;
    await segment.handle.close();
  }

  /** Whatever the end of the current file looks like after a write that failed, nothing is to follow it. One for each refusal would fill a folder. */
  async function giveUp(): Promise<void> {
    const segment = current;
    if (segment === undefined || segment.bytes > 0) return seal();
    current = undefined;
    await segment.handle.close();
    await rm(segment.path, { force: true });
    segment.owner.segments -= 1;
  }

  function adopt(): void {
    const left = alone(folder, () =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => ({ path: join(folder, name), lock: tryLock(join(folder, name, 'lock')) }))
        .filter((owner): owner is { path: string; lock: Lock } => owner.lock !== undefined)
        .map(({ path, lock }) => {
          const names = readdirSync(path).filter((name) => name.endsWith('.ndjson'));
          const owner: Owner = { path, lock, segments: names.length };
          if (names.length === 0) remove(owner);
          return { owner, names: names.sort() };
        }),
    );
    for (const { owner, names } of left) {
      if (names.length > 0) owners.add(owner);
      for (const name of names) {
        const path = join(owner.path, name);
        const segment = { owner, path, bytes: statSync(path).size };
        bytes += segment.bytes;
        sealed.push(segment);
      }
    }
  }

  /** @returns whether the file was there. */
  async function handOver(
    segment: Segment,
    commit: (lines: readonly string[]) => Promise<void>,
  ): Promise<boolean> {
    const text = await readFile(segment.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return false;
    // What follows the last line break was not written whole, so nobody was told that it was.
    const lines = text.split('\n').slice(0, -1);
    for (let i = 0; i < lines.length; i += linesAtOnce) await commit(lines.slice(i, i + linesAtOnce));
    await rm(segment.path, { force: true });
    bytes -= segment.bytes;
    segment.owner.segments -= 1;
    if (segment.owner === own || segment.owner.segments > 0) return true;
    try {
      alone(folder, () => remove(segment.owner));
      owners.delete(segment.owner);
    } catch {
      // Its lines are handed over, and its folder is removed at the end.
    }
    return true;
  }

  /** All files that no more is written to. @param missing gets those that are not there. */
  async function handOverSealed(commit: (lines: readonly string[]) => Promise<void>, missing: Segment[]) {
    for (let segment = sealed[0]; segment !== undefined; segment = sealed[0]) {
      if (!(await handOver(segment, commit))) missing.push(segment);
      sealed.shift();
    }
  }

  const journal: Journal = {
    append(line) {
      if (journal.isFull) return Promise.reject(new JournalError('The journal of transactions is full.'));
      return new Promise((resolve, reject) => {
        waiting.push({ line, resolve, reject });
        writing ??= write();
      });
    },
    get bytes() {
      return bytes;
    },
    get isFull() {
      return bytes >= maxBytes;
    },
    get isFailing() {
      return isFailing;
    },
    async probe() {
      if (!isFailing) return;
      try {
        requireFolder();
        await writeFile(join(own.path, 'probe'), Buffer.alloc(probeBytes));
        isFailing = false;
      } catch {
        // It fails still.
      }
      await rm(join(own.path, 'probe'), { force: true }).catch(() => {});
    },
    adopt,
    async drain(commit) {
      const missing: Segment[] = [];
      try {
        // First what is older: while that cannot be handed over, no further files are made.
        await handOverSealed(commit, missing);
        await seal();
        await handOverSealed(commit, missing);
      } finally {
        sealed.unshift(...missing);
      }
      if (missing.length > 0) throw new JournalError(filesMissing);
    },
    async close() {
      await writing;
      await seal();
      try {
        alone(folder, () => {
          for (const owner of owners) {
            if (owner.segments === 0) remove(owner);
          }
        });
      } catch {
        // A disk that fails, or a process that does not let go: whoever starts next finds all of it.
      }
      for (const owner of owners) owner.lock.release();
    },
  };
  journal.adopt();
  return journal;
}

/** All of the data or nothing: what was written of it before a failure is taken away again. */
async function append(segment: OpenSegment, data: Buffer): Promise<void> {
  try {
    await segment.handle.appendFile(data);
    // The system goes on writing to a file that nobody can find any more.
    if (!existsSync(segment.path)) throw new Error('The file of the journal was deleted.');
    segment.bytes += data.length;
  } catch (error) {
    await segment.handle.truncate(segment.bytes);
    throw error;
  }
}

/** Runs while no other process makes, takes over or removes a folder in this one. */
function alone<T>(folder: string, run: () => T): T {
  const lock = tryLock(join(folder, 'lock'), folderWaitMs);
  if (lock === undefined) throw new JournalError(`${folder} is locked by another process.`);
  try {
    return run();
  } finally {
    lock.release();
  }
}

function remove({ path, lock }: Owner): void {
  lock.release();
  if (existsSync(path)) rmSync(path, { recursive: true });
}
