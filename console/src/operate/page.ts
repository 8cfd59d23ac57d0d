/** What the pages for who runs the server have in common: who is not signed in signs in there, and stays there. */

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { Address } from '../address.ts';
import type { ApiError } from '../api.ts';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import type { Load } from './load.ts';
import { SignedIn, signOut } from './session.ts';
import { operate } from './styles.ts';
import './sign-in.ts';

const texts = {
  en: {
    loading: 'Loading …',
    failed: 'That did not work.',
    unreachable: 'The server cannot be reached.',
    again: 'Try again',
    signedInAs: 'Signed in as',
    signOut: 'Sign out',
  },
  ko: {
    loading: '불러오는 중입니다…',
    failed: '요청을 처리하지 못했습니다.',
    unreachable: '서버에 연결할 수 없습니다.',
    again: '다시 시도',
    signedInAs: '로그인 계정:',
    signOut: '로그아웃',
  },
};

export abstract class OperatePage extends LitElement {
  static override styles = operate;

  /** The first part of the address of this page. */
  protected abstract readonly path: string;
  protected readonly address = new Address(this);
  protected readonly signedIn = new SignedIn(this);
  readonly #texts = new Texts(this, texts);
  #asked: string | undefined;
  #signOutError: ApiError | undefined;

  /** Asks the server for what the address names. Runs when the page is shown, when the address changes, and after signing in. */
  protected abstract ask(): void;
  /** The page itself, for who is signed in. */
  protected abstract content(): TemplateResult;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#asked = undefined;
    this.requestUpdate();
  }

  /** What of the address the answer hangs on. */
  protected get question(): string {
    const { path, query } = this.address.now;
    return `${path}?${query}`;
  }

  protected override updated(): void {
    const { path } = this.address.now;
    const isShown = path === this.path || path.startsWith(`${this.path}/`);
    if (!this.isConnected || !isShown) return;
    const asked = this.signedIn.now === undefined ? undefined : this.question;
    if (asked === this.#asked) return;
    this.#asked = asked;
    if (asked !== undefined) this.ask();
  }

  protected override render() {
    const session = this.signedIn.now;
    if (session === undefined) return html`<bonafide-sign-in></bonafide-sign-in>`;
    return this.content();
  }

  /** The head of a page, with who is signed in. */
  protected head(
    title: string,
    lead: string | typeof nothing = nothing,
    back?: { href: string; name: string },
  ) {
    const { signedInAs, signOut: out } = this.#texts.now;
    return html`
      <div class="page-head">
        <div>
          ${back ? html`<a class="back" href=${back.href}>${icon('chevron-right')}${back.name}</a>` : nothing}
          <h1>${title}</h1>
          ${lead === nothing ? nothing : html`<p>${lead}</p>`}
        </div>
        <div class="who">
          <span>${signedInAs} <strong>${this.signedIn.now?.administrator.name}</strong></span>
          <button type="button" class="quiet compact" @click=${this.#signOut}>${out}</button>
        </div>
      </div>
      ${this.#signOutError ? this.failure(this.#signOutError) : nothing}
    `;
  }

  /** What was asked for, or that it is under way, or why it is not there. */
  protected loaded<T>(load: Load<T>, show: (value: T) => TemplateResult) {
    if (load.error !== undefined) return this.failure(load.error, () => this.ask());
    if (load.value === undefined) {
      return html`<div class="card skeleton" role="status">
        <i></i><i></i><i></i><span class="unseen">${this.#texts.now.loading}</span>
      </div>`;
    }
    return html`<div class=${load.isUnderWay ? 'busy' : nothing} aria-busy=${load.isUnderWay}>
      ${show(load.value)}
    </div>`;
  }

  /** @param again what trying again does; without it there is no button. */
  protected failure(error: ApiError, again?: () => void) {
    const { failed, unreachable, again: label } = this.#texts.now;
    return html`<div class="notice attack" role="alert">
      ${icon('alert')}
      <div>
        <strong>${error.code === 'unreachable' ? unreachable : failed}</strong>
        ${error.code === 'unreachable' ? nothing : html`<p>${error.message}</p>`}
        ${again ? html`<p><button type="button" class="compact" @click=${again}>${label}</button></p>` : nothing}
      </div>
    </div>`;
  }

  async #signOut(): Promise<void> {
    this.#signOutError = undefined;
    try {
      await signOut();
    } catch (error) {
      this.#signOutError = error as ApiError;
    }
    this.requestUpdate();
  }
}
