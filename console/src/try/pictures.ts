/** The pictures of this visit and what was answered about each: a few are asked about at once, the others wait. */

import { retryAfter } from '../api.ts';
import { argos } from './argos.ts';
import type { Dialect, Source } from './dialect.ts';
import { keys } from './keys.ts';
import { native } from './native.ts';
import { nhn } from './nhn.ts';
import type { ApiName, PointName, Reading } from './reading.ts';

export const dialects: Readonly<Record<ApiName, Dialect>> = { native, nhn, argos };

/** Requests under way at once: more only wait in the server's queue, which others use too. */
const atOnce = 3;
/** A server that is full is asked again so often, each time after the time that it names. */
const retries = 3;
/** Where it names none, and the longest that is waited without being told to. */
const retrySeconds = { unnamed: 2, longest: 30 } as const;

/** The API and the operating point that is looked at now. */
export interface View {
  readonly api: ApiName;
  readonly point: PointName;
}

/** An answer as it came. */
export interface Exchange {
  /** HTTP status. */
  readonly status: number;
  /** The body, exactly. */
  readonly text: string;
  readonly requestId: string | undefined;
  /** From the request to the last byte of its answer, in milliseconds. */
  readonly ms: number;
}

/** How far a question has come. */
export type Progress =
  | { readonly state: 'queued' }
  | { readonly state: 'sending' }
  /** The server was full, and is asked again at that time. */
  | { readonly state: 'waiting'; readonly until: number }
  | { readonly state: 'cancelled' }
  /** Without an exchange nothing was sent, or nothing came back. */
  | { readonly state: 'done'; readonly reading: Reading; readonly exchange?: Exchange };

export interface Picture {
  readonly id: number;
  readonly name: string;
  readonly source: Source;
  /** Shows it, where the page has its bytes. */
  readonly preview: string | undefined;
  /** Whether it is no file of the person's, so that a command has none to send. */
  readonly isMade: boolean;
}

interface Asked {
  readonly picture: Picture;
  readonly view: View;
  readonly abort: AbortController;
  progress: Progress;
}

const keyOf = ({ id }: Picture, { api, point }: View) =>
  dialects[api].sendsPoint ? `${id} ${api} ${point}` : `${id} ${api}`;

/** Fires `change` whenever there is something else to show. */
export class Pictures extends EventTarget {
  #all: readonly Picture[] = [];
  readonly #asked = new Map<string, Asked>();
  #underWay = 0;
  #nextId = 1;

  /** In the order they were added. */
  get all(): readonly Picture[] {
    return this.#all;
  }

  /** @returns the pictures that were made of the sources. */
  add(sources: readonly { source: Source; isMade?: boolean }[]): readonly Picture[] {
    const added = sources.map(({ source, isMade = false }) => ({
      id: this.#nextId++,
      name: 'file' in source ? source.file.name : nameOf(source.url),
      source,
      preview: 'file' in source ? URL.createObjectURL(source.file) : undefined,
      isMade,
    }));
    this.#all = [...this.#all, ...added];
    this.#changed();
    return added;
  }

  remove(picture: Picture): void {
    for (const [key, asked] of this.#asked) {
      if (asked.picture !== picture) continue;
      asked.abort.abort();
      this.#asked.delete(key);
    }
    if (picture.preview !== undefined) URL.revokeObjectURL(picture.preview);
    this.#all = this.#all.filter((other) => other !== picture);
    this.#changed();
  }

  /** What is known, or undefined where nobody asked. */
  progress(picture: Picture, view: View): Progress | undefined {
    return this.#asked.get(keyOf(picture, view))?.progress;
  }

  /** Asks, unless that was done already; what failed or was cancelled is only asked again by `again`. */
  ask(picture: Picture, view: View): void {
    const key = keyOf(picture, view);
    if (this.#asked.has(key)) return;
    this.#asked.set(key, { picture, view, abort: new AbortController(), progress: { state: 'queued' } });
    this.#changed();
    this.#goOn();
  }

  again(picture: Picture, view: View): void {
    this.#asked.get(keyOf(picture, view))?.abort.abort();
    this.#asked.delete(keyOf(picture, view));
    this.ask(picture, view);
  }

  /** Ends all that is under way or waits. */
  cancel(): void {
    for (const asked of this.#asked.values()) {
      if (asked.progress.state === 'done') continue;
      asked.progress = { state: 'cancelled' };
      asked.abort.abort();
    }
    this.#changed();
  }

  /** Asks once more what was refused for its keys. */
  keysChanged(): void {
    for (const { picture, view, progress } of [...this.#asked.values()]) {
      if (progress.state !== 'done' || progress.reading.kind !== 'refused') continue;
      if (progress.reading.reason === 'no_key' || progress.reading.reason === 'wrong_key') {
        this.again(picture, view);
      }
    }
  }

  #goOn(): void {
    for (const asked of this.#asked.values()) {
      if (this.#underWay >= atOnce) return;
      if (asked.progress.state !== 'queued') continue;
      this.#underWay++;
      this.#set(asked, { state: 'sending' });
      void this.#run(asked).finally(() => {
        this.#underWay--;
        this.#goOn();
      });
    }
  }

  async #run(asked: Asked): Promise<void> {
    const { signal } = asked.abort;
    for (let tried = 0; ; tried++) {
      const done = await send(asked, signal);
      // Removed or cancelled meanwhile.
      if (done === undefined || signal.aborted) return;
      const { reading } = done;
      const isBusy = reading.kind === 'refused' && reading.reason === 'busy' && done.exchange?.status === 503;
      if (!isBusy || tried === retries) return this.#set(asked, done);
      const seconds = reading.retryAfterSeconds ?? retrySeconds.unnamed;
      if (seconds > retrySeconds.longest) return this.#set(asked, done);
      this.#set(asked, { state: 'waiting', until: Date.now() + seconds * 1000 });
      await pause(seconds * 1000, signal);
      if (signal.aborted) return;
      this.#set(asked, { state: 'sending' });
    }
  }

  #set(asked: Asked, progress: Progress): void {
    asked.progress = progress;
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** @returns undefined where the signal ended it. */
async function send(
  { picture: { source }, view: { api, point } }: Asked,
  signal: AbortSignal,
): Promise<Extract<Progress, { state: 'done' }> | undefined> {
  const dialect = dialects[api];
  const refused = (reading: Omit<Extract<Reading, { kind: 'refused' }>, 'kind'>) =>
    ({ state: 'done', reading: { kind: 'refused', ...reading } }) as const;
  const given = dialect.needs.map((name) => keys()[name]);
  if (given.includes('')) return refused({ reason: 'no_key' });
  // A browser sends no other characters in a header, and no key has them.
  if (!given.every((key) => /^[\w.~+/=-]+$/.test(key))) return refused({ reason: 'wrong_key' });
  if ('url' in source && !dialect.takesAddress) return refused({ reason: 'no_address' });

  let request: Awaited<ReturnType<Dialect['request']>>;
  try {
    request = await dialect.request({ source, point, keys: keys() });
  } catch {
    return refused({ reason: 'unreadable' });
  }
  const begun = performance.now();
  try {
    const response = await fetch(request.path, {
      ...request.init,
      method: 'POST',
      credentials: 'omit',
      cache: 'no-store',
      signal,
    });
    const text = await response.text();
    const exchange = {
      status: response.status,
      text,
      requestId: response.headers.get('x-request-id') ?? undefined,
      ms: performance.now() - begun,
    };
    const reading = dialect.read(response.status, parsed(text), point);
    const seconds = retryAfter(response);
    const isTimed = reading.kind === 'refused' && seconds !== undefined;
    return {
      state: 'done',
      exchange,
      reading: isTimed ? { ...reading, retryAfterSeconds: seconds } : reading,
    };
  } catch {
    return signal.aborted ? undefined : refused({ reason: 'unreachable' });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What an address is called in a list. */
function nameOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  return pathname.split('/').findLast((part) => part !== '') ?? hostname;
}
