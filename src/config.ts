/** Every setting, once: its names, default, check and one line of documentation. */

import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** A setting that does not hold. `message` is a sentence for people. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

interface Setting<T> {
  /** The environment variable; the flag is the same in lower case with hyphens and without the prefix. */
  readonly env: `BONAFIDE_${string}`;
  readonly default: T;
  /** How the default is written for people, where it is not the same everywhere. */
  readonly shown?: string;
  readonly doc: string;
  /** Whether a value may hold a password, and so is not repeated. */
  readonly isSecret?: true;
  /** @throws a sentence's second half: "must be ...". */
  readonly parse: (text: string) => T;
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

/** The settings, in the order they are listed to people. */
export const settings = {
  host: setting({
    env: 'BONAFIDE_HOST',
    default: '127.0.0.1',
    doc: 'Address to listen on; 0.0.0.0 for every interface.',
    parse: text,
  }),
  port: setting({
    env: 'BONAFIDE_PORT',
    default: 8080,
    doc: 'Port to listen on; 0 takes any free one.',
    parse: integer(0, 65_535),
  }),
  dataFolder: setting({
    env: 'BONAFIDE_DATA',
    default: 'data',
    doc: 'Folder for the database and, under models/, the weights and your own descriptors.',
    parse: text,
  }),
  databaseUrl: setting({
    env: 'BONAFIDE_DATABASE_URL',
    default: undefined as string | undefined,
    shown: 'bonafide.db in the data folder',
    doc: 'Address of a Postgres database that several nodes share: postgres://user:password@host:port/name. The command line of a process is open to others: prefer the variable.',
    isSecret: true,
    parse: postgresUrl,
  }),
  knownKeysMs: setting({
    env: 'BONAFIDE_KNOWN_KEYS_MS',
    default: 3_600_000,
    doc: 'How long keys that a node knows are good while the database does not answer, and a revocation cannot be seen, in milliseconds.',
    // Less than a few of the intervals in which a node asks would be an outage by itself.
    parse: integer(10_000, 604_800_000),
  }),
  profile: setting({
    env: 'BONAFIDE_PROFILE',
    default: 'auto',
    doc: 'Models to use: accurate, standard, or a profile of your own. auto takes accurate where its weights are or can be had, else standard; pin it so that a fleet never differs.',
    parse: text,
  }),
  calibration: setting({
    env: 'BONAFIDE_CALIBRATION',
    default: undefined as string | undefined,
    shown: 'none',
    doc: 'File of `bonafide calibrate` with a calibration and operating points of your own cameras; it must be of the profile in use.',
    parse: text,
  }),
  workers: setting({
    env: 'BONAFIDE_WORKERS',
    default: availableParallelism(),
    shown: 'one per core',
    doc: 'Worker processes; each holds its own copy of the models.',
    parse: integer(1, 256),
  }),
  queue: setting({
    env: 'BONAFIDE_QUEUE',
    // Measured (docs/benchmarks/latest.md): two keep a worker busy, and each more only makes all wait longer. With 16 the last one waits for half
    // a second to a second, which is less to a person than to be refused.
    default: 16 * availableParallelism(),
    shown: '16 per core',
    doc: 'Photographs that may wait for a worker before the next is refused with 503. Large ones, and formats that are slow to decode, count as several.',
    parse: integer(0, 10_000),
  }),
  deadlineMs: setting({
    env: 'BONAFIDE_DEADLINE_MS',
    default: 10_000,
    doc: 'Longest time for one photograph, waiting included, in milliseconds.',
    parse: integer(100, 600_000),
  }),
  maxImageBytes: setting({
    env: 'BONAFIDE_MAX_IMAGE_BYTES',
    default: 20_000_000,
    doc: 'Largest image in bytes. The NHN dialect keeps its own 3,000,000.',
    parse: integer(1_000, 200_000_000),
  }),
  maxPixels: setting({
    env: 'BONAFIDE_MAX_PIXELS',
    default: 50_331_648,
    doc: 'Most pixels (width x height) of an image, checked before it is decoded. AVIF and HEIC have 25,000,000 at most.',
    parse: integer(10_000, 500_000_000),
  }),
  urlTimeoutMs: setting({
    env: 'BONAFIDE_URL_TIMEOUT_MS',
    default: 5_000,
    doc: 'Longest time to download an image from a URL, redirects included, in milliseconds.',
    parse: integer(100, 60_000),
  }),
  urlAllowedHosts: setting({
    env: 'BONAFIDE_URL_ALLOWED_HOSTS',
    default: [] as readonly string[],
    shown: 'none',
    doc: 'Hosts (host or host:port, separated by commas) that image URLs may name although they are not public, on any port. They alone are also looked up in the hosts file and search domains.',
    parse: hosts,
  }),
  nhnConfidence: setting({
    env: 'BONAFIDE_NHN_CONFIDENCE',
    default: 'fraction' as 'fraction' | 'percent',
    doc: "Scale of the NHN dialect's confidence: fraction (0.997854) or percent (99.7854).",
    parse: choice(['fraction', 'percent']),
  }),
  trustedProxies: setting({
    env: 'BONAFIDE_TRUSTED_PROXIES',
    default: [] as readonly string[],
    shown: 'none',
    doc: "Addresses or networks (10.0.0.0/8) of reverse proxies, separated by commas, whose X-Forwarded-For names the client. Without it a proxy's clients are one address.",
    parse: networks,
  }),
  maxConnections: setting({
    env: 'BONAFIDE_MAX_CONNECTIONS',
    default: Math.min(10_000, Math.floor(mostOpenFiles() / 2)),
    shown: '10000, or half of `ulimit -n`',
    doc: 'Most connections at once; the next is closed unread. Each is a file descriptor: with all that `ulimit -n` allows but a few hundred, strangers can use up those that the server itself needs.',
    parse: integer(1, 1_000_000),
  }),
  maxConnectionsPerAddress: setting({
    env: 'BONAFIDE_MAX_CONNECTIONS_PER_ADDRESS',
    default: 1_000,
    doc: 'Most connections at once from one address (of IPv6, one /64). Those of BONAFIDE_TRUSTED_PROXIES are counted among all only.',
    parse: integer(1, 1_000_000),
  }),
  headTimeoutMs: setting({
    env: 'BONAFIDE_HEAD_TIMEOUT_MS',
    default: 10_000,
    doc: 'Longest time from a connection to the end of the head of its request, in milliseconds.',
    parse: integer(1_000, 600_000),
  }),
  requestTimeoutMs: setting({
    env: 'BONAFIDE_REQUEST_TIMEOUT_MS',
    default: 60_000,
    doc: 'Longest time for a whole request to arrive, in milliseconds.',
    parse: integer(1_000, 600_000),
  }),
  minBytesPerSecond: setting({
    env: 'BONAFIDE_MIN_BYTES_PER_SECOND',
    default: 4_000,
    doc: 'Fewest bytes per second of a body, on average after its first 10 s; slower ones are refused. 0 for no such bound.',
    parse: integer(0, 1_000_000),
  }),
  answerTimeoutMs: setting({
    env: 'BONAFIDE_ANSWER_TIMEOUT_MS',
    default: 30_000,
    doc: 'Longest time that a client may take nothing of an answer that waits for it, in milliseconds.',
    parse: integer(1_000, 600_000),
  }),
  keepAliveMs: setting({
    env: 'BONAFIDE_KEEP_ALIVE_MS',
    default: 72_000,
    doc: 'How long a connection is kept for another request, in milliseconds; longer than a balancer in front keeps it, which would ask on a connection that is just being closed.',
    parse: integer(1_000, 3_600_000),
  }),
  corsOrigins: setting({
    env: 'BONAFIDE_CORS_ORIGINS',
    default: [] as readonly string[],
    shown: 'none',
    doc: 'Origins (https://shop.example, separated by commas) whose pages may ask NHN, ARGOS and the native API from a browser; the admin API never.',
    parse: origins,
  }),
  wrongKeysPerMinute: setting({
    env: 'BONAFIDE_WRONG_KEYS_PER_MINUTE',
    default: 20,
    doc: 'Wrong keys from one address in a minute before the next is refused with 429, without looking it up. Keys that the node knows always pass.',
    parse: integer(1, 1_000_000),
  }),
  clientAddress: setting({
    env: 'BONAFIDE_CLIENT_ADDRESS',
    default: 'truncated' as 'full' | 'truncated' | 'none',
    doc: "What a transaction keeps of its client's address: full, truncated (IPv4 to /24, IPv6 to /48) or none.",
    parse: choice(['full', 'truncated', 'none']),
  }),
  seenBeforeDays: setting({
    env: 'BONAFIDE_SEEN_BEFORE_DAYS',
    default: 30,
    doc: 'How many days back an image is compared with earlier ones of its app; 0 never.',
    parse: integer(0, 3_650),
  }),
  retentionDays: setting({
    env: 'BONAFIDE_RETENTION_DAYS',
    default: 90,
    doc: 'Days after which a transaction is deleted from the log; 0 keeps all.',
    parse: integer(0, 3_650),
  }),
  journalBytes: setting({
    env: 'BONAFIDE_JOURNAL_BYTES',
    default: 1_000_000_000,
    doc: 'Most bytes of transactions that wait in the data folder while the database does not answer, about 1,000 each; then requests are refused with 503.',
    parse: integer(1_000_000, 1_000_000_000_000),
  }),
  shutdownMs: setting({
    env: 'BONAFIDE_SHUTDOWN_MS',
    default: 30_000,
    doc: 'Longest time to finish what is in flight after SIGTERM, in milliseconds.',
    parse: integer(0, 600_000),
  }),
  logLevel: setting({
    env: 'BONAFIDE_LOG_LEVEL',
    default: 'info' as LogLevel,
    doc: 'Least severe log line that is written: trace, debug, info, warn, error, fatal or silent.',
    parse: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  }),
} as const;

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export type SettingName = keyof typeof settings;
export type Config = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer T> ? T : never;
};

/** `BONAFIDE_DEADLINE_MS` -> `deadline-ms`. */
export function flagName(name: SettingName): string {
  return settings[name].env.slice('BONAFIDE_'.length).toLowerCase().replaceAll('_', '-');
}

/** Settings as flags for `util.parseArgs`. */
export function flagOptions(names: readonly SettingName[]): Record<string, { type: 'string' }> {
  return Object.fromEntries(names.map((name) => [flagName(name), { type: 'string' as const }]));
}

/**
 * Reads every setting: a flag wins over the environment, which wins over the default.
 * @param flags values by flag name, as `util.parseArgs` gives them.
 * @throws ConfigError for a bad value, and for a `BONAFIDE_` variable that is no setting: a misspelt limit must not be
 *   a limit that silently is not there.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, unknown>> = {},
): Config {
  const names = Object.keys(settings) as SettingName[];
  const known = new Set<string>(names.map((name) => settings[name].env));
  for (const variable of Object.keys(env)) {
    if (variable.startsWith('BONAFIDE_') && !known.has(variable)) {
      throw new ConfigError(
        `There is no setting named ${variable}. \`bonafide serve --help\` lists those there are.`,
      );
    }
  }
  const read = (name: SettingName): unknown => {
    const { env: variable, default: fallback, isSecret, parse }: Setting<unknown> = settings[name];
    const flag = flags[flagName(name)];
    const given = typeof flag === 'string' ? flag : env[variable];
    if (given === undefined) return fallback;
    try {
      return parse(given);
    } catch (error) {
      const where = typeof flag === 'string' ? `--${flagName(name)}` : variable;
      const shown = isSecret ? '' : `; it is "${given}"`;
      throw new ConfigError(`${where} ${(error as Error).message}${shown}.`);
    }
  };
  return Object.fromEntries(names.map((name) => [name, read(name)])) as Config;
}

/** One line per setting for `--help`, and one row for the README's table. */
export function describeSettings(
  names: readonly SettingName[],
): { flag: string; env: string; default: string; doc: string }[] {
  return names.map((name) => {
    const { env, default: fallback, shown, doc } = settings[name] as Setting<unknown>;
    return { flag: `--${flagName(name)}`, env, default: shown ?? String(fallback), doc };
  });
}

/**
 * Parses a command's arguments.
 * @throws ConfigError with the sentence for an unknown flag.
 */
export function parseCommand(
  args: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
  allowPositionals: boolean,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: options ?? {}, allowPositionals, strict: true });
  } catch (error) {
    // Node's sentences are good; only its advice about "--" is not for us.
    const [sentence] = (error as Error).message.split('. ');
    throw new ConfigError(`${sentence?.replace(/\.$/, '')}. See --help.`);
  }
}

/** Files that this process may have open, connections among them. Node's report has it on every system; Windows knows no such bound. */
function mostOpenFiles(): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files: { soft: number | 'unlimited' } };
  };
  const most = Number(userLimits?.open_files.soft);
  return most > 0 ? most : Number.POSITIVE_INFINITY;
}

function text(value: string): string {
  if (value.trim() === '') throw new Error('must not be empty');
  return value;
}

function postgresUrl(value: string): string {
  const { protocol, hostname } = URL.parse(value) ?? {};
  if ((protocol !== 'postgres:' && protocol !== 'postgresql:') || hostname === '') {
    throw new Error('must be like postgres://user:password@host:port/name');
  }
  return value;
}

function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return number;
  };
}

function choice<T extends string>(values: readonly T[]): (value: string) => T {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return found;
  };
}

function networks(value: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim());
  const isNetwork = (item: string) => {
    const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    return isIP(address) !== 0 && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
  };
  if (!items.every(isNetwork)) {
    throw new Error('must be addresses or networks (192.0.2.1, 10.0.0.0/8, fd00::/8) separated by commas');
  }
  return items;
}

/**
 * As browsers send them: one written otherwise would silently never match. No `*`: a browser stands inside networks that the
 * pages it shows do not, and any page could have it try keys on a server in there.
 */
function origins(value: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim());
  const isOrigin = (item: string) => /^https?:/.test(item) && URL.parse(item)?.origin === item;
  if (!items.every(isOrigin)) {
    throw new Error(
      'must be origins (https://shop.example or http://localhost:3000, in lower case, without a path) separated by commas; * is not taken, name those who may ask',
    );
  }
  return items;
}

/** A pattern, a network or an address without its brackets would be a host that never matches. */
const hostPattern = /^([a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/;

function hosts(value: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim().toLowerCase());
  if (!items.every((item) => hostPattern.test(item))) {
    throw new Error('must be hosts (host, host:port, [IPv6] or [IPv6]:port) separated by commas');
  }
  return items;
}
