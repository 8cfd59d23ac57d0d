/**
 * `npm run fit-head`: fits the linear head of `minifas-128-head` on labelled pictures, and writes `src/models/head.ts`.
 *
 * The head sees the same faces in the boxes of both detectors, so that it serves both profiles. With `--scores`, it also writes
 * each score file again, with the log-odds of every picture from a head that was fitted without the picture's set: figures,
 * calibration and operating points are made from those, never from pictures that the head was fitted on.
 */

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { mean, standardDeviation } from 'simple-statistics';
import { Value } from 'typebox/value';
import { fitLogistic, type LogisticFit } from '../src/evaluation/logistic.ts';
import { type ManifestRow, parseManifest } from '../src/evaluation/manifest.ts';
import { weighPresentations } from '../src/evaluation/metrics.ts';
import {
  columnsFor,
  fuseMembers,
  headLine,
  parseScores,
  rowLine,
  ScoreRun,
} from '../src/evaluation/scores.ts';
import { cropRegion } from '../src/liveness/crop.ts';
import { calibrated } from '../src/liveness/decide.ts';
import { decode } from '../src/liveness/decode.ts';
import { detect } from '../src/liveness/detect.ts';
import { HeicDecoder } from '../src/liveness/heic.ts';
import { liveLogOdds } from '../src/liveness/score.ts';
import { imageFormats } from '../src/liveness/sniff.ts';
import { loadRegistry } from '../src/models/registry.ts';
import { onlyOutput, openSession } from '../src/models/session.ts';
import { mirror, toTensor } from '../src/models/tensor.ts';

const id = 'minifas-128-head';

/** Strong: a head that follows one camera's pictures closely is worse on the next. Chosen with each set left out in turn. */
const penalty = 1;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The weights' folder, with those of all profiles named. */
    models: { type: 'string', default: 'data/models' },
    /** Whose detectors give the boxes. */
    profiles: { type: 'string', default: 'standard,accurate' },
    /** Fits on these sets only. */
    sets: { type: 'string' },
    /** Score files of `bonafide evaluate`; `scores.csv` becomes `cross-validated.csv` beside it. */
    scores: { type: 'string', multiple: true, default: [] },
  },
});
const [manifest] = positionals;
if (manifest === undefined) throw new Error('Name a manifest.');

/** A face as the head sees it. */
interface Sample extends ManifestRow {
  readonly profile: string;
  /** What the network says of the crop, and of it in the mirror. */
  readonly views: readonly Float32Array[];
  /** Their mean. */
  readonly features: readonly number[];
}

const wanted = values.sets?.split(',');
const text = await readFile(manifest);
const rows = parseManifest(text.toString(), manifest);
const samples = await extract(rows, values.profiles.split(','));
const fitted = samples.filter(({ set }) => wanted === undefined || wanted.includes(set));

const { weights, intercept } = fit(fitted);
const digits = (value: number) => Number(value.toPrecision(5));
await writeFile(
  join(import.meta.dirname, '..', 'src', 'models', 'head.ts'),
  `/** The head on MiniFAS 128 that \`scripts/fit-head.ts\` fitted; see docs/models.md. */

export const head = {
  weights: ${JSON.stringify(weights.map(digits))},
  intercept: ${digits(intercept)},
};

/** SHA-256 of the manifest of the pictures that it was fitted on. */
export const headFittedOn = '${createHash('sha256').update(text).digest('hex')}';
`,
);

const heads = new Map<string, LogisticFit>();
for (const set of values.scores.length === 0 ? [] : new Set(fitted.map((sample) => sample.set))) {
  process.stderr.write(`Fitting without ${set}\n`);
  heads.set(set, fit(fitted.filter((sample) => sample.set !== set)));
}
for (const path of values.scores) {
  const { fittedOn: _, ...run } = Value.Parse(
    ScoreRun,
    JSON.parse(await readFile(path.replace(/\.csv$/, '.json'), 'utf8')),
  );
  const scored = parseScores(await readFile(path, 'utf8'), path);
  const own = new Map(
    samples.filter(({ profile }) => profile === run.profile).map((sample) => [sample.file, sample]),
  );
  const columns = columnsFor(scored, run);
  const lines = scored.map(({ face, ...row }) => {
    const sample = own.get(row.file);
    const leftOut = heads.get(row.set);
    if (face === undefined || sample === undefined || leftOut === undefined) {
      return rowLine({ ...row, face }, columns);
    }
    const members = {
      ...face.members,
      // As the engine has it: each view's log-odds are bound before they are averaged.
      [id]: mean(sample.views.map((view) => liveLogOdds(view, { head: leftOut, layer: '' }))),
    };
    const logOdds = fuseMembers(members, run.liveness);
    const pLive = calibrated(logOdds, run.calibration);
    return rowLine({ ...row, face: { ...face, members, logOdds, pLive } }, columns);
  });
  const out = join(dirname(path), 'cross-validated');
  await writeFile(`${out}.csv`, headLine(columns) + lines.join(''));
  await writeFile(`${out}.json`, `${JSON.stringify(run, undefined, 2)}\n`);
  process.stderr.write(`Written to ${out}.csv\n`);
}

/** Every picture's largest face in each profile's box; pictures without one are left out. */
async function extract(rows: readonly ManifestRow[], profiles: readonly string[]): Promise<Sample[]> {
  const registry = await loadRegistry(values.models);
  const model = registry.models.get(id);
  if (model?.task !== 'liveness' || !('head' in model.output))
    throw new Error(`${id} is no model with a head.`);
  const network = await openSession(values.models, model);
  const detectors = await Promise.all(
    profiles.map(async (profile) => {
      const { detector } = registry.profile(profile);
      return {
        profile,
        detector,
        session: await openSession(values.models, detector),
      };
    }),
  );
  const heic = new HeicDecoder();
  const samples: Sample[] = [];
  for (const [i, row] of rows.entries()) {
    if (i % 100 === 0) process.stderr.write(`Looking at picture ${i + 1} of ${rows.length}\n`);
    const bytes = await readFile(resolve(dirname(manifest as string), row.file));
    const frame = await decode(bytes, imageFormats, { maxPixels: 50_331_648 }, heic);
    for (const { profile, detector, session } of detectors) {
      const [face] = (await detect(frame, detector, session)).faces;
      if (face === undefined) continue;
      const crop = toTensor(frame, cropRegion(face.box, frame, model.crop), model.input);
      const seen = onlyOutput(await network.run(crop));
      const mirrored = onlyOutput(await network.run(mirror(crop, model.input)));
      const features = Array.from(seen, (value, f) => (value + (mirrored[f] as number)) / 2);
      samples.push({ ...row, profile, views: [seen, mirrored], features });
    }
  }
  return samples;
}

/**
 * Sets alike, groups alike within a set: the boxes of each profile are one more picture of the same group.
 * Half of the values are all but constant. They get no weight: a large one, as such values would need, could decide alone on
 * the first picture on which they are not.
 */
function fit(samples: readonly Sample[]): LogisticFit {
  const count = samples[0]?.features.length ?? 0;
  const deviations = Array.from({ length: count }, (_, f) =>
    standardDeviation(samples.map(({ features }) => features[f] as number)),
  );
  const least = 0.01 * Math.max(...deviations);
  const alive = deviations.flatMap((deviation, f) => (deviation >= least ? [f] : []));
  const fitted = fitLogistic(
    weighPresentations(samples).map((sample) => ({
      ...sample,
      features: alive.map((f) => sample.features[f] as number),
    })),
    penalty,
  );
  const weights: number[] = new Array(count).fill(0);
  for (const [i, f] of alive.entries()) weights[f] = fitted.weights[i] as number;
  return { weights, intercept: fitted.intercept };
}
