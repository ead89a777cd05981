/** Seeds of Amazon Cognito user pools: with app clients, groups and users. Passwords and secrets are never exported. */
import type * as Cognito from '@aws-sdk/client-cognito-identity-provider'
import type { Api } from '../../kernel/service/api.ts'
import { type Account, compact, inTurn, pagesOf, type Step, seedPart } from './part.ts'
import type { SeedPoolClient, SeedPoolUser, SeedUserPool } from './seed-format.ts'

const cognito: Api<typeof Cognito> = { id: 'cognito-idp' }
const POOLS_PAGE = 60
const CUSTOM = 'custom:'

/** What `DescribeUserPool` returns and `CreateUserPool` takes. */
const POOL_SETTINGS = [
  'Policies',
  'DeletionProtection',
  'LambdaConfig',
  'AutoVerifiedAttributes',
  'AliasAttributes',
  'UsernameAttributes',
  'SmsVerificationMessage',
  'EmailVerificationMessage',
  'EmailVerificationSubject',
  'VerificationMessageTemplate',
  'SmsAuthenticationMessage',
  'MfaConfiguration',
  'UserAttributeUpdateSettings',
  'DeviceConfiguration',
  'EmailConfiguration',
  'SmsConfiguration',
  'UsernameConfiguration',
  'AccountRecoverySetting',
  'UserPoolTier',
] as const

/** Of an app client: what its description has and is not a setting. */
const CLIENT_FACTS = new Set([
  'UserPoolId',
  'ClientId',
  'ClientName',
  'ClientSecret',
  'CreationDate',
  'LastModifiedDate',
])

export const userPools = seedPart({
  kind: 'userPools',
  labels: ['name'],
  members: {
    name: true,
    id: true,
    domain: true,
    settings: true,
    tags: true,
    clients: { name: true, id: true, secret: true, settings: true },
    groups: { name: true, description: true, role: true },
    users: { name: true, password: true, attributes: true, groups: true },
  },
  add: async (account, pool, step) => {
    const { call } = account
    const what = `user pool '${pool.name}'`
    let UserPoolId = ''
    await step([], what, async () => {
      const { UserPool } = await call(
        cognito,
        'CreateUserPool',
        { ...pool.settings, PoolName: pool.name, ...(pool.tags && { UserPoolTags: pool.tags }) },
        pool.id,
      )
      UserPoolId = UserPool!.Id!
    })
    const within: Step = (path, detail, work) => step(path, `${detail} of ${what}`, work)
    if (pool.domain !== undefined)
      await within(['domain'], `domain '${pool.domain}'`, () =>
        call(cognito, 'CreateUserPoolDomain', { UserPoolId, Domain: pool.domain! }),
      )
    for (const [n, client] of (pool.clients ?? []).entries())
      await within(['clients', n], `client '${client.name}'`, () => addClient(account, UserPoolId, client))
    for (const [n, { name, description, role }] of (pool.groups ?? []).entries())
      await within(['groups', n], `group '${name}'`, () =>
        call(cognito, 'CreateGroup', {
          UserPoolId,
          GroupName: name,
          Description: description,
          RoleArn: role && (role.startsWith('arn:') ? role : `arn:aws:iam::${account.id}:role/${role}`),
        }),
      )
    for (const [n, user] of (pool.users ?? []).entries())
      await within(['users', n], `user '${user.name}'`, () => addUser(account, UserPoolId, user))
  },
  export: async (account, leaveOut) => {
    const { call, id } = account
    const all = await pagesOf(async (NextToken) => {
      const page = await call(cognito, 'ListUserPools', { MaxResults: POOLS_PAGE, NextToken })
      return { items: page.UserPools, next: page.NextToken }
    })
    if (all.length > 0) leaveOut(`the passwords and client secrets of the user pools of account ${id}`)
    return inTurn(all, async ({ Id = '' }) => {
      const { UserPool } = await call(cognito, 'DescribeUserPool', { UserPoolId: Id })
      return shownPool(account, UserPool!)
    })
  },
})

async function addClient({ call }: Account, UserPoolId: string, client: SeedPoolClient): Promise<void> {
  const { name, id, secret, settings } = client
  if (id !== undefined && !/^[a-z0-9]{1,128}$/.test(id))
    throw new Error(`'${id}' is not a client ID: write lower-case letters and digits.`)
  const input = {
    ...settings,
    UserPoolId,
    ClientName: name,
    ...(secret === true && { GenerateSecret: true }),
    ...(typeof secret === 'string' && { ClientSecret: secret }),
  }
  await call(cognito, 'CreateUserPoolClient', input, id)
}

async function addUser({ call }: Account, UserPoolId: string, user: SeedPoolUser): Promise<void> {
  const { name: Username, password, attributes = {}, groups = [] } = user
  const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }))
  await call(cognito, 'AdminCreateUser', { UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' })
  if (password !== undefined)
    await call(cognito, 'AdminSetUserPassword', { UserPoolId, Username, Password: password, Permanent: true })
  for (const GroupName of groups) await call(cognito, 'AdminAddUserToGroup', { UserPoolId, Username, GroupName })
}

async function shownPool({ call }: Account, pool: Cognito.UserPoolType): Promise<SeedUserPool> {
  const UserPoolId = pool.Id!
  const settings = compact({
    ...Object.fromEntries(POOL_SETTINGS.map((name) => [name, pool[name]])),
    AdminCreateUserConfig: pool.AdminCreateUserConfig && {
      AllowAdminCreateUserOnly: pool.AdminCreateUserConfig.AllowAdminCreateUserOnly,
      InviteMessageTemplate: pool.AdminCreateUserConfig.InviteMessageTemplate,
    },
    Schema: (pool.SchemaAttributes ?? [])
      .filter(({ Name = '' }) => Name.startsWith(CUSTOM))
      .map((attribute) => compact({ ...attribute, Name: attribute.Name!.slice(CUSTOM.length) })),
  })
  const clients = await pagesOf(async (NextToken) => {
    const page = await call(cognito, 'ListUserPoolClients', { UserPoolId, NextToken })
    return { items: page.UserPoolClients, next: page.NextToken }
  })
  const groups = await pagesOf(async (NextToken) => {
    const page = await call(cognito, 'ListGroups', { UserPoolId, NextToken })
    return { items: page.Groups, next: page.NextToken }
  })
  const users = await pagesOf(async (PaginationToken) => {
    const page = await call(cognito, 'ListUsers', { UserPoolId, PaginationToken })
    return { items: page.Users, next: page.PaginationToken }
  })
  return {
    name: pool.Name!,
    id: UserPoolId,
    ...compact({
      domain: pool.Domain,
      settings,
      tags: pool.UserPoolTags,
      // By name: random IDs would order each export otherwise.
      clients: await inTurn(clients.toSorted(byName), async ({ ClientId }) => {
        const { UserPoolClient: client } = await call(cognito, 'DescribeUserPoolClient', {
          UserPoolId,
          ClientId: ClientId!,
        })
        const shown = Object.entries(client!).filter(([name]) => !CLIENT_FACTS.has(name))
        return {
          name: client!.ClientName!,
          id: ClientId!,
          ...(client!.ClientSecret !== undefined && { secret: true as const }),
          ...compact({ settings: compact(Object.fromEntries(shown)) }),
        }
      }),
      groups: groups.map(({ GroupName = '', Description, RoleArn }) =>
        compact({ name: GroupName, description: Description, role: RoleArn }),
      ),
      users: await inTurn(users, async ({ Username = '', Attributes = [] }) => {
        const { Groups = [] } = await call(cognito, 'AdminListGroupsForUser', { UserPoolId, Username })
        const own = Attributes.filter(({ Name }) => Name !== 'sub')
        return compact({
          name: Username,
          attributes: Object.fromEntries(own.map(({ Name = '', Value = '' }) => [Name, Value])),
          groups: Groups.map(({ GroupName = '' }) => GroupName),
        })
      }),
    }),
  }
}

interface Named {
  readonly ClientName?: string | undefined
}

const byName = (a: Named, b: Named): number => (a.ClientName ?? '').localeCompare(b.ClientName ?? '', 'en')
