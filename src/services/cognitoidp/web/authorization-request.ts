/** An app's request to `/oauth2/authorize`: read, and checked against its registration, before anything is shown. */
import type { Reader } from '../../../kernel/state/reader.ts'
import type { WebCall } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { type DomainRow, domainByName } from '../domains.ts'
import { type ClientRow, clientById, type PoolClient, type PoolRow, poolById } from '../resources.ts'

export type Fields = Readonly<Record<string, string | undefined>>

export interface AuthorizationRequest extends PoolClient {
  readonly redirectUri: string
  readonly responseType: 'code' | 'token'
  readonly scopes: readonly string[]
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly codeChallenge?: string | undefined
  readonly prompt?: string | undefined
  readonly loginHint?: string | undefined
  readonly provider?: string | undefined
  readonly lang?: string | undefined
  /** As a query, to be carried from page to page. */
  readonly query: string
}

/** An error that the app receives by a redirect: its address is proved. */
export class AuthorizationError extends Error {
  override readonly name = 'AuthorizationError'
  readonly redirect: string

  constructor(redirect: string) {
    super('The authorization request is refused.')
    this.redirect = redirect
  }
}

/** What a page cannot go on with: nothing of the request is trusted, so only the person sees it. */
export const badRequest = (message: string) => new Fault('BadRequest', message, { status: 400 })

const PREFIX_HOST = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.auth\.([a-z0-9-]+)\.amazoncognito\.com$/

/** The domain that is reached by this host, or by this path. */
function domainAtAddress(reader: Reader, host: string, path: Fields): Promise<DomainRow | undefined> {
  const [, prefix, region] = PREFIX_HOST.exec(host) ?? []
  const domain = path['domain'] ?? prefix ?? host
  return domainByName(reader, domain, path['region'] ?? region ?? '')
}

/** The pool whose managed login is reached by this host, or by this path. */
export async function poolAtAddress(reader: Reader, host: string, path: Fields): Promise<PoolRow | undefined> {
  const row = await domainAtAddress(reader, host, path)
  return row && poolById(reader, row.pool)
}

/** Whether a domain has managed login, with branding styles, in place of the classic pages. */
export async function hasManagedLogin(call: WebCall<unknown>, path: Fields): Promise<boolean> {
  const row = await domainAtAddress(call.unit, new URL(call.webOrigin).hostname, path)
  return row?.version === 2
}

export async function poolOfPages(call: WebCall<unknown>, path: Fields): Promise<PoolRow> {
  const pool = await poolAtAddress(call.unit, new URL(call.webOrigin).hostname, path)
  if (!pool) throw new Fault('NotFound', 'There is no login at this address.', { status: 404 })
  call.recordIn(pool.account, pool.region)
  return pool
}

export async function clientOfPages(call: WebCall<unknown>, pool: PoolRow, id: string | undefined): Promise<ClientRow> {
  const found = id === undefined ? undefined : await clientById(call.unit, id)
  if (found?.pool.id !== pool.id) throw badRequest('The client_id is not one of this login.')
  return found.client
}

const CARRIED = [
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'identity_provider',
  'lang',
] as const
const LENGTH_MAX = 2048

/** Throws a page for what cannot be trusted, and {@link AuthorizationError} for errors that the app should receive. */
export async function readAuthorization(
  call: WebCall<unknown>,
  pool: PoolRow,
  fields: Fields,
): Promise<AuthorizationRequest> {
  const client = await clientOfPages(call, pool, fields['client_id'])
  const { settings } = client
  const redirectUri = fields['redirect_uri'] ?? settings.DefaultRedirectURI ?? ''
  // Exactly as registered: RFC 9700 section 4.1.3.
  if (!settings.CallbackURLs?.includes(redirectUri))
    throw badRequest('The redirect_uri is not registered for this client.')
  for (const name of CARRIED) if ((fields[name]?.length ?? 0) > LENGTH_MAX) throw badRequest(`${name} is too long.`)
  const responseType = fields['response_type']
  const state = fields['state']
  const refuse = (error: string, description?: string) =>
    new AuthorizationError(
      answerAddress(redirectUri, responseType === 'token' ? 'fragment' : 'query', {
        error,
        error_description: description,
        state,
      }),
    )
  if (responseType !== 'code' && responseType !== 'token') throw refuse('unsupported_response_type')
  const flow = responseType === 'code' ? 'code' : 'implicit'
  if (!settings.AllowedOAuthFlowsUserPoolClient || !settings.AllowedOAuthFlows?.includes(flow))
    throw refuse('unauthorized_client')
  const codeChallenge = fields['code_challenge']
  if (codeChallenge !== undefined && (fields['code_challenge_method'] !== 'S256' || !/^[\w-]{43}$/.test(codeChallenge)))
    throw refuse('invalid_request', 'code_challenge_method must be S256')
  const allowed = settings.AllowedOAuthScopes ?? []
  const wanted = fields['scope']?.split(' ').filter((each) => each !== '')
  const scopes = wanted?.length ? wanted.filter((scope) => allowed.includes(scope)) : allowed
  if (scopes.length === 0) throw refuse('invalid_scope')
  const query = new URLSearchParams(
    CARRIED.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  )
  return {
    pool,
    client,
    redirectUri,
    responseType,
    scopes,
    state,
    nonce: fields['nonce'],
    codeChallenge,
    prompt: fields['prompt'],
    loginHint: fields['login_hint'],
    provider: fields['identity_provider'],
    lang: fields['lang'],
    query: query.toString(),
  }
}

/** A registered address with an answer, which replaces nothing that the address has already. */
export function answerAddress(address: string, place: 'query' | 'fragment', values: Fields): string {
  const added = new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  if (place === 'fragment') return `${address}#${added}`
  return `${address}${address.includes('?') ? '&' : '?'}${added}`
}

/** The source of a registered address, for the content security policy of forms that lead to it. */
export function sourceOf(address: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1] ?? ''
  return scheme === 'https' || scheme === 'http' ? new URL(address).origin : `${scheme}:`
}
