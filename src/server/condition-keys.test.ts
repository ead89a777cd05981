/** Every condition key that the authorization reference lists for an operation is supplied, or declared absent with a reason. */
import { describe, expect, test } from 'vitest'
import { type RequestFacts, requestContext } from '../kernel/gate/context.ts'
import { absenceIn } from '../kernel/resource/absent-keys.ts'
import { keysOfAction } from '../kernel/resource/condition-keys.ts'
import { absentGlobalKeys } from '../kernel/resource/global-keys.ts'
import { GLOBAL_KEYS } from '../policy/lint/reference.ts'
import { KEYS } from '../services/sts/saml-keys.ts'
import { keysComputed } from './compose/condition-keys.fixture.ts'
import { services } from './compose/services.ts'

/**
 * Keys whose values come from the caller's federated session, a token or an assertion: their own tests are those of
 * `AssumeRoleWithWebIdentity` and `AssumeRoleWithSAML`.
 */
const assertion = new Set(Object.values(KEYS).map((key) => `saml:${key}`.toLowerCase()))
const isFederated = (action: string, key: string): boolean =>
  action.startsWith('sts:') &&
  (/^[^:]*\.[^:]*:/.test(key.replaceAll(/\$\{[^}]*\}/g, 'x')) ||
    assertion.has(key.toLowerCase()) ||
    (action === 'sts:AssumeRole' && key.startsWith('saml:')))

/** Set by the request context for every resource that has tags. */
const isResourceTag = (key: string): boolean => /:ResourceTag\//.test(key)

/** The part of `kms:EncryptionContext:${Key}` or `s3:ExistingObjectTag/<key>` that all its keys share. */
const fixedPart = (key: string): string => key.toLowerCase().split(/\$\{|<|\*/)[0]!

function isAmong(key: string, keys: ReadonlySet<string>): boolean {
  const fixed = fixedPart(key)
  return keys.has(key.toLowerCase()) || (fixed.length < key.length && [...keys].some((each) => each.startsWith(fixed)))
}

/** As lists of absent keys name it: the key itself, its family, or the key at one action. */
const names = (entry: string, action: string, key: string): boolean =>
  entry === key || entry === `${action} ${key}` || (entry.endsWith('*') && key.startsWith(entry.slice(0, -1)))

/** S3 supplies its keys with the resource: `services/s3/conditions.test.ts` makes a request for each operation. */
const computing = services.filter(({ api }) => api.id !== 's3')

describe.each(computing.map((service) => [service.api.id, service] as const))(
  'The condition keys of the operations of %s',
  (id, service) => {
    const { operations, conditionKeys = {}, absentKeys = {} } = service

    // S3 supplies its keys with the resource: services/s3/conditions.test.ts makes a request for each operation.
    test.skipIf(id === 's3')(
      'are supplied for every operation, or absent for a reason',
      async () => {
        const table = new Set(Object.keys(conditionKeys).map((key) => key.toLowerCase()))
        const absent = Object.keys(absentKeys)
        const missing: string[] = []
        const used = new Set<string>()
        for (const operation of operations) {
          const computed = await keysComputed(id, operation)
          for (const action of operation.actions) {
            const keys = keysOfAction(action)
            expect(
              keys,
              `${action}: add its prefix to BUILT in tools/gen-iam-actions.mjs and run npm run gen:iam`,
            ).toBeDefined()
            for (const key of keys!) {
              if (isAmong(key, table) || isAmong(key, computed) || isResourceTag(key)) continue
              const entries = absent.filter((entry) => names(entry, action, key))
              for (const entry of entries) used.add(entry)
              if (entries.length === 0 && !isFederated(action, key)) missing.push(`${action} ${key}`)
            }
          }
        }
        expect(missing, 'supply these by conditionKeys or given, or add them to absentKeys').toEqual([])
        expect(
          absent.filter((entry) => !used.has(entry)),
          'these are supplied, or not in the reference: delete them',
        ).toEqual([])
      },
      60_000,
    )
  },
)

describe.each(services.map((service) => [service.api.id, service] as const))(
  'The condition keys of %s',
  (_id, { operations, conditionKeys = {}, absentKeys = {} }) => {
    test('in its table are keys of the reference', () => {
      const known = new Set(
        operations
          .flatMap(({ actions, choice }) => [...actions, ...(choice?.among ?? [])])
          .flatMap((action) => keysOfAction(action) ?? [])
          .map((key) => key.toLowerCase()),
      )
      expect(Object.keys(conditionKeys).filter((key) => !known.has(key.toLowerCase()))).toEqual([])
    })

    test('that are absent have a reason', () => {
      for (const reason of Object.values(absentKeys)) expect(reason).toMatch(/\w \w/)
    })
  },
)

describe('The global condition keys', () => {
  const standing = { organization: 'o-a', path: 'o-a/r-b/', scps: undefined, rcps: undefined }
  const session = {
    account: '1',
    subject: { kind: 'root' },
    issuedAt: 0,
    expiresAt: 1,
    mfaAt: 0,
    assumedRoot: true,
    sourceIdentity: 'ann',
  }
  const common = {
    region: 'us-east-1',
    standing,
    ownerStanding: standing,
    sourceStanding: standing,
    now: 0,
    sourceAddress: '203.0.113.7',
    secure: true,
    userAgent: 'x',
    referer: 'y',
  }
  const user = {
    kind: 'user',
    account: '1',
    arn: 'arn:aws:iam::1:user/a',
    userId: 'AIDA',
    name: 'a',
    tags: { team: 'a' },
  }
  const delivered = {
    'ec2:RoleDelivery': '2.0',
    'ec2:SourceInstanceArn': 'arn:aws:ec2:us-east-1:1:instance/i-1',
    'aws:Ec2InstanceSourceVpc': 'vpc-1',
    'aws:Ec2InstanceSourcePrivateIPv4': '10.0.0.5',
  }
  const federation = {
    'aws:FederatedProvider': 'arn:aws:iam::1:saml-provider/p',
    'identitystore:UserId': 'u',
    ...delivered,
  }
  const facts = [
    { ...common, via: [], caller: { principal: user, session: { ...session, federation } } },
    { ...common, via: ['a.amazonaws.com'], caller: { principal: user } },
    { ...common, via: [], caller: { principal: { kind: 'anonymous' } } },
    {
      ...common,
      via: [],
      caller: { principal: { kind: 'service', name: 'a.amazonaws.com' } },
      acting: { service: 'a.amazonaws.com', account: '1', region: 'us-east-1', source: 'arn:aws:s3:::b' },
    },
  ] as unknown as readonly RequestFacts[]
  const input = { Tags: [{ Key: 'team', Value: 'a' }] }
  const acted = { arn: 'arn:aws:s3:::b', type: 'AWS::S3::Bucket', account: '1', tags: { team: 'a' } }
  const supplied = new Set(
    facts.flatMap((each) => [...requestContext(each, acted, input, {}).entries()].map(([key]) => key.toLowerCase())),
  )

  test('are supplied, or absent for a reason', () => {
    const absent = new Set(Object.keys(absentGlobalKeys).map((key) => key.toLowerCase()))
    expect(Object.keys(GLOBAL_KEYS).filter((key) => !supplied.has(key) && !absent.has(key))).toEqual([])
    expect([...absent].filter((key) => supplied.has(key))).toEqual([])
    expect([...supplied]).toEqual(
      expect.arrayContaining(['aws:principaltag/team', 'aws:resourcetag/team', 'aws:requesttag/team']),
    )
  })

  test('that are absent are known to the linter, by name and by family', () => {
    const absent = absenceIn([
      absentGlobalKeys,
      { 'kms:RecipientAttestation:*': 'x y', 'kms:CreateAlias kms:KeySpec': 'z' },
    ])
    expect(absent('aws:sourcevpc')).toBe('there are no VPC endpoints')
    expect(absent('kms:RecipientAttestation:PCR0')).toBe('x y')
    expect(absent('kms:KeySpec')).toBeUndefined()
    expect(absent('aws:username')).toBeUndefined()
  })
})
