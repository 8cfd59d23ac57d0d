/** Requests of the console to its own server, and what the admin API refuses, as one error. */

import type { Problem } from '../../src/dialects/native/wire.ts';

/** The admin API refused. `message` is the server's sentence. */
export class ApiError extends Error {
  /** HTTP status; 0 where the server could not be reached. */
  readonly status: number;
  readonly code: Problem['code'] | 'unreachable';
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: ApiError['code'], message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Asks the admin API.
 * @param path below `/admin/v1`, with its query.
 * @param options `body` is sent as JSON.
 * @throws ApiError; an AbortError where `signal` said so.
 */
export async function askAdmin<T>(
  path: `/${string}`,
  { method = 'GET', body, signal }: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const response = await fetch(`/admin/v1${path}`, {
    method,
    credentials: 'same-origin',
    ...(signal !== undefined && { signal }),
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  }).catch(unreachable);
  // An answer may break off.
  if (response.ok) return (await response.json().catch(unreachable)) as T;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  throw new ApiError(
    response.status,
    problem.code ?? 'engine_failure',
    problem.detail ?? `HTTP ${response.status}`,
    retryAfter(response),
  );
}

function unreachable(error: Error): never {
  if (error.name === 'AbortError') throw error;
  throw new ApiError(0, 'unreachable', 'The server cannot be reached.');
}

/** Seconds of a `Retry-After`. */
export function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}
