/** `bonafide transactions`: the log of what was answered. */

import { ConfigError } from '../config.ts';
import { toRecord, toText } from '../storage/export.ts';
import { Keys } from '../storage/keys.ts';
import { type Transaction, Transactions } from '../storage/transactions.ts';
import { settingsHelp } from './command.ts';
import {
  filterOf,
  type Given,
  jsonLines,
  say,
  storageCommand,
  storageSettings,
  transactionFlags,
  wholeNumber,
  words,
} from './storage.ts';
import { printable, table } from './table.ts';

const help = `Usage: bonafide transactions list|show|export|delete [ID] [options]

  list        The last ones, newest first.
  show ID     One of them, as JSON.
  export      All of them, newest first, as CSV or one JSON object a line.
  delete ID   One of them; with --tag instead of an ID, all that carry the tag.

An ID is the request id of an answer; ARGOS calls it transactionId. Works beside a running server,
which writes what it answered within a second.

  --app APP, --key KEY, --dialect nhn|argos|native, --outcome OUTCOME, --tag TAG, --image SHA256
      Only those that fit: by the id or name of an app, the id of a key, what came of it, what the
      caller tagged it with, and the SHA-256 of the image in hexadecimal.
  --from TIME, --to TIME
      Only those from a time on, and before another: 2026-11-22, or 2026-11-22T08:30:00Z.
  --limit N (default: 50)
      How many are listed.
  --format csv|ndjson (default: csv)
      How they are exported.
  --json
      Lists one line of JSON for each, as the admin API has it.
${settingsHelp(storageSettings)}`;

const flags = {
  ...transactionFlags,
  limit: { type: 'string', default: '50' },
  format: { type: 'string', default: 'csv' },
  json: { type: 'boolean' },
} as const;

export const transactions = storageCommand(help, flags, run);

async function* run({ storage, values, positionals }: Given): AsyncGenerator<string> {
  const log = new Transactions(storage.db);
  const app = await new Keys(storage.db).idOf(values.app as string | undefined);
  switch (positionals[0]) {
    case 'list': {
      words(positionals, []);
      const found: Transaction[] = [];
      const limit = wholeNumber('limit', values.limit);
      for await (const page of log.export(filterOf(values, app))) {
        found.push(...page.slice(0, limit - found.length));
        if (found.length >= limit) break;
      }
      yield values.json ? jsonLines(found.map(toRecord)) : table(head, found.map(row));
      return;
    }
    case 'show': {
      const [id = ''] = words(positionals, ['ID']);
      const found = await log.find(id);
      if (found === undefined) throw new ConfigError(`There is no transaction "${printable(id)}".`);
      yield `${JSON.stringify(toRecord(found), null, 2)}\n`;
      return;
    }
    case 'export': {
      words(positionals, []);
      const { format } = values;
      if (format !== 'csv' && format !== 'ndjson') {
        throw new ConfigError(`--format must be one of csv, ndjson; it is "${format}".`);
      }
      yield* toText(log.export(filterOf(values, app)), format);
      return;
    }
    case 'delete': {
      const [id = ''] = words(positionals, values.tag === undefined ? ['ID'] : []);
      const deleted =
        values.tag === undefined
          ? Number(await log.delete(id))
          : await log.deleteByTag(String(values.tag), app);
      say(`${deleted} deleted.`);
      return;
    }
    default:
      throw new ConfigError('Say: bonafide transactions list, show, export or delete. See --help.');
  }
}

const head = ['TRANSACTION', 'TIME', 'APP', 'KEY', 'DIALECT', 'OUTCOME', 'P(LIVE)', 'TAG'];

function row({ id, time, app, key, dialect, outcome, pLive, tag }: Transaction): string[] {
  const scores = (pLive ?? []).map((p) => p.toFixed(3)).join(' ');
  return [id, new Date(time).toISOString(), app, key, dialect, outcome, scores, printable(tag ?? '')];
}
