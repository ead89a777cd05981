/** What counts as public: fixed values alone limit a grant, and no way of writing it makes a public policy look otherwise. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePolicy, publicStatements } from './index.ts'

const statement = (more: object) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: '*',
  ...more,
})
const isPublic = (...statements: readonly object[]) => {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements.map(statement) })
  return publicStatements(parsePolicy(text, 'resource')).length > 0
}
const when = (operator: string, key: string, value: unknown) => ({ Condition: { [operator]: { [key]: value } } })

describe('A policy is public', () => {
  test.each([
    ['everyone', {}],
    ['everyone in a list', { Principal: { AWS: ['111122223333', '*'] } }],
    ['everyone but one', { Principal: undefined, NotPrincipal: { AWS: '111122223333' } }],
    ['customers of a shared identity provider', { Principal: { Federated: 'graph.facebook.com' } }],
    ['an organization by wildcard', when('StringLike', 'aws:PrincipalOrgID', 'o-*')],
    ['a path below any organization', when('ForAnyValue:StringLike', 'aws:PrincipalOrgPaths', 'o-*')],
    [
      'accounts by their first digit',
      when(
        'StringLike',
        'aws:SourceAccount',
        '0123456789'.split('').map((n) => `${n}*`),
      ),
    ],
    ['one digit', when('StringLike', 'aws:PrincipalAccount', '0*')],
    ['any ARN', when('ArnLike', 'aws:SourceArn', 'arn:*:*:*:*:*')],
    ['any ARN of a service', when('ArnLike', 'aws:SourceArn', 'arn:aws:s3:::*')],
    ['any VPC', when('StringLike', 'aws:SourceVpc', 'vpc-*')],
    ['any endpoint', when('StringLike', 'aws:SourceVpce', 'vpce-????????')],
    ['a variable', when('StringEquals', 'aws:PrincipalAccount', '${aws:PrincipalTag/account}')],
    ['one fixed value and another', when('StringLike', 'aws:SourceVpc', ['vpc-91237329', '*'])],
    ['every address', when('IpAddress', 'aws:SourceIp', '0.0.0.0/0')],
    ['half of all', when('IpAddress', 'aws:SourceIp', '128.0.0.0/1')],
    ['both halves', when('IpAddress', 'aws:SourceIp', ['0.0.0.0/1', '128.0.0.0/1'])],
    ['more than a /8', when('IpAddress', 'aws:SourceIp', '52.0.0.0/7')],
    ['two halves of more than a /8', when('IpAddress', 'aws:SourceIp', ['52.0.0.0/8', '53.0.0.0/8'])],
    ['a wide range of IPv6', when('IpAddress', 'aws:SourceIp', '2001::/31')],
    ['IPv4 written as IPv6', when('IpAddress', 'aws:SourceIp', '::ffff:0.0.0.0/97')],
    ['a range wider than the private one', when('IpAddress', 'aws:SourceIp', '10.0.0.0/7')],
    ['the same in parts', when('IpAddress', 'aws:SourceIp', ['10.0.0.0/8', '11.0.0.0/9', '11.128.0.0/9'])],
    ['a condition that is met without the key', when('StringEqualsIfExists', 'aws:SourceVpc', 'vpc-91237329')],
    ['a condition that is met by no value', when('ForAllValues:StringEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5')],
    ['all but one', when('StringNotEquals', 'aws:SourceVpc', 'vpc-91237329')],
    ['a key that a caller chooses', when('StringEquals', 'aws:Referer', 'https://example.com/')],
  ])('for %s', (_, more) => {
    expect(isPublic(more)).toBe(true)
  })

  test.each([
    ['an account', { Principal: { AWS: '111122223333' } }],
    ['a service', { Principal: { Service: 'cloudtrail.amazonaws.com' } }],
    ['an organization', when('StringEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5')],
    ['a VPC', when('StringEquals', 'aws:SourceVpc', 'vpc-91237329')],
    ['a VPC by an operator that knows wildcards', when('StringLike', 'aws:SourceVpc', 'vpc-91237329')],
    ['an ARN', when('ArnLike', 'aws:SourceArn', 'arn:aws:sns:us-east-1:111122223333:topic')],
    [
      'access points of an account',
      when('ArnLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-west-2:123456789012:accesspoint/*'),
    ],
    ['a /8', when('IpAddress', 'aws:SourceIp', '52.0.0.0/8')],
    ['some ranges', when('IpAddress', 'aws:SourceIp', ['203.0.113.0/24', '198.51.100.7', '2001:db8::/32'])],
    ['private ranges', when('IpAddress', 'aws:SourceIp', ['172.16.0.0/12', '10.0.0.0/8'])],
    [
      'a wide range of a VPC',
      { Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' }, StringEquals: { 'aws:SourceVpc': 'vpc-91237329' } } },
    ],
    ['those denied', { Effect: 'Deny' }],
  ])('not for %s', (_, more) => {
    expect(isPublic(more)).toBe(false)
  })

  const bits = (prefix: number) => fc.array(fc.boolean(), { minLength: prefix, maxLength: prefix })
  const v4 = (all: readonly boolean[]) => {
    const text = all.map(Number).join('').padEnd(32, '0')
    return `${[0, 8, 16, 24].map((at) => Number.parseInt(text.slice(at, at + 8), 2)).join('.')}/${all.length}`
  }
  /** The range in parts of several sizes. */
  const split = (all: readonly boolean[], depth: number, choose: () => boolean): readonly string[] =>
    depth === 0 || choose() ? [v4(all)] : [false, true].flatMap((bit) => split([...all, bit], depth - 1, choose))

  test('however a public range is split, in one statement or in several', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 7 }).chain(bits),
        fc.infiniteStream(fc.boolean()),
        fc.boolean(),
        (range, choices, several) => {
          const parts = split(range, 5, () => choices.next().value ?? true)
          const one = [when('IpAddress', 'aws:SourceIp', parts)]
          const many = parts.map((part) => when('IpAddress', 'aws:SourceIp', part))
          expect(isPublic(when('IpAddress', 'aws:SourceIp', v4(range)))).toBe(true)
          expect(isPublic(...(several ? many : one))).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('whatever precedes a wildcard', () => {
    const keys = fc.constantFrom(
      'aws:PrincipalOrgID',
      'aws:SourceAccount',
      'aws:SourceVpc',
      'aws:SourceArn',
      'aws:userid',
    )
    fc.assert(
      fc.property(
        keys,
        fc.stringMatching(/^[a-z0-9:/-]{0,12}$/),
        fc.constantFrom('*', '?', '${aws:username}'),
        (key, prefix, open) => {
          expect(isPublic(when('StringLike', key, prefix + open))).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})
