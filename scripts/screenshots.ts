/** Makes the pictures of the console in docs/screenshots, with a picture that we drew ourselves: `node scripts/screenshots.ts`. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { startBrowser } from '../test/helpers/browser.ts';
import { landscape } from '../test/helpers/pictures.ts';
import { credential, startServer } from '../test/helpers/server.ts';

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

/** What is photographed, and how the page comes to look like that. */
const scenes: Readonly<Record<string, (page: Page, origin: string) => Promise<void>>> = {
  async 'try-first'(page, origin) {
    await page.goto(origin);
    await page.locator('try-keys').waitFor();
  },
  async try(page, origin) {
    await page.goto(`${origin}/${link}`);
    await draw(page);
  },
  async 'try-gallery'(page, origin) {
    await page.goto(`${origin}/${link}`);
    await draw(page);
    await page.locator('input[type=file]').setInputFiles([
      { name: 'field.jpg', mimeType: 'image/jpeg', buffer: await landscape(1200, 900) },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') },
    ]);
    await page.getByText('3 of 3 assessed').waitFor();
    await page.locator('try-strip li').first().getByRole('button').click();
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
      await bring(page, server.origin);
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
