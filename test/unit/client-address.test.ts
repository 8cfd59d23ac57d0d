/** What is kept of a client's address, and which addresses count as one client. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientNetwork, keptAddress } from '../../src/server/client-address.ts';

describe('the address that is kept', () => {
  const cases: [address: string, full: string | null, truncated: string | null][] = [
    ['192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80::1', 'fe80::/48'],
    ['::1', '::1', '::/48'],
    ['203.0.113.77:4711', '203.0.113.77', '203.0.113.0/24'],
    ['[2001:db8:1:2::1]:4711', '2001:db8:1:2::1', '2001:db8:1::/48'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2::1', '2001:db8:1::/48'],
    ['[unknown]:4711', null, null],
    ['unknown', null, null],
    ['', null, null],
    ['<script>', null, null],
  ];
  for (const [address, full, truncated] of cases) {
    it(`of "${address}" is ${full}, truncated ${truncated}`, () => {
      assert.equal(keptAddress(address, 'full'), full);
      assert.equal(keptAddress(address, 'truncated'), truncated);
      assert.equal(keptAddress(address, 'none'), null);
    });
  }
});

describe('one client', () => {
  it('is one IPv4 address, and 2^64 of IPv6', () => {
    assert.notEqual(clientNetwork('192.0.2.1'), clientNetwork('192.0.2.2'));
    assert.equal(clientNetwork('192.0.2.1'), clientNetwork('::ffff:192.0.2.1'));
    assert.equal(clientNetwork('2001:db8::1'), clientNetwork('2001:db8::ffff:1'));
    assert.notEqual(clientNetwork('2001:db8::1'), clientNetwork('2001:db8:0:1::1'));
  });

  it('is the same whatever its port, where a proxy tells that', () => {
    assert.equal(clientNetwork('192.0.2.1:4711'), clientNetwork('192.0.2.1'));
    assert.equal(clientNetwork('[2001:db8::1]:4711'), clientNetwork('2001:db8::2'));
    assert.equal(clientNetwork('[::ffff:192.0.2.1]:4711'), clientNetwork('192.0.2.1'));
  });

  it('is also whatever a proxy says instead of an address', () => {
    assert.equal(clientNetwork('unknown'), 'unknown');
  });
});
