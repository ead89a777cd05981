/** Filter patterns: what they match, and what is refused. */
import { expect, test } from 'vitest'
import { compileFilter } from './filter-pattern.ts'

const event = JSON.stringify({
  level: 'error',
  code: 503,
  ratio: 0.5,
  user: { name: 'ann', roles: ['admin', 'dev'] },
  gone: null,
  ok: false,
  'a b': 'x',
})

test.each<[pattern: string, message: string, isMatched: boolean]>([
  ['', 'anything', true],
  ['ERROR', '[ERROR 400] bad', true],
  ['error', '[ERROR 400] bad', false],
  ['ERROR 400', '400: ERROR', true],
  ['ERROR 401', '400: ERROR', false],
  ['"ERROR 400"', '400: ERROR', false],
  ['"a \\"b\\""', 'a "b"', true],
  ['?ERROR ?WARN', 'a WARN', true],
  ['?ERROR ?WARN', 'a DEBUG', false],
  ['ERROR -Exiting', 'ERROR Exiting', false],
  ['ERROR -Exiting', 'ERROR in', true],
  ['{ $.level = "error" }', event, true],
  ['{ $.level = error }', event, true],
  ['{$.level="err*"}', event, true],
  ['{ $.level = "*r*o*" }', event, true],
  ['{ $.level = "*x*" }', event, false],
  ['{ $.level != "error" }', event, false],
  ['{ $.absent != "error" }', event, false],
  ['{ $.code = 503 }', event, true],
  ['{ $.code >= 500 && $.code < 600 }', event, true],
  ['{ $.code > 503 }', event, false],
  ['{ $.ratio <= 5e-1 }', event, true],
  ['{ ($.code = 1) || (($.user.name = "ann") && ($.ok IS FALSE)) }', event, true],
  ['{ $.user.roles[0] = "admin" }', event, true],
  ['{ $.user.roles[*] = "dev" }', event, true],
  ['{ $.user.roles[7] = "dev" }', event, false],
  ['{ $.gone IS NULL }', event, true],
  ['{ $.absent NOT EXISTS }', event, true],
  ['{ $.gone NOT EXISTS }', event, false],
  ['{ $["a b"] = "x" }', event, true],
  ['{ $.__proto__ EXISTS }', event, false],
  ['{ $.level = "error" }', 'no JSON', false],
])('%s in %s', (pattern, message, isMatched) => {
  expect(compileFilter(pattern)(message)).toBe(isMatched)
})

test.each([
  ['%ERROR%', 'regular expressions'],
  ['{ $.level = %err% }', 'regular expressions'],
  ['[ip, user]', 'space-delimited'],
  ['?ERROR WARN', '? cannot be combined'],
  ['"open', 'quotation mark'],
  ['a:b', 'need quotation marks'],
  ['{ level = 1 }', 'expected $'],
  ['{ $.a ~ 1 }', 'expected ='],
  ['{ $.a > b }', 'not a number'],
  ['{ $.a = 1 } x', 'nothing may follow'],
  [`{ ${'('.repeat(40)}$.a = 1${')'.repeat(40)} }`, 'too many parentheses'],
  ['a'.repeat(1_025), '1024 characters'],
])('%s is refused', (pattern, reason) => {
  expect(() => compileFilter(pattern)).toThrow(reason)
})
