/** Where addresses are, by a file of the operator. */
import { expect, test } from 'vitest'
import { joinedGeography, readGeography, readGeographyDatabase } from './geography.ts'
import { mmdbOf } from './mmdb.fixture.ts'

const TEXT = `# a comment
203.0.113.0/25,FR
192.0.2.0/24,DE,64496,Example Networks, Inc.

2001:db8::/32,JP,64497
`

test('Networks of both families are found by their first and last address, and nothing around them', () => {
  const locate = readGeography(TEXT)

  const german = { country: 'DE', asn: 64_496, organization: 'Example Networks, Inc.' }
  expect(locate('192.0.2.0')).toEqual(german)
  expect(locate('192.0.2.255')).toEqual(german)
  expect(locate('203.0.113.127')).toEqual({ country: 'FR' })
  expect(locate('2001:db8:ffff::1')).toEqual({ country: 'JP', asn: 64_497 })
  for (const address of ['192.0.1.255', '192.0.3.0', '203.0.113.128', '2001:db9::', 'secretsmanager.amazonaws.com'])
    expect(locate(address)).toBeUndefined()
})

test.each([
  ['192.0.2.0/33,DE', 'line 1'],
  ['192.0.2.0/24,Germany', 'line 1'],
  ['192.0.2.0/24,DE\n192.0.3.0/24,DE,x', 'line 2'],
])('%s is refused with its line', (text, line) => {
  expect(() => readGeography(text)).toThrow(line)
})

test('Databases say the country, the region and the autonomous system; several together say all of it', () => {
  const countries = readGeographyDatabase(mmdbOf(198, { country: { iso_code: 'DE' } }))
  const networks = readGeographyDatabase(
    mmdbOf(198, { autonomous_system_number: 64_496, autonomous_system_organization: 'Example' }),
  )
  expect(countries('198.51.100.7')).toEqual({ country: 'DE' })
  const locate = joinedGeography([countries, networks])
  expect(locate('198.51.100.7')).toEqual({ country: 'DE', asn: 64_496, organization: 'Example' })
  for (const address of ['199.51.100.7', 'localhost', '2001:db8::1']) expect(locate(address)).toBeUndefined()
  expect(() => readGeographyDatabase(Buffer.from('192.0.2.0/24,DE'))).toThrow()
})
