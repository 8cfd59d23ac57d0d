/** Posts a photograph as the native API takes it: the JPEG is the body. */

/** What the server said. */
export interface CaptureResponse {
  readonly status: number;
  /** Parsed where it is JSON, else as text. */
  readonly body: unknown;
}

/** Why there is no answer. */
export interface CaptureError {
  readonly code: 'unreachable' | 'timed_out';
  /** A sentence for developers, in English. */
  readonly message: string;
}

const patienceMs = 30_000;

/**
 * @param signal gives up without an answer.
 * @throws the signal's reason alone.
 */
export async function post(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  image: Blob,
  signal: AbortSignal,
): Promise<{ response: CaptureResponse } | { error: CaptureError }> {
  const patience = AbortSignal.timeout(patienceMs);
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'image/jpeg' },
      body: image,
      signal: AbortSignal.any([signal, patience]),
    });
    const text = await answer.text();
    return { response: { status: answer.status, body: parse(text) } };
  } catch {
    signal.throwIfAborted();
    return {
      error: patience.aborted
        ? { code: 'timed_out', message: `${endpoint} did not answer within ${patienceMs / 1000} s.` }
        : {
            code: 'unreachable',
            // Browsers tell a page no more, lest it learn about networks that are not its own.
            message: `No answer of ${endpoint} could be read: it is not reachable, or does not allow this origin (CORS), or the page's policy forbids to ask it.`,
          },
    };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
