/** `bonafide keys`: what callers prove themselves with. */

import { ConfigError } from '../config.ts';
import { toKey } from '../server/admin/wire.ts';
import { type Key, type KeyKind, Keys, type Made, type Scope } from '../storage/keys.ts';
import { settingsHelp } from './command.ts';
import {
  all,
  createdBy,
  type Given,
  jsonLines,
  limitFlags,
  limitHelp,
  limitsOf,
  say,
  shownLimits,
  shownState,
  shownTime,
  storageCommand,
  storageSettings,
  timeOf,
  wholeNumber,
  words,
} from './storage.ts';
import { printable, table } from './table.ts';

const help = `Usage: bonafide keys list|create|limit|rotate|revoke [KEY] [options]

  list          The keys of all apps, or of one.
  create NAME   Makes a key, and writes it to stdout: this once, as only its hash is kept.
  limit KEY     Gives it these limits in place of those it has.
  rotate KEY    Makes a key like it, written to stdout; the old one ends after the grace period.
  revoke KEY    Ends it, for ever.

A KEY is its id. Works beside a running server: a new key is good at once, and a change is known
within 5 s.

  --app APP
      The app it is for, or whose keys are listed: an id or a name.
  --kind secret|api
      secret: for the Authorization header of the NHN dialect; api: for the x-api-key header.
  --scopes argos,native
      The APIs that a key of kind api is for; both without it.
  --expires TIME
      When it ends: 2027-01-01, or 2027-01-01T09:00:00Z.
  --grace SECONDS (default: 86400)
      How long the old key is good beside the new one, a year at most.
${limitHelp}  --json
      One line of JSON for each key, as the admin API has it.
${settingsHelp(storageSettings)}`;

const flags = {
  ...limitFlags,
  app: { type: 'string' },
  kind: { type: 'string' },
  scopes: { type: 'string' },
  expires: { type: 'string' },
  grace: { type: 'string', default: '86400' },
  json: { type: 'boolean' },
} as const;

export const keys = storageCommand(help, flags, run);

async function* run({ storage, values, positionals }: Given): AsyncGenerator<string> {
  const store = new Keys(storage.db);
  const show = (found: readonly Key[]) =>
    values.json ? jsonLines(found.map(toKey)) : table(head, found.map(row));
  const showMade = ({ made, secret }: Made<Key>) => {
    if (values.json) return jsonLines([{ key: toKey(made), secret }]);
    say(`${made.id} was made for ${made.app}. The key is shown this once:`);
    return `${secret}\n`;
  };
  const appId = () => store.idOf(values.app as string | undefined);
  switch (positionals[0]) {
    case 'list': {
      words(positionals, []);
      const app = await appId();
      yield show(await all((cursor) => store.listKeys(pageSize, cursor, app)));
      return;
    }
    case 'create': {
      const [name = ''] = words(positionals, ['NAME']);
      const app = await appId();
      if (app === undefined) throw new ConfigError('Say which app the key is for: --app APP. See --help.');
      yield showMade(
        await store.createKey({
          app,
          name,
          kind: kindOf(values.kind),
          scopes: values.scopes === undefined ? undefined : (String(values.scopes).split(',') as Scope[]),
          limits: limitsOf(values),
          expiresAt: timeOf('expires', values.expires),
          createdBy,
        }),
      );
      return;
    }
    case 'limit': {
      const [key = ''] = words(positionals, ['KEY']);
      yield show([await store.limitKey(key, limitsOf(values))]);
      return;
    }
    case 'rotate': {
      const [key = ''] = words(positionals, ['KEY']);
      yield showMade(await store.rotateKey(key, wholeNumber('grace', values.grace) * 1000, createdBy));
      return;
    }
    case 'revoke': {
      const [key = ''] = words(positionals, ['KEY']);
      yield show([await store.revokeKey(key)]);
      return;
    }
    default:
      throw new ConfigError('Say: bonafide keys list, create, limit, rotate or revoke. See --help.');
  }
}

const pageSize = 500;

const head = ['KEY', 'APP', 'KIND', 'NAME', 'BEGINS', 'SCOPES', 'STATE', 'EXPIRES', 'LAST USED', 'LIMITS'];

function row(key: Key): string[] {
  const { id, app, kind, name, prefix, scopes, expiresAt, lastUsedAt, limits } = key;
  return [
    id,
    app,
    kind,
    printable(name),
    prefix,
    scopes.join(','),
    shownState(key),
    shownTime(expiresAt),
    shownTime(lastUsedAt),
    shownLimits(limits),
  ];
}

function kindOf(value: unknown): KeyKind {
  if (value === 'secret' || value === 'api') return value;
  throw new ConfigError('Say which kind of key: --kind secret or --kind api. See --help.');
}
