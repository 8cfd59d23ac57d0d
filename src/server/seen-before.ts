/** Whether a picture was sent before: in the log, or a moment ago and not in the log yet. */

import { type Availability, patienceMs } from '../storage/availability.ts';
import type { Transactions } from '../storage/transactions.ts';

/** Whether the same bytes came before under the same app. */
export type SeenBefore =
  | { readonly status: 'not_seen' }
  | {
      readonly status: 'seen';
      /** Of the last transaction with these bytes. */
      readonly requestId: string;
      /** Milliseconds since 1970, of the first and the last one within the time looked at. */
      readonly firstAt: number;
      readonly lastAt: number;
    }
  /** The database did not answer. */
  | { readonly status: 'unknown' };

/** A picture of a transaction that is not in the database yet. */
interface Recent {
  readonly id: string;
  readonly time: number;
}

export interface SeenBeforeLookup {
  /** Looks for earlier transactions with the picture; later ones will find this one. Never rejects. */
  look(app: string, imageSha256: string, id: string, time: number): Promise<SeenBefore>;
  /** The transaction is in the database now, or will never be. */
  forget(app: string, imageSha256: string, id: string): void;
}

/**
 * Most pictures that are remembered before they are in the database: against memory that grows through an outage, in
 * which only the last so many of this node are compared.
 */
const maxRecent = 10_000;

const dayMs = 86_400_000;

/** @param days how far back to look. */
export function createSeenBefore(
  transactions: Transactions,
  availability: Availability,
  days: number,
): SeenBeforeLookup {
  const recent = new Map<string, Recent[]>();

  return {
    async look(app, imageSha256, id, time) {
      const name = `${app} ${imageSha256}`;
      const since = time - days * dayMs;
      const waiting = recent.get(name) ?? [];
      const here = waiting.filter((one) => one.time >= since);
      // Put at the end: the first in the map is the one that was not asked for the longest.
      recent.delete(name);
      recent.set(name, [...waiting, { id, time }]);
      const [oldest] = recent.keys();
      if (recent.size > maxRecent && oldest !== undefined) recent.delete(oldest);

      const there = await availability
        .run(() => transactions.lastSeen(app, imageSha256, since), patienceMs)
        .catch(() => 'unknown' as const);
      const [first, last] = [here[0], here.at(-1)];
      if (there === 'unknown' || there === undefined) {
        if (first === undefined || last === undefined) {
          return { status: there === 'unknown' ? 'unknown' : 'not_seen' };
        }
        return { status: 'seen', requestId: last.id, firstAt: first.time, lastAt: last.time };
      }
      const isNewer = last !== undefined && last.time > there.lastAt;
      return {
        status: 'seen',
        requestId: isNewer ? last.id : there.id,
        firstAt: Math.min(there.firstAt, first?.time ?? there.firstAt),
        lastAt: isNewer ? last.time : there.lastAt,
      };
    },
    forget(app, imageSha256, id) {
      const name = `${app} ${imageSha256}`;
      const left = recent.get(name)?.filter((one) => one.id !== id);
      if (left === undefined) return;
      if (left.length === 0) recent.delete(name);
      else recent.set(name, left);
    },
  };
}
