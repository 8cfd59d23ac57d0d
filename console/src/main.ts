/** The frame of the console: its navigation, and the page that the address names. */

import { css, html, LitElement, nothing } from 'lit';
import { Address } from './address.ts';
import { chooseLanguage, type Language, language, Texts } from './language.ts';
import { pages as operatePages } from './operate/pages.ts';
import type { Page } from './page.ts';
import { icon } from './parts/icons.ts';
import { base, buttons, notices } from './parts/styles.ts';
import { takeOverLink } from './try/keys.ts';

const pages: readonly Page[] = [
  {
    path: '/',
    title: { en: 'Try it', ko: '체험하기' },
    tag: 'bonafide-try',
    load: () => import('./try/page.ts'),
  },
  ...operatePages,
];

const texts = {
  en: {
    skip: 'Skip to the content',
    navigation: 'Main',
    menu: 'Menu',
    api: 'API',
    other: '한국어',
    otherLanguage: 'ko' as Language,
    failed: 'The page could not be loaded. Is the server still there?',
    again: 'Try again',
  },
  ko: {
    skip: '본문으로 건너뛰기',
    navigation: '주 메뉴',
    menu: '메뉴',
    api: 'API',
    other: 'English',
    otherLanguage: 'en' as Language,
    failed: '페이지를 불러오지 못했습니다. 서버가 실행 중인지 확인해 주세요.',
    again: '다시 시도',
  },
};

class Console extends LitElement {
  static override properties = {
    isMenuOpen: { state: true },
    failed: { state: true },
  };
  static override styles = [
    base,
    buttons,
    notices,
    css`
      .skip {
        position: fixed;
        top: 0.5rem;
        left: 0.5rem;
        z-index: 20;
        padding: 0.5rem 1rem;
        border-radius: var(--radius-small);
        background: var(--accent);
        color: var(--on-accent);
        transform: translateY(-200%);
      }
      .skip:focus {
        transform: none;
      }
      header {
        position: sticky;
        top: 0;
        z-index: 10;
        border-bottom: 1px solid var(--line);
        background: color-mix(in srgb, var(--surface) 92%, transparent);
        backdrop-filter: saturate(1.4) blur(12px);
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        max-width: 84rem;
        min-height: 3.5rem;
        margin: 0 auto;
        padding: 0 1.5rem;
      }
      .brand {
        display: inline-flex;
        align-items: center;
        gap: 0.5rem;
        margin-right: 1.25rem;
        color: var(--ink);
        font-weight: 680;
        font-size: 1.0625rem;
        letter-spacing: -0.015em;
        text-decoration: none;
      }
      .brand svg.icon {
        width: 1.5rem;
        height: 1.5rem;
        color: var(--accent);
        stroke-width: 2.25;
      }
      nav ul {
        display: flex;
        gap: 0.125rem;
      }
      nav {
        margin-right: auto;
      }
      nav a {
        position: relative;
        display: flex;
        align-items: center;
        gap: 0.375em;
        min-height: 3.5rem;
        padding: 0 0.75rem;
        color: var(--faint);
        font-weight: 550;
        text-decoration: none;
        white-space: nowrap;
      }
      nav a:hover,
      nav a[aria-current] {
        color: var(--ink);
      }
      nav a[aria-current]::after {
        position: absolute;
        right: 0.75rem;
        bottom: -1px;
        left: 0.75rem;
        height: 2px;
        border-radius: 2px;
        background: var(--accent);
        content: "";
      }
      nav a:focus-visible {
        outline-offset: -4px;
      }
      nav a svg.icon {
        width: 1em;
        height: 1em;
      }
      .menu {
        display: none;
      }
      main {
        display: block;
        max-width: 84rem;
        margin: 0 auto;
        padding: 2rem 1.5rem 4rem;
      }
      main:focus-visible {
        outline: none;
      }
      @media (max-width: 56rem) {
        .bar {
          flex-wrap: wrap;
          padding: 0 1rem;
        }
        .brand {
          margin-right: auto;
        }
        .menu {
          display: inline-flex;
        }
        nav {
          display: none;
          order: 1;
          flex-basis: 100%;
          margin: 0 -1rem;
          padding: 0.5rem;
          border-top: 1px solid var(--line);
        }
        nav.open {
          display: block;
        }
        nav ul {
          display: grid;
        }
        nav a {
          min-height: 2.75rem;
          border-radius: var(--radius-small);
        }
        nav a[aria-current] {
          background: var(--accent-tint);
          color: var(--accent);
        }
        nav a[aria-current]::after {
          display: none;
        }
        main {
          padding: 1.25rem 1rem 3rem;
        }
      }
    `,
  ];

  declare isMenuOpen: boolean;
  /** The page that could not be loaded when it was last asked for. */
  declare failed: Page | undefined;
  readonly #texts = new Texts(this, texts);
  readonly #address = new Address(this);
  /** Pages that were opened, by their tag: what a person did on one is there when they come back. */
  readonly #opened = new Map<string, HTMLElement>();
  #shown: Page | undefined;

  constructor() {
    super();
    this.isMenuOpen = false;
    this.failed = undefined;
    document.documentElement.lang = language();
    addEventListener('hashchange', () => {
      this.isMenuOpen = false;
    });
  }

  protected override render() {
    const { skip, navigation, menu, api, other, otherLanguage, failed, again } = this.#texts.now;
    const page = this.#page;
    return html`
      <a class="skip" href="#content" @click=${this.#skip}>${skip}</a>
      <header @keydown=${this.#pressed}>
        <div class="bar">
          <a class="brand" href="#/">${icon('brand')}bonafide</a>
          <nav class=${this.isMenuOpen ? 'open' : ''} id="menu" aria-label=${navigation} @click=${this.#closeMenu}>
            <ul>
              ${pages.map(
                ({ path, title }) =>
                  html`<li>
                    <a href="#${path}" aria-current=${path === page.path ? 'page' : nothing}
                      >${title[language()]}</a
                    >
                  </li>`,
              )}
              <li><a href="/docs">${api} ${icon('external')}</a></li>
            </ul>
          </nav>
          <button
            type="button"
            class="quiet compact"
            lang=${otherLanguage}
            @click=${() => chooseLanguage(otherLanguage)}
          >
            ${icon('language')} ${other}
          </button>
          <button
            type="button"
            class="quiet icon-only menu"
            aria-label=${menu}
            aria-expanded=${this.isMenuOpen}
            aria-controls="menu"
            @click=${() => {
              this.isMenuOpen = !this.isMenuOpen;
            }}
          >
            ${icon(this.isMenuOpen ? 'close' : 'menu')}
          </button>
        </div>
      </header>
      <main id="content" tabindex="-1">
        ${
          this.failed === page
            ? html`<div class="notice attack" role="alert">
                ${icon('alert')}
                <div>
                  <p>${failed}</p>
                  <button type="button" @click=${() => location.reload()}>${again}</button>
                </div>
              </div>`
            : this.#opened.get(page.tag)
        }
      </main>
    `;
  }

  protected override updated(): void {
    const page = this.#page;
    document.title = `${page.title[language()]} · bonafide`;
    const before = this.#shown;
    if (before === page) return;
    this.#shown = page;
    void this.#open(page, before !== undefined);
  }

  /** The page whose path begins the address; of what no page begins, the first. */
  get #page(): Page {
    const { path } = this.#address.now;
    const found = pages.find(
      (page) => page.path === path || (page.path !== '/' && path.startsWith(`${page.path}/`)),
    );
    return found ?? (pages[0] as Page);
  }

  async #open(page: Page, isMove: boolean): Promise<void> {
    if (!this.#opened.has(page.tag)) {
      try {
        await page.load();
      } catch {
        // Another page may have been asked for since, and have failed or not by itself.
        if (this.#shown === page) this.failed = page;
        return;
      }
      this.#opened.set(page.tag, document.createElement(page.tag));
      if (this.failed === page) this.failed = undefined;
      this.requestUpdate();
    }
    await this.updateComplete;
    if (this.#shown !== page || !isMove) return;
    scrollTo(0, 0);
    // A screen reader goes on from where the focus is: at the page's beginning, not at the link.
    this.#main.focus({ preventScroll: true });
  }

  readonly #closeMenu = () => {
    this.isMenuOpen = false;
  };

  #pressed({ key }: KeyboardEvent): void {
    if (key === 'Escape') this.#closeMenu();
  }

  get #main(): HTMLElement {
    return this.renderRoot.querySelector('main') as HTMLElement;
  }

  /** The fragment is the address of a page here, so the link cannot be one to a place in it. */
  #skip(event: Event): void {
    event.preventDefault();
    this.#main.focus();
  }
}

takeOverLink();
customElements.define('bonafide-console', Console);
