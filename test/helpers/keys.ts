/** Keys of every kind that a server may meet, with texts that tests know: those that hold, and those that do not. */

import type { Kysely } from 'kysely';
import { hashOf, type KeyKind, type Limits, type Scope, scopesOf } from '../../src/storage/keys.ts';
import type { Schema } from '../../src/storage/schema.ts';

/** Those of the app that tests ask with. */
export const credential = {
  appKey: 'contract-app-key',
  secretKey: 'contract-secret-key-0123',
  apiKey: 'contract-api-key-012345',
  adminToken: 'contract-admin-token-012',
} as const;

interface Planted {
  readonly secret: string;
  readonly kind: KeyKind | 'admin';
  readonly app?: 'contract' | 'other' | 'revoked';
  readonly scopes?: readonly Scope[];
  readonly isRevoked?: true;
  readonly isExpired?: true;
  readonly limits?: Limits;
}

/** By what they are, for the names of tests. */
export const planted = {
  secret: { secret: credential.secretKey, kind: 'secret' },
  api: { secret: credential.apiKey, kind: 'api' },
  admin: { secret: credential.adminToken, kind: 'admin' },
  'a revoked secret': { secret: 'contract-revoked-secret', kind: 'secret', isRevoked: true },
  'a revoked x-api-key': { secret: 'contract-revoked-api', kind: 'api', isRevoked: true },
  'a revoked admin token': { secret: 'contract-revoked-admin', kind: 'admin', isRevoked: true },
  'an expired secret': { secret: 'contract-expired-secret', kind: 'secret', isExpired: true },
  'an expired x-api-key': { secret: 'contract-expired-api', kind: 'api', isExpired: true },
  'an expired admin token': { secret: 'contract-expired-admin', kind: 'admin', isExpired: true },
  "another app's secret": { secret: 'contract-other-secret', kind: 'secret', app: 'other' },
  "a revoked app's secret": { secret: 'contract-gone-secret', kind: 'secret', app: 'revoked' },
  "a revoked app's x-api-key": { secret: 'contract-gone-api', kind: 'api', app: 'revoked' },
  'an x-api-key for ARGOS alone': { secret: 'contract-argos-api', kind: 'api', scopes: ['argos'] },
  'an x-api-key for the native API alone': {
    secret: 'contract-native-api',
    kind: 'api',
    scopes: ['native'],
  },
  'a spare x-api-key': { secret: 'contract-spare-api', kind: 'api' },
  'a secret for one request a day': {
    secret: 'contract-limited-secret',
    kind: 'secret',
    limits: { perDay: 1 },
  },
  'an x-api-key for one request a day': {
    secret: 'contract-limited-api',
    kind: 'api',
    limits: { perDay: 1 },
  },
} as const satisfies Record<string, Planted>;

/** The id of a transaction that is there too. */
export const plantedTransaction = '0000000000000';

/** Writes them all; where they are already, nothing changes. */
export async function plantKeys(db: Kysely<Schema>): Promise<void> {
  const now = Date.now();
  for (const name of ['contract', 'other', 'revoked']) {
    const app_key = name === 'contract' ? credential.appKey : `${name}-app-key`;
    const revoked_at = name === 'revoked' ? now : null;
    await db
      .insertInto('apps')
      .values({ id: `app_${name}`, app_key, name, limits: '{}', created_at: now, revoked_at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await db
    .insertInto('transactions')
    .values({
      id: plantedTransaction,
      time: now,
      app: 'app_contract',
      key: `key_${credential.apiKey}`,
      dialect: 'native',
      outcome: 'invalid_base64',
      status: 400,
      total_ms: 1,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  for (const [name, key] of Object.entries<Planted>(planted)) {
    const { secret, kind, app = 'contract', scopes, isRevoked, isExpired, limits = {} } = key;
    const common = {
      name,
      prefix: secret.slice(0, 10),
      hash: hashOf(secret),
      created_by: 'test',
      created_at: now - 2,
      expires_at: isExpired ? now - 1 : null,
      revoked_at: isRevoked ? now : null,
      last_used_at: null,
    };
    if (kind === 'admin') {
      await db
        .insertInto('admin_tokens')
        .values({ id: `adm_${secret}`, ...common })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      continue;
    }
    await db
      .insertInto('keys')
      .values({
        id: `key_${secret}`,
        app_id: `app_${app}`,
        kind,
        scopes: JSON.stringify(scopes ?? scopesOf[kind]),
        limits: JSON.stringify(limits),
        replaced_by: null,
        ...common,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
