/** `bonafide admin-tokens`: what administrators prove themselves with. */

import { ConfigError } from '../config.ts';
import { toAdminToken } from '../server/admin/wire.ts';
import { type AdminToken, Keys } from '../storage/keys.ts';
import { settingsHelp } from './command.ts';
import {
  all,
  createdBy,
  type Given,
  jsonLines,
  say,
  shownState,
  shownTime,
  storageCommand,
  storageSettings,
  timeOf,
  words,
} from './storage.ts';
import { printable, table } from './table.ts';

const help = `Usage: bonafide admin-tokens list|create|revoke [TOKEN] [options]

  list           Every token for the admin API.
  create NAME    Makes a token, and writes it to stdout: this once, as only its hash is kept.
  revoke TOKEN   Ends it, for ever and at once.

A TOKEN is its id. Works beside a running server.

  --expires TIME
      When it ends: 2027-01-01, or 2027-01-01T09:00:00Z.
  --json
      One line of JSON for each token, as the admin API has it.
${settingsHelp(storageSettings)}`;

const flags = { expires: { type: 'string' }, json: { type: 'boolean' } } as const;

export const adminTokens = storageCommand(help, flags, run);

async function* run({ storage, values, positionals }: Given): AsyncGenerator<string> {
  const keys = new Keys(storage.db);
  const show = (found: readonly AdminToken[]) =>
    values.json ? jsonLines(found.map(toAdminToken)) : table(head, found.map(row));
  switch (positionals[0]) {
    case 'list': {
      words(positionals, []);
      yield show(await all((cursor) => keys.listAdminTokens(pageSize, cursor)));
      return;
    }
    case 'create': {
      const [name = ''] = words(positionals, ['NAME']);
      const { made, secret } = await keys.createAdminToken(
        name,
        createdBy,
        timeOf('expires', values.expires),
      );
      if (values.json) {
        yield jsonLines([{ adminToken: toAdminToken(made), secret }]);
      } else {
        say(`${made.id} was made. The token is shown this once:`);
        yield `${secret}\n`;
      }
      return;
    }
    case 'revoke': {
      const [token = ''] = words(positionals, ['TOKEN']);
      yield show([await keys.revokeAdminToken(token)]);
      return;
    }
    default:
      throw new ConfigError('Say: bonafide admin-tokens list, create or revoke. See --help.');
  }
}

const pageSize = 500;

const head = ['TOKEN', 'NAME', 'BEGINS', 'MADE BY', 'STATE', 'EXPIRES', 'LAST USED'];

function row(token: AdminToken): string[] {
  const { id, name, prefix, createdBy: by, expiresAt, lastUsedAt } = token;
  return [
    id,
    printable(name),
    prefix,
    printable(by),
    shownState(token),
    shownTime(expiresAt),
    shownTime(lastUsedAt),
  ];
}
