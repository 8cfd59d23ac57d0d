/** One request at a time per connection: what a client sends behind one is not looked at before that one has its answer. */

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { free } from '../memory.ts';

/**
 * Most bytes that the parser is given at once, but for bodies of a length that is known. Node reads 65,536, makes a request and an answer of every 18
 * of them, and keeps all of those until the first answer is taken.
 */
const pieceBytes = 4_096;

const nothing = Buffer.alloc(0);

const lineFeed = 10;
const carriageReturn = 13;

const connections = new WeakMap<Socket, Turns>();

/** Has a server hand the requests of a connection to `handler` one after another: each when the answer before it is out. */
export function takeTurns(server: Server, handler: RequestListener): void {
  server.on('connection', (socket: Socket) => {
    connections.set(socket, new Turns(socket, handler, server.keepAliveTimeout));
  });
  server.on('request', (request, response) => connections.get(request.socket)?.add(request, response));
}

/** What the head begins with that a connection is about: its first line, unless that is long. Empty where nothing came of one. */
export function beginningOf(socket: Socket): string {
  return connections.get(socket)?.beginning?.toString('latin1', 0, 256) ?? '';
}

class Turns {
  readonly #socket: Socket;
  readonly #handler: RequestListener;
  readonly #keepAliveMs: number;
  readonly #push: Socket['push'];
  readonly #read: Socket['_read'];
  /** The one that is handled, and those that came in one piece with it. */
  readonly #unanswered: [request: IncomingMessage, response: ServerResponse][] = [];
  /** The first piece of a head that is not whole yet. */
  beginning: Buffer | undefined;
  #last: IncomingMessage | undefined;
  /** Bytes of the body of the last request that are still to come; of one in chunks nobody knows. */
  #bodyLeft = 0;
  /** Read, and not given to the parser: the end of `#whole`. */
  #held: Buffer = nothing;
  #whole: Buffer = nothing;
  #hasEnded = false;
  /** When the last answer was out, in milliseconds. */
  #answeredAt = 0;

  constructor(socket: Socket, handler: RequestListener, keepAliveMs: number) {
    this.#socket = socket;
    this.#handler = handler;
    this.#keepAliveMs = keepAliveMs;
    this.#push = socket.push.bind(socket);
    this.#read = socket._read.bind(socket);
    socket.push = (bytes: Buffer | null) => {
      if (bytes === null) this.#hasEnded = true;
      else this.#whole = this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      this.#feed();
      return this.#held.length < pieceBytes;
    };
    socket._read = (size) => {
      if (this.#held.length < pieceBytes) this.#read(size);
    };
    // Without a listener of ours the parser would be given all that is read, below this.
    socket.on('data', () => {});
    socket.on('resume', () => this.#feed());
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    this.#last = request;
    this.beginning = undefined;
    this.#bodyLeft = Number(request.headers['content-length'] ?? 0);
    // Behind such a request Node loses what came in one piece with it: where the next one begins nobody knows.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    // What of the body came in one piece with the head.
    const push = request.push.bind(request);
    request.push = (bytes: Buffer | null) => {
      if (bytes !== null) this.#bodyLeft -= bytes.length;
      return push(bytes);
    };
    // As Node's own does with what is left of a body when the answer is out, but that has the parser leave its copies to the garbage collector.
    (request as { _dump?: () => void })._dump = () => {
      request.removeAllListeners('data');
      request.on('data', free).resume();
    };
    this.#unanswered.push([request, response]);
    if (this.#unanswered.length === 1) this.#begin(request, response);
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    response.once('close', () => {
      this.#unanswered.shift();
      this.#answeredAt = performance.now();
      const [next] = this.#unanswered;
      // Behind the last answer of a connection nothing is handled.
      if (next !== undefined && this.#socket.writable) this.#begin(...next);
      this.#feed();
    });
    this.#handler(request, response);
  }

  /** Gives the parser of what is held as much as it may have now, and reads on: else the end of the connection would not be seen. */
  #feed(): void {
    while (this.#held.length > 0) {
      if (this.#isOver) {
        this.#held = nothing;
        break;
      }
      const left = this.#bodyLeft;
      const piece = this.#held.subarray(0, left > 0 ? left : pieceBytes);
      const isEmpty = this.#isBetween && isEmptyLines(piece);
      if (!this.#isTaken || !(isEmpty || this.#isWanted)) break;
      // An empty part would keep the whole.
      this.#held = piece.length === this.#held.length ? nothing : this.#held.subarray(piece.length);
      if (this.#last?.complete !== false && !isEmpty) this.beginning ??= piece;
      this.#push(piece);
      if (isEmpty) this.#stayIdle();
      // Also of a body that the parser drops.
      if (left > 0) this.#bodyLeft = left - piece.length;
      // What the parser does not drop it has copied.
      if (this.#held.length === 0 && this.beginning === undefined) free(this.#whole);
    }
    if (!this.#hasEnded) {
      const { destroyed, readableFlowing } = this.#socket;
      if (this.#held.length < pieceBytes && !destroyed && readableFlowing) this.#read(0);
    } else if (this.#held.length === 0) this.#push(null);
  }

  /** Whether nothing is of interest any more but the end of the connection. */
  get #isOver(): boolean {
    const { destroyed, writable } = this.#socket;
    return destroyed || (!writable && this.#last?.complete !== false);
  }

  /** Whether the parser takes what it is given, at once. */
  get #isTaken(): boolean {
    const { readableFlowing, readableLength } = this.#socket;
    return readableFlowing === true && readableLength === 0;
  }

  /** Whether what comes next is of a request whose turn it is. */
  get #isWanted(): boolean {
    const [under] = this.#unanswered;
    const isAlone = this.#unanswered.length < 2 || !this.#socket.writable;
    return under === undefined || (isAlone && this.#last?.complete === false);
  }

  /** Whether a request was here wholly, and of the next one nothing, as far as can be told. */
  get #isBetween(): boolean {
    return this.#last?.complete === true && this.beginning === undefined;
  }

  /** To Node all that comes is a sign of life, even where it is of no request. */
  #stayIdle(): void {
    if (this.#unanswered.length > 0 || !this.#socket.writable) return;
    const idleMs = performance.now() - this.#answeredAt;
    this.#socket.setTimeout(Math.max(1, this.#keepAliveMs - idleMs));
  }
}

/** What a server overlooks in front of a request. */
function isEmptyLines(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === lineFeed || byte === carriageReturn);
}
