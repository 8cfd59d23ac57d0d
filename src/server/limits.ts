/** How much a key and an app may ask for: requests per second, per day and per month, and what an answer says of it. */

import type { FastifyReply } from 'fastify';
import type { Limits } from '../storage/keys.ts';
import type { Quota } from '../storage/quotas.ts';
import type { Caller } from './auth.ts';
import { RequestError } from './errors.ts';
import type { Quotas } from './quotas.ts';
import type { Rate, Rates } from './rates.ts';

export interface Limiter {
  /**
   * Counts a request of this caller, before its body is read, and says in headers of the answer what is left.
   * @throws RequestError `rate_limited` or `quota_exceeded`. What is refused for its rate uses nothing of a quota.
   */
  consume(caller: Caller, reply: FastifyReply): Promise<void>;
}

/** One limit, as the `RateLimit` fields have it. */
interface Policy {
  /** `key-second`, `app-day` and so on. */
  readonly name: string;
  readonly allowed: number;
  readonly windowSeconds: number;
}

/** Where a caller stands with a limit. */
interface Standing {
  readonly policy: Policy;
  readonly left: number;
  readonly resetSeconds: number;
}

/** @param now for tests. */
export function createLimiter(rates: Rates, quotas: Quotas, now = () => new Date()): Limiter {
  async function consumeRates(caller: Caller, standings: Standing[]): Promise<void> {
    const uses = await Promise.all(
      ratesOf(caller).map(async ({ rate, policy }) => ({ policy, ...(await rates.consume(rate)) })),
    );
    if (uses.length === 0) return;
    const seconds = ({ ms }: { ms: number }) => Math.max(Math.ceil(ms / 1000), 1);
    for (const use of uses) {
      standings.push({ policy: use.policy, left: use.left, resetSeconds: seconds(use) });
    }
    const over = uses.filter(({ isOver }) => isOver).map(seconds);
    if (over.length > 0) {
      throw new RequestError(
        'rate_limited',
        'These are more requests per second than are allowed.',
        Math.max(...over),
      );
    }
  }

  async function consumeQuotas(caller: Caller, standings: Standing[]): Promise<void> {
    const time = now();
    const limited = quotasOf(caller, time);
    if (limited.length === 0) return;
    const { isGranted, used } = await quotas.count(limited.map(({ quota }) => quota));
    for (const [i, { policy, endsAt }] of limited.entries()) {
      const resetSeconds = Math.max(Math.ceil((endsAt - time.getTime()) / 1000), 1);
      const left = Math.max(policy.allowed - (used[i] as number), 0);
      standings.push({ policy, left, resetSeconds });
    }
    if (isGranted) return;
    // The longest wait of those that are used up.
    const [{ policy, resetSeconds }] = standings
      .filter(({ left, policy }) => left === 0 && policy.windowSeconds >= daySeconds)
      .sort((a, b) => b.resetSeconds - a.resetSeconds) as [Standing];
    const period = policy.windowSeconds === daySeconds ? 'day' : 'month';
    throw new RequestError('quota_exceeded', `The quota of this ${period} is used up.`, resetSeconds);
  }

  return {
    async consume(caller, reply) {
      const standings: Standing[] = [];
      try {
        await consumeRates(caller, standings);
        await consumeQuotas(caller, standings);
      } finally {
        if (standings.length > 0) reply.headers(toHeaders(standings));
      }
    },
  };
}

const daySeconds = 86_400;

/** Key before app, always: the order in which the database locks the rows. */
function subjectsOf({ key, app }: Caller): { name: 'key' | 'app'; subject: string; limits: Limits }[] {
  return [
    { name: 'key', subject: `key:${key.id}`, limits: key.limits },
    { name: 'app', subject: `app:${app.id}`, limits: app.limits },
  ];
}

function ratesOf(caller: Caller): { rate: Rate; policy: Policy }[] {
  return subjectsOf(caller).flatMap(({ name, subject, limits: { perSecond, burst = 0 } }) => {
    if (perSecond === undefined) return [];
    const policy = { name: `${name}-second`, allowed: perSecond, windowSeconds: 1 };
    return [{ rate: { subject, perSecond, burst }, policy }];
  });
}

/** Calendar days and months in UTC, which are the same on every node. */
function quotasOf(caller: Caller, time: Date): { quota: Quota; policy: Policy; endsAt: number }[] {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  const date = time.toISOString().slice(0, 10);
  const startOfMonth = Date.UTC(year, month);
  const endOfMonth = Date.UTC(year, month + 1);
  const periods = [
    { name: 'day', period: date, windowSeconds: daySeconds, endsAt: Date.UTC(year, month, day + 1) },
    {
      name: 'month',
      period: date.slice(0, 7),
      windowSeconds: (endOfMonth - startOfMonth) / 1000,
      endsAt: endOfMonth,
    },
  ] as const;
  return subjectsOf(caller).flatMap(({ name: whose, subject, limits }) =>
    periods.flatMap(({ name, period, windowSeconds, endsAt }) => {
      const allowed = name === 'day' ? limits.perDay : limits.perMonth;
      if (allowed === undefined) return [];
      const policy = { name: `${whose}-${name}`, allowed, windowSeconds };
      return [{ quota: { subject, period, allowed }, policy, endsAt }];
    }),
  );
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-11: what is allowed (q) per window (w), what is left (r) until a reset (t). */
function toHeaders(standings: readonly Standing[]): Record<string, string> {
  const list = (item: (standing: Standing) => string) => standings.map(item).join(', ');
  return {
    'ratelimit-policy': list(
      ({ policy }) => `"${policy.name}";q=${policy.allowed};w=${policy.windowSeconds}`,
    ),
    ratelimit: list(({ policy, left, resetSeconds }) => `"${policy.name}";r=${left};t=${resetSeconds}`),
  };
}
