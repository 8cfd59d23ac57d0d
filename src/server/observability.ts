/** What an operator sees: one log line per request, and metrics for Prometheus. Never a key, an image or a query string. */

import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Services } from '../dialects/dialect.ts';
import type { Timings } from '../liveness/types.ts';
import type { Transaction } from '../storage/transactions.ts';
import type { RequestError } from './errors.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Counts a worker that died. */
  countWorkerDeath(): void;
  /** Notes the time of every stage of an assessment. */
  noteTimings(timings: Timings): void;
  /** Counts a transaction for its app and key. */
  countTransaction(transaction: Transaction): void;
}

/**
 * Keys that are counted by themselves; those that come later are counted together. Each is some twenty lines of
 * `/metrics`, and the admin API has the numbers of all of them.
 */
const maxKeys = 1_000;

/** The metrics of one server; nothing is shared between two in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const deaths = new Counter({
    name: 'bonafide_worker_restarts_total',
    help: 'Workers that died and were replaced.',
    registers,
  });
  const stages = new Histogram({
    name: 'bonafide_stage_seconds',
    help: 'Time of each stage of an assessment.',
    labelNames: ['stage'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const transactions = new Counter({
    name: 'bonafide_transactions_total',
    help: `Transactions by app, key, dialect and outcome; of more than ${maxKeys} keys the others are "other".`,
    labelNames: ['app', 'key', 'dialect', 'outcome'] as const,
    registers,
  });
  const keys = new Set<string>();
  return {
    registry,
    countTransaction({ app, key, dialect, outcome }) {
      if (keys.size < maxKeys) keys.add(key);
      const whose = keys.has(key) ? { app, key } : { app: 'other', key: 'other' };
      transactions.inc({ ...whose, dialect, outcome });
    },
    countWorkerDeath: () => deaths.inc(),
    noteTimings(timings) {
      for (const [stage, ms] of Object.entries(timings)) stages.observe({ stage }, (ms as number) / 1000);
    },
  };
}

/**
 * @param refusalOf why a request was refused below the router, which never answers it then.
 * @returns what is to be called when a request begins: it is logged and counted when it ends, if it is a dialect's.
 */
export function createObserver(
  { registry }: Metrics,
  { engine, gate, recorder, availability }: Pick<Services, 'engine' | 'gate' | 'recorder' | 'availability'>,
  refusalOf: (request: IncomingMessage) => RequestError | undefined,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'bonafide_requests_total',
    help: 'Requests by dialect and outcome: live, attack, why there is no verdict, or a failure code.',
    labelNames: ['dialect', 'outcome'] as const,
    registers,
  });
  const durations = new Histogram({
    name: 'bonafide_request_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['dialect'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  new Gauge({
    name: 'bonafide_queue_depth',
    help: 'Photographs waiting for a worker.',
    registers,
    collect() {
      this.set(engine.queueDepth);
    },
  });
  new Gauge({
    name: 'bonafide_requests_under_way',
    help: 'Requests admitted and not yet answered.',
    registers,
    collect() {
      this.set(gate.underWay);
    },
  });

  new Gauge({
    name: 'bonafide_journal_bytes',
    help: 'Bytes of transactions that are not in the database yet.',
    registers,
    collect() {
      this.set(recorder.backlogBytes);
    },
  });
  new Gauge({
    name: 'bonafide_database_up',
    help: '1 while the database answers, else 0.',
    registers,
    collect() {
      this.set(availability.isUp ? 1 : 0);
    },
  });

  const observe = (request: FastifyRequest, reply: FastifyReply, ms: number): void => {
    const { dialect } = request;
    if (dialect === undefined) return;
    const answered = reply.raw.writableFinished ? request.outcome : refusalOf(request.raw)?.code;
    const outcome = answered ?? 'aborted';
    requests.inc({ dialect, outcome });
    durations.observe({ dialect }, ms / 1000);
    request.log.info(
      {
        dialect,
        method: request.method,
        // The pattern, never the path: an appKey stands in NHN's.
        route: request.routeOptions.url,
        status: reply.statusCode,
        outcome,
        ms: Math.round(ms * 10) / 10,
      },
      'request',
    );
  };
  return (request, reply) => {
    const start = performance.now();
    // Not Fastify's onResponse hook, which does not run when the client is gone before its answer.
    reply.raw.once('close', () => observe(request, reply, performance.now() - start));
  };
}

/** Serves `/metrics`. */
export function serveMetrics(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
