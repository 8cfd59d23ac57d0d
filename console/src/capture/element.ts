/** `<bonafide-capture>`: takes a photograph of a face, with guidance, on any site. */

import { html, LitElement } from 'lit';

export class BonafideCapture extends LitElement {
  protected override render() {
    return html`<p>capture</p>`;
  }
}

customElements.define('bonafide-capture', BonafideCapture);
