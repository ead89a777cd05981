/** Terraform: users, organizations and sign-in. MERLON_TEST_SKIP_TERRAFORM=1 leaves it out where there is no Terraform. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CognitoIdentityProviderClient, ListUserPoolsCommand } from '@aws-sdk/client-cognito-identity-provider'
import { DescribeDirectoriesCommand, DirectoryServiceClient } from '@aws-sdk/client-directory-service'
import {
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetRoleCommand,
  IAMClient,
  ListGroupsCommand,
} from '@aws-sdk/client-iam'
import {
  CreateOrganizationCommand,
  DescribeOrganizationCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { CreateInstanceCommand, SSOAdminClient } from '@aws-sdk/client-sso-admin'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { SERVICE_PASSWORD, slapd } from '../federation/slapd.ts'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { environmentFor, type Keys, run } from './command.ts'
import { at, skipped, type Workspace, workspace } from './terraform-workspace.ts'

/** What the account still holds; AWS's own policies are not the account's. */
async function remains(space: Workspace): Promise<readonly (string | undefined)[]> {
  const iam = new IAMClient(at(space, space.account))
  const { UserDetailList, GroupDetailList, RoleDetailList, Policies } = await iam.send(
    new GetAccountAuthorizationDetailsCommand({ Filter: ['User', 'Group', 'Role', 'LocalManagedPolicy'] }),
  )
  const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}))
  const counted = (['InstanceProfiles', 'ServerCertificates', 'MFADevices', 'Providers'] as const).filter(
    (name) => SummaryMap?.[name] !== 0,
  )
  return [
    ...[...UserDetailList!, ...GroupDetailList!, ...RoleDetailList!, ...Policies!].map(({ Arn }) => Arn),
    ...counted,
  ]
}

describe.skipIf(skipped)('terraform', () => {
  test('every IAM resource of the provider that an account alone can have', async () => {
    const space = await workspace('01-iam')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    expect(await remains(space)).toEqual([])
  })

  test('Cognito: a user pool with clients, scopes, a provider, a domain, users, groups, custom senders and threat protection', async () => {
    const space = await workspace('cognito-idp')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const idp = new CognitoIdentityProviderClient(at(space, space.account))
    expect((await idp.send(new ListUserPoolsCommand({ MaxResults: 10 }))).UserPools).toEqual([])
  }, 900_000)

  test('an organisation: units, accounts, policies of four types, delegation', async () => {
    const space = await workspace('04-organizations')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const organizations = new OrganizationsClient(at(space, space.account))
    await expect(organizations.send(new DescribeOrganizationCommand({}))).rejects.toMatchObject({
      name: 'AWSOrganizationsNotInUseException',
    })
  })

  test('a directory, a SAML provider and OpenID Connect providers, whose clients and thumbprints change', async () => {
    const port = await freePort()
    const ldap = await slapd(port)
    const ca = join(temporaryFolder(), 'ca.pem')
    writeFileSync(ca, ldap.ca)
    try {
      const space = await workspace(
        '06-directory-federation',
        { 'terraform.tfvars': Buffer.from(`password = "${SERVICE_PASSWORD}"\n`) },
        {
          MERLON_DIRECTORY_SERVERS: 'corp.test=ldaps://ldap.corp.test',
          MERLON_FEDERATION_HOSTS: `ldap.corp.test=127.0.0.1:${port}`,
          MERLON_DIRECTORY_CA: ca,
        },
      )

      for (const rev of [1, 2]) {
        await space.apply(rev)
        expect(await space.plan(rev)).toBe('')
        const { directory, clients } = JSON.parse(await space.terraform('output', '-json'))
        expect(directory.value).toMatchObject({ alias: 'corp', type: 'ADConnector', dns: ['10.0.0.1', '10.0.0.2'] })
        expect(clients.value).toEqual(rev === 1 ? ['first', 'second'] : ['second', 'third'])
      }
      await space.destroy()

      const ds = new DirectoryServiceClient(at(space, space.account))
      expect((await ds.send(new DescribeDirectoriesCommand({}))).DirectoryDescriptions).toEqual([])
      expect(await remains(space)).toEqual([])
    } finally {
      await ldap.remove()
    }
  })

  test('IAM Identity Center: a directory, permission sets of every kind, assignments, attributes, an application', async () => {
    const space = await workspace('11-identity-center')
    const organizations = new OrganizationsClient(at(space, space.account))
    await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
    await new SSOAdminClient(at(space, space.account)).send(new CreateInstanceCommand({ Name: 'suite' }))

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
      expect(JSON.parse(await space.terraform('output', '-json')).found.value).toEqual({ user: true, group: true })
    }
    await space.destroy()

    expect((await remains(space)).filter((left) => left !== 'Providers')).toEqual([])
  })

  test('a team written down: what Terraform made is enforced, changed, read back and gone at the end', async () => {
    const space = await workspace('people')
    await space.apply(1)
    expect(await space.plan(1)).toBe('')
    const output = JSON.parse(await space.terraform('output', '-json'))
    expect(output.users.value).toEqual(['ann', 'bob', 'eve', 'robot'])
    expect(output.auditors.value).toEqual(['ann', 'eve'])
    expect(output.machines.value).toBe(1)
    const robot = output.robot.value as Keys
    const listGroups = () => new IAMClient(at(space, robot)).send(new ListGroupsCommand({}))
    await expect(listGroups()).rejects.toMatchObject({ name: 'AccessDenied' })

    await space.apply(2)

    expect(await space.plan(2)).toBe('')
    expect((await listGroups()).Groups).toHaveLength(3)
    const { Credentials } = await new STSClient(at(space, robot)).send(
      new AssumeRoleCommand({ RoleArn: output.deploy_role.value, RoleSessionName: 'deploy', DurationSeconds: 7200 }),
    )
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    }
    const { Role } = await new IAMClient(at(space, session)).send(new GetRoleCommand({ RoleName: 'deploy' }))
    expect(Role?.Description).toBe('Deployments, rev 2')
    expect(Role?.Tags).toContainEqual({ Key: 'rev', Value: '2' })

    await space.destroy()
    expect(await remains(space)).toEqual([])
  })

  test('a change made behind its back is found and undone', async () => {
    const space = await workspace('people')
    await space.apply(1)
    const environment = environmentFor(space.server.url, space.account)
    await run(
      'aws',
      [
        'iam',
        'detach-group-policy',
        '--group-name',
        'robots',
        '--policy-arn',
        `arn:aws:iam::${space.account.accountId}:policy/team/read-people`,
      ],
      environment,
    )
    await run(
      'aws',
      ['iam', 'update-role', '--role-name', 'deploy', '--description', 'mine now', '--max-session-duration', '43200'],
      environment,
    )

    const drift = await space.plan(1)
    await space.apply(1)

    expect(drift).toContain('aws_iam_group_policy_attachment.read_people["robots"] will be created')
    expect(drift).toContain('"mine now" -> "Deployments, rev 1"')
    expect(await space.plan(1)).toBe('')
  })
})
