/** `bonafide usage`: how often what was answered. */

import { ConfigError } from '../config.ts';
import { Keys } from '../storage/keys.ts';
import { Usage, type UsagePart, usageParts, utcDay } from '../storage/usage.ts';
import { settingsHelp } from './command.ts';
import { all, filterFlags, type Given, jsonLines, storageCommand, storageSettings } from './storage.ts';
import { table } from './table.ts';

const help = `Usage: bonafide usage [options]

Counts requests, of the last 30 days unless told otherwise.

  --from DAY, --to DAY
      The first and the last day, in UTC: 2026-11-22.
  --by day,app,key,dialect,outcome (default: all of them)
      What counts are told apart by; what is left out is added up.
  --app APP, --key KEY, --dialect nhn|argos|native, --outcome OUTCOME
      Only what fits: by the id or name of an app, the id of a key, and what came of it.
  --json
      One line of JSON for each count, as the admin API has it.
${settingsHelp(storageSettings)}`;

const flags = {
  ...filterFlags,
  from: { type: 'string' },
  to: { type: 'string' },
  by: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const usage = storageCommand(help, flags, run);

async function* run({ storage, values, positionals }: Given): AsyncGenerator<string> {
  if (positionals.length > 0) throw new ConfigError('Only options follow. See --help.');
  const app = await new Keys(storage.db).idOf(values.app as string | undefined);
  const text = (flag: string) => values[flag] as string | undefined;
  const by = partsOf(text('by'));
  const filter = {
    from: text('from') ?? utcDay(30),
    to: text('to') ?? utcDay(),
    app,
    key: text('key'),
    dialect: text('dialect'),
    outcome: text('outcome'),
  };
  const store = new Usage(storage.db);
  const counts = await all(async (cursor) => {
    const { counts: items, ...page } = await store.list(filter, by, pageSize, cursor);
    return { items, ...page };
  });
  if (values.json) {
    yield jsonLines(counts);
    return;
  }
  const head = [...by.map((part) => part.toUpperCase()), 'REQUESTS'];
  yield table(
    head,
    counts.map((count) => [...by.map((part) => count[part] ?? ''), String(count.count)]),
  );
}

const pageSize = 1_000;

/** In their own order. */
function partsOf(value: string | undefined): UsagePart[] {
  if (value === undefined) return [...usageParts];
  const given = value.split(',');
  const unknown = given.find((part) => !usageParts.some((known) => known === part));
  if (unknown !== undefined) {
    throw new ConfigError(`--by must be of ${usageParts.join(', ')}; it is "${value}".`);
  }
  return usageParts.filter((part) => given.includes(part));
}
