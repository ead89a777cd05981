/** Sessions of the portal's pages, and the shapes of its routes. */
import {
  isPortalSessionValid,
  PORTAL_SESSION_MS,
  type PortalSession,
  portalIdentity,
} from '../../kernel/portal-sessions.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import {
  type Awaitable,
  route,
  type SessionScheme,
  type WebAnswer,
  type WebCall,
  type WebInput,
  type WebRoute,
} from '../../kernel/web/site.ts'
import { type SignedIn, signedIn } from './roles.ts'

const FORM_BYTES_MAX = 32 * 1024

export const portalScheme: SessionScheme<PortalSession> = {
  cookie: 'merlon-portal',
  lifetimeMs: PORTAL_SESSION_MS,
  sharedAs: 'portal',
  bearer: (claims) => ({
    account: claims.account,
    region: claims.region,
    identity: portalIdentity(claims),
    claims,
  }),
  isValid: async (claims, reader, now, use) => {
    if (!(await isPortalSessionValid(reader, claims, now))) return false
    return (await use(identityStore).user(reader, claims.storeId, claims.userId))?.isEnabled === true
  },
}

const PATH = /^\/start(?:[/?][\x21-\x5b\x5d-\x7e]*)?$/
const LENGTH_MAX = 4_096

/** A path of the portal: where a sign-in may lead. */
export const portalPath = (wanted: string | undefined): string =>
  wanted !== undefined && wanted.length <= LENGTH_MAX && PATH.test(wanted) ? wanted : '/start'

export interface Visit {
  readonly call: WebCall<PortalSession>
  readonly input: WebInput
  readonly person: SignedIn
  readonly shown: { readonly userName: string; readonly csrf: string }
}

type Show = (visit: Visit) => Awaitable<WebAnswer>

/** A page for signed-in users; others are led to the sign-in, and back. */
export const getSignedIn = (path: string, event: string, show: Show, back: (input: WebInput) => string): WebRoute =>
  route<PortalSession>({
    method: 'GET',
    path,
    event,
    authentication: 'optional-session',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: async (call, input) => {
      call.event.isUnrecorded = true
      const person = call.claims && (await signedIn(call, call.claims))
      if (!person) {
        const store = input.path['store'] ?? input.query['store'] ?? ''
        const query = new URLSearchParams({ redirect: back(input), ...(store !== '' && { store }) })
        return { redirect: `/start/sign-in?${query}` }
      }
      const shown = { userName: person.user.userName, csrf: input.csrf }
      return show({ call: call as WebCall<PortalSession>, input, person, shown })
    },
  })

export const postSignedIn = (path: string, event: string, show: Show, shown: readonly string[] = []): WebRoute =>
  route<PortalSession>({
    method: 'POST',
    path,
    event,
    authentication: 'session',
    body: 'form',
    bodyBytesMax: FORM_BYTES_MAX,
    shown,
    run: async (call, input) => {
      const person = await signedIn(call, call.claims)
      if (!person) return { redirect: '/start', session: 'end' }
      return show({ call, input, person, shown: { userName: person.user.userName, csrf: input.csrf } })
    },
  })

export const get = (
  path: string,
  event: string,
  run: (call: WebCall, input: WebInput) => Awaitable<WebAnswer>,
): WebRoute =>
  route({ method: 'GET', path, event, authentication: 'anonymous', body: 'none', bodyBytesMax: 0, shown: [], run })

export const post = (
  path: string,
  event: string,
  run: (call: WebCall, input: WebInput) => Awaitable<WebAnswer>,
): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax: FORM_BYTES_MAX,
    shown: [],
    run,
  })
