/** The stock `aws` command: the acceptance story, and what scripts around it rely on. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, type MadeAccount, merlon, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, environmentFor, type Keys, policy, run } from './command.ts'

interface Cli {
  /** `words`: arguments, split at spaces; `more` are taken as they are. */
  run(words: string, ...more: readonly string[]): Promise<Ended>
  /** What it printed; throws with what it complained of. */
  // biome-ignore lint/suspicious/noExplicitAny: the answers of some forty commands; the assertions say what they hold
  json(words: string, ...more: readonly string[]): Promise<any>
}

function cli(environment: Readonly<Record<string, string>>, folder?: string): Cli {
  const one: Cli = {
    run: (words, ...more) => run('aws', [...words.split(' '), ...more], environment, folder),
    json: async (words, ...more) => {
      const { status, stdout, stderr } = await one.run(words, ...more)
      if (status !== 0) throw new Error(`aws ${words}: ${stderr}`)
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    },
  }
  return one
}

const as = ({ url }: Pick<Running, 'url'>, keys: Keys) => cli(environmentFor(url, keys))

interface Recorded {
  readonly EventName: string
  readonly Username?: string
  readonly CloudTrailEvent: string
}
const keysOf = (made: { AccessKeyId: string; SecretAccessKey: string; SessionToken?: string }): Keys => ({
  accessKeyId: made.AccessKeyId,
  secretAccessKey: made.SecretAccessKey,
  ...(made.SessionToken && { sessionToken: made.SessionToken }),
})

/** A service's refusal: version 2 of the command sets it apart from a failure of its own, version 1 does not. */
let refusal: number
let server: Running
let account: MadeAccount
let root: Cli

beforeAll(async () => {
  const { stdout, stderr } = await run('aws', ['--version'], cleanEnvironment())
  refusal = /^aws-cli\/1\./.test(stdout || stderr) ? 255 : 254
  server = await startMerlon(['--data', join(temporaryFolder(), 'data')])
  account = server.accounts[0]!
  root = as(server, account)
})
afterAll(() => server?.stop('SIGKILL'))

test('a user is denied with AWS’s text, then allowed; the server is killed, and policies, keys and the record are still there', async () => {
  const data = join(temporaryFolder(), 'data')
  const first = await startMerlon(['--data', data])
  const account = first.accounts[0]!
  const id = account.accountId
  const root = as(first, account)
  const arn = `arn:aws:iam::${id}:user/ann`

  await root.json('iam create-user --user-name ann')
  const herself = policy({ Action: 'iam:GetUser', Resource: arn })
  const made = await root.json('iam create-policy --policy-name herself --policy-document', herself)
  await root.json(`iam attach-user-policy --user-name ann --policy-arn ${made.Policy.Arn}`)
  const { AccessKey } = await root.json('iam create-access-key --user-name ann')
  const ann = as(first, keysOf(AccessKey))

  expect((await ann.json('iam get-user')).User.Arn).toBe(arn)
  const denied = await ann.run('iam list-users')
  expect(denied.status).toBe(refusal)
  expect(denied.stderr.trim()).toBe(
    `An error occurred (AccessDenied) when calling the ListUsers operation: User: ${arn} is not authorized to perform: ` +
      `iam:ListUsers on resource: arn:aws:iam::${id}:user/ because no identity-based policy allows the iam:ListUsers action`,
  )

  await root.json('iam create-group --group-name auditors')
  const list = policy({ Action: 'iam:ListUsers', Resource: '*' })
  await root.json('iam put-group-policy --group-name auditors --policy-name list --policy-document', list)
  await root.json('iam add-user-to-group --group-name auditors --user-name ann')
  expect((await ann.json('iam list-users')).Users).toEqual([expect.objectContaining({ UserName: 'ann' })])

  await first.stop('SIGKILL')
  const second = await startMerlon(['--data', data])
  try {
    const again = as(second, account)
    const annAgain = as(second, keysOf(AccessKey))
    expect((await annAgain.json('iam list-users')).Users).toHaveLength(1)
    const attached = await again.json('iam list-attached-user-policies --user-name ann')
    expect(attached.AttachedPolicies).toEqual([{ PolicyName: 'herself', PolicyArn: made.Policy.Arn }])
    expect((await annAgain.run('iam list-groups')).stderr).toContain('(AccessDenied)')

    const { Events } = (await again.json('cloudtrail lookup-events')) as { Events: readonly Recorded[] }
    const story = [...Events].reverse().map(({ EventName, CloudTrailEvent }) => {
      const { userIdentity, errorCode } = JSON.parse(CloudTrailEvent)
      return [userIdentity.type, userIdentity.arn, EventName, errorCode]
    })
    const byRoot = (name: string) => ['Root', `arn:aws:iam::${id}:root`, name, undefined]
    const byAnn = (name: string, error?: string) => ['IAMUser', arn, name, error]
    // Each node reports that it was unsealed.
    const unsealed = Array(first.nodes).fill([undefined, undefined, 'Unseal', undefined])
    expect(story).toEqual([
      ...unsealed,
      byRoot('CreateUser'),
      byRoot('CreatePolicy'),
      byRoot('AttachUserPolicy'),
      byRoot('CreateAccessKey'),
      byAnn('GetUser'),
      byAnn('ListUsers', 'AccessDenied'),
      byRoot('CreateGroup'),
      byRoot('PutGroupPolicy'),
      byRoot('AddUserToGroup'),
      byAnn('ListUsers'),
      ...unsealed,
      byAnn('ListUsers'),
      byRoot('ListAttachedUserPolicies'),
      byAnn('ListGroups', 'AccessDenied'),
    ])
    const hers = await again.json(
      'cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=ann',
    )
    expect(hers.Events).toHaveLength(5)
    const secret = AccessKey.SecretAccessKey as string
    expect(Events.some((event) => event.CloudTrailEvent.includes(secret))).toBe(false)
  } finally {
    await second.stop('SIGKILL')
  }
})

describe('roles', () => {
  test('a role that requires an external ID is assumed only with the right one', async () => {
    await root.json('iam create-user --user-name partner')
    const partner = as(server, keysOf((await root.json('iam create-access-key --user-name partner')).AccessKey))
    const trust = policy({
      Action: 'sts:AssumeRole',
      Principal: { AWS: `arn:aws:iam::${account.accountId}:user/partner` },
      Condition: { StringEquals: { 'sts:ExternalId': 'blue-42' } },
    })
    const { Role } = await root.json('iam create-role --role-name shared --assume-role-policy-document', trust)
    const assume = `sts assume-role --role-arn ${Role.Arn} --role-session-name visit`

    expect((await partner.run(assume)).stderr).toContain('is not authorized to perform: sts:AssumeRole on resource')
    expect((await partner.run(`${assume} --external-id red-1`)).status).toBe(refusal)
    const { Credentials } = await partner.json(`${assume} --external-id blue-42`)
    const session = as(server, keysOf(Credentials))

    expect((await session.json('sts get-caller-identity')).Arn).toBe(
      `arn:aws:sts::${account.accountId}:assumed-role/shared/visit`,
    )
    expect((await session.run('iam list-users')).status).toBe(refusal)
  })

  test('a profile with role_arn and source_profile assumes the role by itself', async () => {
    await root.json('iam create-user --user-name operator')
    const { AccessKey } = await root.json('iam create-access-key --user-name operator')
    const trust = policy({
      Action: 'sts:AssumeRole',
      Principal: { AWS: `arn:aws:iam::${account.accountId}:user/operator` },
    })
    const { Role } = await root.json('iam create-role --role-name operations --assume-role-policy-document', trust)
    const operator = cli(cleanEnvironment())
    const set = (name: string, value: string) => operator.run(`configure set ${name}`, value)
    await set('profile.base.aws_access_key_id', AccessKey.AccessKeyId)
    await set('profile.base.aws_secret_access_key', AccessKey.SecretAccessKey)
    for (const name of ['base', 'ops']) {
      await set(`profile.${name}.endpoint_url`, server.url)
      await set(`profile.${name}.region`, 'us-east-1')
    }
    await set('profile.ops.role_arn', Role.Arn)
    await set('profile.ops.source_profile', 'base')
    await set('profile.ops.role_session_name', 'shift')

    const { Arn } = await operator.json('sts get-caller-identity --profile ops')

    expect(Arn).toBe(`arn:aws:sts::${account.accountId}:assumed-role/operations/shift`)
  })
})

test('the profile that merlon init writes reaches the server, endpoint and all', async () => {
  const folder = temporaryFolder()
  const environment = cleanEnvironment(folder)
  const data = join(folder, 'data')
  const free = await startMerlon(['--dev'])
  await free.stop()
  const { port } = new URL(free.url)

  const made = await merlon(
    ['init', '--data', data, '--profile', 'mine', '--endpoint', free.url, '--json'],
    environment,
  )
  const mine = await startMerlon(['--data', data, '--port', port])
  try {
    const identity = await cli(environment).json('sts get-caller-identity --profile mine')

    expect(identity.Arn).toBe(`arn:aws:iam::${JSON.parse(made.stdout).accountId}:root`)
  } finally {
    await mine.stop('SIGKILL')
  }
})

describe('lists', () => {
  test('every page of AWS’s managed policies comes once, whatever the page size', async () => {
    const names = (words: string) => root.json(`iam list-policies --scope AWS ${words} --query Policies[].PolicyName`)

    const [whole, inPages] = await Promise.all([names('--page-size 1000'), names('--page-size 77')])

    expect(whole.length).toBeGreaterThan(1000)
    expect(inPages).toEqual(whole)
    expect(new Set(whole).size).toBe(whole.length)
  })

  test('a list cut short goes on where it stopped', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) {
      await root.json(`iam create-group --path /paging/ --group-name ${name}`)
    }

    const start = await root.json('iam list-groups --path-prefix /paging/ --max-items 2')
    const rest = await root.json(`iam list-groups --path-prefix /paging/ --starting-token ${start.NextToken}`)

    const found = [...start.Groups, ...rest.Groups].map(({ GroupName }: { GroupName: string }) => GroupName)
    expect(found).toEqual(['page-a', 'page-b', 'page-c'])
    expect(rest.NextToken).toBeUndefined()
  })

  test('the whole account comes in one answer: users, groups, roles, policies in force', async () => {
    await root.json('iam create-user --user-name listed')
    const readOnly = 'arn:aws:iam::aws:policy/ReadOnlyAccess'
    await root.json(`iam attach-user-policy --user-name listed --policy-arn ${readOnly}`)

    const details = await root.json('iam get-account-authorization-details')

    const listed = details.UserDetailList.find(({ UserName }: { UserName: string }) => UserName === 'listed')
    expect(listed.AttachedManagedPolicies).toEqual([{ PolicyName: 'ReadOnlyAccess', PolicyArn: readOnly }])
    const policyDetail = details.Policies.find(({ Arn }: { Arn: string }) => Arn === readOnly)
    expect(policyDetail.PolicyVersionList.length).toBeGreaterThan(0)
    expect(Object.keys(details)).toEqual(
      expect.arrayContaining(['UserDetailList', 'GroupDetailList', 'RoleDetailList', 'Policies']),
    )
  })
})

describe('what is not built', () => {
  test.each([
    ['kms describe-custom-key-stores', 'DescribeCustomKeyStores', 'kms:DescribeCustomKeyStores'],
    ['s3api list-multipart-uploads --bucket any-bucket', 'ListMultipartUploads', 's3:ListMultipartUploads'],
    ['securityhub get-insights', 'GetInsights', 'securityhub:GetInsights'],
    ['ec2 describe-transit-gateways', 'DescribeTransitGateways', 'ec2:DescribeTransitGateways'],
    ['cloudwatch list-metrics', 'ListMetrics', 'cloudwatch:ListMetrics'],
    ['shield list-protections', 'ListProtections', 'shield:ListProtections'],
  ])('aws %s is refused by name, and the command does not try again', async (words, operation, name) => {
    const answer = await root.run(`${words} --debug`)

    expect(answer.status).toBe(refusal)
    expect(answer.stderr.match(/^An error occurred.*/m)?.[0]).toBe(
      `An error occurred (NotImplemented) when calling the ${operation} operation: Merlon does not implement ${name}.`,
    )
    expect(answer.stderr.match(/Sending http request/g)).toHaveLength(1)
  })

  test('a caller without a valid signature does not learn even that', async () => {
    const stranger = as(server, { ...account, secretAccessKey: 'wrong'.repeat(8) })

    expect((await stranger.run('kms list-keys')).stderr).toMatch(
      /\((InvalidSignatureException|SignatureDoesNotMatch)\)/,
    )
  })
})

describe('keys that open nothing', () => {
  test.each([
    ['a wrong secret', () => ({ ...account, secretAccessKey: 'wrong'.repeat(8) }), 'SignatureDoesNotMatch'],
    ['an unknown key', () => ({ ...account, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }), 'InvalidClientTokenId'],
    ['an unknown token', () => ({ ...account, sessionToken: 'token' }), 'InvalidClientTokenId'],
  ])('%s is refused', async (_what, keys, code) => {
    const answer = await as(server, keys()).run('sts get-caller-identity')

    expect(answer.status).toBe(refusal)
    expect(answer.stderr).toContain(`(${code})`)
  })
})
