/** The OAuth endpoints of a domain that apps call: tokens, revocation, and what is known of the user. RFC 6749, 7009, 7636. */
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { holderOf, verifyAccessToken } from '../access-token.ts'
import { isSame } from '../codes.ts'
import { machineToken } from '../machine-token.ts'
import { refresh, revoke } from '../refresh.ts'
import { at, type ClientRow, clientById, type PoolClient, type PoolRow } from '../resources.ts'
import { secretsOf } from '../secret-hash.ts'
import { beginSession, readable, scopedAttributes, tokensOf } from '../tokens.ts'
import type { UserRow } from '../user-rows.ts'
import { poolOfPages } from './authorization-request.ts'
import { redeemCode } from './codes.ts'

/** Apps in browsers may call: no cookie plays a part. */
const OPEN = { 'access-control-allow-origin': '*', pragma: 'no-cache' }
const BODY_BYTES_MAX = 16 * 1024

const answer = (json: object, status = 200): WebAnswer => ({ json, status, headers: OPEN })
const refused = (error: string, description?: string): WebAnswer =>
  answer({ error, ...(description !== undefined && { error_description: description }) }, 400)

const endpoint = (path: string, event: string, run: (call: WebCall, input: WebInput) => Promise<WebAnswer>): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax: BODY_BYTES_MAX,
    // Apps of other origins send these; the client and what it holds are the proof.
    crossOrigin: true,
    shown: ['client_id', 'grant_type', 'scope'],
    run,
  })

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '))
  } catch {
    return undefined
  }
}

interface Credentials {
  readonly id: string | undefined
  readonly secret: string | undefined
}

/** RFC 6749 section 2.3.1: by the header, or by the form. */
function credentialsOf({ authorization, form }: WebInput): Credentials {
  const [, basic] = /^Basic ([A-Za-z0-9+/=]{1,2048})$/i.exec(authorization ?? '') ?? []
  if (basic === undefined) return { id: form['client_id'], secret: form['client_secret'] }
  const text = Buffer.from(basic, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return { id: decoded(text.slice(0, Math.max(colon, 0))), secret: decoded(text.slice(colon + 1)) }
}

/** The client with its secret proved; undefined where it is not. */
async function authenticated(
  call: WebCall,
  pool: PoolRow,
  { id, secret }: Credentials,
): Promise<ClientRow | undefined> {
  const found = id === undefined ? undefined : await clientById(call.unit, id)
  if (found?.pool.id !== pool.id) return undefined
  const { client } = found
  if (client.secrets.length === 0) return secret === undefined || secret === '' ? client : undefined
  return secret !== undefined && secretsOf(call.vault, client).some((each) => isSame(each, secret)) ? client : undefined
}

async function codeGrant(call: WebCall, of: PoolClient, { form }: WebInput): Promise<WebAnswer> {
  const { pool, client } = of
  if (!client.settings.AllowedOAuthFlows?.includes('code')) return refused('unauthorized_client')
  if (form['code'] === undefined || form['redirect_uri'] === undefined) return refused('invalid_request')
  const claims = await redeemCode(call, of, {
    code: form['code'],
    redirectUri: form['redirect_uri'],
    verifier: form['code_verifier'],
  })
  const user = claims && (await call.unit.get<UserRow>(at.user(pool.id, claims.sub)))
  if (!claims || !user?.isEnabled) return refused('invalid_grant')
  if (user.signedOutAt !== undefined && claims.authTime <= user.signedOutAt) return refused('invalid_grant')
  const session = {
    ...(await beginSession(call, pool, client, user, { scopes: claims.scopes, nonce: claims.nonce })),
    authTime: claims.authTime,
  }
  call.unit.put(at.session(pool.id, user.sub, session.id), session)
  const tokens = await tokensOf(call, {
    pool,
    client,
    user,
    session,
    source: 'TokenGeneration_HostedAuth',
    withRefresh: true,
  })
  return answer({
    ...(tokens.IdToken !== undefined && { id_token: tokens.IdToken }),
    access_token: tokens.AccessToken,
    refresh_token: tokens.RefreshToken,
    expires_in: tokens.ExpiresIn,
    token_type: 'Bearer',
  })
}

async function refreshGrant(call: WebCall, of: PoolClient, { form }: WebInput): Promise<WebAnswer> {
  if (form['refresh_token'] === undefined) return refused('invalid_request')
  try {
    const tokens = await refresh(call, of, { token: form['refresh_token'], authenticate: () => undefined })
    return answer({
      ...(tokens.IdToken !== undefined && { id_token: tokens.IdToken }),
      access_token: tokens.AccessToken,
      ...(tokens.RefreshToken !== undefined && { refresh_token: tokens.RefreshToken }),
      expires_in: tokens.ExpiresIn,
      token_type: 'Bearer',
    })
  } catch (error) {
    if (error instanceof Fault && ['NotAuthorizedException', 'RefreshTokenReuseException'].includes(error.code))
      return refused('invalid_grant')
    throw error
  }
}

/** RFC 6749 section 4.4: a machine, and the scopes of resource servers alone. */
async function clientCredentials(call: WebCall, of: PoolClient, { form }: WebInput): Promise<WebAnswer> {
  const { settings, secrets } = of.client
  if (!settings.AllowedOAuthFlows?.includes('client_credentials') || secrets.length === 0)
    return refused('unauthorized_client')
  const issued = await machineToken(call, of, { scopes: form['scope']?.split(' ').filter((each) => each !== '') })
  if (!issued) return refused('invalid_scope')
  return answer({ access_token: issued.token, expires_in: issued.seconds, token_type: 'Bearer' })
}

const GRANTS: Readonly<Record<string, (call: WebCall, of: PoolClient, input: WebInput) => Promise<WebAnswer>>> = {
  authorization_code: codeGrant,
  refresh_token: refreshGrant,
  client_credentials: clientCredentials,
}

const token = endpoint('/oauth2/token', 'Token_POST', async (call, input) => {
  const pool = await poolOfPages(call, input.path)
  const client = await authenticated(call, pool, credentialsOf(input))
  if (!client) return refused('invalid_client')
  const type = input.form['grant_type'] ?? ''
  const grant = Object.hasOwn(GRANTS, type) ? GRANTS[type] : undefined
  if (!grant) return refused(type === '' ? 'invalid_request' : 'unsupported_grant_type')
  return grant(call, { pool, client }, input)
})

const revocation = endpoint('/oauth2/revoke', 'Revoke_POST', async (call, input) => {
  const pool = await poolOfPages(call, input.path)
  const client = await authenticated(call, pool, credentialsOf(input))
  if (!client) return refused('invalid_client')
  if (input.form['token'] === undefined) return refused('invalid_request')
  if (client.settings.EnableTokenRevocation === false)
    return refused('invalid_request', 'Token revocation is not enabled')
  try {
    await revoke(call, { pool, client }, input.form['token'])
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'UnsupportedTokenTypeException') return refused('unsupported_token_type')
    // RFC 7009 section 2.2: what is not valid any more is revoked already.
  }
  return answer({})
})

const userInfo = (method: 'GET' | 'POST'): WebRoute =>
  route({
    method,
    path: '/oauth2/userInfo',
    event: `UserInfo_${method}`,
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    crossOrigin: true,
    shown: [],
    run: async (call, input) => {
      const pool = await poolOfPages(call, input.path)
      const [, bearer] = /^Bearer (\S+)$/i.exec(input.authorization ?? '') ?? []
      try {
        const { claims } = await verifyAccessToken(bearer, { reader: call.unit, now: call.now })
        if (claims.pool !== pool.id || !claims.scopes.includes('openid')) return unauthorized()
        const { client, user } = await holderOf(call, claims)
        const attributes = readable(client, scopedAttributes(claims.scopes, user.attributes))
        return answer({ sub: user.sub, ...attributes, username: user.username })
      } catch (error) {
        if (error instanceof Fault && error.code === 'NotAuthorizedException') return unauthorized()
        throw error
      }
    },
  })

const unauthorized = (): WebAnswer => ({
  json: {
    error: 'invalid_token',
    error_description: 'Access token is expired, disabled, or deleted, or the user has globally signed out.',
  },
  status: 401,
  headers: { ...OPEN, 'www-authenticate': 'Bearer error="invalid_token"' },
})

export const oauthRoutes: readonly WebRoute[] = [token, revocation, userInfo('GET'), userInfo('POST')]
