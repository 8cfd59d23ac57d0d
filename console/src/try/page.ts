/** `<bonafide-try>`: assess pictures, and see what was found. */

import { html, LitElement } from 'lit';
import { Texts } from '../language.ts';
import { base, cards } from '../parts/styles.ts';

const texts = { en: { title: 'Try it' }, ko: { title: '체험하기' } };

export class TryPage extends LitElement {
  static override styles = [base, cards];
  readonly #texts = new Texts(this, texts);

  protected override render() {
    return html`<div class="page-head"><h1>${this.#texts.now.title}</h1></div>`;
  }
}

customElements.define('bonafide-try', TryPage);
