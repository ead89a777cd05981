/**
 * Terraform's AWS provider: a configuration is applied, finds nothing left to do, is changed, finds nothing left to do,
 * and is destroyed without a trace. MERLON_TEST_SKIP_TERRAFORM=1 leaves it out where there is no Terraform.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ACMClient, SearchCertificatesCommand } from '@aws-sdk/client-acm'
import { CloudTrailClient, DescribeTrailsCommand, GetTrailStatusCommand } from '@aws-sdk/client-cloudtrail'
import { CognitoIdentityProviderClient, ListUserPoolsCommand } from '@aws-sdk/client-cognito-identity-provider'
import { DescribeDirectoriesCommand, DirectoryServiceClient } from '@aws-sdk/client-directory-service'
import {
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2'
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import {
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetRoleCommand,
  IAMClient,
  ListGroupsCommand,
} from '@aws-sdk/client-iam'
import { DescribeKeyCommand, KMSClient, ListAliasesCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import {
  CreateOrganizationCommand,
  DescribeOrganizationCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CreateInstanceCommand, SSOAdminClient } from '@aws-sdk/client-sso-admin'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import {
  ListIPSetsCommand,
  ListLoggingConfigurationsCommand,
  ListRuleGroupsCommand,
  ListWebACLsCommand,
  WAFV2Client,
} from '@aws-sdk/client-wafv2'
import { describe, expect, test } from 'vitest'
import { SERVICE_PASSWORD, slapd } from '../federation/slapd.ts'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { zipOf } from '../zip.ts'
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
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    expect(await remains(space)).toEqual([])
  })

  test('KMS 10: keys of six kinds, an alias that moves, a grant, a replica, material of our own, a ciphertext', async () => {
    const space = await workspace('02-kms')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
      expect(JSON.parse(await space.terraform('output', '-json')).plain.value).toBe(true)
    }
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

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
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const { SecretList } = await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion: true }))
    expect(SecretList!.map(({ Name, DeletedDate }) => [Name, DeletedDate !== undefined])).toEqual([['app/db', true]])
  })

  test('Cognito: a user pool with clients, scopes, a provider, a domain, users, groups and threat protection', async () => {
    const space = await workspace('cognito-idp')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const idp = new CognitoIdentityProviderClient(at(space, space.account))
    expect((await idp.send(new ListUserPoolsCommand({ MaxResults: 10 }))).UserPools).toEqual([])
  }, 900_000)

  test('an organisation: units, accounts, policies of four types, delegation', async () => {
    const space = await workspace('04-organizations')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const organizations = new OrganizationsClient(at(space, space.account))
    await expect(organizations.send(new DescribeOrganizationCommand({}))).rejects.toMatchObject({
      name: 'AWSOrganizationsNotInUseException',
    })
  })

  test('a trail, its bucket, the policy that lets CloudTrail in, and selectors that change', async () => {
    const space = await workspace('05-cloudtrail')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const trails = new CloudTrailClient(at(space, space.account))
    expect(await trails.send(new GetTrailStatusCommand({ Name: 'suite' }))).toMatchObject({ IsLogging: false })
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    expect((await trails.send(new DescribeTrailsCommand({}))).trailList).toEqual([])
    const { Buckets = [] } = await new S3Client(at(space, space.account)).send(new ListBucketsCommand({}))
    expect(Buckets).toEqual([])
  })

  test('web ACLs with rules of every kind, what they protect, and their logs', async () => {
    const space = await workspace('12-wafv2')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const waf = new WAFV2Client(at(space, space.account))
    const Scope = 'REGIONAL'
    expect((await waf.send(new ListWebACLsCommand({ Scope }))).WebACLs).toEqual([])
    expect((await waf.send(new ListRuleGroupsCommand({ Scope }))).RuleGroups).toEqual([])
    expect((await waf.send(new ListIPSetsCommand({ Scope }))).IPSets).toEqual([])
    expect((await waf.send(new ListLoggingConfigurationsCommand({ Scope }))).LoggingConfigurations).toEqual([])
  })

  test('a load balancer with a web ACL, whose health check, rule and attributes change', async () => {
    const space = await workspace('13-load-balancer')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const { dns_name } = JSON.parse(await space.terraform('output', '-json'))
    expect(dns_name.value).toMatch(/^shop-[0-9a-f]{10}\.us-east-1\.elb\.localhost$/)
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const elb = new ElasticLoadBalancingV2Client(at(space, space.account))
    expect((await elb.send(new DescribeLoadBalancersCommand({}))).LoadBalancers).toEqual([])
    expect((await elb.send(new DescribeTargetGroupsCommand({}))).TargetGroups).toEqual([])
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
      await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

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
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    expect((await remains(space)).filter((left) => left !== 'Providers')).toEqual([])
  })

  test('certificates: zone, record and validation with for_each and a wildcard, a private authority', async () => {
    const space = await workspace('07-acm')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    const acm = new ACMClient(at(space, space.account))
    const { Results } = await acm.send(new SearchCertificatesCommand({}))
    expect(Results).toEqual([])
    const { HostedZones } = await new Route53Client(at(space, space.account)).send(new ListHostedZonesCommand({}))
    expect(HostedZones).toEqual([])
  })

  test('a VPC of three zones with NAT, endpoints, ACLs, groups by reference and flow logs', async () => {
    const space = await workspace('06-network')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const ec2 = new EC2Client(at(space, space.account))
    const own = async () => (await ec2.send(new DescribeVpcsCommand({}))).Vpcs!.filter(({ IsDefault }) => !IsDefault)
    expect(await own()).toMatchObject([{ CidrBlock: '10.20.0.0/16' }])
    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')

    expect(await own()).toEqual([])
    expect((await ec2.send(new DescribeAddressesCommand({}))).Addresses).toEqual([])
    expect((await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces).toEqual([])
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

    await space.terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2')
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
