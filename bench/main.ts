/**
 * `npm run bench`: what the product costs, beside its floor and its peers, as Markdown and JSON. `--quick` for a look, `--only pipeline,http`
 * for some sections, `--long` for 30,000 requests, `--models folder` for other weights, `--out folder` for another place of the files.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Context, findProfiles } from './context.ts';
import { describeMachine } from './machine.ts';
import { preparePictures } from './pictures.ts';
import {
  headMarkdown,
  type Report,
  type SectionReport,
  sectionMarkdown,
  toJson,
  toMarkdown,
} from './report.ts';
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

const chosen = values.only.split(',');
for (const name of chosen) {
  if (!Object.hasOwn(sections, name)) {
    console.error(`There is no section ${name}. Known: ${Object.keys(sections).join(', ')}.`);
    process.exit(2);
  }
}

const isWhole = Object.keys(sections).every((name) => chosen.includes(name));

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'bonafide-bench-'));
try {
  const { profiles, skipped } = await findProfiles(values.models && resolve(values.models));
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
    const found = await (sections[name] as (typeof sections)[string])(context);
    const section = { ...found, skipped: [...skipped, ...found.skipped] };
    reports.push(section);
    for (const reason of section.skipped) console.error(`*** NOT MEASURED: ${reason} ***`);
    // As it comes: a run that is ended early was not for nothing.
    console.log(sectionMarkdown(section));
  }
  // Without folders, which are this machine's own.
  const flags = [
    ...(values.quick ? ['--quick'] : []),
    ...(values.long ? ['--long'] : []),
    ...(isWhole ? [] : [`--only ${values.only}`]),
  ];
  const command = ['npm run bench', ...(flags.length > 0 ? ['--', ...flags] : [])].join(' ');
  const report: Report = { machine, command, sections: reports };
  console.log(headMarkdown(report));
  // Only a whole run replaces the published one.
  const out =
    values.out ??
    (isWhole && !values.quick ? join(import.meta.dirname, '..', 'docs', 'benchmarks') : undefined);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'latest.md'), toMarkdown(report));
    await writeFile(join(out, 'latest.json'), toJson(report));
  }
} finally {
  await rm(folder, { recursive: true });
}
