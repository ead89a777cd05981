/** Access tokens of machines: RFC 6749 section 4.4, for the scopes of resource servers alone. */

import { randomUUID } from 'node:crypto'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import { signJwt } from './jwt.ts'
import { clientNamed, cognito, type Flow, invalidParameter, notAuthorized, type PoolClient } from './resources.ts'
import { checkClientSecret } from './secret-hash.ts'
import { validityOf } from './sessions.ts'
import { issuerOf } from './settings.ts'
import { overridden, type TokenOverride } from './tokens.ts'
import { trigger } from './triggers.ts'

/** Documented at GetClientToken; the enumeration of ExplicitAuthFlows does not list it yet. */
export const CLIENT_TOKEN_FLOW = 'ALLOW_CLIENT_TOKEN_AUTH'

export interface MachineToken {
  readonly token: string
  readonly seconds: number
}

interface Wanted {
  /** None: all that the client may have. */
  readonly scopes: readonly string[] | undefined
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

/** undefined where a scope is not the client's. The client has been authenticated. */
export async function machineToken(
  call: Flow,
  { pool, client }: PoolClient,
  { scopes: wanted, clientMetadata = {} }: Wanted,
): Promise<MachineToken | undefined> {
  const allowed = client.settings.AllowedOAuthScopes ?? []
  const scopes = wanted?.length ? wanted : allowed
  if (scopes.length === 0 || scopes.some((scope) => !allowed.includes(scope))) return undefined
  call.afterCommit(() => call.use(userPoolCounts).count('tokens', { source: 'ClientCredentials' }))
  const now = Math.floor(call.now / 1000)
  const seconds = Math.floor(validityOf(client).accessMs / 1000)
  const isThird = pool.settings.LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion === 'V3_0'
  const changed = isThird
    ? await trigger(call, pool, 'PreTokenGeneration', {
        source: 'TokenGeneration_ClientCredentials',
        userName: client.id,
        clientId: client.id,
        version: '3',
        request: { userAttributes: {}, groupConfiguration: null, scopes, clientMetadata },
        response: { claimsAndScopeOverrideDetails: null },
      })
    : undefined
  const details = changed?.['claimsAndScopeOverrideDetails'] as
    | { readonly accessTokenGeneration?: TokenOverride | null }
    | null
    | undefined
  const claims = {
    sub: client.id,
    token_use: 'access',
    scope: scopes.join(' '),
    auth_time: now,
    iss: issuerOf(pool),
    exp: now + seconds,
    iat: now,
    version: 2,
    jti: randomUUID(),
    client_id: client.id,
  }
  const token = await signJwt(
    call.vault,
    pool.keys[1],
    overridden(claims, details?.accessTokenGeneration, undefined, true),
  )
  return { token, seconds }
}

export const getClientToken = cognito
  .operation('GetClientToken')
  .anonymous()
  .withoutPermission('AWS documents it as unauthenticated: the secret of the app client is the proof')
  .on(clientNamed)
  .run(async (call, input, of) => {
    const { client } = of
    const flows: readonly string[] = client.settings.ExplicitAuthFlows ?? []
    if (client.secrets.length === 0 || !flows.includes(CLIENT_TOKEN_FLOW))
      throw notAuthorized('Client token authentication is not enabled for this client.')
    checkClientSecret(call.vault, client, input.Secret)
    const issued = await machineToken(call, of, { scopes: input.Scopes, clientMetadata: input.ClientMetadata })
    if (!issued) throw invalidParameter('The client does not have all of the requested scopes.')
    return {
      ClientAuthenticationResult: { AccessToken: issued.token, ExpiresIn: issued.seconds, TokenType: 'Bearer' },
    }
  })
