/** The pages for who runs the server, in a real browser: signing in, keys that work at once and end soon, and the log. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { models } from '../../src/models/catalog.ts';
import { Transactions } from '../../src/storage/transactions.ts';
import {
  type Browser,
  type BrowserContext,
  type Page,
  startBrowser,
  type Watch,
  watch,
  withoutBrowser,
} from '../helpers/browser.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { credential, keepLog, startServer, type TestServer } from '../helpers/server.ts';
import { id, transaction } from '../helpers/transactions.ts';

const run = promisify(execFile);

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** @throws where axe-core finds something serious or critical. */
async function assertAccessible(page: Page, what: string): Promise<void> {
  // By the browser's own protocol: the page's policy admits no script that is not its own.
  await page.evaluate(axe.source);
  // What is dimmed while it is asked for anew, or fades in, has no contrast until it is there.
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
  await page.evaluate('Promise.allSettled(document.getAnimations().map((one) => one.finished))');
  const found = await page.evaluate<Finding[]>('axe.run().then(({ violations }) => violations)');
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    [],
  );
}

describe('operating it in a browser', { skip: withoutBrowser }, () => {
  const log = keepLog();
  let server: TestServer;
  let browser: Browser;
  before(async () => {
    [server, browser] = await Promise.all([startServer({ log }), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  async function open(
    path: string,
    options: Parameters<Browser['newContext']>[0] = {},
    expected: RegExp[] = [],
  ) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    context.setDefaultTimeout(8_000);
    const watched = watch(context, [server.origin], expected);
    const page = await context.newPage();
    await page.goto(`${server.origin}/#${path}`);
    return { context, watched, page };
  }

  async function signIn(page: Page, token: string = credential.adminToken): Promise<void> {
    await page.getByLabel('Admin token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Asks the native API as a customer does, by curl itself. @returns the HTTP status. */
  async function curl(key: string): Promise<number> {
    const picture = join(server.dataFolder, 'face.jpg');
    await writeFile(picture, (await readPhotos()).face);
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', `${server.origin}/v1/assess`];
    const { stdout } = await run('curl', [
      ...args,
      ...['-H', `x-api-key: ${key}`, '-H', 'Content-Type: image/jpeg', '-H', 'x-bonafide-tag: by-curl'],
      ...['--data-binary', `@${picture}`],
    ]);
    return Number(stdout);
  }

  describe('from the first key to its end', () => {
    let context: BrowserContext;
    let watched: Watch;
    let page: Page;
    let key = '';
    before(async () => {
      // A wrong token is answered with 401, of which browsers write a line.
      ({ context, watched, page } = await open(
        '/apps',
        { permissions: ['clipboard-read', 'clipboard-write'] },
        [/status of 401/],
      ));
    });
    after(async () => {
      await context?.close();
    });

    it('says of a wrong token that it is one', async () => {
      await signIn(page, 'bft_wrong');
      await page.getByRole('alert').getByText('This is no admin token of this server').waitFor();
      assert.equal(await page.getByLabel('Admin token').getAttribute('aria-invalid'), 'true');
    });

    it('signs in, where the address said', async () => {
      await signIn(page);
      await page.getByRole('heading', { name: 'Apps and keys' }).waitFor();
      await page.getByText('Signed in as admin').waitFor();
      const [cookie] = await context.cookies(`${server.origin}/admin/v1/session`);
      assert.deepEqual(
        [cookie?.name, cookie?.httpOnly, cookie?.sameSite, cookie?.path],
        ['bonafide-session', true, 'Strict', '/admin/v1'],
      );
      assert.equal(await page.evaluate('document.cookie'), '');
      const kept = await page.evaluate<string>('JSON.stringify({ ...localStorage, ...sessionStorage })');
      // The id of the planted token holds its text; of others it does not.
      assert.ok(!kept.replace(`adm_${credential.adminToken}`, '').includes(credential.adminToken));
      assert.ok(!kept.includes(cookie?.value as string));
    });

    it('makes an app, and a key that is shown once and can be copied', async () => {
      await page.getByRole('button', { name: 'New app' }).click();
      const dialog = page.locator('bonafide-dialog');
      await dialog.getByLabel('Name').fill('Corner shop');
      await dialog.getByLabel('Per day').fill('500');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('heading', { name: 'Corner shop' }).waitFor();
      await page.getByText('500/day').waitFor();
      await page.getByRole('button', { name: 'New key' }).click();
      await dialog.getByLabel('Name').fill('till');
      await dialog.getByLabel('ARGOS', { exact: true }).uncheck();
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('It is shown this once').waitFor();
      key = await dialog.locator('#secret').innerText();
      assert.match(key, /^bfa_[\w-]{32}$/);
      await dialog.getByRole('button', { name: 'Copy the key' }).click();
      await dialog.getByText('Copied').first().waitFor();
      assert.equal(await page.evaluate('navigator.clipboard.readText()'), key);
      await dialog.getByRole('button', { name: 'Done' }).click();
      const row = page.getByRole('row').filter({ hasText: 'till' });
      await row.getByText('Native', { exact: true }).waitFor();
      assert.equal(await page.getByText(key).count(), 0);
    });

    it('lets curl in with that key', async () => {
      assert.equal(await curl(key), 200);
    });

    it('shows the request in usage and in the log, with all that is known of it', async () => {
      // The journal is in the database within a second.
      const find = async () =>
        (await new Transactions(server.storage.db).list({ tag: 'by-curl' }, 5)).transactions[0];
      const deadline = AbortSignal.timeout(10_000);
      let one = await find();
      for (; one === undefined; one = await find()) {
        deadline.throwIfAborted();
        await sleep(50);
      }
      await page.getByRole('link', { name: 'Usage', exact: true }).first().click();
      await page.getByLabel('App', { exact: true }).selectOption('Corner shop');
      await page.locator('[data-total]').getByText('1', { exact: true }).waitFor();
      await page.getByRole('img', { name: /^1 requests from .* by outcome$/ }).waitFor();
      await page.getByRole('link', { name: one.outcome }).click();
      await page.getByRole('row').filter({ hasText: one.id }).getByRole('link').click();
      await page.getByRole('heading', { name: `Transaction ${one.id}` }).waitFor();
      const shown = await page.locator('bonafide-transaction .columns').innerText();
      for (const text of [one.outcome, 'Corner shop', 'by-curl', one.key, one.imageSha256, 'standard']) {
        assert.ok(shown.includes(text as string), `${text} is shown`);
      }
      for (const { sha256 } of one.models ?? assert.fail()) assert.ok(shown.includes(sha256));
      assert.ok(shown.includes((one.pLive?.[0] ?? Number.NaN).toFixed(4)));
    });

    it('revokes the key after asking, and curl is refused within five seconds', async () => {
      await page.goto(`${server.origin}/#/apps`);
      await page.getByRole('link', { name: 'Corner shop' }).click();
      await page.getByRole('button', { name: 'Revoke till' }).click();
      await page.locator('bonafide-dialog').getByRole('button', { name: 'Cancel' }).click();
      assert.equal(await curl(key), 200, 'nothing was revoked');
      await page.getByRole('button', { name: 'Revoke till' }).click();
      await page.locator('bonafide-dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
      await page.getByRole('row').filter({ hasText: 'till' }).getByText('Revoked').waitFor();
      // A node asks every two seconds whether a key has changed.
      const deadline = AbortSignal.timeout(5_000);
      while ((await curl(key)) !== 401) {
        deadline.throwIfAborted();
        await sleep(100);
      }
    });

    it('asks to sign in again when the session ends, and goes on where it was', async () => {
      await page.goto(`${server.origin}/#/models`);
      await page.getByText('UltraFace RFB 320').waitFor();
      await server.storage.db.deleteFrom('sessions').execute();
      await page.goto(`${server.origin}/#/reports`);
      await page.getByText('Your session has ended').waitFor();
      await signIn(page);
      await page.getByRole('heading', { name: 'Evaluation reports' }).waitFor();
      assert.equal(new URL(page.url()).hash, '#/reports');
    });

    it('signs out, and the cookie is of no use any more', async () => {
      const [cookie] = await context.cookies(`${server.origin}/admin/v1/session`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.deepEqual(await context.cookies(`${server.origin}/admin/v1/session`), []);
      const response = await fetch(`${server.origin}/admin/v1/apps`, {
        headers: { cookie: `bonafide-session=${cookie?.value}`, 'sec-fetch-site': 'same-origin' },
      });
      assert.equal(response.status, 401);
      await page.reload();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    });

    it('broke no rule of its policy, and asked nobody else', () => watched.assertClean());
  });

  it('filters the log, and turns its pages', async () => {
    const rows = Array.from({ length: 120 }, (_, i) =>
      transaction(i + 1, {
        app: 'app_other',
        outcome: i % 40 === 39 ? 'attack' : 'live',
        dialect: i % 2 === 1 ? 'nhn' : 'native',
        tag: i === 6 ? 'customer-7' : null,
      }),
    );
    await new Transactions(server.storage.db).insert(rows);
    const { context, watched, page } = await open('/transactions?app=app_other');
    await signIn(page);
    const ids = async () => await page.locator('tbody code').allInnerTexts();
    await page.getByText(id(120), { exact: true }).waitFor();
    assert.deepEqual(
      await ids(),
      Array.from({ length: 50 }, (_, i) => id(120 - i)),
    );
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByText(id(70), { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByText(id(1), { exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Older' }).count(), 0);
    await page.goBack();
    await page.getByText(id(70), { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Newest' }).click();
    await page.getByText(id(120), { exact: true }).waitFor();

    await page.getByLabel('Outcome').fill('attack');
    await page.locator('select[name=dialect]').selectOption('NHN');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(id(119), { exact: true }).waitFor({ state: 'detached' });
    assert.deepEqual(await ids(), [id(120), id(80), id(40)]);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'NDJSON' }).click();
    const stream = await (await download).createReadStream();
    const lines = (await stream.toArray()).join('').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).id),
      [id(120), id(80), id(40)],
    );
    await page.getByRole('link', { name: 'Clear' }).click();
    await page.getByLabel('Tag').fill('customer-7');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(id(7), { exact: true }).waitFor();
    assert.deepEqual(await ids(), [id(7)]);
    await page.getByLabel('Tag').fill('nobody');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('No transaction fits.').waitFor();
    watched.assertClean();
    await context.close();
  });

  it('shows the models in use with the hashes that are pinned', async () => {
    const { context, watched, page } = await open('/models');
    await signIn(page);
    for (const name of ['ultraface-rfb-320', 'landmark-68', 'minifas-128-head']) {
      const { sha256, licence } = models.find((model) => model.id === name) ?? assert.fail(name);
      const card = page.locator(`[data-model="${name}"]`);
      await card.getByText(sha256, { exact: true }).waitFor();
      await card.getByText(licence, { exact: true }).waitFor();
      await card.getByText('File as pinned').waitFor();
    }
    watched.assertClean();
    await context.close();
  });

  it('opens a report, which is shown and may do nothing', async () => {
    const { context, watched, page } = await open('/reports');
    await signIn(page);
    await page.locator('[data-report="shipped/standard"]').getByRole('link').click();
    const report = page.frameLocator('iframe');
    await report.getByRole('heading', { name: 'How well standard tells people from attacks' }).waitFor();
    // With its own style, which the console's policy would not have let it have.
    const [, frame] = page.frames();
    const width = await frame?.evaluate("getComputedStyle(document.querySelector('main')).maxWidth");
    assert.equal(width, '1080px');
    const tab = context.waitForEvent('page');
    await page.getByRole('link', { name: 'Open in a tab' }).click();
    await (await tab).getByRole('heading', { name: 'How well standard' }).waitFor();
    watched.assertClean();
    await context.close();
  });

  it('says so when the server is gone, and goes on when it is back', async () => {
    const { context, page } = await open('/models');
    await signIn(page);
    await page.getByText('UltraFace RFB 320').waitFor();
    await context.setOffline(true);
    await page.goto(`${server.origin}/#/reports`).catch(() => {});
    await page.evaluate("location.hash = '#/usage'");
    await page
      .getByRole('alert')
      .getByText(/cannot be reached|could not be loaded/)
      .waitFor();
    await context.setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Requests by day' }).waitFor();
    await context.close();
  });

  for (const last of ['reports', 'usage']) {
    it(`says so of the page that was asked for last, where the script of ${last} fails last`, async () => {
      const { context, page } = await open('/');
      // Both scripts are held until both were asked for, and then fail in the order that is wanted.
      const held = new Map<string, () => Promise<void>>();
      const { promise: areBothAsked, resolve } = Promise.withResolvers<void>();
      await page.route(/\/assets\/(reports|usage)-[^/]*\.js$/, (route) => {
        const name = /(reports|usage)-/.exec(route.request().url())?.[1] as string;
        held.set(name, () => route.abort());
        if (held.size === 2) resolve();
      });
      await page.evaluate("location.hash = '#/reports'");
      await page.waitForRequest(/\/assets\/reports-/);
      await page.evaluate("location.hash = '#/usage'");
      await areBothAsked;
      const first = last === 'usage' ? 'reports' : 'usage';
      for (const name of [first, last]) {
        const failed = page.waitForEvent('requestfailed', (request) => request.url().includes(`/${name}-`));
        await held.get(name)?.();
        await failed;
      }
      await page.getByRole('alert').getByText('could not be loaded').waitFor();
      // By then the failure of the earlier page has been heard of too.
      await page.evaluate(
        'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))',
      );
      assert.equal(await page.getByRole('alert').count(), 1);
      await context.close();
    });
  }

  it('says so when an answer breaks off, and leaves nothing waiting', async () => {
    const { context, watched, page } = await open('/models');
    const broken = { status: 200, contentType: 'application/json', body: '{"profile":' };
    await page.route('**/admin/v1/models', (route) => route.fulfill(broken));
    await page.route('**/admin/v1/apps', (route) =>
      route.request().method() === 'POST' ? route.fulfill(broken) : route.continue(),
    );
    await signIn(page);
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    await page.goto(`${server.origin}/#/apps`);
    await page.getByRole('button', { name: 'New app' }).click();
    const dialog = page.locator('bonafide-dialog');
    await dialog.getByLabel('Name').fill('Broken off');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('cannot be reached').waitFor();
    await dialog.getByRole('button', { name: 'Create' }).waitFor();
    watched.assertClean();
    await context.close();
  });

  it('speaks Korean', async () => {
    const { context, watched, page } = await open('/apps', { locale: 'ko-KR' });
    await page.getByLabel('관리자 토큰').fill(credential.adminToken);
    await page.getByRole('button', { name: '로그인' }).click();
    await page.getByRole('button', { name: '앱 만들기' }).waitFor();
    for (const [path, heading] of [
      ['/usage', '사용량'],
      ['/transactions', '거래 내역'],
      ['/models', '모델'],
      ['/reports', '평가 보고서'],
    ]) {
      await page.goto(`${server.origin}/#${path}`);
      await page.getByRole('heading', { name: heading as string, exact: true, level: 1 }).waitFor();
    }
    watched.assertClean();
    await context.close();
  });

  describe('a page of another origin', () => {
    let other: Server;
    /** The cookies that it is sent for the path of the session's. */
    let heard: string | undefined;
    before(async () => {
      other = createServer((request, response) => {
        if (request.url === '/admin/v1/') heard = request.headers.cookie;
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>other</title>');
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
    });
    after(() => {
      other?.closeAllConnections();
      other?.close();
    });

    // Of cookies, another port is the same site: `SameSite` alone would not do.
    for (const [name, host] of [
      ['of another port', '127.0.0.1'],
      ['of another site', 'localhost'],
    ] as const) {
      it(`${name} cannot use the session`, async () => {
        const { context, page } = await open('/apps');
        await signIn(page);
        await page.getByRole('button', { name: 'New app' }).waitFor();
        const strange = await context.newPage();
        const { port } = other.address() as AddressInfo;
        await strange.goto(`http://${host}:${port}/admin/v1/`);
        const isSent = heard?.includes('bonafide-session=') ?? false;
        assert.equal(isSent, host === '127.0.0.1', 'what the test is about');
        const before = log.lines.length;
        const target = `${server.origin}/admin/v1`;
        const results = await strange.evaluate<string[]>(`(async () => {
          const attempt = (path, init) =>
            fetch('${target}' + path, { credentials: 'include', ...init }).then(
              (response) => response.type,
              () => 'failed',
            );
          const body = JSON.stringify({ name: 'stolen' });
          return [
            await attempt('/apps', {}),
            await attempt('/apps', { mode: 'no-cors' }),
            await attempt('/apps', { mode: 'no-cors', method: 'POST', body }),
            await attempt('/apps', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
            await attempt('/session', { method: 'DELETE' }),
          ];
        })()`);
        assert.deepEqual(new Set(results), new Set(['failed']));
        // A form and a link go there as whole pages.
        await strange.evaluate(`(() => {
          const form = document.createElement('form');
          Object.assign(form, { method: 'post', enctype: 'text/plain', action: '${target}/apps' });
          document.body.append(form);
          form.submit();
        })()`);
        await strange.waitForURL(`${target}/apps`);
        assert.match(await strange.locator('body').innerText(), /unauthorized/);
        await strange.goto(`http://${host}:${port}/`);
        await strange.evaluate(`location.assign('${target}/transactions')`);
        await strange.waitForURL(`${target}/transactions`);
        assert.match(await strange.locator('body').innerText(), /unauthorized/);

        const lines = log.lines.slice(before).map((line) => JSON.parse(line));
        const refused = lines.filter(({ msg, code }) => msg === 'refused' && code === 'unauthorized');
        assert.equal(refused.length, 5, 'each that the browser let out was refused');
        assert.ok(!lines.some(({ msg }) => msg === 'admin request'));
        await page.reload();
        await page.getByText('Signed in as admin').waitFor();
        assert.equal(await page.getByText('stolen').count(), 0);
        await context.close();
      });
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1440]) {
      it(`has no serious finding of axe-core at ${width} px, ${colorScheme}`, async () => {
        const { context, watched, page } = await open('/apps', {
          colorScheme,
          viewport: { width, height: 900 },
        });
        await page.getByLabel('Admin token').waitFor();
        await assertAccessible(page, 'sign-in');
        await signIn(page);
        await page.getByRole('button', { name: 'New app' }).click();
        await page.locator('bonafide-dialog').getByLabel('Name').waitFor();
        const evaluate = async (path: string, ready: string) => {
          await page.goto(`${server.origin}/#${path}`);
          await page.locator(ready).first().waitFor();
          await assertAccessible(page, path);
          const [scrollWidth, clientWidth] = (await page.evaluate(
            '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
          )) as [number, number];
          assert.ok(scrollWidth <= clientWidth, `${path}: ${scrollWidth} px fit into ${clientWidth}`);
        };
        await assertAccessible(page, 'dialog');
        await evaluate('/apps', 'tr[data-app]');
        await evaluate('/apps/app_contract', 'tr[data-key]');
        await evaluate('/usage', '.totals');
        await evaluate('/transactions?dialect=native', 'tbody tr');
        await evaluate('/transactions/0000000000000', 'bonafide-transaction');
        await evaluate('/models', '.model');
        await evaluate('/reports', '.report');
        await evaluate('/reports/shipped/standard', 'iframe');
        watched.assertClean();
        await context.close();
      });
    }
  }
});
