/** Admission: how many requests may be under way at once, and the way to stop taking new ones. */

import type { FastifyReply } from 'fastify';
import type { Engine } from '../liveness/pool.ts';
import { RequestError } from './errors.ts';

export interface Gate {
  /**
   * Counts a request in, before its body is read: a body that cannot be served must not cost memory.
   * It is counted out when its connection or its answer ends; where that has ended already, it is not counted in.
   * @throws RequestError `service_full` or `service_draining`.
   */
  admit(reply: FastifyReply): void;
  /** Has the draining wait for this answer as well: one that takes no place. */
  hold(reply: FastifyReply): void;
  readonly underWay: number;
  readonly isDraining: boolean;
  /** Refuses what is new from now on; resolves when nothing is under way any more. */
  drain(): Promise<void>;
}

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

  function waitFor({ raw }: FastifyReply): void {
    answers++;
    raw.once('close', () => {
      answers--;
      if (answers > 0) return;
      idle?.resolve();
      idle = undefined;
    });
  }

  return {
    admit(reply) {
      if (isDraining) throw new RequestError('service_draining', 'The server is shutting down.');
      if (underWay >= capacity || engine.isFull)
        throw new RequestError('service_full', 'The server is full.');
      // Gone while its key was looked up: of its end nobody will be told again.
      if (reply.raw.destroyed) return;
      underWay++;
      reply.raw.once('close', () => underWay--);
      waitFor(reply);
    },
    hold(reply) {
      if (!reply.raw.destroyed) waitFor(reply);
    },
    get underWay() {
      return underWay;
    },
    get isDraining() {
      return isDraining;
    },
    drain() {
      isDraining = true;
      if (answers === 0) return Promise.resolve();
      idle ??= Promise.withResolvers();
      return idle.promise;
    },
  };
}
