/** Every page of the console under axe-core: light and dark, on a phone and on a wide screen. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { AxeResults } from 'axe-core';
import { type Browser, type Page, startBrowser, withoutBrowser } from '../helpers/browser.ts';
import { readPhotos, tileFaces } from '../helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../helpers/server.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { appKey, secretKey, apiKey } = credential;
const link = `#/?${new URLSearchParams({ appKey, secretKey, apiKey })}`;

let server: TestServer;
let browser: Browser;

/** What a person can do with the page before it is looked at. */
const states: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async 'without keys'(page) {
    await page.goto(server.origin);
    await page.getByRole('heading', { name: 'First, the keys' }).waitFor();
  },
  async 'with the window for keys'(page) {
    await page.goto(`${server.origin}/${link}`);
    await page.getByRole('button', { name: 'Keys' }).click();
    await page.getByRole('dialog').waitFor();
  },
  async 'with pictures of one and of several, and a text'(page) {
    const { face, body } = await readPhotos();
    await page.goto(`${server.origin}/${link}`);
    const group = await tileFaces(face, 2, 1, 400);
    await page.locator('input[type=file]').setInputFiles([
      { name: 'group.jpg', mimeType: 'image/jpeg', buffer: group },
      { name: 'body.jpg', mimeType: 'image/jpeg', buffer: body },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
    ]);
    await page.getByText('3 of 3 assessed').waitFor();
    await page.locator('try-result .faces').waitFor();
  },
  async 'with an attack'(page) {
    await page.goto(`${server.origin}/${link}`);
    await page.getByRole('button', { name: /drawing/ }).click();
    await page.locator('try-result .banner.attack').waitFor();
  },
  async 'with a refusal'(page) {
    await page.goto(`${server.origin}/${link}`);
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await page.locator('try-result .banner.unsure').waitFor();
  },
};

/** Findings of axe-core that keep somebody out, one line each. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help} (${nodes.map(({ target }) => target.flat().join(' ')).join('; ')})`,
    );
}

describe('accessibility', { skip: withoutBrowser }, () => {
  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('changes colours at once for who asks for less motion', async () => {
    const moving: number[] = [];
    for (const reducedMotion of ['no-preference', 'reduce'] as const) {
      const context = await browser.newContext({ reducedMotion });
      const page = await context.newPage();
      await page.goto(`${server.origin}/${link}`);
      const button = page.locator('try-intake button.primary');
      moving.push(
        await button.evaluate((element) => {
          element.classList.remove('primary');
          return element.getAnimations().length;
        }),
      );
      await context.close();
    }
    const [usual, less] = moving as [number, number];
    assert.ok(usual > 0, 'nothing moves at all');
    assert.equal(less, 0);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [
      { width: 390, height: 900 },
      { width: 1440, height: 900 },
    ]) {
      const where = `${colorScheme}, ${viewport.width} px wide`;
      for (const [state, bring] of Object.entries(states)) {
        it(`the Try page ${state}, ${where}`, async () => {
          const context = await browser.newContext({
            colorScheme,
            viewport,
            // What is half faded in has no colours to judge yet.
            reducedMotion: 'reduce',
          });
          const page = await context.newPage();
          await bring(page);
          assert.deepEqual(await findings(page), []);
          const width = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(width <= viewport.width, `the page is ${width} px wide`);
          await context.close();
        });
      }

      it(`every page of the navigation, ${where}`, async () => {
        const context = await browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' });
        const page = await context.newPage();
        await page.goto(server.origin);
        await page.locator('h1').waitFor();
        const links = await page.locator('nav a[href^="#"]').all();
        const hashes = await Promise.all(links.map((each) => each.getAttribute('href')));
        assert.ok(hashes.length > 0);
        for (const hash of hashes) {
          await page.goto(`${server.origin}/${hash}`);
          await page.locator('main h1').waitFor();
          assert.deepEqual(await findings(page), [], `${hash}`);
        }
        await context.close();
      });
    }
  }
});
