/** Wrong keys of an address: after so many a minute, only keys that this node knows are still looked at. */

import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { clientNetwork } from './client-address.ts';

export interface WrongKeys {
  /** Whether this address has sent so many that the database is not asked about its next one. */
  areTooMany(address: string): Promise<boolean>;
  /**
   * Notes one more.
   * @returns seconds until the next is looked at, where they are too many.
   */
  note(address: string): Promise<number | undefined>;
}

/**
 * Addresses are counted in so many pots, chosen by a secret: a flood from ever new addresses takes no more memory. Who
 * shares a pot with somebody who guesses is slowed down only when they send wrong keys themselves.
 */
const pots = 16_384;
const windowSeconds = 60;

/** @param perMinute wrong keys of one address per minute that are answered as such. */
export function createWrongKeys(perMinute: number): WrongKeys {
  const secret = randomBytes(16);
  const limiter = new RateLimiterMemory({ points: perMinute, duration: windowSeconds });
  const potOf = (address: string) =>
    createHmac('sha256', secret).update(clientNetwork(address)).digest().readUInt32BE() % pots;
  return {
    async areTooMany(address) {
      const { consumedPoints = 0 } = (await limiter.get(potOf(address))) ?? {};
      return consumedPoints >= perMinute;
    },
    async note(address) {
      try {
        await limiter.consume(potOf(address));
        return undefined;
      } catch (reason) {
        if (reason instanceof RateLimiterRes) {
          // A timer ends the window, also when the clock was set back.
          return Math.min(Math.max(Math.ceil(reason.msBeforeNext / 1000), 1), windowSeconds);
        }
        throw reason;
      }
    },
  };
}
