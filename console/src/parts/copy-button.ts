/** `<bonafide-copy>`: a button that puts a text into the clipboard and says that it did. */

import { css, html, LitElement } from 'lit';
import { Texts } from '../language.ts';
import { icon } from './icons.ts';
import { base, buttons } from './styles.ts';

const texts = {
  en: { copy: 'Copy', copied: 'Copied', refused: 'Not copied' },
  ko: { copy: '복사', copied: '복사했습니다', refused: '복사하지 못했습니다' },
};

/** How long it says so. */
const saidMs = 2_000;

export class CopyButton extends LitElement {
  static override properties = {
    text: { attribute: false },
    label: {},
    state: { state: true },
  };
  static override styles = [
    base,
    buttons,
    css`
      :host {
        display: inline-block;
      }
    `,
  ];

  /** What is copied. */
  declare text: string;
  /** What it is called for who does not see what it stands beside: "Copy the curl command". */
  declare label: string;
  declare state: 'copy' | 'copied' | 'refused';
  readonly #texts = new Texts(this, texts);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = '';
    this.label = '';
    this.state = 'copy';
  }

  protected override render() {
    return html`<button
        type="button"
        class="quiet compact"
        aria-label=${this.label === '' ? this.#texts.now.copy : this.label}
        @click=${this.#copy}
      >
        ${icon(this.state === 'copied' ? 'check' : 'copy')} ${this.#texts.now[this.state]}
      </button>
      <span class="unseen" role="status">${this.state === 'copy' ? '' : this.#texts.now[this.state]}</span>`;
  }

  async #copy(): Promise<void> {
    // Browsers have no clipboard for pages that came over plain http from another machine.
    try {
      await navigator.clipboard.writeText(this.text);
      this.state = 'copied';
    } catch {
      this.state = 'refused';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.state = 'copy';
    }, saidMs);
  }
}

customElements.define('bonafide-copy', CopyButton);
