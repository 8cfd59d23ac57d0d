/** `<try-intake>`: where pictures come from: dropped, chosen, pasted, by address, from the camera, or our drawing. */

import { css, html, LitElement } from 'lit';
import portrait from '../../../assets/portrait.svg?url';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { base, buttons, fields } from '../parts/styles.ts';
import type { Source } from './dialect.ts';
import { photographDrawing } from './drawing.ts';

const texts = {
  en: {
    drop: 'Drop photographs of faces here',
    dropMore: 'Drop or paste more',
    touch: 'Choose a photograph of a face',
    paste: 'or paste one from the clipboard',
    choose: 'Choose files',
    camera: 'Take a photograph',
    cameraShort: 'Camera',
    address: 'Address of a picture',
    placeholder: 'https://example.com/photo.jpg',
    load: 'Assess',
    noAddress: 'This is no http or https address.',
    sample: 'No picture at hand? Try our drawing',
    privacy: 'A picture goes to this server alone, which does not store it.',
  },
  ko: {
    drop: '얼굴 사진을 여기에 끌어다 놓으세요',
    dropMore: '사진을 더 끌어다 놓거나 붙여넣으세요',
    touch: '얼굴 사진을 선택해 주세요',
    paste: '또는 클립보드에서 붙여넣으세요',
    choose: '파일 선택',
    camera: '사진 촬영',
    cameraShort: '카메라',
    address: '이미지 주소',
    placeholder: 'https://example.com/photo.jpg',
    load: '분석',
    noAddress: 'http 또는 https 주소가 아닙니다.',
    sample: '사진이 없으신가요? 그림으로 체험하기',
    privacy: '사진은 이 서버로만 전송되며 저장되지 않습니다.',
  },
};

export interface PicturesDetail {
  readonly sources: readonly { source: Source; isMade?: boolean }[];
}

/** Fires `pictures` with what was given, and `camera` where one is to be taken. */
export class Intake extends LitElement {
  static override properties = {
    compact: { type: Boolean, reflect: true },
    isOver: { state: true },
    isWrong: { state: true },
  };
  static override styles = [
    base,
    buttons,
    fields,
    css`
      .zone {
        display: grid;
        justify-items: center;
        align-content: center;
        gap: 1rem;
        height: 100%;
        min-height: 25rem;
        padding: 2rem 1.5rem;
        border: 1.5px dashed var(--line-strong);
        border-radius: var(--radius);
        background: var(--surface);
        text-align: center;
        transition:
          border-color 0.12s,
          background-color 0.12s;
      }
      .zone.over {
        border-color: var(--accent);
        background: var(--accent-tint);
      }
      .mark {
        display: grid;
        place-items: center;
        width: 4.5rem;
        height: 4.5rem;
        border-radius: 1.25rem;
        background: var(--accent-tint);
        color: var(--accent);
      }
      .mark svg.icon {
        width: 2.5rem;
        height: 2.5rem;
        stroke-width: 1.4;
      }
      .lead {
        font-weight: 620;
        font-size: var(--text-large);
        letter-spacing: -0.01em;
      }
      .lead .hint {
        font-weight: 400;
        letter-spacing: 0;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 0.5rem;
      }
      form {
        display: flex;
        gap: 0.5rem;
        width: min(100%, 27rem);
      }
      .sample {
        min-height: 1.5rem;
        padding: 0;
        border: 0;
        background: none;
        box-shadow: none;
        color: var(--accent);
        font-weight: 500;
        text-decoration: underline;
        text-underline-offset: 0.2em;
        text-decoration-thickness: 1px;
        white-space: normal;
      }
      .sample:hover {
        background: none;
        color: var(--accent-hover);
      }
      :host([compact]) .zone {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-start;
        align-items: center;
        gap: 0.75rem;
        min-height: 0;
        padding: 0.75rem 0.75rem 0.75rem 1rem;
        text-align: left;
      }
      :host([compact]) .lead {
        margin-right: auto;
        color: var(--soft);
        font-weight: 500;
        font-size: var(--text);
        letter-spacing: 0;
      }
      :host([compact]) form {
        flex: 1 1 18rem;
        max-width: 26rem;
      }
      :host([compact]) :is(.mark, .extra) {
        display: none;
      }
      @media (max-width: 40rem) {
        .zone {
          min-height: 22rem;
          padding: 1.5rem 1rem;
        }
        :host([compact]) .lead {
          display: none;
        }
        :host([compact]) .ways {
          width: 100%;
        }
        :host([compact]) .ways > * {
          flex: 1;
        }
        :host([compact]) form {
          max-width: none;
        }
      }
    `,
  ];

  /** One line, beside pictures that are there. */
  declare compact: boolean;
  declare isOver: boolean;
  /** Whether the address is none. */
  declare isWrong: boolean;
  readonly #texts = new Texts(this, texts);
  readonly #whileConnected = [
    ['dragover', (event: Event) => this.#over(event as DragEvent)],
    ['dragleave', (event: Event) => this.#leave(event as DragEvent)],
    ['drop', (event: Event) => this.#drop(event as DragEvent)],
    ['paste', (event: Event) => this.#paste(event as ClipboardEvent)],
  ] as const;

  constructor() {
    super();
    this.compact = false;
    this.isOver = false;
    this.isWrong = false;
  }

  /** The whole page takes pictures: a drop beside the field would have the browser open the file instead. */
  override connectedCallback(): void {
    super.connectedCallback();
    for (const [type, listener] of this.#whileConnected) addEventListener(type, listener);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const [type, listener] of this.#whileConnected) removeEventListener(type, listener);
  }

  protected override render() {
    const {
      drop,
      dropMore,
      touch,
      paste,
      choose,
      camera,
      cameraShort,
      address,
      placeholder,
      load,
      noAddress,
      sample,
      privacy,
    } = this.#texts.now;
    // Fingers drop and paste nothing.
    const isTouched = matchMedia('(pointer: coarse)').matches;
    return html`
      <div class="zone ${this.isOver ? 'over' : ''}">
        <span class="mark">${icon('face')}</span>
        <div class="lead">
          ${this.compact ? dropMore : isTouched ? touch : drop}
          <p class="hint extra" ?hidden=${isTouched}>${paste}</p>
        </div>
        <div class="ways">
          <button type="button" class=${this.compact ? '' : 'primary'} @click=${this.#choose}>
            ${icon('upload')} ${choose}
          </button>
          <button type="button" @click=${() => this.dispatchEvent(new Event('camera'))}>
            ${icon('camera')} ${this.compact ? cameraShort : camera}
          </button>
          <input type="file" accept="image/*,.heic,.heif" multiple hidden tabindex="-1" @change=${this.#chosen} />
        </div>
        <form novalidate @submit=${this.#load}>
          <input
            type="url"
            name="url"
            inputmode="url"
            autocomplete="off"
            aria-label=${address}
            aria-invalid=${this.isWrong}
            aria-describedby="wrong"
            placeholder=${placeholder}
            @input=${() => {
              this.isWrong = false;
            }}
          />
          <button type="submit">${load}</button>
        </form>
        <p class="fault" id="wrong" role="alert" ?hidden=${!this.isWrong}>${noAddress}</p>
        <button type="button" class="sample extra" @click=${this.#sample}>${sample}</button>
        <p class="hint extra">${privacy}</p>
      </div>
    `;
  }

  #give(sources: PicturesDetail['sources']): void {
    if (sources.length === 0) return;
    this.dispatchEvent(new CustomEvent<PicturesDetail>('pictures', { detail: { sources } }));
  }

  #giveFiles(files: Iterable<File>): void {
    this.#give(Array.from(files, (file) => ({ source: { file } })));
  }

  #choose(): void {
    this.renderRoot.querySelector<HTMLInputElement>('input[type="file"]')?.click();
  }

  #chosen(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.#giveFiles(input.files ?? []);
    // Else the same file could not be chosen again.
    input.value = '';
  }

  #load(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = String(new FormData(form).get('url') ?? '').trim();
    this.isWrong = !isAddress(given);
    if (this.isWrong) return;
    form.reset();
    this.#give([{ source: { url: given } }]);
  }

  async #sample(): Promise<void> {
    const file = await photographDrawing(portrait, 'portrait.jpg');
    this.#give([{ source: { file }, isMade: true }]);
  }

  #over(event: DragEvent): void {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    this.isOver = true;
  }

  #leave(event: DragEvent): void {
    // Out of the window, and not from one element to another.
    if (event.relatedTarget === null) this.isOver = false;
  }

  #drop(event: DragEvent): void {
    this.isOver = false;
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    this.#giveFiles(event.dataTransfer.files);
  }

  #paste(event: ClipboardEvent): void {
    const { clipboardData } = event;
    if (clipboardData === null) return;
    if (clipboardData.files.length > 0) {
      event.preventDefault();
      // What is pasted has no name of its own, or the same one every time.
      this.#give(Array.from(clipboardData.files, (file) => ({ source: { file }, isMade: true })));
      return;
    }
    if (event.composedPath()[0] instanceof HTMLInputElement) return;
    const text = clipboardData.getData('text').trim();
    if (isAddress(text)) this.#give([{ source: { url: text } }]);
  }
}

function isAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol);
}

customElements.define('try-intake', Intake);
