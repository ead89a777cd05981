/** Resource types of every form that services need: how a text is resolved, and what authorization sees of it. */
import { beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { key, type Store } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { Call } from '../gate/call.ts'
import type { Row } from './facts.ts'
import { ResourceType } from './resource-type.ts'

const ACCOUNT = '111122223333'
const OTHER = '444455556666'
const here = { partition: 'aws', region: 'us-east-1', account: ACCOUNT }
const there = { ...here, account: OTHER }

const faults = {
  notFound: (arn: string) => new Fault('NotFound', arn),
  invalidReference: (text: string) => new Fault('Invalid', text),
  alreadyExists: (arn: string) => new Fault('Exists', arn),
}
const noPins = {}
const problem = () => new Fault('BadTags', '')
const tagProblems = { duplicate: problem, reserved: problem, 'too-many': problem }

let store: Store
beforeEach(async () => {
  store = await openStore({ file: ':memory:' })
})

const within = <T>(body: (call: Call) => Promise<T>, scope = here): Promise<T> =>
  store.run((unit) => body({ ...scope, unit, event: { resources: [] } } as unknown as Call))

const put = (at: string, row: object) => store.run(async (unit) => unit.put(at, row))

async function faultOf(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'none'
  } catch (error) {
    return (error as Fault).code
  }
}

describe('A type whose rows are found by the ARN alone', () => {
  interface KeyRow extends Row {
    readonly id: string
    readonly text?: string
  }
  const type = new ResourceType({
    kind: 'key',
    type: 'AWS::KMS::Key',
    arn: 'arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}',
    storedPer: 'region',
    shortForm: 'KeyId',
    crossAccount: true,
    idOf: (row: KeyRow) => ({ KeyId: row.id }),
    policy: ({ text }) => (text === undefined ? undefined : { text, pins: noPins }),
    policyMode: 'required',
    policySource: (arn) => ({ id: 'default', arn }),
    facts: async (_call, row) => ({ aboveRcps: row?.id === 'aws' }),
    faults: { ...faults, otherRegion: (region) => new Fault('OtherRegion', region) },
  })
  const arn = (account: string, id = 'k') => `arn:aws:kms:us-east-1:${account}:key/${id}`
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
  })

  test('reads another account’s row where the ARN says, with the policy on it', async () => {
    await put(type.key(there, { KeyId: 'k' }), { id: 'k', text: policy, tags: { a: 'b' } })

    const { acted, row } = await within((call) => type.find(call, arn(OTHER)))

    expect(acted).toMatchObject({ arn: arn(OTHER), account: OTHER, tags: { a: 'b' }, policyMode: 'required' })
    expect(acted?.policy?.source).toEqual({ id: 'default', kind: 'resource', arn: arn(OTHER) })
    expect(row).toMatchObject({ scope: there, arn: arn(OTHER), row: { id: 'k' } })
  })

  test('writes and removes where the row was read, not in the caller’s account', async () => {
    await put(type.key(there, { KeyId: 'k' }), { id: 'k' })

    await within(async (call) => (await type.find(call, arn(OTHER))).row!.save({ id: 'k', tags: { a: 'c' } }))
    expect(await store.reader.get(type.key(there, { KeyId: 'k' }))).toEqual({ id: 'k', tags: { a: 'c' } })
    expect(await store.reader.get(type.key(here, { KeyId: 'k' }))).toBeUndefined()
    await within(async (call) => (await type.find(call, arn(OTHER))).row!.remove())
    expect(await store.reader.get(type.key(there, { KeyId: 'k' }))).toBeUndefined()
  })

  test('compiles a policy once for each version of its row', async () => {
    const at = type.key(here, { KeyId: 'k' })
    const compiled = async () => (await within((call) => type.find(call, 'k'))).acted?.policy
    await put(at, { id: 'k', text: policy })
    const first = await compiled()
    expect(await compiled()).toBe(first)

    await put(at, { id: 'k', text: policy.replace('kms:*', 'kms:Decrypt') })
    expect(await compiled()).not.toBe(first)
  })

  test('adds what else authorization has to know', async () => {
    await put(type.key(here, { KeyId: 'aws' }), { id: 'aws' })

    expect((await within((call) => type.find(call, 'aws'))).acted).toMatchObject({ aboveRcps: true, policy: undefined })
  })

  test('hands the facts that were authorized to the operation', async () => {
    await put(type.key(there, { KeyId: 'k' }), { id: 'k', text: policy })

    const { acted, row } = await within((call) => type.find(call, arn(OTHER)))

    expect(row?.facts).toBe(acted)
  })

  test('offers an operation to the account of the resource alone, after the decision on it', async () => {
    await put(type.key(there, { KeyId: 'k' }), { id: 'k', text: policy, tags: { a: 'b' } })
    await put(type.key(here, { KeyId: 'k' }), { id: 'k' })
    const target = type.named('KeyId', { ownAccount: true })
    const find = (KeyId: string) => within(async (call) => target.find(call, { KeyId }))

    const foreign = await find(arn(OTHER))
    expect(foreign).toMatchObject({ acted: { arn: arn(OTHER), tags: { a: 'b' } }, row: undefined })
    expect(foreign.missing?.().code).toBe('NotFound')
    expect((await find(arn(ACCOUNT))).row?.arn).toBe(arn(ACCOUNT))
  })

  test('reads references as the operation says, where it says so', async () => {
    await put(type.key(here, { KeyId: 'k' }), { id: 'k' })
    const target = type.named('KeyId', {
      reference: (call, text) =>
        text === 'alias/a' ? { scope: call, id: { KeyId: 'k' }, requested: text } : undefined,
    })
    const find = (KeyId: string) => within(async (call) => target.find(call, { KeyId }))

    expect(await find('alias/a')).toMatchObject({
      acted: { arn: arn(ACCOUNT), requested: 'alias/a' },
      row: { id: { KeyId: 'k' } },
    })
    expect(await faultOf(() => find('k'))).toBe('Invalid')
  })

  test('decides on the ARN of what leads nowhere, and then returns its fault', async () => {
    const alias = arn(ACCOUNT).replace('key/', 'alias/')
    const target = type.named('KeyId', {
      reference: (call) => ({ scope: call, arn: alias, absent: () => new Fault('NoAlias', '') }),
    })

    const { acted, row, missing } = await within(async (call) => target.find(call, { KeyId: 'alias/none' }))

    expect(acted).toMatchObject({ arn: alias, account: ACCOUNT, policy: undefined })
    expect(row).toBeUndefined()
    expect(missing?.().code).toBe('NoAlias')
  })

  test.each([
    ['another Region', arn(ACCOUNT).replace('us-east-1', 'eu-west-1'), 'OtherRegion'],
    ['another type', arn(ACCOUNT).replace('key/', 'alias/'), 'Invalid'],
    ['another partition', arn(ACCOUNT).replace('arn:aws:', 'arn:aws-cn:'), 'Invalid'],
    ['a name with a colon', 'a:b', 'Invalid'],
    ['nothing', '', 'Invalid'],
  ])('refuses %s at once', async (_what, text, code) => {
    expect(await faultOf(() => within((call) => type.find(call, text)))).toBe(code)
  })
})

describe('A type that is not shared between accounts', () => {
  const type = new ResourceType({
    kind: 'thing',
    type: 'AWS::ACM::Certificate',
    arn: 'arn:${Partition}:acm:${Region}:${Account}:certificate/${CertificateId}',
    storedPer: 'region',
    idOf: (row: Row & { readonly id: string }) => ({ CertificateId: row.id }),
    faults,
  })
  const arn = (account: string, region = 'us-east-1') => `arn:aws:acm:${region}:${account}:certificate/c`

  test.each([
    ['another account', there, arn(OTHER)],
    ['another Region', { ...here, region: 'eu-west-1' }, arn(ACCOUNT, 'eu-west-1')],
  ])('reads no row of %s', async (_what, scope, text) => {
    await put(type.key(scope, { CertificateId: 'c' }), { id: 'c', tags: { a: 'b' } })

    const { acted, row, missing } = await within((call) => type.find(call, text))

    expect(row).toBeUndefined()
    expect(acted).toMatchObject({ arn: text, account: scope.account, tags: undefined })
    expect(missing?.().code).toBe('NotFound')
  })

  test('takes no name without an ARN', async () => {
    expect(await faultOf(() => within((call) => type.find(call, 'c')))).toBe('Invalid')
  })

  test('finds what need not exist, and says nothing when it does not', async () => {
    const target = type.optional('Arn')

    const found = await within(async (call) => target.find(call, { Arn: arn(ACCOUNT) }))
    expect(found).toMatchObject({ acted: { arn: arn(ACCOUNT) }, row: undefined })
    expect(found.missing).toBeUndefined()
  })

  test('creates nothing over a row that is there', async () => {
    await put(type.key(here, { CertificateId: 'c' }), { id: 'c' })
    const target = type.created(() => ({ CertificateId: 'c' }))

    const codes = await within(async (call) => {
      const { row } = await target.find(call, {})
      return [await faultOf(() => row!.assertAvailable()), await faultOf(() => row!.create({ id: 'c' }))]
    })
    expect(codes).toEqual(['Exists', 'Exists'])
  })

  test('is created on no resource, and tagged on the pattern of the type, where the reference lists none', async () => {
    const tagged = new ResourceType({
      ...type.spec,
      tags: { action: 'acm:AddTagsToCertificate', member: 'Tags', problems: tagProblems },
    })
    const target = tagged.created(() => ({ CertificateId: 'c' }), { generated: true, authorizedOn: '*' })

    await within(async (call) => {
      const { acted, row, tagging } = await target.find(call, { Tags: [{ Key: 'a', Value: 'b' }] })
      expect(acted).toBeUndefined()
      expect(tagging?.acted?.arn).toBe(arn(ACCOUNT).replace(/c$/, '*'))
      row!.create({ id: 'c', tags: row!.tags })
      expect(call.event.resources).toMatchObject([{ arn: arn(ACCOUNT), account: ACCOUNT }])
    })
  })

  test('makes no ARN of a name that has other parts', async () => {
    const target = type.created((input: { readonly Name: string }) => ({ CertificateId: input.Name }))

    for (const Name of ['a/b', arn(ACCOUNT), ''])
      expect(await faultOf(() => within(async (call) => target.find(call, { Name })))).toBe('Invalid')
  })
})

describe('A type whose ARN says more than its rows are found by', () => {
  interface UserRow extends Row {
    readonly name: string
    readonly path: string
  }
  interface UserId extends Record<string, string> {
    readonly name: string
  }
  const type = new ResourceType({
    kind: 'user',
    type: 'AWS::IAM::User',
    arn: 'arn:${Partition}:iam::${Account}:user/${UserNameWithPath}',
    patterns: { UserNameWithPath: '([\\w.-]+/)*[\\w.-]+' },
    storedPer: 'account',
    identity: {
      names: ['name'],
      toArn: ({ name, path = '/' }: UserId, row: UserRow | undefined) => ({
        UserNameWithPath: `${row?.path ?? path}${name}`.slice(1),
      }),
      fromArn: ({ UserNameWithPath: text }): UserId => ({
        name: text.slice(text.lastIndexOf('/') + 1),
        path: `/${text.slice(0, text.lastIndexOf('/') + 1)}`,
      }),
    },
    idOf: ({ name }) => ({ name }),
    normalize: (name) => name.toLowerCase(),
    shortForm: 'name',
    faults,
  })
  const arn = (path: string) => `arn:aws:iam::${ACCOUNT}:user/${path}`
  beforeEach(() => put(key('iam', 'user', ACCOUNT, 'ana'), { name: 'Ana', path: '/people/' }))

  test('is found by its name, in any case, and authorized as the row spells it', async () => {
    const { acted, row } = await within((call) => type.find(call, 'ANA'))

    expect(row?.arn).toBe(arn('people/Ana'))
    expect(acted).toMatchObject({ arn: arn('people/Ana'), requested: arn('ANA') })
  })

  test('is found by its whole ARN, and not by one with another path', async () => {
    const by = (text: string) => within((call) => type.find(call, text))

    expect((await by(arn('people/ana'))).row?.row.name).toBe('Ana')
    const { acted, row } = await by(arn('staff/Ana'))
    expect(row).toBeUndefined()
    expect(acted).toMatchObject({ arn: arn('staff/Ana'), tags: undefined, requested: undefined })
  })

  test('is created under the ARN with its path', async () => {
    const target = type.created((input: { readonly Name: string; readonly Path: string }) => ({
      name: input.Name,
      path: input.Path,
    }))

    const { acted, row } = await within(async (call) => target.find(call, { Name: 'Bob', Path: '/people/' }))
    expect(acted?.arn).toBe(arn('people/Bob'))
    expect(row?.arn).toBe(arn('people/Bob'))
  })

  test('is listed on the pattern of what it lists', async () => {
    const target = type.collection((input: { readonly Prefix: string }) => ({ UserNameWithPath: input.Prefix }))

    expect((await within(async (call) => target.find(call, { Prefix: 'people/' }))).acted?.arn).toBe(arn('people/'))
  })
})

describe('A type of the whole installation', () => {
  const type = new ResourceType({
    kind: 'bucket',
    type: 'AWS::S3::Bucket',
    arn: 'arn:${Partition}:s3:::${BucketName}',
    storedPer: 'installation',
    shortForm: 'BucketName',
    idOf: (row: Row & { readonly name: string; readonly account: string }) => ({ BucketName: row.name }),
    owner: ({ account }) => account,
    facts: (_call, row) => ({ conditions: { 's3:ResourceAccount': row?.account ?? ACCOUNT } }),
    faults,
  })

  test('is not listed as a whole', () => {
    expect(() => type.collection()).toThrow('belong to several accounts')
  })

  test('has facts before it exists', async () => {
    const target = type.created(() => ({ BucketName: 'logs' }))

    expect((await within(async (call) => target.find(call, {}))).acted?.conditions).toEqual({
      's3:ResourceAccount': ACCOUNT,
    })
  })

  test('is found by every account, and belongs to the one in its row', async () => {
    await put(key('s3', 'bucket', 'logs'), { name: 'logs', account: OTHER })

    const { acted, row } = await within((call) => type.find(call, 'logs'))

    expect(acted).toMatchObject({ arn: 'arn:aws:s3:::logs', account: OTHER })
    expect(row?.scope.account).toBe(OTHER)
  })
})

describe('A reference of a service’s own', () => {
  interface FunctionRow extends Row {
    readonly name: string
    readonly version?: number
  }
  const versionKey = (name: string, version: string) => key('lambda', 'version', ACCOUNT, 'us-east-1', name, version)
  const type = new ResourceType({
    kind: 'function',
    type: 'AWS::Lambda::Function',
    arn: 'arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}',
    storedPer: 'region',
    idOf: (row: FunctionRow) => ({ FunctionName: row.name }),
    reference: async (call, text) => {
      const [FunctionName = '', qualifier] = text.split(':')
      if (FunctionName === '') return undefined
      const id = { FunctionName }
      if (qualifier === undefined) return { scope: call, id }
      const suffix = `:${qualifier}`
      return /^\d+$/.test(qualifier)
        ? { scope: call, id, suffix, key: versionKey(FunctionName, qualifier) }
        : { scope: call, id, suffix, absent: () => new Fault('NoAlias', qualifier), requested: `alias ${qualifier}` }
    },
    faults,
  })
  const arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`
  beforeEach(async () => {
    await put(type.key(here, { FunctionName: 'f' }), { name: 'f' })
    await put(versionKey('f', '1'), { name: 'f', version: 1 })
  })

  test('may name a part that has a row of its own, which is written where it is', async () => {
    await within(async (call) => {
      const { acted, row } = await type.find(call, 'f:1')
      expect(acted?.arn).toBe(`${arn}:1`)
      expect(row).toMatchObject({ arn, named: `${arn}:1`, row: { version: 1 } })
      row!.save({ ...row!.row, tags: {} })
    })

    expect(await store.reader.get(versionKey('f', '1'))).toEqual({ name: 'f', version: 1, tags: {} })
    expect(await store.reader.get(type.key(here, { FunctionName: 'f' }))).toEqual({ name: 'f' })
  })

  test('may name what cannot exist, with its fault and what a denial names', async () => {
    const { acted, row, missing } = await within((call) => type.find(call, 'f:live'))

    expect(row).toBeUndefined()
    expect(acted).toMatchObject({ arn: `${arn}:live`, requested: 'alias live' })
    expect(missing?.().code).toBe('NoAlias')
  })

  test('refuses a text that it does not understand', async () => {
    expect(await faultOf(() => within((call) => type.find(call, ':1')))).toBe('Invalid')
  })

  test('makes no ARN of another form, whatever it understands', async () => {
    expect(await faultOf(() => within((call) => type.find(call, 'f/g')))).toBe('Invalid')
  })
})

describe('Resources of AWS itself', () => {
  const policy = new ResourceType({
    kind: 'policy',
    type: 'AWS::IAM::Policy',
    arn: 'arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}',
    storedPer: 'account',
    idOf: (row: Row & { readonly name: string }) => ({ PolicyNameWithPath: row.name }),
    builtIn: (arn) => (arn === 'arn:aws:iam::aws:policy/Read' ? { name: 'Read' } : undefined),
    faults,
  })
  const find = (arn: string) => within((call) => Promise.resolve(policy.find(call, arn)))

  test('are found by their ARN, without a row, and belong to no account', async () => {
    const { acted, row } = await find('arn:aws:iam::aws:policy/Read')

    expect(acted).toMatchObject({ arn: 'arn:aws:iam::aws:policy/Read', account: 'aws' })
    expect(row?.row).toEqual({ name: 'Read' })
    expect((await find('arn:aws:iam::aws:policy/Write')).row).toBeUndefined()
    expect((await find(`arn:aws:iam::${ACCOUNT}:policy/Read`)).row).toBeUndefined()
  })

  test('cannot be written or removed, and no stored row takes their place', async () => {
    await put(key('iam', 'policy', 'aws', 'Write'), { name: 'Write' })
    const { row } = await find('arn:aws:iam::aws:policy/Read')

    expect(() => row?.save({ name: 'Read' })).toThrow('cannot be written')
    expect(() => row?.remove()).toThrow('cannot be written')
    expect((await find('arn:aws:iam::aws:policy/Write')).row).toBeUndefined()
  })
})
