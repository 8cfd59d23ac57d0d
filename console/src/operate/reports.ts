/** `<bonafide-reports>`: the evaluation reports, and one of them to look at. */

import { css, html, nothing } from 'lit';
import type { Static } from 'typebox';
import type { ReportsBody } from '../../../src/server/admin/wire.ts';
import { hrefOf } from '../address.ts';
import { askAdmin } from '../api.ts';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { count, percent, time } from './format.ts';
import { Load } from './load.ts';
import { OperatePage } from './page.ts';

type Report = Static<typeof ReportsBody>['reports'][number];

const texts = {
  en: {
    title: 'Evaluation reports',
    lead: 'How well profiles tell people from attacks, by ISO/IEC 30107-3.',
    shipped: 'Comes with bonafide',
    own: 'Your own',
    pictures: (n: string) => `${n} pictures`,
    eer: 'Equal error rate',
    between: (low: string, high: string) => `probably ${low} to ${high}`,
    written: 'Written',
    look: 'Open the report',
    tab: 'Open in a tab',
    all: 'All reports',
    none: 'There is no such report.',
    howTitle: 'Measure it on your own cameras',
    how: 'A report in the folder evaluations of the data folder is listed here:',
  },
  ko: {
    title: '평가 보고서',
    lead: '프로필이 실제 사람과 위변조 공격을 얼마나 잘 구별하는지 ISO/IEC 30107-3에 따라 측정한 결과입니다.',
    shipped: 'bonafide 기본 제공',
    own: '직접 측정',
    pictures: (n: string) => `사진 ${n}장`,
    eer: '동일 오류율 (EER)',
    between: (low: string, high: string) => `${low} ~ ${high} 범위로 추정`,
    written: '작성',
    look: '보고서 열기',
    tab: '새 탭에서 열기',
    all: '전체 보고서',
    none: '해당 보고서가 없습니다.',
    howTitle: '직접 사용하는 카메라로 측정해 보세요',
    how: '데이터 폴더의 evaluations 폴더에 있는 보고서가 여기에 표시됩니다.',
  },
};

const pageOf = ({ origin, name }: Pick<Report, 'origin' | 'name'>) =>
  `/admin/v1/reports/${origin}/${name}/page`;

class ReportsPage extends OperatePage {
  static override styles = [
    ...OperatePage.styles,
    css`
      .reports {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr));
        gap: 1.25rem;
      }
      .report {
        display: grid;
        gap: 0.75rem;
        align-content: start;
        padding: 1.25rem;
      }
      .report .row > :first-child {
        margin-right: auto;
      }
      .figure {
        font-size: 1.75rem;
        font-weight: 640;
        letter-spacing: -0.02em;
        line-height: 1.2;
      }
      .report .button {
        justify-self: start;
      }
      pre {
        margin: 0.5rem 0 0;
        padding: 0.75rem 1rem;
        overflow-x: auto;
        border-radius: var(--radius-small);
        background: var(--sunken);
      }
      iframe {
        display: block;
        width: 100%;
        height: calc(100dvh - 12rem);
        min-height: 30rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      .above {
        justify-content: flex-end;
        margin-bottom: 0.75rem;
      }
    `,
  ];

  protected readonly path = '/reports';
  readonly #texts = new Texts(this, texts);
  readonly #reports = new Load<readonly Report[]>(this);

  protected ask(): void {
    void this.#reports.run(
      async (signal) => (await askAdmin<Static<typeof ReportsBody>>('/reports', { signal })).reports,
    );
  }

  protected content() {
    const { title, lead, all } = this.#texts.now;
    const [, , origin, name] = this.address.now.path.split('/');
    if (origin === undefined || name === undefined) {
      return html`${this.head(title, lead)} ${this.loaded(this.#reports, (reports) => this.#list(reports))}`;
    }
    return html`
      ${this.head(name, nothing, { href: '#/reports', name: all })}
      ${this.loaded(this.#reports, (reports) =>
        this.#look(reports.find((one) => one.origin === origin && one.name === name)),
      )}
    `;
  }

  #list(reports: readonly Report[]) {
    const { howTitle, how } = this.#texts.now;
    return html`<div class="stack">
      <div class="reports">${reports.map((report) => this.#entry(report))}</div>
      <section class="card card-body">
        <h2>${howTitle}</h2>
        <p class="faint">${how}</p>
        <pre tabindex="0"><code>node bin/bonafide.js evaluate manifest.csv --out data/evaluations/front-door</code></pre>
      </section>
    </div>`;
  }

  #entry(report: Report) {
    const text = this.#texts.now;
    const { origin, name, profile, pictures, sentence, eer, writtenAt } = report;
    return html`<section class="card report" data-report=${`${origin}/${name}`}>
      <div class="row">
        <h2>${name}</h2>
        <span class="badge ${origin === 'own' ? 'accent' : ''}">${text[origin]}</span>
      </div>
      ${
        eer === null
          ? nothing
          : html`<div>
              <div class="figure number">${percent(eer.value)}</div>
              <div class="small faint">
                ${text.eer}${
                  eer.low === null || eer.high === null
                    ? nothing
                    : html`, ${text.between(percent(eer.low), percent(eer.high))}`
                }
              </div>
            </div>`
      }
      <p>${sentence}</p>
      <p class="small faint">
        ${profile} · ${text.pictures(count(pictures))}
        ${writtenAt === null ? nothing : html` · ${text.written} ${time(writtenAt)}`}
      </p>
      <a class="button" href=${hrefOf(`/reports/${origin}/${name}`)}
        >${text.look}<span class="unseen">: ${name}</span></a
      >
    </section>`;
  }

  #look(report: Report | undefined) {
    const { none, tab } = this.#texts.now;
    if (report === undefined) return html`<div class="card empty">${none}</div>`;
    return html`
      <div class="row above">
        <a class="button compact" href=${pageOf(report)} target="_blank" rel="noopener">${tab} ${icon('external')}</a>
      </div>
      <iframe src=${pageOf(report)} title=${report.sentence}></iframe>
    `;
  }
}

customElements.define('bonafide-reports', ReportsPage);
