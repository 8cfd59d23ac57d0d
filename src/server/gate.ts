/** Admission: how many requests may be under way at once, and the way to stop taking new ones. */

import type { FastifyReply } from 'fastify';
import type { Engine } from '../liveness/pool.ts';
import { RequestError } from './errors.ts';

export interface Gate {
  /**
   * Counts a request in, before its body is read: a body that cannot be served must not cost memory.
   * It is counted out when its connection or its answer ends; where that has ended already, it is not counted in.
   * Those that there is no room for are refused together, some milliseconds later.
   * @throws RequestError `service_full` or `service_draining`.
   */
  admit(reply: FastifyReply): Promise<void>;
  /** Has the draining wait for this answer as well: one that takes no place. */
  hold(reply: FastifyReply): void;
  readonly underWay: number;
  readonly isDraining: boolean;
  /** Refuses what is new from now on; resolves when nothing is under way any more. */
  drain(): Promise<void>;
}

/**
 * How long the first of those refused together waits. Each by itself is a write to the log, one to the journal and one to its client, for each of which
 * a thread or process is woken, at the cost of what the workers do (docs/adr/0022-refused-together.md).
 */
const refusalsMs = 25;

/**
 * @param capacity most requests under way at once: those the workers hold, and those that wait.
 * @param engine asked as well, whose queue large photographs fill sooner: to read a body only to refuse it costs as much as to answer.
 */
export function createGate(capacity: number, engine: Pick<Engine, 'isFull'>): Gate {
  let underWay = 0;
  /** Those that are under way, and those that take no place. */
  let answers = 0;
  let isDraining = false;
  let idle: PromiseWithResolvers<void> | undefined;
  let refusals: Promise<void> | undefined;

  /** @throws RequestError at the same moment to all that are refused by then. */
  async function refuse(): Promise<never> {
    refusals ??= new Promise((resolve) => {
      setTimeout(() => {
        refusals = undefined;
        resolve();
      }, refusalsMs);
    });
    await refusals;
    throw new RequestError('service_full', 'The server is full.');
  }

  function hold({ raw }: FastifyReply): void {
    if (raw.destroyed) return;
    answers++;
    raw.once('close', () => {
      answers--;
      if (answers > 0) return;
      idle?.resolve();
      idle = undefined;
    });
  }

  return {
    async admit(reply) {
      if (isDraining) throw new RequestError('service_draining', 'The server is shutting down.');
      hold(reply);
      if (underWay >= capacity || engine.isFull) await refuse();
      // Gone while its key was looked up: of its end nobody will be told again.
      if (reply.raw.destroyed) return;
      underWay++;
      reply.raw.once('close', () => underWay--);
    },
    hold,
    get underWay() {
      return underWay;
    },
    get isDraining() {
      return isDraining;
    },
    async drain() {
      isDraining = true;
      // Of those whose client is gone there is a row to be written still.
      await refusals;
      if (answers === 0) return;
      idle ??= Promise.withResolvers();
      await idle.promise;
    },
  };
}
