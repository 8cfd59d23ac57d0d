/** Addresses of clients: what is kept of them, and which of them are taken for one client. */

import ipaddr from 'ipaddr.js';

export type ClientAddressMode = 'full' | 'truncated' | 'none';

/**
 * What the log keeps of an address. A network of 256 IPv4 addresses or of one IPv6 site tells attacks from one place
 * apart from others, and hardly a person.
 * @param address as a proxy may have told it, which may be anything.
 * @returns null where nothing is kept, or it is no address.
 */
export function keptAddress(address: string, mode: ClientAddressMode): string | null {
  const parsed = mode === 'none' ? undefined : parse(address);
  if (parsed === undefined) return null;
  return mode === 'full' ? parsed.toString() : networkOf(parsed, 24, 48);
}

/** The network whose addresses count as one client: anybody has 2^64 of IPv6. */
export function clientNetwork(address: string): string {
  const parsed = parse(address);
  return parsed === undefined ? address : networkOf(parsed, 32, 64);
}

/** As some proxies tell it, with the port of the connection: 192.0.2.1:4711 or [2001:db8::1]:4711. */
const withPort = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/**
 * IPv4 inside IPv6 is IPv4, and a zone is a name of an interface of this machine.
 * @returns undefined where it is no address.
 */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const [, ipv4, ipv6] = withPort.exec(text) ?? [];
  const address = ipv4 ?? ipv6 ?? text;
  if (!ipaddr.isValid(address)) return undefined;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? new ipaddr.IPv6([...parsed.parts]) : parsed;
}

function networkOf(address: ipaddr.IPv4 | ipaddr.IPv6, bits4: number, bits6: number): string {
  if (address instanceof ipaddr.IPv4) {
    return `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${bits4}`)}/${bits4}`;
  }
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits6}`)}/${bits6}`;
}
