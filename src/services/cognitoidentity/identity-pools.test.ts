/** Identity pools: both flows to credentials that IAM decides, the choice of roles, linked logins, developer users. */
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  DeleteIdentitiesCommand,
  DeleteIdentityPoolCommand,
  DescribeIdentityCommand,
  DescribeIdentityPoolCommand,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  GetIdentityPoolRolesCommand,
  GetOpenIdTokenCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
  GetPrincipalTagAttributeMapCommand,
  ListIdentitiesCommand,
  ListIdentityPoolsCommand,
  ListTagsForResourceCommand,
  LookupDeveloperIdentityCommand,
  MergeDeveloperIdentitiesCommand,
  SetIdentityPoolRolesCommand,
  SetPrincipalTagAttributeMapCommand,
  TagResourceCommand,
  UnlinkDeveloperIdentityCommand,
  UnlinkIdentityCommand,
  UntagResourceCommand,
  UpdateIdentityPoolCommand,
} from '@aws-sdk/client-cognito-identity'
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CreateRoleCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import { CreateGrantCommand, CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf } from '../../../test/cloud.ts'
import { readDocument } from '../../kernel/service/documents.ts'
import { under } from '../../store/store.ts'
import { CLIENT, identityPool, idToken, PROVIDER, PROVIDER_ARN, roleArn, USER_POOL } from './identity-pools.fixture.ts'
import { keyDocuments } from './tokens.ts'

const CUSTOM_SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role`
const who = async (it: Awaited<ReturnType<typeof identityPool>>, keys: Parameters<typeof it.client>[1]) =>
  (await it.client(STSClient, keys).send(new GetCallerIdentityCommand({}))).Arn
const named = (name: string) => ({ name })

describe('The enhanced flow', () => {
  test('gives a guest a session of the guest role, within the scope-down policies', async () => {
    const it = await identityPool()
    const id = await it.getId()

    const keys = await it.credentials(id)

    expect(id).toMatch(/^us-east-1:[0-9a-f-]{36}$/)
    expect(await who(it, keys)).toBe(`${CUSTOM_SESSION}/guest/CognitoIdentityCredentials`)
    // The role may do everything; the session may not.
    const kms = it.client(KMSClient, keys)
    const { KeyMetadata } = await it.client(KMSClient).send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata!.KeyId!
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') }))).resolves.toBeDefined()
    await expect(
      kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: roleArn('guest'), Operations: ['Decrypt'] })),
    ).rejects.toThrow(/no session policy allows/)
    await expect(it.client(IAMClient, keys).send(new ListUsersCommand({}))).rejects.toThrow(/no session policy allows/)
    // Each guest is a new identity, separate from all others.
    expect(await it.getId()).not.toBe(id)
  })

  test('gives people who sign in the other role, without those policies, and always the same identity', async () => {
    const it = await identityPool()
    const logins = async () => ({ [PROVIDER]: await it.token('ann') })
    const id = await it.getId(await logins())

    const keys = await it.credentials(id, await logins())

    expect(await it.getId(await logins())).toBe(id)
    expect(await who(it, keys)).toBe(`${CUSTOM_SESSION}/member/CognitoIdentityCredentials`)
    await expect(it.client(IAMClient, keys).send(new ListUsersCommand({}))).resolves.toBeDefined()
    const events = (await it.store.log({ account: ACCOUNT, limit: 200 })).map(({ body }) => JSON.parse(body))
    const [assumed] = events.filter(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
    expect(assumed.userIdentity).toMatchObject({
      type: 'WebIdentityUser',
      principalId: `cognito-identity.amazonaws.com:${it.poolId}:${id}`,
      identityProvider: 'cognito-identity.amazonaws.com',
    })
    const [given] = events.filter(({ eventName }) => eventName === 'GetCredentialsForIdentity')
    expect(given).toMatchObject({ eventCategory: 'Data', requestParameters: { identityId: id } })
    expect(given.resources[0].ARN).toBe(`arn:aws:cognito-identity:us-east-1:${ACCOUNT}:identitypool/${it.poolId}`)
    expect(JSON.stringify(events)).not.toContain('eyJ')
  })

  test('needs a login of the identity, a verified one, and one of a provider of the pool', async () => {
    const it = await identityPool()
    const id = await it.getId({ [PROVIDER]: await it.token('ann') })
    const guest = await it.getId()

    const refused: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['NotAuthorizedException', async () => it.credentials(id)],
      ['ResourceConflictException', async () => it.credentials(guest, { [PROVIDER]: await it.token('ann') })],
      ['NotAuthorizedException', async () => it.credentials(id, { [PROVIDER]: await it.token('bob') })],
      [
        'NotAuthorizedException',
        async () => it.credentials(id, { [PROVIDER]: await it.token('ann', { aud: 'other' }) }),
      ],
      [
        'NotAuthorizedException',
        async () => it.credentials(id, { [PROVIDER]: await it.token('ann', { iss: 'https://evil.example' }) }),
      ],
      [
        'NotAuthorizedException',
        async () => it.credentials(id, { [PROVIDER]: `${(await it.token('ann')).slice(0, -8)}AAAAAAAA` }),
      ],
      ['NotAuthorizedException', async () => it.credentials(id, { 'other.example.com': await it.token('ann') })],
      [
        'NotAuthorizedException',
        async () => it.credentials(id, { [USER_POOL]: idToken({ sub: 'ann', aud: 'elsewhere' }) }),
      ],
      [
        'NotAuthorizedException',
        async () => it.credentials(id, { [USER_POOL]: idToken({ sub: 'ann', outcome: 'revoked' }) }),
      ],
      ['ResourceNotFoundException', async () => it.credentials('us-east-1:00000000-0000-4000-8000-000000000000')],
      ['ResourceConflictException', async () => it.credentials(guest, { [PROVIDER]: await it.token('ann') })],
    ]
    for (const [name, call] of refused) await expect(call()).rejects.toMatchObject(named(name))
    it.clock.advance(1_000_000)
    await expect(it.credentials(id, { [PROVIDER]: await it.token('ann', { exp: 1 }) })).rejects.toThrow(/expired/)
  })

  test('is refused where the pool has no guests, no role, or a role that does not trust it', async () => {
    const closed = await identityPool({ AllowUnauthenticatedIdentities: false })
    await expect(closed.getId()).rejects.toThrow('Unauthenticated access is not supported for this identity pool.')

    const it = await identityPool({}, { Roles: { authenticated: roleArn('guest') } })
    await expect(it.credentials(await it.getId())).rejects.toMatchObject(
      named('InvalidIdentityPoolConfigurationException'),
    )
    const logins = { [PROVIDER]: await it.token('ann') }
    await expect(it.credentials(await it.getId(logins), logins)).rejects.toMatchObject(
      named('InvalidIdentityPoolConfigurationException'),
    )
  })

  test('bounds the unauthenticated identities', async () => {
    const it = await identityPool({}, {}, { 'cognito-identity/guests-per-second': 1 })
    const answers = await Promise.allSettled(Array.from({ length: 40 }, () => it.getId()))

    const refused = answers.filter((each) => each.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason).toMatchObject(named('TooManyRequestsException'))
    await expect(it.getId({ [PROVIDER]: await it.token('ann') })).resolves.toBeDefined()
  })

  test('bounds the requests about forged tokens that go to providers', async () => {
    const SupportedLoginProviders = { 'www.amazon.com': 'amzn1.app' }
    const it = await identityPool({ SupportedLoginProviders }, {}, { 'cognito-identity/token-lookups-per-second': 1 })
    const forged = () => it.getId({ 'www.amazon.com': 'forged' })
    const answers = await Promise.allSettled(Array.from({ length: 10 }, forged))

    const names = answers.map((each) => (each.status === 'rejected' ? (each.reason as Error).name : 'accepted'))
    expect(new Set(names)).toEqual(new Set(['NotAuthorizedException', 'TooManyRequestsException']))
  })

  test('accepts Facebook and Amazon by calling them, and Google by its keys', async () => {
    const it = await identityPool({
      SupportedLoginProviders: {
        'graph.facebook.com': '1234',
        'www.amazon.com': 'amzn1.app',
        'accounts.google.com': 'web;ios',
      },
    })

    for (const provider of ['graph.facebook.com', 'www.amazon.com']) {
      const id = await it.getId({ [provider]: 'ann-token' })
      await expect(it.credentials(id, { [provider]: 'ann-token' })).resolves.toBeDefined()
      await expect(it.getId({ [provider]: 'forged' })).rejects.toMatchObject(named('NotAuthorizedException'))
    }
    const google = (aud: string) => it.token('g', { iss: 'https://accounts.google.com', aud })
    await expect(it.getId({ 'accounts.google.com': await google('ios') })).resolves.toBeDefined()
    await expect(it.getId({ 'accounts.google.com': await google('other') })).rejects.toThrow(/audience/)
  })
})

describe('The basic flow', () => {
  test('is a token that STS accepts for roles that trust the pool', async () => {
    const it = await identityPool()
    const logins = { [PROVIDER]: await it.token('ann') }
    const IdentityId = await it.getId(logins)
    const { Token } = await it.anyone.send(new GetOpenIdTokenCommand({ IdentityId, Logins: logins }))
    const assume = (RoleArn: string, WebIdentityToken = Token) =>
      it
        .client(STSClient)
        .send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'app', WebIdentityToken }))

    const answer = await assume(roleArn('member'))

    expect(decodeJwt(Token!)).toMatchObject({
      iss: 'https://cognito-identity.amazonaws.com',
      aud: it.poolId,
      sub: IdentityId,
      amr: ['authenticated', PROVIDER, `${PROVIDER}:app:ann`],
    })
    expect(answer).toMatchObject({ SubjectFromWebIdentityToken: IdentityId, Audience: it.poolId })
    expect(await who(it, keysOf(answer))).toBe(`${CUSTOM_SESSION}/member/app`)
    await expect(assume(roleArn('guest'))).rejects.toMatchObject(named('AccessDenied'))
    const [header, , signature] = Token!.split('.')
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(Token!), amr: ['unauthenticated'] })).toString('base64url')
    await expect(assume(roleArn('guest'), `${header}.${forged}.${signature}`)).rejects.toMatchObject(
      named('InvalidIdentityTokenException'),
    )
    it.clock.advance(601_000)
    await expect(assume(roleArn('member'))).rejects.toMatchObject(named('ExpiredTokenException'))
  })

  test('is refused where the pool does not allow it; and the public keys verify its tokens', async () => {
    const it = await identityPool()
    const logins = { [PROVIDER]: await it.token('ann') }
    const IdentityId = await it.getId(logins)
    const { Token } = await it.anyone.send(new GetOpenIdTokenCommand({ IdentityId, Logins: logins }))
    const path = `/_merlon/public/cognito-identity/${ACCOUNT}/jwks.json`
    const keys = await readDocument(keyDocuments, it.store.reader, path)
    const closed = await identityPool({ AllowClassicFlow: false })
    const guest = await closed.getId()

    const set = createLocalJWKSet(keys as JSONWebKeySet)
    expect((await jwtVerify(Token!, set)).payload.sub).toBe(IdentityId)
    await expect(closed.anyone.send(new GetOpenIdTokenCommand({ IdentityId: guest }))).rejects.toThrow(
      'Basic (classic) flow is not enabled, please use enhanced flow.',
    )
  })
})

describe('The role of an identity', () => {
  const key = `${USER_POOL}:${CLIENT}`
  const ofToken = (AmbiguousRoleResolution: 'AuthenticatedRole' | 'Deny') =>
    ({ RoleMappings: { [key]: { Type: 'Token', AmbiguousRoleResolution } } }) as const

  test('is the one that the token prefers, or that the request chooses of those in the token', async () => {
    const it = await identityPool({}, ofToken('Deny'))
    await it.role('admin', 'authenticated')
    await it.role('audit', 'authenticated')
    const roles = { 'cognito:roles': [roleArn('admin'), roleArn('audit')] }
    const take = async (claims: object, custom?: string) => {
      const logins = { [USER_POOL]: idToken({ sub: 'ann', ...claims }) }
      return who(it, await it.credentials(await it.getId(logins), logins, custom))
    }

    expect(await take({ ...roles, 'cognito:preferred_role': roleArn('audit') })).toContain('/audit/')
    expect(await take(roles, roleArn('admin'))).toContain('/admin/')
    await expect(take(roles, roleArn('member'))).rejects.toMatchObject(named('NotAuthorizedException'))
    await expect(take(roles)).rejects.toMatchObject(named('NotAuthorizedException'))
    const lenient = await identityPool({}, ofToken('AuthenticatedRole'))
    const logins = { [USER_POOL]: idToken({ sub: 'ann' }) }
    expect(await who(lenient, await lenient.credentials(await lenient.getId(logins), logins))).toContain('/member/')
  })

  test('is that of the first rule that matches, each kind of rule', async () => {
    const it = await identityPool()
    for (const name of ['equals', 'starts', 'contains', 'unequal']) await it.role(name, 'authenticated')
    const rule = (MatchType: 'Equals' | 'StartsWith' | 'Contains' | 'NotEqual', Value: string, name: string) => ({
      Claim: 'custom:team',
      MatchType,
      Value,
      RoleARN: roleArn(name),
    })
    const Rules = [
      rule('Equals', 'blue', 'equals'),
      rule('StartsWith', 're', 'starts'),
      rule('Contains', 'ee', 'contains'),
      rule('NotEqual', 'none', 'unequal'),
    ]
    const set = (RoleMappings: ConstructorParameters<typeof SetIdentityPoolRolesCommand>[0]['RoleMappings']) =>
      it.admin.send(
        new SetIdentityPoolRolesCommand({
          IdentityPoolId: it.poolId,
          Roles: { authenticated: roleArn('member') },
          RoleMappings,
        }),
      )
    await set({ [key]: { Type: 'Rules', AmbiguousRoleResolution: 'AuthenticatedRole', RulesConfiguration: { Rules } } })
    const take = async (team?: string, custom?: string) => {
      const logins = { [USER_POOL]: idToken({ sub: 'ann', ...(team !== undefined && { 'custom:team': team }) }) }
      return (await who(it, await it.credentials(await it.getId(logins), logins, custom)))!.split('/')[1]
    }

    const taken = []
    for (const team of ['blue', 'red', 'green', 'pink', 'none', undefined]) taken.push(await take(team))
    expect(taken).toEqual(['equals', 'starts', 'contains', 'unequal', 'member', 'member'])
    await expect(take('blue', roleArn('equals'))).rejects.toMatchObject(named('NotAuthorizedException'))
    expect(await it.admin.send(new GetIdentityPoolRolesCommand({ IdentityPoolId: it.poolId }))).toMatchObject({
      Roles: { authenticated: roleArn('member') },
      RoleMappings: { [key]: { RulesConfiguration: { Rules } } },
    })
    const many = Array.from({ length: 26 }, () => Rules[0]!)
    for (const wrong of [
      { Type: 'Rules' as const, RulesConfiguration: { Rules } },
      { Type: 'Rules' as const, AmbiguousRoleResolution: 'Deny' as const },
      { Type: 'Rules' as const, AmbiguousRoleResolution: 'Deny' as const, RulesConfiguration: { Rules: many } },
    ])
      await expect(set({ [key]: wrong })).rejects.toMatchObject(named('InvalidParameterException'))
  })

  test('is set on a pool by a caller that may pass it', async () => {
    const it = await identityPool()
    const ann = await it.user('ann', allowing({ Action: 'cognito-identity:*', Resource: '*' }))
    const set = new SetIdentityPoolRolesCommand({
      IdentityPoolId: it.poolId,
      Roles: { authenticated: roleArn('member') },
    })
    const ask = () => it.client(Object.getPrototypeOf(it.admin).constructor, ann) as typeof it.admin

    await expect(ask().send(set)).rejects.toThrow(/iam:PassRole/)
    await it.permit(
      'ann',
      allowing(
        { Action: 'cognito-identity:*', Resource: '*' },
        {
          Action: 'iam:PassRole',
          Resource: roleArn('member'),
          Condition: { StringEquals: { 'iam:PassedToService': 'cognito-identity.amazonaws.com' } },
        },
      ),
    )
    await expect(ask().send(set)).resolves.toBeDefined()
  })
})

test('a principal tag of the token opens one prefix of a bucket and one key, and nothing else', async () => {
  const it = await identityPool()
  const s3 = it.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'teams' }))
  await s3.send(new PutObjectCommand({ Bucket: 'teams', Key: 'blue/a', Body: 'blue' }))
  await s3.send(new PutObjectCommand({ Bucket: 'teams', Key: 'red/a', Body: 'red' }))
  const kms = it.client(KMSClient)
  const keyOf = async (team: string) =>
    (await kms.send(new CreateKeyCommand({ Tags: [{ TagKey: 'team', TagValue: team }] }))).KeyMetadata!.KeyId!
  const [blue, red] = [await keyOf('blue'), await keyOf('red')]
  await it.role(
    'team',
    'authenticated',
    { Action: 's3:GetObject', Resource: 'arn:aws:s3:::teams/${aws:PrincipalTag/team}/*' },
    {
      Action: 'kms:Encrypt',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
    },
  )
  const { poolId: IdentityPoolId } = it
  await it.admin.send(new SetIdentityPoolRolesCommand({ IdentityPoolId, Roles: { authenticated: roleArn('team') } }))
  const mapping = { IdentityPoolId, IdentityProviderName: `${USER_POOL}:${CLIENT}` }
  await it.admin.send(
    new SetPrincipalTagAttributeMapCommand({ ...mapping, UseDefaults: false, PrincipalTags: { team: 'custom:team' } }),
  )
  const logins = { [USER_POOL]: idToken({ sub: 'ann', 'custom:team': 'blue' }) }

  const keys = await it.credentials(await it.getId(logins), logins)

  const read = (Key: string) => it.client(S3Client, keys).send(new GetObjectCommand({ Bucket: 'teams', Key }))
  const encrypt = (KeyId: string) =>
    it.client(KMSClient, keys).send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') }))
  expect(await (await read('blue/a')).Body!.transformToString()).toBe('blue')
  await expect(read('red/a')).rejects.toMatchObject(named('AccessDenied'))
  await expect(encrypt(blue)).resolves.toBeDefined()
  await expect(encrypt(red)).rejects.toMatchObject(named('AccessDeniedException'))
  await expect(it.client(IAMClient, keys).send(new ListUsersCommand({}))).rejects.toMatchObject(named('AccessDenied'))
  expect(await it.admin.send(new GetPrincipalTagAttributeMapCommand(mapping))).toMatchObject({
    UseDefaults: false,
    PrincipalTags: { team: 'custom:team' },
  })
})

describe('Logins', () => {
  test('are linked to an identity, and unlinked; without any it is reached no more', async () => {
    const it = await identityPool()
    const own = { [PROVIDER]: await it.token('ann') }
    const both = { ...own, [USER_POOL]: idToken({ sub: 'ann' }) }
    const IdentityId = await it.getId()
    await it.credentials(IdentityId, own)
    await it.credentials(IdentityId, both)
    const describe = () => it.admin.send(new DescribeIdentityCommand({ IdentityId }))
    expect((await describe()).Logins).toEqual([PROVIDER, USER_POOL])
    expect(await it.getId({ [USER_POOL]: both[USER_POOL]! })).toBe(IdentityId)

    const unlink = (LoginsToRemove: string[]) =>
      it.anyone.send(new UnlinkIdentityCommand({ IdentityId, Logins: own, LoginsToRemove }))
    await unlink([USER_POOL])
    expect((await describe()).Logins).toEqual([PROVIDER])
    expect(await it.getId({ [USER_POOL]: both[USER_POOL]! })).not.toBe(IdentityId)
    await expect(unlink([USER_POOL])).rejects.toMatchObject(named('InvalidParameterException'))
    await unlink([PROVIDER])
    await expect(it.credentials(IdentityId)).rejects.toMatchObject(named('NotAuthorizedException'))
    await expect(it.credentials(IdentityId, own)).rejects.toMatchObject(named('NotAuthorizedException'))
    const listed = async (HideDisabled: boolean) =>
      (await it.admin.send(new ListIdentitiesCommand({ IdentityPoolId: it.poolId, MaxResults: 60, HideDisabled })))
        .Identities!
    expect((await listed(false)).length - (await listed(true)).length).toBe(1)
  })

  test('of two identities are not brought together by a request that has both', async () => {
    const it = await identityPool()
    await it.getId({ [PROVIDER]: await it.token('ann') })
    await it.getId({ [USER_POOL]: idToken({ sub: 'ann' }) })

    await expect(
      it.getId({ [PROVIDER]: await it.token('ann'), [USER_POOL]: idToken({ sub: 'ann' }) }),
    ).rejects.toMatchObject(named('ResourceConflictException'))
  })
})

describe('Developer users', () => {
  const developer = 'login.my.app'
  async function world() {
    const it = await identityPool()
    const { poolId: IdentityPoolId } = it
    const sign = (user: string, more: object = {}) =>
      it.admin.send(
        new GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId, Logins: { [developer]: user }, ...more }),
      )
    const lookup = (by: { IdentityId?: string; DeveloperUserIdentifier?: string }) =>
      it.admin.send(new LookupDeveloperIdentityCommand({ IdentityPoolId, ...by }))
    return { ...it, IdentityPoolId, sign, lookup }
  }

  test('get credentials by the token that their backend has', async () => {
    const it = await world()
    const { IdentityId, Token } = await it.sign('ann', { PrincipalTags: { team: 'blue' }, TokenDuration: 60 })
    const logins = { 'cognito-identity.amazonaws.com': Token! }

    const keys = await it.credentials(IdentityId!, logins)

    expect(await who(it, keys)).toContain('/member/')
    expect((await it.sign('ann')).IdentityId).toBe(IdentityId)
    expect(decodeJwt(Token!)).toMatchObject({ amr: ['authenticated', developer, `${developer}:${it.poolId}:ann`] })
    const other = await it.getId()
    await expect(it.credentials(other, logins)).rejects.toMatchObject(named('NotAuthorizedException'))
    await expect(it.credentials(IdentityId!)).rejects.toMatchObject(named('NotAuthorizedException'))
    it.clock.advance(61_000)
    await expect(it.credentials(IdentityId!, logins)).rejects.toThrow(/expired/)
  })

  test('are proved by tokens of the backend alone, not by tokens that the basic flow issues', async () => {
    const it = await world()
    const own = 'cognito-identity.amazonaws.com'
    const openIdToken = async (IdentityId: string, Logins?: Record<string, string>) =>
      (await it.anyone.send(new GetOpenIdTokenCommand({ IdentityId, ...(Logins && { Logins }) }))).Token!

    // A guest who presents the token of a guest is still none who has signed in.
    const guest = await it.getId()
    const guestToken = { [own]: await openIdToken(guest) }
    await expect(it.credentials(guest, guestToken)).rejects.toMatchObject(named('NotAuthorizedException'))
    await expect(openIdToken(guest, guestToken)).rejects.toMatchObject(named('NotAuthorizedException'))

    // Nor does a token outlive the sign-in that it was issued for.
    const logins = { [PROVIDER]: await it.token('ann') }
    const ann = await it.getId(logins)
    const annToken = { [own]: await openIdToken(ann, logins) }
    await expect(it.credentials(ann, annToken)).rejects.toMatchObject(named('NotAuthorizedException'))

    // What is issued for the backend's token ends when that does.
    const { IdentityId, Token } = await it.sign('bob', { TokenDuration: 60 })
    const issued = await openIdToken(IdentityId!, { [own]: Token! })
    expect(decodeJwt(issued).exp).toBe(decodeJwt(Token!).exp)
    expect(await who(it, await it.credentials(IdentityId!, { [own]: issued }))).toContain('/member/')

    // And no token is good for a user that has been unlinked.
    await it.admin.send(
      new UnlinkDeveloperIdentityCommand({
        IdentityPoolId: it.IdentityPoolId,
        IdentityId,
        DeveloperProviderName: developer,
        DeveloperUserIdentifier: 'bob',
      }),
    )
    await expect(it.credentials(IdentityId!, { [own]: Token! })).rejects.toMatchObject(named('NotAuthorizedException'))
  })

  test('are looked up, merged and unlinked', async () => {
    const it = await world()
    const { IdentityPoolId } = it
    const [ann, bob] = [(await it.sign('ann')).IdentityId!, (await it.sign('bob')).IdentityId!]
    const merge = new MergeDeveloperIdentitiesCommand({
      IdentityPoolId,
      DeveloperProviderName: developer,
      SourceUserIdentifier: 'ann',
      DestinationUserIdentifier: 'bob',
    })

    expect(await it.lookup({ DeveloperUserIdentifier: 'ann' })).toMatchObject({ IdentityId: ann })
    await expect(it.lookup({ IdentityId: bob, DeveloperUserIdentifier: 'ann' })).rejects.toMatchObject(
      named('ResourceConflictException'),
    )
    await expect(it.sign('ann', { IdentityId: bob })).rejects.toMatchObject(
      named('DeveloperUserAlreadyRegisteredException'),
    )
    expect((await it.admin.send(merge)).IdentityId).toBe(bob)
    expect((await it.lookup({ IdentityId: bob })).DeveloperUserIdentifierList).toEqual(['ann', 'bob'])
    expect((await it.sign('ann')).IdentityId).toBe(bob)
    await expect(it.admin.send(new DescribeIdentityCommand({ IdentityId: ann }))).rejects.toMatchObject(
      named('ResourceNotFoundException'),
    )
    const unlink = (DeveloperUserIdentifier: string) =>
      it.admin.send(
        new UnlinkDeveloperIdentityCommand({
          IdentityPoolId,
          IdentityId: bob,
          DeveloperProviderName: developer,
          DeveloperUserIdentifier,
        }),
      )
    await unlink('ann')
    expect((await it.sign('ann')).IdentityId).not.toBe(bob)
    await expect(unlink('ann')).rejects.toMatchObject(named('ResourceNotFoundException'))
  })
})

describe('A pool', () => {
  test('is created, changed, tagged, listed and deleted with its identities', async () => {
    const it = await identityPool({ IdentityPoolTags: { team: 'blue' } })
    const { poolId: IdentityPoolId } = it
    const ResourceArn = `arn:aws:cognito-identity:us-east-1:${ACCOUNT}:identitypool/${IdentityPoolId}`
    const tags = async () => (await it.admin.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags
    const guest = await it.getId()

    expect(await it.admin.send(new DescribeIdentityPoolCommand({ IdentityPoolId }))).toMatchObject({
      IdentityPoolName: 'app',
      AllowUnauthenticatedIdentities: true,
      OpenIdConnectProviderARNs: [PROVIDER_ARN],
      IdentityPoolTags: { team: 'blue' },
    })
    await it.admin.send(new TagResourceCommand({ ResourceArn, Tags: { cost: '1' } }))
    await it.admin.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }))
    expect(await tags()).toEqual({ cost: '1' })
    const changed = { IdentityPoolId, IdentityPoolName: 'renamed', AllowUnauthenticatedIdentities: false }
    await expect(it.admin.send(new UpdateIdentityPoolCommand(changed))).rejects.toThrow(/developer provider/)
    const kept = { ...changed, DeveloperProviderName: 'login.my.app' }
    expect(await it.admin.send(new UpdateIdentityPoolCommand(kept))).toMatchObject({ IdentityPoolName: 'renamed' })
    // What an update leaves out is taken away.
    await expect(it.getId({ [PROVIDER]: await it.token('ann') })).rejects.toThrow(/supported provider/)
    const { IdentityPools } = await it.admin.send(new ListIdentityPoolsCommand({ MaxResults: 10 }))
    expect(IdentityPools).toEqual([{ IdentityPoolId, IdentityPoolName: 'renamed' }])

    await it.admin.send(new DeleteIdentityPoolCommand({ IdentityPoolId }))
    await it.pass(1_000)

    await expect(it.credentials(guest)).rejects.toMatchObject(named('ResourceNotFoundException'))
    await expect(it.getId()).rejects.toMatchObject(named('ResourceNotFoundException'))
    const left = await it.store.reader.range(under('cognito-identity'))
    expect(left.map(({ key }) => key).filter((each) => !/key/.test(each))).toEqual([])
  })

  test('names providers that exist and that Merlon can verify', async () => {
    const it = await identityPool()
    const create = (more: object) =>
      it.admin.send(
        new CreateIdentityPoolCommand({ IdentityPoolName: 'b', AllowUnauthenticatedIdentities: false, ...more }),
      )

    await expect(create({ OpenIdConnectProviderARNs: [`${PROVIDER_ARN}.nowhere`] })).rejects.toMatchObject(
      named('InvalidParameterException'),
    )
    await expect(create({ SupportedLoginProviders: { 'api.twitter.com': 'a;b' } })).rejects.toMatchObject(
      named('NotImplemented'),
    )
    await expect(create({ SupportedLoginProviders: { 'evil.example': 'a' } })).rejects.toMatchObject(
      named('InvalidParameterException'),
    )
    await expect(
      create({ CognitoIdentityProviders: [{ ProviderName: 'evil.example/x', ClientId: 'a' }] }),
    ).rejects.toMatchObject(named('InvalidParameterException'))
  })

  test('identities are deleted by callers with the permission, of each pool alike', async () => {
    const it = await identityPool()
    const [first, second] = [await it.getId(), await it.getId()]
    const arn = `arn:aws:cognito-identity:us-east-1:${ACCOUNT}:identitypool/${it.poolId}`
    const ann = await it.user('ann', allowing({ Action: 'cognito-identity:DeleteIdentities', Resource: '*' }))
    const client = it.client(Object.getPrototypeOf(it.admin).constructor, ann) as typeof it.admin
    const remove = (...IdentityIdsToDelete: string[]) =>
      client.send(new DeleteIdentitiesCommand({ IdentityIdsToDelete }))

    const missing = 'us-east-1:00000000-0000-4000-8000-000000000000'
    expect((await remove(first, missing)).UnprocessedIdentityIds).toEqual([
      { IdentityId: missing, ErrorCode: 'AccessDenied' },
    ])
    await it.permit(
      'ann',
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'cognito-identity:*', Resource: '*' },
          {
            Effect: 'Deny',
            Action: 'cognito-identity:DeleteIdentities',
            Resource: '*',
            Condition: { ArnEquals: { 'cognito-identity:IdentityPoolArn': arn } },
          },
        ],
      }),
    )
    await expect(remove(second)).rejects.toMatchObject(named('AccessDeniedException'))
    // Behind an identity of another pool the same Deny binds.
    expect((await remove(missing, second)).UnprocessedIdentityIds).toHaveLength(2)
    await expect(it.credentials(second)).resolves.toBeDefined()
  })
})

test('a user of a user pool gets the role of their group, and none once they are disabled', async () => {
  const it = await cloud()
  const [idp, admin, iam] = [
    it.client(CognitoIdentityProviderClient),
    it.client(CognitoIdentityClient),
    it.client(IAMClient),
  ]
  const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'people' }))
  const UserPoolId = UserPool!.Id!
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'app',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    }),
  )
  const ClientId = UserPoolClient!.ClientId!
  const ProviderName = `cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`
  const { IdentityPoolId } = await admin.send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: 'app',
      AllowUnauthenticatedIdentities: false,
      CognitoIdentityProviders: [{ ProviderName, ClientId, ServerSideTokenCheck: true }],
    }),
  )
  const trust = {
    Principal: { Federated: 'cognito-identity.amazonaws.com' },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { 'cognito-identity.amazonaws.com:aud': IdentityPoolId } },
  }
  await iam.send(new CreateRoleCommand({ RoleName: 'editors', AssumeRolePolicyDocument: allowing(trust) }))
  await admin.send(
    new SetIdentityPoolRolesCommand({
      IdentityPoolId,
      Roles: {},
      RoleMappings: { [`${ProviderName}:${ClientId}`]: { Type: 'Token', AmbiguousRoleResolution: 'Deny' } },
    }),
  )
  await idp.send(new CreateGroupCommand({ UserPoolId, GroupName: 'editors', RoleArn: roleArn('editors') }))
  const user = { UserPoolId, Username: 'ann' }
  const password = 'Correct-horse-1'
  await idp.send(new AdminCreateUserCommand({ ...user, MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }))
  await idp.send(new AdminAddUserToGroupCommand({ ...user, GroupName: 'editors' }))
  const { AuthenticationResult } = await idp.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: password },
    }),
  )
  const Logins = { [ProviderName]: AuthenticationResult!.IdToken! }
  const { IdentityId } = await admin.send(new GetIdCommand({ IdentityPoolId, Logins }))
  const credentials = (more: object = { Logins }) =>
    admin.send(new GetCredentialsForIdentityCommand({ IdentityId, ...more }))

  const { Credentials } = await credentials()

  const { AccessKeyId, SecretKey, SessionToken } = Credentials!
  const keys = { accessKeyId: AccessKeyId!, secretAccessKey: SecretKey!, sessionToken: SessionToken! }
  expect(await it.client(STSClient, keys).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Arn: `${CUSTOM_SESSION}/editors/CognitoIdentityCredentials`,
  })
  const wrong = { [ProviderName]: AuthenticationResult!.AccessToken! }
  await expect(credentials({ Logins: wrong })).rejects.toMatchObject(named('NotAuthorizedException'))
  await idp.send(new AdminDisableUserCommand(user))
  await expect(credentials()).rejects.toThrow(/revoked/)
})
