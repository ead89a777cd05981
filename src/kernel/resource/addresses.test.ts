/** Which addresses are not the public internet: every member of each range, in every way that IPv6 writes IPv4. */
import { BlockList, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMetadata, isPrivateAddress } from './addresses.ts'

const v4 = (bits: number): string => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.')
const bitsOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

/** Any address of an IPv4 range. */
const within4 = ([net, prefix]: readonly [string, number]) =>
  fc.nat({ max: 2 ** (32 - prefix) - 1 }).map((offset) => v4(bitsOf(net) + offset))

const RANGES4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

const hex = (address: string) => {
  const bits = bitsOf(address)
  return `${Math.floor(bits / 65_536).toString(16)}:${(bits % 65_536).toString(16)}`
}
/** How IPv6 may write an IPv4 address. */
const FORMS: Readonly<Record<string, (address: string) => string>> = {
  compatible: (address) => `::${address}`,
  mapped: (address) => `::ffff:${address}`,
  'mapped in hex': (address) => `::ffff:${hex(address)}`,
  translated: (address) => `::ffff:0:${address}`,
  NAT64: (address) => `64:ff9b::${address}`,
  'local NAT64': (address) => `64:ff9b:1::${address}`,
  '6to4': (address) => `2002:${hex(address)}::1`,
}

describe('is inside', () => {
  test.each(RANGES4)('every address of %s/%i, in every form', (net, prefix) => {
    fc.assert(
      fc.property(within4([net, prefix]), (address) => {
        expect(isPrivateAddress(address)).toBe(true)
        for (const form of Object.values(FORMS)) expect(isPrivateAddress(form(address))).toBe(true)
      }),
    )
  })
  test.each([
    '::',
    '::1',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1:ffff::1',
    '::8.8.8.8',
    '2002:808:808::1',
    '4000::1',
    '8000::1',
    'c000::1',
  ])('%s', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })
  test('every IPv6 address that is not global unicast', () => {
    const global = new BlockList()
    global.addSubnet('2000::', 3, 'ipv6')
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        fc.pre(isIPv6(address) && !global.check(address, 'ipv6'))
        expect(isPrivateAddress(address)).toBe(true)
      }),
    )
  })
})

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '52.94.236.248',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450::1',
  '2001:4860:4860::8888',
])('%s is the public internet', (address) => {
  expect(isPrivateAddress(address)).toBe(false)
  expect(isMetadata(address)).toBe(false)
})

test('credentials of machines are not reached in any form', () => {
  for (const address of ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192']) {
    expect(isMetadata(address)).toBe(true)
    for (const [name, form] of Object.entries(FORMS)) expect(isMetadata(form(address)), name).toBe(true)
  }
  // RFC 6052, section 2.2: a prefix of 48 bits.
  expect(isMetadata('64:ff9b:1:a9fe:a9:fe00::')).toBe(true)
  expect(isMetadata('fe80::1%eth0')).toBe(true)
  expect(isMetadata('fd00:ec2::254')).toBe(true)
})
