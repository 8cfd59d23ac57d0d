/** The address of the console: a path and a query in the fragment, which no browser ever sends. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Where the page is: `#/transactions/abc?outcome=live` has the path `/transactions/abc`. */
export function address(): { path: string; query: URLSearchParams } {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2);
  return { path: path === '' ? '/' : path, query: new URLSearchParams(query) };
}

/** What a link to there has as its `href`. Values that are undefined or empty are left out. */
export function hrefOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? `#${path}` : `#${path}?${new URLSearchParams(given)}`;
}

/** Draws its host again when the address changes. */
export class Address implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get now(): ReturnType<typeof address> {
    return address();
  }

  readonly #update = () => this.#host.requestUpdate();

  hostConnected(): void {
    addEventListener('hashchange', this.#update);
  }

  hostDisconnected(): void {
    removeEventListener('hashchange', this.#update);
  }
}
