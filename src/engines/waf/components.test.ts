/** What statements look at, and what they do with components that are too large, broken or absent. */
import { describe, expect, test } from 'vitest'
import { componentOf } from './components.ts'
import { jsonStrings } from './json-strings.ts'
import type { InspectedRequest } from './request.ts'

const request = (varied: Partial<InspectedRequest> = {}): InspectedRequest => ({
  method: 'POST',
  path: '/a/b',
  query: 'id=1&ID=2&empty&x=%27',
  httpVersion: '1.1',
  headers: [
    ['Host', 'shop.example'],
    ['User-Agent', 'curl'],
    ['Cookie', 'sid=abc; theme=dark'],
  ],
  body: '{"a":"b"}',
  isBodyTruncated: false,
  clientIp: '192.0.2.1',
  ...varied,
})

test('Arguments are found by name in any case, and are not decoded', () => {
  expect(componentOf(request(), { SingleQueryArgument: { Name: 'id' } })).toEqual(['1', '2'])
  expect(componentOf(request(), { AllQueryArguments: {} })).toEqual(['1', '2', '', '%27'])
  expect(componentOf(request(), { SingleQueryArgument: { Name: 'none' } })).toEqual([])
})

test('Headers and cookies by pattern and scope', () => {
  const all = { MatchPattern: { All: {} }, OversizeHandling: 'CONTINUE' } as const
  expect(componentOf(request(), { Headers: { ...all, MatchScope: 'KEY' } })).toEqual(['Host', 'User-Agent', 'Cookie'])
  const excluded = { MatchPattern: { ExcludedHeaders: ['COOKIE', 'host'] }, OversizeHandling: 'CONTINUE' as const }
  expect(componentOf(request(), { Headers: { ...excluded, MatchScope: 'ALL' } })).toEqual(['User-Agent', 'curl'])
  const one = { MatchPattern: { IncludedCookies: ['sid'] }, OversizeHandling: 'CONTINUE' as const }
  expect(componentOf(request(), { Cookies: { ...one, MatchScope: 'VALUE' } })).toEqual(['abc'])
  expect(componentOf(request(), { HeaderOrder: { OversizeHandling: 'CONTINUE' } })).toEqual(['Host:User-Agent:Cookie'])
})

test('Headers beyond 200 or 8 KB are handled as the statement says', () => {
  const many = request({ headers: Array.from({ length: 201 }, (_, n) => [`h${n}`, 'v'] as const) })
  const long = request({ headers: [['a', 'x'.repeat(9_000)]] })
  for (const each of [many, long])
    for (const handling of ['MATCH', 'NO_MATCH'] as const)
      expect(
        componentOf(each, { Headers: { MatchPattern: { All: {} }, MatchScope: 'VALUE', OversizeHandling: handling } }),
      ).toBe(handling)
  const held = componentOf(many, {
    Headers: { MatchPattern: { All: {} }, MatchScope: 'VALUE', OversizeHandling: 'CONTINUE' },
  })
  expect(held).toHaveLength(200)
})

test('A truncated body is looked at, matched or left out', () => {
  const truncated = request({ isBodyTruncated: true })
  expect(componentOf(truncated, { Body: {} })).toEqual(['{"a":"b"}'])
  expect(componentOf(truncated, { Body: { OversizeHandling: 'MATCH' } })).toBe('MATCH')
  expect(componentOf(truncated, { Body: { OversizeHandling: 'NO_MATCH' } })).toBe('NO_MATCH')
})

describe('JSON', () => {
  const field = { MatchPattern: { All: {} }, MatchScope: 'ALL' } as const

  test('keys and values, escapes decoded; of equal keys every one', () => {
    const body = '{"a":"x\\u0027y","a":{"b":[1,true,null,"c"]}}'
    expect(componentOf(request({ body }), { JsonBody: field })).toEqual([
      'a',
      "x'y",
      'a',
      'b',
      '1',
      'true',
      'null',
      'c',
    ])
    expect(componentOf(request({ body }), { JsonBody: { ...field, MatchScope: 'KEY' } })).toEqual(['a', 'a', 'b'])
  })

  test('only what is below the chosen paths', () => {
    const body = '{"a":{"b":"c"},"ab":"d","e~/":"f"}'
    const chosen = { MatchPattern: { IncludedPaths: ['/a', '/e~0~1'] }, MatchScope: 'VALUE' as const }
    expect(componentOf(request({ body }), { JsonBody: chosen })).toEqual(['c', 'f'])
  })

  test('what is no JSON falls back, or is looked at up to the error', () => {
    const body = '{"a":"b",x'
    expect(componentOf(request({ body }), { JsonBody: field })).toEqual(['a', 'b'])
    expect(
      componentOf(request({ body }), { JsonBody: { ...field, InvalidFallbackBehavior: 'EVALUATE_AS_STRING' } }),
    ).toEqual([body])
    expect(componentOf(request({ body }), { JsonBody: { ...field, InvalidFallbackBehavior: 'MATCH' } })).toBe('MATCH')
  })

  test('an unfinished string is looked at, depth is bounded', () => {
    expect(jsonStrings('{"a":"<script')).toEqual({
      items: [
        { path: '/a', key: 'a' },
        { path: '/a', value: '<script' },
      ],
      isValid: false,
    })
    expect(jsonStrings('['.repeat(100_000)).isValid).toBe(false)
    expect(jsonStrings('[{}, [], {"a": [ ]}]').isValid).toBe(true)
  })
})
