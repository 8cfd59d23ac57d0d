/** `<bonafide-dialog>`: a window over the page, by the browser's own `<dialog>`: it holds the focus, and Escape closes it. */

import { css, html, LitElement } from 'lit';
import { Texts } from '../language.ts';
import { icon } from './icons.ts';
import { base, buttons, cards } from './styles.ts';

const texts = { en: { close: 'Close' }, ko: { close: '닫기' } };

/** Its content is what stands in it; the slot `actions` is its foot. Fires `close` when it is closed, however that was. */
export class Dialog extends LitElement {
  static override properties = { heading: {}, open: { type: Boolean, reflect: true } };
  static override styles = [
    base,
    buttons,
    cards,
    css`
      dialog {
        width: min(var(--dialog-width, 32rem), calc(100vw - 2rem));
        max-height: calc(100dvh - 2rem);
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--ink);
        box-shadow: var(--shadow-high);
      }
      dialog::backdrop {
        background: #0a1112a6;
      }
      .card-head {
        position: sticky;
        top: 0;
        z-index: 1;
        flex-wrap: nowrap;
        background: var(--surface);
        padding-right: 0.75rem;
      }
      slot[name="actions"] {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 0.5rem;
        padding: 0 1.25rem 1.25rem;
      }
      slot[name="actions"].bare {
        display: none;
      }
    `,
  ];

  declare heading: string;
  declare open: boolean;
  readonly #texts = new Texts(this, texts);

  constructor() {
    super();
    this.heading = '';
    this.open = false;
  }

  protected override render() {
    return html`<dialog aria-labelledby="heading" @close=${this.#closed} @click=${this.#clicked}>
      <div class="card-head">
        <h2 id="heading">${this.heading}</h2>
        <button type="button" class="quiet icon-only" aria-label=${this.#texts.now.close} @click=${this.#close}>
          ${icon('close')}
        </button>
      </div>
      <div class="card-body"><slot></slot></div>
      <slot name="actions" class="bare" @slotchange=${this.#noteActions}></slot>
    </dialog>`;
  }

  protected override updated(): void {
    const dialog = this.#dialog;
    if (this.open && !dialog.open) dialog.showModal();
    if (!this.open && dialog.open) dialog.close();
  }

  get #dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector('dialog') as HTMLDialogElement;
  }

  readonly #close = () => this.#dialog.close();

  #closed(): void {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  }

  /** A click on the dialog itself, and not on what is in it, is one beside it. */
  #clicked(event: MouseEvent): void {
    if (event.target === this.#dialog) this.#close();
  }

  #noteActions(event: Event): void {
    const slot = event.target as HTMLSlotElement;
    slot.classList.toggle('bare', slot.assignedElements().length === 0);
  }
}

customElements.define('bonafide-dialog', Dialog);
