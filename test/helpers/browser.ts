/** A real Chromium for tests, which notes all that a page must not do. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core';

const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM ?? paths.find((path) => existsSync(path));

/** For `describe`'s `skip`: why browser tests cannot run here, or false. */
export const withoutBrowser =
  executablePath === undefined ? 'NOT CHECKED: no Chromium was found; CHROMIUM may name one' : false;

/** Starts Chromium. It asks nobody but the tests' own servers. */
export async function startBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return await chromium.launch({
    ...options,
    executablePath: executablePath as string,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-quic',
      '--no-first-run',
      ...(options.args ?? []),
    ],
  });
}

/** What a page did that it must not. */
export interface Watch {
  /** @throws where there was a request to an origin not named here, a line of the console that is an error, or a breach of the policy. */
  assertClean(): void;
}

/**
 * @param origins those the context may ask; `blob:` and `data:` leave no machine.
 * @param expected texts of console errors that the test provokes: browsers write one for every answer of 4xx.
 */
export function watch(
  context: BrowserContext,
  origins: readonly string[],
  expected: readonly RegExp[] = [],
): Watch {
  const faults: string[] = [];
  const note = (fault: string) => {
    if (!expected.some((pattern) => pattern.test(fault))) faults.push(fault);
  };
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol === 'blob:' || protocol === 'data:') return;
    if (!origins.includes(origin)) note(`request to ${request.url()}`);
  });
  // Breaches of the policy are errors of the console too.
  context.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => note(`uncaught: ${error.error().message}`));
  return { assertClean: () => assert.deepEqual(faults, []) };
}

export type { Browser, BrowserContext, Page };
