/** Sets of address ranges, against a search through all ranges. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressBytes, addressRange, IpSet } from './ip-set.ts'

test('IPv4, IPv6 and IPv4 in IPv6', () => {
  const set = new IpSet(['192.0.2.0/24', '2001:db8::/32', '::ffff:198.51.100.0/120', 'nonsense'])
  for (const inside of ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:1::1', '198.51.100.7'])
    expect(set.has(inside)).toBe(true)
  for (const outside of ['192.0.3.0', '2001:db9::', '::', 'x', '198.51.101.0', '192.0.2.1%eth0'])
    expect(set.has(outside)).toBe(false)
})

test('What is no range is none', () => {
  for (const text of ['1.2.3.4', '1.2.3.4/33', '1.2.3/8', '::1/129', '1.2.3.4/x', '1.2.3.4/8/8', ''])
    expect(addressRange(text)).toBeUndefined()
})

test('A set has what one of its ranges has', () => {
  const byte = fc.integer({ min: 0, max: 3 })
  const address = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'))
  const range = fc.tuple(address, fc.integer({ min: 1, max: 32 })).map(([base, prefix]) => `${base}/${prefix}`)
  const bits = (text: string) => [...addressBytes(text)!].map((each) => each.toString(2).padStart(8, '0')).join('')
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), address, (ranges, wanted) => {
      const expected = ranges.some((each) => {
        const [base, prefix] = each.split('/') as [string, string]
        return bits(base).slice(0, Number(prefix)) === bits(wanted).slice(0, Number(prefix))
      })
      expect(new IpSet(ranges).has(wanted)).toBe(expected)
    }),
  )
})
