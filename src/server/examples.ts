/** Examples of requests and answers, in the schemas of the document that describes the API. */

import type { Static, TSchema } from 'typebox';

/** What stands in the document, with a line that says what it is. */
export interface Example<Value> {
  readonly summary: string;
  readonly value: Value;
}

/** The keyword of a schema that the document takes its examples from; no value is held against it. */
export const examplesKeyword = 'x-examples';

/**
 * The schema with examples of it, by their names. The compiler holds them to it, and `test/contract/openapi.test.ts` to what
 * the server takes and answers.
 */
export function withExamples<Schema extends TSchema>(
  schema: Schema,
  examples: Readonly<Record<string, Example<Static<Schema>>>>,
): Schema {
  return { ...schema, [examplesKeyword]: examples };
}
