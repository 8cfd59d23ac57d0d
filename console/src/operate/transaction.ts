/** `<bonafide-transaction>`: all that the log has of one answer. */

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Static } from 'typebox';
import type { TransactionBody } from '../../../src/server/admin/wire.ts';
import { hrefOf } from '../address.ts';
import { Texts } from '../language.ts';
import { bytes, exactTime, milliseconds } from './format.ts';
import { badgeOf, classOf } from './outcomes.ts';
import { operate } from './styles.ts';

const texts = {
  en: {
    answer: 'Answer',
    outcome: 'Outcome',
    status: 'HTTP status',
    time: 'Time',
    mode: 'Operating point',
    total: 'Duration',
    who: 'Who asked',
    app: 'App',
    key: 'Key',
    dialect: 'API',
    client: 'Client',
    tag: 'Tag',
    faces: 'Faces',
    face: 'Face',
    noFaces: 'No face was assessed.',
    image: 'Image',
    kept: 'The image itself was not kept.',
    format: 'Format',
    size: 'Size',
    pixels: 'Pixels',
    seen: 'Seen before in',
    made: 'Made with',
    profile: 'Profile',
    calibration: 'Calibration',
    stages: 'Time per stage',
    verdicts: { live: 'live', attack: 'attack' } as Record<string, string>,
  },
  ko: {
    answer: '응답',
    outcome: '결과',
    status: 'HTTP 상태',
    time: '시각',
    mode: '판정 기준',
    total: '소요 시간',
    who: '요청자',
    app: '앱',
    key: '키',
    dialect: 'API',
    client: '클라이언트',
    tag: '태그',
    faces: '얼굴',
    face: '얼굴',
    noFaces: '분석한 얼굴이 없습니다.',
    image: '이미지',
    kept: '이미지 자체는 저장되지 않았습니다.',
    format: '형식',
    size: '크기',
    pixels: '픽셀',
    seen: '같은 이미지의 이전 거래',
    made: '사용한 모델',
    profile: '프로필',
    calibration: '보정',
    stages: '단계별 소요 시간',
    verdicts: { live: '실제 사람', attack: '위변조 공격' } as Record<string, string>,
  },
};

const points = ['weak', 'balanced', 'strict'] as const;

class TransactionView extends LitElement {
  static override properties = { transaction: { attribute: false }, app: { attribute: false } };
  static override styles = [
    ...operate,
    css`
      .columns {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 1.25rem;
        align-items: start;
      }
      dl.facts {
        padding: 0.5rem 1.25rem 0.75rem;
      }
      .note {
        padding: 0 1.25rem 1rem;
      }
      @media (max-width: 52rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  declare transaction: Static<typeof TransactionBody>;
  /** Name of its app, where that is still there. */
  declare app: string | undefined;
  readonly #texts = new Texts(this, texts);

  protected override render() {
    const text = this.#texts.now;
    const one = this.transaction;
    return html`<div class="columns">
      <div class="stack">
        ${this.#card(text.answer, [
          [text.outcome, html`<span class="badge ${badgeOf[classOf(one.outcome)]}">${one.outcome}</span>`],
          [text.status, one.status],
          [text.time, html`<time datetime=${one.time}>${exactTime(one.time)}</time>`],
          [text.mode, one.mode],
          [text.total, milliseconds(one.totalMs)],
        ])}
        ${this.#faces()}
        ${this.#card(
          text.image,
          [
            [text.format, one.imageFormat],
            [text.size, one.imageBytes === null ? null : bytes(one.imageBytes)],
            [text.pixels, one.width === null ? null : `${one.width} × ${one.height}`],
            ['SHA-256', one.imageSha256 && this.#hash(one.imageSha256, { imageSha256: one.imageSha256 })],
            [
              text.seen,
              one.seenBefore &&
                html`<a href=${hrefOf(`/transactions/${one.seenBefore}`)}><code>${one.seenBefore}</code></a>`,
            ],
          ],
          text.kept,
        )}
      </div>
      <div class="stack">
        ${this.#card(text.who, [
          [text.app, html`<a href=${hrefOf(`/apps/${one.app}`)}>${this.app ?? one.app}</a>`],
          [text.key, this.#hash(one.key, { key: one.key })],
          [text.dialect, one.dialect],
          [text.client, one.client],
          [text.tag, one.tag && html`<a href=${hrefOf('/transactions', { tag: one.tag })}>${one.tag}</a>`],
        ])}
        ${
          one.timings === null
            ? nothing
            : this.#card(
                text.stages,
                Object.entries(one.timings).map(([stage, ms]) => [stage, milliseconds(ms)]),
              )
        }
        ${
          one.models === null
            ? nothing
            : this.#card(text.made, [
                [text.profile, one.profile],
                ...one.models.map(({ id, sha256 }): Fact => [id, html`<code class="whole">${sha256}</code>`]),
                [
                  text.calibration,
                  one.calibrationSha256 && html`<code class="whole">${one.calibrationSha256}</code>`,
                ],
              ])
        }
      </div>
    </div>`;
  }

  #hash(value: string, filter: Record<string, string>) {
    return html`<a href=${hrefOf('/transactions', filter)}><code class="whole">${value}</code></a>`;
  }

  /** What is not there is left out. */
  #card(heading: string, facts: readonly Fact[], note?: string) {
    const shown = facts.filter(([, value]) => value !== null && value !== '');
    return html`<section class="card">
      <div class="card-head"><h2>${heading}</h2></div>
      ${
        shown.length === 0
          ? nothing
          : html`<dl class="facts">${shown.map(([name, value]) => html`<dt>${name}</dt><dd class="number">${value}</dd>`)}</dl>`
      }
      ${note === undefined ? nothing : html`<p class="note small faint">${note}</p>`}
    </section>`;
  }

  #faces() {
    const { faces, face, noFaces, verdicts: words } = this.#texts.now;
    const { pLive, verdicts } = this.transaction;
    return html`<section class="card">
      <div class="card-head"><h2 id="faces">${faces}</h2></div>
      ${
        pLive === null || pLive.length === 0
          ? html`<div class="card-body faint">${noFaces}</div>`
          : html`<div class="table-scroll" tabindex="0" role="group" aria-labelledby="faces">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${face}</th>
                    <th scope="col" class="number">P(live)</th>
                    ${points.map((point) => html`<th scope="col">${point}</th>`)}
                  </tr>
                </thead>
                <tbody>
                  ${pLive.map(
                    (p, i) =>
                      html`<tr>
                        <th scope="row">${i + 1}</th>
                        <td class="number">${p.toFixed(4)}</td>
                        ${points.map((point) => {
                          const verdict = verdicts?.[i]?.[point];
                          return html`<td>
                            ${
                              verdict === undefined
                                ? '–'
                                : html`<span class="badge ${verdict === 'live' ? 'live' : 'attack'}"
                                    >${words[verdict] ?? verdict}</span
                                  >`
                            }
                          </td>`;
                        })}
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </section>`;
  }
}

type Fact = readonly [name: string, value: TemplateResult | string | number | null];

customElements.define('bonafide-transaction', TransactionView);
