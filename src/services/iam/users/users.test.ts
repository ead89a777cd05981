import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../../test/cloud.ts'

test('a new user may do nothing until a policy says so', async () => {
  const { client } = await cloud()
  const root = client(IAMClient)
  await root.send(new CreateUserCommand({ UserName: 'ann' }))
  const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const ann = client(IAMClient, { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })

  await expect(ann.send(new GetUserCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: `User: arn:aws:iam::${ACCOUNT}:user/ann is not authorized to perform: iam:GetUser on resource: arn:aws:iam::${ACCOUNT}:user/ann because no identity-based policy allows the iam:GetUser action`,
  })
  await root.send(
    new PutUserPolicyCommand({
      UserName: 'ann',
      PolicyName: 'p',
      PolicyDocument: allowing({ Action: 'iam:GetUser', Resource: `arn:aws:iam::${ACCOUNT}:user/ann` }),
    }),
  )
  expect((await ann.send(new GetUserCommand({}))).User?.UserName).toBe('ann')
  await expect(ann.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' })
})
