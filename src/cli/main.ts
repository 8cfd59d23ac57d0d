/** The command line's entry: finds the command, runs it, and makes of its outcome a sentence and an exit code. */

import { enableCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Command, exitCodeOf, packageVersion } from './command.ts';
import { holdYoungHeap } from './heap.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Each command loads only what it needs itself. */
  readonly load: () => Promise<Command>;
}

const commands: readonly Entry[] = [
  {
    name: 'serve',
    summary: 'Start the HTTP server.',
    load: async () => {
      holdYoungHeap();
      return (await import('./serve.ts')).serve;
    },
  },
  {
    name: 'check',
    summary: 'Assess photographs from the disk.',
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'evaluate',
    summary: 'Measure the error rates on your own pictures.',
    load: async () => (await import('./evaluate.ts')).evaluate,
  },
  {
    name: 'calibrate',
    summary: 'Fit P(live) and the operating points to them.',
    load: async () => (await import('./calibrate.ts')).calibrate,
  },
  {
    name: 'models',
    summary: 'List, pull or verify the weights.',
    load: async () => (await import('./models.ts')).models,
  },
  {
    name: 'samples',
    summary: 'Pull two pictures to try it with.',
    load: async () => (await import('./samples.ts')).samples,
  },
  {
    name: 'apps',
    summary: 'Make, list, limit or revoke the apps that keys belong to.',
    load: async () => (await import('./apps.ts')).apps,
  },
  {
    name: 'keys',
    summary: 'Make, list, limit, rotate or revoke keys.',
    load: async () => (await import('./keys.ts')).keys,
  },
  {
    name: 'admin-tokens',
    summary: 'Make, list or revoke tokens for the admin API.',
    load: async () => (await import('./admin-tokens.ts')).adminTokens,
  },
  {
    name: 'transactions',
    summary: 'Look up, list, export or delete what was answered.',
    load: async () => (await import('./transactions.ts')).transactions,
  },
  {
    name: 'usage',
    summary: 'Count what was answered.',
    load: async () => (await import('./usage.ts')).usage,
  },
];

const help = `Usage: bonafide <command> [...]

${commands.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}\n`).join('')}
  bonafide <command> --help   What the command does, and its options.
  bonafide --version          The version.
`;

/** Errors whose message is a sentence for people. By name, so that a command pays only for the modules it needs. */
const spoken = new Set([
  'ConfigError',
  'DescriptorError',
  'WeightsError',
  'DownloadError',
  'EngineStartError',
  'StorageError',
  'JournalError',
  'ManifestError',
]);

/** EX_SOFTWARE of sysexits.h; Node's own 1 would be the answer "an attack was found". */
const defect = 70;

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(help);
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${await packageVersion()}\n`);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    process.stderr.write(`There is no command named "${name}". See: bonafide --help\n`);
    return 2;
  }
  return await (await command.load())(args, process.env);
}

function explain(error: unknown): number {
  if (error instanceof Error && spoken.has(error.name)) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  // The system's own errors (a folder that may not be written, a port in use) say what is wrong without a stack.
  if (error instanceof Error && 'syscall' in error) {
    process.stderr.write(`${error.message}.\n`);
    return 2;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  return defect;
}

// A second start compiles nothing, which is a fifth of its time. Beside the packages that it is made of, so that nobody else can write it; where this
// process cannot either, it is passed over.
const compiled = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));
enableCompileCache(compiled);
// By themselves workers and threads would not know of it.
process.env.NODE_COMPILE_CACHE ??= compiled;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // As other programs end whose reader has gone away.
    if (error.code === 'EPIPE') process.exit(exitCodeOf('SIGPIPE'));
    throw error;
  });
}
// Node would open a debugger to whoever reaches the loopback address.
process.on('SIGUSR1', () => {});
process.on('uncaughtException', (error) => process.exit(explain(error)));
// The launcher, where it runs this in a process of its own, was killed: nobody could end this one any more.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

/** Who reads what is written may be slow, or stopped for ever. */
const writtenMs = 1_000;

const code = await run(process.argv.slice(2)).catch(explain);
const written = [process.stdout, process.stderr]
  .filter(({ writableLength }) => writableLength > 0)
  .map((stream) => new Promise((resolve) => stream.write('', resolve)));
await Promise.race([Promise.all(written), sleep(writtenMs)]);
// Connections that npm's modules still try to make must not hold the process (see `pullWeights`).
process.exit(code);
