import { BlockList, isIP } from 'node:net'

/**
 * What an IP address is good for:
 * - `public`: global unicast, reachable from anywhere;
 * - `private`: this machine or a private network (RFC 1918, RFC 4193);
 * - `forbidden`: never a webhook receiver. Link-local (where clouds keep their metadata), shared, translated, multicast,
 *   documentation, reserved, or not an address at all.
 */
export type AddressScope = 'public' | 'private' | 'forbidden'

const PRIVATE_IPV4 = blockList('ipv4', [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
])

// The rest of the IANA IPv4 Special-Purpose Address Registry, with multicast and the reserved top.
const SPECIAL_IPV4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
])

const PRIVATE_IPV6 = blockList('ipv6', [
  ['::1', 128],
  ['fc00::', 7],
])

// IPv6 is an allowlist: only 2000::/3 is given out as global unicast (RFC 4291). That leaves out mapped IPv4
// (::ffff:0:0/96), NAT64 (64:ff9b::/96), link-local (fe80::/10) and multicast (ff00::/8) without naming them.
const GLOBAL_IPV6 = blockList('ipv6', [['2000::', 3]])

// Inside 2000::/3: protocol assignments with Teredo, documentation, 6to4, documentation again.
const SPECIAL_IPV6 = blockList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
])

/** Classifies an address in its usual text form. One with a zone (`fe80::1%eth0`) is forbidden. */
export function addressScope(address: string): AddressScope {
  if (address.includes('%')) return 'forbidden'
  const version = isIP(address)
  if (version === 4) {
    if (PRIVATE_IPV4.check(address, 'ipv4')) return 'private'
    return SPECIAL_IPV4.check(address, 'ipv4') ? 'forbidden' : 'public'
  }
  if (version === 6) {
    if (PRIVATE_IPV6.check(address, 'ipv6')) return 'private'
    return GLOBAL_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6') ? 'public' : 'forbidden'
  }
  return 'forbidden'
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [network: string, prefix: number])[]) {
  const list = new BlockList()
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family)
  return list
}
