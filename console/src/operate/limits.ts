/** Limits of an app or a key: their fields in a form, and in words. */

import { html } from 'lit';
import type { Static } from 'typebox';
import type { LimitsBody } from '../../../src/server/admin/wire.ts';
import { language } from '../language.ts';
import { count } from './format.ts';

type Limits = Static<typeof LimitsBody>;

const names = ['perSecond', 'burst', 'perDay', 'perMonth'] as const satisfies (keyof Limits)[];

const texts = {
  en: {
    perSecond: 'Per second',
    burst: 'Burst on top',
    perDay: 'Per day (UTC)',
    perMonth: 'Per month (UTC)',
    none: 'unlimited',
    words: {
      perSecond: (n: string) => `${n}/s`,
      burst: (n: string) => `burst ${n}`,
      perDay: (n: string) => `${n}/day`,
      perMonth: (n: string) => `${n}/month`,
    },
  },
  ko: {
    perSecond: '초당 요청',
    burst: '순간 추가 요청',
    perDay: '일일 요청 (UTC)',
    perMonth: '월간 요청 (UTC)',
    none: '무제한',
    words: {
      perSecond: (n: string) => `초당 ${n}`,
      burst: (n: string) => `순간 ${n}`,
      perDay: (n: string) => `일 ${n}`,
      perMonth: (n: string) => `월 ${n}`,
    },
  },
};

export function limitFields() {
  const text = texts[language()];
  return html`<div class="pair">
    ${names.map(
      (name) =>
        html`<label class="field"
          >${text[name]}<input
            name=${name}
            type="number"
            min="1"
            max="1000000000"
            step="1"
            inputmode="numeric"
            placeholder=${text.none}
        /></label>`,
    )}
  </div>`;
}

/** What was entered; an empty field is no limit. */
export function readLimits(form: FormData): Limits {
  const given = names.flatMap((name) => {
    const text = String(form.get(name) ?? '').trim();
    return text === '' ? [] : [[name, Number(text)]];
  });
  return Object.fromEntries(given);
}

export function limitWords(limits: Limits): string {
  const { words, none } = texts[language()];
  const said = names.flatMap((name) => {
    const limit = limits[name];
    return limit === undefined ? [] : [words[name](count(limit))];
  });
  return said.length === 0 ? none : said.join(', ');
}
