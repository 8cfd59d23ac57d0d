/** The frame of the console: its navigation, and the page that the address names. */

import { css, html, LitElement } from 'lit';

class Console extends LitElement {
  static override styles = css`
    main {
      max-width: 72rem;
      margin: 0 auto;
      padding: 1rem;
    }
  `;

  protected override render() {
    return html`<main><h1>bonafide</h1></main>`;
  }
}

customElements.define('bonafide-console', Console);
