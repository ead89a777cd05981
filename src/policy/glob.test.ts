/** Wildcards match what they say, in time that no pattern can stretch. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileArnLike, compileResource } from './arn-pattern.ts'
import { Context } from './context.ts'
import { compileGlob, globCodes, globMatches } from './glob.ts'

const none = new Context()

test.each([
  ['*', '', true],
  ['*', 'anything', true],
  ['a*', 'abc', true],
  ['a*', 'ba', false],
  ['*c', 'abc', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['', '', true],
  ['', 'a', false],
  ['**', '', true],
  ['?', '', false],
])('%s against %j: %s', (pattern, text, expected) => {
  expect(compileGlob(globCodes(pattern))(text)).toBe(expected)
})

test('a glob matches as the regular expression of the same meaning', () => {
  const letters = fc.constantFrom('a', 'b', ':', '*', '?')
  fc.assert(
    fc.property(
      fc.string({ unit: letters, maxLength: 8 }),
      fc.string({ unit: letters, maxLength: 8 }),
      (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)

        expect(globMatches(globCodes(pattern), text)).toBe(expected.test(text))
      },
    ),
    { numRuns: 5000 },
  )
})

test('an ARN pattern matches as the regular expression of the same meaning', () => {
  const letters = fc.constantFrom('a', 'b', ':', ':', '*', '?')
  const arn = fc.string({ unit: letters, maxLength: 12 })
  fc.assert(
    fc.property(arn, fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 12 }), (pattern, text) => {
      if (pattern === '*') return
      const parts = pattern.split(':')
      const source = parts.map((part, index) => {
        if (index >= 5) return part.replaceAll('*', '.*').replaceAll('?', '.')
        const starAt = (at: number) => (at === part.length - 1 ? '.*' : '[^:]*')
        return [...part].map((letter, at) => ({ '*': starAt(at), '?': '[^:]' })[letter] ?? letter).join('')
      })
      if (parts.length < 6 && !pattern.endsWith('*')) source.push('.*')
      const expected = new RegExp(`^${source.join(':')}$`)

      expect(compileResource(pattern, '2012-10-17')(text, none)).toBe(expected.test(text))
    }),
    { numRuns: 5000 },
  )
})

test('a hostile pattern costs no more than its length times the text', () => {
  // Going back over every earlier star would take longer than the universe has.
  const pattern = globCodes('*a'.repeat(2000) + 'b')

  expect(globMatches(pattern, 'a'.repeat(3000))).toBe(false)
})

describe('a resource', () => {
  const matches = (
    pattern: string,
    text: string,
    context = none,
    version: '2008-10-17' | '2012-10-17' = '2012-10-17',
  ) => compileResource(pattern, version)(text, context)

  test.each([
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/x:y/z', true],
    ['arn:aws:s3:::B', 'arn:aws:s3:::b', false],
    ['arn:aws:sqs:*:1:q', 'arn:aws:sqs:eu:1:q', true],
    ['arn:aws:sqs:e*u:1:q', 'arn:aws:sqs:e:x:u:1:q', false],
    ['arn:aws:sqs:e*:1:q', 'arn:aws:sqs:e:x:1:q', true],
    ['arn:aws:sqs:e?:1:q', 'arn:aws:sqs:e::1:q', false],
    ['arn:aws:sqs', 'arn:aws:sqs:eu:1:q', true],
    ['arn:aws:sqs', 'arn:aws:sqs2:eu:1:q', false],
    ['arn:aws:s*', 'arn:aws:sqs:eu:1:q', true],
  ])('%s against %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  test('text in place of a variable is never a wildcard', () => {
    const context = new Context({ 'aws:username': '*' })

    expect(matches('arn:aws:s3:::b/${aws:username}', 'arn:aws:s3:::b/x', context)).toBe(false)
    expect(matches('arn:aws:s3:::b/${aws:username}', 'arn:aws:s3:::b/*', context)).toBe(true)
    expect(matches('arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/x')).toBe(false)
    expect(matches('arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/*')).toBe(true)
    expect(matches('arn:aws:s3:::b/${$}{x}', 'arn:aws:s3:::b/${x}')).toBe(true)
  })

  test('a variable takes its default only when its key is absent', () => {
    const pattern = "arn:aws:s3:::b/${aws:username, 'all'}/*"

    expect(matches(pattern, 'arn:aws:s3:::b/all/x')).toBe(true)
    expect(matches(pattern, 'arn:aws:s3:::b/all/x', new Context({ 'aws:username': 'u' }))).toBe(false)
    expect(matches(pattern, 'arn:aws:s3:::b/all/x', new Context({ 'aws:username': ['u', 'v'] }))).toBeUndefined()
  })

  test('in a document of 2008 a variable is text', () => {
    const context = new Context({ 'aws:username': 'u' })

    expect(matches('arn:aws:s3:::${aws:username}', 'arn:aws:s3:::u', context, '2008-10-17')).toBe(false)
    expect(matches('arn:aws:s3:::${aws:username}', 'arn:aws:s3:::${aws:username}', context, '2008-10-17')).toBe(true)
  })

  test('a variable before the fifth colon is text', () => {
    expect(matches('arn:aws:s3::${aws:username}:b', 'arn:aws:s3::u:b', new Context({ 'aws:username': 'u' }))).toBe(
      false,
    )
    expect(matches('arn:aws:s3:${aws:username}::b', 'arn:aws:s3:u::b', new Context({ 'aws:username': 'u' }))).toBe(
      false,
    )
  })
})

test('ArnLike never runs over a colon before the sixth part', () => {
  const like = compileArnLike('arn:aws:sns:*:1:topic*', '2012-10-17')

  expect(like('arn:aws:sns:eu:1:topic:sub', none)).toBe(true)
  expect(like('arn:aws:sns:eu:2:1:topic', none)).toBe(false)
})
