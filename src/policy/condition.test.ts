/** The 27 operators, and the table of absence. */
import { describe, expect, test } from 'vitest'
import { compileConditions } from './condition.ts'
import { Context, type ContextValue } from './context.ts'
import { parseOperator } from './operators.ts'

const K = 'aws:key'
type Value = ContextValue | undefined

function holds(operator: string, wanted: string | readonly string[], value: Value, effect: 'Allow' | 'Deny' = 'Allow') {
  const values = typeof wanted === 'string' ? [wanted] : wanted
  const context = new Context({ 'AWS:Key': value, 'aws:username': 'bob', many: ['a', 'b'] })
  return compileConditions([{ operator, key: K, values }], effect, '2012-10-17')!(context)
}

describe('an operator', () => {
  test.each<[string, string | readonly string[], string, boolean]>([
    ['StringEquals', 'a', 'a', true],
    ['StringEquals', 'a', 'A', false],
    ['StringEquals', ['b', 'a'], 'a', true],
    ['StringEquals', '*', 'a', false],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEquals', ['a', 'b'], 'c', true],
    ['StringEqualsIgnoreCase', 'a', 'A', true],
    ['StringNotEqualsIgnoreCase', 'a', 'A', false],
    ['StringLike', 'a*', 'abc', true],
    ['StringLike', 'a?', 'abc', false],
    ['StringNotLike', 'a*', 'abc', false],
    ['StringEquals', '${aws:username}', 'bob', true],
    ['StringLike', 'x-${aws:username}*', 'x-bobby', true],
    ['StringEqualsIgnoreCase', '${AWS:UserName}', 'BOB', true],
    ['StringEquals', '${many}', 'a', false],
    ['StringNotEquals', '${absent}', 'a', false],
    ['StringEquals', "${absent, 'x'}", 'x', true],
    ['NumericEquals', '10', '10.0', true],
    ['NumericNotEquals', '10', '11', true],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', '10', false],
    ['NumericGreaterThan', '-1', '0', true],
    ['NumericGreaterThanEquals', '10', '10', true],
    ['NumericEquals', '0', '', false],
    ['NumericEquals', '16', '0x10', false],
    ['DateEquals', '2024-01-01T00:00:00Z', '1704067200', true],
    ['DateEquals', '2024-01-01', '2024-01-01T00:00:00.000Z', true],
    ['DateNotEquals', '2024-01-01', '2024-01-02', true],
    ['DateLessThan', '2024-01-01T02:00:00+01:00', '2024-01-01T00:59:59Z', true],
    ['DateLessThan', '2024-01-01T02:00:00+01:00', '2024-01-01T01:00:00Z', false],
    ['DateLessThanEquals', '2024', '2024-01-01T00:00:00Z', true],
    ['DateGreaterThan', '2024-01', '2024-01-01T00:00:01Z', true],
    ['DateGreaterThanEquals', '2024-01-01', '2023-12-31', false],
    ['Bool', 'true', 'TRUE', true],
    ['Bool', 'false', 'true', false],
    ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
    ['BinaryEquals', 'QmluYXJ5', 'qmluyxj5', false],
    ['BinaryEquals', 'QQ==', 'QQ', true],
    ['IpAddress', '10.0.0.0/8', '10.255.0.1', true],
    ['IpAddress', '10.0.0.0/8', '11.0.0.1', false],
    ['IpAddress', '203.0.113.7', '203.0.113.7', true],
    ['IpAddress', '203.0.113.7', '203.0.113.8', false],
    ['IpAddress', '0.0.0.0/0', '1.2.3.4', true],
    ['IpAddress', '0.0.0.0/0', '::1', false],
    ['IpAddress', '10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['IpAddress', '2001:db8::/32', '2001:DB8:0:1::5', true],
    ['IpAddress', '2001:db8::/33', '2001:db8:8000::', false],
    ['IpAddress', '::1', '0:0:0:0:0:0:0:1', true],
    ['IpAddress', '10.0.0.0/33', '10.0.0.0', false],
    ['IpAddress', '10.0.0.256', '10.0.0.0', false],
    ['NotIpAddress', ['10.0.0.0/8', '192.168.0.0/16'], '192.168.1.1', false],
    ['NotIpAddress', ['10.0.0.0/8', '192.168.0.0/16'], '8.8.8.8', true],
    ['ArnEquals', 'arn:aws:sns:*:1:t*', 'arn:aws:sns:eu:1:topic', true],
    ['ArnLike', 'arn:aws:sns:*:1:t', 'arn:aws:sns:eu:2:1:t', false],
    ['ArnNotEquals', 'arn:aws:sns:*:1:t*', 'arn:aws:sns:eu:1:topic', false],
    ['ArnNotLike', 'arn:aws:sns:eu:1:t', 'arn:aws:sns:eu:1:u', true],
    ['ArnLike', '*', 'arn:aws:sns:eu:1:t', false],
    ['stringequals', 'a', 'a', true],
  ])('%s %j, the request has %j: %s', (operator, wanted, value, expected) => {
    expect(holds(operator, wanted, value)).toBe(expected)
  })

  test('is one of 27', () => {
    const families = ['String', 'Numeric', 'Date', 'Arn'].flatMap((family) =>
      [
        'Equals',
        'NotEquals',
        'EqualsIgnoreCase',
        'NotEqualsIgnoreCase',
        'Like',
        'NotLike',
        'LessThan',
        'LessThanEquals',
        'GreaterThan',
        'GreaterThanEquals',
      ].map((suffix) => family + suffix),
    )
    const others = ['Bool', 'BinaryEquals', 'IpAddress', 'NotIpAddress', 'Null']

    expect([...families, ...others].filter((name) => parseOperator(name))).toHaveLength(27)
  })

  test.each(['', 'String', 'StringEqualsIfExistsIfExists', 'ForSome:StringEquals', 'constructor'])(
    '%j is none',
    (name) => {
      expect(parseOperator(name)).toBeUndefined()
    },
  )
})

describe('whether a condition holds when the key is absent or has several values', () => {
  const absent = undefined
  test.each<[string, Value, boolean]>([
    ['StringEquals', absent, false],
    ['StringEquals', [], false],
    ['StringEquals', ['a'], true],
    ['StringEquals', ['a', 'b'], false],
    ['StringNotEquals', absent, true],
    ['StringNotEquals', [], true],
    ['StringNotEquals', ['b', 'c'], false],
    ['StringEqualsIfExists', absent, true],
    ['StringEqualsIfExists', 'b', false],
    ['StringNotEqualsIfExists', absent, true],
    ['StringNotEqualsIfExists', 'a', false],
    ['ForAllValues:StringEquals', absent, true],
    ['ForAllValues:StringEquals', [], true],
    ['ForAllValues:StringEquals', ['a', 'a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], false],
    ['ForAllValues:StringNotEquals', ['b', 'c'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], false],
    ['ForAnyValue:StringEquals', absent, false],
    ['ForAnyValue:StringEquals', [], false],
    ['ForAnyValue:StringEquals', ['b', 'a'], true],
    ['ForAnyValue:StringEquals', 'a', true],
    ['ForAnyValue:StringNotEquals', absent, false],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], true],
    ['ForAnyValue:StringNotEquals', ['a'], false],
    ['ForAnyValue:StringEqualsIfExists', absent, true],
  ])('%s "a", the request has %j: %s', (operator, value, expected) => {
    expect(holds(operator, 'a', value)).toBe(expected)
  })

  test.each<[string, Value, boolean]>([
    ['true', absent, true],
    ['true', [], true],
    ['true', '', false],
    ['false', 'x', true],
    ['false', absent, false],
    ['neither', absent, false],
  ])('Null %j, the request has %j: %s', (wanted, value, expected) => {
    expect(holds('Null', wanted, value)).toBe(expected)
  })
})

describe('what cannot be understood', () => {
  test.each(['NotIpAddress', 'IpAddressIfExists', 'IpAddress', 'NumericNotEquals', 'ForAllValues:NotIpAddress'])(
    '%s on a value that is none of its kind never allows',
    (operator) => {
      expect(holds(operator, '10.0.0.0/8', 'nonsense', 'Allow')).toBe(false)
    },
  )

  test('a Deny takes it for absent', () => {
    expect(holds('NotIpAddress', '10.0.0.0/8', 'nonsense', 'Deny')).toBe(true)
    expect(holds('IpAddress', '10.0.0.0/8', 'nonsense', 'Deny')).toBe(false)
  })

  test('several values without a quantifier deny and do not allow', () => {
    expect(holds('StringEquals', 'a', ['a', 'b'], 'Allow')).toBe(false)
    expect(holds('StringEquals', 'c', ['a', 'b'], 'Deny')).toBe(true)
  })

  test('an unknown operator denies and does not allow', () => {
    expect(holds('StringResembles', 'a', 'a', 'Allow')).toBe(false)
    expect(holds('StringResembles', 'a', 'a', 'Deny')).toBe(true)
  })
})

test('a key may be named in any case, and is computed only when needed', () => {
  let asked = 0
  const context = new Context({ 'x:lazy': () => `${++asked}`, 'x:none': () => undefined })

  expect(asked).toBe(0)
  expect(context.get('X:LAZY')).toBe('1')
  expect(context.get('x:lazy')).toBe('1')
  expect(context.has('x:none')).toBe(false)
  expect([...context.entries()]).toEqual([['x:lazy', ['1']]])
})
