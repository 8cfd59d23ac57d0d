/** `<try-strip>`: several pictures side by side, each with what came of it, and how far all of them are. */

import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { language, Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { badges, base, buttons, cards } from '../parts/styles.ts';
import type { Picture, Pictures, Progress, View } from './pictures.ts';
import { outcomeOf } from './reading.ts';
import { probability, reasons } from './words.ts';

const texts = {
  en: {
    heading: 'Pictures',
    of: (done: number, all: number) => `${done} of ${all} assessed`,
    live: 'Live',
    attack: 'Attack',
    no_face: 'No face',
    refused: 'Failed',
    queued: 'In line',
    sending: 'Asking',
    waiting: (seconds: number) => `Server full, again in ${seconds} s`,
    cancelled: 'Cancelled',
    unasked: 'Not asked',
    cancel: 'Cancel',
    others: (count: number) => `Assess the other ${count}`,
    clear: 'Remove all',
  },
  ko: {
    heading: '이미지',
    of: (done: number, all: number) => `${all}개 중 ${done}개 완료`,
    live: '실제 사람',
    attack: '공격',
    no_face: '얼굴 없음',
    refused: '실패',
    queued: '대기 중',
    sending: '분석 중',
    waiting: (seconds: number) => `서버 혼잡, ${seconds}초 후 재시도`,
    cancelled: '취소됨',
    unasked: '요청 전',
    cancel: '취소',
    others: (count: number) => `나머지 ${count}개 분석`,
    clear: '모두 지우기',
  },
};

/** Fires `choose` with a picture, and `clear`. */
export class Strip extends LitElement {
  static override properties = {
    pictures: { attribute: false },
    view: { attribute: false },
    chosen: { attribute: false },
    /** Changes with every change of the pictures. */
    tick: { attribute: false },
  };
  static override styles = [
    base,
    buttons,
    cards,
    badges,
    css`
      .card-head {
        min-height: 3rem;
      }
      .counts {
        display: flex;
        flex: 1 1 10rem;
        align-items: baseline;
        flex-wrap: wrap;
        gap: 0.375rem;
      }
      .bar {
        display: block;
        width: 100%;
        height: 3px;
        margin-top: -1px;
        border: 0;
        background: var(--line);
        appearance: none;
      }
      .bar::-webkit-progress-bar {
        background: var(--line);
      }
      .bar::-webkit-progress-value {
        background: var(--accent);
        transition: inline-size 0.25s;
      }
      .bar::-moz-progress-bar {
        background: var(--accent);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr));
        gap: 0.75rem;
        max-height: 19rem;
        padding: 1rem 1.25rem;
        overflow-y: auto;
      }
      .tile {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-content: stretch;
        gap: 0.375rem;
        width: 100%;
        height: 100%;
        min-height: 0;
        padding: 0.375rem;
        border-radius: 10px;
        box-shadow: none;
        white-space: normal;
        text-align: left;
      }
      .tile[aria-current] {
        border-color: var(--accent);
        box-shadow: 0 0 0 1px var(--accent);
      }
      .thumb {
        position: relative;
        display: grid;
        place-items: center;
        width: 100%;
        aspect-ratio: 4 / 3;
        border-radius: 6px;
        background: var(--sunken);
        color: var(--faint);
        overflow: hidden;
      }
      .thumb svg.icon {
        width: 1.75rem;
        height: 1.75rem;
      }
      .thumb img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .name {
        display: block;
        width: 100%;
        overflow: hidden;
        font-weight: 500;
        font-size: 0.75rem;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .tile .badge {
        justify-self: start;
      }
      .dot {
        width: 0.5rem;
        height: 0.5rem;
        border-radius: 50%;
        background: var(--accent);
        animation: pulse 0.8s ease-in-out infinite alternate;
      }
      @keyframes pulse {
        to {
          opacity: 0.25;
        }
      }
      @media (max-width: 40rem) {
        ul {
          grid-template-columns: none;
          grid-auto-columns: 8.25rem;
          grid-auto-flow: column;
          padding: 0.75rem 1rem;
          overflow-x: auto;
        }
        .clear span {
          display: none;
        }
        .counts .faint {
          flex: 1 1 60%;
        }
      }
    `,
  ];

  declare pictures: Pictures;
  declare view: View;
  declare chosen: Picture | undefined;
  declare tick: number;
  readonly #texts = new Texts(this, texts);

  protected override render() {
    const { heading, of, cancel, others, clear, live, attack, no_face, refused } = this.#texts.now;
    const all = this.pictures.all;
    const progress = all.map((picture) => this.pictures.progress(picture, this.view));
    const done = progress.filter((each) => each?.state === 'done').length;
    const isBusy = progress.some((each) => each !== undefined && isUnderWay(each));
    const unasked = progress.filter((each) => each === undefined || each.state === 'cancelled').length;
    const count = (outcome: string) => progress.filter((each) => this.#outcome(each) === outcome).length;
    const counts = [
      ['live', live],
      ['attack', attack],
      ['no_face', no_face],
      ['refused', refused],
    ] as const;
    return html`<section class="card" aria-labelledby="heading">
      <div class="card-head">
        <div class="counts">
          <h2 id="heading">${heading}</h2>
          <span class="faint number" role="status">${of(done, all.length)}</span>
          ${counts.map(([outcome, word]) => {
            const found = count(outcome);
            const colour = outcome === 'refused' ? 'unsure' : outcome;
            return found === 0 ? nothing : html`<span class="badge ${colour}">${found} ${word}</span>`;
          })}
        </div>
        ${
          isBusy
            ? html`<button type="button" class="compact" @click=${() => this.pictures.cancel()}>
                ${icon('close')} ${cancel}
              </button>`
            : nothing
        }
        ${
          unasked > 0 && !isBusy
            ? html`<button type="button" class="compact" @click=${this.#askOthers}>
                ${icon('refresh')} ${others(unasked)}
              </button>`
            : nothing
        }
        <button
          type="button"
          class="quiet compact clear"
          aria-label=${clear}
          @click=${() => this.dispatchEvent(new Event('clear'))}
        >
          ${icon('trash')} <span>${clear}</span>
        </button>
      </div>
      <progress class="bar" max=${all.length} value=${done} aria-labelledby="heading" ?hidden=${!isBusy}></progress>
      <ul>
        ${repeat(
          all,
          ({ id }) => id,
          (picture, at) => html`<li>
            <button
              type="button"
              class="tile"
              aria-current=${picture === this.chosen ? 'true' : nothing}
              @click=${() => this.dispatchEvent(new CustomEvent('choose', { detail: picture }))}
            >
              <span class="thumb">
                ${icon('url' in picture.source ? 'link' : 'image')}
                ${
                  picture.preview === undefined
                    ? nothing
                    : html`<img src=${picture.preview} alt="" loading="lazy" decoding="async" @error=${hide} />`
                }
              </span>
              <span class="name">${picture.name}</span>
              ${this.#badge(progress[at])}
            </button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  #outcome(progress: Progress | undefined): string | undefined {
    if (progress?.state !== 'done') return undefined;
    return progress.reading.kind === 'refused' ? 'refused' : outcomeOf(progress.reading, this.view.point);
  }

  #badge(progress: Progress | undefined) {
    const words = this.#texts.now;
    if (progress === undefined) return html`<span class="badge">${words.unasked}</span>`;
    if (progress.state === 'sending') {
      return html`<span class="badge accent"><span class="dot"></span>${words.sending}</span>`;
    }
    if (progress.state === 'waiting') {
      const seconds = Math.max(0, Math.ceil((progress.until - Date.now()) / 1000));
      return html`<span class="badge unsure">${words.waiting(seconds)}</span>`;
    }
    if (progress.state !== 'done') return html`<span class="badge">${words[progress.state]}</span>`;
    const { reading } = progress;
    if (reading.kind === 'refused') {
      return html`<span class="badge unsure" title=${reasons[language()][reading.reason].title}>${words.refused}</span>`;
    }
    const outcome = outcomeOf(reading, this.view.point);
    const score = reading.faces[0]?.score;
    const value = reading.faces.length === 1 && score !== undefined ? probability(score) : '';
    if (outcome === 'unsaid') return html`<span class="badge accent number">${value}</span>`;
    return html`<span class="badge number ${outcome}">${words[outcome]} ${value}</span>`;
  }

  #askOthers(): void {
    for (const picture of this.pictures.all) {
      const progress = this.pictures.progress(picture, this.view);
      if (progress === undefined) this.pictures.ask(picture, this.view);
      else if (progress.state === 'cancelled') this.pictures.again(picture, this.view);
    }
  }
}

export function isUnderWay({ state }: Progress): boolean {
  return state === 'queued' || state === 'sending' || state === 'waiting';
}

/** What the browser cannot show leaves its place to the icon. */
function hide(event: Event): void {
  (event.target as HTMLElement).hidden = true;
}

customElements.define('try-strip', Strip);
