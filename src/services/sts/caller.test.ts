import {
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
} from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { ACCOUNT, account, keysOf } from './account.fixture.ts'

const who = new GetCallerIdentityCommand({})

describe('GetCallerIdentity', () => {
  it('answers a user whom a policy forbids it', async () => {
    const { user, as } = await account()
    const ann = user('ann', [{ Effect: 'Deny', Action: '*', Resource: '*' }])

    const answer = await as(ann).send(who)

    expect(answer).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
      UserId: 'AIDAANNAAAAAAAAAAAAAA',
    })
  })

  it('shows the root user by the number of the account', async () => {
    const { root, as } = await account()

    expect(await as(root()).send(who)).toMatchObject({ UserId: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root` })
  })

  it('shows a federated user by the name of the request', async () => {
    const { root, as } = await account()
    const bob = keysOf(await as(root()).send(new GetFederationTokenCommand({ Name: 'bob' })))

    expect(await as(bob).send(who)).toMatchObject({
      UserId: `${ACCOUNT}:bob`,
      Arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob`,
    })
  })

  it('does not answer a wrong secret', async () => {
    const { user, as } = await account()
    const forged = { ...user('ann'), secretAccessKey: 'wrong' }

    await expect(as(forged).send(who)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
  })
})

describe('GetAccessKeyInfo', () => {
  it('finds the account in the id, even of a key that no longer exists', async () => {
    const { root, user, as } = await account()
    const gone = user('gone', [], '999988887777')

    expect(await as(root()).send(new GetAccessKeyInfoCommand({ AccessKeyId: gone.accessKeyId }))).toMatchObject({
      Account: '999988887777',
    })
  })

  it('refuses what is no access key id', async () => {
    const { root, as } = await account()

    const asked = as(root()).send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AROA1234567890123456' }))

    await expect(asked).rejects.toMatchObject({ name: 'ValidationError' })
  })

  it('needs a permission', async () => {
    const { user, as } = await account()
    const ann = user('ann')

    const asked = as(ann).send(new GetAccessKeyInfoCommand({ AccessKeyId: ann.accessKeyId }))

    await expect(asked).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('sts:GetAccessKeyInfo'),
    })
  })
})

describe('DecodeAuthorizationMessage', () => {
  it('shows its account what decided a denial, and no other account', async () => {
    const { user, root, as } = await account()
    const denied = await as(user('ann'))
      .send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIA1234567890123456' }))
      .catch((error) => error)
    const EncodedMessage = denied.$response.headers['x-merlon-authorization-message']

    const { DecodedMessage } = await as(root()).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }))
    const elsewhere = as(root('444455556666')).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }))

    expect(JSON.parse(DecodedMessage!)).toMatchObject({
      allowed: false,
      explicitDeny: false,
      context: { action: 'sts:GetAccessKeyInfo' },
    })
    await expect(elsewhere).rejects.toMatchObject({ name: 'InvalidAuthorizationMessageException' })
  })
})
