/** The language of the console: what the person chose, else what their browser asks for, else English. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';

export const languages = ['en', 'ko'] as const;
export type Language = (typeof languages)[number];

const stored = 'bonafide-language';
const listeners = new Set<() => void>();
let chosen = readChoice();

/** The language of all texts now. */
export function language(): Language {
  return chosen ?? (navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en');
}

/** Changes the language of everything on the page, and of the next visit. */
export function chooseLanguage(next: Language): void {
  chosen = next;
  // A browser may keep nothing for a page; then the choice is for this visit.
  try {
    localStorage.setItem(stored, next);
  } catch {}
  document.documentElement.lang = next;
  for (const listener of listeners) listener();
}

/** Texts in every language: `now` holds those of the one chosen, and the host is drawn again when that changes. */
export class Texts<T extends object> implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #all: Readonly<Record<Language, T>>;

  constructor(host: ReactiveControllerHost, all: Readonly<Record<Language, T>>) {
    this.#host = host;
    this.#all = all;
    host.addController(this);
  }

  get now(): T {
    return this.#all[language()];
  }

  readonly #update = () => this.#host.requestUpdate();

  hostConnected(): void {
    listeners.add(this.#update);
  }

  hostDisconnected(): void {
    listeners.delete(this.#update);
  }
}

function readChoice(): Language | undefined {
  try {
    return languages.find((one) => one === localStorage.getItem(stored));
  } catch {
    return undefined;
  }
}
