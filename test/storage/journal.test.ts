/** The journal: what was taken is handed over, whoever dies and whatever fails, and nothing is taken from the living. */

import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Journal, JournalError, openJournal } from '../../src/storage/journal.ts';
import { tryLock } from '../../src/storage/lock.ts';

/** Why a disk cannot be made full for one process, or false. */
const noLimit = process.platform === 'win32' && 'NOT CHECKED: there is no ulimit';
const maxBytes = 1_000_000_000;
let made: string;
let folder: string;
let opened: Journal[];

beforeEach(async () => {
  made = await mkdtemp(join(tmpdir(), 'bonafide-journal-'));
  folder = made;
  opened = [];
});
afterEach(async () => {
  for (const journal of opened) await journal.close();
  await rm(made, { recursive: true, force: true });
});

function open(limit = maxBytes): Journal {
  const journal = openJournal({ folder, maxBytes: limit });
  opened.push(journal);
  return journal;
}

async function drained(journal: Journal): Promise<string[]> {
  const lines: string[] = [];
  await journal.drain(async (some) => {
    lines.push(...some);
  });
  return lines;
}

const ndjson = async () =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ndjson'));

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

describe('journal', () => {
  it('hands over what was appended, in its order, once, and leaves no file', async () => {
    const journal = open();
    await Promise.all(numbers(1_000).map((line) => journal.append(line)));
    assert.ok(journal.bytes > 1_000);
    assert.deepEqual(await drained(journal), numbers(1_000));
    assert.deepEqual(await drained(journal), []);
    assert.equal(journal.bytes, 0);
    assert.deepEqual(await ndjson(), []);
  });

  it('makes folders and files that only their owner can read, locks too', async () => {
    folder = join(folder, 'journal');
    const journal = open();
    await journal.append('a');
    const [own = assert.fail()] = (await readdir(folder)).filter((name) => name !== 'lock');
    for (const [name, mode] of [
      ['', 0o700],
      ['lock', 0o600],
      [own, 0o700],
      [join(own, 'lock'), 0o600],
      [join(own, '00000001.ndjson'), 0o600],
    ] as const) {
      assert.equal((await stat(join(folder, name))).mode & 0o777, mode, name);
    }
  });

  it('takes a line as soon as the one before it is taken', async () => {
    const journal = open();
    for (const line of numbers(200)) await journal.append(line);
    assert.deepEqual(await drained(journal), numbers(200));
  });

  it('hands over what comes while it hands over, the next time', async () => {
    const journal = open();
    await journal.append('first');
    await journal.drain(async () => await journal.append('second'));
    assert.deepEqual(await drained(journal), ['second']);
  });

  it('keeps what could not be committed, and hands it over again before what came later', async () => {
    const journal = open();
    await journal.append('first');
    await assert.rejects(
      journal.drain(() => Promise.reject(new Error('away'))),
      /away/,
    );
    await journal.append('second');
    assert.deepEqual(await drained(journal), ['first', 'second']);
  });

  it('makes no file for each attempt while nothing can be committed', async () => {
    const journal = open();
    for (let i = 0; i < 10; i += 1) {
      await journal.append(`${i}`);
      await assert.rejects(journal.drain(() => Promise.reject(new Error('away'))));
    }
    assert.equal((await ndjson()).length, 2);
    assert.equal((await drained(journal)).length, 10);
  });

  it('keeps what a closed one still had for the next', async () => {
    const first = open();
    await first.append('left');
    await first.close();
    opened = [];
    const next = open();
    assert.deepEqual(await drained(next), ['left']);
    assert.equal(next.bytes, 0);
  });

  it('leaves nothing behind where nothing was written', async () => {
    await openJournal({ folder, maxBytes }).close();
    assert.deepEqual(await readdir(folder), ['lock']);
  });

  it('does not touch what a living one writes', async () => {
    const living = open();
    await living.append('mine');
    const other = open();
    other.adopt();
    assert.deepEqual(await drained(other), []);
    assert.deepEqual(await drained(living), ['mine']);
  });

  it('drops a line that was not written whole', async () => {
    const first = open();
    await first.append('whole');
    const [name] = await ndjson();
    await appendFile(join(folder, name as string), '{"torn":');
    await first.close();
    opened = [];
    assert.deepEqual(await drained(open()), ['whole']);
  });

  it('refuses what is more than it holds, and takes more once there is room', async () => {
    const journal = open(10);
    await journal.append('0123456789');
    assert.ok(journal.isFull);
    await assert.rejects(journal.append('more'), JournalError);
    assert.deepEqual(await drained(journal), ['0123456789']);
    await journal.append('more');
    assert.deepEqual(await drained(journal), ['more']);
  });

  it('counts what dead ones left as its own', async () => {
    const first = open();
    await first.append('0123456789');
    await first.close();
    opened = [];
    assert.ok(open(10).isFull);
  });

  it('refuses a line when the disk fails, keeps the others, and goes on when it is mended', async () => {
    const journal = open();
    await journal.append('before');
    assert.deepEqual(await drained(journal), ['before']);
    // The next file cannot be made, for whoever runs the tests.
    const [owner] = (await readdir(folder)).filter((name) => name !== 'lock') as [string];
    const next = join(folder, owner, '00000002.ndjson');
    await mkdir(next);
    await assert.rejects(journal.append('lost'), JournalError);
    assert.ok(journal.isFailing);
    await rm(next, { recursive: true });
    await journal.append('after');
    assert.ok(!journal.isFailing);
    assert.deepEqual(await drained(journal), ['after']);
  });

  it('finds without a line whether a disk that failed was mended', async () => {
    const journal = open();
    const [owner] = (await readdir(folder)).filter((name) => name !== 'lock') as [string];
    const own = join(folder, owner);
    await rename(own, `${folder}.away`);
    await writeFile(own, '');
    await assert.rejects(journal.append('lost'), JournalError);
    await journal.probe();
    assert.ok(journal.isFailing);
    await rm(own);
    await rename(`${folder}.away`, own);
    await journal.probe();
    assert.ok(!journal.isFailing);
    await journal.append('after');
    assert.deepEqual(await drained(journal), ['after']);
    assert.ok(!(await readdir(own)).includes('probe'));
  });

  it('answers nobody for a file that was deleted, and goes on in a new folder', async () => {
    const journal = open();
    await journal.append('deleted');
    const [owner] = (await readdir(folder)).filter((name) => name !== 'lock') as [string];
    await rm(join(folder, owner), { recursive: true });
    await assert.rejects(journal.append('refused'), JournalError);
    await journal.append('after');
    const lines: string[] = [];
    const draining = journal.drain(async (some) => {
      lines.push(...some);
    });
    await assert.rejects(draining, /^JournalError: Files of the journal were deleted/);
    await assert.rejects(drained(journal), /^JournalError: Files of the journal were deleted/);
    await journal.append('later');
    await assert.rejects(
      journal.drain(async (some) => {
        lines.push(...some);
      }),
    );
    assert.deepEqual(lines, ['after', 'later']);
  });

  it('does not make its folder anew, goes on when it is back, and finds what was in it', async () => {
    const journal = open();
    await journal.append('before');
    await rename(folder, `${folder}.away`);
    await assert.rejects(journal.append('refused'), JournalError);
    await assert.rejects(drained(journal), JournalError);
    await journal.probe();
    assert.ok(journal.isFailing);
    await mkdir(folder);
    await journal.probe();
    assert.ok(!journal.isFailing);
    await journal.append('meanwhile');
    for (const name of await readdir(`${folder}.away`)) {
      if (name !== 'lock') await rename(join(`${folder}.away`, name), join(folder, name));
    }
    assert.deepEqual(await drained(journal), ['before', 'meanwhile']);
    assert.equal(journal.bytes, 0);
    await rm(`${folder}.away`, { recursive: true });
  });

  it('keeps no line of those that it refused because the disk was full amid them, nor a file for each', {
    skip: noLimit,
  }, async () => {
    const writer = join(import.meta.dirname, 'cut-off-writer.ts');
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', 'ulimit -f 8 && exec "$0" "$1" "$2"', process.execPath, writer, folder],
      { timeout: 20_000 },
    );
    const refused = Array.from({ length: 22 }, () => 'refused');
    assert.deepEqual(JSON.parse(stdout), { before: 'kept', outcomes: ['kept', ...refused], files: 1 });
    assert.deepEqual(await drained(open()), ['before', 'a'.repeat(3_000)]);
  });

  it('takes over from a process that was killed, but not from one that lives', async () => {
    const child = fork(join(import.meta.dirname, 'killed-writer.ts'), [folder], { execArgv: [] });
    const [count] = (await once(child, 'message')) as [number];
    const journal = open();
    assert.deepEqual(await drained(journal), []);
    child.kill('SIGKILL');
    await once(child, 'exit');
    journal.adopt();
    assert.deepEqual(await drained(journal), numbers(count));
    assert.deepEqual(await ndjson(), []);
  });

  it('hands over, goes on and ends where the folders of dead ones cannot be tidied', async () => {
    const dead = openJournal({ folder, maxBytes });
    await dead.append('first');
    await dead.close();
    const journal = open();
    await journal.append('second');
    // Another process that does not let go, as also a disk that fails.
    const lock = tryLock(join(folder, 'lock'));
    try {
      assert.deepEqual(await drained(journal), ['first', 'second']);
      await journal.append('third');
      assert.deepEqual(await drained(journal), ['third']);
      await journal.close();
    } finally {
      lock?.release();
    }
    await open().close();
    assert.deepEqual(await readdir(folder), ['lock']);
  });

  it('lets two that start together take over each file once', async () => {
    for (const owner of ['a', 'b', 'c', 'd']) {
      await mkdir(join(folder, owner));
      await writeFile(join(folder, owner, '00000001.ndjson'), `${owner}\n`);
    }
    const journals = [open(), open()];
    const lines = (await Promise.all(journals.map(drained))).flat();
    assert.deepEqual(lines.sort(), ['a', 'b', 'c', 'd']);
  });
});
