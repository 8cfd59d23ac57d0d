/** Something that a page asks the server for: under way, there, or failed. */

import type { ReactiveControllerHost } from 'lit';
import { ApiError } from '../api.ts';
import { noteEnd } from './session.ts';

export class Load<T> {
  readonly #host: Pick<ReactiveControllerHost, 'requestUpdate'>;
  #stop = new AbortController();
  /** What came last; it stays while something newer is asked for. */
  value: T | undefined;
  error: ApiError | undefined;
  isUnderWay = false;

  constructor(host: Pick<ReactiveControllerHost, 'requestUpdate'>) {
    this.#host = host;
  }

  /** Asks, in place of what is under way. A session that has ended is no failure: the page asks to sign in. */
  async run(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#stop.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.isUnderWay = true;
    this.error = undefined;
    this.#host.requestUpdate();
    try {
      const value = await ask(stop.signal);
      if (stop.signal.aborted) return;
      this.value = value;
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!noteEnd(error)) this.error = toApiError(error);
    }
    this.isUnderWay = false;
    this.#host.requestUpdate();
  }

  /** Forgets what came, and waits for nothing. */
  clear(): void {
    this.#stop.abort();
    this.value = undefined;
    this.error = undefined;
    this.isUnderWay = false;
  }
}

/** @throws what is a defect of ours. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
