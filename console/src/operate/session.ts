/** Who is signed in. The cookie itself is out of reach of scripts, so what the server said of it is kept beside it. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Static } from 'typebox';
import type { Deleted, SessionBody } from '../../../src/server/admin/wire.ts';
import { ApiError, askAdmin } from '../api.ts';

export type Session = Static<typeof SessionBody>;

const stored = 'bonafide-session';
const listeners = new Set<() => void>();
let current = read();
let isEnded = false;

/** Begins one. @throws ApiError */
export async function signIn(token: string): Promise<void> {
  isEnded = false;
  keep(await askAdmin<Session>('/session', { method: 'POST', body: { token } }));
}

/** Ends it, here and on the server. @throws ApiError where the server could not be told. */
export async function signOut(): Promise<void> {
  try {
    await askAdmin<Static<typeof Deleted>>('/session', { method: 'DELETE' });
  } catch (error) {
    // It had ended already.
    if (!isRefusal(error)) throw error;
  }
  keep(undefined);
}

/** Takes an answer of the admin API for what it says of the session. @returns whether it has ended. */
export function noteEnd(error: unknown): boolean {
  if (!isRefusal(error)) return false;
  isEnded = true;
  keep(undefined);
  return true;
}

const isRefusal = (error: unknown) => error instanceof ApiError && error.status === 401;

/** Draws its host again when somebody signs in or out, also in another tab. */
export class SignedIn implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  /** Undefined where nobody is. */
  get now(): Session | undefined {
    return current;
  }

  /** Whether a session was there and has ended by itself. */
  get isEnded(): boolean {
    return isEnded;
  }

  readonly #update = () => this.#host.requestUpdate();

  hostConnected(): void {
    listeners.add(this.#update);
  }

  hostDisconnected(): void {
    listeners.delete(this.#update);
  }
}

addEventListener('storage', ({ key }) => {
  if (key !== stored) return;
  current = read();
  for (const listener of listeners) listener();
});

function keep(next: Session | undefined): void {
  current = next;
  // A browser may keep nothing for a page; then who loads it again signs in again.
  try {
    if (next === undefined) localStorage.removeItem(stored);
    else localStorage.setItem(stored, JSON.stringify(next));
  } catch {}
  for (const listener of listeners) listener();
}

function read(): Session | undefined {
  try {
    const session: Session | null = JSON.parse(localStorage.getItem(stored) ?? 'null');
    if (session === null) return undefined;
    return session.expiresAt !== null && Date.parse(session.expiresAt) > Date.now() ? session : undefined;
  } catch {
    return undefined;
  }
}
