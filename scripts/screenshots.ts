/** Makes the pictures of the console in docs/screenshots, with a picture that we drew ourselves: `node scripts/screenshots.ts`. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { type Transaction, Transactions } from '../src/storage/transactions.ts';
import { startBrowser } from '../test/helpers/browser.ts';
import { landscape } from '../test/helpers/pictures.ts';
import { credential, startServer, type TestServer } from '../test/helpers/server.ts';
import { id, transaction } from '../test/helpers/transactions.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'screenshots');
const { appKey, secretKey, apiKey } = credential;
const link = `#/?${new URLSearchParams({ appKey, secretKey, apiKey })}`;

/** Widths and the most height that is kept, in CSS pixels. */
const screens = [
  { width: 1440, height: 1150, isPhone: false },
  { width: 390, height: 1700, isPhone: true },
];

const draw = async (page: Page) => {
  await page.getByRole('button', { name: /drawing/ }).click();
  await page.locator('try-result .banner.attack').waitFor();
};

const signIn = async (page: Page, { origin }: TestServer, path: string) => {
  await page.goto(`${origin}/#${path}`);
  await page.getByLabel('Admin token').fill(credential.adminToken);
  await page.getByRole('button', { name: 'Sign in' }).click();
};

/** The admin API's answer. */
const administer = async ({ origin }: TestServer, path: string, body: object) => {
  const headers = { authorization: `Bearer ${credential.adminToken}`, 'content-type': 'application/json' };
  const response = await fetch(`${origin}/admin/v1${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return (await response.json()) as { id: string };
};

/** An app of a shop, and a month of its requests, more of them by day than at the weekend. */
const fillLog = async (server: TestServer) => {
  const { id: app } = await administer(server, '/apps', { name: 'shop', limits: { perSecond: 20 } });
  for (const name of ['mobile', 'kiosk'])
    await administer(server, `/apps/${app}/keys`, { kind: 'api', name });
  const kinds: Partial<Transaction>[] = [
    ...Array.from({ length: 12 }, () => ({})),
    {
      outcome: 'attack',
      pLive: [0.031],
      verdicts: [{ weak: 'attack', balanced: 'attack', strict: 'attack' }],
    },
    { outcome: 'no_face', faces: 0, pLive: [], verdicts: [] },
    { outcome: 'invalid_base64', status: 400, faces: null, pLive: null, verdicts: null },
  ] as Partial<Transaction>[];
  const day = 86_400_000;
  const today = Math.floor(Date.now() / day) * day;
  const rows = Array.from({ length: 30 }, (_, ago) =>
    Array.from({ length: Math.round(28 + 22 * Math.sin(ago / 2.3)) }, (__, i) =>
      transaction(1_000 * (ago + 1) + i, {
        ...{ id: id(1_000_000 * (ago + 1) + i), time: today - ago * day + i * 60_000, app },
        ...kinds[i % kinds.length],
        tag: `session-${1000 + i}`,
      }),
    ),
  ).flat();
  await new Transactions(server.storage.db).insert(rows);
};

/** What is photographed, and how the page comes to look like that. */
const scenes: Readonly<Record<string, (page: Page, server: TestServer) => Promise<void>>> = {
  async 'try-first'(page, { origin }) {
    await page.goto(origin);
    await page.locator('try-keys').waitFor();
  },
  async try(page, { origin }) {
    await page.goto(`${origin}/${link}`);
    await draw(page);
  },
  async 'try-gallery'(page, { origin }) {
    await page.goto(`${origin}/${link}`);
    await draw(page);
    await page.locator('input[type=file]').setInputFiles([
      { name: 'field.jpg', mimeType: 'image/jpeg', buffer: await landscape(1200, 900) },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') },
    ]);
    await page.getByText('3 of 3 assessed').waitFor();
    await page.locator('try-strip li').first().getByRole('button').click();
  },
  async 'operate-keys'(page, server) {
    await fillLog(server);
    await signIn(page, server, '/apps');
    await page.getByRole('link', { name: 'shop' }).click();
    await page.getByText('kiosk').waitFor();
  },
  async 'operate-usage'(page, server) {
    await fillLog(server);
    await signIn(page, server, '/usage');
    await page.getByRole('heading', { name: 'Requests by day' }).waitFor();
  },
  async 'operate-transactions'(page, server) {
    await fillLog(server);
    await signIn(page, server, '/transactions');
    await page.getByText('session-1000').first().waitFor();
  },
};

await mkdir(folder, { recursive: true });
const browser = await startBrowser();
for (const screen of screens) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, bring] of Object.entries(scenes)) {
      // One each: of a picture that was there before, the answer would tell.
      const server = await startServer();
      const viewport = { width: screen.width, height: 900 };
      const phone = { isMobile: screen.isPhone, hasTouch: screen.isPhone };
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', ...phone });
      const page = await context.newPage();
      await bring(page, server);
      const shot = sharp(await page.screenshot({ fullPage: true }));
      const { height } = await shot.metadata();
      await shot
        .extract({ left: 0, top: 0, width: screen.width, height: Math.min(height, screen.height) })
        .png({ palette: true, quality: 90, effort: 10 })
        .toFile(join(folder, `${name}-${screen.width}-${colorScheme}.png`));
      await context.close();
      await server.close();
    }
  }
}
await browser.close();
