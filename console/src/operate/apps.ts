/** `<bonafide-apps>`: the apps, and one of them with its keys: made, rotated, revoked. */

import { css, html, nothing } from 'lit';
import type { Static } from 'typebox';
import type { AppBody, KeyBody, MadeKey, NewApp, NewKey, Rotation } from '../../../src/server/admin/wire.ts';
import { hrefOf } from '../address.ts';
import { type ApiError, askAdmin } from '../api.ts';
import { Texts } from '../language.ts';
import '../parts/copy-button.ts';
import '../parts/dialog.ts';
import { icon } from '../parts/icons.ts';
import { type App, type Key, listApps, listKeys } from './catalog.ts';
import { time } from './format.ts';
import { limitFields, limitWords, readLimits } from './limits.ts';
import { Load, toApiError } from './load.ts';
import { OperatePage } from './page.ts';
import { noteEnd } from './session.ts';

/** What the window over the page asks or shows. */
type Window =
  | { readonly kind: 'new-app' }
  | { readonly kind: 'new-key'; readonly app: App }
  | { readonly kind: 'made'; readonly app: App; readonly key: Key; readonly secret: string }
  | { readonly kind: 'rotate'; readonly app: App; readonly key: Key }
  | { readonly kind: 'revoke-key'; readonly key: Key }
  | { readonly kind: 'revoke-app'; readonly app: App };

const texts = {
  en: {
    title: 'Apps and keys',
    lead: 'An app is a customer, a team or a product; each has keys of its own.',
    all: 'All apps',
    newApp: 'New app',
    name: 'Name',
    appName: 'What it is called in the log and in usage',
    limits: 'Limits',
    limitsHint: 'What is left empty is unlimited. They hold for all keys of the app together.',
    keyLimitsHint: "They hold beside the app's own.",
    create: 'Create',
    cancel: 'Cancel',
    done: 'Done',
    appKey: 'appKey',
    copyAppKey: (name: string) => `Copy the appKey of ${name}`,
    created: 'Created',
    state: 'State',
    active: 'Active',
    revoked: 'Revoked',
    expired: 'Expired',
    replaced: 'Replaced',
    noApps: 'There is no app yet.',
    noApp: 'There is no such app.',
    keys: 'Keys',
    newKey: 'New key',
    noKeys: 'This app has no keys yet.',
    kind: 'For',
    kinds: { api: 'ARGOS, native', secret: 'NHN' },
    kindNames: { api: 'x-api-key, for ARGOS and the native API', secret: 'Secret key, for NHN' },
    scopes: 'Good for',
    scopeNames: { nhn: 'NHN', argos: 'ARGOS', native: 'Native' },
    key: 'Key',
    lastUse: 'Last use',
    never: 'never',
    expires: 'Expires',
    expiresHint: 'At the end of that day in UTC. Without one, it does not expire.',
    usage: 'Usage',
    see: 'See',
    log: 'Transactions',
    actions: 'Actions',
    rotate: 'Rotate',
    rotateKey: (name: string) => `Rotate ${name}`,
    revoke: 'Revoke',
    revokeKey: (name: string) => `Revoke ${name}`,
    revokeApp: 'Revoke app',
    made: 'Copy the key now',
    madeLead: 'It is shown this once: only its hash is kept. Whoever has it can ask in the name of the app.',
    copyKey: 'Copy the key',
    tryIt: 'Try it',
    rotateLead: 'A new key takes the place of this one, with its name, scopes and limits.',
    grace: 'The old key stays good for',
    graces: { 0: 'not at all', 3600: '1 hour', 86400: '1 day', 604800: '7 days' },
    revokeKeyLead: 'Requests with it are refused within 5 seconds, on every server. This cannot be undone.',
    revokeAppLead: 'All of its keys end with it, on every server within 5 seconds. This cannot be undone.',
    under: 'One moment …',
  },
  ko: {
    title: '앱과 키',
    lead: '앱은 고객사, 팀 또는 제품 단위이며 각각 별도의 키를 사용합니다.',
    all: '전체 앱',
    newApp: '앱 만들기',
    name: '이름',
    appName: '거래 내역과 사용량에 표시되는 이름입니다.',
    limits: '한도',
    limitsHint: '비워 두면 제한이 없습니다. 앱의 모든 키를 합산하여 적용됩니다.',
    keyLimitsHint: '앱 한도와 함께 적용됩니다.',
    create: '만들기',
    cancel: '취소',
    done: '완료',
    appKey: 'appKey',
    copyAppKey: (name: string) => `${name}의 appKey 복사`,
    created: '생성',
    state: '상태',
    active: '사용 중',
    revoked: '폐기됨',
    expired: '만료됨',
    replaced: '교체됨',
    noApps: '아직 앱이 없습니다.',
    noApp: '해당 앱이 없습니다.',
    keys: '키',
    newKey: '키 만들기',
    noKeys: '이 앱에는 아직 키가 없습니다.',
    kind: '용도',
    kinds: { api: 'ARGOS, native', secret: 'NHN' },
    kindNames: { api: 'x-api-key (ARGOS, native API용)', secret: '비밀 키 (NHN용)' },
    scopes: '사용 가능한 API',
    scopeNames: { nhn: 'NHN', argos: 'ARGOS', native: 'Native' },
    key: '키',
    lastUse: '최근 사용',
    never: '사용 안 함',
    expires: '만료',
    expiresHint: '해당 날짜(UTC)가 끝날 때 만료됩니다. 비워 두면 만료되지 않습니다.',
    usage: '사용량',
    see: '바로 가기',
    log: '거래 내역',
    actions: '작업',
    rotate: '교체',
    rotateKey: (name: string) => `${name} 교체`,
    revoke: '폐기',
    revokeKey: (name: string) => `${name} 폐기`,
    revokeApp: '앱 폐기',
    made: '지금 키를 복사해 주세요',
    madeLead:
      '키는 지금 한 번만 표시되며 서버에는 해시만 저장됩니다. 키를 가진 사람은 이 앱의 이름으로 요청할 수 있습니다.',
    copyKey: '키 복사',
    tryIt: '사용해 보기',
    rotateLead: '이름, 사용 가능한 API, 한도가 같은 새 키로 교체합니다.',
    grace: '기존 키 유지 기간',
    graces: { 0: '즉시 만료', 3600: '1시간', 86400: '1일', 604800: '7일' },
    revokeKeyLead: '이 키를 사용한 요청은 5초 이내에 모든 서버에서 거절됩니다. 되돌릴 수 없습니다.',
    revokeAppLead: '앱의 모든 키가 5초 이내에 모든 서버에서 함께 폐기됩니다. 되돌릴 수 없습니다.',
    under: '처리 중입니다…',
  },
};

const graces = [0, 3_600, 86_400, 604_800] as const;
const apiScopes = ['argos', 'native'] as const;

class AppsPage extends OperatePage {
  static override properties = {
    shown: { state: true },
    error: { state: true },
    isUnderWay: { state: true },
    kind: { state: true },
  };
  static override styles = [
    ...OperatePage.styles,
    css`
      td.actions {
        text-align: right;
        white-space: nowrap;
      }
      td.actions button {
        vertical-align: middle;
      }
      td strong a {
        color: var(--ink);
        text-decoration: none;
      }
      td strong a:hover {
        text-decoration: underline;
      }
      td .small {
        white-space: nowrap;
      }
      tr.over td {
        color: var(--faint);
      }
      .key {
        display: flex;
        align-items: center;
        gap: 0.25rem;
      }
      .secret {
        display: flex;
        align-items: center;
        gap: 0.75rem;
        padding: 0.75rem 0.75rem 0.75rem 1rem;
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-small);
        background: var(--sunken);
      }
      .secret code {
        flex: 1;
        overflow-wrap: anywhere;
        font-size: var(--text);
        user-select: all;
      }
      pre {
        margin: 0.375rem 0 0;
        padding: 0.75rem 1rem;
        overflow-x: auto;
        border-radius: var(--radius-small);
        background: var(--sunken);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      fieldset.field {
        min-width: 0;
      }
      fieldset legend {
        padding: 0;
        margin-bottom: 0.375rem;
      }
      fieldset .hint {
        margin-bottom: 0.75rem;
      }
      label.check {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-height: 2rem;
        color: var(--ink);
        font-weight: 400;
        font-size: var(--text);
      }
      button.danger.primary {
        background: var(--attack);
        color: var(--surface);
      }
      button.danger.primary:hover {
        background: color-mix(in srgb, var(--attack) 88%, var(--ink));
        color: var(--surface);
      }
      .card + .card,
      .facts-card {
        margin-bottom: 1.25rem;
      }
      dl.facts {
        padding: 0.5rem 1.25rem 0.75rem;
      }
    `,
  ];

  protected readonly path = '/apps';
  declare shown: Window | undefined;
  declare error: ApiError | undefined;
  declare isUnderWay: boolean;
  /** What a new key is for, while the form stands. */
  declare kind: Key['kind'];
  readonly #texts = new Texts(this, texts);
  readonly #apps = new Load<readonly App[]>(this);
  readonly #keys = new Load<readonly Key[]>(this);

  constructor() {
    super();
    this.isUnderWay = false;
    this.kind = 'api';
  }

  get #id(): string | undefined {
    return this.address.now.path.split('/')[2];
  }

  protected ask(): void {
    const id = this.#id;
    void this.#apps.run(listApps);
    if (id === undefined) return;
    // Those of another app are none of this one's.
    if (this.#keys.value?.[0]?.app !== id) this.#keys.clear();
    void this.#keys.run((signal) => listKeys(id, signal));
  }

  protected content() {
    const { title, lead, all, noApp, newApp } = this.#texts.now;
    const id = this.#id;
    const app = this.#apps.value?.find((one) => one.id === id);
    if (id === undefined) {
      return html`
        ${this.head(title, lead)}
        ${this.loaded(
          this.#apps,
          (apps) => html`<section class="card">
            <div class="card-head">
              <h2>${all}</h2>
              <button type="button" class="primary" @click=${() => this.#show({ kind: 'new-app' })}>
                ${icon('plus')} ${newApp}
              </button>
            </div>
            ${this.#appTable(apps)}
          </section>`,
        )}
        ${this.#window()}
      `;
    }
    return html`
      ${this.head(app?.name ?? '…', nothing, { href: '#/apps', name: all })}
      ${this.loaded(this.#apps, () =>
        app === undefined ? html`<div class="card empty">${noApp}</div>` : this.#app(app),
      )}
      ${this.#window()}
    `;
  }

  #appTable(apps: readonly App[]) {
    const text = this.#texts.now;
    if (apps.length === 0) return html`<div class="empty">${icon('key')}${text.noApps}</div>`;
    return html`<div class="table-scroll" tabindex="0" role="group" aria-label=${text.all}>
      <table>
        <thead>
          <tr>
            <th scope="col">${text.name}</th>
            <th scope="col">${text.appKey}</th>
            <th scope="col">${text.limits}</th>
            <th scope="col">${text.created}</th>
            <th scope="col">${text.state}</th>
          </tr>
        </thead>
        <tbody>
          ${apps.map(
            (app) =>
              html`<tr class=${app.revokedAt === null ? nothing : 'over'} data-app=${app.id}>
                <td><strong><a href=${hrefOf(`/apps/${app.id}`)}>${app.name}</a></strong></td>
                <td>${this.#appKey(app)}</td>
                <td>${limitWords(app.limits)}</td>
                <td>${time(app.createdAt)}</td>
                <td>${this.#state(app)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #appKey({ name, appKey }: App) {
    const { copyAppKey } = this.#texts.now;
    return html`<span class="key"
      ><code>${appKey}</code> <bonafide-copy .text=${appKey} .label=${copyAppKey(name)}></bonafide-copy
    ></span>`;
  }

  #app(app: App) {
    const text = this.#texts.now;
    const isLive = app.revokedAt === null;
    return html`
      <section class="card facts-card">
        <dl class="facts">
          <dt>${text.appKey}</dt>
          <dd>${this.#appKey(app)}</dd>
          <dt>${text.limits}</dt>
          <dd>${limitWords(app.limits)}</dd>
          <dt>${text.created}</dt>
          <dd>${time(app.createdAt)}</dd>
          <dt>${text.state}</dt>
          <dd class="row">
            ${this.#state(app)}
            ${
              isLive
                ? html`<button
                    type="button"
                    class="quiet compact danger"
                    @click=${() => this.#show({ kind: 'revoke-app', app })}
                  >
                    ${text.revokeApp}
                  </button>`
                : nothing
            }
          </dd>
          <dt>${text.see}</dt>
          <dd class="row">
            <a href=${hrefOf('/transactions', { app: app.id })}>${text.log}</a> ·
            <a href=${hrefOf('/usage', { app: app.id })}>${text.usage}</a>
          </dd>
        </dl>
      </section>
      <section class="card">
        <div class="card-head">
          <h2 id="keys">${text.keys}</h2>
          ${
            isLive
              ? html`<button type="button" class="primary" @click=${() => this.#show({ kind: 'new-key', app })}>
                  ${icon('plus')} ${text.newKey}
                </button>`
              : nothing
          }
        </div>
        ${this.loaded(this.#keys, (keys) => this.#keyTable(app, keys))}
      </section>
    `;
  }

  #keyTable(app: App, keys: readonly Key[]) {
    const text = this.#texts.now;
    if (keys.length === 0) return html`<div class="empty">${icon('key')}${text.noKeys}</div>`;
    return html`<div class="table-scroll" tabindex="0" role="group" aria-labelledby="keys">
      <table>
        <thead>
          <tr>
            <th scope="col">${text.name}</th>
            <th scope="col">${text.key}</th>
            <th scope="col">${text.scopes}</th>
            <th scope="col">${text.limits}</th>
            <th scope="col">${text.lastUse}</th>
            <th scope="col">${text.expires}</th>
            <th scope="col">${text.state}</th>
            <th scope="col"><span class="unseen">${text.actions}</span></th>
          </tr>
        </thead>
        <tbody>
          ${keys.map((key) => this.#keyRow(app, key))}
        </tbody>
      </table>
    </div>`;
  }

  #keyRow(app: App, key: Key) {
    const text = this.#texts.now;
    const isLive = stateOf(key) === 'active';
    return html`<tr class=${isLive ? nothing : 'over'} data-key=${key.id}>
      <td><strong>${key.name}</strong></td>
      <td><code>${key.prefix}…</code></td>
      <td>${key.scopes.map((scope) => text.scopeNames[scope as keyof typeof text.scopeNames]).join(', ')}</td>
      <td>${limitWords(key.limits)}</td>
      <td>${key.lastUsedAt === null ? text.never : time(key.lastUsedAt)}</td>
      <td>${time(key.expiresAt)}</td>
      <td>${this.#state(key)}</td>
      <td class="actions">
        ${
          isLive && key.replacedBy === null
            ? html`<button
                type="button"
                class="quiet compact"
                aria-label=${text.rotateKey(key.name)}
                @click=${() => this.#show({ kind: 'rotate', app, key })}
              >
                ${icon('refresh')} ${text.rotate}
              </button>`
            : nothing
        }
        ${
          isLive
            ? html`<button
                type="button"
                class="quiet compact danger"
                aria-label=${text.revokeKey(key.name)}
                @click=${() => this.#show({ kind: 'revoke-key', key })}
              >
                ${text.revoke}
              </button>`
            : nothing
        }
      </td>
    </tr>`;
  }

  #state(what: App | Key) {
    const text = this.#texts.now;
    const state = stateOf(what);
    if (state === 'active' && 'replacedBy' in what && what.replacedBy !== null) {
      return html`<span class="badge unsure">${text.replaced}</span>`;
    }
    return html`<span class="badge ${state === 'active' ? 'live' : ''}">${text[state]}</span>`;
  }

  #show(shown: Window): void {
    this.shown = shown;
    this.error = undefined;
    this.kind = 'api';
  }

  readonly #close = () => {
    this.shown = undefined;
  };

  #window() {
    const { shown } = this;
    if (shown === undefined) return nothing;
    const text = this.#texts.now;
    const heading = {
      'new-app': text.newApp,
      'new-key': text.newKey,
      made: text.made,
      rotate: text.rotate,
      'revoke-key': text.revoke,
      'revoke-app': text.revokeApp,
    }[shown.kind];
    const about = 'key' in shown ? shown.key.name : 'app' in shown ? shown.app.name : undefined;
    return html`<bonafide-dialog
      open
      heading=${about === undefined ? heading : `${heading}: ${about}`}
      @close=${this.#close}
    >
      <form id="form" class="form" @submit=${this.#submit}>
        ${this.error ? this.failure(this.error) : nothing} ${this.#inside(shown)}
      </form>
      <div slot="actions" class="row">${this.#foot(shown)}</div>
    </bonafide-dialog>`;
  }

  #inside(shown: Window) {
    const text = this.#texts.now;
    switch (shown.kind) {
      case 'new-app':
        return html`${this.#nameField(text.appName)} ${this.#limitFields(text.limitsHint)}`;
      case 'new-key':
        return this.#newKey();
      case 'made':
        return this.#made(shown);
      case 'rotate':
        return html`<p>${text.rotateLead}</p>
          <label class="field"
            >${text.grace}<select name="grace">
              ${graces.map(
                (seconds) =>
                  html`<option value=${seconds} ?selected=${seconds === 86_400}>${text.graces[seconds]}</option>`,
              )}
            </select></label
          >`;
      case 'revoke-key':
        return html`<p>${text.revokeKeyLead}</p>`;
      case 'revoke-app':
        return html`<p>${text.revokeAppLead}</p>`;
    }
  }

  #nameField(hint?: string) {
    return html`<label class="field"
      >${this.#texts.now.name}<input name="name" required maxlength="100" autocomplete="off" autofocus />${
        hint === undefined ? nothing : html`<span class="hint">${hint}</span>`
      }</label
    >`;
  }

  #limitFields(hint: string) {
    return html`<fieldset class="field">
      <legend>${this.#texts.now.limits}</legend>
      <p class="hint">${hint}</p>
      ${limitFields()}
    </fieldset>`;
  }

  #newKey() {
    const text = this.#texts.now;
    return html`
      ${this.#nameField()}
      <fieldset class="field">
        <legend>${text.kind}</legend>
        ${(['api', 'secret'] as const).map(
          (kind) =>
            html`<label class="check"
              ><input
                type="radio"
                name="kind"
                value=${kind}
                .checked=${kind === this.kind}
                @change=${() => {
                  this.kind = kind;
                }}
              />${text.kindNames[kind]}</label
            >`,
        )}
      </fieldset>
      ${
        this.kind === 'secret'
          ? nothing
          : html`<fieldset class="field">
              <legend>${text.scopes}</legend>
              ${apiScopes.map(
                (scope) =>
                  html`<label class="check"
                    ><input type="checkbox" name="scope" value=${scope} checked />${text.scopeNames[scope]}</label
                  >`,
              )}
            </fieldset>`
      }
      <label class="field"
        >${text.expires}<input type="date" name="expires" min=${new Date().toISOString().slice(0, 10)} /><span
          class="hint"
          >${text.expiresHint}</span
        ></label
      >
      ${this.#limitFields(text.keyLimitsHint)}
    `;
  }

  #made({ app, key, secret }: Extract<Window, { kind: 'made' }>) {
    const text = this.#texts.now;
    const command =
      key.kind === 'secret'
        ? `curl ${location.origin}/v1.0/appkeys/${app.appKey}/spoofing -H 'Authorization: ${secret}' -F imageFile=@face.jpg`
        : key.scopes.includes('native')
          ? `curl ${location.origin}/v1/assess -H 'x-api-key: ${secret}' -H 'Content-Type: image/jpeg' --data-binary @face.jpg`
          : `(printf '{"faceImage":"'; base64 < face.jpg | tr -d '\\n'; printf '"}') | curl ${location.origin}/modules/liveness -H 'x-api-key: ${secret}' -H 'Content-Type: application/json' -d @-`;
    return html`
      <div class="notice unsure">${icon('alert')}<span>${text.madeLead}</span></div>
      <div class="secret">
        <code id="secret">${secret}</code>
        <bonafide-copy .text=${secret} .label=${text.copyKey}></bonafide-copy>
      </div>
      <div>
        <span class="small faint">${text.tryIt}</span>
        <pre><code>${command}</code></pre>
      </div>
    `;
  }

  #foot({ kind }: Window) {
    const text = this.#texts.now;
    if (kind === 'made') {
      return html`<button type="button" class="primary" @click=${this.#close}>${text.done}</button>`;
    }
    const isDanger = kind === 'revoke-key' || kind === 'revoke-app';
    const name = {
      'new-app': text.create,
      'new-key': text.create,
      rotate: text.rotate,
      'revoke-key': text.revoke,
      'revoke-app': text.revoke,
    }[kind];
    return html`
      <button type="button" @click=${this.#close}>${text.cancel}</button>
      <button form="form" class="primary ${isDanger ? 'danger' : ''}" aria-disabled=${this.isUnderWay ? 'true' : nothing}>
        ${this.isUnderWay ? text.under : name}
      </button>
    `;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { shown } = this;
    if (shown === undefined || this.isUnderWay) return;
    this.isUnderWay = true;
    this.error = undefined;
    try {
      const next = await this.#do(shown, new FormData(event.target as HTMLFormElement));
      // Who closed the window meanwhile shall see the key all the same: it is told this once.
      if (this.shown === shown || next !== undefined) this.shown = next;
      this.ask();
    } catch (error) {
      if (noteEnd(error)) this.shown = undefined;
      else this.error = toApiError(error);
    }
    this.isUnderWay = false;
  }

  /** @returns what is shown then. @throws ApiError */
  async #do(shown: Window, form: FormData): Promise<Window | undefined> {
    const post = <T>(path: `/${string}`, body?: unknown) => askAdmin<T>(path, { method: 'POST', body });
    switch (shown.kind) {
      case 'new-app': {
        const body: Static<typeof NewApp> = { name: nameIn(form), limits: readLimits(form) };
        const { id } = await post<Static<typeof AppBody>>('/apps', body);
        location.hash = hrefOf(`/apps/${id}`);
        return undefined;
      }
      case 'new-key': {
        const { app } = shown;
        const kind = this.kind;
        const expires = String(form.get('expires'));
        const body: Static<typeof NewKey> = {
          kind,
          name: nameIn(form),
          limits: readLimits(form),
          ...(kind === 'api' && { scopes: form.getAll('scope') as ('argos' | 'native')[] }),
          ...(expires !== '' && { expiresAt: `${expires}T23:59:59.999Z` }),
        };
        const { key, secret } = await post<Static<typeof MadeKey>>(`/apps/${app.id}/keys`, body);
        return { kind: 'made', app, key, secret };
      }
      case 'rotate': {
        const body: Static<typeof Rotation> = { graceSeconds: Number(form.get('grace')) };
        const { key, secret } = await post<Static<typeof MadeKey>>(`/keys/${shown.key.id}/rotate`, body);
        return { kind: 'made', app: shown.app, key, secret };
      }
      case 'revoke-key':
        await post<Static<typeof KeyBody>>(`/keys/${shown.key.id}/revoke`);
        return undefined;
      case 'revoke-app':
        await post<Static<typeof AppBody>>(`/apps/${shown.app.id}/revoke`);
        return undefined;
      case 'made':
        return undefined;
    }
  }
}

const nameIn = (form: FormData) => String(form.get('name')).trim();

function stateOf(what: App | Key): 'active' | 'revoked' | 'expired' {
  if (what.revokedAt !== null) return 'revoked';
  if ('expiresAt' in what && what.expiresAt !== null && Date.parse(what.expiresAt) <= Date.now())
    return 'expired';
  return 'active';
}

customElements.define('bonafide-apps', AppsPage);
