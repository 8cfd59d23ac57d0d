/** `<try-exchange>`: the request as a command, and the answer exactly as it came. */

import { css, html, LitElement, nothing } from 'lit';
import { Texts } from '../language.ts';
import '../parts/copy-button.ts';
import { icon } from '../parts/icons.ts';
import { badges, base, buttons, cards } from '../parts/styles.ts';
import { jsonStyles, showJson } from './json-view.ts';
import { keys } from './keys.ts';
import { dialects, type Picture, type Progress, type View } from './pictures.ts';

const texts = {
  en: {
    request: 'Request',
    response: 'Response',
    reveal: 'Show keys',
    mask: 'Hide keys',
    copyCommand: 'Copy the command, with its keys',
    copyAnswer: 'Copy the answer',
    save: 'Save the picture',
    saveHint: 'The command reads the picture from the folder it is run in.',
    noCommand: 'This API takes no addresses.',
    none: 'There is no answer yet.',
    nothingCame: 'Nothing was answered.',
  },
  ko: {
    request: '요청',
    response: '응답',
    reveal: '키 표시',
    mask: '키 숨기기',
    copyCommand: '키를 포함한 명령 복사',
    copyAnswer: '응답 복사',
    save: '이미지 저장',
    saveHint: '명령을 실행하는 폴더에 있는 이미지를 읽습니다.',
    noCommand: '이 API는 이미지 주소를 받지 않습니다.',
    none: '아직 응답이 없습니다.',
    nothingCame: '응답을 받지 못했습니다.',
  },
};

/** What stands where a key is. */
const masked = '••••••••';

export class ExchangeView extends LitElement {
  static override properties = {
    picture: { attribute: false },
    progress: { attribute: false },
    view: { attribute: false },
    /** Changes with the keys. */
    keysTick: { attribute: false },
    isRevealed: { state: true },
  };
  static override styles = [
    base,
    buttons,
    cards,
    badges,
    jsonStyles,
    css`
      .both {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
        align-items: start;
      }
      .card-head {
        min-height: 3rem;
        padding-right: 0.75rem;
        gap: 0.25rem 0.5rem;
      }
      .title {
        display: flex;
        flex: 1 1 0;
        min-width: 0;
        align-items: center;
        gap: 0.625rem;
      }
      pre {
        max-height: 34rem;
        margin: 0;
        padding: 1rem 1.25rem;
        border-radius: 0 0 var(--radius) var(--radius);
        overflow: auto;
        line-height: 1.6;
        tab-size: 2;
      }
      pre:focus-visible {
        outline-offset: -3px;
      }
      .command {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .answer {
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }
      .hint {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem;
        padding: 0 1.25rem 1rem;
        color: var(--faint);
        font-size: var(--text-small);
      }
      .id {
        overflow: hidden;
        text-overflow: ellipsis;
        color: var(--faint);
        font-size: 0.75rem;
      }
      .blank {
        padding: 1rem 1.25rem;
        color: var(--faint);
      }
    `,
  ];

  declare picture: Picture;
  declare progress: Progress | undefined;
  declare view: View;
  declare keysTick: number;
  declare isRevealed: boolean;
  readonly #texts = new Texts(this, texts);

  constructor() {
    super();
    this.isRevealed = false;
  }

  protected override render() {
    return html`<div class="both">${this.#request()}${this.#response()}</div>`;
  }

  #request() {
    const words = this.#texts.now;
    const { source, preview, isMade, name } = this.picture;
    const { api, point } = this.view;
    const { curl } = dialects[api];
    const given = { source, point };
    const hidden = { appKey: masked, secretKey: masked, apiKey: masked };
    const command = curl({ ...given, keys: keys() }, location.origin);
    const shown = this.isRevealed ? command : curl({ ...given, keys: hidden }, location.origin);
    return html`<section class="card" aria-labelledby="request">
      <div class="card-head">
        <h2 id="request">${words.request}</h2>
        <button
          type="button"
          class="quiet compact"
          aria-pressed=${this.isRevealed}
          @click=${() => {
            this.isRevealed = !this.isRevealed;
          }}
        >
          ${icon(this.isRevealed ? 'eye-off' : 'eye')} ${this.isRevealed ? words.mask : words.reveal}
        </button>
        <bonafide-copy .text=${command} label=${words.copyCommand}></bonafide-copy>
      </div>
      ${
        command === ''
          ? html`<p class="blank">${words.noCommand}</p>`
          : html`<pre class="command" tabindex="0" aria-labelledby="request">${shown}</pre>`
      }
      ${
        preview === undefined || command === ''
          ? nothing
          : html`<p class="hint">
              ${words.saveHint}
              ${isMade ? html`<a href=${preview} download=${name}>${words.save}</a>` : nothing}
            </p>`
      }
    </section>`;
  }

  #response() {
    const words = this.#texts.now;
    const exchange = this.progress?.state === 'done' ? this.progress.exchange : undefined;
    return html`<section class="card" aria-labelledby="response">
      <div class="card-head">
        <div class="title">
          <h2 id="response">${words.response}</h2>
          ${
            exchange === undefined
              ? nothing
              : html`<span class="badge ${exchange.status < 400 ? 'live' : 'unsure'}">HTTP ${exchange.status}</span>
                  <code class="id">${exchange.requestId}</code>`
          }
        </div>
        ${
          exchange === undefined
            ? nothing
            : html`<bonafide-copy .text=${exchange.text} label=${words.copyAnswer}></bonafide-copy>`
        }
      </div>
      ${
        exchange === undefined
          ? html`<p class="blank">${this.progress?.state === 'done' ? words.nothingCame : words.none}</p>`
          : html`<pre class="answer" tabindex="0" aria-labelledby="response">${showJson(exchange.text)}</pre>`
      }
    </section>`;
  }
}

customElements.define('try-exchange', ExchangeView);
