/** Managed login at other identity providers: the buttons, and the addresses that receive the providers' answers. */
import { OidcRefusal } from '../../../engines/oidc/refusal.ts'
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { requireProvider } from '../providers.ts'
import { at, type PoolRow } from '../resources.ts'
import type { UserRow } from '../user-rows.ts'
import { type AuthorizationRequest, badRequest, poolOfPages, readAuthorization } from './authorization-request.ts'
import { baseOf, claimsOf, completed, plainLook, post, providersOf, shownError } from './page-request.ts'
import { signedOutPage } from './pages.ts'
import { afterSignOut, beginAtProvider, openTicket, receiveAnswer } from './saml.ts'
import { beginUpstream, finishUpstream, openUpstream } from './upstream.ts'

/** A response of 100,000 characters, percent-encoded. */
const RESPONSE_BYTES_MAX = 384 * 1024
const CODE_BYTES_MAX = 32 * 1024

const addressOf = (call: WebCall<unknown>, { path }: WebInput, receiver: string): string =>
  `${call.webOrigin}${baseOf(path)}${receiver}`

const fieldsIn = (query: string) => Object.fromEntries(new URLSearchParams(query))

const requestIn = (call: WebCall<unknown>, pool: PoolRow, query: string): Promise<AuthorizationRequest> =>
  readAuthorization(call, pool, fieldsIn(query))

const federate = post(
  '/federate',
  'Federate_POST',
  async (call, input, { request }) => {
    const { form, csrf } = input
    const providers = await providersOf(call, request)
    const row = providers.find(({ name }) => name === form['provider'])
    if (!row) throw badRequest('The identity provider is not one of this client.')
    const of = { query: request.query, csrf }
    if (row.type === 'SAML') {
      const acs = addressOf(call, input, '/saml2/idpresponse')
      return { redirect: await beginAtProvider(call, request.pool, row, { ...of, acs }) }
    }
    const redirectUri = addressOf(call, input, '/oauth2/idpresponse')
    return { redirect: await beginUpstream(call, request.pool, row, { ...of, redirectUri }) }
  },
  'all',
)

const received = (path: string, event: string, run: (call: WebCall, input: WebInput) => Promise<WebAnswer>): WebRoute =>
  route({
    method: 'GET',
    path,
    event,
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run,
  })

/** From a page of the provider: what the form carries proves its sender. */
const posted = (
  path: string,
  event: string,
  bodyBytesMax: number,
  run: (call: WebCall, input: WebInput) => Promise<WebAnswer> | WebAnswer,
): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax,
    crossOrigin: true,
    shown: [],
    run,
  })

const oidcAnswer = received('/oauth2/idpresponse', 'OAuth2Response_GET', async (call, { path, query, csrf }) => {
  const pool = await poolOfPages(call, path)
  const carried = openUpstream(call, pool, query['state'], csrf)
  try {
    const request = await requestIn(call, pool, carried.query)
    const row = await requireProvider(call.unit, pool, carried.provider)
    const user = await finishUpstream(call, pool, row, carried, query, request.client.id)
    return {
      redirect: await completed(call, request, user, call.now),
      session: claimsOf(request, user, call.now, row.name),
    }
  } catch (error) {
    if (error instanceof OidcRefusal) throw badRequest(`Signing in at ${carried.provider} failed: ${error.message}.`)
    return shownError(error)
  }
})

/** Apple posts its answer from a page of its own, so the cookie that binds the answer to this browser is not sent with it. */
const appleAnswer = posted('/oauth2/idpresponse', 'OAuth2Response_POST', CODE_BYTES_MAX, (_call, { form, path }) => {
  const answer = new URLSearchParams()
  for (const name of ['state', 'code', 'error']) if (form[name]) answer.set(name, form[name])
  return { redirect: `${baseOf(path)}/oauth2/idpresponse?${answer}` }
})

const samlResponse = posted('/saml2/idpresponse', 'SAML2Response_POST', RESPONSE_BYTES_MAX, async (call, input) => {
  const pool = await poolOfPages(call, input.path)
  const acs = addressOf(call, input, '/saml2/idpresponse')
  const clientIdOf = (query: string) => fieldsIn(query)['client_id'] ?? ''
  const ticket = await receiveAnswer(call, pool, acs, input.form, clientIdOf)
  return { redirect: `${baseOf(input.path)}/saml2/idpresponse?${new URLSearchParams({ ticket })}` }
})

const samlTicket = received('/saml2/idpresponse', 'SAML2Response_GET', async (call, { path, query, csrf }) => {
  const pool = await poolOfPages(call, path)
  const { sub, provider, subject, query: carried } = await openTicket(call, pool, query['ticket'], csrf)
  const user = await call.unit.get<UserRow>(at.user(pool.id, sub))
  if (!user?.isEnabled) throw badRequest('The user is disabled.')
  try {
    const request = await requestIn(call, pool, carried)
    return {
      redirect: await completed(call, request, user, call.now),
      session: { ...claimsOf(request, user, call.now, provider), saml: subject },
    }
  } catch (error) {
    return shownError(error)
  }
})

const signedOut = async (call: WebCall, path: WebInput['path'], relayState: string | undefined): Promise<WebAnswer> => {
  const redirect = afterSignOut(call, await poolOfPages(call, path), relayState)
  return redirect === undefined ? { page: signedOutPage(plainLook(path)) } : { redirect }
}

export const federationRoutes: readonly WebRoute[] = [
  federate,
  oidcAnswer,
  appleAnswer,
  samlResponse,
  samlTicket,
  received('/saml2/logout', 'SAML2Logout_GET', (call, { path, query }) => signedOut(call, path, query['RelayState'])),
  posted('/saml2/logout', 'SAML2Logout_POST', RESPONSE_BYTES_MAX, (call, { path, form }) =>
    signedOut(call, path, form['RelayState']),
  ),
]
