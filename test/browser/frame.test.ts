/** The console's frame in a real browser: it comes up, asks nobody else, and breaks no rule of its own policy. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, startBrowser, watch, withoutBrowser } from '../helpers/browser.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

describe('the console in a browser', { skip: withoutBrowser }, () => {
  let server: TestServer;
  let browser: Browser;
  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('comes up at / and asks nobody else', async () => {
    const context = await browser.newContext();
    const watched = watch(context, [server.origin]);
    const page = await context.newPage();
    await page.goto(server.origin);
    assert.equal(await page.locator('h1').innerText(), 'Try it');
    assert.equal(await page.title(), 'Try it · bonafide');
    watched.assertClean();
    await context.close();
  });

  it('speaks the language of the browser, and the one chosen instead on every later visit', async () => {
    const context = await browser.newContext({ locale: 'ko-KR' });
    const page = await context.newPage();
    await page.goto(server.origin);
    assert.equal(await page.locator('h1').innerText(), '체험하기');
    assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
    await page.getByRole('button', { name: 'English' }).click();
    assert.equal(await page.locator('h1').innerText(), 'Try it');
    await page.reload();
    assert.equal(await page.locator('h1').innerText(), 'Try it');
    await context.close();
  });

  it('has a menu on a phone, and skips it on request', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(server.origin);
    const link = page.getByRole('link', { name: 'Try it' });
    assert.equal(await link.isVisible(), false);
    await page.getByRole('button', { name: 'Menu' }).click();
    assert.equal(await link.getAttribute('aria-current'), 'page');
    await page.keyboard.press('Escape');
    assert.equal(await link.isVisible(), false);
    await page.reload();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('main:focus').waitFor();
    await context.close();
  });
});
