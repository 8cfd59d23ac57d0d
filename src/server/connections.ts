/** The HTTP server below the router: how many connections it takes, and how long a client may be about each part of a request. */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import { Counter, Gauge, type Registry } from 'prom-client';
import { clientNetwork } from './client-address.ts';
import { takeTurns } from './turns.ts';

export interface ConnectionLimits {
  /** Most connections at once. */
  readonly connections: number;
  /** Most of them from one address (of IPv6, one /64) that is no trusted proxy's. */
  readonly perAddress: number;
  /** From the connection, or the first byte of a later request on it, to the end of the head, in milliseconds. */
  readonly headTimeoutMs: number;
  /** From the same to the end of the body, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Fewest bytes per second of a body, on average after its first ten seconds; 0 for no such bound. */
  readonly minBytesPerSecond: number;
  /** How long a client may take nothing of an answer that waits for it, in milliseconds. */
  readonly answerTimeoutMs: number;
  /** How long a connection is kept open for another request, in milliseconds. */
  readonly keepAliveMs: number;
}

/** How often clients are looked at that may be late. */
const checkMs = 1_000;
/** A phone that changes its network sends nothing for some seconds. */
const graceMs = 10_000;

/** Pieces of a body that may be of any size; from then on, the bytes that each must have on average. Base64 in its lines of 76 has them. */
const freePieces = 10_000;
const leastPieceBytes = 64;

/** How a body in too small pieces is reported. */
export const smallPieces = 'ERR_HTTP_SMALL_PIECES';

/**
 * Who listens to `clientError` answers those who are late too, as `ERR_HTTP_REQUEST_TIMEOUT`, and those whose bodies come in too small pieces.
 * @param trustedProxies addresses and networks that bring the connections of many clients.
 */
export function createHttpServer(
  handler: RequestListener,
  limits: ConnectionLimits,
  trustedProxies: readonly string[],
  registry: Registry,
): Server {
  const server = createServer({
    // Node refuses a head that may take longer than its request.
    headersTimeout: Math.min(limits.headTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Of a header sent twice Node would drop the second; a proxy in front may have looked at that one.
    joinDuplicateHeaders: true,
    // Node's own refusal is in no dialect's envelope.
    requireHostHeader: false,
  });
  limitConnections(server, limits, trustedProxies, registry);
  limitAnswers(server, limits.answerTimeoutMs);
  requirePieces(server);
  const watch = limits.minBytesPerSecond > 0 ? requirePace(server, limits.minBytesPerSecond) : undefined;
  takeTurns(server, (request, response) => {
    watch?.(request, response);
    handler(request, response);
  });
  return server;
}

/** One address must not take all the connections that there may be, each of which costs memory and a file descriptor. */
function limitConnections(
  server: Server,
  { connections, perAddress }: ConnectionLimits,
  trustedProxies: readonly string[],
  registry: Registry,
): void {
  const isTrusted = among(trustedProxies);
  const counts = new Map<string, number>();
  let open = 0;
  const registers = [registry];
  const refused = new Counter({
    name: 'bonafide_connections_refused_total',
    help: 'Connections closed unread: too many of one address, or too many of all.',
    labelNames: ['reason'] as const,
    registers,
  });
  new Gauge({
    name: 'bonafide_connections',
    help: 'Open connections.',
    registers,
    collect() {
      this.set(open);
    },
  });
  server.maxConnections = connections;
  server.on('drop', () => refused.inc({ reason: 'all' }));
  server.on('connection', (socket: Socket) => {
    open++;
    socket.once('close', () => open--);
    const { remoteAddress } = socket;
    // Gone already, or counted by address in the proxy.
    if (remoteAddress === undefined || isTrusted(remoteAddress)) return;
    const network = clientNetwork(remoteAddress);
    const count = counts.get(network) ?? 0;
    if (count >= perAddress) {
      refused.inc({ reason: 'address' });
      socket.destroy();
      return;
    }
    counts.set(network, count + 1);
    socket.once('close', () => {
      const left = (counts.get(network) ?? 1) - 1;
      if (left === 0) counts.delete(network);
      else counts.set(network, left);
    });
  });
}

/** Whoever takes nothing of what was asked for would keep it in memory for ever. */
function limitAnswers(server: Server, timeoutMs: number): void {
  /** What was taken on the connection of each answer, in bytes, and since when it is that much or nothing waits, in milliseconds. */
  const answers = new Map<ServerResponse, { taken: number; since: number }>();
  const check = () => {
    const now = performance.now();
    for (const [response, last] of answers) {
      const { socket } = response;
      const taken = takenOn(socket);
      if (socket === null || socket.writableLength === 0 || taken !== last.taken) {
        answers.set(response, { taken, since: now });
      } else if (now - last.since >= timeoutMs) socket.destroy();
    }
  };
  // An eighth may pass before it is seen that nothing is taken any more, and another before the time is up.
  const checks = setInterval(check, Math.min(checkMs, timeoutMs / 8)).unref();
  server.once('close', () => clearInterval(checks));
  server.on('request', (_request, response) => {
    answers.set(response, { taken: 0, since: performance.now() });
    response.once('close', () => answers.delete(response));
  });
}

/**
 * Bytes that the operating system took for a client. Of a piece that it has taken in part only Node's own handle tells; Node's timeout of a connection looks
 * there too, but takes a second of them to see that nothing changes, and any byte that comes for a sign of life.
 */
function takenOn(socket: Socket | null): number {
  const { _handle: handle } = (socket ?? {}) as {
    _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
  };
  return handle == null ? 0 : handle.bytesWritten - handle.writeQueueSize;
}

/**
 * A request holds a place among those under way while its body arrives, which must not be had for a byte now and then.
 * @returns what is to be called when a request begins: of one that waits for another nothing is read.
 */
function requirePace(server: Server, minBytesPerSecond: number): RequestListener {
  const arriving = new Map<IncomingMessage, { start: number; bytesBefore: number }>();
  /** What was read of a connection when its last answer was out: what comes after belongs to the next request. */
  const readBefore = new WeakMap<Socket, number>();
  const check = () => {
    const now = performance.now();
    for (const [request, { start, bytesBefore }] of arriving) {
      const { socket, complete, destroyed } = request;
      const due = ((now - start - graceMs) / 1000) * minBytesPerSecond;
      if (!complete && !destroyed && socket.bytesRead - bytesBefore >= due) continue;
      arriving.delete(request);
      if (!complete && !destroyed) server.emit('clientError', new LateError(), socket);
    }
  };
  const checks = setInterval(check, checkMs).unref();
  server.once('close', () => clearInterval(checks));
  return (request, response) => {
    const { socket } = request;
    response.once('finish', () => readBefore.set(socket, socket.bytesRead));
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (encoding === undefined && (length === undefined || length === '0')) return;
    arriving.set(request, { start: performance.now(), bytesBefore: readBefore.get(socket) ?? 0 });
  };
}

/** Each chunk of a body costs microseconds, however small: ten million of one byte would keep the event loop busy for a minute. */
function requirePieces(server: Server): void {
  server.on('request', (request: IncomingMessage) => {
    let pieces = 0;
    let bytes = 0;
    const push = request.push.bind(request);
    request.push = (piece: Buffer | null) => {
      if (piece !== null) bytes += piece.length;
      if (++pieces > freePieces && bytes < pieces * leastPieceBytes) {
        request.push = push;
        // Not amid what the parser is about.
        setImmediate(() => server.emit('clientError', new SmallPiecesError(), request.socket));
      }
      return push(piece);
    };
  });
}

class SmallPiecesError extends Error {
  readonly code = smallPieces;
}

/** As Node itself reports a request that takes too long. */
class LateError extends Error {
  readonly code = 'ERR_HTTP_REQUEST_TIMEOUT';
}

/** Whether an address is one of these, or in one of these networks; one of IPv4 also as IPv6 has it. */
function among(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
