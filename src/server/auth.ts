/** Who asks: finds the key that a client sent, in memory first, and keeps what is in memory up to date. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { type Availability, patienceMs } from '../storage/availability.ts';
import { type App, hashOf, type Keys, type Limits, type LiveKey, type Scope } from '../storage/keys.ts';
import { RequestError } from './errors.ts';

/** Whose request it is, and what they may use. */
export interface Caller {
  readonly app: Pick<App, 'id' | 'appKey' | 'name' | 'limits'>;
  readonly key: { readonly id: string; readonly limits: Limits };
}

export interface Looking {
  /** Ask nobody: a key that is not in memory is a wrong one. */
  readonly cachedOnly?: boolean;
}

export interface Authenticator {
  /**
   * NHN dialect: the appKey of the path and the secretKey of the Authorization header belong together.
   * @returns undefined where they are not, whatever the reason: nobody is told which part was wrong, or what it once was.
   * @throws RequestError `storage_unavailable` where that cannot be known, `service_full` while too much is being asked.
   */
  bySecret(appKey: string, secret: string | undefined, looking?: Looking): Promise<Caller | undefined>;
  /** The x-api-key header of the other dialects. As `bySecret`. */
  byApiKey(key: string | string[] | undefined, scope: Scope, looking?: Looking): Promise<Caller | undefined>;
  /** Until when the keys in memory are good if the database does not answer any more, in milliseconds since 1970. */
  readonly knownKeysUntil: number;
  /** Asks now whether keys have changed, and no later. @throws what the database does. */
  notice(): Promise<void>;
  close(): Promise<void>;
}

export interface AuthenticatorOptions {
  readonly keys: Keys;
  readonly availability: Availability;
  /** For how long keys in memory are good while the database does not answer, in milliseconds. */
  readonly knownKeysMs: number;
  readonly logger: FastifyBaseLogger;
}

/** How often a node asks whether a key has changed: what is revoked on one node ends on all within this and a query. */
const pollMs = 2_000;
/** Keys in memory. More than that, and those that were used least recently are asked for again. */
const cachedKeys = 10_000;
/** Texts known to be no key, and for how long: a client that goes on with a wrong one costs no queries. */
const wrongKeys = 10_000;
const wrongMs = 10_000;
/** Keys being looked for in the database at once: guesses must not take its connections from everything else. */
const lookUps = 16;
/** Hashes in one query. */
const chunk = 500;
/** The last use of a key is written no more often than this. */
const noteMs = 60_000;

/**
 * Loads the keys that were used or made last, and those that are new whenever something has changed: an address that has
 * sent too many wrong keys is let in with one that is in memory alone, and a database that ends soon is not missed.
 */
export async function createAuthenticator({
  keys,
  availability,
  knownKeysMs,
  logger,
}: AuthenticatorOptions): Promise<Authenticator> {
  let revision = await keys.revision();
  /** By hash, the one used longest ago first. */
  const known = new Map<string, LiveKey>();
  const wrong = new Map<string, number>();
  const lookingUp = new Map<string, Promise<LiveKey | undefined>>();
  const used = new Map<string, number>();
  const noted = new Map<string, number>();
  // By a clock that nobody sets: set forward, it would end all keys, and set back, revoked ones would live on.
  let confirmedAt = performance.now();
  /** Grows when a change is noticed: what was read before that may be out of date. */
  let generation = 0;
  let polling: Promise<void> | undefined;

  /** Reads again what is known, and what was used or made last beside it. */
  async function load(): Promise<void> {
    const last = await keys.hashesByUse(cachedKeys);
    await refresh([...new Set([...known.keys(), ...last.reverse()])]);
  }

  async function poll(): Promise<void> {
    const start = performance.now();
    const current = await keys.revision();
    if (current !== revision) {
      generation++;
      await load();
      revision = current;
    }
    confirmedAt = start;
    await noteUse();
  }

  async function refresh(hashes: readonly string[]): Promise<void> {
    for (let i = 0; i < hashes.length; i += chunk) {
      const asked = hashes.slice(i, i + chunk);
      const live = new Map((await keys.liveByHash(asked)).map((key) => [key.hash, key]));
      for (const hash of asked) {
        const key = live.get(hash);
        if (key === undefined) known.delete(hash);
        else if (known.has(hash)) known.set(hash, key);
        else remember(known, cachedKeys, hash, key);
      }
    }
  }

  async function noteUse(): Promise<void> {
    const due = [...used].filter(([id, time]) => time - (noted.get(id) ?? 0) >= noteMs).slice(0, chunk);
    if (due.length === 0) return;
    await keys.noteUse(new Map(due));
    if (noted.size > cachedKeys) noted.clear();
    for (const [id, time] of due) {
      noted.set(id, time);
      used.delete(id);
    }
  }

  async function find(hash: string, { cachedOnly = false }: Looking): Promise<LiveKey | undefined> {
    const key = known.get(hash);
    if (key !== undefined) {
      if (performance.now() - confirmedAt >= knownKeysMs) throw unavailable();
      // The last one used is the last in the map.
      known.delete(hash);
      known.set(hash, key);
      return key;
    }
    if (cachedOnly || (wrong.get(hash) ?? 0) > performance.now()) return undefined;
    let looking = lookingUp.get(hash);
    if (looking === undefined) {
      if (lookingUp.size >= lookUps) throw new RequestError('service_full', 'The server is full.');
      looking = lookUp(hash).finally(() => lookingUp.delete(hash));
      lookingUp.set(hash, looking);
    }
    return await looking;
  }

  async function lookUp(hash: string): Promise<LiveKey | undefined> {
    for (;;) {
      const before = generation;
      let key: LiveKey | undefined;
      try {
        [key] = await availability.run(() => keys.liveByHash([hash]), patienceMs);
      } catch {
        // Said once, by who watches whether the database answers.
        throw unavailable();
      }
      if (before !== generation) continue;
      if (key === undefined) remember(wrong, wrongKeys, hash, performance.now() + wrongMs);
      else remember(known, cachedKeys, hash, key);
      return key;
    }
  }

  /** @param holds whether the key is one for what is asked. */
  async function callerOf(
    secret: string,
    looking: Looking,
    holds: (key: LiveKey) => boolean,
  ): Promise<Caller | undefined> {
    // Found by its digest, which nobody can choose a part of: the time it takes tells nothing of the keys there are.
    const key = await find(hashOf(secret), looking);
    const now = Date.now();
    if (key === undefined || !holds(key) || (key.expiresAt ?? now + 1) <= now) return undefined;
    used.set(key.id, now);
    return { app: key.app, key: { id: key.id, limits: key.limits } };
  }

  /** The database answers, and yet not this. That it is away is logged where it is noticed. */
  let isRefused = false;
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(() => {
      polling = availability
        .run(poll)
        .then(() => {
          isRefused = false;
        })
        .catch((error) => {
          const wasRefused = isRefused;
          isRefused = availability.isUp;
          if (isRefused && !wasRefused) {
            logger.error({ err: error }, 'changes of keys cannot be read, or their use not written');
          }
        })
        .finally(() => {
          if (!closed) schedule();
        });
    }, pollMs).unref();
  };
  let closed = false;
  await load();
  schedule();

  return {
    bySecret: (appKey, secret, looking = {}) =>
      callerOf(
        secret ?? '',
        looking,
        ({ kind, scopes, app }) => same(appKey, app.appKey) && kind === 'secret' && scopes.includes('nhn'),
      ),
    byApiKey: async (key, scope, looking = {}) =>
      typeof key === 'string'
        ? await callerOf(key, looking, ({ kind, scopes }) => kind === 'api' && scopes.includes(scope))
        : undefined,
    get knownKeysUntil() {
      return Date.now() + confirmedAt + knownKeysMs - performance.now();
    },
    notice: poll,
    async close() {
      closed = true;
      clearTimeout(timer);
      await polling;
      // When a key was last used is not worth waiting for, nor failing.
      await availability.run(noteUse, patienceMs).catch(() => {});
    },
  };
}

/** Sets a value, and forgets the oldest where there are too many. */
function remember<Value>(map: Map<string, Value>, most: number, name: string, value: Value): void {
  const [oldest] = map.size >= most ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
  map.set(name, value);
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function unavailable(): RequestError {
  return new RequestError(
    'storage_unavailable',
    'Whether the key is right cannot be known now: the database does not answer.',
  );
}
