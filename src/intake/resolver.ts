/** Addresses of the hosts of image URLs: names that clients chose, and those that the operator allowed. */

import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

export interface HostResolver {
  /**
   * All addresses of a name that a client chose, by name servers alone: neither a hosts file nor a search domain makes a name
   * of this network of it. Once those of one family are there, the other's are waited for no longer than a moment.
   * @throws the name server's error, or the reason of `signal`, at once when that is aborted.
   */
  ask(hostname: string, signal: AbortSignal): Promise<LookupAddress[]>;
  /** All addresses of a name that the operator allowed, by whatever means the operating system has. */
  askSystem(hostname: string): Promise<LookupAddress[]>;
}

/** A datagram that was lost is sent again well within the time of a download. */
const patience = { timeout: 1_000, tries: 3 };

/**
 * How long the other family is waited for once one has addresses, in milliseconds: long enough for a lost datagram to be sent again. There
 * are name servers that never answer about IPv6.
 */
const graceMs = 1_500;

/** @param nameServers addresses, each with a port if that is not 53. Default: those of the operating system. */
export function createHostResolver(nameServers?: readonly string[]): HostResolver {
  const asking = new Map<string, Promise<LookupAddress[]>>();
  return {
    // Not by `lookup`: it keeps a thread until the operating system gives up, long after who asked is gone. There are two for all
    // lookups of the process, so a few names with a slow name server would stop everybody's.
    async ask(hostname, signal) {
      signal.throwIfAborted();
      const resolver = new Resolver(patience);
      if (nameServers !== undefined) resolver.setServers([...nameServers]);
      const cancel = () => resolver.cancel();
      signal.addEventListener('abort', cancel);
      let grace: NodeJS.Timeout | undefined;
      try {
        const questions = [resolver.resolve4(hostname), resolver.resolve6(hostname)] as const;
        Promise.any(questions).then(
          () => {
            grace = setTimeout(cancel, graceMs);
          },
          // That there are none is for what waits for both to say.
          () => {},
        );
        const [ipv4, ipv6] = await Promise.allSettled(questions);
        signal.throwIfAborted();
        if (ipv4.status === 'rejected' && ipv6.status === 'rejected') throw ipv4.reason;
        return [...listOf(ipv4, 4), ...listOf(ipv6, 6)];
      } finally {
        clearTimeout(grace);
        signal.removeEventListener('abort', cancel);
      }
    },

    // One lookup of a name at a time, since none can be called off.
    askSystem(hostname) {
      const known = asking.get(hostname);
      if (known !== undefined) return known;
      const answer = lookup(hostname, { all: true }).finally(() => asking.delete(hostname));
      asking.set(hostname, answer);
      return answer;
    },
  };
}

/** A name that has addresses of one family alone is an error for the other. */
function listOf(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'rejected' ? [] : answer.value.map((address) => ({ address, family }));
}
