import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { useMerlon } from 'merlon/vitest'
import { expect, test } from 'vitest'

const describeKeys = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' }] }
const merlon = useMerlon({ seed: { users: [{ name: 'ann', inline: { describeKeys } }], kmsKeys: [{ alias: 'orders' }] } })

test('ann describes the key of orders, and does not list keys', async () => {
  const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('ann') })

  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/orders' }))
  await expect(kms.send(new ListKeysCommand({}))).rejects.toThrow('is not authorized to perform: kms:ListKeys')
  expect(await merlon.events()).toHaveAllowed({ action: 'kms:DescribeKey', principal: 'ann' })
  expect(await merlon.events()).toHaveDenied({ action: 'kms:ListKeys', principal: 'ann' })
})
