/** Required literals: what they are, and that no match is without them. */
import { RE2JS } from 're2js'
import { expect, test } from 'vitest'
import { LiteralScanner } from './literal-scanner.ts'
import { managedGroups } from './managed/index.ts'
import { PatternBatch } from './pattern-batch.ts'
import { requiredLiterals } from './required-literals.ts'
import { Steps } from './steps.ts'

test.each([
  ['(?i)union\\s+select', ['select']],
  ['select', ['select']],
  ['SelectAll', ['select']],
  ['a(?:bc|de)f', ['abcf', 'adef']],
  ['x?yz', ['yz']],
  ['(?:ab){2,}', ['ab']],
  ['\\$\\{[^}]*jndi', ['jndi']],
  ['[\\\\/]etc', ['\\etc', '/etc']],
  ['\\x2e\\x2e/', ['../']],
  ['a|', undefined],
  ['[a-z]+', undefined],
  ['(?:abc)*', undefined],
  ['.', undefined],
  ['\\pL+abc', undefined],
  ['(?i)\\xe0\\xe1', undefined],
  ['\\xe0\\xe1', ['\xe0\xe1']],
  ['(?P<name>ab)c', ['abc']],
  ['[]a]b', [']b', 'ab']],
  ['[^a]bc', ['bc']],
  ['\\bab\\b', ['ab']],
] as const)('%s requires %j', (pattern, literals) => {
  expect(requiredLiterals(pattern)).toEqual(literals)
})

test('The scanner finds literals within literals, at every place and in either case', () => {
  const scanner = new LiteralScanner([
    ['he', 0],
    ['she', 1],
    ['hers', 2],
    ['is', 3],
  ])
  const foundIn = (text: string) => {
    const found = new Set<number>()
    scanner.scan(text, (owner) => found.add(owner))
    return [...found].sort()
  }
  expect(foundIn('uSHErs')).toEqual([0, 1, 2])
  expect(foundIn('shis')).toEqual([3])
  expect(foundIn('h\xe9')).toEqual([])
})

const patterns = (() => {
  const found = new Set<string>()
  const visit = (statement: object | undefined) => {
    if (typeof statement !== 'object' || statement === null || statement instanceof Uint8Array) return
    for (const [name, value] of Object.entries(statement))
      if (name === 'RegexString') found.add(value)
      else visit(value)
  }
  for (const { rules } of managedGroups) for (const { Statement } of rules) visit(Statement)
  return [...found]
})()

/** Pieces of attacks, in an order that the seed decides. */
function* texts(count: number): Generator<string> {
  const pieces =
    '../ etc/passwd ${ } jndi: ldap:// select from union ( ) <script onload= cat /bin/ sh | ; document .cookie java. lang. {{ }} <?php system( $_ [ ] a % if not exist \' " = constructor & eval window data: http:// \\ cn= *) (| lower: $ { i d n j : / base64 echo @ 0x2e 9 A Z \xe0 \xaf \0'.split(
      ' ',
    )
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return Math.floor((seed / 0x80000000) * below)
  }
  for (let at = 0; at < count; at++)
    yield Array.from(
      { length: 1 + random(12) },
      () => pieces[random(pieces.length)] + (random(3) === 0 ? ' ' : ''),
    ).join('')
}

test('A batch of all managed patterns finds what each of them finds alone', () => {
  const batch = new PatternBatch()
  const ids = patterns.map((pattern) => batch.add(pattern))
  const alone = patterns.map((pattern) => RE2JS.compile(pattern))
  expect(patterns.length).toBeGreaterThan(80)
  for (const text of texts(400)) {
    const matches = batch.matches([text], new Steps())
    const found = ids.filter((id) => matches.has(id)).map((id) => patterns[id])
    expect([text, found]).toEqual([text, patterns.filter((_, at) => alone[at]!.test(text))])
  }
})
