/** `<bonafide-try>`: assess pictures, and see what was found. */

import { css, html, LitElement, nothing } from 'lit';
import { language, Texts } from '../language.ts';
import '../parts/dialog.ts';
import { icon } from '../parts/icons.ts';
import { base, buttons, cards, fields } from '../parts/styles.ts';
import './exchange.ts';
import './intake.ts';
import type { PicturesDetail } from './intake.ts';
import { keys, keysChanged } from './keys.ts';
import './keys-panel.ts';
import { dialects, type Picture, Pictures, type View } from './pictures.ts';
import { apiNames, type Found, outcomeOf, pointNames } from './reading.ts';
import './result.ts';
import './stage.ts';
import { isUnderWay } from './strip.ts';
import { pointWords, reasons } from './words.ts';

const texts = {
  en: {
    title: 'Try it',
    lead: 'Is a living person before the camera, or a picture of one?',
    api: 'API',
    point: 'Operating point',
    keys: 'Keys',
    keysMissing: 'Keys needed',
    firstTitle: 'First, the keys',
    firstLead:
      'Open the address that the first start of the server printed: its keys are in it. Or enter them here.',
    camera: 'Take a photograph',
    remove: 'Remove',
    pixels: 'px',
    live: 'live person',
    attack: 'attack',
    no_face: 'no face found',
    unsaid: 'assessed',
  },
  ko: {
    title: '체험하기',
    lead: '카메라 앞에 실제 사람이 있나요, 아니면 사람의 사진인가요?',
    api: 'API',
    point: '판정 기준',
    keys: '키',
    keysMissing: '키 필요',
    firstTitle: '먼저 키를 입력해 주세요',
    firstLead:
      '서버를 처음 시작할 때 출력된 주소를 열면 키가 자동으로 입력됩니다. 또는 여기에 입력해 주세요.',
    camera: '사진 촬영',
    remove: '삭제',
    pixels: 'px',
    live: '실제 사람',
    attack: '위변조 공격',
    no_face: '얼굴을 찾지 못했습니다',
    unsaid: '분석 완료',
  },
};

/** While something is waited for, the seconds that are left are shown anew. */
const tickMs = 500;

export class TryPage extends LitElement {
  static override properties = {
    view: { state: true },
    chosen: { state: true },
    face: { state: true },
    tick: { state: true },
    keysTick: { state: true },
    isKeysOpen: { state: true },
    isCameraOpen: { state: true },
  };
  static override styles = [
    base,
    buttons,
    fields,
    cards,
    css`
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.625rem;
      }
      .tools legend {
        position: absolute;
        clip-path: inset(50%);
      }
      .stack {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
      }
      .first {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 23rem;
        gap: 1.25rem;
        align-items: stretch;
      }
      .first .card-body > p {
        margin-bottom: 1.25rem;
        color: var(--soft);
      }
      .look {
        display: grid;
        grid-template:
          "picture result" auto
          "exchange result" 1fr / minmax(0, 1fr) 25rem;
        gap: 1.25rem;
        align-items: start;
      }
      .picture {
        grid-area: picture;
      }
      try-result {
        grid-area: result;
      }
      try-exchange {
        grid-area: exchange;
      }
      .caption {
        display: flex;
        align-items: center;
        gap: 0.75rem;
        min-height: 3rem;
        padding: 0.5rem 0.5rem 0.5rem 1.25rem;
        border-top: 1px solid var(--line);
        font-size: var(--text-small);
      }
      .caption strong {
        overflow: hidden;
        font-weight: 600;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .caption div {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.75rem;
        min-width: 0;
        margin-right: auto;
      }
      .dot {
        width: 0.5rem;
        height: 0.5rem;
        border-radius: 50%;
        background: var(--unsure);
      }
      @media (max-width: 62rem) {
        .first {
          grid-template-columns: minmax(0, 1fr);
        }
        .look {
          grid-template: "picture" "result" "exchange" / minmax(0, 1fr);
        }
      }
      @media (max-width: 40rem) {
        .page-head {
          gap: 0.75rem;
          margin-bottom: 1.25rem;
        }
        .tools {
          width: 100%;
        }
        .tools fieldset {
          flex: 1;
        }
        .tools .apis {
          flex-basis: 100%;
        }
        .tools .segments {
          display: flex;
        }
      }
    `,
  ];

  declare view: View;
  declare chosen: Picture | undefined;
  declare face: number;
  declare tick: number;
  declare keysTick: number;
  declare isKeysOpen: boolean;
  declare isCameraOpen: boolean;
  readonly #texts = new Texts(this, texts);
  readonly #pictures = new Pictures();
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #keysChanged = () => {
    this.keysTick++;
    this.#pictures.keysChanged();
  };

  constructor() {
    super();
    this.view = { api: 'native', point: 'balanced' };
    this.face = 0;
    this.tick = 0;
    this.keysTick = 0;
    this.isKeysOpen = false;
    this.isCameraOpen = false;
    this.#pictures.addEventListener('change', () => {
      this.tick++;
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener(keysChanged, this.#keysChanged);
    this.#timer = setInterval(() => {
      const progress = this.#pictures.all.map((picture) => this.#pictures.progress(picture, this.view));
      if (progress.some((each) => each?.state === 'waiting')) this.tick++;
    }, tickMs);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener(keysChanged, this.#keysChanged);
    clearInterval(this.#timer);
    this.isCameraOpen = false;
  }

  protected override render() {
    const { title, lead } = this.#texts.now;
    const isEmpty = this.#pictures.all.length === 0;
    return html`
      <div class="page-head">
        <div>
          <h1>${title}</h1>
          <p>${lead}</p>
        </div>
        ${this.#tools()}
      </div>
      <div class="stack">
        ${isEmpty && this.#isKeyless ? this.#first() : this.#intake(!isEmpty)}
        ${isEmpty ? nothing : this.#look()}
      </div>
      <p class="unseen" role="status">${this.#said()}</p>
      ${this.#dialogs()}
    `;
  }

  get #isKeyless(): boolean {
    return dialects[this.view.api].needs.some((name) => keys()[name] === '');
  }

  #tools() {
    const words = this.#texts.now;
    const { api, point } = this.view;
    return html`<div class="tools">
      <fieldset class="apis">
        <legend>${words.api}</legend>
        <div class="segments">
          ${apiNames.map(
            (name) => html`<label>
              <input type="radio" name="api" .checked=${name === api} @change=${() => this.#change({ api: name })} />
              ${dialects[name].title}
            </label>`,
          )}
        </div>
      </fieldset>
      ${
        api === 'argos'
          ? nothing
          : html`<fieldset>
              <legend>${words.point}</legend>
              <div class="segments">
                ${pointNames.map(
                  (name) => html`<label>
                    <input
                      type="radio"
                      name="point"
                      .checked=${name === point}
                      @change=${() => this.#change({ point: name })}
                    />
                    ${pointWords[language()][name]}
                  </label>`,
                )}
              </div>
            </fieldset>`
      }
      <button
        type="button"
        @click=${() => {
          this.isKeysOpen = true;
        }}
      >
        ${icon('key')} ${this.#isKeyless ? html`${words.keysMissing} <span class="dot"></span>` : words.keys}
      </button>
    </div>`;
  }

  #intake(isCompact: boolean) {
    return html`<try-intake
      ?compact=${isCompact}
      @pictures=${this.#add}
      @camera=${this.#openCamera}
    ></try-intake>`;
  }

  #first() {
    const { firstTitle, firstLead } = this.#texts.now;
    return html`<div class="first">
      ${this.#intake(false)}
      <section class="card" aria-labelledby="first">
        <div class="card-head"><h2 id="first">${firstTitle}</h2></div>
        <div class="card-body">
          <p>${firstLead}</p>
          <try-keys></try-keys>
        </div>
      </section>
    </div>`;
  }

  #look() {
    const picture = this.chosen;
    if (picture === undefined) return nothing;
    const { remove, pixels } = this.#texts.now;
    const progress = this.#pictures.progress(picture, this.view);
    const found = this.#found;
    const image = found?.image;
    return html`
      ${
        this.#pictures.all.length > 1
          ? html`<try-strip
              .pictures=${this.#pictures}
              .view=${this.view}
              .chosen=${picture}
              .tick=${this.tick}
              @choose=${(event: CustomEvent<Picture>) => this.#choose(event.detail)}
              @clear=${this.#clear}
            ></try-strip>`
          : nothing
      }
      <div class="look">
        <section class="card picture">
          <try-stage
            .picture=${picture}
            .found=${found}
            .point=${this.view.point}
            .face=${this.face}
            .isWorking=${progress !== undefined && isUnderWay(progress)}
            @face=${this.#chooseFace}
          ></try-stage>
          <div class="caption">
            <div>
            <strong>${picture.name}</strong>
            <span class="faint number">
              ${image === undefined ? nothing : html`${image.width} × ${image.height} ${pixels} · ${image.format.toUpperCase()}`}
            </span>
            </div>
            <button type="button" class="quiet compact" @click=${() => this.#remove(picture)}>
              ${icon('trash')} ${remove}
            </button>
          </div>
        </section>
        <try-result
          .progress=${progress}
          .view=${this.view}
          .face=${this.face}
          .tick=${this.tick}
          @face=${this.#chooseFace}
          @again=${() => this.#pictures.again(picture, this.view)}
          @cancel=${() => this.#pictures.cancel()}
          @keys=${() => {
            this.isKeysOpen = true;
          }}
        ></try-result>
        <try-exchange
          .picture=${picture}
          .progress=${progress}
          .view=${this.view}
          .keysTick=${this.keysTick}
        ></try-exchange>
      </div>
    `;
  }

  #dialogs() {
    const words = this.#texts.now;
    return html`
      <bonafide-dialog
        heading=${words.keys}
        ?open=${this.isKeysOpen}
        @close=${() => {
          this.isKeysOpen = false;
        }}
      >
        ${this.isKeysOpen ? html`<try-keys @done=${this.#keysDone}></try-keys>` : nothing}
      </bonafide-dialog>
      <bonafide-dialog
        heading=${words.camera}
        ?open=${this.isCameraOpen}
        @close=${() => {
          this.isCameraOpen = false;
        }}
      >
        ${
          // Out of the page, it lets go of the camera.
          this.isCameraOpen
            ? customElements.get('bonafide-capture') === undefined
              ? html`<p role="alert">${reasons[language()].unreachable.title}. ${reasons[language()].unreachable.more}</p>`
              : html`<bonafide-capture lang=${language()} @bonafide-capture=${this.#captured}></bonafide-capture>`
            : nothing
        }
      </bonafide-dialog>
    `;
  }

  get #found(): Found | undefined {
    const progress = this.chosen && this.#pictures.progress(this.chosen, this.view);
    return progress?.state === 'done' && progress.reading.kind === 'found' ? progress.reading : undefined;
  }

  /** What came of the picture that is looked at, for who does not see it. */
  #said(): string {
    const picture = this.chosen;
    const progress = picture && this.#pictures.progress(picture, this.view);
    if (picture === undefined || progress?.state !== 'done') return '';
    const { reading } = progress;
    const outcome =
      reading.kind === 'found'
        ? this.#texts.now[outcomeOf(reading, this.view.point)]
        : reasons[language()][reading.reason].title;
    return `${picture.name}: ${outcome}`;
  }

  readonly #add = (event: CustomEvent<PicturesDetail>) => {
    const added = this.#pictures.add(event.detail.sources);
    for (const picture of added) this.#pictures.ask(picture, this.view);
    this.#choose(added[0]);
  };

  #choose(picture: Picture | undefined): void {
    this.chosen = picture;
    this.face = 0;
    if (picture !== undefined) this.#pictures.ask(picture, this.view);
  }

  readonly #chooseFace = (event: CustomEvent<number>) => {
    this.face = event.detail;
  };

  #change(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    if (this.chosen === undefined) return;
    this.#pictures.ask(this.chosen, this.view);
    this.face = 0;
  }

  #remove(picture: Picture): void {
    const at = this.#pictures.all.indexOf(picture);
    this.#pictures.remove(picture);
    const { all } = this.#pictures;
    this.#choose(all[at] ?? all.at(-1));
  }

  readonly #clear = () => {
    for (const picture of this.#pictures.all) this.#pictures.remove(picture);
    this.chosen = undefined;
  };

  readonly #keysDone = () => {
    this.isKeysOpen = false;
  };

  readonly #openCamera = async () => {
    // Where its script does not come, the window says so.
    await import('../capture/element.ts').catch(() => {});
    this.isCameraOpen = true;
  };

  readonly #captured = (event: CustomEvent<{ image: Blob }>) => {
    const { image } = event.detail;
    this.isCameraOpen = false;
    const file = new File([image], 'photograph.jpg', { type: image.type });
    this.#add(new CustomEvent('pictures', { detail: { sources: [{ source: { file }, isMade: true }] } }));
  };
}

customElements.define('bonafide-try', TryPage);
