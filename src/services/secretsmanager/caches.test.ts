/** What caching clients do: describe, then fetch by version and keep it; or fetch twenty at a time. */
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'

const SECRETS = 1_000

test(`Secrets 10: a cache that describes and fetches by version, and one that fetches in batches, see the same ${SECRETS} secrets`, async () => {
  const it = await cloud()
  const sm = it.client(SecretsManagerClient)
  const names = Array.from({ length: SECRETS }, (_, n) => `app/${n}`)
  for (const Name of names) await sm.send(new CreateSecretCommand({ Name, SecretString: `value of ${Name}` }))

  const described = new Map<string, string>()
  for (const SecretId of names) {
    const { VersionIdsToStages } = await sm.send(new DescribeSecretCommand({ SecretId }))
    const [VersionId] = Object.entries(VersionIdsToStages!).find(([, stages]) => stages.includes('AWSCURRENT'))!
    described.set(SecretId, (await sm.send(new GetSecretValueCommand({ SecretId, VersionId }))).SecretString!)
  }
  const batched = new Map<string, string>()
  for (let at = 0; at < SECRETS; at += 20) {
    const { SecretValues } = await sm.send(new BatchGetSecretValueCommand({ SecretIdList: names.slice(at, at + 20) }))
    for (const { Name, SecretString } of SecretValues!) batched.set(Name!, SecretString!)
  }

  expect(described.size).toBe(SECRETS)
  expect(batched).toEqual(described)
  expect(described.get('app/7')).toBe('value of app/7')

  // A version that was cached stays valid by its ID; the label has moved on.
  const { VersionIdsToStages } = await sm.send(new DescribeSecretCommand({ SecretId: 'app/7' }))
  const [VersionId] = Object.keys(VersionIdsToStages!)
  await sm.send(new PutSecretValueCommand({ SecretId: 'app/7', SecretString: 'next' }))
  expect((await sm.send(new GetSecretValueCommand({ SecretId: 'app/7', VersionId }))).SecretString).toBe(
    'value of app/7',
  )
  expect((await sm.send(new GetSecretValueCommand({ SecretId: 'app/7' }))).SecretString).toBe('next')
})
