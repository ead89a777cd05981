/** Typed values and variables of policies, in texts made to cost. */
import { expect, test } from 'vitest'
import { parseNumber } from './values.ts'
import { pieces } from './variables.ts'

const LONG = 1_000_000

test.each([
  ['1', 1],
  [' 1.', 1],
  ['-.5', -0.5],
  ['2E3', 2_000],
  ['.', undefined],
  ['0x10', undefined],
])('%j is the number %s', (text, number) => {
  expect(parseNumber(text)).toBe(number)
})

test.each([
  ['${aws:username}', [{ name: 'aws:username', key: 'aws:username', fallback: undefined }]],
  [
    "${ aws:PrincipalTag/Team , 'none' }",
    [{ name: 'aws:PrincipalTag/Team', key: 'aws:principaltag/team', fallback: 'none' }],
  ],
  ["${aws:username,''}", [{ name: 'aws:username', key: 'aws:username', fallback: '' }]],
  ["${a, 'b', 'c'}", [{ literal: "${a, 'b', 'c'}" }]],
  ['${a,b}', [{ literal: '${a,b}' }]],
  ["${,'b'}", [{ literal: "${,'b'}" }]],
  ['${ }', [{ literal: '${ }' }]],
  ['x${*}y', ['x', { literal: '*' }, 'y']],
])('%j has these pieces', (text, expected) => {
  expect(pieces(text, '2012-10-17')).toEqual(expected)
})

test('long texts cost their length', () => {
  expect(parseNumber(`${'0'.repeat(LONG)}x`)).toBeUndefined()
  const whole = `\${a${' '.repeat(LONG)}b,}`
  expect(pieces(whole, '2012-10-17')).toEqual([{ literal: whole }])
})
