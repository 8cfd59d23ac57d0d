/** The report as a file: what it holds, what it never holds, and that nothing in it can be told from a name in a manifest. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { html } from '../../src/evaluation/html.ts';
import { hundred } from '../../src/evaluation/plots.ts';
import { renderReport } from '../../src/evaluation/report.ts';
import { parseScores } from '../../src/evaluation/scores.ts';
import { compare, summarise } from '../../src/evaluation/summary.ts';
import { drawScores, run } from '../helpers/scores.ts';

const options = { fitted: 'calibration', draws: 20, seed: 1 } as const;
const text = drawScores(11);
const summarised = summarise(parseScores(text, 'drawn.csv'), run, options);
const page = renderReport(summarised.summary);

describe('html', () => {
  it('escapes every value but HTML', () => {
    const name = `<img src=x onerror="a('&')">`;
    const escaped = '&lt;img src=x onerror=&quot;a(&#39;&amp;&#39;)&quot;&gt;';
    assert.equal(String(html`<b title="${name}">${name}</b>`), `<b title="${escaped}">${escaped}</b>`);
    assert.equal(String(html`${html`<i>${name}</i>`}`), `<i>${escaped}</i>`);
  });

  it('joins lists, and leaves out what is not there', () => {
    assert.equal(String(html`${[html`<p>`, '<', 0]}${undefined}${false}`), '<p>&lt;0');
  });
});

describe('a report', () => {
  it('needs no network and runs nothing', () => {
    assert.match(page, /^<!doctype html>\n<html lang="en">/);
    assert.ok(!/<script|<link|<iframe|@import|\ssrc="(?!data:)|\shref=|url\((?!#)|\son\w+="/i.test(page));
    // Names of vocabularies are no addresses that anything is fetched from.
    const addresses = [...page.matchAll(/https?:\/\/[^"\s<]+/g)].map(([address]) => address);
    assert.deepEqual([...new Set(addresses)], ['http://www.w3.org/2000/svg']);
  });

  it('has the sentence, every set and species, and a plot of each kind', () => {
    assert.ok(page.includes(summarised.summary.sentence));
    for (const name of ['office', 'street', 'people-only', 'attacks-only', 'print *', 'replay', 'mask']) {
      assert.ok(page.includes(`>${name}<`), name);
    }
    const plots = [...page.matchAll(/<svg[^>]* aria-label="([^"]*)"/g)].map(([, label]) => label);
    assert.deepEqual(plots, [
      'A hundred people',
      'A hundred attacks',
      'Distribution of P(live) of people, upwards, and of attacks, downwards',
      'Error rates at balanced by set and species',
      'Detection error trade-off',
      'Reliability of P(live)',
      'Error rates by face size',
      'Error rates by brightness',
      'Error rates by sharpness',
      'Error rates by skin-tone proxy',
    ]);
    assert.ok(!/NaN|undefined|Infinity|\[object/.test(page));
  });

  it('holds photographs only where they are given', () => {
    assert.ok(!page.includes('<img') && !page.includes('The worst errors'));
    const { worst } = summarised.summary;
    const [first] = worst.attack;
    const thumbnails = new Map([[first?.file as string, 'data:image/jpeg;base64,AAAA']]);
    const withPictures = renderReport(summarised.summary, { thumbnails });
    assert.equal([...withPictures.matchAll(/<img src="data:image\/jpeg;base64,AAAA"/g)].length, 1);
    const absent = worst.attack.length + worst.bonaFide.length - 1;
    assert.equal([...withPictures.matchAll(/not there any more/g)].length, absent);
  });

  it('does not take a name in a manifest for HTML', () => {
    const evil = '</style></svg><script>alert(1)</script>';
    const rows = parseScores(text, 'drawn.csv').map((row) => ({
      ...row,
      file: `${evil}${row.file}`,
      set: `${evil}${row.set}`,
      ...(row.species && { species: `${evil}"'&${row.species}` }),
      ...(row.face === undefined && { reason: evil }),
    }));
    const own = summarise(rows, { ...run, profile: evil, models: { [evil]: evil } }, options);
    const compared = { name: evil, summary: own.summary, differences: compare(own, own, true) };
    const rendered = renderReport(own.summary, { thumbnails: new Map(), compared });
    assert.ok(!rendered.includes('<script'));
    assert.ok(rendered.includes('&lt;script&gt;'));
    assert.equal(
      rendered.split('</style>').length,
      page.split('</style>').length,
      'one for each plot, and the page',
    );
  });

  it('lays another run beside it', () => {
    const worse = parseScores(text, 'two.csv').map((row) =>
      row.face && !row.bonaFide ? { ...row, face: { ...row.face, logOdds: row.face.logOdds + 3 } } : row,
    );
    const other = summarise(worse, { ...run, profile: 'second' }, options);
    const differences = compare(summarised, other, true);
    const rendered = renderReport(summarised.summary, {
      compared: { name: 'second', summary: other.summary, differences },
    });
    assert.match(rendered, /<h2>Beside second<\/h2>/);
    assert.match(rendered, /Equal error rate<\/th><td>.*drawn is better/);
    assert.match(rendered, /The second line is second\./);
  });

  it('says what was left out, a set or a group', () => {
    const office = parseScores(text, 'drawn.csv').filter(({ set }) => set === 'office');
    const own = renderReport(summarise(office, run, options).summary);
    assert.ok(page.includes('by a fit that did not see its set<'));
    assert.ok(own.includes('by a fit that did not see its group<'));
  });

  it('of people alone says what there is, and nothing of what there is not', () => {
    const people = parseScores(text, 'drawn.csv').filter(({ bonaFide }) => bonaFide);
    const own = renderReport(summarise(people, run, options).summary);
    assert.ok(!/NaN|undefined|Infinity/.test(own));
    assert.ok(!own.includes('Detection error trade-off') && own.includes('People turned away'));
  });
});

describe('a hundred dots', () => {
  it('are a hundred, whatever the shares', () => {
    const of = (...shares: number[]) =>
      hundred(
        shares.map((share, i) => ({ share, kind: (['wrong', 'none', 'right'] as const)[i] as 'wrong' })),
      );
    const counts = (kinds: string[]) =>
      ['wrong', 'none', 'right'].map((kind) => kinds.filter((own) => own === kind).length);
    assert.deepEqual(counts(of(1 / 3, 1 / 3, 1 / 3)), [34, 33, 33]);
    assert.deepEqual(counts(of(0, 0, 1)), [0, 0, 100]);
    assert.deepEqual(counts(of(0.006, 0.0041, 0.9899)), [1, 0, 99]);
    assert.deepEqual(counts(of(0.29, 0.57, 0.14)), [29, 57, 14]);
  });
});
