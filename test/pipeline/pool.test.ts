/** The engine's front with real models: every way an assessment can end, workers that die, and a server that stays free. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { decoderProcess } from '../../src/liveness/decoder-process.ts';
import { AssessmentError, type EngineErrorCode } from '../../src/liveness/errors.ts';
import { stageNames } from '../../src/liveness/pipeline.ts';
import { type Engine, type EngineOptions, startEngine, type WorkerAnswer } from '../../src/liveness/pool.ts';
import { lightAndFocus, lumaView } from '../../src/liveness/quality.ts';
import { imageFormats } from '../../src/liveness/sniff.ts';
import type { Assessment } from '../../src/liveness/types.ts';
import { free } from '../../src/memory.ts';
import { loadRegistry, type ResolvedProfile } from '../../src/models/registry.ts';
import { toTensor } from '../../src/models/tensor.ts';
import { measureLoop } from '../helpers/loop.ts';
import { samplePhotos, standardWeights } from '../helpers/weights.ts';

/** Longer than any test: where a deadline matters, the clock is the test's own. */
const never = 3_600_000;
const admitted = imageFormats;

let folder: string;
let profile: ResolvedProfile;
let face: Uint8Array;
let body: Uint8Array;
let photos: { face: string; body: string };
before(async () => {
  folder = await standardWeights();
  profile = (await loadRegistry(folder)).profile('standard');
  photos = await samplePhotos();
  face = await readFile(photos.face);
  body = await readFile(photos.body);
});

/** An engine of one worker that ends with the test. */
async function open(t: TestContext, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await startEngine({
    folder,
    profile,
    limits: { maxPixels: 50_331_648 },
    workers: 1,
    queue: 8,
    deadlineMs: never,
    ...options,
  });
  t.after(() => engine.close());
  return engine;
}

/** Puts `setTimeout` under the test's control. Workers keep their own, real time. */
function ownClock(t: TestContext): { pass(ms: number): void } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return { pass: (ms) => t.mock.timers.tick(ms) };
}

async function fails(answer: Promise<unknown>, code: EngineErrorCode): Promise<AssessmentError> {
  const error = await answer.then(
    () => assert.fail(`answered, though ${code} was due`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AssessmentError, `${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** 3.6 MB in a dozen scans: much to decode, and no more weight than others may wait behind. */
function noisePhotograph(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const create = { width: 2200, height: 2200, channels: 3, background: '#000', noise } as const;
  return sharp({ create }).jpeg({ quality: 90, progressive: true }).toBuffer();
}

/** The next thing that the first worker says. */
async function nextAnswer(engine: Engine): Promise<WorkerAnswer> {
  const [answer] = await once(engine.workers[0] as ChildProcess, 'message');
  return answer as WorkerAnswer;
}

const withoutTimings = ({ timings: _, ...rest }: Assessment) => rest;

describe('an assessment', () => {
  it('holds the face with all that is said of it', async (t) => {
    const engine = await open(t);
    const assessment = await engine.assess(body, { admitted });
    const { image, faces, tooSmall, timings } = assessment;
    const { width, height } = await sharp(body).metadata();
    assert.deepEqual(image, { format: 'jpeg', width, height });
    assert.equal(faces.length, 1);
    assert.equal(tooSmall, 0);
    const [found] = faces;
    assert.ok(found);
    assert.ok(found.box.x0 < found.landmarks.leftEye.x && found.landmarks.rightEye.x < found.box.x1);
    assert.ok(found.landmarks.leftEye.x < found.landmarks.rightEye.x);
    assert.ok(found.landmarks.leftEye.y < found.landmarks.nose.y);
    assert.ok(found.landmarks.nose.y < found.landmarks.leftLip.y);
    assert.ok(found.pLive >= 0 && found.pLive <= 1);
    assert.deepEqual(
      found.scores.map(({ model }) => model),
      ['minifas-128-head'],
    );
    assert.deepEqual(Object.keys(found.verdicts), ['weak', 'balanced', 'strict']);
    assert.deepEqual(Object.keys(timings), [...stageNames]);
    for (const ms of Object.values(timings)) assert.ok(ms !== undefined && ms >= 0);
  });

  it('measures light and focus in the box of the face', async (t) => {
    const engine = await open(t);
    const { faces } = await engine.assess(body, { admitted });
    const [{ box, measures }] = faces as [(typeof faces)[number]];
    const { data, info } = await sharp(body).raw().toBuffer({ resolveWithObject: true });
    const { region, input } = lumaView(box);
    const light = lightAndFocus(
      toTensor({ width: info.width, height: info.height, pixels: data }, region, input),
    );
    assert.deepEqual({ luma: measures.luma, sharpness: measures.sharpness }, light);
  });

  it('of a picture without a face is an answer', async (t) => {
    const engine = await open(t);
    const wall = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#aabbcc' } })
      .png()
      .toBuffer();
    const { faces, image } = await engine.assess(wall, { admitted });
    assert.deepEqual(faces, []);
    assert.deepEqual(image, { format: 'png', width: 640, height: 480 });
  });

  it("leaves the caller's bytes alone, also where they share their memory", async (t) => {
    const engine = await open(t);
    const shared = new Uint8Array(face.length + 64);
    shared.set(face, 32);
    await engine.assess(shared.subarray(32, 32 + face.length), { admitted });
    assert.equal(shared.byteLength, face.length + 64);
    assert.deepEqual(Buffer.from(shared.subarray(32, 32 + face.length)), Buffer.from(face));
  });

  it('tells when the bytes are no longer needed: once, and not before the answer', async (t) => {
    const engine = await open(t);
    const released: Uint8Array[] = [];
    const answers = Array.from({ length: 3 }, (_, i) => {
      const bytes = Uint8Array.from(body);
      return engine
        .assess(bytes, { admitted, onReleased: () => released.push(bytes) })
        .finally(() => assert.equal(released.includes(bytes), true, `${i}`));
    });
    assert.equal(released.length, 0);
    await Promise.all(answers);
    assert.equal(new Set(released).size, 3);
    assert.equal(released.length, 3);
  });

  it('tells so of one that is refused before it is taken', async (t) => {
    const engine = await open(t);
    let count = 0;
    const onReleased = () => count++;
    await fails(engine.assess(face, { admitted, onReleased, signal: AbortSignal.abort() }), 'aborted');
    assert.equal(count, 1);
    await engine.close();
    await fails(engine.assess(face, { admitted, onReleased }), 'queue_full');
    assert.equal(count, 2);
  });

  it('tells so of one that nobody waits for, but not while a pipe is taking it', async (t) => {
    const engine = await open(t);
    const [worker] = engine.workers as [ChildProcess];
    // It takes nothing: what a pipe holds of it is far less.
    worker.kill('SIGSTOP');
    const bytes = new Uint8Array(4_000_000);
    bytes.set(body);
    const gone = new AbortController();
    const released = Promise.withResolvers<void>();
    let isReleased = false;
    const answer = engine.assess(bytes, {
      admitted,
      signal: gone.signal,
      onReleased() {
        isReleased = true;
        released.resolve();
      },
    });
    gone.abort();
    await fails(answer, 'aborted');
    assert.equal(isReleased, false);
    worker.kill('SIGCONT');
    await released.promise;
  });

  it('is reported to the observer', async (t) => {
    const seen: Assessment[] = [];
    const engine = await open(t, { onAssessed: (assessment) => seen.push(assessment) });
    const answer = await engine.assess(face, { admitted });
    assert.deepEqual(seen, [answer]);
    await fails(engine.assess(new Uint8Array(), { admitted }), 'unsupported_format');
    assert.equal(seen.length, 1);
  });
});

describe('a picture that cannot be assessed', () => {
  it('is refused with the reason, and the worker goes on', async (t) => {
    const engine = await open(t, { limits: { maxPixels: 400_000 } });
    const small = await sharp(face).resize(300).jpeg().toBuffer();
    const large = await sharp(face).resize(800, 800).png().toBuffer();
    assert.match((await fails(engine.assess(large, { admitted }), 'image_too_large')).message, /800 x 800/);
    await fails(engine.assess(large, { admitted: ['jpeg'] }), 'unsupported_format');
    await fails(engine.assess(small.subarray(0, small.length / 2), { admitted }), 'undecodable_image');
    assert.equal((await engine.assess(small, { admitted })).image.width, 300);
  });

  it('is our fault where a model gives no use of itself, and the detail is for the log alone', async (t) => {
    const broken: ResolvedProfile = {
      ...profile,
      liveness: profile.liveness.map(({ model, weight }) => ({
        model: { ...model, input: { ...model.input, scale: 1e-38 } },
        weight,
      })),
    };
    const engine = await open(t, { profile: broken });
    const error = await fails(engine.assess(face, { admitted }), 'engine_failure');
    assert.equal(error.message, 'The score stage failed.');
    assert.match(String(error.cause), /gave its head what is no number/);
  });
});

describe('the queue', () => {
  it('refuses what is more than it holds, and answers the rest', async (t) => {
    const engine = await open(t, { queue: 2 });
    const inside = [1, 2, 3].map(() => engine.assess(face, { admitted }));
    assert.equal(engine.queueDepth, 2);
    assert.equal(engine.isFull, true);
    await fails(engine.assess(face, { admitted }), 'queue_full');
    for (const { faces } of await Promise.all(inside)) assert.equal(faces.length, 1);
    assert.equal(engine.queueDepth, 0);
    assert.equal(engine.isFull, false);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });

  it('holds less of what is more work', async (t) => {
    const engine = await open(t, { queue: 10 });
    // 0.75 + 0.25 x 12 ordinary photographs each.
    const large = await sharp(face).resize(4000, 3000).jpeg().toBuffer();
    const running = engine.assess(face, { admitted });
    const waiting = [large, large, face, face].map((bytes) => engine.assess(bytes, { admitted }));
    await fails(engine.assess(face, { admitted }), 'queue_full');
    const sizes = (await Promise.all([running, ...waiting])).map(({ image }) => image.width);
    assert.deepEqual(sizes.slice(1, 3), [4000, 4000]);
  });

  it('always has room for others beside one that is more work than it holds', async (t) => {
    const engine = await open(t, { queue: 2 });
    const large = await sharp(face).resize(4000, 3000).jpeg().toBuffer();
    const running = engine.assess(face, { admitted });
    const waiting = [large, face].map((bytes) => engine.assess(bytes, { admitted }));
    await fails(engine.assess(face, { admitted }), 'queue_full');
    await Promise.all([running, ...waiting]);
  });

  it('may have no place at all: what a free worker takes does not wait', async (t) => {
    const engine = await open(t, { queue: 0 });
    assert.equal(engine.isFull, false);
    const running = engine.assess(face, { admitted });
    assert.equal(engine.isFull, true);
    await fails(engine.assess(face, { admitted }), 'queue_full');
    assert.equal((await running).faces.length, 1);
  });

  it('is first come, first served', async (t) => {
    const engine = await open(t);
    const order: number[] = [];
    await Promise.all([0, 1, 2, 3].map((i) => engine.assess(face, { admitted }).then(() => order.push(i))));
    assert.deepEqual(order, [0, 1, 2, 3]);
  });
});

describe('one handed to a worker before its turn', () => {
  it('is done by another that is free sooner', async (t) => {
    const engine = await open(t, { workers: 2 });
    const [held, other] = engine.workers as [ChildProcess, ChildProcess];
    held.kill('SIGSTOP');
    const first = engine.assess(body, { admitted });
    const second = engine.assess(face, { admitted });
    const third = engine.assess(face, { admitted });
    assert.equal(engine.queueDepth, 1);
    await Promise.all([second, third]);
    assert.equal(engine.queueDepth, 0);
    held.kill('SIGCONT');
    // Each answer is still given to whom it belongs.
    const fourth = fails(engine.assess(new Uint8Array(9), { admitted }), 'unsupported_format');
    const fifth = engine.assess(body, { admitted });
    assert.deepEqual((await first).image, (await fifth).image);
    await fourth;
    assert.deepEqual(engine.workers, [held, other]);
  });

  it('comes while the one before is under way, however little a pipe holds', async (t) => {
    const engine = await open(t);
    const [{ stdin }] = engine.workers as [ChildProcess];
    const slow = await noisePhotograph();
    const isTaken = async () => {
      await once(stdin as NonNullable<typeof stdin>, 'drain');
      return 'taken';
    };
    const first = engine.assess(slow, { admitted }).then(() => 'answered');
    assert.equal(await Promise.race([first, isTaken()]), 'taken');
    const second = engine.assess(slow, { admitted });
    assert.equal(await Promise.race([first, isTaken()]), 'taken');
    await Promise.all([first, second]);
  });

  it('is not kept by its worker when it is done with', async (t) => {
    const [variable, ofOthers] = ['NODE_OPTIONS', process.env.NODE_OPTIONS] as const;
    process.env[variable] = `${ofOthers ?? ''} --expose-gc --import=data:text/javascript,${encodeURIComponent(
      `process.on('message', ({ kind }) => {
        if (kind !== 'held') return;
        // What the first one found is given back meanwhile; the second one waits for that.
        gc();
        gc();
        process.send({ kind, bytes: process.memoryUsage().arrayBuffers });
      });`,
    )}`;
    t.after(() => {
      if (ofOthers === undefined) delete process.env[variable];
      else process.env[variable] = ofOthers;
    });
    const engine = await open(t);
    const [worker] = engine.workers as [ChildProcess];
    const held = async () => {
      worker.send({ kind: 'held' });
      const [{ bytes }] = (await once(worker, 'message')) as [{ bytes: number }];
      return bytes;
    };
    const large = await noisePhotograph();
    await engine.assess(face, { admitted });
    const before = await held();
    await engine.assess(large, { admitted });
    const kept = (await held()) - before;
    assert.ok(kept < large.length / 4, `${kept} of ${large.length} bytes`);
  });
});

describe('the deadline', () => {
  it('ends the wait for a running photograph and for one in the queue', async (t) => {
    const engine = await open(t, { deadlineMs: 5000 });
    const clock = ownClock(t);
    const running = fails(engine.assess(face, { admitted }), 'deadline_exceeded');
    const queued = fails(engine.assess(face, { admitted }), 'deadline_exceeded');
    assert.equal(engine.queueDepth, 1);
    const said = nextAnswer(engine);
    clock.pass(4999);
    assert.equal(engine.queueDepth, 1);
    clock.pass(1);
    assert.equal(engine.queueDepth, 0);
    await Promise.all([running, queued]);
    // The worker left off instead of finishing for nobody, and is free again.
    const answer = await said;
    assert.ok(answer.kind === 'failed' && answer.code === 'aborted', answer.kind);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });

  it('counts from the call on, waiting included', async (t) => {
    const engine = await open(t, { deadlineMs: 5000 });
    const clock = ownClock(t);
    const first = fails(engine.assess(face, { admitted }), 'deadline_exceeded');
    clock.pass(3000);
    const second = engine.assess(face, { admitted });
    clock.pass(2000);
    await first;
    assert.equal((await second).faces.length, 1);
  });

  it('is forgotten once the answer is there', async (t) => {
    const engine = await open(t, { deadlineMs: 5000 });
    const clock = ownClock(t);
    const [worker] = engine.workers;
    await engine.assess(face, { admitted });
    clock.pass(60_000);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
    assert.equal(engine.workers[0], worker);
  });

  it('replaces a worker that goes on regardless', async (t) => {
    const deaths: Error[] = [];
    const death = Promise.withResolvers<void>();
    const engine = await open(t, {
      deadlineMs: 5000,
      onWorkerDeath: (reason) => {
        deaths.push(reason);
        death.resolve();
      },
    });
    const clock = ownClock(t);
    const [hung] = engine.workers;
    const given = fails(engine.assess(body, { admitted }), 'deadline_exceeded');
    const next = engine.assess(face, { admitted });
    clock.pass(4999);
    // The one that waits gets a deadline of its own that lies further off.
    const later = engine.assess(face, { admitted });
    clock.pass(1);
    await Promise.all([given, fails(next, 'deadline_exceeded')]);
    clock.pass(2000);
    await death.promise;
    clock.pass(1);
    assert.notEqual(engine.workers[0], hung);
    assert.equal((await later).faces.length, 1);
    assert.equal(deaths.length, 1);
  });
});

describe('a caller who goes away', () => {
  it('before the call is not served', async (t) => {
    const engine = await open(t);
    await fails(engine.assess(face, { admitted, signal: AbortSignal.abort() }), 'aborted');
    assert.equal(engine.queueDepth, 0);
    assert.equal(engine.isFull, false);
  });

  it('while waiting gives the place back', async (t) => {
    const engine = await open(t, { queue: 1 });
    const caller = new AbortController();
    const running = engine.assess(face, { admitted });
    const waiting = fails(engine.assess(face, { admitted, signal: caller.signal }), 'aborted');
    assert.equal(engine.isFull, true);
    caller.abort();
    assert.equal(engine.isFull, false);
    await waiting;
    const next = engine.assess(face, { admitted });
    assert.equal((await running).faces.length, 1);
    assert.equal((await next).faces.length, 1);
  });

  it('while it runs stops the work', async (t) => {
    const engine = await open(t);
    const caller = new AbortController();
    const running = fails(engine.assess(face, { admitted, signal: caller.signal }), 'aborted');
    const next = engine.assess(face, { admitted });
    const said = nextAnswer(engine);
    caller.abort();
    await running;
    const answer = await said;
    assert.ok(answer.kind === 'failed' && answer.code === 'aborted', answer.kind);
    assert.equal((await next).faces.length, 1);
  });

  it('is not remembered after the answer', async (t) => {
    const engine = await open(t);
    const caller = new AbortController();
    await engine.assess(face, { admitted, signal: caller.signal });
    await fails(engine.assess(new Uint8Array(), { admitted, signal: caller.signal }), 'unsupported_format');
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    caller.abort();
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });
});

describe('a worker that dies', () => {
  /** An engine, and the next death of one of its workers as something to wait for. */
  async function mortal(t: TestContext, options: Partial<EngineOptions> = {}) {
    let told = Promise.withResolvers<Error>();
    const engine = await open(t, { ...options, onWorkerDeath: (reason) => told.resolve(reason) });
    const kill = async (index = 0, signal: NodeJS.Signals = 'SIGKILL') => {
      told = Promise.withResolvers<Error>();
      engine.workers[index]?.kill(signal);
      return await told.promise;
    };
    return { engine, kill };
  }

  it('takes its photograph with it and no other', async (t) => {
    const { engine, kill } = await mortal(t);
    const running = fails(engine.assess(face, { admitted }), 'worker_died');
    const waiting = engine.assess(body, { admitted });
    const [worker] = engine.workers;
    assert.ok((await kill()) instanceof Error);
    await running;
    assert.equal((await waiting).faces.length, 1);
    assert.notEqual(engine.workers[0], worker);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });

  it('leaves the others at work', async (t) => {
    const { engine, kill } = await mortal(t, { workers: 2 });
    const first = fails(engine.assess(face, { admitted }), 'worker_died');
    const second = engine.assess(body, { admitted });
    const [, other] = engine.workers;
    await kill(0);
    await first;
    assert.equal(engine.isReady, true);
    assert.equal((await second).faces.length, 1);
    assert.equal(engine.workers[1], other);
  });

  it('by a crash of its own leaves the server up', async (t) => {
    const { engine, kill } = await mortal(t);
    const running = fails(engine.assess(face, { admitted }), 'worker_died');
    const reason = await kill(0, 'SIGSEGV');
    assert.match(reason.message, /SIGSEGV/);
    assert.equal((await running).cause, reason);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });

  it('does not die of a signal that is meant for the server', async (t) => {
    const engine = await open(t);
    const [worker] = engine.workers;
    const running = engine.assess(face, { admitted });
    worker?.kill('SIGINT');
    worker?.kill('SIGTERM');
    assert.equal((await running).faces.length, 1);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
    assert.equal(engine.workers[0], worker);
  });

  it('while idle is replaced too', async (t) => {
    const { engine, kill } = await mortal(t);
    await kill();
    assert.equal(engine.isReady, false);
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
    assert.equal(engine.isReady, true);
  });

  it('is replaced however often it dies while starting, with a pause before each try', async (t) => {
    const { engine, kill } = await mortal(t);
    const clock = ownClock(t);
    const waiting = [face, body].map((bytes) => engine.assess(bytes, { admitted }));
    const first = fails(waiting[0] as Promise<Assessment>, 'worker_died');
    let worker = engine.workers[0];
    await kill();
    await first;
    clock.pass(1);
    for (let round = 0; round < 4; round++) {
      assert.notEqual(engine.workers[0], worker, 'a new one is starting');
      worker = engine.workers[0];
      await kill();
      clock.pass(999);
      assert.equal(engine.workers[0], worker, 'the next waits for its time');
      clock.pass(1);
    }
    // What waited through all of it is answered by the one that lives.
    assert.equal(engine.queueDepth, 1);
    assert.equal((await (waiting[1] as Promise<Assessment>)).faces.length, 1);
  });

  it('is replaced when it hangs while starting', async (t) => {
    const { engine, kill } = await mortal(t);
    const clock = ownClock(t);
    await kill();
    clock.pass(1);
    const [hung] = engine.workers as [ChildProcess];
    hung.kill('SIGSTOP');
    const waiting = engine.assess(face, { admitted });
    const replaced = once(hung, 'close');
    clock.pass(60_000);
    await replaced;
    clock.pass(1000);
    assert.notEqual(engine.workers[0], hung);
    assert.equal((await waiting).faces.length, 1);
  });

  it('is replaced when photographs can no longer be sent to it', async (t) => {
    const { promise: died, resolve: onWorkerDeath } = Promise.withResolvers<Error>();
    const engine = await open(t, { onWorkerDeath });
    const answer = fails(engine.assess(face, { admitted }), 'worker_died');
    engine.workers[0]?.stdin?.destroy(new Error('The pipe broke.'));
    assert.match((await died).message, /SIGKILL/);
    await answer;
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
  });

  it('says so of its photograph when it is unable to go on, and of no other', async (t) => {
    const engine = await open(t);
    const answer = engine.assess(body, { admitted });
    const next = engine.assess(face, { admitted });
    (engine.workers[0] as ChildProcess).emit('message', { kind: 'unable', message: 'No memory.' });
    await fails(answer, 'worker_died');
    assert.equal((await next).faces.length, 1);
  });

  it('opens no debugger on a signal', async (t) => {
    const engine = await open(t);
    const [worker] = engine.workers as [ChildProcess];
    assert.ok(worker.spawnargs.includes('--disable-sigusr1'));
    worker.kill('SIGUSR1');
    assert.equal((await engine.assess(face, { admitted })).faces.length, 1);
    assert.equal(engine.workers[0], worker);
  });

  it('stops the start when it cannot come up at all', async (t) => {
    const empty = await mkdtemp(join(tmpdir(), 'no-weights-'));
    t.after(() => rm(empty, { recursive: true }));
    await assert.rejects(open(t, { folder: empty, workers: 2 }), /ultraface-rfb-320\.onnx/);
  });
});

describe('the memory of a worker', () => {
  it('is taken as decoding needs it, whatever the server is set to', {
    skip: !existsSync('/proc/self/environ'),
  }, async (t) => {
    // As the container sets it for the server.
    const own = process.env;
    own.MALLOC_TRIM_THRESHOLD_ = '131072';
    t.after(() => delete own.MALLOC_TRIM_THRESHOLD_);
    const engine = await open(t);
    const { pid } = engine.workers[0] as ChildProcess;
    const environment = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
    const { env } = decoderProcess({ maxPixels: 50_331_648 });
    for (const [name, value] of Object.entries(env))
      assert.ok(environment.includes(`${name}=${value}`), name);
  });
});

it('a worker lets no thread that was woken put another off its core', {
  skip: spawnSync('chrt', ['-b', '0', 'true']).status !== 0 && 'no chrt',
}, async (t) => {
  const engine = await open(t);
  const { pid } = engine.workers[0] as ChildProcess;
  await engine.assess(Uint8Array.from(body), { admitted });
  const { stdout } = spawnSync('chrt', ['-a', '-p', `${pid}`], { encoding: 'utf8' });
  const policies = stdout.match(/SCHED_[A-Z]+/g) ?? [];
  assert.ok(policies.length > 1);
  assert.deepEqual(new Set(policies), new Set(['SCHED_BATCH']));
});

describe('closing', () => {
  it('refuses what waits, what runs and what comes', async (t) => {
    const engine = await open(t);
    const running = fails(engine.assess(face, { admitted }), 'worker_died');
    const waiting = fails(engine.assess(face, { admitted }), 'queue_full');
    await engine.close();
    await Promise.all([running, waiting]);
    assert.equal(engine.isReady, false);
    await fails(engine.assess(face, { admitted }), 'queue_full');
    await engine.close();
  });

  /** A process of its own that runs `code` with an `engine` of two workers and `assess`. */
  function server(code: string): [file: string, args: string[]] {
    const script = `
      import { readFileSync } from 'node:fs';
      const { startEngine } = await import(${JSON.stringify(moduleUrl('liveness/pool.ts'))});
      const { loadRegistry } = await import(${JSON.stringify(moduleUrl('models/registry.ts'))});
      const [folder, photo] = process.argv.slice(1);
      const profile = (await loadRegistry(folder)).profile('standard');
      const options = { folder, profile, limits: { maxPixels: 5e7 }, workers: 2, queue: 4, deadlineMs: ${never} };
      const engine = await startEngine(options);
      const assess = (signal) => engine.assess(readFileSync(photo), { admitted: ['jpeg'], signal });
      ${code}
    `;
    return [process.execPath, ['-e', script, folder, photos.body]];
  }

  it('hands nothing over any more, whatever the workers say', async (t) => {
    const engine = await open(t);
    const answers = Array.from({ length: 4 }, () => {
      const bytes = Uint8Array.from(body);
      return fails(engine.assess(bytes, { admitted, onReleased: () => free(bytes) }), 'queue_full');
    });
    const [worker] = engine.workers as [ChildProcess];
    const closed = engine.close();
    const failed: WorkerAnswer = { kind: 'failed', code: 'queue_full', message: '', detail: undefined };
    // A turn later those that waited are released.
    await Promise.all(answers.slice(2));
    worker.emit('message', failed);
    worker.emit('message', failed);
    await closed;
    await Promise.all(answers);
  });

  it('leaves nothing that keeps the process alive', async () => {
    // With work given up, a worker killed, and a start that failed behind it, it must end by itself.
    const [file, args] = server(`
      await startEngine({ ...options, folder: folder + '/none' }).then(() => process.exit(3), () => {});
      await assess();
      const caller = new AbortController();
      const given = [assess(caller.signal), assess(), assess(), assess(caller.signal)].map((a) => a.catch((e) => e.code));
      caller.abort();
      engine.workers[1].kill('SIGKILL');
      await engine.close();
      console.log((await Promise.all(given)).join(' '));
    `);
    const { stdout } = await promisify(execFile)(file, args, { timeout: 60_000 });
    assert.equal(stdout.trim(), 'aborted worker_died queue_full aborted');
  });

  it('needs nobody: workers do not outlive a server that is killed', { timeout: 60_000 }, async (t) => {
    const [file, args] = server(`
      assess();
      console.log('busy');
    `);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const [line] = await once(child.stdout, 'data');
    assert.equal(String(line).trim(), 'busy');
    child.kill('SIGKILL');
    // Workers share the server's stderr: it closes when the last of them, one busy and one idle, is gone.
    await Promise.all([once(child, 'close'), child.stderr.resume()]);
  });

  it('needs nobody to send the rest of a photograph either', { timeout: 60_000 }, async (t) => {
    // Its worker has the order and as much as a pipe holds, and waits.
    const [file, args] = server(`
      const bytes = new Uint8Array(4_000_000);
      bytes.set(readFileSync(photo));
      engine.assess(bytes, { admitted: ['jpeg'] });
      process.kill(process.pid, 'SIGKILL');
    `);
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    await Promise.all([once(child, 'close'), child.stderr.resume()]);
  });
});

describe('200 photographs, 16 at a time', () => {
  it('are all answered as if they came alone, and the server stays free', async (t) => {
    const engine = await open(t, { workers: 2, queue: 64 });
    const kinds: Record<string, { bytes: Uint8Array; error?: EngineErrorCode }> = {
      'a face': { bytes: face },
      'a person': { bytes: body },
      'a small copy': { bytes: await sharp(face).resize(240).webp().toBuffer() },
      'a large copy': { bytes: await sharp(body).resize(2400).png().toBuffer() },
      'a HEIC': { bytes: await readFile(join(import.meta.dirname, '..', 'fixtures', 'portrait.heic')) },
      'no face': { bytes: await sharp(face).resize(64).blur(20).tiff({ compression: 'lzw' }).toBuffer() },
      damaged: { bytes: face.subarray(0, face.length / 2), error: 'undecodable_image' },
      'no picture': { bytes: Buffer.from('%PDF-1.7'), error: 'unsupported_format' },
    };
    const alone = new Map<string, unknown>();
    const answerTo = async (kind: string) => {
      const { bytes, error } = kinds[kind] as (typeof kinds)[string];
      const answer = engine.assess(bytes, { admitted });
      return error === undefined ? withoutTimings(await answer) : (await fails(answer, error)).message;
    };
    for (const kind of Object.keys(kinds)) alone.set(kind, await answerTo(kind));

    const order = Array.from({ length: 200 }, (_, i) => Object.keys(kinds)[(i * 5) % 8] as string).values();
    const stopMeasuring = measureLoop();
    const memory = process.memoryUsage.rss();
    let answered = 0;
    const start = performance.now();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const kind of order) {
          assert.deepEqual(await answerTo(kind), alone.get(kind), kind);
          answered++;
        }
      }),
    );
    const took = performance.now() - start;
    const busy = stopMeasuring();
    assert.equal(answered, 200);
    t.diagnostic(`200 in ${(took / 1000).toFixed(1)} s; event loop p99 ${busy.toFixed(1)} ms`);
    t.diagnostic(
      `RSS ${(memory / 1e6).toFixed(0)} MB before, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB after`,
    );
    assert.ok(busy < 50, `the event loop works for ${busy} ms at once`);
  });
});

function moduleUrl(path: string): string {
  return pathToFileURL(join(import.meta.dirname, '..', '..', 'src', path)).href;
}
