/** Seeds of Amazon Cognito identity pools: for users of this account's user pools, and for guests. */
import type * as CognitoIdentity from '@aws-sdk/client-cognito-identity'
import type * as Cognito from '@aws-sdk/client-cognito-identity-provider'
import type { Api } from '../../kernel/service/api.ts'
import { type Account, compact, inTurn, pagesOf, seedPart } from './part.ts'

const identityPoolsApi: Api<typeof CognitoIdentity> = { id: 'cognito-identity' }
const userPoolsApi: Api<typeof Cognito> = { id: 'cognito-idp' }
const PAGE = 60

export const identityPools = seedPart({
  kind: 'identityPools',
  labels: ['name'],
  members: { name: true, id: true, guests: true, clients: true, role: true, guestRole: true },
  add: async (account, { name, id, guests = false, clients = [], role, guestRole }, step) => {
    const { call } = account
    const what = `identity pool '${name}'`
    let IdentityPoolId = ''
    await step([], what, async () => {
      const known = await clientsByName(account)
      const made = await call(
        identityPoolsApi,
        'CreateIdentityPool',
        {
          IdentityPoolName: name,
          AllowUnauthenticatedIdentities: guests,
          CognitoIdentityProviders: clients.map((client) => {
            const provider = known.get(client)
            if (!provider) throw new Error(`The account has no user pool and client '${client}'.`)
            return provider
          }),
        },
        id?.slice(id.indexOf(':') + 1),
      )
      IdentityPoolId = made.IdentityPoolId!
    })
    const Roles = compact({
      authenticated: role && roleArn(account, role),
      unauthenticated: guestRole && roleArn(account, guestRole),
    }) as Record<string, string>
    if (Object.keys(Roles).length > 0)
      await step([], `the roles of ${what}`, () =>
        call(identityPoolsApi, 'SetIdentityPoolRoles', { IdentityPoolId, Roles }),
      )
  },
  export: async (account, leaveOut) => {
    const { call, id } = account
    const all = await pagesOf(async (NextToken) => {
      const page = await call(identityPoolsApi, 'ListIdentityPools', { MaxResults: PAGE, NextToken })
      return { items: page.IdentityPools, next: page.NextToken }
    })
    if (all.length === 0) return []
    const names = new Map(
      [...(await clientsByName(account))].map(([name, { ProviderName, ClientId }]) => [
        `${ProviderName} ${ClientId}`,
        name,
      ]),
    )
    return inTurn(all, async ({ IdentityPoolId = '' }) => {
      const pool = await call(identityPoolsApi, 'DescribeIdentityPool', { IdentityPoolId })
      const { Roles, RoleMappings } = await call(identityPoolsApi, 'GetIdentityPoolRoles', { IdentityPoolId })
      const providers = pool.CognitoIdentityProviders ?? []
      const others = [pool.SupportedLoginProviders, pool.OpenIdConnectProviderARNs, pool.SamlProviderARNs, RoleMappings]
      if (others.some((each) => Object.keys(each ?? {}).length > 0))
        leaveOut(`other providers and role mappings of the identity pool ${pool.IdentityPoolName} of account ${id}`)
      return {
        ...compact({
          name: pool.IdentityPoolName!,
          id: IdentityPoolId,
          clients: providers.flatMap(({ ProviderName, ClientId }) => names.get(`${ProviderName} ${ClientId}`) ?? []),
          role: roleName(Roles?.['authenticated']),
          guestRole: roleName(Roles?.['unauthenticated']),
        }),
        ...(pool.AllowUnauthenticatedIdentities && { guests: true }),
      }
    })
  },
})

/** The app clients of the account, as `POOL/CLIENT`. */
async function clientsByName({ call, region }: Account) {
  const found = new Map<string, { readonly ProviderName: string; readonly ClientId: string }>()
  const pools = await pagesOf(async (NextToken) => {
    const page = await call(userPoolsApi, 'ListUserPools', { MaxResults: PAGE, NextToken })
    return { items: page.UserPools, next: page.NextToken }
  })
  for (const { Id = '', Name } of pools) {
    const clients = await pagesOf(async (NextToken) => {
      const page = await call(userPoolsApi, 'ListUserPoolClients', { UserPoolId: Id, NextToken })
      return { items: page.UserPoolClients, next: page.NextToken }
    })
    for (const { ClientName, ClientId = '' } of clients)
      found.set(`${Name}/${ClientName}`, { ProviderName: `cognito-idp.${region}.amazonaws.com/${Id}`, ClientId })
  }
  return found
}

const roleArn = ({ id }: Account, role: string): string =>
  role.startsWith('arn:') ? role : `arn:aws:iam::${id}:role/${role}`

/** The name where the role has no path, else its ARN. */
const roleName = (arn: string | undefined): string | undefined => /:role\/([^/]+)$/.exec(arn ?? '')?.[1] ?? arn
