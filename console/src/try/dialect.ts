/** What the page knows of an API: how a picture is sent to it, and how its answer is read. */

import type { KeySet } from './keys.ts';
import type { ApiName, PointName, Reading } from './reading.ts';

/** A picture as it is sent: its bytes, or an address that the server is to load it from. */
export type Source = { readonly file: File } | { readonly url: string };

/** All that a request depends on. */
export interface Question {
  readonly source: Source;
  readonly point: PointName;
  readonly keys: KeySet;
}

export interface Dialect {
  readonly name: ApiName;
  readonly title: string;
  readonly needs: readonly (keyof KeySet)[];
  readonly takesAddress: boolean;
  /** Whether the request names the operating point, so that another one is another request. */
  readonly sendsPoint: boolean;
  /** @throws where the file cannot be read. */
  readonly request: (question: Question) => Promise<{ path: string; init: RequestInit }>;
  /** The same request as a command; it is run where the file is. */
  readonly curl: (question: Question, origin: string) => string;
  /** @param body undefined where the answer is no JSON. */
  readonly read: (status: number, body: unknown, point: PointName) => Reading;
}

/** A word of a POSIX shell command that stands for exactly this text. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The lines of one command. */
export function command(...lines: readonly string[]): string {
  return lines.join(' \\\n  ');
}

export const json = 'application/json';
