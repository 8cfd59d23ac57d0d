/** Requests per second: counted by all nodes in Postgres, by this one alone with SQLite or while Postgres is away. */

import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { type Availability, patienceMs } from '../storage/availability.ts';
import type { Counters } from '../storage/database.ts';

export interface Rate {
  /** `key:<id>` or `app:<id>`. */
  readonly subject: string;
  readonly perSecond: number;
  /** Requests beyond the rate that may come once in ten seconds. */
  readonly burst: number;
}

export interface RateUse {
  readonly isOver: boolean;
  /** Requests left of this second. */
  readonly left: number;
  /** Until there are more. */
  readonly ms: number;
}

export interface Rates {
  consume(rate: Rate): Promise<RateUse>;
}

const burstSeconds = 10;

/** One that clocks may be set back under: what was counted until later than its window lasts is not counted. */
class SharedLimiter extends RateLimiterPostgres {
  override async consume(...use: Parameters<RateLimiterPostgres['consume']>): Promise<RateLimiterRes> {
    try {
      return await super.consume(...use);
    } catch (reason) {
      if (!(reason instanceof RateLimiterRes) || reason.msBeforeNext <= this.msDuration) throw reason;
      await this.delete(use[0]);
      return await super.consume(...use);
    }
  }
}

/** @param pool where nodes count together; without it this process counts alone. */
export function createRates(pool: Counters['pool'], availability: Availability): Rates {
  // One for each pair of numbers that a limit has; the library keeps these in the limiter, and subjects below it.
  const limiters = new Map<string, BurstyRateLimiter>();

  function limiterOf(shared: Counters['pool'], { perSecond, burst }: Rate): BurstyRateLimiter {
    const name = `${shared === undefined} ${perSecond} ${burst}`;
    const made = limiters.get(name);
    if (made !== undefined) return made;
    const make = (keyPrefix: string, points: number, duration: number) =>
      shared === undefined
        ? new RateLimiterMemory({ keyPrefix, points, duration })
        : new SharedLimiter({
            keyPrefix,
            points,
            duration,
            storeClient: shared,
            storeType: 'pool',
            tableName: 'rates',
            tableCreated: true,
            // `src/server/retention.ts` does that, once for all of them.
            clearExpiredByTimeout: false,
            // Who goes on after a refusal costs no query each time.
            inMemoryBlockOnConsumed: points + 1,
          });
    const limiter = new BurstyRateLimiter(make('second', perSecond, 1), make('burst', burst, burstSeconds));
    limiters.set(name, limiter);
    return limiter;
  }

  async function consume(shared: Counters['pool'], rate: Rate): Promise<RateUse> {
    const use = (isOver: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes) => ({
      isOver,
      left: isOver ? 0 : remainingPoints,
      // In memory it is a timer that ends a window, whatever the clock says.
      ms: Math.min(msBeforeNext, burstSeconds * 1000),
    });
    try {
      return use(false, await limiterOf(shared, rate).consume(rate.subject));
    } catch (reason) {
      if (reason instanceof RateLimiterRes) return use(true, reason);
      throw reason;
    }
  }

  return {
    async consume(rate) {
      if (pool === undefined) return await consume(undefined, rate);
      // Nobody is refused because a database is away, and nobody may ask without end because of it.
      return await availability
        .run(() => consume(pool, rate), patienceMs)
        .catch(() => consume(undefined, rate));
    },
  };
}
