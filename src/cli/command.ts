/** What a command is, and what the commands share. */

import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { describeSettings, type SettingName } from '../config.ts';

/**
 * Runs one command; results go to stdout, all else to stderr.
 * @param args what follows the command's name.
 * @param env the environment, which `main.ts` alone reads.
 * @returns the exit code: 0 for success, 2 for what could not be done; a command's help tells of others.
 * @throws ConfigError, DescriptorError, WeightsError, DownloadError, StorageError, JournalError or ManifestError, whose message
 *   `main.ts` prints, with exit code 2.
 */
export type Command = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) => Promise<number>;

/** The part of a command's help that lists settings, each with its flag, variable and default. */
export function settingsHelp(names: readonly SettingName[]): string {
  return describeSettings(names)
    .map(
      ({ flag, env, default: fallback, doc }) =>
        `  ${flag} ... (${env}; default: ${fallback})\n      ${doc}\n`,
    )
    .join('');
}

/** From here on, Ctrl-C and SIGTERM end the process at once, also as process 1 of a container. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(exitCodeOf(signal)));
  }
}

/** What a shell sees of a process that a signal ended. */
export function exitCodeOf(signal: keyof typeof constants.signals): number {
  return 128 + constants.signals[signal];
}

/** The version of this package. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
