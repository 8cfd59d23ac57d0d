/**
 * `npm run bench`: what the product costs, beside its floor and its peers, as Markdown and JSON. `--quick` for a look, `--only pipeline,http`
 * for some sections, `--long` for 30,000 requests, `--models folder` for other weights, `--out folder` for another place of the files.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Context, findProfiles } from './context.ts';
import { describeMachine } from './machine.ts';
import { preparePictures } from './pictures.ts';
import { type Report, type SectionReport, toJson, toMarkdown } from './report.ts';
import { httpSection } from './sections/http.ts';
import { memorySection } from './sections/memory.ts';
import { overloadSection } from './sections/overload.ts';
import { pipelineSection } from './sections/pipeline.ts';
import { scalingSection } from './sections/scaling.ts';
import { startServer } from './server/server.ts';

const sections: Readonly<Record<string, (context: Context) => Promise<SectionReport>>> = {
  pipeline: pipelineSection,
  http: httpSection,
  scaling: scalingSection,
  overload: overloadSection,
  memory: memorySection,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(sections).join(',') },
    models: { type: 'string' },
    out: { type: 'string' },
  },
});

if (process.platform !== 'linux') {
  console.error('The benchmark reads CPU time and memory of the server from /proc, so it needs Linux.');
  process.exit(2);
}

const isFolder = (word: string | undefined) => word === '--models' || word === '--out';

const chosen = values.only.split(',');
for (const name of chosen) {
  if (!Object.hasOwn(sections, name)) {
    console.error(`There is no section ${name}. Known: ${Object.keys(sections).join(', ')}.`);
    process.exit(2);
  }
}

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'bonafide-bench-'));
try {
  const { profiles, skipped } = await findProfiles(values.models);
  // A user's second start is what is measured: the first makes whatever the product keeps beside the weights.
  for (const profile of profiles) await (await startServer({ profile, workers: 1 })).stop();
  const context: Context = {
    pictures: await preparePictures(folder, profiles),
    profiles,
    quick: values.quick,
    long: values.long,
  };
  const reports: SectionReport[] = [];
  for (const name of chosen) {
    console.error(`${name} ...`);
    const report = await (sections[name] as (typeof sections)[string])(context);
    reports.push({ ...report, skipped: [...skipped, ...report.skipped] });
    for (const reason of [...skipped, ...report.skipped]) console.error(`*** NOT MEASURED: ${reason} ***`);
  }
  // Folders are this machine's own.
  const flags = process.argv.slice(2).filter((word, i, words) => !isFolder(word) && !isFolder(words[i - 1]));
  const command = ['npm run bench', ...(flags.length > 0 ? ['--', ...flags] : [])].join(' ');
  const report: Report = { machine, command, sections: reports };
  const markdown = toMarkdown(report);
  console.log(markdown);
  // Only a whole run replaces the published one.
  const whole = !values.quick && chosen.length === Object.keys(sections).length;
  const out = values.out ?? (whole ? join(import.meta.dirname, '..', 'docs', 'benchmarks') : undefined);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'latest.md'), markdown);
    await writeFile(join(out, 'latest.json'), toJson(report));
  }
} finally {
  await rm(folder, { recursive: true });
}
