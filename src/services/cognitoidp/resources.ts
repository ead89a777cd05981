/** Cognito user pools: the service's declarations, its one resource type, and the rows that belong to a pool. */
import type * as CognitoIdp from '@aws-sdk/client-cognito-identity-provider'
import type {
  LogConfigurationType,
  SchemaAttributeType,
  UserPoolClientType,
  UserPoolType,
  WebAuthnConfigurationType,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Call } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key } from '../../store/store.ts'
import type { StoredMaterial } from '../../vault/material/materials.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'

export const cognito = defineService<typeof CognitoIdp>('cognito-idp')

/** The principal by which triggers are invoked. */
export const SERVICE_PRINCIPAL = 'cognito-idp.amazonaws.com'

export const invalidParameter = (message: string) => cognito.fail('InvalidParameterException', message)
export const notAuthorized = (message: string) => cognito.fail('NotAuthorizedException', message)
export const notFound = (message: string) => cognito.fail('ResourceNotFoundException', message)

/** A signing key of a pool, as tokens are signed with it and as `jwks.json` shows it. */
export interface PoolKey {
  readonly kid: string
  readonly held: StoredMaterial
  readonly jwk: Readonly<Record<string, unknown>>
}

/** What `CreateUserPool` and `UpdateUserPool` set, in the model's own shapes. */
export type PoolSettings = Pick<
  UserPoolType,
  | 'Policies'
  | 'DeletionProtection'
  | 'LambdaConfig'
  | 'AutoVerifiedAttributes'
  | 'AliasAttributes'
  | 'UsernameAttributes'
  | 'SmsVerificationMessage'
  | 'EmailVerificationMessage'
  | 'EmailVerificationSubject'
  | 'VerificationMessageTemplate'
  | 'SmsAuthenticationMessage'
  | 'UserAttributeUpdateSettings'
  | 'MfaConfiguration'
  | 'DeviceConfiguration'
  | 'EmailConfiguration'
  | 'SmsConfiguration'
  | 'AdminCreateUserConfig'
  | 'UserPoolAddOns'
  | 'UsernameConfiguration'
  | 'AccountRecoverySetting'
  | 'UserPoolTier'
>

export interface PoolRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly name: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly settings: PoolSettings
  readonly schema: readonly SchemaAttributeType[]
  /** Of ID tokens, and of access tokens. */
  readonly keys: readonly [PoolKey, PoolKey]
  readonly isTotpEnabled: boolean
  readonly emailMfa?: { readonly message?: string | undefined; readonly subject?: string | undefined } | undefined
  readonly isSmsMfaEnabled: boolean
  readonly webAuthn?: WebAuthnConfigurationType | undefined
  readonly domain?: string | undefined
  readonly customDomain?: string | undefined
  readonly logDelivery?: readonly LogConfigurationType[] | undefined
  readonly sessions?: { readonly tracking: 'ENABLED' | 'DISABLED'; readonly maxPerUser: number } | undefined
}

export const userPool = cognito.resource({
  kind: 'user-pool', // begins the keys of the rows: never change it
  type: 'AWS::Cognito::UserPool',
  arn: 'arn:${Partition}:cognito-idp:${Region}:${Account}:userpool/${UserPoolId}',
  patterns: { UserPoolId: '[a-z0-9-]+_[0-9a-zA-Z]+' },
  storedPer: 'region',
  shortForm: 'UserPoolId',
  idOf: (row: PoolRow) => ({ UserPoolId: row.id }),
  tags: {
    action: 'cognito-idp:TagResource',
    member: 'Tags',
    memberOnCreation: 'UserPoolTags',
    problems: {
      duplicate: () => invalidParameter('Duplicate tag keys found.'),
      reserved: () => invalidParameter('Tag keys that begin with aws: are reserved.'),
      'too-many': () => invalidParameter(`A user pool can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (_arn, { UserPoolId }) => notFound(`User pool ${UserPoolId} does not exist.`),
    invalidReference: (text) => notFound(`User pool ${text} does not exist.`),
  },
})

/** The pool that most operations name. */
export const poolNamed = userPool.named('UserPoolId')

/** The part behind the underscore, which SRP hashes with names and passwords. */
export const groupOf = ({ id }: Pick<PoolRow, 'id'>): string => id.slice(id.indexOf('_') + 1)

export interface ClientSecret {
  readonly id: string
  readonly sealed: Sealed
  readonly createdAt: number
}

export type ClientSettings = Omit<
  UserPoolClientType,
  'UserPoolId' | 'ClientId' | 'ClientSecret' | 'LastModifiedDate' | 'CreationDate' | 'ClientType'
>

export interface ClientRow {
  readonly id: string
  readonly pool: string
  readonly account: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly settings: ClientSettings
  /** Two at most, so that a secret can be replaced without an outage. */
  readonly secrets: readonly ClientSecret[]
}

/** Where rows are stored. The first segments are persisted: never change them. */
export const at = {
  pool: (id: string) => key('cognito-idp', 'pool-at', id),
  client: (pool: string, id: string) => key('cognito-idp', 'client', pool, id),
  /** Client ID → its pool: unsigned requests name the client alone. */
  clientPool: (id: string) => key('cognito-idp', 'client-at', id),
  group: (pool: string, name: string) => key('cognito-idp', 'group', pool, name),
  member: (pool: string, group: string, sub: string) => key('cognito-idp', 'member', pool, group, sub),
  user: (pool: string, sub: string) => key('cognito-idp', 'user', pool, sub),
  userName: (pool: string, name: string) => key('cognito-idp', 'user-name', pool, name),
  alias: (pool: string, attribute: string, value: string) => key('cognito-idp', 'alias', pool, attribute, value),
  index: (pool: string, attribute: string, value: string, sub: string) =>
    key('cognito-idp', 'user-by', pool, attribute, value, sub),
  count: (pool: string, shard: string) => key('cognito-idp', 'user-count', pool, shard),
  session: (pool: string, sub: string, id: string) => key('cognito-idp', 'session', pool, sub, id),
  spent: (pool: string, sub: string, id: string) => key('cognito-idp', 'spent', pool, sub, id),
  device: (pool: string, sub: string, id: string) => key('cognito-idp', 'device', pool, sub, id),
  resourceServer: (pool: string, id: string) => key('cognito-idp', 'resource-server', pool, id),
  provider: (pool: string, name: string) => key('cognito-idp', 'provider', pool, name),
  domain: (name: string) => key('cognito-idp', 'domain', name),
  part: (pool: string, kind: string, id: string) => key('cognito-idp', kind, pool, id),
} as const

interface PoolAt {
  readonly account: string
  readonly region: string
  readonly partition: string
}

/** A pool by its ID alone: tokens and unsigned requests name no account. */
export async function poolById(reader: Reader, id: string): Promise<PoolRow | undefined> {
  const place = await reader.get<PoolAt>(at.pool(id))
  return place && (await reader.get<PoolRow>(userPool.key(place, { UserPoolId: id })))
}

export const poolAt = ({ account, region, partition }: PoolRow): PoolAt => ({ account, region, partition })

export const poolArn = (row: PoolRow): string => userPool.arn(row, { UserPoolId: row.id })

export interface PoolClient {
  readonly pool: PoolRow
  readonly client: ClientRow
}

export async function clientById(reader: Reader, id: string): Promise<PoolClient | undefined> {
  const place = await reader.get<{ readonly pool: string }>(at.clientPool(id))
  const pool = place && (await poolById(reader, place.pool))
  const client = pool && (await reader.get<ClientRow>(at.client(pool.id, id)))
  return client && { pool, client }
}

export const clientMissing = (id: string) => notFound(`User pool client ${id} does not exist.`)

export async function requireClient(reader: Reader, pool: PoolRow, id: string): Promise<ClientRow> {
  const client = await reader.get<ClientRow>(at.client(pool.id, id))
  if (!client) throw clientMissing(id)
  return client
}

/** The client that an unsigned request names. It is recorded where the pool is. */
export const clientNamed: Target<{ readonly ClientId?: string | undefined }, PoolClient> = {
  find: async (call: Call, { ClientId = '' }) => {
    const found = await clientById(call.unit, ClientId)
    if (!found) return { acted: undefined, row: undefined, missing: () => clientMissing(ClientId) }
    call.event.region = found.pool.region
    const acted = await userPool.facts(call, { scope: found.pool, arn: poolArn(found.pool), row: found.pool })
    return { acted, row: found }
  },
}

export const sealedAt = (row: { readonly account: string }, column: string, id: string): SealContext => ({
  table: 'cognito-idp',
  key: id,
  column,
  account: row.account,
})

/** What sign-in, sign-up and their like work with: an operation's call, or a page's. */
export type Flow = Pick<
  Call,
  | 'unit'
  | 'vault'
  | 'now'
  | 'newId'
  | 'use'
  | 'quotas'
  | 'once'
  | 'commitNow'
  | 'checkSecret'
  | 'actAs'
  | 'requestId'
  | 'remoteAddress'
  | 'userAgent'
  | 'afterCommit'
>

export type { Key }
