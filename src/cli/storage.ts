/** What the commands that work on the database share: opening it beside a running server, and flags of several of them. */

import { type Config, ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import { openStorage, type Storage } from '../storage/database.ts';
import { noChanges, StorageError, takesNoChanges } from '../storage/errors.ts';
import type { Limits } from '../storage/keys.ts';
import type { TransactionFilter } from '../storage/transactions.ts';
import { type Command, endOnSignals } from './command.ts';

/** The settings that say where the database is. */
export const storageSettings = ['dataFolder', 'databaseUrl'] as const;

/** Who makes a key here. */
export const createdBy = 'command line';

type Options = NonNullable<Parameters<typeof parseCommand>[1]>;

export interface Given {
  readonly storage: Storage;
  /** Flags by their name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

/**
 * A command that works on the database.
 * @param help its text for `--help`.
 * @param options its own flags.
 * @param run returns what is written to stdout piece by piece.
 */
export function storageCommand(
  help: string,
  options: Options,
  run: (given: Given) => AsyncIterable<string>,
): Command {
  return async (args, env) => {
    const all = {
      ...flagOptions(storageSettings),
      ...options,
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { values, positionals } = parseCommand(args, all, true);
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const config: Config = loadConfig(env, values);
    endOnSignals();
    const storage = await openStorage({ folder: config.dataFolder, url: config.databaseUrl, create: false });
    try {
      for await (const text of run({ storage, values, positionals })) {
        // A reader that is slower than the database must not have all of it wait in memory.
        if (!process.stdout.write(text))
          await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
    } catch (error) {
      throw takesNoChanges(error) ? new StorageError('unusable', noChanges, { cause: error }) : error;
    } finally {
      await storage.close();
    }
    return 0;
  };
}

/** To stderr, so that stdout holds only what a script wants. */
export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** Exactly the words that an action takes. */
export function words(positionals: readonly string[], names: readonly string[]): string[] {
  const [action, ...given] = positionals;
  if (given.length !== names.length) {
    throw new ConfigError(`After "${action}" comes ${names.join(' ') || 'nothing'}. See --help.`);
  }
  return given;
}

/** Every page of a list. */
export async function all<Item>(
  list: (cursor?: string) => Promise<{ items: readonly Item[]; next?: string }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

/** One line of JSON for each. */
export function jsonLines(items: readonly object[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('');
}

export const limitFlags = {
  'per-second': { type: 'string' },
  burst: { type: 'string' },
  'per-day': { type: 'string' },
  'per-month': { type: 'string' },
} as const;

export const limitHelp = `  --per-second N, --burst N, --per-day N, --per-month N
      How many requests it may send: per second, at once on top of that, and per day and month
      in UTC. What is left out is unlimited.
`;

export function limitsOf(values: Readonly<Record<string, unknown>>): Limits {
  const names = {
    perSecond: 'per-second',
    burst: 'burst',
    perDay: 'per-day',
    perMonth: 'per-month',
  } as const;
  return Object.fromEntries(
    Object.entries(names)
      .filter(([, flag]) => values[flag] !== undefined)
      .map(([name, flag]) => [name, wholeNumber(flag, values[flag])]),
  );
}

/** Limits in a table. */
export function shownLimits({ perSecond, burst, perDay, perMonth }: Limits): string {
  return [
    perSecond !== undefined && `${perSecond}/s${burst === undefined ? '' : ` +${burst}`}`,
    perDay !== undefined && `${perDay}/day`,
    perMonth !== undefined && `${perMonth}/month`,
  ]
    .filter(Boolean)
    .join(', ');
}

export function wholeNumber(flag: string, value: unknown): number {
  if (!/^\d{1,15}$/.test(String(value)))
    throw new ConfigError(`--${flag} must be a whole number; it is "${value}".`);
  return Number(value);
}

/** @returns milliseconds since 1970, or undefined where the flag is not given. */
export function timeOf(flag: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(String(value))
    ? Date.parse(String(value))
    : Number.NaN;
  if (Number.isNaN(time)) {
    throw new ConfigError(`--${flag} must be like 2026-11-22 or 2026-11-22T08:30:00Z; it is "${value}".`);
  }
  return time;
}

/** In a table: `2026-11-22 08:30`, in UTC. */
export function shownTime(time: number | null): string {
  return time === null ? '' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

/** "revoked", "expired", "replaced" or "live", in a table. */
export function shownState(
  record: { revokedAt: number | null; expiresAt: number | null; replacedBy?: string | null },
  now = Date.now(),
): string {
  if (record.revokedAt !== null) return 'revoked';
  if (record.expiresAt !== null && record.expiresAt <= now) return 'expired';
  return typeof record.replacedBy === 'string' ? 'replaced' : 'live';
}

export const filterFlags = {
  app: { type: 'string' },
  key: { type: 'string' },
  dialect: { type: 'string' },
  outcome: { type: 'string' },
} as const;

export const transactionFlags = {
  ...filterFlags,
  tag: { type: 'string' },
  image: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const;

/** @param app id, where one was named. */
export function filterOf(
  values: Readonly<Record<string, unknown>>,
  app: string | undefined,
): TransactionFilter {
  const text = (flag: string) => values[flag] as string | undefined;
  return {
    app,
    key: text('key'),
    dialect: text('dialect'),
    outcome: text('outcome'),
    tag: text('tag'),
    imageSha256: text('image'),
    from: timeOf('from', values.from),
    to: timeOf('to', values.to),
  };
}
