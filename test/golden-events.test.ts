/**
 * For each kind of principal the whole event, member by member, as the record reference has it.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 */
import {
  CreateRoleCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, keysOf, OTHER_ACCOUNT } from './cloud.ts'

const ID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
const DAY_MS = 86_400_000

async function world() {
  const it = await cloud()
  const events = async (account = ACCOUNT) =>
    (await it.store.evidence(0, 10_000)).filter((row) => row.account === account).map(({ body }) => JSON.parse(body))
  return {
    ...it,
    events,
    last: async (eventName: string, account = ACCOUNT) =>
      (await events(account)).filter((event) => event.eventName === eventName).at(-1),
  }
}

/** A call of GetCallerIdentity by any caller: only the identity differs. */
const asked = (userIdentity: object, account = ACCOUNT) => ({
  eventVersion: '1.11',
  userIdentity,
  eventTime: TIME,
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetCallerIdentity',
  awsRegion: 'us-east-1',
  sourceIPAddress: '127.0.0.1',
  userAgent: expect.stringContaining('aws-sdk-js/'),
  requestParameters: null,
  responseElements: null,
  requestID: ID,
  eventID: ID,
  readOnly: true,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: account,
  eventCategory: 'Management',
  tlsDetails: { clientProvidedHostHeader: 'localhost' },
})

const attributes = (mfaAuthenticated = 'false') => ({ creationDate: TIME, mfaAuthenticated })

describe('The event of', () => {
  const identified = async (it: Awaited<ReturnType<typeof world>>, keys: Keys) => {
    await it.client(STSClient, keys).send(new GetCallerIdentityCommand({}))
    return it.last('GetCallerIdentity')
  }

  test('a root user', async () => {
    const it = await world()
    expect(await identified(it, it.root)).toEqual(
      asked({
        type: 'Root',
        principalId: ACCOUNT,
        arn: `arn:aws:iam::${ACCOUNT}:root`,
        accountId: ACCOUNT,
        accessKeyId: it.root.accessKeyId,
      }),
    )
  })

  test('an IAM user, with a key and in a session', async () => {
    const it = await world()
    const keys = await it.user('ann')
    const ann = {
      type: 'IAMUser',
      principalId: expect.stringMatching(/^AIDA[A-Z2-7]{16,17}$/),
      arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
      accountId: ACCOUNT,
      accessKeyId: keys.accessKeyId,
      userName: 'ann',
    }
    expect(await identified(it, keys)).toEqual(asked(ann))
    const session = keysOf(await it.client(STSClient, keys).send(new GetSessionTokenCommand({})))
    expect(await identified(it, session)).toEqual(
      asked({ ...ann, accessKeyId: session.accessKeyId, sessionContext: { attributes: attributes() } }),
    )
  })

  test('an assumed role, with its issuer and the identity it came from', async () => {
    const it = await world()
    const Principal = { AWS: ACCOUNT }
    const trust = allowing({ Principal, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'] })
    const { Role } = await it
      .client(IAMClient)
      .send(new CreateRoleCommand({ RoleName: 'deploy', Path: '/ci/', AssumeRolePolicyDocument: trust }))
    const keys = await it.user('ann', allowing({ Action: 'sts:*', Resource: '*' }))
    const session = keysOf(
      await it.client(STSClient, keys).send(
        new AssumeRoleCommand({
          RoleArn: Role!.Arn,
          RoleSessionName: 'night',
          SourceIdentity: 'ann@example.com',
          Tags: [{ Key: 'team', Value: 'blue' }],
          TransitiveTagKeys: ['team'],
        }),
      ),
    )
    expect(await identified(it, session)).toEqual(
      asked({
        type: 'AssumedRole',
        principalId: `${Role!.RoleId}:night`,
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/night`,
        accountId: ACCOUNT,
        accessKeyId: session.accessKeyId,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: Role!.RoleId,
            arn: Role!.Arn,
            accountId: ACCOUNT,
            userName: 'deploy',
          },
          attributes: attributes(),
          sourceIdentity: 'ann@example.com',
        },
      }),
    )
    const told = await it.last('AssumeRole')
    expect(told.requestParameters).toEqual({
      roleArn: Role!.Arn,
      roleSessionName: 'night',
      sourceIdentity: 'ann@example.com',
      tags: [{ key: 'team', value: 'blue' }],
      transitiveTagKeys: ['team'],
    })
    expect(told.responseElements).toEqual({
      credentials: {
        accessKeyId: session.accessKeyId,
        secretAccessKey: 'HIDDEN_DUE_TO_SECURITY_REASONS',
        sessionToken: 'HIDDEN_DUE_TO_SECURITY_REASONS',
        expiration: TIME,
      },
      assumedRoleUser: {
        assumedRoleId: `${Role!.RoleId}:night`,
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/night`,
      },
      packedPolicySize: expect.any(Number),
      sourceIdentity: 'ann@example.com',
    })
    expect(told.resources).toEqual([{ accountId: ACCOUNT, type: 'AWS::IAM::Role', ARN: Role!.Arn }])
  })

  test('a federated user', async () => {
    const it = await world()
    const keys = await it.user('ann', allowing({ Action: 'sts:*', Resource: '*' }))
    const session = keysOf(await it.client(STSClient, keys).send(new GetFederationTokenCommand({ Name: 'visitor' })))
    expect(await identified(it, session)).toEqual(
      asked({
        type: 'FederatedUser',
        principalId: `${ACCOUNT}:visitor`,
        arn: `arn:aws:sts::${ACCOUNT}:federated-user/visitor`,
        accountId: ACCOUNT,
        accessKeyId: session.accessKeyId,
        sessionContext: {
          sessionIssuer: {
            type: 'IAMUser',
            principalId: expect.stringMatching(/^AIDA/),
            arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
            accountId: ACCOUNT,
            userName: 'ann',
          },
          attributes: attributes(),
        },
      }),
    )
  })

  test('a refusal: the request, and the sentence the caller got', async () => {
    const it = await world()
    const keys = await it.user('ann')
    const refused = await it
      .client(IAMClient, keys)
      .send(new GetUserCommand({ UserName: 'bob' }))
      .catch((error: Error) => error as Error)
    const arn = `arn:aws:iam::${ACCOUNT}:user/bob`
    expect(await it.last('GetUser')).toMatchObject({
      errorCode: 'AccessDenied',
      errorMessage: (refused as Error).message,
      requestParameters: { userName: 'bob' },
      responseElements: null,
      resources: [{ accountId: ACCOUNT, type: 'AWS::IAM::User', ARN: arn }],
      additionalEventData: {
        merlonDecisions: [{ action: 'iam:GetUser', resource: arn, effect: 'Deny', layer: 'identity' }],
      },
    })
  })

  test('a service on behalf of a caller: the caller’s identity, and the service that carried the call', async () => {
    const it = await world()
    const keys = await it.user('ann', allowing({ Action: '*', Resource: '*' }))
    await it.client(SecretsManagerClient, keys).send(new CreateSecretCommand({ Name: 's', SecretString: 'x' }))
    const told = await it.last('GenerateDataKey')
    expect(told).toMatchObject({
      userIdentity: { type: 'IAMUser', userName: 'ann', invokedBy: 'secretsmanager.amazonaws.com' },
      sourceIPAddress: 'secretsmanager.amazonaws.com',
      userAgent: 'secretsmanager.amazonaws.com',
      eventSource: 'kms.amazonaws.com',
      requestParameters: { encryptionContext: { SecretARN: expect.stringContaining(':secret:s-') } },
    })
    expect(await it.last('CreateSecret')).not.toHaveProperty('userIdentity.invokedBy')
  })

  test('a service by itself', async () => {
    const it = await world()
    const { KeyMetadata } = await it.client(KMSClient).send(new CreateKeyCommand({}))
    await it
      .client(KMSClient)
      .send(new EnableKeyRotationCommand({ KeyId: KeyMetadata!.KeyId, RotationPeriodInDays: 90 }))
    await it.pass(91 * DAY_MS)
    expect(await it.last('RotateKey')).toEqual({
      eventVersion: '1.11',
      userIdentity: { accountId: ACCOUNT, invokedBy: 'kms.amazonaws.com' },
      eventTime: TIME,
      eventSource: 'kms.amazonaws.com',
      eventName: 'RotateKey',
      awsRegion: 'us-east-1',
      sourceIPAddress: 'kms.amazonaws.com',
      userAgent: 'kms.amazonaws.com',
      requestParameters: null,
      responseElements: null,
      eventID: ID,
      readOnly: false,
      resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: KeyMetadata!.Arn }],
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      serviceEventDetails: expect.objectContaining({ rotationType: 'AUTOMATIC' }),
      eventCategory: 'Management',
    })
  })

  test('another account, recorded in both accounts, which share an ID', async () => {
    const it = await world()
    const { KeyMetadata } = await it.client(KMSClient).send(new CreateKeyCommand({}))
    const stranger = await it.account()
    const Policy = allowing({ Principal: { AWS: [ACCOUNT, OTHER_ACCOUNT] }, Action: 'kms:*', Resource: '*' })
    await it.client(KMSClient).send(new PutKeyPolicyCommand({ KeyId: KeyMetadata!.KeyId, Policy }))
    await it.client(KMSClient, stranger).send(new DescribeKeyCommand({ KeyId: KeyMetadata!.Arn }))
    const [theirs, ours] = [await it.last('DescribeKey', OTHER_ACCOUNT), await it.last('DescribeKey')]
    const shared = {
      eventVersion: '1.11',
      eventTime: TIME,
      eventSource: 'kms.amazonaws.com',
      eventName: 'DescribeKey',
      awsRegion: 'us-east-1',
      sourceIPAddress: '127.0.0.1',
      userAgent: expect.stringContaining('aws-sdk-js/'),
      requestParameters: { keyId: KeyMetadata!.Arn },
      responseElements: null,
      requestID: ID,
      eventID: ID,
      readOnly: true,
      resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: KeyMetadata!.Arn }],
      eventType: 'AwsApiCall',
      managementEvent: true,
      sharedEventID: ID,
      eventCategory: 'Management',
      additionalEventData: { merlonDecisions: [expect.objectContaining({ effect: 'Allow' })] },
      tlsDetails: { clientProvidedHostHeader: 'localhost' },
    }
    expect(theirs).toEqual({
      ...shared,
      userIdentity: {
        type: 'Root',
        principalId: OTHER_ACCOUNT,
        arn: `arn:aws:iam::${OTHER_ACCOUNT}:root`,
        accountId: OTHER_ACCOUNT,
        accessKeyId: stranger.accessKeyId,
      },
      recipientAccountId: OTHER_ACCOUNT,
    })
    expect(ours).toEqual({
      ...shared,
      userIdentity: { type: 'AWSAccount', principalId: OTHER_ACCOUNT, accountId: OTHER_ACCOUNT },
      recipientAccountId: ACCOUNT,
    })
    expect(ours.sharedEventID).toBe(theirs.sharedEventID)
    expect(ours.eventID).not.toBe(theirs.eventID)
  })
})

test('a policy of the role is recorded by name and place, without a Sid', async () => {
  const it = await world()
  const trust = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
  const { Role } = await it
    .client(IAMClient)
    .send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = allowing({ Action: 's3:*', Resource: '*' }, { Action: 'iam:List*', Resource: '*' })
  await it.client(IAMClient).send(new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'reads', PolicyDocument }))
  const keys = await it.user('ann', allowing({ Action: 'sts:AssumeRole', Resource: '*' }))
  const session = await it
    .client(STSClient, keys)
    .send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'ss' }))
  await it.client(IAMClient, keysOf(session)).send(new ListUsersCommand({}))
  expect((await it.last('ListUsers')).additionalEventData.merlonDecisions).toMatchObject([
    { effect: 'Allow', layer: 'identity', policy: 'reads', statement: '#2' },
  ])
})
