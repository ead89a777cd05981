/** What AWS says of documents that can't be saved: texts as collected from real answers. */
import { describe, expect, test } from 'vitest'
import { PolicyError, type PolicyKind, parsePolicy, readPolicy } from './index.ts'
import { DEPTH_MAX, DOCUMENT_CHARS_MAX, SAVED_CHARS_MAX } from './json.ts'

const S = { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b' }
const of = (...Statement: readonly object[]) => ({ Version: '2012-10-17', Statement })
const error = (document: unknown, kind: PolicyKind = 'identity'): PolicyError => {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  try {
    parsePolicy(text, kind)
  } catch (thrown) {
    if (thrown instanceof PolicyError) return thrown
    throw thrown
  }
  throw new Error(`It was accepted: ${text}`)
}

const SYNTAX = 'Syntax errors in policy.'
const VERSION = 'Policy document must be version 2012-10-17 or greater.'
const LEGACY = 'The policy failed legacy parsing'
const VENDOR = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'
const PATHS =
  'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ' +
  'server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.'

describe('an identity policy is refused with AWS’s text', () => {
  test.each<[unknown, string]>([
    ['This is not a json document', SYNTAX],
    [`{"Version":"2012-10-17","Version":"2012-10-17","Statement":${JSON.stringify(S)}}`, SYNTAX],
    [[], SYNTAX],
    [{ Version: '2012-10-17' }, SYNTAX],
    [{ Version: '2013-10-17', Statement: S }, SYNTAX],
    [{ Version: '2012-10-17', Statement: [] }, SYNTAX],
    [{ Version: '2012-10-17', Statement: ['afd'] }, SYNTAX],
    [{ Version: '2012-10-17', Statement: S, 'Extra field': 'value' }, SYNTAX],
    [{ Version: '2012-10-17', Id: ['a'], Statement: S }, SYNTAX],
    [of({ ...S, 'Extra field': 'value' }), SYNTAX],
    [of({ ...S, Effect: 'invalid' }), SYNTAX],
    [of({ Action: 's3:ListBucket', Resource: '*' }), SYNTAX],
    [of({ ...S, NotAction: 's3:Get' }), SYNTAX],
    [of({ ...S, NotResource: [] }), SYNTAX],
    [of({ ...S, Action: [[]] }), SYNTAX],
    [of({ ...S, Action: {} }), SYNTAX],
    [of({ ...S, Resource: { a: 'b' } }), SYNTAX],
    [of({ ...S, Sid: {} }), SYNTAX],
    [of({ ...S, Condition: [] }), SYNTAX],
    [of({ ...S, Condition: { a: 'b' } }), SYNTAX],
    [of({ ...S, Condition: { DateGreaterThan: { a: {} } } }), SYNTAX],
    [of({ ...S, Condition: { x: { a: '1' } } }), SYNTAX],
    [of({ ...S, Condition: { 'ForAnyValue::StringEqualsIfExists': { a: 'asf' } } }), SYNTAX],
    [of({ ...S, Condition: { NullIfExists: { a: 'true' } } }), SYNTAX],
    [{ Statement: S }, VERSION],
    [{ Version: '2008-10-17', Statement: S }, VERSION],
    [{ Statement: { ...S, Effect: 'denY' } }, VERSION],
    [of({ ...S, Effect: 'denY' }), LEGACY],
    [of({ ...S, Resource: 'arn:aws:s3::b' }), LEGACY],
    [of({ ...S, Resource: 'arn:aws::::b' }), LEGACY],
    [of({ ...S, Resource: 'arn:aws::fdsasf' }), LEGACY],
    [of({ Effect: 'Allow', Resource: 'arn:aws:s3::b' }), LEGACY],
    [of({ ...S, Condition: { DateGreaterThan: { a: 'sdfdsf' } } }), LEGACY],
    [of({ ...S, Condition: { DateLessThanEquals: { a: '234-13' } } }), LEGACY],
    [of({ ...S, Condition: { DateLessThan: { a: '9223372036854775808' } } }), LEGACY],
    [of({ ...S, Resource: 'arn:error:s3:::b', Condition: { DateGreaterThan: { a: 'sdfdsf' } } }), LEGACY],
    [of({ ...S, Principal: '*' }), 'Policy document should not specify a principal.'],
    [
      of({ ...S, Sid: 'sdf' }, { Sid: 'sdf', Effect: 'Allow' }),
      'Statement IDs (SID) in a single policy must be unique.',
    ],
    [
      of({ ...S, Sid: 'a b' }),
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    ],
    [of({ Effect: 'Allow', Resource: '*' }), 'Policy statement must contain actions.'],
    [of({ ...S, Action: [] }), 'Policy statement must contain actions.'],
    [of({ Effect: 'Deny' }, S), 'Policy statement must contain actions.'],
    [of({ Effect: 'Allow', Action: 'invalid' }), 'Policy statement must contain resources.'],
    [of({ ...S, Resource: [] }), 'Policy statement must contain resources.'],
    [of({ ...S, Resource: 'invalid resource' }), 'Resource invalid resource must be in ARN format or "*".'],
    [of({ ...S, Resource: '' }), 'Resource  must be in ARN format or "*".'],
    [of({ ...S, Action: 's:3:ListBucket', Resource: 'sdfsadf' }), 'Resource sdfsadf must be in ARN format or "*".'],
    [
      of({ ...S, Resource: 'a:bsdfdsafsad' }),
      'Partition "bsdfdsafsad" is not valid for resource "arn:bsdfdsafsad:*:*:*:*".',
    ],
    [of({ ...S, Resource: 'a:b:c:d:e:f:g:h' }), 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'],
    [of({ ...S, Resource: 'a:aws:s3:::b' }), 'Resource a:aws:s3:::b must be in ARN format or "*".'],
    [of({ ...S, Resource: 'aws:s3:::b' }), 'Partition "s3" is not valid for resource "arn:s3:::b:*".'],
    [of({ ...S, Resource: 'arn:aws' }), 'Resource vendor must be fully qualified and cannot contain regexes.'],
    [of({ ...S, Resource: 'arn:aws:*:::b' }), 'Resource vendor must be fully qualified and cannot contain regexes.'],
    [of({ ...S, Resource: 'arn:aws:iam:::b' }), PATHS],
    [
      of({ ...S, Resource: 'arn:aws:iam:us-east-1::b' }),
      'IAM resource arn:aws:iam:us-east-1::b cannot contain region information.',
    ],
    [
      of({ ...S, Resource: 'arn:aws:s3:us-east-1::b' }),
      'Resource arn:aws:s3:us-east-1::b can not contain region information.',
    ],
    [of({ ...S, Action: 'invalid' }), VENDOR],
    [of({ Effect: 'Allow', NotAction: '', Resource: '*' }), VENDOR],
    [of({ ...S, Action: 'a a:ListBucket' }), 'Vendor a a is not valid'],
    [of({ ...S, Action: 's3:List:Bucket' }), 'Actions/Condition can contain only one colon.'],
  ])('%j', (document, message) => {
    expect(error(document).message).toBe(message)
  })
})

describe('a document with principals is refused with AWS’s text', () => {
  const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111111111111' } }
  test.each<[PolicyKind, unknown, string]>([
    ['trust', 'nonsense', 'This policy contains invalid Json'],
    ['trust', of({ ...trust, Resource: '*' }), 'Has prohibited field Resource'],
    ['trust', of({ ...trust, NotResource: '*' }), 'Has prohibited field NotResource'],
    ['trust', of({ ...trust, Action: 's3:GetObject' }), 'AssumeRole policy may only specify STS AssumeRole actions.'],
    ['trust', of({ Effect: 'Allow', Action: 'sts:AssumeRole' }), 'Missing required field Principal'],
    ['trust', of({ ...trust, Principal: { AWS: 'me' } }), 'Invalid principal in policy: "AWS":"me"'],
    [
      'trust',
      of({ ...trust, Principal: { AWS: 'arn:aws:iam::111111111111:user/*' } }),
      'Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/*"',
    ],
    ['trust', of({ ...trust, Principal: { Service: 'ec2' } }), 'Invalid principal in policy: "SERVICE":"ec2"'],
    ['trust', of({ ...trust, Principal: { Nobody: 'x' } }), SYNTAX],
    [
      'trust',
      of({ ...trust, Principal: 'arn:aws:iam::111111111111:root' }),
      'Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:root"',
    ],
    [
      'trust',
      of({ Effect: 'Deny', Action: 'sts:AssumeRole', NotPrincipal: { AWS: '111111111111' } }),
      'Has prohibited field NotPrincipal',
    ],
    ['resource', of(S), 'Missing required field Principal'],
    ['rcp', of({ ...S, Principal: '*' }), SYNTAX],
    ['rcp', of({ ...S, Effect: 'Deny', Principal: { AWS: '111111111111' } }), SYNTAX],
  ])('%s: %j', (kind, document, message) => {
    expect(error(document, kind).message).toBe(message)
  })
})

describe('accepted', () => {
  test.each<[PolicyKind, unknown]>([
    ['identity', of(S)],
    ['identity', { Version: '2012-10-17', Id: 'x', Statement: S }],
    ['identity', of({ ...S, Action: '*', Resource: ['*', 'arn:aws:s3:::b'] })],
    ['identity', of({ ...S, Action: 'iam: asdf safdsf af ' })],
    ['identity', of({ ...S, Resource: 'arn:aws:fdsasf' })],
    ['identity', of({ ...S, Resource: 'arn:aws:iam:::user/b' })],
    ['identity', of({ ...S, Resource: 'arn:aws:iam::*:role/${aws:username}' })],
    ['identity', of({ ...S, Resource: 'arn:*:s3:::b' })],
    ['identity', of({ ...S, Resource: 'arn:aws-us-gov:s3:eu-west-1:111111111111:accesspoint/a' })],
    ['identity', of({ ...S, Condition: {} })],
    ['identity', of({ ...S, Condition: { a: {} } })],
    ['identity', of({ ...S, Condition: { DateGreaterThan: { a: [] } } })],
    ['identity', of({ ...S, Condition: { NumericLessThan: { a: 5 }, Bool: { b: [true] } } })],
    ['identity', of({ ...S, Condition: { 'forallvalues:stringequalsifexists': { 'aws:TagKeys': 'Department' } } })],
    ['trust', { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: '*' }] }],
    [
      'trust',
      of({
        Effect: 'Allow',
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' },
      }),
    ],
    [
      'trust',
      of({
        Effect: 'Allow',
        Action: 'sts:AssumeRoleWithSAML',
        Principal: { Federated: 'arn:aws:iam::111111111111:saml-provider/p' },
      }),
    ],
    [
      'resource',
      of({ ...S, Sid: 'may have spaces', Principal: { AWS: ['arn:aws:sts::111111111111:assumed-role/r/s'] } }),
    ],
    ['scp', of({ Effect: 'Deny', NotAction: 'iam:*', NotResource: 'arn:aws:iam::*:role/a' })],
    ['rcp', of({ ...S, Effect: 'Deny', Principal: '*' })],
  ])('%s: %j', (kind, document) => {
    expect(parsePolicy(JSON.stringify(document), kind).statements).not.toEqual([])
  })
})

describe('places and limits', () => {
  test('an error names its line and column', () => {
    const { line, column, offset } = error('{\n  "Version": "2012-10-17",\n  "Statement": [oops]\n}')

    expect({ line, column, offset }).toEqual({ line: 3, column: 16, offset: 45 })
  })

  test('a statement knows where it starts and ends', () => {
    const text = `{"Version":"2012-10-17","Statement":[\n ${JSON.stringify(S)},\n ${JSON.stringify(S)}]}`
    const [, second] = parsePolicy(text, 'identity').statements

    expect(second!.start).toMatchObject({ line: 3, column: 1 })
    expect(text.slice(second!.start.offset, second!.end.offset)).toBe(JSON.stringify(S))
  })

  const padded = (length: number) => JSON.stringify(of(S)).padEnd(length, ' ')
  test('a document may have 131,072 characters and not one more', () => {
    expect(parsePolicy(padded(DOCUMENT_CHARS_MAX), 'identity').statements).toHaveLength(1)
    expect(error(padded(DOCUMENT_CHARS_MAX + 1)).message).toBe(SYNTAX)
  })

  test('a saved document may be longer, as some of AWS’s own are, up to a limit of its own', () => {
    expect(readPolicy(padded(SAVED_CHARS_MAX), 'identity').statements).toHaveLength(1)
    expect(() => readPolicy(padded(SAVED_CHARS_MAX + 1), 'identity')).toThrow(PolicyError)
  })

  test('deep nesting is refused, not recursed into', () => {
    expect(error('['.repeat(100_000)).message).toBe(SYNTAX)
    expect(error('['.repeat(100_000)).offset).toBeLessThanOrEqual(DEPTH_MAX + 1)
  })

  test.each(['\u0000', '\u2028', '\u{1f600}'])('the character %j is not allowed in a document', (character) => {
    expect(error(JSON.stringify(of(S)).replace('s3:ListBucket', `s3:${character}`)).message).toBe(SYNTAX)
  })

  test.each([
    '{"a":1,}',
    '[1 2]',
    '{"a" 1}',
    '{a:1}',
    '"\\x"',
    '"\\u12"',
    '01',
    '1.',
    '"open',
    'tru',
    '{"__proto__":1,"__proto__":1}',
  ])('%s is no JSON', (text) => {
    expect(error(text).message).toBe(SYNTAX)
  })

  test('a stored document is read under laxer rules', () => {
    const text = JSON.stringify({ Statement: { ...S, Condition: { Unheard: { a: 'b' } } } })

    expect(error(text).message).toBe(SYNTAX)
    expect(readPolicy(text, 'identity').statements[0]!.conditions).toEqual([
      { operator: 'Unheard', key: 'a', values: ['b'] },
    ])
  })
})
