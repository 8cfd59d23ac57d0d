/** Transactions as text for other programs: CSV or one JSON object a line, some at a time. */

import { stringify } from 'csv-stringify/sync';
import type { Transaction } from './transactions.ts';

export type ExportFormat = 'csv' | 'ndjson';

/** The columns of CSV, which are the members of a transaction. */
export const columns = [
  'id',
  'time',
  'app',
  'key',
  'dialect',
  'mode',
  'outcome',
  'status',
  'faces',
  'pLive',
  'verdicts',
  'profile',
  'models',
  'calibrationSha256',
  'imageSha256',
  'imageBytes',
  'imageFormat',
  'width',
  'height',
  'timings',
  'totalMs',
  'client',
  'tag',
  'seenBefore',
] as const satisfies (keyof Transaction)[];

/** A transaction as the API and exports have it: its time in ISO 8601. */
export function toRecord(transaction: Transaction): Omit<Transaction, 'time'> & { readonly time: string } {
  return { ...transaction, time: new Date(transaction.time).toISOString() };
}

/** @param pages as `Transactions.export` gives them. */
export async function* toText(
  pages: AsyncIterable<readonly Transaction[]>,
  format: ExportFormat,
): AsyncGenerator<string> {
  // The head comes also where nothing follows.
  if (format === 'csv') yield csv([], true);
  for await (const page of pages) {
    const records = page.map(toRecord);
    yield format === 'csv'
      ? csv(records, false)
      : records.map((record) => `${JSON.stringify(record)}\n`).join('');
  }
}

function csv(records: object[], header: boolean): string {
  // A caller chooses the tag, and spreadsheets run what begins like a formula. Lists are JSON.
  return stringify(records, { columns: [...columns], header, escape_formulas: true });
}
