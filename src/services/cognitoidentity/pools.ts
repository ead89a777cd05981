/** Identity pools: created, changed, shown, listed and deleted. */
import { randomUUID } from 'node:crypto'
import type { CreateIdentityPoolInput, IdentityPool } from '@aws-sdk/client-cognito-identity'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { identity } from '../../kernel/ports/identity.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import { authorizeRetagging } from '../../kernel/resource/retagging.ts'
import { mergedTags, pairsIn } from '../../kernel/resource/tag-rules.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Unit, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { forgetIdentity } from './identity-rows.ts'
import {
  cognitoIdentity,
  type IdentityRow,
  identityKey,
  invalidParameter,
  type PoolPlace,
  type PoolRow,
  type PoolSettings,
  pool,
  poolPlaceKey,
} from './resources.ts'
import { prepareSigningKey } from './tokens.ts'

/** Default of AWS. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const POOLS_MAX = 1_000
/** Of `accounts.google.com` and its like. */
const SOCIAL = new Set(['accounts.google.com', 'appleid.apple.com', 'graph.facebook.com', 'www.amazon.com'])
const NOT_BUILT = new Set(['api.twitter.com', 'www.digits.com'])
const USER_POOL = /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[\w-]+_[0-9a-zA-Z]+$/
export const DELETE_JOB = 'cognito-identity.delete-pool'
const IDENTITIES_A_TURN = 200

const shown = ({ id, settings, tags }: PoolRow): IdentityPool => ({
  IdentityPoolId: id,
  ...settings,
  ...(tags && { IdentityPoolTags: { ...tags } }),
})

type Requested = Omit<CreateIdentityPoolInput, 'IdentityPoolTags'>

/** Throws for a provider that does not exist or that this server cannot verify. */
async function checked(call: Call, input: Requested): Promise<PoolSettings> {
  for (const name of Object.keys(input.SupportedLoginProviders ?? {})) {
    if (NOT_BUILT.has(name))
      throw new Fault('NotImplemented', `Merlon does not implement logins of ${name} in identity pools.`, {
        status: 400,
      })
    if (!SOCIAL.has(name)) throw invalidParameter(`Login provider is not supported: ${name}`)
  }
  for (const { ProviderName = '', ClientId } of input.CognitoIdentityProviders ?? []) {
    if (!USER_POOL.test(ProviderName)) throw invalidParameter('Invalid Cognito Identity Provider')
    if (ClientId === undefined) throw invalidParameter('A user pool provider needs a ClientId.')
  }
  await own(call, input.OpenIdConnectProviderARNs, 'oidc-provider/', 'OpenID Connect')
  await own(call, input.SamlProviderARNs, 'saml-provider/', 'SAML')
  return {
    IdentityPoolName: input.IdentityPoolName,
    AllowUnauthenticatedIdentities: input.AllowUnauthenticatedIdentities,
    AllowClassicFlow: input.AllowClassicFlow ?? false,
    ...(input.SupportedLoginProviders && { SupportedLoginProviders: input.SupportedLoginProviders }),
    ...(input.DeveloperProviderName !== undefined && { DeveloperProviderName: input.DeveloperProviderName }),
    ...(input.OpenIdConnectProviderARNs?.length && { OpenIdConnectProviderARNs: input.OpenIdConnectProviderARNs }),
    ...(input.CognitoIdentityProviders?.length && {
      CognitoIdentityProviders: input.CognitoIdentityProviders.map((each) => ({
        ServerSideTokenCheck: false,
        ...each,
      })),
    }),
    ...(input.SamlProviderARNs?.length && { SamlProviderARNs: input.SamlProviderARNs }),
  }
}

async function own(call: Call, arns: readonly string[] = [], prefix: string, kind: string): Promise<void> {
  for (const text of arns) {
    const arn = parseArn(text)
    const isOwn = arn?.service === 'iam' && arn.account === call.account && arn.resource.startsWith(prefix)
    if (isOwn && (await call.use(identity).exists(call.unit, text))) continue
    throw invalidParameter(`${kind} provider ${text} does not exist in this account.`)
  }
}

export const createIdentityPool = cognitoIdentity
  .operation('CreateIdentityPool')
  .on(
    pool.created((_input: object, call) => ({ IdentityPoolId: `${call.region}:${call.newId()}` }), {
      generated: true,
      authorizedOn: '*',
    }),
  )
  .run(async (call, input, { id, tags, create }) => {
    const existing = await pool.list(call.unit, call, { limit: POOLS_MAX + 1 })
    if (existing.length >= (call.quotas['cognito-identity/pools'] ?? POOLS_MAX))
      throw cognitoIdentity.fail('LimitExceededException', 'The account has as many identity pools as it may.')
    const settings = await checked(call, input)
    await prepareSigningKey(call)
    const { account, region } = call
    const row: PoolRow = {
      id: id.IdentityPoolId,
      account,
      region,
      createdAt: call.now,
      settings,
      roles: {},
      mappings: {},
      tagMappings: {},
      ...(Object.keys(tags).length > 0 && { tags }),
    }
    create(row)
    call.unit.put(poolPlaceKey(row.id), { account, region } satisfies PoolPlace)
    return shown(row) as Required<IdentityPool>
  })

export const updateIdentityPool = cognitoIdentity
  .operation('UpdateIdentityPool')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, input, { row, facts, save }) => {
    const settings = await checked(call, input)
    const before = row.settings.DeveloperProviderName
    if (before !== undefined && settings.DeveloperProviderName !== before)
      throw invalidParameter('The developer provider of an identity pool cannot be changed once it is set.')
    const tags = mergedTags(pool.spec.tags!, row.tags, pairsIn(input.IdentityPoolTags))
    await authorizeRetagging(call, facts, TAGGING, row.tags, tags)
    return shown(save({ ...row, settings, tags })) as Required<IdentityPool>
  })

const TAGGING = { tag: 'cognito-identity:TagResource', untag: 'cognito-identity:UntagResource' }

export const describeIdentityPool = cognitoIdentity
  .operation('DescribeIdentityPool')
  .on(pool.named('IdentityPoolId'))
  .run((_call, _input, { row }) => shown(row) as Required<IdentityPool>)

export const listIdentityPools = cognitoIdentity
  .operation('ListIdentityPools')
  .on(pool.collection())
  .run(async (_call, input, pools) => {
    const { items, next } = await pools.page({
      token: input.NextToken,
      size: input.MaxResults,
      bad: () => invalidParameter('Invalid NextToken.'),
    })
    return {
      IdentityPools: items.map(({ id, settings }) => ({
        IdentityPoolId: id,
        IdentityPoolName: settings.IdentityPoolName,
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const deleteIdentityPool = cognitoIdentity
  .operation('DeleteIdentityPool')
  .on(pool.named('IdentityPoolId'))
  .run((call, _input, { row, remove }) => {
    remove()
    call.unit.delete(poolPlaceKey(row.id))
    scheduleDeletion(call.unit, row.account, row.id, call.now)
    return {}
  })

interface DeletePool {
  readonly account: string
  readonly poolId: string
}

/** The identities of a deleted pool: they can no longer be reached, and are deleted a portion at a time. */
export const deletePoolJob: ServiceJob<DeletePool> = {
  run: async (unit, { now }, { account, poolId }) => {
    const members = await unit.range<IdentityRow>(under('cognito-identity', 'member', poolId), {
      limit: IDENTITIES_A_TURN,
    })
    for (const { document } of members) {
      const row = await unit.get<IdentityRow>(identityKey(document.id))
      if (row) forgetIdentity(unit, row)
    }
    if (members.length === IDENTITIES_A_TURN) scheduleDeletion(unit, account, poolId, now)
  },
}

function scheduleDeletion(unit: Unit, account: string, poolId: string, dueAt: number): void {
  const id = `${DELETE_JOB}/${poolId}/${randomUUID()}`
  scheduleJob(unit, { id, kind: DELETE_JOB, dueAt, payload: { account, poolId } satisfies DeletePool })
}
