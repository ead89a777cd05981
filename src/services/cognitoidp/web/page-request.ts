/** What the pages of managed login share: the request of the app that they carry, how they are served, and the way back to the app. */
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { uiOf } from '../classic-css.ts'
import { brandingOf } from '../login-branding.ts'
import type { ProviderRow } from '../providers.ts'
import { at, type ClientRow, type PoolClient, type PoolRow } from '../resources.ts'
import { beginSession, tokensOf } from '../tokens.ts'
import type { UserRow } from '../user-rows.ts'
import {
  AuthorizationError,
  type AuthorizationRequest,
  answerAddress,
  badRequest,
  type Fields,
  hasManagedLogin,
  poolOfPages,
  readAuthorization,
  sourceOf,
} from './authorization-request.ts'
import { type Branded, branded } from './branded.ts'
import { issueCode } from './codes.ts'
import { languageOf } from './languages.ts'
import type { Look } from './layout.ts'
import type { LoginClaims } from './login-session.ts'
import { upstreamSources } from './upstream.ts'

const FORM_BYTES_MAX = 32 * 1024
export const WRONG = 'Incorrect username or password.'

export type Visit = WebCall<undefined>

export interface Open {
  readonly request: AuthorizationRequest
  readonly look: Look
}

export const baseOf = (path: Fields): string =>
  path['domain'] === undefined
    ? ''
    : `/_cognito/${encodeURIComponent(path['region'] ?? '')}/${encodeURIComponent(path['domain'])}`

/** Of pages that belong to no request of an app. */
export const plainLook = (path: Fields, app = 'Sign-in', lang?: string): Look => ({
  base: baseOf(path),
  lang: languageOf(lang),
  app,
  query: '',
})

/** The branding style of a client, where the domain has managed login and the client has a style of its own. */
export async function brandedFor(
  call: WebCall<unknown>,
  pool: PoolRow,
  client: string,
  path: Fields,
): Promise<Branded | undefined> {
  const row = (await hasManagedLogin(call, path)) ? await brandingOf(call.unit, pool, client) : undefined
  return row && !row.usesDefaults ? branded(row) : undefined
}

/** The CSS and the logo of a customer, where the domain has the classic pages. */
export const classicFor = async (call: WebCall<unknown>, pool: PoolRow, client: string, path: Fields) =>
  (await hasManagedLogin(call, path)) ? undefined : uiOf(call.unit, pool, client)

async function lookOf(call: Visit, { pool, client, lang, query }: AuthorizationRequest, path: Fields): Promise<Look> {
  const base = baseOf(path)
  const style = await brandedFor(call, pool, client.id, path)
  return {
    base,
    lang: languageOf(lang),
    image: (await classicFor(call, pool, client.id, path))?.image,
    branding: style?.branding(base),
    app: client.settings.ClientName ?? 'Sign-in',
    query,
  }
}

/** The request that a page carries, checked again: forms carry it as text. */
export async function opened(call: Visit, { path, query, form }: WebInput): Promise<Open> {
  const pool = await poolOfPages(call, path)
  const carried = form['request']
  const fields: Fields =
    carried === undefined ? query : Object.fromEntries(new URLSearchParams(carried.slice(0, 16_384)))
  const request = await readAuthorization(call, pool, fields)
  return { request, look: await lookOf(call, request, path) }
}

export const shownError = (error: unknown): WebAnswer => {
  if (error instanceof AuthorizationError) return { redirect: error.redirect }
  throw error
}

/** The pool's own directory, as a client's supported providers name it. */
export const OWN_USERS = 'COGNITO'

/** A client that names no providers has the pool's own users. */
export const accepts = ({ settings }: ClientRow, provider: string): boolean =>
  settings.SupportedIdentityProviders?.length
    ? settings.SupportedIdentityProviders.includes(provider)
    : provider === OWN_USERS

/** Pages of the pool's own users are closed, not only hidden, where the client has none. */
function assertOpenFor(users: 'own' | 'all', { client }: PoolClient): void {
  if (users === 'own' && !accepts(client, OWN_USERS))
    throw badRequest('This app signs people in at its identity providers.')
}

export const get = (
  path: string,
  event: string,
  run: (call: Visit, input: WebInput, open: Open) => Promise<WebAnswer> | WebAnswer,
  users: 'own' | 'all' = 'own',
): WebRoute =>
  route({
    method: 'GET',
    path,
    event,
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    shown: ['client_id'],
    run: async (call, input) => {
      try {
        const open = await opened(call, input)
        assertOpenFor(users, open.request)
        return await run(call, input, open)
      } catch (error) {
        return shownError(error)
      }
    },
  })

export const post = (
  path: string,
  event: string,
  run: (call: Visit, input: WebInput, open: Open) => Promise<WebAnswer> | WebAnswer,
  users: 'own' | 'all' = 'own',
): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax: FORM_BYTES_MAX,
    shown: [],
    run: async (call, input) => {
      try {
        const open = await opened(call, input)
        assertOpenFor(users, open.request)
        return await run(call, input, open)
      } catch (error) {
        return shownError(error)
      }
    },
  })

export const nameLabel = ({ settings }: PoolRow): string => {
  const names = settings.UsernameAttributes ?? []
  if (names.length === 2) return 'E-mail address or phone number'
  if (names.length === 1) return names[0] === 'email' ? 'E-mail address' : 'Phone number'
  return 'Username'
}

export const canSignUp = ({ settings }: PoolRow): boolean => !settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly

export const sources = (request: AuthorizationRequest): readonly string[] => [sourceOf(request.redirectUri)]

/** Providers that the client supports, and that pages can offer. */
export async function providersOf(
  call: Visit,
  { pool, client, provider }: AuthorizationRequest,
): Promise<readonly ProviderRow[]> {
  const names = (client.settings.SupportedIdentityProviders ?? []).filter((name) => name !== OWN_USERS)
  const wanted = provider === undefined ? names : names.filter((name) => name === provider)
  const rows = await Promise.all(wanted.map((name) => call.unit.get<ProviderRow>(at.provider(pool.id, name))))
  return rows.filter((row) => row !== undefined)
}

/** Where the forms of the sign-in page lead: the app, and the providers. */
export const loginSources = (request: AuthorizationRequest, providers: readonly ProviderRow[]): readonly string[] => [
  ...sources(request),
  ...providers.flatMap(upstreamSources),
]

/** The session of a browser, where it is of this pool and of a provider that the client accepts. */
export const sessionFor = (claims: LoginClaims | undefined, { pool, client }: PoolClient): LoginClaims | undefined =>
  claims?.pool === pool.id && accepts(client, claims.provider ?? OWN_USERS) ? claims : undefined

/** Back to the app, with a code or with tokens. */
export async function completed(
  call: WebCall<unknown>,
  request: AuthorizationRequest,
  user: UserRow,
  authTime: number,
): Promise<string> {
  const { redirectUri, state, pool, client, scopes, nonce } = request
  if (request.responseType === 'code')
    return answerAddress(redirectUri, 'query', { code: issueCode(call, request, user.sub, authTime), state })
  const session = await beginSession(call, pool, client, user, { scopes, nonce })
  const tokens = await tokensOf(call, {
    pool,
    client,
    user,
    session,
    source: 'TokenGeneration_HostedAuth',
    withRefresh: false,
  })
  return answerAddress(redirectUri, 'fragment', {
    access_token: tokens.AccessToken,
    id_token: tokens.IdToken,
    token_type: 'Bearer',
    expires_in: String(tokens.ExpiresIn),
    state,
  })
}

export const claimsOf = (
  { pool }: AuthorizationRequest,
  user: UserRow,
  authTime: number,
  provider: string,
): LoginClaims => ({
  pool: pool.id,
  account: pool.account,
  region: pool.region,
  sub: user.sub,
  authTime,
  provider,
})

export const short = (text: string | undefined, max = 256): string => (text ?? '').slice(0, max)
