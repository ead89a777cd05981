/** Cognito identity pools: the service's declarations, its one resource type, and the rows that belong to a pool. */
import type * as CognitoIdentity from '@aws-sdk/client-cognito-identity'
import type { IdentityPool, RoleMapping } from '@aws-sdk/client-cognito-identity'
import type { Call } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key } from '../../store/store.ts'

export const cognitoIdentity = defineService<typeof CognitoIdentity>('cognito-identity')

export const invalidParameter = (message: string) => cognitoIdentity.fail('InvalidParameterException', message)
export const notAuthorized = (message: string) => cognitoIdentity.fail('NotAuthorizedException', message)
export const notFound = (message: string) => cognitoIdentity.fail('ResourceNotFoundException', message)
export const conflict = (message: string) => cognitoIdentity.fail('ResourceConflictException', message)

/** What `CreateIdentityPool` and `UpdateIdentityPool` set, in the model's own shapes. */
export type PoolSettings = Pick<
  IdentityPool,
  | 'IdentityPoolName'
  | 'AllowUnauthenticatedIdentities'
  | 'AllowClassicFlow'
  | 'SupportedLoginProviders'
  | 'DeveloperProviderName'
  | 'OpenIdConnectProviderARNs'
  | 'CognitoIdentityProviders'
  | 'SamlProviderARNs'
>

/** Claims of tokens that become principal tags of sessions, of one login provider. */
export interface TagMapping {
  readonly useDefaults: boolean
  /** Tag key → claim. */
  readonly tags: Readonly<Record<string, string>>
}

export interface PoolRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly createdAt: number
  readonly settings: PoolSettings
  /** ARNs by `authenticated` and `unauthenticated`. */
  readonly roles: Readonly<Record<string, string>>
  /** By login provider. */
  readonly mappings: Readonly<Record<string, RoleMapping>>
  /** By login provider. */
  readonly tagMappings: Readonly<Record<string, TagMapping>>
}

/** A person or device that a pool knows. */
export interface IdentityRow {
  readonly id: string
  readonly poolId: string
  /** Login provider → the hash of the subject there, as {@link loginKey} has it. */
  readonly logins: Readonly<Record<string, string>>
  /** User identifiers of the pool's developer provider. */
  readonly developerUsers: readonly string[]
  /** Its last login was removed: it can no longer be reached. */
  readonly isDisabled?: true
  readonly createdAt: number
  readonly modifiedAt: number
}

const PATTERN = '[\\w-]+:[0-9a-f-]+'
const poolMissing = (id: string) => notFound(`IdentityPool '${id}' not found.`)

export const pool = cognitoIdentity.resource({
  kind: 'pool', // begins the keys of the rows: never change it
  type: 'AWS::Cognito::IdentityPool',
  arn: 'arn:${Partition}:cognito-identity:${Region}:${Account}:identitypool/${IdentityPoolId}',
  patterns: { IdentityPoolId: PATTERN },
  storedPer: 'region',
  shortForm: 'IdentityPoolId',
  idOf: (row: PoolRow) => ({ IdentityPoolId: row.id }),
  tags: {
    action: 'cognito-identity:TagResource',
    member: 'Tags',
    memberOnCreation: 'IdentityPoolTags',
    problems: {
      duplicate: () => invalidParameter('Duplicate tag keys found.'),
      reserved: () => invalidParameter('Tag keys that begin with aws: are reserved.'),
      'too-many': () => invalidParameter(`An identity pool can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (_arn, { IdentityPoolId }) => poolMissing(IdentityPoolId),
    invalidReference: (text) => invalidParameter(`'${text}' is no identity pool.`),
  },
})

/** Where the row of a pool is: identities come without an account. */
export const poolPlaceKey = (id: string): Key => key('cognito-identity', 'pool-place', id)
export const identityKey = (id: string): Key => key('cognito-identity', 'identity', id)
/** For the list of a pool's identities. */
export const memberKey = (poolId: string, id: string): Key => key('cognito-identity', 'member', poolId, id)
/** Which identity a login leads to. The hash: subjects may be e-mail addresses. */
export const loginKey = (poolId: string, provider: string, subjectHash: string): Key =>
  key('cognito-identity', 'login', poolId, provider, subjectHash)

export interface PoolPlace {
  readonly account: string
  readonly region: string
}

/** In whatever account it is; only where the Region of the call is its own. */
export async function poolById(reader: Pick<Reader, 'get'>, id: string): Promise<PoolRow | undefined> {
  const place = await reader.get<PoolPlace>(poolPlaceKey(id))
  return place && pool.get(reader, place, { IdentityPoolId: id })
}

export const poolArn = (call: Pick<Call, 'partition'>, { account, region, id }: PoolRow): string =>
  pool.arn({ partition: call.partition, account, region }, { IdentityPoolId: id })

/** For the audit log: the pool of an unauthenticated call, in the account that owns it. */
export const recorded = (call: Pick<Call, 'partition'>, row: PoolRow) => ({
  arn: poolArn(call, row),
  type: pool.spec.type,
  account: row.account,
})

/** The pool of an unauthenticated call. */
export const openPool: Target<{ readonly IdentityPoolId?: string | undefined }, PoolRow> = {
  find: async (call, { IdentityPoolId: id = '' }) => {
    const row = await poolById(call.unit, id)
    const isHere = row?.region === call.region
    return {
      acted: isHere ? recorded(call, row) : undefined,
      row: isHere ? row : undefined,
      missing: () => poolMissing(id),
    }
  },
}

export interface FoundIdentity {
  readonly identity: IdentityRow
  readonly pool: PoolRow
}

/** The identity of an unauthenticated call: presenting its logins proves the right to it. */
export const openIdentity: Target<{ readonly IdentityId?: string | undefined }, FoundIdentity> = {
  find: async (call, { IdentityId: id = '' }) => {
    const found = await identityIn(call, id)
    return {
      acted: found && recorded(call, found.pool),
      row: found,
      missing: () => identityMissing(id),
    }
  },
}

export const identityMissing = (id: string) => notFound(`Identity '${id}' not found.`)

/** With its pool, which may be another account's. */
export async function identityIn(call: Pick<Call, 'unit' | 'region'>, id: string): Promise<FoundIdentity | undefined> {
  const identity = await call.unit.get<IdentityRow>(identityKey(id))
  const of = identity && (await poolById(call.unit, identity.poolId))
  return identity && of && of.region === call.region ? { identity, pool: of } : undefined
}

/** The named pool, authorized on `*`: the reference lists no resource type for the operation. */
export const poolWithoutType = (): Target<
  { readonly IdentityPoolId?: string | undefined },
  ExistingResource<{ readonly IdentityPoolId: string }, PoolRow>
> => {
  const named = pool.named('IdentityPoolId')
  return {
    find: async (call, input) => {
      const found = await named.find(call, input)
      return { ...found, acted: undefined }
    },
  }
}
