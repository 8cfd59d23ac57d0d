/** `bonafide calibrate`: a calibration and operating points of one's own cameras, from a score file. */

import { writeFile } from 'node:fs/promises';
import { ConfigError, parseCommand } from '../config.ts';
import { calibrate as fit } from '../evaluation/calibration.ts';
import { ManifestError } from '../evaluation/manifest.ts';
import { operatingPointNames } from '../liveness/types.ts';
import { shellWord } from '../shell.ts';
import type { Command } from './command.ts';
import { readRun, readScores, spoken } from './score-file.ts';
import { table } from './table.ts';

const help = `Usage: bonafide calibrate SCORES.csv [options]

Fits what P(live) means on your own cameras, and the thresholds of the operating points, to the scores of
bonafide evaluate, and writes a file that the server loads with BONAFIDE_CALIBRATION. The rates that it states are
those of scores by a fit without the set in question (or, where there are too few sets, without its group).

  --out FILE (default: calibration.json)
      Where to write it.
  --sets A,B,...
      Fits on these sets only; on all of them if not given.
  --weights
      Fits each liveness model's weight as well. Needs more pictures: some hundred groups of several sets.
`;

export const calibrate: Command = async (args) => {
  const options = {
    out: { type: 'string', default: 'calibration.json' },
    sets: { type: 'string' },
    weights: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseCommand(args, options, true);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) throw new ConfigError('Name one score file. See --help.');
  const out = values.out as string;

  const rows = await readScores(path, values.sets as string | undefined);
  const run = await readRun(path);
  if (run === undefined) {
    throw new ManifestError(
      `There is no ${path.replace(/(\.csv)?$/, '.json')} beside ${path}, which says what profile the scores are of. Only scores of bonafide evaluate can be calibrated.`,
    );
  }
  const { calibration, notes } = spoken(() => fit(rows, run, values.weights ? 'weights' : 'calibration'));
  await writeFile(out, `${JSON.stringify(calibration, undefined, 2)}\n`);

  const percent = (rate: number) => `${(100 * rate).toFixed(1)} %`;
  const points = operatingPointNames.map((name) => {
    const { threshold, apcer, bpcer } = calibration.operatingPoints[name];
    return [name, String(threshold), percent(apcer), percent(bpcer)];
  });
  process.stdout.write(table(['OPERATING POINT', 'P(LIVE) FROM', 'APCER', 'BPCER'], points));
  const { eer, leftOut, sets } = calibration.fitted;
  const how = leftOut === 'set' ? `each of ${sets.length} sets` : 'a fifth of the groups';
  process.stdout.write(`\nEqual error rate ${percent(eer)}, with ${how} left out in turn.\n`);
  for (const note of notes) process.stdout.write(`${note}\n`);
  process.stdout.write(
    `Written to ${out}. Use it: BONAFIDE_PROFILE=${calibration.profile} BONAFIDE_CALIBRATION=${shellWord(out)}\n`,
  );
  return 0;
};
