/** An organization over the API: accounts full of users, roles and secrets, as many as an account may have. */
import { randomUUID } from 'node:crypto'
import { load } from './drive.mjs'
import { callOnce, queryOnce, signedJson, signedQuery } from './requests.mjs'

/** Signed and sent together: more would only wait in memory. */
const PORTION = 2_000
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
})
const ADMINISTERS = 'OrganizationAccountAccessRole'

const text = (xml, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
const keyIn = (xml) => ({
  accessKeyId: text(xml, 'AccessKeyId'),
  secretAccessKey: text(xml, 'SecretAccessKey'),
  sessionToken: text(xml, 'SessionToken'),
})
export const organizations = (server, operation, input) =>
  callOnce(server, 'organizations', `AWSOrganizationsV20161128.${operation}`, input)

/**
 * `sizes`: `{ accounts, users, roles, secrets, keys }`, the last four over all accounts together; `keys` is how many users get
 * an access key. Answers `{ users: [server as a user], secrets: [{ server as an administrator, name }] }`.
 */
export async function populate(server, sizes) {
  const administrator = await firstAdministrator(server)
  await organizations(administrator, 'CreateOrganization', {})
  const each = (total) => Math.ceil(total / sizes.accounts)
  const users = []
  const secrets = []
  for (let account = 0; account < sizes.accounts; account++) {
    const member = await newMember(administrator, account)
    await inBulk(each(sizes.users), member, (n) => iam(member, 'CreateUser', { UserName: `user-${n}` }))
    await inBulk(each(sizes.roles), member, (n) =>
      iam(member, 'CreateRole', { RoleName: `role-${n}`, AssumeRolePolicyDocument: TRUST }),
    )
    // The first makes the account's key for secrets.
    const names = Array.from({ length: each(sizes.secrets) }, (_, n) => `app/secret-${n}`)
    await inBulk(1, member, () => newSecret(member, names[0]))
    await inBulk(names.length - 1, member, (n) => newSecret(member, names[n + 1]))
    secrets.push(...names.map((name) => ({ server: member, name })))
    for (let n = 0; n < each(sizes.keys); n++) {
      const credentials = keyIn(await queryOnce(member, 'iam', { Action: 'CreateAccessKey', UserName: `user-${n}` }))
      users.push({ ...server, credentials })
    }
  }
  return { users, secrets }
}

const iam = (server, Action, parameters) => signedQuery(server, 'iam', { Action, ...parameters })

const newSecret = (server, Name) =>
  signedJson(server, 'secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name,
    SecretString: `value of ${Name}`,
  })

async function inBulk(total, server, request) {
  for (let from = 0; from < total; from += PORTION) {
    const count = Math.min(PORTION, total - from)
    await load(server, await Promise.all(Array.from({ length: count }, (_, n) => request(from + n))), count)
  }
}

/** Root users assume no roles. */
export async function firstAdministrator(server) {
  await queryOnce(server, 'iam', { Action: 'CreateUser', UserName: 'administrator' })
  await queryOnce(server, 'iam', { Action: 'AttachUserPolicy', UserName: 'administrator', PolicyArn: ADMINISTRATOR })
  const key = keyIn(await queryOnce(server, 'iam', { Action: 'CreateAccessKey', UserName: 'administrator' }))
  return { ...server, credentials: key }
}

/** Creates an account of the organization; returns its ID. */
export async function newAccount(administrator, n) {
  const requested = await organizations(administrator, 'CreateAccount', {
    AccountName: `member-${n}`,
    Email: `member-${n}@example.com`,
  })
  const { Id: CreateAccountRequestId } = requested.CreateAccountStatus
  const { CreateAccountStatus } = await organizations(administrator, 'DescribeCreateAccountStatus', {
    CreateAccountRequestId,
  })
  return CreateAccountStatus.AccountId
}

async function newMember(administrator, n) {
  const assumed = await queryOnce(administrator, 'sts', {
    Action: 'AssumeRole',
    RoleArn: `arn:aws:iam::${await newAccount(administrator, n)}:role/${ADMINISTERS}`,
    RoleSessionName: 'bench',
  })
  return { ...administrator, credentials: keyIn(assumed) }
}
