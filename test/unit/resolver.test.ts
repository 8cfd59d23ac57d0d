/** Name servers that answer about one family of addresses, about both, and about one only when asked again. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createHostResolver, type HostResolver } from '../../src/intake/resolver.ts';
import { type NameServer, startNameServer } from '../helpers/name-server.ts';

const ipv4 = { address: '93.184.215.14', family: 4 };
const ipv6 = { address: '2606:2800:220:1::1', family: 6 };

const askedFor = new Map<string, number>();
let nameServer: NameServer;
let resolver: HostResolver;
before(async () => {
  nameServer = await startNameServer((name, type) => {
    const question = `${type} ${name}`;
    const times = (askedFor.get(question) ?? 0) + 1;
    askedFor.set(question, times);
    const [silentAbout, isOnce] = name.split('.');
    if (silentAbout === type.toLowerCase() && (isOnce !== 'once' || times === 1)) return 'silence';
    return [ipv4.address, ipv6.address];
  });
  resolver = createHostResolver([nameServer.address]);
});
after(() => nameServer.close());

describe('the addresses of a name', () => {
  const ask = (name: string) => resolver.ask(name, new AbortController().signal);

  it('are those of both families', async () => {
    assert.deepEqual(await ask('both.test'), [ipv4, ipv6]);
  });

  // Asked three times as it is, about a name that has no addresses at all, a server that says nothing takes seven seconds.
  for (const [type, expected] of [
    ['aaaa', ipv4],
    ['a', ipv6],
  ] as const) {
    it(`do not wait for a server that never answers about the other family: ${type.toUpperCase()}`, async () => {
      const start = performance.now();
      assert.deepEqual(await ask(`${type}.always.test`), [expected]);
      const took = performance.now() - start;
      assert.ok(took < 4_000, `took ${took} ms`);
    });

    it(`wait for a datagram that was lost to be sent again: ${type.toUpperCase()}`, async () => {
      assert.deepEqual(await ask(`${type}.once.test`), [ipv4, ipv6]);
    });
  }
});
