/** Terraform: keys, secrets, trails and log groups. MERLON_TEST_SKIP_TERRAFORM=1 leaves it out where there is no Terraform. */
import { readFileSync } from 'node:fs'
import { CloudTrailClient, DescribeTrailsCommand, GetTrailStatusCommand } from '@aws-sdk/client-cloudtrail'
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeResourcePoliciesCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { DescribeKeyCommand, KMSClient, ListAliasesCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { zipOf } from '../zip.ts'
import { at, skipped, workspace } from './terraform-workspace.ts'

describe.skipIf(skipped)('terraform', () => {
  test('KMS 10: keys of six kinds, an alias that moves, a grant, a replica, material of our own, a ciphertext', async () => {
    const space = await workspace('02-kms')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
      expect(JSON.parse(await space.terraform('output', '-json')).plain.value).toBe(true)
    }
    await space.destroy()

    for (const region of ['us-east-1', 'eu-west-1']) {
      const kms = new KMSClient({ ...at(space, space.account), region })
      const { Keys } = await kms.send(new ListKeysCommand({}))
      const states = await Promise.all(
        Keys!.map(async ({ KeyId }) => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!.KeyState),
      )
      expect(states).toEqual(
        Array(region === 'us-east-1' ? 8 : 1).fill(expect.stringMatching(/^Pending(Replica)?Deletion$/)),
      )
      expect((await kms.send(new ListAliasesCommand({}))).Aliases).toEqual([])
    }
  })

  test('Secrets 7: versions, labels, policies, replicas, and rotation by AWS’s own template', async () => {
    const template = readFileSync(new URL('./rotation-template/lambda_function.py', import.meta.url), 'utf8')
    const space = await workspace('03-secretsmanager', {
      'template.zip': zipOf({ 'lambda_function.py': template }),
    })

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const secrets = new SecretsManagerClient(at(space, space.account))
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'app/db' }))
    expect(JSON.parse(SecretString!)).toEqual({ username: 'app', password: 'pw-2' })
    await space.destroy()

    const { SecretList } = await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion: true }))
    expect(SecretList!.map(({ Name, DeletedDate }) => [Name, DeletedDate !== undefined])).toEqual([['app/db', true]])
  })

  test('a trail, its bucket, the policy that lets CloudTrail in, and selectors that change', async () => {
    const space = await workspace('05-cloudtrail')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const trails = new CloudTrailClient(at(space, space.account))
    expect(await trails.send(new GetTrailStatusCommand({ Name: 'suite' }))).toMatchObject({ IsLogging: false })
    await space.destroy()

    expect((await trails.send(new DescribeTrailsCommand({}))).trailList).toEqual([])
    const { Buckets = [] } = await new S3Client(at(space, space.account)).send(new ListBucketsCommand({}))
    expect(Buckets).toEqual([])
  })

  test('log groups with a key and a retention that change, and what services deliver into them', async () => {
    const space = await workspace('14-logs')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
      expect(JSON.parse(await space.terraform('output', '-json')).groups.value).toEqual(['/suite/orders'])
    }
    await space.destroy()

    const logs = new CloudWatchLogsClient(at(space, space.account))
    expect((await logs.send(new DescribeLogGroupsCommand({}))).logGroups).toEqual([])
    // WAF has added its own, as AWS does: Terraform does not know of it.
    const { resourcePolicies } = await logs.send(new DescribeResourcePoliciesCommand({}))
    expect(resourcePolicies!.map(({ policyName }) => policyName)).toEqual(['AWSWAF-LOGS'])
  }, 900_000)
})
