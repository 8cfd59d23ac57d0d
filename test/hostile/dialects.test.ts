/** Every hostile picture through every dialect of a running server: an answer in the dialect's own words, and nothing left behind. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formats as argosFormats } from '../../src/dialects/argos/wire.ts';
import { limits as nhnLimits } from '../../src/dialects/nhn/wire.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import type { ImageFormat } from '../../src/liveness/types.ts';
import { hostileFiles } from '../helpers/hostile/corpus.ts';
import type { HostileFile, Outcome } from '../helpers/hostile/file.ts';
import { mutationsOf } from '../helpers/hostile/mutations.ts';
import { type Ask, connect, form, keyed, type Reply, routes } from '../helpers/http.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

// Whatever the server or its workers leave in the folder for temporary files is found there.
const temporary = mkdtempSync(join(tmpdir(), 'bonafide-hostile-'));
for (const variable of ['TMPDIR', 'XDG_CACHE_HOME']) process.env[variable] = temporary;

const made = await hostileFiles();
const files = [...made, ...mutationsOf(made, 2, 200)].filter(({ bytes }) => bytes.length > 0);

let server: TestServer;
let ask: Ask;
before(async () => {
  // Pictures that are much work, or claim to be, wait for one another; here none is to be turned away for it.
  server = await startServer({ engine: { workers: 2, queue: 10_000, deadlineMs: 60_000 } });
  ask = await connect(server);
});
after(async () => {
  await server.close();
  rmSync(temporary, { recursive: true });
});

interface Way {
  readonly name: string;
  readonly admitted: readonly ImageFormat[];
  send(bytes: Uint8Array<ArrayBuffer>): Promise<Reply>;
  /** Every which file is sent this way: a form is read by other code, and what it holds by the same. */
  readonly every: number;
  /** The answer in short, to be compared with those of `words`. */
  said(reply: Reply): string;
  readonly words: Readonly<Record<Outcome, readonly string[]>>;
}

const { nhn, argos, native } = routes;

const nhnWay = (name: string, every: number, send: Way['send']): Way => ({
  name,
  every,
  admitted: nhnLimits.formats,
  send,
  said: ({ status, body }) => `${status} ${body.header.resultCode}`,
  words: {
    // A side under 80 px is no valid parameter.
    assessed: ['200 0', '200 -45030'],
    undecodable_image: ['200 -45040'],
    unsupported_format: ['200 -45040'],
    image_too_large: ['200 -45020'],
  },
});

const nativeWay = (name: string, every: number, send: Way['send']): Way => ({
  name,
  every,
  admitted: imageFormats,
  send,
  said: ({ status, body }) => `${status} ${body.code ?? 'answer'}`,
  words: {
    assessed: ['200 answer'],
    undecodable_image: ['422 undecodable_image'],
    unsupported_format: ['415 unsupported_format'],
    image_too_large: ['413 image_too_large'],
  },
});

const ways: readonly Way[] = [
  nhnWay('NHN, as JSON', 1, (bytes) => ask(nhn.path, { ...nhn.asking(bytes), headers: keyed(nhn, json) })),
  nhnWay('NHN, as a form', 10, (bytes) =>
    ask(nhn.path, { headers: keyed(nhn), ...form(['imageFile', bytes]) }),
  ),
  {
    name: 'ARGOS',
    every: 1,
    admitted: argosFormats,
    send: (bytes) => ask(argos.path, { ...argos.asking(bytes), headers: keyed(argos, json) }),
    said: ({ status, body }) => `${status} ${body.errorCode ?? ''} ${body.message ?? 'answer'}`,
    words: {
      assessed: ['200  answer', ...['FACE_NOT_FOUND', 'TOO_MANY_FACES', 'FACE_TOO_SMALL'].map(argosFailure)],
      undecodable_image: [argosFailure('IMAGE_DAMAGED')],
      unsupported_format: [argosFailure('UNSUPPORTED_IMAGE_FORMAT')],
      image_too_large: [argosFailure('IMAGE_TOO_LARGE')],
    },
  },
  nativeWay('native, as it is', 1, (body) =>
    ask(native.path, { headers: keyed(native, { 'content-type': 'image/jpeg' }), body }),
  ),
  nativeWay('native, as a form', 10, (bytes) =>
    ask(native.path, { headers: keyed(native), ...form(['image', bytes]) }),
  ),
];

const json = { 'content-type': 'application/json' };

function argosFailure(reason: string): string {
  return `400 1017 Fail to analyze face: ${reason}`;
}

/** What a way may say of a file. */
function wordsOf({ words, admitted }: Way, { format, outcomes }: HostileFile): readonly string[] {
  const isForeign = format !== undefined && !admitted.includes(format);
  // A mutation may have become of any format.
  const all: readonly Outcome[] = isForeign ? ['unsupported_format'] : outcomes;
  return all.flatMap((outcome) => words[outcome]);
}

const openFiles = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

function memoryOf(pid: number | undefined): string {
  if (process.platform !== 'linux') return 'unknown';
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return `${(Number(kilobytes) / 1_000).toFixed(0)} MB`;
}

describe('a hostile picture is answered in the words of the dialect', () => {
  let filesBefore = 0;
  let workers: readonly (number | undefined)[] = [];
  before(async () => {
    // What is opened with the first request stays.
    for (const way of ways) await way.send(new Uint8Array([1]));
    filesBefore = openFiles();
    workers = server.engine.workers.map(({ pid }) => pid);
  });

  for (const way of ways) {
    it(way.name, async () => {
      const left = files.filter((_, i) => i % way.every === 0).values();
      const wrong: string[] = [];
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (const file of left) {
            const said = way.said(await way.send(new Uint8Array(file.bytes)));
            const expected = wordsOf(way, file);
            if (!expected.includes(said)) wrong.push(`${file.name}: ${said}, not ${expected.join(' or ')}`);
          }
        }),
      );
      assert.deepEqual(wrong, []);
    });
  }

  it('and leaves no file, no socket and no dead worker behind', async (t) => {
    t.diagnostic(`RSS of the server and its tests ${memoryOf(process.pid)}`);
    for (const pid of workers) t.diagnostic(`RSS of a worker ${memoryOf(pid)}`);
    assert.deepEqual(
      server.engine.workers.map(({ pid }) => pid),
      workers,
    );
    server.app.server.closeAllConnections();
    const deadline = Date.now() + 10_000;
    while (openFiles() > filesBefore && Date.now() < deadline) await sleep(20);
    assert.ok(openFiles() <= filesBefore, `${openFiles()} open files, ${filesBefore} before`);
    assert.deepEqual(
      readdirSync(temporary).filter((name) => !server.dataFolder.endsWith(name)),
      [],
    );
  });
});
