/** AWS's own managed policies, all of them, as evaluation reads them. */
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { cloud } from '../../../../test/cloud.ts'
import { compilePolicy, readPolicy } from '../../../policy/index.ts'
import { awsPolicies } from './aws-policies.ts'

test('every one of them can be read and compiled, the longest included', async () => {
  const broken: string[] = []
  for (const [arn, { versions, name }] of await awsPolicies()) {
    try {
      compilePolicy(readPolicy(versions[0]!.text, 'identity'), { id: name, kind: 'identity' })
    } catch (error) {
      broken.push(`${arn}: ${error}`)
    }
  }
  expect(broken).toEqual([])
})

test.each(['ReadOnlyAccess', 'AdministratorAccess', 'SecurityAudit', 'IAMReadOnlyAccess'])(
  'a user with %s attached may list users',
  async (name) => {
    const { client } = await cloud()
    const root = client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const ann = client(IAMClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })

    await root.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: `arn:aws:iam::aws:policy/${name}` }))

    expect((await ann.send(new ListUsersCommand({}))).Users).toHaveLength(1)
  },
)
