/** Where a page of a list ends, as a text that callers hand back without looking into it. */

import { StorageError } from './errors.ts';

type Kind = 'number' | 'string';

export function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * @param kinds of the values that the cursor must hold.
 * @throws StorageError for what no `encodeCursor` has made.
 */
export function decodeCursor<const Kinds extends readonly Kind[]>(
  cursor: string,
  kinds: Kinds,
): { [Place in keyof Kinds]: Kinds[Place] extends 'number' ? number : string } {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    values = undefined;
  }
  if (
    !Array.isArray(values) ||
    values.length !== kinds.length ||
    !kinds.every((kind, i) => isOf(kind, values[i]))
  ) {
    throw new StorageError('invalid', 'The cursor is not one of this list.');
  }
  return values as never;
}

/** Only what both databases can compare with: whole numbers, and texts that Postgres can hold. */
function isOf(kind: Kind, value: unknown): boolean {
  return kind === 'number' ? Number.isSafeInteger(value) : typeof value === 'string' && !value.includes('\0');
}
