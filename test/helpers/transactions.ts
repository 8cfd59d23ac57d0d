/** Transactions to fill a log with. */

import type { Transaction } from '../../src/storage/transactions.ts';

export const noon = Date.parse('2026-11-21T12:00:00Z');

/** Of the transaction of this number. */
export const id = (number: number) => number.toString(36).padStart(13, '0');

/** The one of this number: a millisecond after the one before. */
export function transaction(number: number, more: Partial<Transaction> = {}): Transaction {
  return {
    id: id(number),
    time: noon + number,
    app: 'app_a',
    key: 'key_a',
    dialect: 'native',
    mode: 'balanced',
    outcome: 'live',
    status: 200,
    faces: 1,
    pLive: [0.987],
    verdicts: [{ weak: 'live', balanced: 'live', strict: 'attack' }],
    profile: 'standard',
    models: [{ id: 'minifas-128', sha256: 'f'.repeat(64) }],
    calibrationSha256: null,
    imageSha256: 'a'.repeat(64),
    imageBytes: 12_345,
    imageFormat: 'jpeg',
    width: 640,
    height: 480,
    timings: { decode: 1.25 },
    totalMs: 20.5,
    client: '192.0.2.1',
    tag: null,
    seenBefore: null,
    ...more,
  };
}
