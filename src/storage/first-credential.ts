/** What a first start makes, so that the first request needs nothing else: an app, its keys and an admin token. */

import type { Kysely } from 'kysely';
import { changeKeys, insertKey, Keys } from './keys.ts';
import type { Schema } from './schema.ts';

export interface FirstCredential {
  readonly appKey: string;
  readonly secretKey: string;
  readonly apiKey: string;
  readonly adminToken: string;
}

const name = 'default';
const createdBy = 'first start';

/**
 * Where there is an app already it does nothing: of two servers that start together one makes the credential.
 * @param show tells somebody, for only hashes are kept; where it throws, or never ends, nothing was made.
 * @returns whether it was made.
 */
export async function makeFirstCredential(
  db: Kysely<Schema>,
  show: (credential: FirstCredential) => Promise<void>,
): Promise<boolean> {
  if (await hasApp(db)) return false;
  return await changeKeys(db, async (transaction) => {
    if (await hasApp(transaction)) return false;
    const keys = new Keys(transaction);
    const { id, appKey } = await keys.createApp(name);
    const common = { app_id: id, name, limits: '{}', created_by: createdBy, expires_at: null };
    const secret = await insertKey(transaction, { ...common, kind: 'secret' });
    const api = await insertKey(transaction, { ...common, kind: 'api' });
    const admin = await keys.createAdminToken(name, createdBy);
    await show({ appKey, secretKey: secret.secret, apiKey: api.secret, adminToken: admin.secret });
    return true;
  });
}

async function hasApp(db: Kysely<Schema>): Promise<boolean> {
  return (await db.selectFrom('apps').select('id').limit(1).executeTakeFirst()) !== undefined;
}
