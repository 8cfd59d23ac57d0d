/** `<bonafide-transactions>`: the log, with filters, by pages, and one of its transactions. */

import { css, html, nothing } from 'lit';
import { ifDefined } from 'lit/directives/if-defined.js';
import type { Static } from 'typebox';
import type { TransactionBody, Transactions } from '../../../src/server/admin/wire.ts';
import { hrefOf } from '../address.ts';
import { askAdmin } from '../api.ts';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { type App, listApps, pathOf } from './catalog.ts';
import { exactTime, milliseconds } from './format.ts';
import { Load } from './load.ts';
import { badgeOf, classOf } from './outcomes.ts';
import { OperatePage } from './page.ts';
import './transaction.ts';

type Transaction = Static<typeof TransactionBody>;

interface Found {
  readonly apps: readonly App[];
  readonly transactions: readonly Transaction[];
  readonly next: string | undefined;
}

const texts = {
  en: {
    title: 'Transactions',
    lead: 'Every answer to a right key, newest first. Pictures are never kept.',
    filters: 'Filters',
    from: 'From',
    to: 'To (exclusive)',
    app: 'App',
    allApps: 'All apps',
    key: 'Key',
    keyHint: 'key_…',
    dialect: 'API',
    anyDialect: 'All APIs',
    outcome: 'Outcome',
    outcomeHint: 'live, attack, no_face …',
    tag: 'Tag',
    image: 'SHA-256 of the image',
    apply: 'Apply',
    clear: 'Clear',
    badTime: 'To must be after From.',
    time: 'Time',
    scores: 'P(live)',
    duration: 'Duration',
    id: 'Id',
    none: 'No transaction fits.',
    noneHere: 'None on this page; older ones may fit.',
    older: 'Older',
    newest: 'Newest',
    pages: 'Pages',
    csv: 'CSV',
    ndjson: 'NDJSON',
    exportAs: 'Export',
    back: 'All transactions',
    heading: 'Transaction',
  },
  ko: {
    title: '거래 내역',
    lead: '유효한 키로 받은 모든 응답을 최신순으로 표시합니다. 사진은 저장되지 않습니다.',
    filters: '검색 조건',
    from: '시작',
    to: '종료 (미포함)',
    app: '앱',
    allApps: '전체 앱',
    key: '키',
    keyHint: 'key_…',
    dialect: 'API',
    anyDialect: '전체 API',
    outcome: '결과',
    outcomeHint: 'live, attack, no_face …',
    tag: '태그',
    image: '이미지 SHA-256',
    apply: '검색',
    clear: '초기화',
    badTime: '종료 시각은 시작 시각 이후여야 합니다.',
    time: '시각',
    scores: 'P(live)',
    duration: '소요 시간',
    id: 'ID',
    none: '조건에 맞는 거래가 없습니다.',
    noneHere: '이 페이지에는 없습니다. 더 오래된 거래 중에 있을 수 있습니다.',
    older: '이전 거래',
    newest: '최신 거래',
    pages: '페이지',
    csv: 'CSV',
    ndjson: 'NDJSON',
    exportAs: '내보내기',
    back: '전체 거래',
    heading: '거래',
  },
};

const dialects = { nhn: 'NHN', argos: 'ARGOS', native: 'Native' } as const;
const filters = ['app', 'key', 'dialect', 'outcome', 'tag', 'imageSha256', 'from', 'to'] as const;
/** Those that are asked for most; any other code can be typed. */
const outcomes = [
  'live',
  'attack',
  'no_face',
  'face_too_small',
  'too_many_faces',
  'undecodable',
  'quota_exceeded',
];
const pageSize = '50';

class TransactionsPage extends OperatePage {
  static override properties = { fault: { state: true }, isFiltering: { state: true } };
  static override styles = [
    ...OperatePage.styles,
    css`
      form {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: 1rem;
        padding: 1.25rem;
      }
      form .row {
        grid-column: 1 / -1;
      }
      summary {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-height: 3.25rem;
        padding: 0.5rem 1.25rem;
        font-weight: 600;
        cursor: pointer;
        list-style: none;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      summary svg.icon:last-child {
        margin-left: auto;
        transition: transform 0.15s;
      }
      details[open] summary svg.icon:last-child {
        transform: rotate(180deg);
      }
      details[open] summary {
        border-bottom: 1px solid var(--line);
      }
      td.time {
        white-space: nowrap;
      }
      .foot {
        justify-content: space-between;
        padding: 0.75rem 1.25rem;
        border-top: 1px solid var(--line);
      }
      .tag {
        max-width: 12rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      @media (max-width: 60rem) {
        form {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
      }
      @media (max-width: 30rem) {
        form {
          grid-template-columns: minmax(0, 1fr);
          padding: 1rem;
        }
      }
    `,
  ];

  protected readonly path = '/transactions';
  declare fault: string;
  /** Whether the filters are shown: by who opened them, or by an address that has some. */
  declare isFiltering: boolean;
  readonly #texts = new Texts(this, texts);
  readonly #list = new Load<Found>(this);
  readonly #one = new Load<Transaction & { readonly appName: string | undefined }>(this);

  constructor() {
    super();
    this.fault = '';
    this.isFiltering = false;
  }

  get #id(): string | undefined {
    return this.address.now.path.split('/')[2];
  }

  /** What of the address is a filter. */
  get #filter(): Record<string, string | undefined> {
    const { query } = this.address.now;
    return Object.fromEntries(filters.map((name) => [name, query.get(name) ?? undefined]));
  }

  protected ask(): void {
    const id = this.#id;
    if (id !== undefined) {
      this.#one.clear();
      void this.#one.run(async (signal) => {
        const [one, apps] = await Promise.all([
          askAdmin<Transaction>(`/transactions/${encodeURIComponent(id)}`, { signal }),
          listApps(signal),
        ]);
        return { ...one, appName: apps.find((app) => app.id === one.app)?.name };
      });
      return;
    }
    if (Object.values(this.#filter).some((value) => value !== undefined)) this.isFiltering = true;
    const cursor = this.address.now.query.get('cursor') ?? undefined;
    const path = pathOf('/transactions', { ...this.#filter, cursor, limit: pageSize });
    void this.#list.run(async (signal) => {
      const [apps, { transactions, next }] = await Promise.all([
        listApps(signal),
        askAdmin<Static<typeof Transactions>>(path, { signal }),
      ]);
      return { apps, transactions, next };
    });
  }

  protected content() {
    const { title, lead, back, heading } = this.#texts.now;
    const id = this.#id;
    if (id === undefined) {
      return html`
        ${this.head(title, lead)}
        <div class="stack">${this.#form()} ${this.loaded(this.#list, (found) => this.#table(found))}</div>
      `;
    }
    const { cursor, ...rest } = Object.fromEntries(this.address.now.query);
    return html`
      ${this.head(`${heading} ${id}`, nothing, { href: hrefOf('/transactions', { ...rest, cursor }), name: back })}
      ${this.loaded(
        this.#one,
        (one) => html`<bonafide-transaction .transaction=${one} .app=${one.appName}></bonafide-transaction>`,
      )}
    `;
  }

  #form() {
    const text = this.#texts.now;
    const filter = this.#filter;
    const input = (
      name: (typeof filters)[number],
      label: string,
      more: { hint?: string; pattern?: string; list?: string } = {},
    ) =>
      html`<label class="field"
        >${label}<input
          name=${name}
          autocomplete="off"
          spellcheck="false"
          placeholder=${ifDefined(more.hint)}
          pattern=${ifDefined(more.pattern)}
          list=${ifDefined(more.list)}
          .value=${filter[name] ?? ''}
      /></label>`;
    const time = (name: 'from' | 'to', label: string) =>
      html`<label class="field"
        >${label}<input type="datetime-local" step="1" name=${name} .value=${localTime(filter[name])}
      /></label>`;
    return html`<details
      class="card"
      ?open=${this.isFiltering}
      @toggle=${({ target }: Event) => {
        this.isFiltering = (target as HTMLDetailsElement).open;
      }}
    >
      <summary>${icon('search')} ${text.filters} ${icon('chevron-down')}</summary>
      <form @submit=${this.#filterBy}>
        ${time('from', text.from)} ${time('to', text.to)}
        <label class="field"
          >${text.app}<select name="app">
            <option value="">${text.allApps}</option>
            ${this.#list.value?.apps.map(
              ({ id, name }) => html`<option value=${id} ?selected=${id === filter.app}>${name}</option>`,
            )}
          </select></label
        >
        <label class="field"
          >${text.dialect}<select name="dialect">
            <option value="">${text.anyDialect}</option>
            ${Object.entries(dialects).map(
              ([id, name]) => html`<option value=${id} ?selected=${id === filter.dialect}>${name}</option>`,
            )}
          </select></label
        >
        ${input('outcome', text.outcome, { hint: text.outcomeHint, list: 'outcomes' })}
        <datalist id="outcomes">${outcomes.map((one) => html`<option value=${one}></option>`)}</datalist>
        ${input('tag', text.tag)} ${input('key', text.key, { hint: text.keyHint })}
        ${input('imageSha256', text.image, { pattern: '[0-9a-f]{64}' })}
        <div class="row">
          <button class="primary">${text.apply}</button>
          <a class="button quiet" href="#/transactions" @click=${this.#clear}>${text.clear}</a>
          <span class="fault" role="alert">${this.fault}</span>
        </div>
      </form>
    </details>`;
  }

  /** What was entered and not applied goes too. */
  #clear({ target }: Event): void {
    this.fault = '';
    (target as Element).closest('form')?.reset();
  }

  #filterBy(event: SubmitEvent): void {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const given = Object.fromEntries([...data].map(([name, value]) => [name, String(value).trim()]));
    const iso = (text: string | undefined) => (text ? new Date(text).toISOString() : undefined);
    const [from, to] = [iso(given.from), iso(given.to)];
    this.fault = from !== undefined && to !== undefined && from >= to ? this.#texts.now.badTime : '';
    if (this.fault === '') location.hash = hrefOf('/transactions', { ...given, from, to });
  }

  #table({ transactions, next, apps }: Found) {
    const text = this.#texts.now;
    const isFirst = !this.address.now.query.has('cursor');
    const exportOf = (format: 'csv' | 'ndjson') =>
      `/admin/v1${pathOf('/transactions/export', { ...this.#filter, format })}`;
    const appName = (id: string) => apps.find((app) => app.id === id)?.name ?? id;
    return html`<section class="card">
      <div class="card-head">
        <h2>${text.title}</h2>
        <span class="row">
          <span class="small faint">${text.exportAs}</span>
          ${(['csv', 'ndjson'] as const).map(
            (format) =>
              html`<a class="button compact" href=${exportOf(format)} download
                >${icon('download')} ${text[format]}</a
              >`,
          )}
        </span>
      </div>
      ${
        transactions.length === 0
          ? html`<div class="empty">${next === undefined ? text.none : text.noneHere}</div>`
          : html`<div class="table-scroll" tabindex="0" role="group" aria-label=${text.title}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">${text.time}</th>
                    <th scope="col">${text.outcome}</th>
                    <th scope="col" class="number">${text.scores}</th>
                    <th scope="col">${text.app}</th>
                    <th scope="col">${text.dialect}</th>
                    <th scope="col">${text.tag}</th>
                    <th scope="col" class="number">${text.duration}</th>
                    <th scope="col">${text.id}</th>
                  </tr>
                </thead>
                <tbody>
                  ${transactions.map((one) => this.#row(one, appName(one.app)))}
                </tbody>
              </table>
            </div>`
      }
      ${
        isFirst && next === undefined
          ? nothing
          : html`<nav class="row foot" aria-label=${text.pages}>
              ${
                isFirst
                  ? html`<span></span>`
                  : html`<a class="button compact" href=${hrefOf('/transactions', this.#filter)}>${text.newest}</a>`
              }
              ${
                next === undefined
                  ? nothing
                  : html`<a
                      class="button compact"
                      href=${hrefOf('/transactions', { ...this.#filter, cursor: next })}
                      >${text.older} ${icon('chevron-right')}</a
                    >`
              }
            </nav>`
      }
    </section>`;
  }

  #row({ id, time, outcome, pLive, dialect, tag, totalMs }: Transaction, app: string) {
    const href = hrefOf(`/transactions/${id}`, Object.fromEntries(this.address.now.query));
    const [largest, ...others] = pLive ?? [];
    return html`<tr>
      <td class="time">
        <a href=${href}><time datetime=${time}>${exactTime(time)}</time></a>
      </td>
      <td><span class="badge ${badgeOf[classOf(outcome)]}">${outcome}</span></td>
      <td class="number">
        ${largest === undefined ? '–' : largest.toFixed(3)}
        ${others.length === 0 ? nothing : html`<span class="faint">+${others.length}</span>`}
      </td>
      <td>${app}</td>
      <td>${dialect in dialects ? dialects[dialect as keyof typeof dialects] : dialect}</td>
      <td><div class="tag" title=${ifDefined(tag ?? undefined)}>${tag ?? '–'}</div></td>
      <td class="number">${milliseconds(totalMs)}</td>
      <td><code>${id}</code></td>
    </tr>`;
  }
}

/** What a `datetime-local` shows of an instant: in the time of the browser. */
function localTime(iso: string | undefined): string {
  const time = new Date(iso ?? Number.NaN);
  if (Number.isNaN(time.getTime())) return '';
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

customElements.define('bonafide-transactions', TransactionsPage);
