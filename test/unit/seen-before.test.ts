/** Pictures that came before: what the log and this node's own memory say together. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeenBefore } from '../../src/server/seen-before.ts';
import { createAvailability } from '../../src/storage/availability.ts';
import type { Seen, Transactions } from '../../src/storage/transactions.ts';

const dayMs = 86_400_000;
const now = 1_000 * dayMs;

/** A log that says this of every picture. */
function lookup(lastSeen: () => Promise<Seen | undefined>) {
  const asked: number[] = [];
  const log = {
    lastSeen: (_app: string, _sha256: string, since: number) => {
      asked.push(since);
      return lastSeen();
    },
  } as unknown as Transactions;
  return {
    asked,
    seen: createSeenBefore(
      log,
      createAvailability(() => {}),
      30,
    ),
  };
}

describe('seen before', () => {
  it('asks for as many days as are set', async () => {
    const { asked, seen } = lookup(async () => undefined);
    assert.deepEqual(await seen.look('a', 'x', '1', now), { status: 'not_seen' });
    assert.deepEqual(asked, [now - 30 * dayMs]);
  });

  it('joins what the log says and what is on its way there', async () => {
    const { seen } = lookup(async () => ({ id: '0', firstAt: now - 9, lastAt: now - 5 }));
    await seen.look('a', 'x', '1', now);
    assert.deepEqual(await seen.look('a', 'x', '2', now + 1), {
      status: 'seen',
      requestId: '1',
      firstAt: now - 9,
      lastAt: now,
    });
  });

  it('knows of pictures on their way while the database is away, and says of the others that it does not know', async () => {
    const { seen } = lookup(() => Promise.reject(new Error('away')));
    assert.deepEqual(await seen.look('a', 'x', '1', now), { status: 'unknown' });
    assert.deepEqual(await seen.look('a', 'x', '2', now + 1), {
      status: 'seen',
      requestId: '1',
      firstAt: now,
      lastAt: now,
    });
    assert.deepEqual(await seen.look('b', 'x', '3', now + 2), { status: 'unknown' });
  });

  it('leaves to the log what is there, and forgets what never will be', async () => {
    const { seen } = lookup(async () => undefined);
    await seen.look('a', 'x', '1', now);
    await seen.look('a', 'x', '2', now);
    seen.forget('a', 'x', '1');
    assert.equal((await seen.look('a', 'x', '3', now)).status, 'seen');
    for (const id of ['2', '3', 'never there']) seen.forget('a', 'x', id);
    assert.deepEqual(await seen.look('a', 'x', '4', now), { status: 'not_seen' });
  });

  it('does not count what is on its way for longer than the days that are set', async () => {
    const { seen } = lookup(async () => undefined);
    await seen.look('a', 'x', '1', now);
    assert.deepEqual(await seen.look('a', 'x', '2', now + 31 * dayMs), { status: 'not_seen' });
  });

  it('remembers no more than 10,000 pictures, those of the last requests', async () => {
    const { seen } = lookup(async () => undefined);
    await seen.look('a', 'first', '1', now);
    await seen.look('a', 'again', '2', now);
    for (let i = 0; i < 9_998; i++) await seen.look('a', `${i}`, `${i}`, now);
    assert.equal((await seen.look('a', 'again', '3', now)).status, 'seen');
    await seen.look('a', 'one more', '4', now);
    assert.equal((await seen.look('a', 'again', '5', now)).status, 'seen');
    assert.equal((await seen.look('a', 'first', '6', now)).status, 'not_seen');
  });
});
