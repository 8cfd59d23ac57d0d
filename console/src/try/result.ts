/** `<try-result>`: what came of one picture: the verdict, each face's score, what to do better, and where the time went. */

import { css, html, LitElement, nothing, svg } from 'lit';
import { language, Texts } from '../language.ts';
import { type IconName, icon } from '../parts/icons.ts';
import { badges, base, buttons, cards, notices } from '../parts/styles.ts';
import { dial, dialStyles } from './dial.ts';
import type { Progress, View } from './pictures.ts';
import {
  type Found,
  type FoundFace,
  outcomeOf,
  pointNames,
  type Reason,
  type Refused,
  type SeenBefore,
} from './reading.ts';
import { type Advice, advise, pointWords, probability, qualityWords, reasons, stageWords } from './words.ts';

const texts = {
  en: {
    heading: 'Result',
    live: 'Live person',
    attack: 'Attack',
    liveMore: 'A living person was before the camera.',
    attackMore: 'This looks like a picture of a person, on paper or on a screen.',
    liveCount: (count: number) => `${count} live`,
    attackCount: (count: number) => (count === 1 ? '1 attack' : `${count} attacks`),
    no_face: 'No face found',
    noFaceMore:
      'That is neither live nor an attack. Is the whole face in the picture, upright and in the light?',
    unsaid: (score: string) => `Score ${score}`,
    unsaidMore: 'ARGOS answers a score from 0 to 100 and no verdict: the threshold is yours to choose.',
    face: 'Face',
    faces: 'Faces',
    score: 'P(live)',
    of100: 'of 100',
    from: 'from',
    point: 'Operating point',
    verdict: 'Verdict',
    advice: 'For a surer verdict',
    noAdvice: 'Size, light, sharpness and angle of this face are good.',
    tooSmall: (count: number) =>
      count === 1
        ? 'One more face is too small to be assessed.'
        : `${count} more faces are too small to be assessed.`,
    seen: 'These very bytes came before',
    seenMore: (time: string) => `Last on ${time}. A camera never takes the same picture twice.`,
    measured: 'Measured',
    confidence: 'Sure that it is a face',
    confidenceMore: 'It says nothing about liveness.',
    timings: 'Time',
    total: (server: string, all: string) => `${server} ms assessing, ${all} ms until the answer was here`,
    allOnly: (all: string) => `${all} ms until the answer was here`,
    queued: 'In line',
    sending: 'The server is assessing the picture',
    waiting: (seconds: number) => `The server is full. It is asked again in ${seconds} s`,
    cancelled: 'Cancelled',
    cancel: 'Cancel',
    again: 'Try again',
    keys: 'Keys',
    retryAfter: (time: string) => `The server asks to wait ${time}.`,
    seconds: (count: number) => `${count} s`,
    minutes: (count: number) => `${count} min`,
    hours: (count: number) => `${count} h`,
  },
  ko: {
    heading: '결과',
    live: '실제 사람',
    attack: '위변조 공격',
    liveMore: '카메라 앞에 실제 사람이 있었습니다.',
    attackMore: '인쇄물이나 화면 속 얼굴을 촬영한 것으로 보입니다.',
    liveCount: (count: number) => `실제 사람 ${count}명`,
    attackCount: (count: number) => `위변조 공격 ${count}건`,
    no_face: '얼굴을 찾지 못했습니다',
    noFaceMore: '실제 사람도 공격도 아닙니다. 얼굴 전체가 바로 서서 밝게 나왔는지 확인해 주세요.',
    unsaid: (score: string) => `점수 ${score}`,
    unsaidMore: 'ARGOS는 판정 없이 0~100점의 점수만 제공합니다. 임계값은 직접 정합니다.',
    face: '얼굴',
    faces: '얼굴',
    score: '신뢰도 P(live)',
    of100: '100점 만점',
    from: '기준',
    point: '판정 기준',
    verdict: '판정',
    advice: '더 정확한 판정을 위해',
    noAdvice: '얼굴의 크기, 밝기, 선명도, 각도가 모두 좋습니다.',
    tooSmall: (count: number) => `너무 작아서 판정하지 않은 얼굴이 ${count}개 더 있습니다.`,
    seen: '이전에 받은 것과 똑같은 이미지입니다',
    seenMore: (time: string) => `마지막 요청: ${time}. 카메라로 찍은 사진은 똑같을 수 없습니다.`,
    measured: '측정값',
    confidence: '얼굴 검출 신뢰도',
    confidenceMore: '라이브니스와는 관계가 없습니다.',
    timings: '처리 시간',
    total: (server: string, all: string) => `분석 ${server}ms, 응답까지 ${all}ms`,
    allOnly: (all: string) => `응답까지 ${all}ms`,
    queued: '대기 중입니다',
    sending: '서버가 이미지를 분석하고 있습니다',
    waiting: (seconds: number) => `서버가 혼잡합니다. ${seconds}초 후 다시 요청합니다`,
    cancelled: '취소했습니다',
    cancel: '취소',
    again: '다시 시도',
    keys: '키',
    retryAfter: (time: string) => `${time} 후에 다시 시도해 주세요.`,
    seconds: (count: number) => `${count}초`,
    minutes: (count: number) => `${count}분`,
    hours: (count: number) => `${count}시간`,
  },
};

/** What may be otherwise the next time. */
const passing: ReadonlySet<Reason> = new Set<Reason>([
  'unreadable',
  'unreachable',
  'wrong_key',
  'wrong_keys',
  'rate',
  'quota',
  'busy',
  'address',
  'address_timeout',
  'server',
]);

type Tone = 'live' | 'attack' | 'unsure' | 'plain';

/** Fires `face` with a number, `again`, `cancel` and `keys`. */
export class Result extends LitElement {
  static override properties = {
    progress: { attribute: false },
    view: { attribute: false },
    face: { attribute: false },
    /** Changes while something is waited for. */
    tick: { attribute: false },
  };
  static override styles = [
    base,
    buttons,
    cards,
    badges,
    notices,
    dialStyles,
    css`
      .banner {
        display: flex;
        align-items: flex-start;
        gap: 0.875rem;
        padding: 1.125rem 1.25rem;
        border-radius: calc(var(--radius) - 1px) calc(var(--radius) - 1px) 0 0;
        border-bottom: 1px solid var(--line);
      }
      .banner:last-child {
        border-bottom: 0;
        border-radius: calc(var(--radius) - 1px);
      }
      .banner > svg.icon {
        width: 2.25rem;
        height: 2.25rem;
        stroke-width: 1.6;
        color: var(--faint);
      }
      .banner h2 {
        font-size: 1.25rem;
        line-height: 1.3;
        letter-spacing: -0.015em;
      }
      .banner p {
        margin-top: 0.125rem;
        color: var(--soft);
      }
      .banner.live {
        background: var(--live-tint);
      }
      .banner.live :is(h2, svg.icon) {
        color: var(--live);
      }
      .banner.attack {
        background: var(--attack-tint);
      }
      .banner.attack :is(h2, svg.icon) {
        color: var(--attack);
      }
      .banner.unsure {
        background: var(--unsure-tint);
      }
      .banner.unsure :is(h2, svg.icon) {
        color: var(--unsure);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        margin-top: 0.75rem;
      }
      .part {
        padding: 1rem 1.25rem;
        border-bottom: 1px solid var(--line);
      }
      .part:last-child {
        border-bottom: 0;
      }
      .part > h3 {
        margin-bottom: 0.625rem;
        color: var(--faint);
        font-weight: 550;
        font-size: var(--text-small);
      }
      .faces {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr));
        gap: 0.5rem;
        max-height: 16rem;
        margin: -2px;
        padding: 2px;
        overflow-y: auto;
      }
      .faces button {
        display: grid;
        gap: 0.125rem;
        width: 100%;
        min-height: 0;
        padding: 0.5rem 0.5rem 0.375rem;
        box-shadow: none;
        font-size: 0.75rem;
        line-height: 1.3;
      }
      .faces button[aria-pressed="true"] {
        border-color: var(--accent);
        box-shadow: 0 0 0 1px var(--accent);
      }
      .faces .dial text:not(.figure) {
        display: none;
      }
      .faces .dial text.figure {
        font-size: 44px;
      }
      .score {
        display: grid;
        justify-items: center;
        gap: 0.75rem;
      }
      .points {
        width: 100%;
        border-collapse: collapse;
        font-size: var(--text-small);
      }
      .points :is(th, td) {
        padding: 0.3125rem 0.5rem;
        text-align: left;
        font-weight: 400;
      }
      .points thead th {
        color: var(--faint);
      }
      .points tbody tr {
        border-top: 1px solid var(--line);
      }
      .points tbody tr.chosen :is(th, td) {
        background: var(--sunken);
        font-weight: 600;
      }
      .points td:last-child,
      .points th:last-child {
        text-align: right;
      }
      .advice {
        display: grid;
        gap: 0.625rem;
      }
      .advice li {
        display: flex;
        gap: 0.625rem;
      }
      .advice svg.icon {
        margin-top: 0.125rem;
        color: var(--unsure);
      }
      .advice .aside svg.icon {
        color: var(--faint);
      }
      .advice .fine svg.icon {
        color: var(--live);
      }
      .advice strong {
        display: block;
        font-weight: 600;
      }
      .advice p {
        color: var(--faint);
        font-size: var(--text-small);
      }
      details summary {
        color: var(--faint);
        font-weight: 550;
        font-size: var(--text-small);
        cursor: pointer;
      }
      dl {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0.25rem 1rem;
        margin-top: 0.625rem;
        font-size: var(--text-small);
      }
      dd {
        text-align: right;
        font-variant-numeric: tabular-nums;
      }
      .bar {
        display: block;
        width: 100%;
        height: 0.625rem;
        border-radius: 3px;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0.125rem 0.875rem;
        margin-top: 0.5rem;
        color: var(--faint);
        font-size: 0.75rem;
        font-variant-numeric: tabular-nums;
      }
      .legend li {
        display: flex;
        align-items: center;
        gap: 0.375rem;
      }
      .legend svg {
        width: 0.5rem;
        height: 0.5rem;
      }
      .total {
        margin-top: 0.375rem;
        color: var(--faint);
        font-size: 0.75rem;
        font-variant-numeric: tabular-nums;
      }
      .s0 {
        fill: light-dark(#0f766e, #2dd4bf);
      }
      .s1 {
        fill: light-dark(#2563a8, #60a5fa);
      }
      .s2 {
        fill: light-dark(#7c4fb0, #b794f4);
      }
      .s3 {
        fill: light-dark(#b45f8a, #f19ac1);
      }
      .s4 {
        fill: light-dark(#c07216, #fbbf24);
      }
      .s5 {
        fill: light-dark(#6b8e23, #a3d977);
      }
      .s6 {
        fill: light-dark(#64748b, #94a3b8);
      }
      .spinner {
        width: 2.25rem;
        height: 2.25rem;
        flex: none;
        border: 3px solid var(--line);
        border-top-color: var(--accent);
        border-radius: 50%;
        animation: turn 0.9s linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
    `,
  ];

  declare progress: Progress | undefined;
  declare view: View;
  declare face: number;
  declare tick: number;
  readonly #texts = new Texts(this, texts);

  protected override render() {
    return html`<section class="card" aria-label=${this.#texts.now.heading}>${this.#content()}</section>`;
  }

  #content() {
    const words = this.#texts.now;
    const { progress } = this;
    if (progress === undefined || progress.state === 'queued') return this.#working(words.queued);
    if (progress.state === 'sending') return this.#working(words.sending);
    if (progress.state === 'waiting') {
      return this.#working(words.waiting(Math.max(0, Math.ceil((progress.until - Date.now()) / 1000))));
    }
    if (progress.state === 'cancelled') {
      return this.#banner('plain', 'info', words.cancelled, '', [
        this.#button('again', 'refresh', words.again),
      ]);
    }
    const { reading, exchange } = progress;
    if (reading.kind === 'refused') return this.#refused(reading);
    const face = reading.faces[this.face];
    return html`
      ${this.#verdict(reading)}
      ${reading.faces.length > 1 ? this.#faces(reading) : nothing}
      ${face === undefined ? nothing : this.#score(face, reading)}
      ${this.#advice(reading, face)} ${face === undefined ? nothing : this.#measured(face)}
      ${exchange === undefined ? nothing : this.#timings(reading.timings, exchange.ms)}
    `;
  }

  #working(text: string) {
    return html`<div class="banner">
      <span class="spinner"></span>
      <div>
        <h2>${text}</h2>
        <div class="actions">${this.#button('cancel', 'close', this.#texts.now.cancel)}</div>
      </div>
    </div>`;
  }

  #banner(tone: Tone, name: IconName, title: string, more: string, actions: readonly unknown[] = []) {
    return html`<div class="banner ${tone}">
      ${icon(name)}
      <div>
        <h2>${title}</h2>
        ${more === '' ? nothing : html`<p>${more}</p>`}
        ${actions.length === 0 ? nothing : html`<div class="actions">${actions}</div>`}
      </div>
    </div>`;
  }

  #button(event: 'again' | 'cancel' | 'keys', name: IconName, word: string) {
    return html`<button type="button" class="compact" @click=${() => this.dispatchEvent(new Event(event))}>
      ${icon(name)} ${word}
    </button>`;
  }

  #refused({ reason, retryAfterSeconds }: Refused) {
    const words = this.#texts.now;
    const { title, more } = reasons[language()][reason];
    const isKeys = reason === 'no_key' || reason === 'wrong_key';
    const wait = retryAfterSeconds === undefined ? '' : words.retryAfter(this.#duration(retryAfterSeconds));
    return this.#banner('unsure', isKeys ? 'key' : 'alert', title, `${more} ${wait}`, [
      isKeys ? this.#button('keys', 'key', words.keys) : nothing,
      passing.has(reason) ? this.#button('again', 'refresh', words.again) : nothing,
    ]);
  }

  #duration(seconds: number): string {
    const words = this.#texts.now;
    if (seconds < 120) return words.seconds(seconds);
    return seconds < 7_200 ? words.minutes(Math.ceil(seconds / 60)) : words.hours(Math.ceil(seconds / 3_600));
  }

  #verdict(found: Found) {
    const words = this.#texts.now;
    const outcome = outcomeOf(found, this.view.point);
    if (outcome === 'no_face') return this.#banner('plain', 'face', words.no_face, words.noFaceMore);
    if (outcome === 'unsaid') {
      const score = 100 * (found.faces[0]?.score ?? 0);
      return this.#banner('plain', 'shield', words.unsaid(score.toFixed(2)), words.unsaidMore);
    }
    const attacks = found.faces.filter(({ verdicts }) => verdicts[this.view.point] === 'attack').length;
    const lives = found.faces.length - attacks;
    const counts = [lives > 0 ? words.liveCount(lives) : '', attacks > 0 ? words.attackCount(attacks) : ''];
    const isOne = found.faces.length === 1;
    const title = isOne ? words[outcome] : counts.filter((count) => count !== '').join(', ');
    const more = outcome === 'live' ? words.liveMore : words.attackMore;
    return this.#banner(outcome, outcome === 'live' ? 'shield-check' : 'shield-x', title, isOne ? more : '');
  }

  #dialOf(face: FoundFace, found: Found, number: number) {
    const words = this.#texts.now;
    const value = face.score ?? 0;
    const isScore = this.view.api === 'argos';
    const figure = isScore ? (100 * value).toFixed(2) : probability(value);
    const caption = isScore ? words.of100 : words.score;
    const marks =
      found.thresholds === undefined
        ? []
        : pointNames.map((name) => `${pointWords[language()][name]} ${found.thresholds?.[name]}`);
    return dial({
      value,
      figure,
      caption,
      label: `${words.face} ${number + 1}: ${caption} ${figure}. ${marks.join(', ')}`,
      verdict: face.verdicts[this.view.point],
      thresholds: found.thresholds,
      chosen: found.thresholds === undefined ? undefined : this.view.point,
      names: pointWords[language()],
    });
  }

  #faces(found: Found) {
    const words = this.#texts.now;
    const short = { live: words.live, attack: words.attack };
    return html`<div class="part">
      <h3>${words.faces}</h3>
      <ul class="faces">
        ${found.faces.map((face, at) => {
          const verdict = face.verdicts[this.view.point];
          return html`<li>
            <button
              type="button"
              aria-pressed=${at === this.face}
              @click=${() => this.dispatchEvent(new CustomEvent('face', { detail: at }))}
            >
              ${face.score === undefined ? nothing : this.#dialOf(face, found, at)}
              <span>${at + 1}${verdict === undefined ? nothing : html` · ${short[verdict]}`}</span>
            </button>
          </li>`;
        })}
      </ul>
    </div>`;
  }

  #score(face: FoundFace, found: Found) {
    const words = this.#texts.now;
    if (face.score === undefined) return nothing;
    return html`<div class="part score">
      ${this.#dialOf(face, found, this.face)}
      ${
        found.thresholds === undefined
          ? nothing
          : html`<table class="points">
              <thead>
                <tr>
                  <th scope="col">${words.point}</th>
                  <th scope="col">P(live) ${words.from}</th>
                  <th scope="col">${words.verdict}</th>
                </tr>
              </thead>
              <tbody>
                ${pointNames.map((name) => {
                  const verdict = face.verdicts[name];
                  return html`<tr class=${name === this.view.point ? 'chosen' : ''}>
                    <th scope="row">${pointWords[language()][name]}</th>
                    <td class="number">${found.thresholds?.[name]}</td>
                    <td>
                      ${verdict === undefined ? nothing : html`<span class="badge ${verdict}">${words[verdict]}</span>`}
                    </td>
                  </tr>`;
                })}
              </tbody>
            </table>`
      }
    </div>`;
  }

  #advice(found: Found, face: FoundFace | undefined) {
    const words = this.#texts.now;
    const pieces: readonly Advice[] = advise([...(face?.warnings ?? []), ...found.warnings], language());
    const isSeen = found.seenBefore?.status === 'seen';
    // Only the native API tells of conditions: of the others' silence nothing follows.
    const isFine = pieces.length === 0 && face?.quality !== undefined;
    if (pieces.length === 0 && !isFine && found.tooSmall === 0 && !isSeen) return nothing;
    return html`<div class="part">
      ${pieces.length === 0 ? nothing : html`<h3>${words.advice}</h3>`}
      <ul class="advice">
        ${pieces.map(({ title, more }) => this.#piece('alert', title, more))}
        ${isFine ? html`<li class="fine">${icon('check')}<p>${words.noAdvice}</p></li>` : nothing}
        ${found.tooSmall === 0 ? nothing : this.#piece('info', words.tooSmall(found.tooSmall), '')}
        ${isSeen ? this.#seen(found.seenBefore) : nothing}
      </ul>
    </div>`;
  }

  #seen(seen: SeenBefore | undefined) {
    const words = this.#texts.now;
    const time = seen?.lastAt === undefined ? '' : new Date(seen.lastAt).toLocaleString(language());
    return this.#piece('clock', words.seen, words.seenMore(time));
  }

  #piece(name: IconName, title: string, more: string) {
    return html`<li class=${name === 'alert' ? '' : 'aside'}>
      ${icon(name)}
      <div>
        <strong>${title}</strong>
        ${more === '' ? nothing : html`<p>${more}</p>`}
      </div>
    </li>`;
  }

  #measured({ quality, confidence }: FoundFace) {
    const words = this.#texts.now;
    if (confidence === undefined) return nothing;
    const names = qualityWords[language()];
    const measures = Object.keys(quality ?? {}) as (keyof typeof names)[];
    return html`<div class="part">
      <details>
        <summary>${words.measured}</summary>
        <dl>
          <dt>${words.confidence}<br /><span class="faint">${words.confidenceMore}</span></dt>
          <dd>${Math.round(confidence * 10_000) / 10_000}</dd>
          ${measures.map(
            (name) => html`<dt>${names[name][0]}</dt>
              <dd>${quality?.[name]} ${names[name][1]}</dd>`,
          )}
        </dl>
      </details>
    </div>`;
  }

  #timings(timings: Found['timings'], ms: number) {
    const words = this.#texts.now;
    const all = String(Math.round(ms));
    const stages = Object.entries(timings ?? {});
    if (stages.length === 0) {
      return html`<div class="part"><p class="total">${words.allOnly(all)}</p></div>`;
    }
    const sum = stages.reduce((total, [, time]) => total + time, 0);
    let x = 0;
    return html`<div class="part">
      <h3>${words.timings}</h3>
      <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        ${stages.map(([, time], at) => {
          const width = (100 * time) / sum;
          x += width;
          return svg`<rect class="s${at % 7}" x=${x - width} y="0" width=${width} height="10" />`;
        })}
      </svg>
      <ul class="legend">
        ${stages.map(
          ([stage, time], at) => html`<li>
            <svg viewBox="0 0 8 8" aria-hidden="true"><rect class="s${at % 7}" width="8" height="8" rx="2" /></svg>
            ${stageWords[language()][stage] ?? stage} ${time.toFixed(1)}
          </li>`,
        )}
      </ul>
      <p class="total">${words.total(sum.toFixed(0), all)}</p>
    </div>`;
  }
}

customElements.define('try-result', Result);
