/** `<bonafide-capture>` in a real browser with a camera made of a real photograph, on our own pages and on those of another site. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import {
  type Browser,
  type BrowserContext,
  type Page,
  startBrowser,
  watch,
  withoutBrowser,
} from '../helpers/browser.ts';
import { placeFaces, readPhotos } from '../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../helpers/server.ts';

const pageScript = join(import.meta.dirname, '../helpers/capture-page.js');

const camera = { width: 1280, height: 720 };
/** Sides of the photograph in the frame: its face is too small in the first, and right in the second. */
const small = 200;
const right = 400;
/** Away from the middle, so that a mirrored picture is another. */
const aside = 24;

/** What the page notes while it runs. */
interface Noted {
  /** Each state and each line that is shown, in order. */
  readonly said: string[];
  readonly spoken: string[];
  readonly events: {
    readonly type: string;
    readonly width: number;
    readonly height: number;
    /** In base64. */
    readonly image: string;
    readonly response?: { readonly status: number; readonly body: unknown };
    readonly error?: { readonly code: string; readonly message: string };
  }[];
  readonly tracks: string[];
}

/** Runs in the page: test/helpers/capture-page.js. */
async function inPage<Result>(page: Page, call: string, ...args: unknown[]): Promise<Result> {
  return await page.evaluate<Result>(`test.${call}(${args.map((arg) => JSON.stringify(arg)).join()})`);
}

const notes = (page: Page) => inPage<Noted>(page, 'notes');

/** Waits until the element is in one of these states. */
const until = (page: Page, ...states: string[]) => inPage<void>(page, 'untilState', ...states);

async function eventOf(page: Page, number = 1): Promise<Noted['events'][number]> {
  await inPage(page, 'untilEvents', number);
  return (await notes(page)).events[number - 1] as Noted['events'][number];
}

/** Another site: one page, with a policy of its own that lets in what docs/capture.md names. */
interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

async function startSite(page: () => string, policy: () => string): Promise<Site> {
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy());
    response.end(page());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // By its name: another host too, not only another port.
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('<bonafide-capture>', { skip: withoutBrowser }, () => {
  let folder: string;
  let frame: Buffer;
  let server: TestServer;
  /** Lets the other site ask it. */
  let open: TestServer;
  let site: Site;
  /** Cameras: one that comes closer, one that stays away, none, and one that nobody may use. */
  let browsers: Record<'approaching' | 'distant' | 'none' | 'denied', Browser>;
  let html = '';
  let policy = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bonafide-camera-'));
    const { face } = await readPhotos();
    const at = (side: number) =>
      placeFaces(face, camera, [
        { x: (camera.width - side) / 2 + aside, y: (camera.height - side) / 2, side },
      ]);
    const [far, near] = await Promise.all([at(small), at(right)]);
    frame = near;
    const videos = { approaching: join(folder, 'approaching.mjpeg'), distant: join(folder, 'distant.mjpeg') };
    // 30 frames are a second, and after the last comes the first.
    const frames = (picture: Buffer, count: number) => Array.from({ length: count }, () => picture);
    await writeFile(videos.approaching, Buffer.concat([...frames(far, 180), ...frames(near, 180)]));
    await writeFile(videos.distant, Buffer.concat(frames(far, 2)));

    site = await startSite(
      () => html,
      () => policy,
    );
    const device = ['--use-fake-device-for-media-stream', '--enable-unsafe-swiftshader'];
    const asked = [...device, '--use-fake-ui-for-media-stream'];
    const [one, two, approaching, distant, none, denied] = await Promise.all([
      startServer(),
      startServer({ corsOrigins: [site.origin] }),
      startBrowser({ args: [...asked, `--use-file-for-fake-video-capture=${videos.approaching}`] }),
      startBrowser({ args: [...asked, `--use-file-for-fake-video-capture=${videos.distant}`] }),
      startBrowser({ args: ['--use-fake-ui-for-media-stream'] }),
      startBrowser({ args: [...device, '--deny-permission-prompts'] }),
    ]);
    [server, open, browsers] = [one, two, { approaching, distant, none, denied }];
  });
  after(async () => {
    await Promise.all(Object.values(browsers ?? {}).map((browser) => browser.close()));
    await Promise.all([server, open, site].map((one) => one?.close()));
    await rm(folder, { recursive: true });
  });

  const contexts: BrowserContext[] = [];
  after(() => Promise.all(contexts.map((context) => context.close().catch(() => {}))));

  async function newContext(
    browser: Browser,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport: { width: 390, height: 760 }, ...options });
    contexts.push(context);
    await context.addInitScript({ path: pageScript });
    return context;
  }

  /** The element alone on a page of the server's own, under its policy. */
  async function ownPage(context: BrowserContext, attributes: Record<string, string> = {}): Promise<Page> {
    const page = await context.newPage();
    await page.goto(server.origin);
    await inPage(page, 'embed', attributes, credential.apiKey);
    await until(page, 'idle');
    return page;
  }

  /** On the other site, from one script tag. */
  async function otherPage(
    context: BrowserContext,
    { from, wasm = true }: { from: TestServer; wasm?: boolean },
  ): Promise<Page> {
    const { origin } = from;
    policy = `default-src 'none'; script-src ${origin} ${wasm ? "'wasm-unsafe-eval'" : ''}; connect-src ${origin}; img-src data:; base-uri 'none'`;
    html = `<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,">
      <script type="module" src="${origin}/capture.js"></script>
      <main><bonafide-capture endpoint="${origin}/v1/assess"></bonafide-capture></main></html>`;
    const page = await context.newPage();
    await page.goto(site.origin);
    await until(page, 'idle');
    await inPage(page, 'setKey', credential.apiKey);
    return page;
  }

  const button = (page: Page, name: string) => page.getByRole('button', { name });

  it('guides a person from permission to a verdict', async () => {
    const context = await newContext(browsers.approaching, { permissions: ['camera'] });
    const watched = watch(context, [server.origin]);
    const page = await ownPage(context, { endpoint: '/v1/assess' });
    await button(page, 'Start the camera').click();
    const { response, error, type, width, height, image } = await eventOf(page);
    assert.equal(error, undefined);
    assert.equal(response?.status, 200);
    assert.ok(response);
    const {
      status,
      faces,
      image: seen,
    } = response.body as {
      status: string;
      faces: { verdicts: Record<string, string>; warnings: { code: string }[] }[];
      image: object;
    };
    assert.equal(status, 'assessed');
    assert.equal(faces.length, 1);
    assert.match(faces[0]?.verdicts.balanced ?? '', /^(live|attack)$/);
    assert.deepEqual(faces[0]?.warnings, []);
    assert.deepEqual({ type, width, height }, { type: 'image/jpeg', ...camera });
    assert.deepEqual(seen, { format: 'jpeg', ...camera });

    // All of the frame, and not mirrored as the preview is.
    const taken = Buffer.from(image, 'base64');
    const mirrored = await sharp(frame).flop().toBuffer();
    const [asIs, asMirror] = [await difference(taken, frame), await difference(taken, mirrored)];
    assert.ok(asIs < asMirror / 2, `${asIs} and ${asMirror}`);

    await until(page, 'done');
    const { said, spoken, tracks, events } = await notes(page);
    assert.ok(said.indexOf('looking: Move closer') >= 0, `${said}`);
    assert.ok(said.indexOf('looking: Hold still') > said.indexOf('looking: Move closer'), `${said}`);
    assert.equal(said.at(-1), 'done: Photograph taken');
    assert.ok(spoken.includes('Move closer') && spoken.at(-1) === 'Photograph taken', `${spoken}`);
    assert.deepEqual(tracks, ['ended']);
    assert.equal(events.length, 1);
    assert.equal(await page.locator('bonafide-capture canvas').count(), 1);
    watched.assertClean();
  });

  it('hands the picture out and posts nothing without an endpoint', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const watched = watch(context, [server.origin]);
    const page = await ownPage(context);
    const posted: string[] = [];
    context.on('request', (request) => request.method() !== 'GET' && posted.push(request.url()));
    await button(page, 'Start the camera').click();
    await until(page, 'looking');
    await button(page, 'Take the picture myself').click();
    const event = await eventOf(page);
    assert.deepEqual([event.response, event.error, event.width], [undefined, undefined, camera.width]);
    assert.deepEqual(posted, []);
    await button(page, 'Take again').click();
    await until(page, 'looking');
    assert.deepEqual((await notes(page)).tracks, ['ended', 'live']);
    watched.assertClean();
  });

  it('says that the picture was not taken on, and sends it again', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const watched = watch(context, [server.origin], [/status of 401/]);
    const page = await ownPage(context, { endpoint: '/v1/assess' });
    await inPage(page, 'setKey', 'wrong');
    await button(page, 'Start the camera').click();
    await until(page, 'looking');
    await button(page, 'Take the picture myself').click();
    const refused = await eventOf(page);
    assert.equal(refused.response?.status, 401);
    await until(page, 'failed');
    await page.getByText('The server refused the photograph (401).').first().waitFor();
    await inPage(page, 'setKey', credential.apiKey);
    await button(page, 'Send again').click();
    const sent = await eventOf(page, 2);
    assert.equal(sent.response?.status, 200);
    assert.equal(sent.image, refused.image);
    await until(page, 'done');
    watched.assertClean();
  });

  it('says that there is no camera', async () => {
    const context = await newContext(browsers.none, { permissions: ['camera'] });
    const watched = watch(context, [server.origin]);
    const page = await ownPage(context);
    await button(page, 'Start the camera').click();
    await until(page, 'missing');
    await page.getByText('No camera was found', { exact: true }).waitFor();
    await button(page, 'Try again').click();
    await until(page, 'missing');
    watched.assertClean();
  });

  it('says that the camera is denied, and asks again', async () => {
    const context = await newContext(browsers.denied);
    const watched = watch(context, [server.origin]);
    const page = await ownPage(context);
    await button(page, 'Start the camera').click();
    await until(page, 'denied');
    await page.getByText('The camera is blocked', { exact: true }).waitFor();
    await context.grantPermissions(['camera']);
    await button(page, 'Try again').click();
    await until(page, 'loading', 'looking');
    watched.assertClean();
  });

  it('says that the camera is lost', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const page = await ownPage(context);
    await button(page, 'Start the camera').click();
    await until(page, 'looking');
    await inPage(page, 'unplug');
    await until(page, 'busy');
    assert.deepEqual((await notes(page)).tracks, ['ended']);
  });

  it('leaves a button where there is no face finder', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const watched = watch(context, [server.origin]);
    await context.addInitScript('test.withoutWebGl()');
    const page = await ownPage(context, { endpoint: '/v1/assess' });
    await button(page, 'Start the camera').click();
    await until(page, 'manual');
    await page.getByText('Put your face into the oval and press the button').first().waitFor();
    await button(page, 'Take the picture').click();
    assert.equal((await eventOf(page)).response?.status, 200);
    watched.assertClean();
  });

  it('speaks Korean, by its own lang or the page’s', async () => {
    const context = await newContext(browsers.none, { permissions: ['camera'] });
    const page = await ownPage(context, { lang: 'ko' });
    assert.equal(await page.getByRole('group').getAttribute('lang'), 'ko');
    await button(page, '카메라 시작').click();
    await page.getByText('카메라를 찾을 수 없어요', { exact: true }).waitFor();
    await page.evaluate(`document.querySelector('bonafide-capture').removeAttribute('lang')`);
    await page.getByText('No camera was found', { exact: true }).waitFor();
    await page.evaluate(`document.documentElement.lang = 'ko-KR'`);
    await button(page, '다시 시도').waitFor();
  });

  it('is used by the keyboard alone', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const page = await ownPage(context);
    const focused = () => page.evaluate<string>('test.focused()?.textContent.trim()');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Start the camera');
    await page.keyboard.press('Enter');
    await until(page, 'looking');
    // The button that was pressed is gone; the focus is still here.
    assert.equal(await page.evaluate('document.activeElement.localName'), 'bonafide-capture');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Take the picture myself');
    await page.keyboard.press('Space');
    await eventOf(page);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Take again');
    const outline = await page.evaluate('getComputedStyle(test.focused()).outlineStyle');
    assert.equal(outline, 'solid');
  });

  it('switches the camera off when it is taken out, hidden, or its page is left', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    for (const how of ['taken out', 'hidden', 'left with its page']) {
      const page = await ownPage(context);
      await button(page, 'Start the camera').click();
      await until(page, 'looking');
      assert.deepEqual((await notes(page)).tracks, ['live']);
      await inPage(page, `leave[${JSON.stringify(how)}]`);
      await inPage(page, 'untilCameraOff');
      await page.close();
    }
  });

  it('works on another site from one script tag, where the server lets that ask', async () => {
    const context = await newContext(browsers.approaching, { permissions: ['camera'] });
    const watched = watch(context, [site.origin, open.origin]);
    const names = (page: Page) => page.evaluate<string[]>('Object.getOwnPropertyNames(window)');
    html = '<!doctype html><title>A shop</title><link rel="icon" href="data:,">';
    const bare = await context.newPage();
    await bare.goto(site.origin);
    const own = new Set(await names(bare));
    await bare.close();
    const asked: { method: string; path: string; body: number; isLong: boolean }[] = [];
    context.on('request', (request) => {
      const { pathname: path } = new URL(request.url());
      const body = request.postDataBuffer()?.length ?? 0;
      asked.push({ method: request.method(), path, body, isLong: request.url().length > 200 });
    });
    const page = await otherPage(context, { from: open });
    await button(page, 'Start the camera').click();
    const { response, error, type, image } = await eventOf(page);
    // Of all frames that were looked at, the one that was taken, once, and nothing of another in any address.
    const sent = asked.filter(({ method, body, isLong }) => method === 'POST' || body > 0 || isLong);
    assert.deepEqual(
      sent.map(({ method, path }) => `${method} ${path}`),
      ['POST /v1/assess'],
    );
    const { length } = Buffer.from(image, 'base64');
    assert.ok(sent.every(({ body }) => body === 0 || (body >= length && body < length + 1_000)));
    // Lists of versions by which copies of Lit on one page know each other.
    assert.deepEqual((await names(page)).filter((name) => !own.has(name)).sort(), [
      'litElementVersions',
      'litHtmlVersions',
      'litPropertyMetadata',
      'reactiveElementVersions',
    ]);
    assert.equal(error, undefined);
    assert.equal(response?.status, 200);
    assert.ok(response);
    assert.equal((response.body as { faces: unknown[] }).faces.length, 1);
    assert.equal(type, 'image/jpeg');
    await until(page, 'done');
    watched.assertClean();
  });

  it('hands the picture out to another site that may not ask, and says why nothing came of the post', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const watched = watch(context, [site.origin, server.origin], [/CORS policy/, /net::ERR_FAILED/]);
    const page = await otherPage(context, { from: server });
    await button(page, 'Start the camera').click();
    await until(page, 'looking');
    await button(page, 'Take the picture myself').click();
    const { response, error, image } = await eventOf(page);
    assert.equal(response, undefined);
    assert.equal(error?.code, 'unreachable');
    assert.match(error?.message ?? '', /\/v1\/assess .*CORS/);
    assert.equal((await sharp(Buffer.from(image, 'base64')).metadata()).width, camera.width);
    await until(page, 'failed');
    await button(page, 'Send again').waitFor();
    watched.assertClean();
  });

  it('leaves a button on a site whose policy forbids WebAssembly', async () => {
    const context = await newContext(browsers.distant, { permissions: ['camera'] });
    const page = await otherPage(context, { from: open, wasm: false });
    await button(page, 'Start the camera').click();
    await until(page, 'manual');
    await button(page, 'Take the picture').click();
    assert.equal((await eventOf(page)).response?.status, 200);
  });

  it('has no serious finding of axe-core, in light and dark, in any state', async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await newContext(browsers.distant, { permissions: ['camera'], colorScheme });
      const page = await ownPage(context);
      await page.evaluate(axe);
      const findings = () => inPage<string[]>(page, 'findings');
      assert.deepEqual(await findings(), []);
      await button(page, 'Start the camera').click();
      await until(page, 'looking');
      assert.deepEqual(await findings(), []);
      await button(page, 'Take the picture myself').click();
      await until(page, 'done');
      assert.deepEqual(await findings(), []);
      await context.close();
    }
    const page = await ownPage(await newContext(browsers.denied));
    await page.evaluate(axe);
    await button(page, 'Start the camera').click();
    await until(page, 'denied');
    assert.deepEqual(await inPage(page, 'findings'), []);
  });

  it('fits 320 pixels, and keeps still for who asks for that', async () => {
    const context = await newContext(browsers.distant, {
      permissions: ['camera'],
      viewport: { width: 320, height: 600 },
      reducedMotion: 'reduce',
    });
    const page = await ownPage(context, { lang: 'ko' });
    for (const [name, state] of [
      ['카메라 시작', 'looking'],
      ['직접 촬영하기', 'done'],
    ] as const) {
      await button(page, name).click();
      await until(page, state);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      const moving = await page.evaluate<number>(
        'document.getAnimations().filter((one) => one instanceof CSSTransition).length',
      );
      assert.ok(width <= 320, `${width}`);
      assert.equal(moving, 0);
    }
  });
});

/** Mean difference of two pictures of one size, 0..255. */
async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((picture) => sharp(picture).raw().toBuffer()));
  assert.ok(a !== undefined && b !== undefined && a.length === b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
}
