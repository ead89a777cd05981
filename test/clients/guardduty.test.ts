/** GuardDuty with Terraform, and every sample finding with boto3. Needs the built server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GuardDutyClient, ListDetectorsCommand, ListOrganizationAdminAccountsCommand } from '@aws-sdk/client-guardduty'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  DescribeCreateAccountStatusCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test, vi } from 'vitest'
import { allowing } from '../cloud.ts'
import { temporaryFolder } from '../process.ts'
import { environmentFor, type Keys, run } from './command.ts'
import { at, skipped, type Workspace, workspace } from './terraform-workspace.ts'

describe.skipIf(skipped)('terraform', () => {
  test('a detector, features, a filter, lists read from a bucket, a member, and files in a bucket', async () => {
    const space = await workspace('08-guardduty')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const guardduty = new GuardDutyClient(at(space, space.account))
    expect((await guardduty.send(new ListDetectorsCommand({}))).DetectorIds).toEqual([])
  })

  test('an organization: its administrator, what is enabled in accounts, a plan for a bucket', async () => {
    const space = await workspace('08-guardduty-organization')
    const admin = await administratorOf(space)
    const organizations = new OrganizationsClient(at(space, admin))
    await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
    const id = await created(organizations, 'security')
    await created(organizations, 'app')
    const RoleArn = `arn:aws:iam::${id}:role/OrganizationAccountAccessRole`
    const sts = new STSClient(at(space, admin))
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'security' }))
    const administrator = {
      id,
      access_key: Credentials!.AccessKeyId,
      secret_key: Credentials!.SecretAccessKey,
      token: Credentials!.SessionToken,
    }
    writeFileSync(join(space.folder, 'terraform.tfvars.json'), JSON.stringify({ administrator }))

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const guardduty = new GuardDutyClient(at(space, space.account))
    expect((await guardduty.send(new ListOrganizationAdminAccountsCommand({}))).AdminAccounts).toEqual([])
  })

  test('boto3 reads every sample finding', async () => {
    const space = await workspace('08-guardduty')
    const file = join(temporaryFolder(), 'samples.py')
    writeFileSync(file, SAMPLES)
    const { status, stdout, stderr } = await run(
      'python3',
      [file],
      environmentFor(space.server.url, space.account),
      space.folder,
    )

    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(Number(stdout)).toBeGreaterThan(150)
  })
})

const SAMPLES = `
import boto3
gd = boto3.client('guardduty', region_name='us-east-1')
detector = gd.create_detector(Enable=True)['DetectorId']
gd.create_sample_findings(DetectorId=detector)
ids = [i for page in gd.get_paginator('list_findings').paginate(DetectorId=detector) for i in page['FindingIds']]
every = [f for n in range(0, len(ids), 50) for f in gd.get_findings(DetectorId=detector, FindingIds=ids[n:n + 50])['Findings']]
assert all(f['SchemaVersion'] == '2.0' for f in every)
found = [f for f in every if f['Title'].startswith('[SAMPLE]')]
assert all('Action' in f['Service'] or 'Sequence' in f['Service']['Detection'] for f in found)
print(len(found))
`

/** A user with every right: root users assume no roles. */
async function administratorOf(space: Workspace): Promise<Keys> {
  const iam = new IAMClient(at(space, space.account))
  await iam.send(new CreateUserCommand({ UserName: 'admin' }))
  const PolicyDocument = allowing({ Action: '*', Resource: '*' })
  await iam.send(new PutUserPolicyCommand({ UserName: 'admin', PolicyName: 'all', PolicyDocument }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'admin' }))
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
}

async function created(organizations: OrganizationsClient, AccountName: string): Promise<string> {
  const Email = `${AccountName}@suite.test`
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName, Email }))
  const CreateAccountRequestId = CreateAccountStatus!.Id
  return vi.waitFor(
    async () => {
      const shown = await organizations.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId }))
      if (shown.CreateAccountStatus?.State !== 'SUCCEEDED') throw new Error('not created yet')
      return shown.CreateAccountStatus.AccountId!
    },
    { timeout: 30_000, interval: 200 },
  )
}
