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
    assert.equal(await page.locator('bonafide-console h1').innerText(), 'bonafide');
    watched.assertClean();
    await context.close();
  });
});
