/** `<try-keys>`: the keys to ask with, entered, or made by who is signed in as an administrator. */

import { css, html, LitElement, nothing } from 'lit';
import { ApiError } from '../api.ts';
import { Texts } from '../language.ts';
import { icon } from '../parts/icons.ts';
import { base, buttons, fields, notices } from '../parts/styles.ts';
import { type KeySet, keepKeys, keyNames, keys } from './keys.ts';
import { type AppChoice, listApps, makeKeys } from './make-keys.ts';

const texts = {
  en: {
    intro: 'They stay in this tab, and go nowhere but to this server.',
    apiHint: 'Native API and ARGOS',
    nhnHint: 'NHN Cloud',
    show: 'Show',
    hide: 'Hide',
    use: 'Use these keys',
    admin: 'Administrators need none: make keys that end after 12 hours.',
    make: 'Make keys',
    app: 'App',
    signedOut: 'You are not signed in.',
    signIn: 'Sign in',
    noApp: 'There is no app yet.',
    failed: 'The keys could not be made:',
  },
  ko: {
    intro: '키는 이 탭에만 보관되며 이 서버로만 전송됩니다.',
    apiHint: '네이티브 API, ARGOS',
    nhnHint: 'NHN Cloud',
    show: '표시',
    hide: '숨기기',
    use: '이 키 사용',
    admin: '관리자는 12시간 동안 쓸 수 있는 키를 바로 만들 수 있습니다.',
    make: '키 만들기',
    app: '앱',
    signedOut: '로그인되어 있지 않습니다.',
    signIn: '로그인',
    noApp: '아직 앱이 없습니다.',
    failed: '키를 만들지 못했습니다:',
  },
};

const labels: Readonly<Record<keyof KeySet, string>> = {
  appKey: 'appKey',
  secretKey: 'secretKey',
  apiKey: 'x-api-key',
};
/** In the order of the APIs. */
const shownOrder = ['apiKey', 'appKey', 'secretKey'] as const satisfies (keyof KeySet)[];

/** Fires `done` when keys were taken. */
export class KeysPanel extends LitElement {
  static override properties = {
    shown: { state: true },
    apps: { state: true },
    trouble: { state: true },
    isMaking: { state: true },
  };
  static override styles = [
    base,
    buttons,
    fields,
    notices,
    css`
      form,
      .admin {
        display: grid;
        gap: 0.875rem;
      }
      .row {
        display: flex;
        gap: 0.375rem;
      }
      .name {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
      }
      .name code {
        font-size: var(--text-small);
      }
      .admin {
        margin-top: 1.25rem;
        padding-top: 1.25rem;
        border-top: 1px solid var(--line);
      }
      .admin button {
        justify-self: start;
      }
      input {
        font-family: var(--mono) !important;
        font-size: 0.8125rem !important;
      }
    `,
  ];

  /** The field whose text can be read. */
  declare shown: keyof KeySet | undefined;
  /** To choose from, where there are several. */
  declare apps: readonly AppChoice[] | undefined;
  declare trouble: 'signed_out' | 'no_app' | ApiError | undefined;
  declare isMaking: boolean;
  readonly #texts = new Texts(this, texts);

  constructor() {
    super();
    this.isMaking = false;
  }

  protected override render() {
    const { intro, use, admin, make, app } = this.#texts.now;
    return html`
      <form @submit=${this.#use}>
        <p class="hint">${intro}</p>
        ${shownOrder.map((name) => this.#field(name))}
        <button class="primary" type="submit">${use}</button>
      </form>
      <div class="admin">
        <p class="hint">${admin}</p>
        ${
          this.apps === undefined
            ? nothing
            : html`<div class="field">
                <label for="app">${app}</label>
                <select id="app">
                  ${this.apps.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}
                </select>
              </div>`
        }
        <button type="button" ?disabled=${this.isMaking} @click=${this.#make}>${icon('key')} ${make}</button>
        <div role="status">${this.#trouble()}</div>
      </div>
    `;
  }

  #field(name: keyof KeySet) {
    const { apiHint, nhnHint, show, hide } = this.#texts.now;
    const isShown = this.shown === name;
    return html`<div class="field">
      <label class="name" for=${name}>
        <code>${labels[name]}</code>
        <span class="hint">${name === 'apiKey' ? apiHint : nhnHint}</span>
      </label>
      <span class="row">
        <input
          id=${name}
          name=${name}
          type=${isShown ? 'text' : 'password'}
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          .value=${keys()[name]}
        />
        <button
          type="button"
          class="icon-only"
          aria-label=${`${isShown ? hide : show}: ${labels[name]}`}
          aria-pressed=${isShown}
          @click=${() => {
            this.shown = isShown ? undefined : name;
          }}
        >
          ${icon(isShown ? 'eye-off' : 'eye')}
        </button>
      </span>
    </div>`;
  }

  #trouble() {
    const { signedOut, signIn, noApp, failed } = this.#texts.now;
    if (this.trouble === undefined) return nothing;
    if (this.trouble === 'signed_out') {
      return html`<p class="hint">${signedOut} <a href="#/apps">${signIn}</a></p>`;
    }
    if (this.trouble === 'no_app') return html`<p class="hint">${noApp}</p>`;
    return html`<p class="fault">${failed} ${this.trouble.message}</p>`;
  }

  #use(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const entries = keyNames.map((name) => [name, String(form.get(name) ?? '').trim()]);
    this.#keep(Object.fromEntries(entries) as KeySet);
  }

  async #make(): Promise<void> {
    this.trouble = undefined;
    this.isMaking = true;
    try {
      const chosen = this.renderRoot.querySelector<HTMLSelectElement>('#app')?.value;
      const apps = this.apps ?? (await listApps());
      const [first] = apps;
      const app = apps.find(({ id }) => id === chosen) ?? (apps.length === 1 ? first : undefined);
      if (first === undefined) this.trouble = 'no_app';
      else if (app === undefined) this.apps = apps;
      else this.#keep(await makeKeys(app));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.trouble = error.status === 401 ? 'signed_out' : error;
    } finally {
      this.isMaking = false;
    }
  }

  #keep(next: KeySet): void {
    keepKeys(next);
    this.requestUpdate();
    this.dispatchEvent(new Event('done'));
  }
}

customElements.define('try-keys', KeysPanel);
