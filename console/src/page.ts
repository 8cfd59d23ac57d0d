/** What the frame knows of a page. */

import type { Language } from './language.ts';

export interface Page {
  /** In the fragment of the address: `/usage` is `#/usage`. What follows it there is the page's own. */
  readonly path: `/${string}`;
  /** In the navigation and the window's title. */
  readonly title: Readonly<Record<Language, string>>;
  /** The custom element that is the page; it gets no attributes, and reads the address by `Address` where it needs to. */
  readonly tag: `${string}-${string}`;
  /** Imports the file that defines the element: its script is loaded when the page is first opened. */
  readonly load: () => Promise<unknown>;
}
