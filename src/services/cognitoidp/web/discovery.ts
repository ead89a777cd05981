/** The public documents of a pool, at its issuer's address: its keys, and its OpenID configuration. */
import { webOrigin } from '../../../kernel/ports/web-origin.ts'
import { route, type WebCall, type WebSite } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { jwksOf } from '../jwt.ts'
import { type PoolRow, poolById } from '../resources.ts'
import { isOwnIssuer, issuerOf } from '../settings.ts'

const CACHE = { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' }
const POOL_ID = /^[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]{1,55}$/

async function poolOf(call: WebCall, id: string | undefined): Promise<PoolRow> {
  const pool = await poolById(call.unit, id ?? '')
  if (!pool) throw new Fault('ResourceNotFoundException', `User pool ${id} does not exist.`, { status: 404 })
  return pool
}

/** Where managed login of a pool is: its domain's host; below the pages' origin where the issuer is one of the operator's. */
export function loginBase(call: Pick<WebCall, 'use'>, { customDomain, domain, region }: PoolRow): string | undefined {
  if (customDomain !== undefined) return `https://${customDomain}`
  if (domain === undefined) return undefined
  const origin = isOwnIssuer() ? call.use(webOrigin).origin() : undefined
  return origin === undefined
    ? `https://${domain}.auth.${region}.amazoncognito.com`
    : `${origin}/_cognito/${region}/${domain}`
}

const document = (path: string, event: string, read: (call: WebCall, pool: PoolRow) => object) =>
  route({
    method: 'GET',
    path: `/:pool/.well-known/${path}`,
    patterns: { pool: POOL_ID },
    event,
    authentication: 'document',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: async (call, input) => ({ json: read(call, await poolOf(call, input.path['pool'])), headers: CACHE }),
  })

export const discoverySite: WebSite = {
  service: 'cognito-idp',
  // Before S3 sees a bucket in the path: a pool's ID is none, because of its underscore.
  host: /^/,
  base: '',
  listener: 'api',
  printFault: ({ code, message, status }) => ({ json: { code, message }, status }),
  routes: [
    document('jwks.json', 'GetJwks', (_call, pool) => jwksOf(pool)),
    // OpenID Connect Discovery 1.0 section 3.
    document('openid-configuration', 'GetOpenIdConfiguration', (call, pool) => {
      const issuer = issuerOf(pool)
      const base = loginBase(call, pool)
      return {
        ...(base !== undefined && {
          authorization_endpoint: `${base}/oauth2/authorize`,
          end_session_endpoint: `${base}/logout`,
          revocation_endpoint: `${base}/oauth2/revoke`,
          token_endpoint: `${base}/oauth2/token`,
          userinfo_endpoint: `${base}/oauth2/userInfo`,
        }),
        id_token_signing_alg_values_supported: ['RS256'],
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        response_types_supported: ['code', 'token'],
        scopes_supported: ['openid', 'email', 'phone', 'profile'],
        subject_types_supported: ['public'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        code_challenge_methods_supported: ['S256'],
      }
    }),
  ],
}
