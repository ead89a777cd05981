/** ID, access and refresh tokens of a sign-in, with what groups and the PreTokenGeneration function add. */

import { randomUUID } from 'node:crypto'
import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import { type Claims, signJwt } from './jwt.ts'
import { at, type ClientRow, type Flow, type PoolRow } from './resources.ts'
import type { Attributes } from './schema.ts'
import { evict, isTracking, type SessionRow, sealRefresh, sessionKey, sweep, validityOf } from './sessions.ts'
import { issuerOf } from './settings.ts'
import { clientFacts } from './threat-client.ts'
import { functionOf, trigger } from './triggers.ts'
import type { UserRow } from './user-rows.ts'

export const ADMIN_SCOPE = 'aws.cognito.signin.user.admin'

export interface GroupRow {
  readonly name: string
  readonly description?: string | undefined
  readonly roleArn?: string | undefined
  readonly precedence?: number | undefined
  readonly createdAt: number
  readonly modifiedAt: number
}

interface GroupFacts {
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly preferredRole: string | undefined
}

async function groupFacts(call: Pick<Flow, 'unit'>, pool: PoolRow, user: UserRow): Promise<GroupFacts> {
  const rows = await Promise.all(user.groups.map((name) => call.unit.get<GroupRow>(at.group(pool.id, name))))
  const found = rows.filter((row) => row !== undefined)
  const withRoles = found.filter(({ roleArn }) => roleArn !== undefined)
  const rank = ({ precedence }: GroupRow) => precedence ?? Number.POSITIVE_INFINITY
  const best = Math.min(...withRoles.map(rank))
  const first = withRoles.filter((group) => rank(group) === best)
  const isUnique = new Set(first.map(({ roleArn }) => roleArn)).size === 1
  return {
    groups: [...found].sort((a, b) => rank(a) - rank(b)).map(({ name }) => name),
    roles: withRoles.map(({ roleArn }) => roleArn!),
    preferredRole: isUnique ? first[0]!.roleArn : undefined,
  }
}

/** Attributes that the client may read. Without a list of its own: the standard ones. */
export function readable({ settings }: ClientRow, attributes: Attributes): Attributes {
  const list = settings.ReadAttributes
  const isReadable = (name: string) =>
    list && list.length > 0 ? list.includes(name) || name === 'sub' : !name.includes(':')
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isReadable(name)))
}

const FLAGS = new Set(['email_verified', 'phone_number_verified'])

const SCOPE_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
}

/** `email` and `phone` narrow what `openid` alone, and `profile`, open: every attribute. */
export function scopedAttributes(scopes: readonly string[], attributes: Attributes): Attributes {
  const narrowing = scopes.flatMap((scope) => SCOPE_ATTRIBUTES[scope] ?? [])
  if (scopes.includes('profile') || narrowing.length === 0) return attributes
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => narrowing.includes(name)))
}

export const claimValues = (attributes: Attributes): Claims =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, FLAGS.has(name) ? value === 'true' : value]),
  )

/** Claims that no function may set or remove. */
const RESERVED = new Set([
  'acr',
  'amr',
  'at_hash',
  'auth_time',
  'azp',
  'exp',
  'iat',
  'iss',
  'jti',
  'nbf',
  'nonce',
  'origin_jti',
  'sub',
  'token_use',
  'client_id',
  'aud',
  'version',
  'username',
  'cognito:username',
  'device_key',
  'event_id',
  'identities',
  'scope',
])

interface Overrides {
  readonly id: (claims: Claims) => Claims
  readonly access: (claims: Claims) => Claims
}

const unchanged: Overrides = { id: (claims) => claims, access: (claims) => claims }

export interface TokenOverride {
  readonly claimsToAddOrOverride?: Readonly<Record<string, unknown>> | null
  readonly claimsToSuppress?: readonly string[] | null
  readonly scopesToAdd?: readonly string[] | null
  readonly scopesToSuppress?: readonly string[] | null
}

interface GroupOverride {
  readonly groupsToOverride?: readonly string[] | null
  readonly iamRolesToOverride?: readonly string[] | null
  readonly preferredRole?: string | null
}

/** The claims as a function changed them; those that AWS reserves stay. */
export function overridden(
  claims: Claims,
  by: TokenOverride | null | undefined,
  groups: GroupOverride | null | undefined,
  isAccess: boolean,
): Claims {
  const result: Record<string, unknown> = { ...claims }
  if (groups) {
    if (groups.groupsToOverride) result['cognito:groups'] = groups.groupsToOverride
    if (!isAccess && groups.iamRolesToOverride) result['cognito:roles'] = groups.iamRolesToOverride
    if (!isAccess && groups.preferredRole) result['cognito:preferred_role'] = groups.preferredRole
  }
  for (const [name, value] of Object.entries(by?.claimsToAddOrOverride ?? {}))
    if (!RESERVED.has(name)) result[name] = value
  for (const name of by?.claimsToSuppress ?? []) if (!RESERVED.has(name)) delete result[name]
  if (isAccess && (by?.scopesToAdd || by?.scopesToSuppress)) {
    const scopes = String(claims['scope'] ?? '')
      .split(' ')
      .filter((scope) => !by?.scopesToSuppress?.includes(scope))
    result['scope'] = [...new Set([...scopes, ...(by?.scopesToAdd ?? [])])].join(' ')
  }
  return result
}

interface Triggered {
  readonly client: ClientRow
  readonly source: string
  readonly facts: GroupFacts
  readonly scopes: readonly string[]
  readonly clientMetadata: Readonly<Record<string, string>> | undefined
}

async function overridesOf(call: Flow, pool: PoolRow, user: UserRow, of: Triggered): Promise<Overrides> {
  if (functionOf(pool, 'PreTokenGeneration') === undefined) return unchanged
  const version = pool.settings.LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion ?? 'V1_0'
  const isFirst = version === 'V1_0'
  const answer = await trigger(call, pool, 'PreTokenGeneration', {
    source: of.source,
    userName: user.username,
    clientId: of.client.id,
    user,
    version: version.slice(1, 2),
    request: {
      groupConfiguration: {
        groupsToOverride: of.facts.groups,
        iamRolesToOverride: of.facts.roles,
        preferredRole: of.facts.preferredRole ?? null,
      },
      ...(!isFirst && { scopes: of.scopes }),
      clientMetadata: of.clientMetadata ?? {},
    },
    response: isFirst ? { claimsOverrideDetails: null } : { claimsAndScopeOverrideDetails: null },
  })
  if (isFirst) {
    const details = answer?.['claimsOverrideDetails'] as
      | (TokenOverride & { groupOverrideDetails?: GroupOverride })
      | null
    return {
      id: (claims) => overridden(claims, details, details?.groupOverrideDetails, false),
      // The first version changes the groups of both tokens, and the claims of the ID token alone.
      access: (claims) => overridden(claims, undefined, details?.groupOverrideDetails, true),
    }
  }
  const details = answer?.['claimsAndScopeOverrideDetails'] as {
    idTokenGeneration?: TokenOverride | null
    accessTokenGeneration?: TokenOverride | null
    groupOverrideDetails?: GroupOverride | null
  } | null
  return {
    id: (claims) => overridden(claims, details?.idTokenGeneration, details?.groupOverrideDetails, false),
    access: (claims) => overridden(claims, details?.accessTokenGeneration, details?.groupOverrideDetails, true),
  }
}

export interface TokenRequest {
  readonly pool: PoolRow
  readonly client: ClientRow
  readonly user: UserRow
  readonly session: SessionRow
  /** `TokenGeneration_Authentication` */
  readonly source: string
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
  readonly withRefresh: boolean
}

/** Signs the tokens of a family. */
export async function tokensOf(call: Flow, request: TokenRequest): Promise<AuthenticationResultType> {
  const { pool, client, user, session, source, clientMetadata, withRefresh } = request
  const facts = await groupFacts(call, pool, user)
  call.afterCommit(() => call.use(userPoolCounts).count('tokens', { source: source.replace('TokenGeneration_', '') }))
  const { accessMs, idMs } = validityOf(client)
  const seconds = Math.floor(call.now / 1000)
  const { scopes } = session
  const overrides = await overridesOf(call, pool, user, { client, source, facts, scopes, clientMetadata })
  const isRevocable = client.settings.EnableTokenRevocation !== false
  const common = {
    sub: user.sub,
    ...(facts.groups.length > 0 && { 'cognito:groups': facts.groups }),
    iss: issuerOf(pool),
    ...(isRevocable && { origin_jti: session.id }),
    event_id: call.requestId,
    auth_time: Math.floor(session.authTime / 1000),
    iat: seconds,
    jti: randomUUID(),
  }
  const isApi = scopes.length === 1 && scopes[0] === ADMIN_SCOPE
  const hasIdToken = isApi || scopes.includes('openid')
  const attributes = readable(client, scopedAttributes(scopes, user.attributes))
  const idClaims = overrides.id({
    ...common,
    ...claimValues(attributes),
    ...(facts.preferredRole !== undefined && { 'cognito:preferred_role': facts.preferredRole }),
    ...(facts.roles.length > 0 && { 'cognito:roles': facts.roles }),
    ...(session.nonce !== undefined && { nonce: session.nonce }),
    ...(user.identities.length > 0 && { identities: identitiesClaim(user) }),
    'cognito:username': user.username,
    aud: client.id,
    token_use: 'id',
    exp: seconds + Math.floor(idMs / 1000),
  })
  const accessClaims = overrides.access({
    ...common,
    ...(session.deviceKey !== undefined && { device_key: session.deviceKey }),
    client_id: client.id,
    version: 2,
    token_use: 'access',
    scope: scopes.join(' '),
    username: user.username,
    jti: randomUUID(),
    exp: seconds + Math.floor(accessMs / 1000),
  })
  const [IdToken, AccessToken] = await Promise.all([
    hasIdToken ? signJwt(call.vault, pool.keys[0], idClaims) : undefined,
    signJwt(call.vault, pool.keys[1], accessClaims),
  ])
  return {
    AccessToken,
    ExpiresIn: Math.floor(accessMs / 1000),
    TokenType: 'Bearer',
    ...(withRefresh && {
      RefreshToken: sealRefresh(call.vault, {
        pool: pool.id,
        client: client.id,
        sub: user.sub,
        session: session.id,
        generation: session.generation,
      }),
    }),
    ...(IdToken !== undefined && { IdToken }),
  }
}

export const identitiesClaim = (user: UserRow): readonly object[] =>
  user.identities.map(({ provider, type, userId, issuer, isPrimary, linkedAt }) => ({
    dateCreated: String(linkedAt),
    userId,
    providerName: provider,
    providerType: type,
    issuer: issuer ?? null,
    primary: String(isPrimary),
  }))

interface NewSession {
  readonly scopes?: readonly string[]
  readonly nonce?: string | undefined
  readonly deviceKey?: string | undefined
  readonly provider?: string | undefined
}

/** What a pool that tracks sessions keeps of a sign-in or a refresh. */
export function activityOf(
  call: Pick<Flow, 'now' | 'use' | 'remoteAddress' | 'userAgent'>,
  pool: PoolRow,
  client: ClientRow,
): Pick<SessionRow, 'lastActiveAt' | 'address' | 'deviceName'> {
  if (!isTracking(pool)) return {}
  const { address, deviceName } = clientFacts(call, client, undefined, false)
  return { lastActiveAt: call.now, address, deviceName }
}

/** Begins a family of tokens. Where the pool limits their number, the least recently used one ends. */
export async function beginSession(
  call: Pick<Flow, 'unit' | 'now' | 'use' | 'remoteAddress' | 'userAgent'>,
  pool: PoolRow,
  client: ClientRow,
  user: UserRow,
  of: NewSession = {},
): Promise<SessionRow> {
  const { accessMs, idMs, refreshMs } = validityOf(client)
  const id = randomUUID()
  await sweep(call.unit, pool, user.sub, call.now, id)
  if (isTracking(pool)) await evict(call.unit, pool, user.sub, call.now)
  const session: SessionRow = {
    id,
    client: client.id,
    authTime: call.now,
    expiresAt: call.now + refreshMs,
    endsAt: call.now + refreshMs + Math.max(accessMs, idMs),
    generation: 0,
    deviceKey: of.deviceKey,
    scopes: of.scopes ?? [ADMIN_SCOPE],
    nonce: of.nonce,
    provider: of.provider,
    ...activityOf(call, pool, client),
  }
  call.unit.put(sessionKey(pool, user.sub, session.id), session)
  return session
}
