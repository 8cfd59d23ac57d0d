/** `<bonafide-models>`: the models in use, their hashes, and how their scores become verdicts. */

import { css, html, nothing } from 'lit';
import type { Static } from 'typebox';
import type { ModelsBody } from '../../../src/server/admin/wire.ts';
import { askAdmin } from '../api.ts';
import { Texts } from '../language.ts';
import '../parts/copy-button.ts';
import { icon } from '../parts/icons.ts';
import { percent } from './format.ts';
import { Load } from './load.ts';
import { OperatePage } from './page.ts';

type Models = Static<typeof ModelsBody>;
type Model = Models['models'][number];

const texts = {
  en: {
    title: 'Models',
    lead: (name: string) => `What the profile ${name} answers with.`,
    leadBare: 'What this server answers with.',
    tasks: { detect: 'Finds faces', landmarks: 'Finds five points', liveness: 'Tells people from attacks' },
    weights: { ok: 'File as pinned', missing: 'File missing', damaged: 'File differs' },
    sha256: 'SHA-256',
    copyHash: (title: string) => `Copy the SHA-256 of ${title}`,
    tuned: 'Tuned graph',
    untuned: 'none: the file itself runs',
    copyTuned: (title: string) => `Copy the SHA-256 of the tuned graph of ${title}`,
    licence: 'Licence',
    origin: 'Made by',
    source: 'Source',
    ownFile: 'a file of your own',
    weight: 'Weight',
    points: 'Operating points',
    pointsLead:
      'Error rates on the pictures that the calibration was fitted on; expect others on your own cameras.',
    point: 'Point',
    names: { weak: 'weak', balanced: 'balanced', strict: 'strict' },
    threshold: 'Live from P(live)',
    apcer: 'APCER: attacks let through',
    bpcer: 'BPCER: people turned away',
    calibration: 'Calibration',
    shipped: 'The one that comes with the profile.',
    own: 'A file of your own (BONAFIDE_CALIBRATION).',
    copyCalibration: 'Copy the SHA-256 of the calibration',
    slopeBelow: 'Slope for evidence of an attack',
    slopeAbove: 'Slope for evidence of life',
    intercept: 'Intercept',
    reports: 'How well it works is in the evaluation reports.',
  },
  ko: {
    title: '모델',
    lead: (name: string) => `${name} 프로필이 사용하는 모델입니다.`,
    leadBare: '이 서버가 사용하는 모델입니다.',
    tasks: { detect: '얼굴 검출', landmarks: '특징점 5개 검출', liveness: '라이브니스 판정' },
    weights: { ok: '파일 일치', missing: '파일 없음', damaged: '파일 불일치' },
    sha256: 'SHA-256',
    copyHash: (title: string) => `${title}의 SHA-256 복사`,
    tuned: '최적화 그래프',
    untuned: '없음: 원본 파일로 실행',
    copyTuned: (title: string) => `${title} 최적화 그래프의 SHA-256 복사`,
    licence: '라이선스',
    origin: '제작',
    source: '출처',
    ownFile: '사용자 파일',
    weight: '가중치',
    points: '판정 기준별 임계값',
    pointsLead: '보정에 사용한 사진에서 측정한 오류율입니다. 실제 카메라에서는 다를 수 있습니다.',
    point: '판정 기준',
    names: { weak: '약함 (weak)', balanced: '균형 (balanced)', strict: '엄격 (strict)' },
    threshold: 'P(live) 임계값',
    apcer: 'APCER: 공격을 실제 사람으로 판정',
    bpcer: 'BPCER: 실제 사람을 공격으로 판정',
    calibration: '보정',
    shipped: '프로필에 포함된 보정값입니다.',
    own: '사용자 보정 파일입니다 (BONAFIDE_CALIBRATION).',
    copyCalibration: '보정 파일의 SHA-256 복사',
    slopeBelow: '공격 쪽 기울기',
    slopeAbove: '실제 사람 쪽 기울기',
    intercept: '절편',
    reports: '성능은 평가 보고서에서 확인할 수 있습니다.',
  },
};

const points = ['weak', 'balanced', 'strict'] as const;

class ModelsPage extends OperatePage {
  static override styles = [
    ...OperatePage.styles,
    css`
      .models {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr));
        gap: 1.25rem;
      }
      .model .card-head > div {
        padding: 0.25rem 0;
      }
      .model dl {
        padding: 0.5rem 1.25rem 0.75rem;
        grid-template-columns: 5.5rem minmax(0, 1fr);
      }
      .hash {
        display: flex;
        align-items: start;
        gap: 0.5rem;
      }
      .hash code {
        flex: 1;
        padding-top: 0.25rem;
      }
      .card-body > p {
        margin-bottom: 1rem;
      }
      .notice {
        margin-bottom: 1.25rem;
      }
    `,
  ];

  protected readonly path = '/models';
  readonly #texts = new Texts(this, texts);
  readonly #models = new Load<Models>(this);

  protected ask(): void {
    void this.#models.run((signal) => askAdmin<Models>('/models', { signal }));
  }

  protected content() {
    const { title, lead, leadBare } = this.#texts.now;
    const { value } = this.#models;
    return html`
      ${this.head(title, value === undefined ? leadBare : lead(value.profile.id))}
      ${this.loaded(this.#models, (models) => this.#found(models))}
    `;
  }

  #found({ profile, models }: Models) {
    const { points: heading, pointsLead, point, names, threshold, apcer, bpcer, reports } = this.#texts.now;
    return html`
      ${
        profile.note === undefined
          ? nothing
          : html`<div class="notice unsure">${icon('info')}<span>${profile.note}</span></div>`
      }
      <div class="stack">
        <div class="models">${models.map((model) => this.#model(model))}</div>
        <section class="card" aria-labelledby="points">
          <div class="card-head"><h2 id="points">${heading}</h2></div>
          <div class="table-scroll" tabindex="0" role="group" aria-labelledby="points">
            <table>
              <thead>
                <tr>
                  <th scope="col">${point}</th>
                  <th scope="col" class="number">${threshold}</th>
                  <th scope="col" class="number">${apcer}</th>
                  <th scope="col" class="number">${bpcer}</th>
                </tr>
              </thead>
              <tbody>
                ${points.map((name) => {
                  const rates = profile.operatingPoints[name];
                  return html`<tr>
                    <th scope="row">${names[name]}</th>
                    <td class="number">${rates.threshold}</td>
                    <td class="number">${percent(rates.apcer)}</td>
                    <td class="number">${percent(rates.bpcer)}</td>
                  </tr>`;
                })}
              </tbody>
            </table>
          </div>
          <div class="card-body small faint">${pointsLead} <a href="#/reports">${reports}</a></div>
        </section>
        ${this.#calibration(profile)}
      </div>
    `;
  }

  #model({ id, title, task, weight, licence, origin, source, sha256, weights, tunedSha256 }: Model) {
    const text = this.#texts.now;
    return html`<section class="card model" aria-labelledby=${`model-${id}`} data-model=${id}>
      <div class="card-head">
        <div>
          <h2 id=${`model-${id}`}>${title}</h2>
          <p class="small faint">${text.tasks[task]} · <code>${id}</code></p>
        </div>
        <span class="badge ${weights === 'ok' ? 'live' : 'attack'}"
          >${icon(weights === 'ok' ? 'check' : 'alert')} ${text.weights[weights]}</span
        >
      </div>
      <dl class="facts">
        <dt>${text.sha256}</dt>
        <dd class="hash">
          <code class="whole">${sha256}</code>
          <bonafide-copy .text=${sha256} .label=${text.copyHash(title)}></bonafide-copy>
        </dd>
        <dt>${text.tuned}</dt>
        <dd class="hash">
          ${
            tunedSha256 === null
              ? text.untuned
              : html`<code class="whole">${tunedSha256}</code>
                <bonafide-copy .text=${tunedSha256} .label=${text.copyTuned(title)}></bonafide-copy>`
          }
        </dd>
        <dt>${text.licence}</dt>
        <dd>${licence}</dd>
        <dt>${text.origin}</dt>
        <dd>${origin}</dd>
        <dt>${text.source}</dt>
        <dd>${source ?? text.ownFile}</dd>
        ${weight === null ? nothing : html`<dt>${text.weight}</dt><dd class="number">${weight}</dd>`}
      </dl>
    </section>`;
  }

  #calibration({ calibration: { slopeBelow, slopeAbove, intercept }, calibrationSha256 }: Models['profile']) {
    const text = this.#texts.now;
    return html`<section class="card" aria-labelledby="calibration">
      <div class="card-head"><h2 id="calibration">${text.calibration}</h2></div>
      <div class="card-body">
        <p class="faint">${calibrationSha256 === null ? text.shipped : text.own}</p>
        <p><code>s = Σ(weight × log-odds)</code></p>
        <p><code>P(live) = sigmoid(${intercept} − ${slopeBelow} × ln(1 + e⁻ˢ) + ${slopeAbove} × ln(1 + eˢ))</code></p>
        <dl class="facts">
          <dt>${text.slopeBelow}</dt>
          <dd class="number">${slopeBelow}</dd>
          <dt>${text.slopeAbove}</dt>
          <dd class="number">${slopeAbove}</dd>
          <dt>${text.intercept}</dt>
          <dd class="number">${intercept}</dd>
          ${
            calibrationSha256 === null
              ? nothing
              : html`<dt>${text.sha256}</dt>
                  <dd class="hash">
                    <code class="whole">${calibrationSha256}</code>
                    <bonafide-copy .text=${calibrationSha256} .label=${text.copyCalibration}></bonafide-copy>
                  </dd>`
          }
        </dl>
      </div>
    </section>`;
  }
}

customElements.define('bonafide-models', ModelsPage);
