/** Refresh tokens: exchanged, rotated and revoked. One that was exchanged already ends its family. */
import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { guessable } from './passwords.ts'
import { at, type ClientRow, clientNamed, cognito, type Flow, notAuthorized, type PoolClient } from './resources.ts'
import { checkClientSecret } from './secret-hash.ts'
import { isTracking, openRefresh, type RefreshClaims, type SessionRow, sealRefresh, sessionKey } from './sessions.ts'
import { UNSIGNED } from './sign-up.ts'
import { activityOf, tokensOf } from './tokens.ts'
import type { UserRow } from './user-rows.ts'

export const invalidRefresh = () => notAuthorized('Invalid Refresh Token')

const revoked = () => notAuthorized('Refresh Token has been revoked')
const reused = () => cognito.fail('RefreshTokenReuseException', 'Refresh token has been invalidated')

export const isRotating = ({ settings }: ClientRow): boolean => settings.RefreshTokenRotation?.Feature === 'ENABLED'

interface Refreshed {
  readonly token: string
  readonly deviceKey?: string | undefined
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
  /** Proves the client, once the user of the token is known. */
  readonly authenticate: (user: UserRow) => void
}

interface Opened {
  readonly claims: RefreshClaims
  readonly user: UserRow
  readonly session: SessionRow
}

/** The family that a refresh token belongs to. Throws for one that is not of this client, expired, or of an ended family. */
async function opened(
  call: Pick<Flow, 'unit' | 'vault' | 'now'>,
  { pool, client }: PoolClient,
  token: string,
): Promise<Opened> {
  const claims = openRefresh(call.vault, token)
  if (!claims || claims.pool !== pool.id || claims.client !== client.id) throw invalidRefresh()
  const user = await call.unit.get<UserRow>(at.user(pool.id, claims.sub))
  const session = user && (await call.unit.get<SessionRow>(sessionKey(pool, claims.sub, claims.session)))
  if (!user || !session) throw revoked()
  if (session.isEnded) throw claims.generation === session.generation ? revoked() : reused()
  if (session.expiresAt <= call.now) throw notAuthorized('Refresh Token has expired')
  return { claims, user, session }
}

/** New tokens for a refresh token. One that was exchanged before ends the family: another client has it, too. */
export async function refresh(
  call: Flow,
  of: PoolClient,
  { token, deviceKey, clientMetadata, authenticate }: Refreshed,
): Promise<AuthenticationResultType> {
  const { pool, client } = of
  const { claims, user, session } = await opened(call, of, token)
  authenticate(user)
  if (!user.isEnabled) throw notAuthorized('User is disabled.')
  if (session.deviceKey !== undefined && deviceKey !== undefined && deviceKey !== session.deviceKey)
    throw invalidRefresh()
  const rotates = isRotating(client)
  const graceMs = (client.settings.RefreshTokenRotation?.RetryGracePeriodSeconds ?? 0) * 1000
  let current = session
  if (claims.generation !== session.generation) {
    const isRetry =
      claims.generation === session.generation - 1 &&
      session.rotatedAt !== undefined &&
      call.now < session.rotatedAt + graceMs
    if (!isRetry) {
      // In a transaction of its own: a refusal writes nothing, and this has to last.
      await call.checkSecret(guessable(pool, session.id, 'refresh'), (unit) => {
        unit.put(sessionKey(pool, user.sub, session.id), { ...session, isEnded: true } satisfies SessionRow)
        return true
      })
      throw reused()
    }
  } else if (rotates) {
    current = { ...session, generation: session.generation + 1, rotatedAt: call.now }
    call.unit.put(sessionKey(pool, user.sub, session.id), current)
  }
  if (isTracking(pool)) {
    current = { ...current, ...activityOf(call, pool, client) }
    call.unit.put(sessionKey(pool, user.sub, session.id), current)
  }
  const tokens = await tokensOf(call, {
    pool,
    client,
    user,
    session: current,
    source: 'TokenGeneration_RefreshTokens',
    clientMetadata,
    withRefresh: false,
  })
  if (!rotates) return tokens
  return {
    ...tokens,
    RefreshToken: sealRefresh(call.vault, { ...claims, generation: current.generation }),
  }
}

export const getTokensFromRefreshToken = cognito
  .operation('GetTokensFromRefreshToken')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    const result = await refresh(
      call,
      { pool, client },
      {
        token: input.RefreshToken,
        deviceKey: input.DeviceKey,
        clientMetadata: input.ClientMetadata,
        authenticate: () => checkClientSecret(call.vault, client, input.ClientSecret),
      },
    )
    return { AuthenticationResult: result }
  })

/** Ends the family of a refresh token. Access tokens of the family end with it. */
export async function revoke(
  call: Pick<Flow, 'unit' | 'vault' | 'now'>,
  { pool, client }: PoolClient,
  token: string,
): Promise<void> {
  const claims = openRefresh(call.vault, token)
  if (!claims) {
    if (token.split('.').length === 3) throw cognito.fail('UnsupportedTokenTypeException', 'Unsupported token type')
    throw cognito.fail('InvalidParameterException', 'Invalid Refresh Token')
  }
  if (claims.pool !== pool.id || claims.client !== client.id)
    throw cognito.fail('UnauthorizedException', 'The client is not that of the token.')
  call.unit.delete(sessionKey(pool, claims.sub, claims.session))
}

export const revokeToken = cognito
  .operation('RevokeToken')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    if (client.settings.EnableTokenRevocation === false)
      throw cognito.fail('UnsupportedOperationException', 'Token revocation is not enabled for the client.')
    checkClientSecret(call.vault, client, input.ClientSecret)
    await revoke(call, { pool, client }, input.Token)
    return {}
  })
