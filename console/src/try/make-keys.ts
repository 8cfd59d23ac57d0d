/** Keys for this browser, made by the admin API for who is signed in. */

import type { Static } from 'typebox';
import type { Apps, MadeKey, NewKey } from '../../../src/server/admin/wire.ts';
import { askAdmin } from '../api.ts';
import type { KeySet } from './keys.ts';

export type AppChoice = Static<typeof Apps>['apps'][number];

const hours = 12;

/** @returns the apps whose keys are good, on the first page of them. @throws ApiError */
export async function listApps(): Promise<readonly AppChoice[]> {
  const { apps } = await askAdmin<Static<typeof Apps>>('/apps');
  return apps.filter(({ revokedAt }) => revokedAt === null);
}

/** @returns keys of the app that end by themselves. @throws ApiError */
export async function makeKeys({ id, appKey }: AppChoice): Promise<KeySet> {
  const expiresAt = new Date(Date.now() + hours * 3_600_000).toISOString();
  const make = async (kind: 'api' | 'secret') => {
    const body: Static<typeof NewKey> = { kind, name: 'console', expiresAt };
    const made = await askAdmin<Static<typeof MadeKey>>(`/apps/${encodeURIComponent(id)}/keys`, {
      method: 'POST',
      body,
    });
    return made.secret;
  };
  return { appKey, apiKey: await make('api'), secretKey: await make('secret') };
}
