/** `<bonafide-usage>`: how often what happened, by day and outcome. */

import { css, html, nothing, svg } from 'lit';
import { hrefOf } from '../address.ts';
import { Texts } from '../language.ts';
import { type App, listApps, listUsage, type UsageCount } from './catalog.ts';
import { count, percent, day as shownDay } from './format.ts';
import { Load } from './load.ts';
import { badgeOf, classNames, classOf, type OutcomeClass, outcomeClasses } from './outcomes.ts';
import { OperatePage } from './page.ts';

interface Day {
  /** In UTC. */
  readonly day: string;
  readonly counts: Readonly<Record<OutcomeClass, number>>;
  readonly total: number;
}

interface Found {
  readonly apps: readonly App[];
  /** Every day asked for, also those on which nothing happened. */
  readonly days: readonly Day[];
  readonly outcomes: readonly { readonly outcome: string; readonly count: number }[];
  readonly byApp: readonly { readonly app: string; readonly count: number }[];
  readonly totals: Day;
}

const texts = {
  en: {
    title: 'Usage',
    lead: 'Requests with a right key, by day in UTC.',
    span: 'Time',
    spans: { 7: '7 days', 30: '30 days', 90: '90 days' },
    app: 'App',
    allApps: 'All apps',
    requests: 'Requests',
    chart: 'Requests by day',
    chartSays: (total: string, from: string, to: string) =>
      `${total} requests from ${from} to ${to}, by outcome`,
    day: 'Day',
    total: 'All',
    days: 'By day',
    outcomes: 'By outcome',
    outcome: 'Outcome',
    share: 'Share',
    apps: 'By app',
    gone: 'deleted',
    none: 'No requests in this time.',
  },
  ko: {
    title: '사용량',
    lead: '유효한 키로 들어온 요청을 UTC 날짜별로 집계합니다.',
    span: '기간',
    spans: { 7: '7일', 30: '30일', 90: '90일' },
    app: '앱',
    allApps: '전체 앱',
    requests: '전체 요청',
    chart: '일별 요청 수',
    chartSays: (total: string, from: string, to: string) => `${from}부터 ${to}까지 결과별 요청 ${total}건`,
    day: '날짜',
    total: '합계',
    days: '날짜별',
    outcomes: '결과별',
    outcome: '결과',
    share: '비율',
    apps: '앱별',
    gone: '삭제됨',
    none: '이 기간에 요청이 없습니다.',
  },
};

const spans = [7, 30, 90] as const;
type Span = (typeof spans)[number];

const dayMs = 86_400_000;
const utcDay = (time: number) => new Date(time).toISOString().slice(0, 10);

class UsagePage extends OperatePage {
  static override styles = [
    ...OperatePage.styles,
    css`
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
        margin-bottom: 1.25rem;
      }
      .controls select {
        width: auto;
        min-width: 10rem;
        max-width: 100%;
      }
      .totals {
        display: grid;
        grid-template-columns: repeat(5, minmax(0, 1fr));
      }
      .totals > div {
        padding: 1rem 1.25rem;
        border-left: 1px solid var(--line);
      }
      .totals > div:first-child {
        border-left: 0;
      }
      .totals dt {
        display: flex;
        align-items: center;
        gap: 0.4rem;
        color: var(--faint);
        font-size: var(--text-small);
      }
      .totals dd {
        font-size: 1.5rem;
        font-weight: 640;
        letter-spacing: -0.02em;
      }
      .totals dd small {
        color: var(--faint);
        font-weight: 400;
        font-size: var(--text-small);
        letter-spacing: 0;
      }
      .dot {
        flex: none;
        width: 0.625rem;
        height: 0.625rem;
        border-radius: 3px;
      }
      .dot.live,
      rect.live {
        background: var(--live);
        fill: var(--live);
      }
      .dot.attack,
      rect.attack {
        background: var(--attack);
        fill: var(--attack);
      }
      .dot.none,
      rect.none {
        background: var(--unsure);
        fill: var(--unsure);
      }
      .dot.failed,
      rect.failed {
        background: var(--line-strong);
        fill: var(--line-strong);
      }
      .chart {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.375rem 0.75rem;
        padding: 1.25rem;
        color: var(--faint);
        font-size: var(--text-small);
        font-variant-numeric: tabular-nums;
      }
      .chart .scale {
        display: flex;
        flex-direction: column;
        justify-content: space-between;
        align-items: end;
        margin: -0.625rem 0;
      }
      .chart svg {
        display: block;
        width: 100%;
        height: 14rem;
        overflow: visible;
      }
      .chart line {
        stroke: var(--line);
        stroke-width: 1px;
        vector-effect: non-scaling-stroke;
      }
      .chart .dates {
        display: flex;
        justify-content: space-between;
        grid-column: 2;
      }
      g.day rect.all {
        fill: transparent;
      }
      g.day:hover rect.all {
        fill: var(--hover);
      }
      .tables {
        display: grid;
        grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr);
        align-items: start;
        gap: 1.25rem;
      }
      .tall {
        max-height: 30rem;
        overflow: auto;
      }
      .tall thead th {
        position: sticky;
        top: 0;
        background: var(--surface);
        box-shadow: 0 1px 0 var(--line);
      }
      @media (max-width: 60rem) {
        .tables {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 48rem) {
        .totals {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        .totals > div {
          padding: 0.75rem 1rem;
          border-left: 0;
          border-bottom: 1px solid var(--line);
        }
        .totals > div:first-child {
          grid-column: 1 / -1;
        }
        .totals > div:nth-last-child(-n + 2) {
          border-bottom: 0;
        }
        .chart {
          padding: 1.25rem 1rem;
        }
      }
    `,
  ];

  protected readonly path = '/usage';
  readonly #texts = new Texts(this, texts);
  readonly #names = new Texts(this, classNames);
  readonly #usage = new Load<Found>(this);

  get #span(): Span {
    const asked = Number(this.address.now.query.get('days'));
    return spans.find((span) => span === asked) ?? 30;
  }

  protected ask(): void {
    const app = this.address.now.query.get('app') ?? undefined;
    const span = this.#span;
    void this.#usage.run(async (signal) => {
      const now = Date.now();
      const time = { app, from: utcDay(now - (span - 1) * dayMs), to: utcDay(now) };
      const [apps, byOutcome, byApp] = await Promise.all([
        listApps(signal),
        listUsage({ ...time, by: 'day,outcome' }, signal),
        listUsage({ ...time, by: 'app' }, signal),
      ]);
      return { apps, ...summarise(byOutcome, span, now), byApp: byApp.map(appCount) };
    });
  }

  protected content() {
    const { title, lead } = this.#texts.now;
    return html`
      ${this.head(title, lead)} ${this.#controls()}
      ${this.loaded(this.#usage, (found) => this.#found(found))}
    `;
  }

  #controls() {
    const { span, spans: names, app, allApps } = this.#texts.now;
    const { query } = this.address.now;
    const chosen = query.get('app') ?? '';
    const go = (days: string, named: string) => {
      location.hash = hrefOf('/usage', { days, app: named });
    };
    return html`<div class="controls">
      <fieldset class="segments">
        <legend class="unseen">${span}</legend>
        ${spans.map(
          (days) =>
            html`<label
              ><input
                type="radio"
                name="days"
                .checked=${days === this.#span}
                @change=${() => go(String(days), chosen)}
              />${names[days]}</label
            >`,
        )}
      </fieldset>
      <select
        aria-label=${app}
        @change=${(event: Event) => go(String(this.#span), (event.target as HTMLSelectElement).value)}
      >
        <option value="">${allApps}</option>
        ${this.#usage.value?.apps.map(
          ({ id, name }) => html`<option value=${id} ?selected=${id === chosen}>${name}</option>`,
        )}
      </select>
    </div>`;
  }

  #found({ days, outcomes, byApp, apps, totals }: Found) {
    const text = this.#texts.now;
    const names = this.#names.now;
    const share = (part: number) =>
      totals.total === 0 ? nothing : html`<small>${percent(part / totals.total)}</small>`;
    return html`<div class="stack">
      <dl class="card totals">
        <div>
          <dt>${text.requests}</dt>
          <dd class="number" data-total>${count(totals.total)}</dd>
        </div>
        ${outcomeClasses.map(
          (name) =>
            html`<div>
              <dt><i class="dot ${name}"></i>${names[name]}</dt>
              <dd class="number">${count(totals.counts[name])} ${share(totals.counts[name])}</dd>
            </div>`,
        )}
      </dl>
      <section class="card" aria-labelledby="chart">
        <div class="card-head"><h2 id="chart">${text.chart}</h2></div>
        ${totals.total === 0 ? html`<div class="empty">${text.none}</div>` : this.#chart(days, totals)}
      </section>
      ${
        totals.total === 0
          ? nothing
          : html`<div class="tables">
              ${this.#dayTable(days)}
              <div class="stack">${this.#outcomeTable(outcomes, totals.total)} ${this.#appTable(byApp, apps)}</div>
            </div>`
      }
    </div>`;
  }

  /** A bar for each day, of a part for each class; the table beside it has the same numbers. */
  #chart(days: readonly Day[], { total }: Day) {
    const top = roundUp(Math.max(...days.map((one) => one.total)));
    const names = this.#names.now;
    const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
    const middle = days[Math.floor((days.length - 1) / 2)]?.day ?? '';
    const says = this.#texts.now.chartSays(count(total), shownDay(first), shownDay(last));
    return html`<div class="chart">
      <div class="scale" aria-hidden="true"><span>${count(top)}</span><span>${count(top / 2)}</span><span>0</span></div>
      <svg viewBox="0 0 ${days.length} 100" preserveAspectRatio="none" role="img" aria-label=${says}>
        ${[0, 50, 100].map((y) => svg`<line x1="0" x2=${days.length} y1=${y} y2=${y}></line>`)}
        ${days.map((one, i) => {
          let from = 100;
          const bars = outcomeClasses.map((name) => {
            const height = (100 * one.counts[name]) / top;
            from -= height;
            return height === 0
              ? nothing
              : svg`<rect class=${name} x=${i + 0.14} width="0.72" y=${from} height=${height}></rect>`;
          });
          const parts = outcomeClasses.map((name) => `${names[name]} ${count(one.counts[name])}`);
          return svg`<g class="day">
            <rect class="all" x=${i} width="1" y="0" height="100"></rect>
            ${bars}
            <title>${shownDay(one.day)}: ${parts.join(', ')}</title>
          </g>`;
        })}
      </svg>
      <div class="dates" aria-hidden="true">
        <span>${shownDay(first)}</span><span>${shownDay(middle)}</span><span>${shownDay(last)}</span>
      </div>
    </div>`;
  }

  #dayTable(days: readonly Day[]) {
    const { days: heading, day, total } = this.#texts.now;
    const names = this.#names.now;
    return html`<section class="card" aria-labelledby="days">
      <div class="card-head"><h2 id="days">${heading}</h2></div>
      <div class="table-scroll tall" tabindex="0" role="group" aria-labelledby="days">
        <table>
          <thead>
            <tr>
              <th scope="col">${day}</th>
              ${outcomeClasses.map((name) => html`<th scope="col" class="number">${names[name]}</th>`)}
              <th scope="col" class="number">${total}</th>
            </tr>
          </thead>
          <tbody>
            ${days.toReversed().map(
              (one) =>
                html`<tr>
                  <th scope="row"><time datetime=${one.day}>${shownDay(one.day)}</time></th>
                  ${outcomeClasses.map((name) => html`<td class="number">${count(one.counts[name])}</td>`)}
                  <td class="number"><strong>${count(one.total)}</strong></td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  #outcomeTable(outcomes: Found['outcomes'], total: number) {
    const { outcomes: heading, outcome: column, requests, share } = this.#texts.now;
    const app = this.address.now.query.get('app') ?? undefined;
    return html`<section class="card" aria-labelledby="outcomes">
      <div class="card-head"><h2 id="outcomes">${heading}</h2></div>
      <div class="table-scroll" tabindex="0" role="group" aria-labelledby="outcomes">
        <table>
          <thead>
            <tr>
              <th scope="col">${column}</th>
              <th scope="col" class="number">${requests}</th>
              <th scope="col" class="number">${share}</th>
            </tr>
          </thead>
          <tbody>
            ${outcomes.map(
              ({ outcome, count: n }) =>
                html`<tr>
                  <td>
                    <a href=${hrefOf('/transactions', { outcome, app })}
                      ><span class="badge ${badgeOf[classOf(outcome)]}">${outcome}</span></a
                    >
                  </td>
                  <td class="number">${count(n)}</td>
                  <td class="number">${percent(n / total)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  #appTable(byApp: Found['byApp'], apps: readonly App[]) {
    const { apps: heading, app: column, requests, gone } = this.#texts.now;
    return html`<section class="card" aria-labelledby="apps">
      <div class="card-head"><h2 id="apps">${heading}</h2></div>
      <div class="table-scroll" tabindex="0" role="group" aria-labelledby="apps">
        <table>
          <thead>
            <tr>
              <th scope="col">${column}</th>
              <th scope="col" class="number">${requests}</th>
            </tr>
          </thead>
          <tbody>
            ${byApp.map(({ app: id, count: n }) => {
              const app = apps.find((one) => one.id === id);
              return html`<tr>
                <td>
                  ${app === undefined ? html`<code>${id}</code> (${gone})` : html`<a href=${hrefOf(`/apps/${id}`)}>${app.name}</a>`}
                </td>
                <td class="number">${count(n)}</td>
              </tr>`;
            })}
          </tbody>
        </table>
      </div>
    </section>`;
  }
}

function appCount({ app = '', count: n }: UsageCount) {
  return { app, count: n };
}

/** Adds up, also for days on which nothing happened. */
function summarise(
  counts: readonly UsageCount[],
  span: number,
  now: number,
): Pick<Found, 'days' | 'outcomes' | 'totals'> {
  const none = () => ({ live: 0, attack: 0, none: 0, failed: 0 });
  const byDay = new Map(
    Array.from({ length: span }, (_, i) => [utcDay(now - (span - 1 - i) * dayMs), none()] as const),
  );
  const byOutcome = new Map<string, number>();
  const totals = none();
  for (const { day = '', outcome = '', count: n } of counts) {
    const name = classOf(outcome);
    const one = byDay.get(day);
    // A day that began while the pages were asked for.
    if (one === undefined) continue;
    one[name] += n;
    totals[name] += n;
    byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + n);
  }
  const sum = (parts: Record<OutcomeClass, number>) => Object.values(parts).reduce((all, n) => all + n, 0);
  return {
    days: [...byDay].map(([day, parts]) => ({ day, counts: parts, total: sum(parts) })),
    outcomes: [...byOutcome].map(([outcome, n]) => ({ outcome, count: n })).sort((a, b) => b.count - a.count),
    totals: { day: '', counts: totals, total: sum(totals) },
  };
}

/** The next of 2, 4, 6, 10, 20, 40 ... from there on, so that the half of it is a whole number. */
function roundUp(value: number): number {
  for (let ten = 1; ; ten *= 10) {
    const found = [2, 4, 6, 10].find((step) => step * ten >= value);
    if (found !== undefined) return found * ten;
  }
}

customElements.define('bonafide-usage', UsagePage);
