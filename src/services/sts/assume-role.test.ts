import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { accessKeyId } from '../../kernel/service/id.ts'
import { ACCOUNT, account, keysOf, MFA_CODE, OTHER_ACCOUNT } from './account.fixture.ts'

const who = new GetCallerIdentityCommand({})
const keyInfo = new GetAccessKeyInfoCommand({ AccessKeyId: accessKeyId('AKIA', ACCOUNT) })
const mayAssume = [{ Action: 'sts:AssumeRole', Resource: '*' }]
const trusting = (principal: string, condition?: object) => [
  { Action: 'sts:AssumeRole', Principal: { AWS: principal }, ...(condition && { Condition: condition }) },
]
const ann = `arn:aws:iam::${ACCOUNT}:user/ann`

function assume(RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) {
  return new AssumeRoleCommand({ RoleArn, RoleSessionName: 'work', ...more })
}

describe('AssumeRole', () => {
  it('makes a session of the role, named without its path', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('reader', {
      trust: trusting(ann),
      policy: [{ Action: 'sts:GetAccessKeyInfo', Resource: '*' }],
    })

    const answer = await as(user('ann')).send(assume(RoleArn))

    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/reader/work`
    expect(answer.AssumedRoleUser).toEqual({ Arn: arn, AssumedRoleId: 'AROAREADERAAAAAAAAAAA:work' })
    expect(answer.PackedPolicySize).toBeUndefined()
    expect(answer.Credentials!.Expiration!.getMilliseconds()).toBe(0)
    expect(await as(keysOf(answer)).send(who)).toMatchObject({ Arn: arn, UserId: 'AROAREADERAAAAAAAAAAA:work' })
    await expect(as(keysOf(answer)).send(keyInfo)).resolves.toBeDefined()
  })

  it('requires a permission of the caller too where the trust names only the account', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('reader', { trust: trusting(ACCOUNT) })

    await expect(as(user('ann')).send(assume(RoleArn))).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(as(user('bob', mayAssume)).send(assume(RoleArn))).resolves.toBeDefined()
  })

  it('evaluates both accounts when they differ, even if the trust names the user', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('guest', { trust: trusting(ann) }, OTHER_ACCOUNT)

    const without = as(user('ann')).send(assume(RoleArn))
    await expect(without).rejects.toMatchObject({ name: 'AccessDenied' })

    const answer = await as(user('ann', mayAssume)).send(assume(RoleArn))
    expect(await as(keysOf(answer)).send(who)).toMatchObject({ Account: OTHER_ACCOUNT })
  })

  it('sounds the same for a role that is missing and one that trusts another', async () => {
    const { user, role, as } = await account()
    const client = as(user('ann', mayAssume))
    const forbidden = role('secret', { trust: trusting(OTHER_ACCOUNT) })
    const missing = forbidden.replace('secret', 'absent')

    const [one, other] = await Promise.all(
      [forbidden, missing].map((arn) => client.send(assume(arn)).catch((error) => error)),
    )

    expect(one).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
    expect(other.message).toBe(one.message.replace('secret', 'absent'))
    expect(other.$metadata.httpStatusCode).toBe(403)
  })

  it('leaves an event in another account only where the role exists: accounts and roles can be invented', async () => {
    const { store, user, role, as } = await account()
    const client = as(user('ann', mayAssume))
    const forbidden = role('secret', { trust: trusting(OTHER_ACCOUNT) }, OTHER_ACCOUNT)
    const events = (number: string) => store.log({ account: number, limit: 10 })

    await client.send(assume(forbidden.replace('secret', 'absent'))).catch(() => undefined)
    await client.send(assume('arn:aws:iam::999999999999:role/none')).catch(() => undefined)
    expect([await events(OTHER_ACCOUNT), await events('999999999999')]).toEqual([[], []])

    await client.send(assume(forbidden)).catch(() => undefined)
    expect(await events(OTHER_ACCOUNT)).toHaveLength(1)
  })

  it('refuses what is no ARN before any policy is evaluated', async () => {
    const { user, as } = await account()

    const asked = as(user('ann')).send(assume('not an arn but long enough'))

    await expect(asked).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'not an arn but long enough is invalid',
    })
  })

  it('lets a trust policy require an external ID: absent and wrong give the same error, the right one opens', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('partner', { trust: trusting(ann, { StringEquals: { 'sts:ExternalId': 'blue-42' } }) })
    const client = as(user('ann'))

    const absent = await client.send(assume(RoleArn)).catch((error) => error)
    const wrong = await client.send(assume(RoleArn, { ExternalId: 'red-1' })).catch((error) => error)

    expect(absent).toMatchObject({ name: 'AccessDenied' })
    expect(wrong.message).toBe(absent.message)
    await expect(client.send(assume(RoleArn, { ExternalId: 'blue-42' }))).resolves.toBeDefined()
  })

  it('lets a trust policy choose session names', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('named', {
      trust: trusting(ann, { StringEquals: { 'sts:RoleSessionName': '${aws:username}' } }),
    })
    const client = as(user('ann'))

    await expect(client.send(assume(RoleArn, { RoleSessionName: 'bob' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await expect(client.send(assume(RoleArn, { RoleSessionName: 'ann' }))).resolves.toBeDefined()
  })

  it('lets a trust policy require a second factor, shown in the same call', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('safe', { trust: trusting(ann, { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }) })
    const client = as(user('ann'))
    const SerialNumber = `arn:aws:iam::${ACCOUNT}:mfa/ann`

    await expect(client.send(assume(RoleArn))).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(client.send(assume(RoleArn, { SerialNumber, TokenCode: '000000' }))).rejects.toMatchObject({
      message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
    })
    await expect(client.send(assume(RoleArn, { SerialNumber, TokenCode: MFA_CODE }))).resolves.toBeDefined()
  })

  it('refuses root', async () => {
    const { root, role, as } = await account()
    const RoleArn = role('any', { trust: trusting(ACCOUNT) })

    await expect(as(root()).send(assume(RoleArn))).rejects.toMatchObject({
      message: 'Roles may not be assumed by root accounts.',
    })
  })
})

describe('the life of a role session', () => {
  it('may last as long as the role allows, and not a second more', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('long', { trust: trusting(ann), maxSessionSeconds: 7200 })
    const client = as(user('ann'))

    await expect(client.send(assume(RoleArn, { DurationSeconds: 7200 }))).resolves.toBeDefined()
    await expect(client.send(assume(RoleArn, { DurationSeconds: 7201 }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    })
  })

  it('is at most an hour where one role assumes another', async () => {
    const { user, role, as } = await account()
    const first = role('first', { trust: trusting(ann), policy: mayAssume })
    const second = role('second', { trust: trusting(first), maxSessionSeconds: 43_200 })
    const client = as(keysOf(await as(user('ann')).send(assume(first))))

    await expect(client.send(assume(second, { DurationSeconds: 3600 }))).resolves.toBeDefined()
    await expect(client.send(assume(second, { DurationSeconds: 3601 }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    })
  })
})

describe('session policies', () => {
  const everything = [{ Action: '*', Resource: '*' }]
  const only = (Action: string) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] })

  it('narrow the role and never widen it', async () => {
    const { user, role, as } = await account()
    const wide = role('wide', { trust: trusting(ann), policy: everything })
    const narrow = role('narrow', { trust: trusting(ann) })
    const client = as(user('ann'))

    const kept = await client.send(assume(wide, { Policy: only('sts:GetAccessKeyInfo') }))
    const lost = await client.send(assume(wide, { Policy: only('iam:GetUser') }))
    const never = await client.send(assume(narrow, { Policy: only('*') }))

    expect(kept.PackedPolicySize).toBeGreaterThan(0)
    await expect(as(keysOf(kept)).send(keyInfo)).resolves.toBeDefined()
    await expect(as(keysOf(lost)).send(keyInfo)).rejects.toMatchObject({
      message: expect.stringContaining('because no session policy allows the sts:GetAccessKeyInfo action'),
    })
    await expect(as(keysOf(never)).send(keyInfo)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('may be managed ones, up to ten', async () => {
    const { user, role, managed, as } = await account()
    const RoleArn = role('wide', { trust: trusting(ann), policy: everything })
    const arn = 'arn:aws:iam::aws:policy/Keys'
    managed(arn, [{ Action: 'sts:GetAccessKeyInfo', Resource: '*' }])
    const client = as(user('ann'))

    const answer = await client.send(assume(RoleArn, { PolicyArns: Array(10).fill({ arn }) }))
    const eleven = client.send(assume(RoleArn, { PolicyArns: Array(11).fill({ arn }) }))

    await expect(as(keysOf(answer)).send(keyInfo)).resolves.toBeDefined()
    await expect(eleven).rejects.toMatchObject({ name: 'ValidationError' })
  })

  it('have at most 2,048 characters', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('wide', { trust: trusting(ann) })
    const client = as(user('ann'))
    const padded = (length: number) => only('*').padEnd(length, ' ')

    await expect(client.send(assume(RoleArn, { Policy: padded(2048) }))).resolves.toBeDefined()
    await expect(client.send(assume(RoleArn, { Policy: padded(2049) }))).rejects.toMatchObject({
      name: 'ValidationError',
    })
  })
})

describe('session tags and source identity', () => {
  const all = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']
  const trust = (principal: string, Action: string | readonly string[] = all, Condition?: object) => [
    { Action, Principal: { AWS: principal }, ...(Condition && { Condition }) },
  ]
  const chain = [{ Action: 'sts:*', Resource: '*' }]
  const blue = { Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['team'] }

  it.each([
    ['sts:TagSession', blue],
    ['sts:SetSourceIdentity', { SourceIdentity: 'ann' }],
  ])('need %s from the trust policy', async (action, more) => {
    const { user, role, as } = await account()
    const client = as(user('ann', chain))
    const closed = role('closed', { trust: trust(ann, 'sts:AssumeRole') })
    const open = role('open', { trust: trust(ann, ['sts:AssumeRole', action]) })

    await expect(client.send(assume(closed, more))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(action),
    })
    await expect(client.send(assume(open, more))).resolves.toBeDefined()
  })

  it('may be limited by the trust policy to some values', async () => {
    const { user, role, as } = await account()
    const condition = { StringEquals: { 'aws:RequestTag/team': 'blue' } }
    const RoleArn = role('blue', {
      trust: [...trust(ann, 'sts:AssumeRole'), ...trust(ann, 'sts:TagSession', condition)],
    })
    const client = as(user('ann'))

    await expect(client.send(assume(RoleArn, { Tags: [{ Key: 'team', Value: 'red' }] }))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await expect(client.send(assume(RoleArn, blue))).resolves.toBeDefined()
  })

  it('override the tags of the role', async () => {
    const { user, role, as } = await account()
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'blue' } }
    const RoleArn = role('any', {
      trust: trust(ann),
      tags: { Team: 'red' },
      policy: [{ Action: 'sts:GetAccessKeyInfo', Resource: '*', Condition }],
    })
    const client = as(user('ann'))

    const plain = keysOf(await client.send(assume(RoleArn)))
    const tagged = keysOf(await client.send(assume(RoleArn, blue)))

    await expect(as(plain).send(keyInfo)).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(as(tagged).send(keyInfo)).resolves.toBeDefined()
  })

  it('go down a chain when transitive, where the next role cannot override them', async () => {
    const { user, role, as } = await account()
    const first = role('first', { trust: trust(ann), policy: chain })
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'blue' }, Null: { 'aws:PrincipalTag/other': 'true' } }
    const second = role('second', {
      trust: trust(first),
      policy: [{ Action: 'sts:GetAccessKeyInfo', Resource: '*', Condition }],
    })
    const Tags = [...blue.Tags, { Key: 'other', Value: 'x' }]
    const client = as(keysOf(await as(user('ann')).send(assume(first, { ...blue, Tags }))))

    const end = keysOf(await client.send(assume(second)))
    const override = client.send(assume(second, { Tags: [{ Key: 'Team', Value: 'red' }] }))

    await expect(as(end).send(keyInfo)).resolves.toBeDefined()
    await expect(override).rejects.toMatchObject({ name: 'InvalidParameterValue' })
  })

  it('need TagSession of every role in a chain that carries them', async () => {
    const { user, role, as } = await account()
    const first = role('first', { trust: trust(ann), policy: chain })
    const second = role('second', { trust: trust(first, 'sts:AssumeRole') })
    const client = as(keysOf(await as(user('ann')).send(assume(first, blue))))

    await expect(client.send(assume(second))).rejects.toMatchObject({
      message: expect.stringContaining('sts:TagSession'),
    })
  })

  it('refuse a transitive key that is not among the tags', async () => {
    const { user, role, as } = await account()
    const RoleArn = role('any', { trust: trust(ann) })

    const asked = as(user('ann')).send(assume(RoleArn, { ...blue, TransitiveTagKeys: ['size'] }))

    await expect(asked).rejects.toMatchObject({ name: 'InvalidParameterValue' })
  })

  it('keep the source identity to the end of the chain and in the trail', async () => {
    const { user, role, store, as } = await account()
    const first = role('first', { trust: trust(ann), policy: chain })
    const second = role('second', { trust: trust(first) })
    const client = as(keysOf(await as(user('ann')).send(assume(first, { SourceIdentity: 'ann' }))))

    await expect(client.send(assume(second, { SourceIdentity: 'eve' }))).rejects.toMatchObject({ name: 'AccessDenied' })
    const answer = await client.send(assume(second))
    await as(keysOf(answer)).send(who)

    expect(answer.SourceIdentity).toBe('ann')
    const [entry] = await store.log({
      account: ACCOUNT,
      limit: 1,
      region: 'us-east-1',
      attribute: ['EventName', 'GetCallerIdentity'],
    })
    expect(JSON.parse(entry!.body).userIdentity.sessionContext.sourceIdentity).toBe('ann')
  })
})

describe('the trail of AssumeRole', () => {
  it('names the role and the new key, and holds neither secret nor token', async () => {
    const { user, role, store, as } = await account()
    const RoleArn = role('reader', { trust: trusting(ann) })

    const keys = keysOf(await as(user('ann')).send(assume(RoleArn)))

    const [entry] = await store.log({ account: ACCOUNT, limit: 1 })
    expect(JSON.parse(entry!.body)).toMatchObject({
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      resources: [{ type: 'AWS::IAM::Role', ARN: RoleArn }],
      responseElements: { credentials: { accessKeyId: keys.accessKeyId } },
    })
    expect(entry!.body).not.toContain(keys.secretAccessKey)
    expect(entry!.body).not.toContain(keys.sessionToken)
  })
})
