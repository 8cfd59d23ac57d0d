/** The tag by which a caller may want to find, or delete, its transactions. */

import { Type } from 'typebox';

export const tagHeader = 'x-bonafide-tag';

/** What reads the same in a header, a log, a table and a URL. */
const pattern = '^[A-Za-z0-9._:@/+=-]{1,128}$';

/** Of the headers of every request: only the tag is looked at. */
export const TagHeaders = Type.Object({
  [tagHeader]: Type.Optional(
    Type.String({
      pattern,
      description:
        'Kept with the transaction, to find or delete it by: a session or a customer number. 1 to 128 letters, digits and ._:@/+=-',
    }),
  ),
});

/** @returns undefined where there is none, or one that the schema refuses. */
export function tagOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && new RegExp(pattern).test(header) ? header : undefined;
}
