/**
 * The way from a sign-in to a permission: a person signs in at a user pool, a rule of an identity pool chooses the role, its principal tag
 * opens one prefix of a bucket and one KMS key, guests are held to the scope-down policies, and all of it is in the audit log.
 */
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  SetIdentityPoolRolesCommand,
  SetPrincipalTagAttributeMapCommand,
} from '@aws-sdk/client-cognito-identity'
import { AdminCreateUserCommand, AdminSetUserPasswordCommand } from '@aws-sdk/client-cognito-identity-provider'
import { CreateRoleCommand, IAMClient, ListUsersCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateGrantCommand, CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { PASSWORD, poolFixture, signInBySrp } from '../src/services/cognitoidp/user-pool.fixture.ts'
import { ACCOUNT, allowing, type Keys } from './cloud.ts'

const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`
const EVERYTHING = { Action: '*', Resource: '*' }

test('A person who signs in at a user pool reaches the data of their team, a guest no more than guests may', async () => {
  const it = await poolFixture(
    { Schema: [{ Name: 'team', AttributeDataType: 'String', Mutable: true }] },
    { ReadAttributes: ['email', 'custom:team'], WriteAttributes: ['email'] },
  )
  const { idp, UserPoolId, ClientId } = it
  const person = async (Username: string, team: string) => {
    const UserAttributes = [
      { Name: 'email', Value: `${Username}@corp.test` },
      { Name: 'custom:team', Value: team },
    ]
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' }))
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
  }
  await person('ana', 'blue')
  await person('bob', 'none')

  const admin = it.client(CognitoIdentityClient)
  const ProviderName = `cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`
  const { IdentityPoolId } = await admin.send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: 'app',
      AllowUnauthenticatedIdentities: true,
      CognitoIdentityProviders: [{ ProviderName, ClientId, ServerSideTokenCheck: true }],
    }),
  )
  const iam = it.client(IAMClient)
  const role = async (RoleName: string, amr: string, ...statements: readonly object[]) => {
    const trust = {
      Principal: { Federated: 'cognito-identity.amazonaws.com' },
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
      Condition: {
        StringEquals: { 'cognito-identity.amazonaws.com:aud': IdentityPoolId },
        'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': amr },
      },
    }
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: allowing(trust) }))
    const PolicyDocument = allowing(...statements)
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'may', PolicyDocument }))
  }
  await role(
    'team',
    'authenticated',
    { Action: 's3:GetObject', Resource: 'arn:aws:s3:::teams/${aws:PrincipalTag/team}/*' },
    {
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
    },
  )
  await role('guest', 'unauthenticated', EVERYTHING)
  await admin.send(
    new SetIdentityPoolRolesCommand({
      IdentityPoolId,
      Roles: { unauthenticated: roleArn('guest') },
      RoleMappings: {
        [`${ProviderName}:${ClientId}`]: {
          Type: 'Rules',
          AmbiguousRoleResolution: 'Deny',
          RulesConfiguration: {
            Rules: [{ Claim: 'custom:team', MatchType: 'StartsWith', Value: 'bl', RoleARN: roleArn('team') }],
          },
        },
      },
    }),
  )
  await admin.send(
    new SetPrincipalTagAttributeMapCommand({
      IdentityPoolId,
      IdentityProviderName: `${ProviderName}:${ClientId}`,
      UseDefaults: false,
      PrincipalTags: { team: 'custom:team' },
    }),
  )

  const s3 = it.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'teams' }))
  for (const team of ['blue', 'red'])
    await s3.send(new PutObjectCommand({ Bucket: 'teams', Key: `${team}/a`, Body: team }))
  const kms = it.client(KMSClient)
  const sealed = async (team: string) => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Tags: [{ TagKey: 'team', TagValue: team }] }))
    const KeyId = KeyMetadata!.KeyId!
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(team) }))
    return { KeyId, CiphertextBlob }
  }
  const [blue, red] = [await sealed('blue'), await sealed('red')]

  const credentialsFor = async (Logins?: Record<string, string>): Promise<Keys> => {
    const anyone = it.client(CognitoIdentityClient)
    const { IdentityId } = await anyone.send(new GetIdCommand({ IdentityPoolId, ...(Logins && { Logins }) }))
    const { Credentials } = await anyone.send(
      new GetCredentialsForIdentityCommand({ IdentityId, ...(Logins && { Logins }) }),
    )
    const { AccessKeyId, SecretKey, SessionToken } = Credentials!
    return { accessKeyId: AccessKeyId!, secretAccessKey: SecretKey!, sessionToken: SessionToken! }
  }
  const loginOf = async (username: string) => ({
    [ProviderName]: (await signInBySrp(it, { username })).AuthenticationResult!.IdToken!,
  })

  const ana = await credentialsFor(await loginOf('ana'))
  const { Arn } = await it.client(STSClient, ana).send(new GetCallerIdentityCommand({}))
  expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/team/CognitoIdentityCredentials`)
  const read = (keys: Keys, Key: string) =>
    it.client(S3Client, keys).send(new GetObjectCommand({ Bucket: 'teams', Key }))
  const decrypt = (keys: Keys, secret: typeof blue) => it.client(KMSClient, keys).send(new DecryptCommand(secret))
  expect(await (await read(ana, 'blue/a')).Body!.transformToString()).toBe('blue')
  expect(Buffer.from((await decrypt(ana, blue)).Plaintext!).toString()).toBe('blue')
  const denied = [
    () => read(ana, 'red/a'),
    () => decrypt(ana, red),
    () => it.client(S3Client, ana).send(new PutObjectCommand({ Bucket: 'teams', Key: 'blue/b', Body: 'b' })),
    () => it.client(IAMClient, ana).send(new ListUsersCommand({})),
  ]
  for (const call of denied)
    await expect(call()).rejects.toMatchObject({ name: expect.stringMatching(/^AccessDenied/) })
  // No rule is for the team of another person, and there is no role instead.
  await expect(credentialsFor(await loginOf('bob'))).rejects.toMatchObject({ name: 'NotAuthorizedException' })

  const guest = await credentialsFor()
  expect(await (await read(guest, 'red/a')).Body!.transformToString()).toBe('red')
  const { KeyId } = blue
  await expect(
    it
      .client(KMSClient, guest)
      .send(new CreateGrantCommand({ KeyId, GranteePrincipal: roleArn('guest'), Operations: ['Decrypt'] })),
  ).rejects.toThrow(/no session policy allows/)
  await expect(it.client(IAMClient, guest).send(new ListUsersCommand({}))).rejects.toThrow(/no session policy allows/)

  const events = (await it.store.log({ account: ACCOUNT, limit: 500 })).map(({ body }) => JSON.parse(body))
  const named = (name: string) => events.filter(({ eventName }) => eventName === name)
  expect(named('InitiateAuth')).toHaveLength(2)
  expect(named('RespondToAuthChallenge')).toHaveLength(2)
  expect(named('GetCredentialsForIdentity').length).toBeGreaterThanOrEqual(2)
  expect(named('AssumeRoleWithWebIdentity').filter(({ errorCode }) => errorCode === undefined)).toHaveLength(2)
  const byRole = (name: string, event: string) =>
    named(event).filter(({ userIdentity }) => userIdentity.arn?.includes(`assumed-role/${name}/`))
  const reads = byRole('team', 'GetObject')
  expect(reads.map(({ errorCode }) => errorCode ?? 'read').sort()).toEqual(['AccessDenied', 'read'])
  expect(reads[0].userIdentity.sessionContext.webIdFederationData).toMatchObject({
    federatedProvider: 'cognito-identity.amazonaws.com',
  })
  expect(
    byRole('team', 'Decrypt')
      .map(({ errorCode }) => errorCode ?? 'decrypted')
      .sort(),
  ).toEqual(['AccessDenied', 'decrypted'])
  expect(byRole('guest', 'CreateGrant')[0]).toMatchObject({ errorCode: 'AccessDenied' })
  expect(JSON.stringify(events)).not.toContain('eyJ')
  expect(JSON.stringify(events)).not.toContain(PASSWORD)
})
