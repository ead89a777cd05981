/**
 * Malformed and unusual documents: refused or evaluated, never anything else, and never an Allow that has no reason.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Context,
  compilePolicy,
  decide,
  type Policy,
  PolicyError,
  type PolicyKind,
  type Principal,
  parsePolicy,
} from './index.ts'
import { naive } from './naive.ts'

const RUNS = Number(process.env['MERLON_FUZZ'] ?? 3_000)
const KINDS: readonly PolicyKind[] = ['identity', 'resource', 'trust', 'scp', 'rcp', 'session', 'boundary']
const GOOD = JSON.stringify({
  Version: '2012-10-17',
  Id: 'x',
  Statement: [
    {
      Sid: 'One',
      Effect: 'Allow',
      Action: ['s3:Get*', 's3:PutObject'],
      Resource: ['arn:aws:s3:::b/${aws:username}/*', 'arn:aws:s3:::b'],
      Condition: { StringLike: { 'aws:PrincipalTag/team': ['a*', 'b?'] }, Bool: { 'aws:SecureTransport': true } },
    },
    { Effect: 'Deny', NotAction: 'iam:*', NotResource: 'arn:aws:s3:::b/*' },
  ],
})
const principal: Principal = {
  kind: 'user',
  account: '111122223333',
  arn: 'arn:aws:iam::111122223333:user/ann',
  userId: 'AIDAEXAMPLEEXAMPLE001',
  name: 'ann',
  tags: {},
}
const request = {
  principal,
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::b/ann/x',
  resourceAccount: '111122223333',
  context: new Context({ 'aws:username': 'ann', 'aws:PrincipalTag/team': 'a', 'aws:SecureTransport': 'true' }),
}

/** undefined when it is refused. */
function parsed(text: string, kind: PolicyKind): Policy | undefined {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyError)
    return undefined
  }
}

/** Throws when the engine and its page-long reference disagree. */
function judged(text: string, kind: PolicyKind): void {
  const policy = parsed(text, kind)
  if (!policy) return
  const compiled = compilePolicy(policy, { id: kind, kind })
  const layers = { identity: [compiled], resourceMode: 'optional' } as const
  expect(decide(request, layers).allowed).toBe(naive(request, layers) === 'allowed')
}

describe('A malformed or unusual document', () => {
  test('made of a good one by cutting, doubling and scribbling is refused or evaluated', () => {
    const noise = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '\\',
        '\\u',
        '\\ud800',
        '\u0000',
        '\ufeff',
        '\ud800',
        '*',
        '?',
        '${',
        '}',
        '\u202e',
        '"Effect":"Allow",',
        'null',
      ),
    )
    const place = fc.nat({ max: GOOD.length })
    fc.assert(
      fc.property(place, place, noise, fc.constantFrom(...KINDS), (a, b, text, kind) => {
        judged(GOOD.slice(0, a) + text + GOOD.slice(b), kind)
        judged(GOOD.slice(0, Math.min(a, b)) + text + GOOD.slice(Math.max(a, b)), kind)
      }),
      { numRuns: RUNS },
    )
  })

  test('of the right form with strange texts is evaluated as its reference evaluates it', () => {
    const strange = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.stringMatching(/^[s3:*?GetOa]{0,20}$/),
      fc.constantFrom(
        '*',
        's3:*',
        'S3:GET*',
        '${*}',
        '${aws:username',
        '${}',
        "${aws:username, '*'}",
        'arn:aws:s3:::b/${aws:username}/*',
        'K:*',
        'ſ3:GetObject',
      ),
    )
    const several = fc.oneof(strange, fc.array(strange, { maxLength: 4 }))
    const statement = fc.record(
      {
        Effect: fc.constantFrom('Allow', 'Deny'),
        Action: several,
        NotAction: several,
        Resource: several,
        NotResource: several,
        Condition: fc.dictionary(
          fc.constantFrom(
            'StringLike',
            'StringEquals',
            'ForAllValues:StringLike',
            'Bool',
            'stringlikeifexists',
            'Nothing',
          ),
          fc.dictionary(strange, several, { maxKeys: 2 }),
          { maxKeys: 2 },
        ),
      },
      { requiredKeys: ['Effect'] },
    )
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 3 }), (Statement) =>
        judged(JSON.stringify({ Version: '2012-10-17', Statement }), 'identity'),
      ),
      { numRuns: RUNS },
    )
  })

  test.each([
    ['100,000 deep', '{"Statement":'.repeat(100_000)],
    ['of lists 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['with a text of a million characters', GOOD.replace('One', 'a'.repeat(1_000_000))],
    ['with a number of a million digits', GOOD.replace('true', '1'.repeat(1_000_000))],
    ['with a name said twice', GOOD.replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"')],
    [
      'with a name said twice, once in disguise',
      GOOD.replace('"Effect":"Allow"', '"Effect":"Deny","\\u0045ffect":"Allow"'),
    ],
    ['with a byte order mark', `\ufeff${GOOD}`],
    ['with half a surrogate pair', GOOD.replace('One', '\ud83d')],
    ['with a null', GOOD.replace('true', 'null')],
    ['called __proto__', GOOD.replace('"Id"', '"__proto__"')],
  ])('%s is refused', (_, text) => {
    for (const kind of KINDS) expect(parsed(text, kind)).toBeUndefined()
  })
})

/** Wildcards by the textbook: which beginnings of the text each beginning of the pattern matches. */
function matches(pattern: string, text: string): boolean {
  let reached: readonly boolean[] = [true, ...Array.from(text, () => false)]
  for (const code of pattern) {
    const next: boolean[] = [code === '*' && reached[0]!]
    for (let i = 1; i <= text.length; i++) {
      next.push(code === '*' ? reached[i]! || next[i - 1]! : reached[i - 1]! && (code === '?' || code === text[i - 1]))
    }
    reached = next
  }
  return reached.at(-1)!
}

test.each([
  '*a'.repeat(50),
  '*?'.repeat(50),
  `${'a*'.repeat(50)}b`,
  `${'?*'.repeat(50)}b`,
  '*'.repeat(100),
  `${'*a'.repeat(500)}*`,
])('The slow pattern %s is matched as by the textbook, on texts that nearly match', (pattern) => {
  const Statement = [{ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::b/${pattern}` }]
  const text = JSON.stringify({ Version: '2012-10-17', Statement })
  const compiled = compilePolicy(parsePolicy(text, 'identity'), { id: 'x', kind: 'identity' })
  for (const name of [
    'a'.repeat(60),
    `${'a'.repeat(60)}b`,
    'ab'.repeat(30),
    'a'.repeat(2_000),
    `${'a'.repeat(2_000)}c`,
  ]) {
    const asked = { ...request, resource: `arn:aws:s3:::b/${name}` }

    expect(decide(asked, { identity: [compiled], resourceMode: 'optional' }).allowed).toBe(matches(pattern, name))
  }
})
