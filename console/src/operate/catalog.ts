/** Lists of the admin API that pages need whole. */

import type { Static } from 'typebox';
import type { Apps, Keys, UsageCounts } from '../../../src/server/admin/wire.ts';
import { askAdmin } from '../api.ts';

export type App = Static<typeof Apps>['apps'][number];
export type Key = Static<typeof Keys>['keys'][number];
export type UsageCount = Static<typeof UsageCounts>['usage'][number];

/** A path of the admin API with its query; what is undefined or empty is left out. */
export function pathOf(
  path: `/${string}`,
  query: Readonly<Record<string, string | undefined>> = {},
): `/${string}` {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** All pages of a list, one after another. @throws ApiError */
async function all<Page extends { next?: string }, Item>(
  path: `/${string}`,
  query: Readonly<Record<string, string | undefined>>,
  itemsOf: (page: Page) => readonly Item[],
  signal: AbortSignal,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await askAdmin<Page>(pathOf(path, { ...query, limit: '999', cursor }), { signal });
    items.push(...itemsOf(page));
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

export const listApps = (signal: AbortSignal) =>
  all('/apps', {}, ({ apps }: Static<typeof Apps>) => apps, signal);

/** @param app id. */
export const listKeys = (app: string, signal: AbortSignal) =>
  all('/keys', { app }, ({ keys }: Static<typeof Keys>) => keys, signal);

export const listUsage = (query: Readonly<Record<string, string | undefined>>, signal: AbortSignal) =>
  all('/usage', query, ({ usage }: Static<typeof UsageCounts>) => usage, signal);
