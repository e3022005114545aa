import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AddressScope, addressScope } from './address.js'

describe('addressScope', () => {
  it.each<[string, string, AddressScope]>([
    ['0.0.0.0', '0.255.255.255', 'forbidden'],
    ['10.0.0.0', '10.255.255.255', 'private'],
    ['100.64.0.0', '100.127.255.255', 'forbidden'],
    ['127.0.0.0', '127.255.255.255', 'private'],
    ['169.254.0.0', '169.254.255.255', 'forbidden'],
    ['172.16.0.0', '172.31.255.255', 'private'],
    ['192.0.0.0', '192.0.0.255', 'forbidden'],
    ['192.0.2.0', '192.0.2.255', 'forbidden'],
    ['192.88.99.0', '192.88.99.255', 'forbidden'],
    ['192.168.0.0', '192.168.255.255', 'private'],
    ['198.18.0.0', '198.19.255.255', 'forbidden'],
    ['198.51.100.0', '198.51.100.255', 'forbidden'],
    ['203.0.113.0', '203.0.113.255', 'forbidden'],
  ])('holds %s to %s, and no address beside them', (first, last, scope) => {
    expect([addressScope(first), addressScope(last)]).toEqual([scope, scope])
    const [below, above] = [toNumber(first) - 1, toNumber(last) + 1]
    if (below >= 0) expect(addressScope(toText(below))).toBe('public')
    expect(addressScope(toText(above))).toBe('public')
  })

  it.each(['224.0.0.0', '239.255.255.255', '240.0.0.0', '255.255.255.255'])(
    'forbids multicast and reserved %s',
    (it) => {
      expect(addressScope(it)).toBe('forbidden')
    },
  )

  it.each<[string, AddressScope]>([
    ['2606:4700:4700::1111', 'public'],
    ['2000::', 'public'],
    ['3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'public'],
    ['::1', 'private'],
    ['0:0:0:0:0:0:0:1', 'private'],
    ['fc00::1', 'private'],
    ['fdff:ffff::1', 'private'],
    ['::', 'forbidden'],
    ['::2', 'forbidden'],
    ['::ffff:127.0.0.1', 'forbidden'],
    ['::ffff:7f00:1', 'forbidden'],
    ['::ffff:10.0.0.1', 'forbidden'],
    ['::ffff:8.8.8.8', 'forbidden'],
    ['::127.0.0.1', 'forbidden'],
    ['64:ff9b::7f00:1', 'forbidden'],
    ['64:ff9b:1::1', 'forbidden'],
    ['100::1', 'forbidden'],
    ['2001::1', 'forbidden'],
    ['2001:1ff:ffff::', 'forbidden'],
    ['2001:200::', 'public'],
    ['2001:db8::1', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['3fff::1', 'forbidden'],
    ['4000::', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fec0::1', 'forbidden'],
    ['ff02::1', 'forbidden'],
  ])('calls %s %s', (address, scope) => {
    expect(addressScope(address)).toBe(scope)
  })

  it.each(['fe80::1%eth0', '2606:4700::1%eth0', '127.1', '0x7f000001', 'localhost', '', '10.0.0.1 '])(
    'forbids what is not a plain address: %j',
    (text) => {
      expect(addressScope(text)).toBe('forbidden')
    },
  )

  it('calls an IPv6 address public only inside 2000::/3', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const inside = /^[23][0-9a-f]{3}:/i.test(address)
        return inside || addressScope(address) !== 'public'
      }),
    )
  })
})

function toNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
