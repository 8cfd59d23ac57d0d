/** What errors of the database mean to who asked the admin API. */

import { toFailure } from '../../dialects/dialect.ts';
import type { Availability } from '../../storage/availability.ts';
import { noChanges, StorageError, takesNoChanges } from '../../storage/errors.ts';
import type { Keys } from '../../storage/keys.ts';
import { RequestError, type RequestErrorCode } from '../errors.ts';

const codes: Readonly<Record<StorageError['code'], RequestErrorCode>> = {
  invalid: 'invalid_request',
  not_found: 'not_found',
  conflict: 'conflict',
  unusable: 'storage_unavailable',
};

/** What such an error means; any other stays what it is. */
export async function toRequestError(
  error: unknown,
  availability: Availability,
  keys: Keys,
): Promise<unknown> {
  if (error instanceof StorageError) return new RequestError(codes[error.code], error.message);
  if (takesNoChanges(error)) {
    return new RequestError('storage_unavailable', noChanges, undefined, { cause: error });
  }
  // A connection to the database that breaks looks like one to a client.
  const { code } = toFailure(error);
  if (code !== 'engine_failure' && code !== 'aborted') return error;
  // Drivers have many words for "away"; whether it is, a question tells that cannot fail for any other reason.
  const isThere = await availability
    .run(() => keys.revision())
    .then(
      () => true,
      () => false,
    );
  return isThere
    ? error
    : new RequestError('storage_unavailable', 'The database does not answer.', undefined, { cause: error });
}
