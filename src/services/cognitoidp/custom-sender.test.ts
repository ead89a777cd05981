/** Custom senders: a function gets the code under the pool's KMS key, as the official Encryption SDK decrypts it. */
import { buildClient, CommitmentPolicy, KMS, KmsKeyringNode } from '@aws-crypto/client-node'
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  SetLogDeliveryConfigurationCommand,
  SignUpCommand,
  UpdateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CreateKeyCommand, KMSClient, ListGrantsCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { arnOf, type Event, withFunctions } from './triggers.fixture.ts'
import { PASSWORD } from './user-pool.fixture.ts'

async function withSender(run: (event: Event) => object | string = (event) => event) {
  const it = await withFunctions({ sender: run })
  const { KeyMetadata } = await it.client(KMSClient).send(new CreateKeyCommand({}))
  const KMSKeyID = KeyMetadata!.Arn!
  const sender = { LambdaArn: arnOf('sender'), LambdaVersion: 'V1_0' } as const
  const signUp = (Username: string, more: object = {}) =>
    it.idp.send(
      new SignUpCommand({
        ClientId: it.ClientId,
        Username,
        Password: PASSWORD,
        UserAttributes: [{ Name: 'email', Value: `${Username}@corp.test` }],
        ...more,
      }),
    )
  return { ...it, KMSKeyID, sender, signUp }
}

test('The function gets the code encrypted, the official SDK decrypts it, and nothing leaves by mail', async () => {
  const it = await withSender()
  const { KMSKeyID, sender } = it
  await it.configure({ CustomEmailSender: sender, KMSKeyID })
  await it.signUp('ana', { ClientMetadata: { lang: 'de' } })
  await it.jobs.runDue()

  expect(it.mailer.delivered()).toEqual([])
  const [event] = it.calls
  expect(event).toMatchObject({
    triggerSource: 'CustomEmailSender_SignUp',
    userName: 'ana',
    request: {
      type: 'customEmailSenderRequestV1',
      clientMetadata: { lang: 'de' },
      userAttributes: { email: 'ana@corp.test' },
    },
  })
  const keyring = new KmsKeyringNode({
    generatorKeyId: KMSKeyID,
    clientProvider: (() => it.client(KMS as never)) as never,
  })
  const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)
  const { plaintext, messageHeader } = await decrypt(keyring, Buffer.from(event!.request.code, 'base64'))
  const ConfirmationCode = plaintext.toString()
  expect(ConfirmationCode).toMatch(/^\d{6}$/)
  expect(messageHeader.encryptionContext).toMatchObject({ 'userpool-id': it.UserPoolId })
  const log = await it.store.log({ account: ACCOUNT, limit: 500 })
  expect(log.filter(({ body }) => body.includes(`"${ConfirmationCode}"`))).toEqual([])
  await it.idp.send(new ConfirmSignUpCommand({ ClientId: it.ClientId, Username: 'ana', ConfirmationCode }))
})

test('The caller who names the key lets Cognito encrypt the codes of this pool under it, and must be allowed to', async () => {
  const it = await withSender()
  const { KMSKeyID, sender, UserPoolId } = it
  const LambdaConfig = { CustomEmailSender: sender, KMSKeyID }
  const keys = await it.user('limited', allowing({ Action: 'cognito-idp:*', Resource: '*' }))
  await expect(
    it.client(CognitoIdentityProviderClient, keys).send(new UpdateUserPoolCommand({ UserPoolId, LambdaConfig })),
  ).rejects.toThrow('kms:CreateGrant')
  await it.configure(LambdaConfig)
  await it.configure(LambdaConfig)
  const { Grants } = await it.client(KMSClient).send(new ListGrantsCommand({ KeyId: KMSKeyID }))
  expect(Grants).toMatchObject([
    {
      Operations: ['GenerateDataKey'],
      Constraints: { EncryptionContextSubset: { 'userpool-id': UserPoolId } },
    },
  ])
})

test('A message that a function cannot send is in the log of the pool, without the code', async () => {
  const it = await withSender(() => {
    throw new Error('The gateway is down.')
  })
  const { KMSKeyID, sender, UserPoolId } = it
  await it.configure({ CustomEmailSender: sender, KMSKeyID })
  const logs = it.client(CloudWatchLogsClient)
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/pool' }))
  const LogGroupArn = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/pool`
  await it.idp.send(
    new SetLogDeliveryConfigurationCommand({
      UserPoolId,
      LogConfigurations: [
        { EventSource: 'userNotification', LogLevel: 'ERROR', CloudWatchLogsConfiguration: { LogGroupArn } },
      ],
    }),
  )
  await it.signUp('ana')
  await it.jobs.runDue()
  await it.pass(6_000)
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/pool' }))
  expect(events!.map(({ message }) => JSON.parse(message!))).toMatchObject([
    {
      eventSource: 'USER_NOTIFICATION',
      logLevel: 'ERROR',
      message: { details: 'CustomEmailSender_SignUp: the function refused: The gateway is down' },
    },
  ])
})
