import { DescribeKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { useMerlon } from 'merlon/vitest'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const deploy = readFileSync('policies/deploy.json', 'utf8')
const merlon = useMerlon({ seed: { users: [{ name: 'pipeline', inline: { deploy } }], kmsKeys: [{ alias: 'orders' }] } })

test('the pipeline describes the key of orders, and does not disable it', async () => {
  const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('pipeline') })
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/orders' }))

  await expect(kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }))).rejects.toThrow('not authorized')
  expect(await merlon.events()).toHaveDenied({ action: 'kms:DisableKey', principal: 'pipeline' })
})
