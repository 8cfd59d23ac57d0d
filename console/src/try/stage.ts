/** `<try-stage>`: the picture, and over it what was found, crisp at any size. */

import { css, html, LitElement, nothing, svg } from 'lit';
import { language, Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { badges, base } from '../parts/styles.ts';
import type { Picture } from './pictures.ts';
import { type FaceBox, type Found, type FoundFace, landmarkNames, type PointName } from './reading.ts';
import { landmarkWords, probability } from './words.ts';

const texts = {
  en: {
    picture: 'The picture:',
    face: 'Face',
    live: 'Live',
    attack: 'Attack',
    byAddress:
      'The server loaded this picture itself. Your browser did not, so only what was found is drawn.',
    unshown: 'Your browser cannot show this picture. What was found is drawn on plain ground.',
    unshownBare: 'Your browser cannot show this picture.',
    notDrawn: 'This API says nothing of where a face is.',
  },
  ko: {
    picture: '이미지:',
    face: '얼굴',
    live: '실제 사람',
    attack: '공격',
    byAddress: '이 이미지는 서버가 직접 불러왔습니다. 브라우저에는 없으므로 검출 결과만 표시합니다.',
    unshown: '브라우저가 표시할 수 없는 이미지입니다. 검출 결과만 표시합니다.',
    unshownBare: '브라우저가 표시할 수 없는 이미지입니다.',
    notDrawn: '이 API는 얼굴 위치를 알려주지 않습니다.',
  },
};

/** Width and height of the overlay. In fractions of the picture WebKit draws nothing: its lines would be hundreds of units wide. */
const units = 1000;

/** Fires `face` with the number of the face that was chosen. */
export class Stage extends LitElement {
  static override properties = {
    picture: { attribute: false },
    found: { attribute: false },
    point: { attribute: false },
    face: { attribute: false },
    isWorking: { attribute: false },
    size: { state: true },
    isUnshown: { state: true },
  };
  static override styles = [
    base,
    badges,
    css`
      .ground {
        display: grid;
        place-items: center;
        min-height: 14rem;
        padding: 1rem;
        border-radius: var(--radius) var(--radius) 0 0;
        background: var(--sunken);
        overflow: hidden;
      }
      .frame {
        --height: min(64dvh, 44rem);
        position: relative;
        width: min(100%, calc(var(--height) * var(--ratio)), calc(var(--pixels) * 3px));
        aspect-ratio: var(--ratio);
      }
      .frame.plain {
        border-radius: 4px;
        background:
          repeating-linear-gradient(45deg, transparent 0 9px, color-mix(in srgb, var(--line) 60%, transparent) 9px 10px),
          var(--surface);
        box-shadow: inset 0 0 0 1px var(--line);
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
        border-radius: 4px;
      }
      .unsized img {
        width: auto;
        max-width: 100%;
        height: auto;
        max-height: 64dvh;
      }
      .unsized {
        width: auto;
        aspect-ratio: auto;
      }
      .working img {
        animation: wait 1.4s ease-in-out infinite alternate;
      }
      @keyframes wait {
        to {
          opacity: 0.55;
        }
      }
      svg.overlay {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        overflow: visible;
        pointer-events: none;
      }
      .overlay * {
        fill: none;
        vector-effect: non-scaling-stroke;
      }
      .overlay .halo {
        stroke: #04100ea8;
      }
      .overlay rect {
        stroke: #ffffff;
        stroke-width: 2.5px;
      }
      .overlay rect.halo {
        stroke-width: 4.5px;
      }
      .overlay rect.live {
        stroke: #34e27f;
      }
      .overlay rect.attack {
        stroke: #ff5d55;
      }
      .overlay .others rect:not(.halo) {
        stroke-width: 1.5px;
      }
      .overlay .others {
        opacity: 0.85;
      }
      .overlay path {
        stroke: #ffffff;
        stroke-width: 6px;
        stroke-linecap: round;
      }
      .overlay path.halo {
        stroke: #04100ec4;
        stroke-width: 9px;
      }
      .overlay path.fine {
        stroke-width: 3.5px;
      }
      .overlay path.fine.halo {
        stroke-width: 5.5px;
      }
      .spot {
        position: absolute;
        margin: 0;
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        cursor: pointer;
      }
      .spot:focus-visible {
        outline: 3px solid #ffffff;
        outline-offset: 3px;
        box-shadow: 0 0 0 8px #04100ea8;
      }
      .tag {
        position: absolute;
        left: -1px;
        bottom: calc(100% + 5px);
        padding: 0.0625rem 0.4375rem;
        border-radius: 6px;
        background: #0b1413e0;
        color: #ffffff;
        font-weight: 600;
        font-size: 0.75rem;
        line-height: 1.5;
        white-space: nowrap;
        font-variant-numeric: tabular-nums;
      }
      .tag::before {
        display: inline-block;
        width: 0.5rem;
        height: 0.5rem;
        margin-right: 0.375rem;
        border-radius: 50%;
        background: #ffffff;
        content: "";
      }
      .live .tag::before {
        background: #34e27f;
      }
      .attack .tag::before {
        background: #ff5d55;
      }
      .high .tag {
        top: calc(100% + 5px);
        bottom: auto;
      }
      .whole .tag {
        top: 6px;
        bottom: auto;
        left: 6px;
      }
      .mark {
        position: absolute;
        width: 24px;
        height: 24px;
        margin: -12px 0 0 -12px;
        border-radius: 50%;
        cursor: help;
      }
      .mark:focus-visible {
        outline: 2px solid #ffffff;
        outline-offset: -2px;
        box-shadow: 0 0 0 2px #04100ec4;
      }
      .mark span {
        position: absolute;
        z-index: 2;
        bottom: calc(100% - 2px);
        left: 50%;
        padding: 0.125rem 0.5rem;
        border-radius: 6px;
        background: #0b1413f0;
        color: #ffffff;
        font-weight: 550;
        font-size: 0.75rem;
        white-space: nowrap;
        opacity: 0;
        transform: translateX(-50%);
        pointer-events: none;
      }
      .mark:is(:hover, :focus-visible) span {
        opacity: 1;
      }
      .note {
        max-width: 34rem;
        padding: 0.75rem 0 0;
        color: var(--faint);
        font-size: var(--text-small);
        text-align: center;
      }
      .missing {
        display: grid;
        justify-items: center;
        gap: 0.75rem;
        padding: 3rem 1rem;
        color: var(--faint);
        text-align: center;
      }
      .missing svg.icon {
        width: 3rem;
        height: 3rem;
        stroke-width: 1.25;
      }
    `,
  ];

  declare picture: Picture;
  /** What the answer says, where there is one. */
  declare found: Found | undefined;
  declare point: PointName;
  /** Number of the face that is looked at. */
  declare face: number;
  declare isWorking: boolean;
  /** Of the picture as the browser shows it: upright, in pixels. */
  declare size: { width: number; height: number } | undefined;
  declare isUnshown: boolean;
  readonly #texts = new Texts(this, texts);

  constructor() {
    super();
    this.face = 0;
    this.isWorking = false;
    this.isUnshown = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('picture')) return;
    this.size = undefined;
    this.isUnshown = this.picture.preview === undefined;
  }

  protected override render() {
    const { byAddress, unshown, unshownBare, notDrawn } = this.#texts.now;
    const { picture, found } = this;
    const isDrawn = found?.faces.some(({ box }) => box !== undefined) ?? false;
    const measured = found?.image;
    const isPlain = this.#isPlain;
    if (isPlain && (measured === undefined || !isDrawn)) {
      return html`<div class="ground">
        <div class="missing">
          ${icon('image')}
          <p>${'url' in picture.source ? picture.source.url : unshownBare}</p>
        </div>
      </div>`;
    }
    const size = isPlain ? measured : this.size;
    const note = isPlain
      ? 'url' in picture.source
        ? byAddress
        : unshown
      : found !== undefined && found.faces.length > 0 && !isDrawn
        ? notDrawn
        : undefined;
    return html`<div class="ground">
      <div
        class="frame ${isPlain ? 'plain' : ''} ${size === undefined ? 'unsized' : ''} ${this.isWorking ? 'working' : ''}"
        .style=${size === undefined ? '' : `--ratio: ${size.width / size.height}; --pixels: ${size.width}`}
      >
        ${
          isPlain
            ? nothing
            : html`<img
                src=${picture.preview ?? ''}
                alt="${this.#texts.now.picture} ${picture.name}"
                @load=${this.#loaded}
                @error=${this.#unshown}
              />`
        }
        ${isDrawn && size !== undefined ? this.#overlay(found?.faces ?? []) : nothing}
      </div>
      ${note === undefined ? nothing : html`<p class="note">${note}</p>`}
    </div>`;
  }

  /**
   * Whether there is no picture to draw on: none that the browser has or can show, or one that it shows another way
   * round than the server, whose coordinates would lie elsewhere.
   */
  get #isPlain(): boolean {
    if (this.isUnshown) return true;
    const measured = this.found?.image;
    if (measured === undefined || this.size === undefined) return false;
    return measured.width !== this.size.width || measured.height !== this.size.height;
  }

  #overlay(faces: readonly FoundFace[]) {
    const order = faces.map((face, at) => ({ face, at })).filter(({ face }) => face.box !== undefined);
    const chosen = order.find(({ at }) => at === this.face);
    return html`
      <svg class="overlay" viewBox="0 0 ${units} ${units}" preserveAspectRatio="none" aria-hidden="true">
        <g class="others">${order.filter((one) => one !== chosen).map(({ face }) => this.#drawing(face, true))}</g>
        <g class="chosen">${chosen === undefined ? nothing : this.#drawing(chosen.face, false)}</g>
      </svg>
      ${order.map(({ face, at }) => this.#spot(face, at, faces.length))}
      ${chosen === undefined ? nothing : this.#marks(chosen.face)}
    `;
  }

  #drawing({ box, landmarks, verdicts }: FoundFace, isAside: boolean) {
    if (box === undefined) return nothing;
    const { x0, y0, x1, y1 } = box;
    const rectangle = (name: string) =>
      svg`<rect class=${name} x=${x0 * units} y=${y0 * units} width=${(x1 - x0) * units} height=${(y1 - y0) * units} />`;
    // On a small face, large dots would hide it.
    const dots = isAside || x1 - x0 < 0.12 ? 'fine' : '';
    // A line without length is a dot of the line's width, at every scale.
    const points =
      landmarks === undefined
        ? ''
        : landmarkNames
            .map((name) => `M${landmarks[name].x * units} ${landmarks[name].y * units}h0`)
            .join('');
    return svg`${rectangle('halo')}${rectangle(verdicts[this.point] ?? '')}
      <path class="halo ${dots}" d=${points} /><path class=${dots} d=${points} />`;
  }

  #spot({ box, score, verdicts }: FoundFace, at: number, count: number) {
    if (box === undefined) return nothing;
    const { face, live, attack } = this.#texts.now;
    const verdict = verdicts[this.point];
    const word = verdict === undefined ? '' : { live, attack }[verdict];
    const number = count > 1 ? `${at + 1}` : '';
    const value = score === undefined ? '' : probability(score);
    return html`<button
      type="button"
      class="spot ${verdict ?? ''} ${placeOf(box)}"
      .style=${`left: ${100 * box.x0}%; top: ${100 * box.y0}%; width: ${100 * (box.x1 - box.x0)}%; height: ${100 * (box.y1 - box.y0)}%`}
      aria-label="${face} ${at + 1}: ${word} ${value}"
      aria-pressed=${at === this.face}
      @click=${() => this.dispatchEvent(new CustomEvent('face', { detail: at }))}
    >
      ${
        count > 4 && at !== this.face
          ? nothing
          : html`<span class="tag">${[number, word].filter((part) => part !== '').join(' · ')}</span>`
      }
    </button>`;
  }

  #marks({ landmarks }: FoundFace) {
    if (landmarks === undefined) return nothing;
    const words = landmarkWords[language()];
    return landmarkNames.map(
      (name) => html`<span
        class="mark"
        role="img"
        tabindex="0"
        data-point=${name}
        aria-label=${words[name]}
        .style=${`left: ${100 * landmarks[name].x}%; top: ${100 * landmarks[name].y}%`}
        ><span>${words[name]}</span></span
      >`,
    );
  }

  #loaded(event: Event): void {
    const { naturalWidth: width, naturalHeight: height } = event.target as HTMLImageElement;
    this.size = { width, height };
  }

  #unshown(): void {
    this.isUnshown = true;
  }
}

/** Where the tag of a box stands: above it, where the picture leaves room there, else below, else within. */
function placeOf({ y0, y1 }: FaceBox): 'high' | 'whole' | '' {
  if (y0 >= 0.07) return '';
  return y1 <= 0.93 ? 'high' : 'whole';
}

customElements.define('try-stage', Stage);
