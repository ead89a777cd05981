import { expect, test } from 'vitest'
import { kilometersBetween } from './country-distance.ts'

test('Countries are as far apart as their nearest places; within one there is no way', () => {
  expect(kilometersBetween('DE', 'DE')).toBe(0)
  expect(kilometersBetween('DE', 'FR')).toBeLessThan(1000)
  expect(kilometersBetween('DE', 'AU')).toBeGreaterThan(10_000)
  expect(kilometersBetween('AU', 'DE')).toBe(kilometersBetween('DE', 'AU'))
  // Over the Pacific, not around the world.
  expect(kilometersBetween('RU', 'US')).toBeLessThan(2000)
  expect(kilometersBetween('DE', 'XX')).toBeUndefined()
})
