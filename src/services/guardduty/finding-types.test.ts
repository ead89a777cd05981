/** The documented finding types, against those that the engine makes. */
import { expect, test } from 'vitest'
import { FINDING_TYPES as detected } from '../../engines/detect/catalog.ts'
import { FINDING_TYPES } from './finding-types.ts'

test('Every type that is detected is a documented one, of the same severity', () => {
  const known = new Map(FINDING_TYPES.map(({ type, severity }) => [type, severity]))
  const wrong = Object.entries(detected).filter(([type, { severity }]) => known.get(type) !== severity)

  expect(wrong.map(([type]) => type)).toEqual([])
})

test('No type is there twice', () => {
  expect(new Set(FINDING_TYPES.map(({ type }) => type)).size).toBe(FINDING_TYPES.length)
})
