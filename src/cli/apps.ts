/** `bonafide apps`: what keys belong to, and limits are set for. */

import { ConfigError } from '../config.ts';
import { toApp } from '../server/admin/wire.ts';
import { type App, Keys } from '../storage/keys.ts';
import { settingsHelp } from './command.ts';
import {
  all,
  type Given,
  jsonLines,
  limitFlags,
  limitHelp,
  limitsOf,
  shownLimits,
  shownTime,
  storageCommand,
  storageSettings,
  words,
} from './storage.ts';
import { printable, table } from './table.ts';

const help = `Usage: bonafide apps list|create|limit|revoke [APP] [options]

  list          Every app, with its appKey.
  create NAME   Makes an app.
  limit APP     Gives it these limits in place of those it has.
  revoke APP    Ends it with all of its keys, for ever.

An APP is its id or its name. Works beside a running server, which knows of it within 5 s.

${limitHelp}  --json
      One line of JSON for each app, as the admin API has it.
${settingsHelp(storageSettings)}`;

export const apps = storageCommand(help, { ...limitFlags, json: { type: 'boolean' } }, run);

async function* run({ storage, values, positionals }: Given): AsyncGenerator<string> {
  const keys = new Keys(storage.db);
  const show = (found: readonly App[]) =>
    values.json
      ? jsonLines(found.map(toApp))
      : table(['APP', 'NAME', 'APPKEY', 'MADE', 'REVOKED', 'LIMITS'], found.map(row));
  const idOf = async (name: string) => (await keys.findApp(name)).id;
  switch (positionals[0]) {
    case 'list': {
      words(positionals, []);
      const found = await all((cursor) => keys.listApps(pageSize, cursor));
      yield show(found);
      return;
    }
    case 'create': {
      const [name = ''] = words(positionals, ['NAME']);
      yield show([await keys.createApp(name, limitsOf(values))]);
      return;
    }
    case 'limit': {
      const [app = ''] = words(positionals, ['APP']);
      yield show([await keys.limitApp(await idOf(app), limitsOf(values))]);
      return;
    }
    case 'revoke': {
      const [app = ''] = words(positionals, ['APP']);
      yield show([await keys.revokeApp(await idOf(app))]);
      return;
    }
    default:
      throw new ConfigError('Say: bonafide apps list, create, limit or revoke. See --help.');
  }
}

const pageSize = 500;

function row({ id, name, appKey, createdAt, revokedAt, limits }: App): string[] {
  return [id, printable(name), appKey, shownTime(createdAt), shownTime(revokedAt), shownLimits(limits)];
}
