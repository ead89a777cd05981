/** Filters of descriptions: what matches, and what a request may cost. */
import { describe, expect, test } from 'vitest'
import { matches, parseFilters } from './filters.ts'

const filters = parseFilters('vpc-id description')
const keeps = (Name: string, Values: readonly string[], shown: object) => filters([{ Name, Values }]).keeps(shown)

describe('A filter', () => {
  test.each([
    ['vpc-1', 'vpc-1', true],
    ['vpc-?', 'vpc-1', true],
    ['v*1', 'vpc-1', true],
    ['v*2', 'vpc-1', false],
    ['vpc-\\*', 'vpc-*', true],
    ['vpc-\\*', 'vpc-1', false],
    ['VPC-1', 'vpc-1', false],
  ])('%s and %s: %s', (pattern, text, isMatch) => {
    expect(matches(pattern, text)).toBe(isMatch)
    expect(keeps('vpc-id', ['other', pattern], { VpcId: text })).toBe(isMatch)
  })

  test('takes 255 characters and 200 values, and a request 50 filters', () => {
    const { keeps: one } = filters([{ Name: 'vpc-id', Values: Array(200).fill('x'.repeat(255)) }])
    expect(one({ VpcId: 'x'.repeat(255) })).toBe(true)
    expect(() => filters([{ Name: 'vpc-id', Values: ['x'.repeat(256)] }])).toThrow('too long')
    expect(() => filters([{ Name: 'vpc-id', Values: Array(201).fill('x') }])).toThrow('200')
    expect(() => filters(Array(51).fill({ Name: 'vpc-id', Values: ['x'] }))).toThrow('50')
  })

  test('may have wildcards that look at a bounded number of characters, over all resources', () => {
    const slow = `*${'a'.repeat(120)}b`
    const shown = { Description: 'a'.repeat(255) }
    const { keeps: costly } = filters([
      { Name: 'description', Values: Array.from({ length: 200 }, (_, n) => `${slow}${n}`) },
    ])
    expect(() => {
      for (let n = 0; n < 1_000; n++) costly(shown)
    }).toThrow('wildcards')
    // Values as they are cost nothing of it.
    const { keeps: cheap } = filters([{ Name: 'description', Values: Array.from({ length: 200 }, (_, n) => `a${n}`) }])
    for (let n = 0; n < 10_000; n++) expect(cheap(shown)).toBe(false)
  })
})
