/** The pages of the APIs in a real browser: every operation is there and can be tried, for everybody, and nobody else is asked. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seriousFindings } from '../helpers/accessibility.ts';
import { type Browser, type Page, startBrowser, watch, withoutBrowser } from '../helpers/browser.ts';
import { openApiOf } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../helpers/server.ts';

/** With a file, a form, a choice, a body in JSON, and one that deletes. */
const ofEachKind = ['assess', 'nhnSpoofing', 'listTransactions', 'createKey', 'deleteTransaction'];

/** An operation, by its id. */
const operation = (page: Page, id: string) => page.locator(`.opblock[id$="-${id}"]`);

describe('the pages of the APIs in a browser', { skip: withoutBrowser }, () => {
  let server: TestServer;
  let browser: Browser;
  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Runs with the page open, and says that it did nothing that it must not do. */
  async function onPage(
    run: (page: Page) => Promise<void>,
    { fragment = '', ...options }: Parameters<Browser['newContext']>[0] & { fragment?: string } = {},
  ): Promise<void> {
    const context = await browser.newContext(options);
    const watched = watch(context, [server.origin]);
    const page = await context.newPage();
    await page.goto(`${server.origin}/docs${fragment}`);
    await page.locator('.opblock').first().waitFor();
    await run(page);
    watched.assertClean();
    await context.close();
  }

  /** Fills in a key in the dialog for all of them. */
  async function authorize(page: Page, scheme: string, key: string): Promise<void> {
    await page.locator('.btn.authorize').click();
    const form = page.locator('.auth-container', {
      has: page.locator('h4', { hasText: new RegExp(`^${scheme}\\b`) }),
    });
    await form.locator('input').fill(key);
    await form.locator('button[type=submit]').click();
    await page.locator('.btn-done').first().click();
  }

  /** What the server answered to what was tried. */
  async function execute(page: Page, id: string): Promise<{ status: string; body: string }> {
    const opened = operation(page, id);
    await opened.locator('.btn.execute').click();
    const live = opened.locator('.live-responses-table');
    await live.waitFor();
    return {
      status: (await live.locator('.response-col_status').last().innerText()).trim(),
      body: await live.locator('.response-col_description .code pre').first().innerText(),
    };
  }

  it('shows every operation of the document, in the groups that it names', async () => {
    const { paths } = await openApiOf(server.origin);
    const described = Object.entries(paths).flatMap(([path, byMethod]) =>
      Object.keys(byMethod).map((method) => `${method.toUpperCase()} ${path}`),
    );
    await onPage(async (page) => {
      const shown = await page.locator('.opblock').evaluateAll((blocks) =>
        blocks.map((block) => {
          const text = (name: string) => block.querySelector(`.opblock-summary-${name}`)?.textContent ?? '';
          // The path may break behind its slashes.
          return `${text('method')} ${text('path').replaceAll('\u200b', '')}`;
        }),
      );
      assert.deepEqual(shown.sort(), described.sort());
      const [first] = await page.locator('.opblock-tag').allInnerTexts();
      assert.match(first as string, /^bonafide\b/);
    });
  });

  it('asks the native API with a photograph and a key, and shows the answer', async () => {
    const { body: photo } = await readPhotos();
    await onPage(
      async (page) => {
        await authorize(page, 'apiKey', credential.apiKey);
        const opened = operation(page, 'assess');
        await opened.locator('select[aria-label="Request content type"]').selectOption('image/jpeg');
        await opened
          .locator('input[type=file]')
          .setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo });
        const { status, body } = await execute(page, 'assess');
        assert.equal(status, '200');
        const answer = JSON.parse(body);
        assert.equal(answer.faces.length, 1);
        assert.deepEqual(answer.image, { format: 'jpeg', width: 1200, height: 1200 });
      },
      { fragment: '#/bonafide/assess' },
    );
  });

  it('asks by a form, with a file', async () => {
    const { face } = await readPhotos();
    await onPage(
      async (page) => {
        await authorize(page, 'nhnSecretKey', credential.secretKey);
        const opened = operation(page, 'nhnSpoofing');
        await opened.locator('tr[data-param-name=appKey] input').fill(credential.appKey);
        await opened.locator('select[aria-label="Request content type"]').selectOption('multipart/form-data');
        await opened
          .locator('input[type=file]')
          .setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: face });
        const { body } = await execute(page, 'nhnSpoofing');
        const { header, data } = JSON.parse(body);
        assert.deepEqual(header, { isSuccessful: true, resultCode: 0, resultMessage: 'Success' });
        assert.equal(data.faceDetailCount, 1);
      },
      { fragment: '#/NHN%20Cloud%20Face%20Liveness/nhnSpoofing' },
    );
  });

  it('asks with the example of a body as it stands', async () => {
    await onPage(
      async (page) => {
        await authorize(page, 'apiKey', credential.apiKey);
        const { status, body } = await execute(page, 'argosLiveness');
        assert.equal(status, '200');
        assert.equal(JSON.parse(body).apiType, 'id_live_face');
      },
      { fragment: '#/ARGOS%20Face%20Liveness/argosLiveness' },
    );
  });

  it('takes over the keys of the Try page, which stay in the tab', async () => {
    const { appKey, secretKey, apiKey } = credential;
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.origin}/#/?${new URLSearchParams({ appKey, secretKey, apiKey })}`);
    await page.waitForFunction((key) => JSON.stringify(sessionStorage).includes(key), apiKey);
    await page.goto(`${server.origin}/docs#/ARGOS%20Face%20Liveness/argosLiveness`);
    const { status } = await execute(page, 'argosLiveness');
    assert.equal(status, '200');
    await context.close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1440]) {
      it(`can be read and used by everybody: ${colorScheme}, ${width} px`, async () => {
        await onPage(
          async (page) => {
            assert.deepEqual(await seriousFindings(page), []);
            for (const id of ofEachKind) {
              await operation(page, id).locator('.opblock-summary-control').click();
              await operation(page, id).locator('.responses-table').waitFor();
            }
            assert.deepEqual(await seriousFindings(page), [], 'with operations opened');
            const [scrollWidth, clientWidth] = (await page.evaluate(
              '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
            )) as [number, number];
            assert.ok(scrollWidth <= clientWidth, `${scrollWidth} px fit into ${clientWidth}`);
            await page.locator('.btn.authorize').click();
            assert.deepEqual(await seriousFindings(page), [], 'with the dialog for keys');
            await page.locator('.btn-done').first().click();
            await authorize(page, 'apiKey', credential.apiKey);
            await operation(page, 'argosLiveness').locator('.opblock-summary-control').click();
            assert.equal((await execute(page, 'argosLiveness')).status, '200');
            assert.deepEqual(await seriousFindings(page), [], 'with an answer');
          },
          { colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' },
        );
      });
    }
  }
});
