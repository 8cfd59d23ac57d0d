/** The Try page in a real browser: real photographs in, and what is drawn and said held against the API's own numbers. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { BrowserContextOptions, Locator } from 'playwright-core';
import sharp from 'sharp';
import type { Answer } from '../../src/dialects/native/wire.ts';
import {
  type Browser,
  type Page,
  startBrowser,
  type Watch,
  watch,
  withoutBrowser,
} from '../helpers/browser.ts';
import { planted } from '../helpers/keys.ts';
import { landscape, readPhotos, storedSideways, tileFaces } from '../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../helpers/server.ts';

const run = promisify(execFile);

const { appKey, secretKey, apiKey } = credential;
const link = `#/?${new URLSearchParams({ appKey, secretKey, apiKey })}`;

let server: TestServer;
let pictures: Server;
let pictureOrigin: string;
let browser: Browser;
let photos: Awaited<ReturnType<typeof readPhotos>>;

const file = (name: string, buffer: Buffer, mimeType = 'image/jpeg') => ({ name, mimeType, buffer });

interface Opened {
  readonly page: Page;
  readonly watched: Watch;
  close(): Promise<void>;
}

/** Opens the console with keys. */
async function open(
  options: BrowserContextOptions = {},
  { origin = server.origin, fragment = link, expected = [] as RegExp[] } = {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const watched = watch(context, [origin], expected);
  const page = await context.newPage();
  await page.goto(`${origin}/${fragment}`);
  await page.locator('try-intake').waitFor();
  return { page, watched, close: () => context.close() };
}

const choose = (page: Page, ...files: ReturnType<typeof file>[]) =>
  page.locator('input[type=file]').setInputFiles(files);

const headline = (page: Page) => page.locator('try-result h2').first();

/** Waits until the headline of the result is this. */
async function says(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('try-result h2').filter({ hasText: text }).waitFor({ timeout: 15_000 });
}

async function assess(picture: Buffer): Promise<Answer> {
  const headers = { 'x-api-key': apiKey, 'content-type': 'image/jpeg' };
  const response = await fetch(`${server.origin}/v1/assess`, { method: 'POST', headers, body: picture });
  assert.equal(response.status, 200);
  return (await response.json()) as Answer;
}

async function boxOf(locator: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  return (await locator.boundingBox()) ?? assert.fail('It is not shown.');
}

const near = (actual: number, expected: number, within: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual}, not ${expected}`);

describe('the Try page', { skip: withoutBrowser }, () => {
  before(async () => {
    photos = await readPhotos();
    pictures = createServer((incoming, response) => {
      const isThere = incoming.url === '/body.jpg';
      response.writeHead(isThere ? 200 : 404, { 'content-type': 'image/jpeg' });
      response.end(isThere ? photos.body : undefined);
    });
    await new Promise<void>((resolve) => pictures.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(pictures.address() as AddressInfo).port}`;
    pictureOrigin = `http://${host}`;
    [server, browser] = await Promise.all([
      startServer({ urlAllowedHosts: [host], maxImageBytes: 2_000_000 }),
      startBrowser(),
    ]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    pictures?.close();
  });

  for (const { width, scale } of [
    { width: 1440, scale: 1 },
    { width: 390, scale: 3 },
  ]) {
    for (const isSideways of [false, true]) {
      const how = isSideways ? ', stored on its side' : '';
      it(`draws box and points where the API says they are, ${width} px wide at ${scale}x${how}`, async () => {
        const picture = isSideways ? await storedSideways(photos.body) : photos.body;
        const { page, watched, close } = await open({
          viewport: { width, height: 1200 },
          deviceScaleFactor: scale,
        });
        await choose(page, file('body.jpg', picture));
        await says(page, 'Live person');
        const { faces, image } = await assess(picture);
        const [face] = faces;
        assert.ok(face !== undefined);

        const shown = await boxOf(page.locator('try-stage img'));
        const unit = shown.width / image.width;
        near(shown.height / image.height, unit, 0.002, 'the shape of the picture');
        const toPage = (x: number, y: number) => ({ x: shown.x + x * unit, y: shown.y + y * unit });

        const box = await boxOf(page.locator('try-stage button'));
        const [from, to] = [toPage(face.box.x0, face.box.y0), toPage(face.box.x1, face.box.y1)];
        near(box.x, from.x, 0.5, 'left');
        near(box.y, from.y, 0.5, 'top');
        near(box.x + box.width, to.x, 0.5, 'right');
        near(box.y + box.height, to.y, 0.5, 'bottom');

        // The very pixels: the line in the colour of "live", the points in white.
        const { data, info } = await sharp(await page.screenshot({ fullPage: true }))
          .removeAlpha()
          .raw()
          .toBuffer({ resolveWithObject: true });
        const scrolled = await page.evaluate<number>('scrollY');
        const colourAt = ({ x, y }: { x: number; y: number }) => {
          const at =
            (Math.floor((y + scrolled) * scale) * info.width + Math.floor(x * scale)) * info.channels;
          return [...data.subarray(at, at + 3)];
        };
        const middle = (from.x + to.x) / 2;
        const forehead = from.y + (to.y - from.y) / 8;
        for (const at of [
          { x: from.x, y: forehead },
          { x: to.x, y: forehead },
          { x: middle, y: from.y },
        ]) {
          assert.deepEqual(colourAt(at), [0x34, 0xe2, 0x7f], `the line at ${at.x}, ${at.y}`);
        }
        for (const [name, { x, y }] of Object.entries(face.landmarks)) {
          const at = toPage(x, y);
          assert.deepEqual(colourAt(at), [255, 255, 255], name);
          const mark = await boxOf(page.locator(`[data-point=${name}]`));
          near(mark.x + mark.width / 2, at.x, 0.5, name);
          near(mark.y + mark.height / 2, at.y, 0.5, name);
        }
        watched.assertClean();
        await close();
      });
    }
  }

  it('says the verdict, the score, the three operating points and what to do better', async () => {
    const { page, watched, close } = await open();
    await choose(page, file('body.jpg', photos.body));
    await says(page, 'Live person');
    const { operatingPoints, faces } = await assess(photos.body);
    const rows = await page.locator('try-result tbody tr').allInnerTexts();
    assert.deepEqual(
      rows.map((row) => row.split(/\s*\t\s*/)),
      (['weak', 'balanced', 'strict'] as const).map((name) => [
        `${name[0]?.toUpperCase()}${name.slice(1)}`,
        `${operatingPoints[name].threshold}`,
        'Live person',
      ]),
    );
    const score = faces[0]?.pLive.toFixed(3) ?? assert.fail('a face');
    const dial = page.getByRole('img', {
      name: new RegExp(`^Face 1: P\\(live\\) ${score}\\. Weak 0\\.\\d+, Balanced`),
    });
    assert.equal(await dial.locator('.mark').count(), 3);
    const advice = await page.locator('try-result .advice strong').allInnerTexts();
    // A small face and close eyes are two warnings with one remedy.
    assert.deepEqual(advice.slice(0, 2), ['Move closer', 'Look straight into the camera']);
    await page.getByText(/\d+ ms assessing, \d+ ms until/).waitFor();
    await page.locator('[data-point=leftEye]').focus();
    await page.getByText('Left eye', { exact: true }).waitFor();
    watched.assertClean();
    await close();
  });

  it('takes the keys out of the link, and keeps them for the tab', async () => {
    const { page, close } = await open();
    assert.equal(await page.evaluate('location.href'), `${server.origin}/#/`);
    assert.equal(await page.evaluate('history.length'), 2);
    await page.reload();
    await choose(page, file('face.jpg', photos.face));
    await says(page, 'Live person');
    await close();
  });

  it('asks for keys where there are none, and goes on when they are there', async () => {
    const { page, watched, close } = await open({}, { fragment: '' });
    await page.getByRole('heading', { name: 'First, the keys' }).waitFor();
    await choose(page, file('face.jpg', photos.face));
    await says(page, 'A key is needed');
    await page.getByRole('button', { name: 'Keys', exact: true }).click();
    await page.getByLabel('x-api-key').first().fill(apiKey);
    await page.getByRole('button', { name: 'Use these keys' }).click();
    await says(page, 'Live person');
    watched.assertClean();
    await close();
  });

  it('says so where a key is wrong, and asks again with the right one', async () => {
    const wrong = `#/?apiKey=${planted['a revoked x-api-key'].secret}`;
    const { page, watched, close } = await open({}, { fragment: wrong, expected: [/status of 401/] });
    await choose(page, file('face.jpg', photos.face));
    await says(page, 'The server does not know this key');
    const problem = JSON.parse((await page.locator('pre.answer').textContent()) ?? '') as { code: string };
    assert.equal(problem.code, 'unauthorized');
    await page.locator('try-result').getByRole('button', { name: 'Keys' }).click();
    await page.getByLabel('x-api-key').first().fill(apiKey);
    await page.getByRole('button', { name: 'Use these keys' }).click();
    await says(page, 'Live person');
    watched.assertClean();
    await close();
  });

  it('has the server load a picture by its address, and loads none itself', async () => {
    const { page, watched, close } = await open();
    const field = page.getByLabel('Address of a picture');
    await field.fill('no address');
    await field.press('Enter');
    await page.getByText('This is no http or https address.').waitFor();
    await field.fill(`${pictureOrigin}/body.jpg`);
    await field.press('Enter');
    await says(page, 'Live person');
    const { faces, image } = await assess(photos.body);
    const ground = await boxOf(page.locator('try-stage .frame'));
    near(ground.width / ground.height, image.width / image.height, 0.01, 'the shape of the ground');
    const box = await boxOf(page.locator('try-stage button'));
    near(box.x, ground.x + ((faces[0]?.box.x0 ?? 0) * ground.width) / image.width, 0.5, 'left');
    await page.getByText('The server loaded this picture itself.').waitFor();
    watched.assertClean();
    await close();
  });

  it('takes an address and an image from the clipboard', async () => {
    const { page, watched, close } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(`${pictureOrigin}/body.jpg`)})`);
    await page.keyboard.press('Control+V');
    await says(page, 'Live person');
    const png = (await sharp(photos.face).png().toBuffer()).toString('base64');
    await page.evaluate(`(async () => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(png)}), (c) => c.charCodeAt(0));
      const item = new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) });
      await navigator.clipboard.write([item]);
    })()`);
    await page.keyboard.press('Control+V');
    await page.getByText('2 of 2 assessed').waitFor();
    await page.getByText('256 × 256 px · PNG').waitFor();
    watched.assertClean();
    await close();
  });

  it('takes what is dropped anywhere on the page', async () => {
    const { page, watched, close } = await open();
    const dropped = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      for (const name of ['one.jpg', 'two.jpg']) {
        const bytes = Uint8Array.from(atob(${JSON.stringify(photos.face.toString('base64'))}), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: 'image/jpeg' }));
      }
      return transfer;
    })()`);
    await page.locator('header').dispatchEvent('dragover', { dataTransfer: dropped });
    await page.locator('.zone.over').waitFor();
    await page.locator('header').dispatchEvent('drop', { dataTransfer: dropped });
    await page.getByText('2 of 2 assessed').waitFor();
    assert.equal(await page.locator('.zone.over').count(), 0);
    watched.assertClean();
    await close();
  });

  it('makes keys that end by themselves for who is signed in', async () => {
    const { page, watched, close } = await open({}, { fragment: '', expected: [/status of 401/] });
    await page.getByRole('button', { name: 'Make keys' }).click();
    await page.getByText('You are not signed in.').waitFor();
    const { adminToken: token } = credential;
    const signedIn = await page.evaluate(async (body) => {
      const type = { 'content-type': 'application/json' };
      return (await fetch('/admin/v1/session', { method: 'POST', headers: type, body })).status;
    }, JSON.stringify({ token }));
    assert.equal(signedIn, 200);
    await page.getByRole('button', { name: 'Make keys' }).click();
    await page.getByLabel('App', { exact: true }).selectOption('contract');
    await page.getByRole('button', { name: 'Make keys' }).click();
    await page.getByText('Keys needed').waitFor({ state: 'detached' });
    await page.getByText('NHN Cloud', { exact: true }).click();
    await choose(page, file('body.jpg', photos.body));
    await says(page, 'Live person');
    const headers = { authorization: `Bearer ${credential.adminToken}` };
    const response = await fetch(`${server.origin}/admin/v1/keys?app=contract`, { headers });
    const { keys } = (await response.json()) as { keys: { name: string; expiresAt: string; kind: string }[] };
    const made = keys.filter(({ name }) => name === 'console');
    assert.deepEqual(made.map(({ kind }) => kind).sort(), ['api', 'secret']);
    for (const { expiresAt } of made)
      near(Date.parse(expiresAt), Date.now() + 12 * 3_600_000, 60_000, 'the end');
    watched.assertClean();
    await close();
  });

  it('takes a drawing of its own, and calls it an attack', async () => {
    const { page, watched, close } = await open();
    await page.getByRole('button', { name: /Try our drawing/ }).click();
    await says(page, 'Attack');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Save the picture' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'portrait.jpg');
    watched.assertClean();
    await close();
  });

  const troubles: { what: string; name: string; bytes: () => Promise<Buffer> | Buffer; title: string }[] = [
    { what: 'a text', name: 'notes.txt', bytes: () => Buffer.from('hello'), title: 'This is no picture' },
    {
      what: 'half a picture',
      name: 'half.jpg',
      bytes: () => photos.body.subarray(0, 5_000),
      title: 'The picture is damaged',
    },
    {
      what: 'nothing',
      name: 'empty.jpg',
      bytes: () => Buffer.alloc(0),
      title: 'This is no picture',
    },
    {
      what: 'too much',
      name: 'large.jpg',
      bytes: () => Buffer.alloc(2_100_000),
      title: 'The picture is too large',
    },
  ];
  for (const { what, name, bytes, title } of troubles) {
    it(`says in words what is the matter with ${what}`, async () => {
      const { page, watched, close } = await open({}, { expected: [/status of 4\d\d/] });
      await choose(page, file(name, await bytes(), 'application/octet-stream'));
      await says(page, title);
      JSON.parse((await page.locator('pre.answer').textContent()) ?? '');
      watched.assertClean();
      await close();
    });
  }

  it('has the same words for the refusals of every API', async () => {
    const { page, watched, close } = await open({}, { expected: [/status of 4\d\d/] });
    const answer = page.locator('pre.answer');
    await choose(page, file('notes.txt', Buffer.from('hello'), 'text/plain'));
    for (const [api, code] of [
      ['bonafide', /unsupported_format/],
      ['NHN Cloud', /-45040/],
      ['ARGOS', /1017/],
    ] as const) {
      await page.locator('fieldset.apis label', { hasText: api }).click();
      await says(page, 'This is no picture that the API reads');
      await answer.filter({ hasText: code }).waitFor();
    }
    await page.evaluate("location.hash = '#/?appKey=none&secretKey=none&apiKey=none'");
    await choose(page, file('face.jpg', photos.face));
    for (const [api, code] of [
      ['ARGOS', /Forbidden/],
      ['NHN Cloud', /-41005/],
      ['bonafide', /unauthorized/],
    ] as const) {
      await page.locator('fieldset.apis label', { hasText: api }).click();
      await says(page, 'The server does not know this key');
      await answer.filter({ hasText: code }).waitFor();
    }
    watched.assertClean();
    await close();
  });

  it('takes the photograph that the camera hands out, and lets go of the camera', async () => {
    const { page, close } = await open();
    await page.getByRole('button', { name: 'Take a photograph' }).click();
    const camera = page.locator('bonafide-capture');
    await camera.waitFor({ state: 'attached' });
    await camera.evaluate((element: EventTarget, base64: string) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const detail = { image: new Blob([bytes], { type: 'image/jpeg' }) };
      element.dispatchEvent(new CustomEvent('bonafide-capture', { bubbles: true, composed: true, detail }));
    }, photos.body.toString('base64'));
    await says(page, 'Live person');
    assert.equal(await camera.count(), 0);
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.getByText('photograph.jpg').first().waitFor();
    await close();
  });

  it('says in words what is the matter with an address, in every API', async () => {
    const { page, watched, close } = await open({}, { expected: [/status of 4\d\d/] });
    await page.getByLabel('Address of a picture').fill(`${pictureOrigin}/missing.jpg`);
    await page.getByRole('button', { name: 'Assess', exact: true }).click();
    await says(page, 'No picture came from that address');
    await page.getByText('NHN Cloud', { exact: true }).click();
    await says(page, 'No picture came from that address');
    assert.match((await page.locator('pre.answer').textContent()) ?? '', /-45050/);
    await page.getByText('ARGOS', { exact: true }).click();
    await says(page, 'This API takes no addresses');
    watched.assertClean();
    await close();
  });

  it('says so where the network is gone, and tries again', async () => {
    const { page, close } = await open();
    await page.context().setOffline(true);
    await choose(page, file('face.jpg', photos.face));
    await says(page, 'The server cannot be reached');
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await says(page, 'Live person');
    await close();
  });

  it('says so where a limit is reached', async () => {
    const limited = `#/?apiKey=${planted['an x-api-key for one request a day'].secret}`;
    const { page, watched, close } = await open({}, { fragment: limited, expected: [/status of 429/] });
    await choose(page, file('face.jpg', photos.face), file('body.jpg', photos.body));
    await page.getByText('2 of 2 assessed').waitFor();
    await page.getByText('1 Failed').waitFor();
    await page.getByRole('button', { name: /Failed$/ }).click();
    await says(page, 'The limit of this key is reached');
    await page.getByText(/The server asks to wait \d+ (?:h|min|s)\./).waitFor();
    watched.assertClean();
    await close();
  });

  it('shows that the server is full, and asks again when it says', async () => {
    const full = await startServer({ engine: { workers: 1, queue: 0 } });
    try {
      const headers = { 'x-api-key': apiKey, 'content-type': 'image/jpeg', 'content-length': '1000' };
      const holding = request(`${full.origin}/v1/assess`, { method: 'POST', headers });
      holding.on('error', () => {});
      holding.write('x');
      while (full.gate.underWay === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { page, watched, close } = await open({}, { origin: full.origin, expected: [/status of 503/] });
      await choose(page, file('face.jpg', photos.face));
      await says(page, /The server is full\. It is asked again in \d+ s/);
      holding.destroy();
      await says(page, 'Live person');
      watched.assertClean();
      await close();
    } finally {
      await full.close();
    }
  });

  it('assesses several pictures, shows what came of each, and cancels', async () => {
    const { page, watched, close } = await open({}, { expected: [/status of 415/] });
    await choose(
      page,
      file('group.jpg', await tileFaces(photos.face, 2, 1, 400)),
      file('field.jpg', await landscape(640, 480)),
      file('notes.txt', Buffer.from('hello')),
      file('face.jpg', photos.face),
    );
    await page.getByText('4 of 4 assessed').waitFor();
    const tiles = page.locator('try-strip li');
    assert.deepEqual(
      (await tiles.allInnerTexts()).map((text) => text.split('\n').map((line) => line.trim())),
      [
        ['group.jpg', 'Live'],
        ['field.jpg', 'No face'],
        ['notes.txt', 'Failed'],
        ['face.jpg', `Live ${(await assess(photos.face)).faces[0]?.pLive.toFixed(3)}`],
      ],
    );
    assert.equal(await page.locator('try-stage button').count(), 2);
    await page.locator('try-result .faces button').nth(1).click();
    assert.equal(await page.locator('try-stage button').nth(1).getAttribute('aria-pressed'), 'true');
    await tiles.nth(1).click();
    await says(page, 'No face found');

    // Held back, so that there is something to cancel.
    await page.route('**/v1/assess', () => {});
    await choose(page, file('late.jpg', photos.body));
    await says(page, 'The server is assessing the picture');
    await page.locator('try-strip').getByRole('button', { name: 'Cancel' }).click();
    await says(page, 'Cancelled');
    await page.unroute('**/v1/assess');
    await page.getByRole('button', { name: 'Assess the other 1' }).click();
    await says(page, 'Live person');
    await page.getByRole('button', { name: 'Remove all' }).click();
    await page.getByText('Drop photographs of faces here').waitFor();
    watched.assertClean();
    await close();
  });

  it('asks another API about the same picture once, and says only what that says', async () => {
    const { page, watched, close } = await open();
    const paths: string[] = [];
    page.on('request', (sent) => {
      if (sent.method() === 'POST') paths.push(new URL(sent.url()).pathname);
    });
    await choose(page, file('body.jpg', photos.body));
    await says(page, 'Live person');
    await page.getByText('NHN Cloud', { exact: true }).click();
    await says(page, 'Live person');
    assert.equal(await page.locator('try-result svg.dial').count(), 0);
    assert.equal(await page.locator('[data-point]').count(), 5);
    await page.getByText('ARGOS', { exact: true }).click();
    await says(page, /^Score 99\.\d\d$/);
    assert.equal(await page.locator('try-stage button').count(), 0);
    assert.equal(await page.locator('try-result svg.dial .mark').count(), 0);
    await page.getByText('bonafide', { exact: true }).last().click();
    await says(page, 'Live person');
    const nhn = `/v1.0/appkeys/${appKey}/spoofing`;
    assert.deepEqual(paths, ['/v1/assess', nhn, '/modules/liveness']);
    // Another operating point is another request of NHN alone.
    await page.getByText('Strict', { exact: true }).first().click();
    await page.getByText('NHN Cloud', { exact: true }).click();
    await says(page, 'Live person');
    assert.deepEqual(paths.slice(3), [nhn]);
    watched.assertClean();
    await close();
  });

  it('shows the answer as it came, and a command that gives it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bonafide-try-'));
    const { page, watched, close } = await open();
    try {
      const name = "it's a photo; 1.jpg";
      await writeFile(join(folder, name), photos.body);
      await choose(page, file(name, photos.body));
      for (const [api, of] of [
        ['bonafide', (answer) => answer.faces],
        ['NHN Cloud', (answer) => answer],
        ['ARGOS', (answer) => answer.result],
      ] as const satisfies [string, (answer: Record<string, unknown>) => unknown][]) {
        // The first has been asked already.
        const [answer] = await Promise.all([
          api === 'bonafide' ? undefined : page.waitForResponse((each) => each.request().method() === 'POST'),
          page.locator('fieldset.apis label', { hasText: api }).click(),
        ]);
        await says(page, /Live person|Score/);
        await page.locator('pre.answer').waitFor();
        const shown = (await page.locator('pre.answer').textContent()) ?? '';
        if (answer !== undefined) assert.equal(shown, await answer.text());
        const command = page.locator('pre.command');
        if (api === 'bonafide') {
          assert.ok(!(await command.innerText()).includes(apiKey));
          await page.getByRole('button', { name: 'Show keys' }).click();
        }
        const { stdout } = await run('bash', ['-c', await command.innerText()], { cwd: folder });
        assert.deepEqual(of(JSON.parse(stdout)), of(JSON.parse(shown)), api);
      }
      watched.assertClean();
    } finally {
      await close();
      await rm(folder, { recursive: true });
    }
  });

  it('tells of a picture that the browser cannot show', async () => {
    const { page, watched, close } = await open();
    const heic = await readFile(join(import.meta.dirname, '..', 'fixtures', 'portrait.heic'));
    await choose(page, file('portrait.heic', heic, 'image/heic'));
    await says(page, 'No face found');
    await page.getByText('Your browser cannot show this picture.').waitFor();
    await page.getByText('96 × 64 px · HEIC').waitFor();
    watched.assertClean();
    await close();
  });

  it('speaks Korean', async () => {
    const { page, watched, close } = await open({ locale: 'ko-KR' });
    await choose(page, file('body.jpg', photos.body));
    await says(page, '실제 사람');
    await page.getByText('더 가까이 다가가 주세요').waitFor();
    assert.equal(await headline(page).innerText(), '실제 사람');
    await page.getByRole('button', { name: 'English' }).click();
    await says(page, 'Live person');
    watched.assertClean();
    await close();
  });

  it('loads less than 200 kB of script', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const scripts: Promise<Buffer>[] = [];
    page.on('response', (response) => {
      if (response.request().resourceType() === 'script') scripts.push(response.body());
    });
    await page.goto(`${server.origin}/${link}`);
    await page.locator('try-intake').waitFor();
    await choose(page, file('body.jpg', photos.body));
    await says(page, 'Live person');
    const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
    assert.ok(bytes > 5_000 && bytes < 200_000, `${bytes} bytes`);
    await context.close();
  });
});
