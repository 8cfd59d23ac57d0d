/** Puts the server together. It never listens and never reads the environment. */

import swagger from '@fastify/swagger';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { argos } from '../dialects/argos/routes.ts';
import {
  type Dialect,
  type Failure,
  type FailureCode,
  jsonType,
  newTransactionId,
  type Services,
  toFailure,
} from '../dialects/dialect.ts';
import { native } from '../dialects/native/routes.ts';
import { nhn } from '../dialects/nhn/routes.ts';
import { portraitBytes, portraitPath } from '../dialects/portrait.ts';
import type { Storage } from '../storage/database.ts';
import { Keys } from '../storage/keys.ts';
import { sessionCookie } from './admin/authentication.ts';
import { toRequestError } from './admin/errors.ts';
import { admin } from './admin/routes.ts';
import { acceptJson } from './body.ts';
import { createClientErrors } from './client-errors.ts';
import { type ConnectionLimits, createHttpServer } from './connections.ts';
import { serveConsole } from './console.ts';
import { allowOrigins } from './cors.ts';
import { RequestError } from './errors.ts';
import { examplesKeyword } from './examples.ts';
import { mayWait, meetExpectations } from './expect.ts';
import { guardHeaders } from './headers.ts';
import { lingerOnUnread } from './linger.ts';
import { createObserver, type Metrics, serveMetrics } from './observability.ts';
import type { Reports } from './reports.ts';
import { fileKeyword } from './upload.ts';

const dialects: readonly Dialect[] = [nhn, argos, native];

export interface AppOptions {
  readonly services: Services;
  /** What the admin API looks after. */
  readonly storage: Storage;
  readonly metrics: Metrics;
  readonly logger: FastifyBaseLogger;
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly connections: ConnectionLimits;
  /** Origins whose pages may ask the dialects from a browser. */
  readonly corsOrigins: readonly string[];
  /** Where the weights are. */
  readonly modelsFolder: string;
  readonly reports: Reports;
  /** Where the console was built to; it is left out where it was not. */
  readonly consoleFolder: string;
  /** Shown in the OpenAPI document. */
  readonly version: string;
}

/** @returns the server, ready to listen or to be injected into. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, metrics, logger } = options;
  const clientErrors = createClientErrors(dialectOf, logger);
  const observe = createObserver(metrics, services, clientErrors.refusalOf);
  const begin = (request: FastifyRequest, reply: FastifyReply) => {
    observe(request, reply);
    clientErrors.note(reply.raw, request.id);
    reply.headers(guardHeaders).header('x-request-id', request.id);
  };
  const app = fastify({
    loggerInstance: logger,
    // `observeRequests` writes the one line per request; the default ones carry paths, and with them appKeys.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: newTransactionId,
    requestIdHeader: false,
    // Anybody can send an X-Forwarded-For.
    trustProxy: options.trustedProxies.length > 0 && [...options.trustedProxies],
    serverFactory: (handler) =>
      createHttpServer(handler, options.connections, options.trustedProxies, metrics.registry),
    // A longer appKey is a wrong one, not a path that does not exist. Node bounds the whole head at 16 kB.
    routerOptions: { maxParamLength: 16_384 },
    // Draining has its own answer, in each dialect's envelope.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: clientErrors.answer,
    frameworkErrors: (error, request, reply) => {
      // No hook has run for these.
      begin(request, reply);
      const dialect = dialectOf(request.url);
      request.dialect = dialect.name;
      return refuse(dialect, error, request, reply);
    },
    ajv: {
      // What a client sent is taken as it is or refused; never changed, never dropped.
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strictTypes: false },
      plugins: [
        [
          (ajv: { addKeyword(definition: object): void }) => {
            ajv.addKeyword(fileKeyword);
            ajv.addKeyword({ keyword: examplesKeyword });
          },
          {},
        ] as never,
      ],
    },
  });

  acceptJson(app);
  app.decorateRequest('outcome', undefined);
  app.decorateRequest('caller', undefined);
  app.decorateRequest('dialect', undefined);
  app.addHook('onRequest', async (request, reply) => {
    begin(request, reply);
    requireClarity(request);
  });
  // Here rather than in the handler, before which the body of a stranger would be read.
  app.addHook('preParsing', async (request) => {
    if (request.is404) throw new RequestError('not_found', notFound.message);
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A kept-alive connection would bring the client back to a server that is going away.
    if (services.gate.isDraining) sayGoodbye(reply);
    done(null, payload);
  });
  // Before any route, for those that there are by now keep the framework's own.
  app.setErrorHandler((error, request, reply) => refuse(native, error, request, reply));
  app.setNotFoundHandler((request, reply) => refuse(native, notFound, request, reply));
  clientErrors.watch(app.server);
  meetExpectations(app.server);
  lingerOnUnread(app.server);
  await describeApi(app, options.version);
  serveMetrics(app, metrics);
  serveHealth(app, services);

  for (const dialect of dialects) {
    for (const prefix of dialect.prefixes) {
      await app.register(
        async (scope) => {
          await allowOrigins(scope, options.corsOrigins, dialect);
          scope.addHook('onRequest', async (request) => {
            request.dialect = dialect.name;
          });
          // What was not written down must not be answered.
          scope.addHook('onSend', async (request, reply, payload) => {
            try {
              await services.recorder.record(reply);
              return payload;
            } catch (error) {
              return JSON.stringify(toBody(dialect, error, request, reply));
            }
          });
          scope.setErrorHandler((error, request, reply) =>
            refuse(dialect, clientErrors.refusalOf(request.raw) ?? error, request, reply),
          );
          scope.setNotFoundHandler((request, reply) => refuse(dialect, notFound, request, reply));
          await scope.register(dialect.routes(services, prefix));
        },
        { prefix },
      );
    }
  }
  await serveAdmin(app, options);
  await serveConsole(app, options.consoleFolder);
  await app.ready();
  return app;
}

/** The admin API: of no dialect, so it is neither counted nor logged as one; its problems are those of the native API. */
async function serveAdmin(app: FastifyInstance, options: AppOptions): Promise<void> {
  const { storage, services, modelsFolder, reports } = options;
  const { availability, wrongKeys, profile, profileNote } = services;
  const keys = new Keys(storage.db);
  app.decorateRequest('administrator', undefined);
  app.decorateRequest('session', undefined);
  await app.register(
    async (scope) => {
      // By now they are known, and all of their request is here: who is not, and sends slowly, is not waited for at the end.
      scope.addHook('preHandler', async (_request, reply) => services.gate.hold(reply));
      scope.setErrorHandler(async (error, request, reply) =>
        refuse(native, await toRequestError(error, availability, keys), request, reply),
      );
      scope.setNotFoundHandler((request, reply) => refuse(native, notFound, request, reply));
      await scope.register(
        admin({ storage, availability, wrongKeys, profile, profileNote, modelsFolder, reports }),
      );
    },
    { prefix: '/admin/v1' },
  );
}

const notFound: Failure = { code: 'not_found', message: 'There is nothing at this path.' };

function refuse(
  dialect: Dialect,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return reply.send(toBody(dialect, error, request, reply));
}

/** Makes the answer a refusal, all but its body, and tells log and metrics. */
function toBody(dialect: Dialect, error: unknown, request: FastifyRequest, reply: FastifyReply): object {
  const failure = error === notFound ? notFound : toFailure(error);
  request.outcome = failure.code;
  if (isFault.has(failure.code)) {
    request.log.error({ err: error }, failure.message);
  } else {
    request.log.debug({ code: failure.code, reason: failure.reason ?? failure.message }, 'refused');
  }
  if (failure.code === 'malformed_http') {
    // What follows may be no request but a part of this one.
    sayGoodbye(reply);
  } else if (reply.getHeader('connection') === 'close' && !mayWait(request.raw)) {
    // The framework's, as the client may still send. Node discards the rest instead, for no longer than a request may take.
    reply.header('connection', reply.raw.shouldKeepAlive ? 'keep-alive' : 'close');
  }
  const { status, headers, body } = dialect.refusal(failure, request.id);
  reply.code(status).headers(headers);
  return body;
}

/** The last answer of a connection, and its client is told so: no more requests are read of it. What is still to come of this one is taken first (`lingerOnUnread`). */
function sayGoodbye(reply: FastifyReply): void {
  reply.header('connection', 'close');
  reply.raw.shouldKeepAlive = false;
}

/**
 * A proxy in front may have read in the other way what can be read in two: of two hosts the other one, or a body in a coding that is
 * not known here to another end. HTTP/1.1 asks for exactly one host (RFC 9112, 3.2), and HTTP/1.0 has no chunks (6.1).
 * @throws RequestError `malformed_http`.
 */
function requireClarity(request: FastifyRequest): void {
  const { httpVersion, headers } = request.raw;
  const { host, 'transfer-encoding': coding } = headers;
  const hasHost = host === undefined ? httpVersion === '1.0' : !host.includes(',');
  const isFramed = coding === undefined || (httpVersion === '1.1' && coding.toLowerCase() === 'chunked');
  if (hasHost && isFramed) return;
  request.dialect = dialectOf(request.url).name;
  const message = isFramed
    ? 'The request does not name exactly one host.'
    : 'The transfer coding of the request is not known here.';
  throw new RequestError('malformed_http', message);
}

/** What an operator has to see to. */
const isFault: ReadonlySet<FailureCode> = new Set(['engine_failure', 'worker_died', 'log_unavailable']);

/** For requests so malformed that no route, and so no dialect, was found for them. */
function dialectOf(path: string): Dialect {
  const [first = ''] = /^\/[^/?#]*/.exec(path) ?? [];
  return dialects.find(({ prefixes }) => prefixes.includes(first)) ?? native;
}

async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'bonafide',
        description: `Face liveness of one photograph: a living person before the camera, or a picture of one.

Three APIs ask the same engine: the native one, which tells all there is, and two that are compatible with NHN Cloud Face Liveness and
ARGOS Face Liveness. The fourth administers apps, keys and the log. Every answer names its request in the header \`x-request-id\`.

The picture in the examples is a drawing, [portrait.jpg](${portraitPath}): small, and rightly called an attack.`,
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags: [
        { name: 'bonafide', description: 'The native API: all that is known of every face.' },
        {
          name: 'NHN Cloud Face Liveness',
          description:
            'For clients of that vendor: its paths, fields and codes, with another address and key.',
        },
        {
          name: 'ARGOS Face Liveness',
          description:
            'For clients of that vendor: its paths, fields and codes, with another address and key.',
        },
        {
          name: 'Administration',
          description: 'Apps, keys, admin tokens, the log of transactions, and usage. Lists come by pages.',
        },
      ],
      components: {
        securitySchemes: {
          adminToken: { type: 'http', scheme: 'bearer', description: 'An admin token.' },
          adminSession: {
            type: 'apiKey',
            in: 'cookie',
            name: sessionCookie,
            description: "The cookie of a session of the console, for the server's own pages alone.",
          },
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'x-api-key',
            description: 'A key of kind `api`, for ARGOS, the native API or both.',
          },
          nhnSecretKey: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description:
              'The secretKey by itself, without a scheme: a key of kind `secret` of the app in the path.',
          },
        },
      },
    },
  });
  // Once for all: in memory there are then as many of it as there are answers, and it takes longer than most requests do.
  let text: Buffer | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type(jsonType).send(text);
  });
  app.get(portraitPath, { schema: { hide: true } }, async (_request, reply) =>
    reply.type('image/jpeg').send(portraitBytes),
  );
}

function serveHealth(app: FastifyInstance, services: Services): void {
  const { gate, profile, profileNote } = services;
  app.get('/livez', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const { status, problem } = gate.isDraining ? { status: 'draining' } : readiness(services);
    return reply.code(status === 'ready' ? 200 : 503).send({
      status,
      profile: profile.profile.id,
      ...(profileNote !== undefined && { note: profileNote }),
      ...(problem !== undefined && { problem }),
    });
  });
}

/**
 * A server whose database is away goes on for those whose keys it knows, and is ready as long as that lasts: a balancer that
 * took it out, and all others with it, would make an outage of the database one of the service.
 */
function readiness({ engine, availability, authenticator, recorder }: Services): {
  status: 'ready' | 'no_worker' | 'no_database' | 'log_full' | 'log_failing';
  problem?: string;
} {
  if (!engine.isReady) return { status: 'no_worker', problem: 'No worker process is up.' };
  if (recorder.isFull) {
    return { status: 'log_full', problem: 'The journal is full: no more transactions can be kept.' };
  }
  if (recorder.isFailing) {
    return { status: 'log_failing', problem: 'The journal cannot be written: no transactions can be kept.' };
  }
  const { knownKeysUntil } = authenticator;
  // Also when it is back, until the keys were asked for again.
  if (knownKeysUntil <= Date.now()) {
    const problem = availability.problem ?? 'The database is back.';
    return { status: 'no_database', problem: `${problem} Keys cannot be checked.` };
  }
  if (recorder.isRefused) {
    return {
      status: 'ready',
      problem:
        'The database does not take the transactions, which wait in the journal: the log has the reason.',
    };
  }
  if (availability.isUp) return { status: 'ready' };
  const until = new Date(knownKeysUntil).toISOString();
  return {
    status: 'ready',
    problem: `${availability.problem} Keys known here are good until ${until}, and transactions wait in the journal.`,
  };
}
