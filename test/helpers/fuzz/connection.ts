/** A client that sends any bytes, and reads what an HTTP server answers to them. */

import { connect, type Socket } from 'node:net';
import { settings } from '../../../src/config.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A little more than what the server gives itself for a photograph: a longer silence counts as hanging. An export may take longer as a whole. */
const patienceMs = settings.deadlineMs.default + 2_000;

/** One request after another, over one connection as long as both sides keep it. */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(origin: string) {
    this.#port = Number(new URL(origin).port);
  }

  /**
   * @param isTorn sends no more after these bytes, so that the server need not wait for the rest.
   * @returns the answer; undefined where the connection was closed without one.
   * @throws when neither happens in time.
   */
  async send(bytes: Buffer, isTorn: boolean, isHead: boolean): Promise<Answer | undefined> {
    if (isTorn) this.close();
    const socket = this.#socket ?? connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    const answer = await new Promise<Answer | undefined>((resolve, reject) => {
      let received = Buffer.alloc(65_536);
      let length = 0;
      const timeout = setTimeout(
        () => done(() => reject(new Error('There was no answer in time.'))),
        patienceMs,
      );
      const done = (settle: () => void) => {
        clearTimeout(timeout);
        socket.removeAllListeners();
        // What comes later, such as a reset, is nobody's any more.
        socket.on('error', () => {});
        settle();
      };
      const read = (isOver: boolean) => {
        try {
          const complete = parse(received.subarray(0, length), isHead, isOver);
          if (complete !== undefined || isOver) done(() => resolve(complete));
        } catch (error) {
          done(() => reject(error));
        }
      };
      socket.on('data', (chunk) => {
        timeout.refresh();
        // Twice as large each time: an export of the log of a long run is a hundred megabytes in pieces of 64 kB.
        if (length + chunk.length > received.length) {
          const larger = Buffer.alloc(2 * (length + chunk.length));
          received.copy(larger, 0, 0, length);
          received = larger;
        }
        chunk.copy(received, length);
        length += chunk.length;
        read(false);
      });
      // A reset may follow an answer that was read.
      socket.on('error', () => {});
      socket.on('close', () => read(true));
      if (isTorn) socket.end(bytes);
      else socket.write(bytes);
    }).catch((error) => {
      // What is still to come of it is not the answer to the next.
      this.close();
      throw error;
    });
    if (isTorn || answer === undefined || answer.headers.get('connection') === 'close') this.close();
    return answer;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** @returns the first answer that is there whole; that of 100-continue is none. */
function parse(bytes: Buffer, isHead: boolean, isOver: boolean): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, digits] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? [];
  if (digits === undefined) throw new Error(`No answer begins with ${JSON.stringify(first.slice(0, 80))}.`);
  const status = Number(digits);
  const rest = bytes.subarray(end + 4);
  if (status < 200) return parse(rest, isHead, isOver);
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
  const body = isHead || status === 204 || status === 304 ? Buffer.alloc(0) : bodyOf(rest, headers, isOver);
  return body && { status, headers, text: body.toString() };
}

function bodyOf(rest: Buffer, headers: Headers, isOver: boolean): Buffer | undefined {
  const length = headers.get('content-length');
  if (length !== null) return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined;
  if (headers.get('transfer-encoding') !== 'chunked') return isOver ? rest : undefined;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (at > rest.length) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(rest.subarray(lineEnd + 2, at - 2));
  }
}
