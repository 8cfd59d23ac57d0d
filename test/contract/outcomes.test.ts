/** What an operator sees of a request: its log line and its count say what the client was told. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Ask, connect, keyed, type Route, routes } from '../helpers/http.ts';
import { landscape, placeFaces, plainPng, readPhotos } from '../helpers/pictures.ts';
import { keepLog, startServer, type TestServer } from '../helpers/server.ts';

const { nhn, argos, native } = routes;
const photos = await readPhotos();
const log = keepLog();
let server: TestServer;
let ask: Ask;

before(async () => {
  server = await startServer({ log });
  ask = await connect(server);
});
after(() => server.close());

async function countOf(dialect: string, outcome: string): Promise<number> {
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  const line = `bonafide_requests_total{dialect="${dialect}",outcome="${outcome}"} `;
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}

/** Asks, and expects this outcome in the log, and one more of it in the metrics. */
async function assertOutcome(
  dialect: string,
  outcome: string,
  request: () => ReturnType<Ask>,
): Promise<void> {
  const earlier = await countOf(dialect, outcome);
  const id = (await request()).headers.get('x-request-id');
  await log.until(
    (entry) =>
      entry.msg === 'request' &&
      entry.requestId === id &&
      entry.dialect === dialect &&
      entry.outcome === outcome,
  );
  assert.equal(await countOf(dialect, outcome), earlier + 1);
}

const post = async (route: Route, image: Uint8Array) => {
  const { headers, body } = route.asking(image);
  return await ask(route.path, { headers: keyed(route, headers), body });
};

const size = { width: 900, height: 500 };
const tiny = () => placeFaces(photos.face, { width: 480, height: 360 }, [{ x: 200, y: 150, side: 56 }]);
const pair = () =>
  placeFaces(photos.face, size, [
    { x: 40, y: 50, side: 400 },
    { x: 500, y: 90, side: 320 },
  ]);

describe('outcome', () => {
  const cases: [route: Route, outcome: string, name: string, image: () => Buffer | Promise<Buffer>][] = [
    [argos, 'too_many_faces', 'two large faces', pair],
    [argos, 'face_too_small', 'one small face', tiny],
    [argos, 'no_face', 'a landscape', () => landscape(640, 480)],
    [argos, 'unsupported_format', 'text', () => Buffer.from('text')],
    [nhn, 'image_too_small', 'an image of 79 px', () => plainPng(79, 200)],
    [nhn, 'no_face', 'a landscape', () => landscape(640, 480)],
    [native, 'no_face', 'a landscape', () => landscape(640, 480)],
  ];
  for (const [route, outcome, name, image] of cases) {
    it(`${route.name}: ${name} is ${outcome}`, async () => {
      const bytes = await image();
      await assertOutcome(route.dialect, outcome, () => post(route, bytes));
    });
  }

  it('ARGOS: is that of the face that is scored, whoever is small in the background', async (t) => {
    const { engine } = server;
    const assess = engine.assess.bind(engine);
    const picture = await placeFaces(photos.face, size, [
      { x: 40, y: 50, side: 400 },
      { x: 600, y: 200, side: 140 },
    ]);
    t.mock.method(engine, 'assess', async (...args: Parameters<typeof assess>) => {
      const assessment = await assess(...args);
      const verdicts = (['live', 'attack'] as const).map((v) => ({ weak: v, balanced: v, strict: v }));
      return {
        ...assessment,
        faces: assessment.faces.map((face, i) => ({ ...face, verdicts: verdicts[i] })),
      };
    });
    await assertOutcome('argos', 'live', () => post(argos, picture));
    await assertOutcome('nhn', 'attack', () => post(nhn, picture));
  });

  for (const [dialect, path] of [
    ['nhn', '/v1.0/appkeys/%zz/spoofing'],
    ['argos', '/modules/%zz'],
    ['native', '/v1/%zz'],
  ] as const) {
    it(`${dialect}: a path that cannot be read is logged and counted, and not written`, async () => {
      await assertOutcome(dialect, 'invalid_request', () => ask(path));
      assert.ok(!log.lines.some((line) => line.includes('%zz')));
    });
  }
});
