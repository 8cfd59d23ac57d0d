/** `<bonafide-sign-in>`: asks for an admin token, for a session that ends by itself. */

import { css, html, LitElement, nothing } from 'lit';
import type { ApiError } from '../api.ts';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { base, buttons, cards, fields, notices } from '../parts/styles.ts';
import { SignedIn, signIn } from './session.ts';

const texts = {
  en: {
    title: 'Sign in',
    lead: 'Apps, keys, usage and the log are for who runs this server.',
    token: 'Admin token',
    hint: 'The first start of the server printed one.',
    more: 'To make another, run:',
    enter: 'Sign in',
    under: 'Signing in …',
    show: 'Show the token',
    hide: 'Hide the token',
    wrong: 'This is no admin token of this server, or it was revoked or has expired.',
    tooMany: (seconds: number) => `Too many wrong tokens came from your address. Try again in ${seconds} s.`,
    unreachable: 'The server cannot be reached.',
    ended: 'Your session has ended. Sign in to go on where you were.',
    kept: 'You stay signed in for 12 hours. The token is not kept in this browser.',
  },
  ko: {
    title: '로그인',
    lead: '앱, 키, 사용량, 거래 내역은 서버 관리자만 볼 수 있습니다.',
    token: '관리자 토큰',
    hint: '서버를 처음 시작할 때 출력된 토큰을 입력해 주세요.',
    more: '새 토큰은 다음 명령으로 만들 수 있습니다.',
    enter: '로그인',
    under: '로그인 중입니다…',
    show: '토큰 표시',
    hide: '토큰 숨기기',
    wrong: '이 서버의 관리자 토큰이 아니거나, 폐기 또는 만료된 토큰입니다.',
    tooMany: (seconds: number) =>
      `이 주소에서 잘못된 토큰이 너무 많이 입력되었습니다. ${seconds}초 후에 다시 시도해 주세요.`,
    unreachable: '서버에 연결할 수 없습니다.',
    ended: '세션이 종료되었습니다. 다시 로그인하면 보던 화면으로 돌아갑니다.',
    kept: '로그인은 12시간 동안 유지되며, 토큰은 이 브라우저에 저장되지 않습니다.',
  },
};

class SignIn extends LitElement {
  static override properties = {
    error: { state: true },
    isUnderWay: { state: true },
    isShown: { state: true },
  };
  static override styles = [
    base,
    buttons,
    fields,
    cards,
    notices,
    css`
      .card {
        max-width: 27rem;
        margin: 4vh auto 0;
      }
      form {
        display: grid;
        gap: 1.25rem;
        padding: 2rem;
      }
      .mark {
        width: 2.25rem;
        height: 2.25rem;
        color: var(--accent);
      }
      .mark svg.icon {
        width: 100%;
        height: 100%;
      }
      h1 + p {
        margin-top: 0.375rem;
        color: var(--faint);
      }
      .secret {
        position: relative;
      }
      .secret input {
        padding-right: 3rem;
        font-family: var(--mono);
      }
      .secret button {
        position: absolute;
        top: 0;
        right: 0;
      }
      button.primary {
        width: 100%;
        min-height: 2.625rem;
      }
      .hint code {
        display: block;
        margin-top: 0.25rem;
        overflow-wrap: anywhere;
        color: var(--soft);
      }
      @media (max-width: 30rem) {
        form {
          padding: 1.25rem;
        }
      }
    `,
  ];

  declare error: ApiError | undefined;
  declare isUnderWay: boolean;
  declare isShown: boolean;
  readonly #texts = new Texts(this, texts);
  readonly #signedIn = new SignedIn(this);

  constructor() {
    super();
    this.isUnderWay = false;
    this.isShown = false;
  }

  protected override render() {
    const { title, lead, token, hint, more, enter, under, show, hide, ended, kept } = this.#texts.now;
    return html`<div class="card">
      <form @submit=${this.#submit} autocomplete="off">
        <div class="mark">${icon('shield-check')}</div>
        <div>
          <h1>${title}</h1>
          <p>${lead}</p>
        </div>
        ${
          this.#signedIn.isEnded
            ? html`<div class="notice unsure" role="status">${icon('clock')}<span>${ended}</span></div>`
            : nothing
        }
        <div class="field">
          <label for="token">${token}</label>
          <div class="secret">
            <input
              id="token"
              name="token"
              type=${this.isShown ? 'text' : 'password'}
              required
              maxlength="1000"
              autocomplete="off"
              autocapitalize="none"
              spellcheck="false"
              placeholder="bft_…"
              aria-invalid=${this.error ? 'true' : nothing}
              aria-describedby=${this.error ? 'fault hint' : 'hint'}
            />
            <button
              type="button"
              class="quiet icon-only"
              aria-label=${this.isShown ? hide : show}
              @click=${() => {
                this.isShown = !this.isShown;
              }}
            >
              ${icon(this.isShown ? 'eye-off' : 'eye')}
            </button>
          </div>
          <span class="fault" id="fault" role="alert">${this.error ? this.#sentence(this.error) : nothing}</span>
          <span class="hint" id="hint"
            >${hint} ${more} <code>node bin/bonafide.js admin-tokens create console</code></span
          >
        </div>
        <button class="primary" aria-disabled=${this.isUnderWay ? 'true' : nothing}>
          ${this.isUnderWay ? under : enter}
        </button>
        <p class="hint">${kept}</p>
      </form>
    </div>`;
  }

  #sentence({ code, message, retryAfterSeconds = 60 }: ApiError): string {
    const { wrong, tooMany, unreachable } = this.#texts.now;
    if (code === 'unauthorized') return wrong;
    if (code === 'too_many_wrong_keys') return tooMany(retryAfterSeconds);
    return code === 'unreachable' ? unreachable : message;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isUnderWay) return;
    const form = event.target as HTMLFormElement;
    const token = String(new FormData(form).get('token')).trim();
    this.isUnderWay = true;
    this.error = undefined;
    try {
      await signIn(token);
      form.reset();
    } catch (error) {
      this.error = error as ApiError;
      form.querySelector<HTMLInputElement>('#token')?.select();
    }
    this.isUnderWay = false;
  }
}

customElements.define('bonafide-sign-in', SignIn);
