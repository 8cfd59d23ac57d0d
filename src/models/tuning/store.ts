/** The tuned graph of a model beside its weights: one file, and a record that says what it was made of and whether it is whole. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ModelDescriptor } from '../descriptor.ts';
import { hasSha256, prepareFolder, storeFile } from '../download.ts';

/** What of a model its tuned graph depends on. */
export type Tunable = Pick<ModelDescriptor, 'id' | 'sha256' | 'output'>;

/** What came of tuning. */
export type Outcome =
  /** The tuned graph runs. `difference` is the largest that was found, as `compare.ts` measures it. */
  | { readonly sha256: string; readonly difference: number }
  /** The original runs, and a few words for people why. */
  | { readonly reason: string };

/** What an outcome holds for: with anything else, it is made anew. */
interface Origin {
  readonly sha256: string;
  readonly layer: string | null;
  readonly rewriter: number;
  readonly onnxruntime: string;
}

/** Raised with every change of what `rewrite.ts` makes of a graph. */
const rewriterVersion = 2;

/** Name of the tensor that the model's head reads; undefined where the graph's outputs are read. */
export function layerOf({ output }: Pick<Tunable, 'output'>): string | undefined {
  return 'head' in output ? output.layer : undefined;
}

/** Where the tuned graph of a model lies. @param folder that of the weights. */
export function tunedPath(folder: string, { id }: Pick<Tunable, 'id'>): string {
  return join(folder, 'tuned', `${id}.onnx`);
}

function recordPath(folder: string, { id }: Pick<Tunable, 'id'>): string {
  return join(folder, 'tuned', `${id}.json`);
}

/** @returns what came of tuning these weights with these versions; undefined where that has not been tried. */
export async function readOutcome(folder: string, model: Tunable): Promise<Outcome | undefined> {
  const text = await readFile(recordPath(folder, model), 'utf8').catch(() => '');
  try {
    // Compared as text, which is ours alone to write: a validator would be most of what a worker loads.
    const { of, outcome } = JSON.parse(text) as { of: Origin; outcome: Outcome };
    if (JSON.stringify(of) !== JSON.stringify(origin(model))) return undefined;
    return typeof ('reason' in outcome ? outcome.reason : outcome.sha256) === 'string' ? outcome : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the tuned graph; undefined where there is none that belongs to these weights and versions and is whole. */
export async function readTuned(folder: string, model: Tunable): Promise<Uint8Array | undefined> {
  const outcome = await readOutcome(folder, model);
  if (outcome === undefined || !('sha256' in outcome)) return undefined;
  const bytes = await readFile(tunedPath(folder, model)).catch(() => undefined);
  return bytes !== undefined && hasSha256(bytes, outcome.sha256) ? bytes : undefined;
}

/** @returns the SHA-256 of the tuned graph that a start would run; null where it would run the original. */
export async function tunedSha256(folder: string, model: Tunable): Promise<string | null> {
  const bytes = await readTuned(folder, model);
  return bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex');
}

/**
 * Stores a tuned graph, or why there is none. The record comes last, and with it the file counts; of two processes that do this at
 * once, both write the same.
 * @throws {Error} with a `code` where the folder cannot be written.
 */
export async function storeOutcome(
  folder: string,
  model: Tunable,
  outcome: { bytes: Uint8Array; difference: number } | { reason: string },
): Promise<void> {
  await prepareFolder(join(folder, 'tuned'));
  let stored: Outcome;
  if ('bytes' in outcome) {
    const sha256 = createHash('sha256').update(outcome.bytes).digest('hex');
    stored = { sha256, difference: outcome.difference };
    await storeFile(tunedPath(folder, model), outcome.bytes);
  } else stored = outcome;
  const record = { of: origin(model), outcome: stored };
  await storeFile(recordPath(folder, model), Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`));
}

function origin(model: Tunable): Origin {
  return {
    sha256: model.sha256,
    layer: layerOf(model) ?? null,
    rewriter: rewriterVersion,
    onnxruntime: runtime.version,
  };
}

/** Read and not imported: a start whose graphs are tuned has no need of the library itself. */
const runtime = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
