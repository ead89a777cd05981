/**
 * `/signin/social/PROVIDER`: people of Google, Apple and the like, or of any OpenID Connect provider, who get a role by a rule of the operator. What a
 * sign-in must remember until the answer comes is derived from its `state`, which is bound to the browser: nothing is
 * stored for visitors who never come back.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type * as STS from '@aws-sdk/client-sts'
import type { Person } from '../../engines/oidc/connectors.ts'
import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import type { PendingSignIn } from '../../engines/oidc/sign-in.ts'
import { MissingPortError, type Use } from '../../kernel/ports/port.ts'
import { type SocialProvider, type SocialSignInPort, socialSignIn } from '../../kernel/ports/social-sign-in.ts'
import type { Api } from '../../kernel/service/api.ts'
import { html } from '../../kernel/web/html.ts'
import type { WebAnswer, WebCall, WebInput, WebRoute } from '../../kernel/web/site.ts'
import { lengths } from '../../vault/aead.ts'
import { Fault } from '../../wire/fault.ts'
import { federatedClaims, identityOf, rolePrincipal } from './claims.ts'
import { consoleLogin } from './events.ts'
import { page, problem } from './pages.ts'
import { CONSOLE, ownPath } from './redirect.ts'
import { rolesPage } from './roles-page.ts'
import { expiredTicket, openTicket, sealTicket, TICKET_MS } from './ticket.ts'
import { get, post } from './web.ts'

const sts: Api<typeof STS> = { id: 'sts' }
const REGION = 'us-east-1'
/** X takes a state of 500 characters: a longer way back leads to the console. */
const REDIRECT_LENGTH_MAX = 250
const STATE = /^([\w-]{22})\.([0-9a-z]{8,9})\.([\w-]{0,340})\.([\w-]{43})$/
const FIELD_LENGTH_MAX = 4_096

type Anonymous = WebCall<undefined>

/** What the page of roles carries; a person's name is not kept. */
interface Chosen {
  readonly provider: string
  readonly subject: string
  readonly sessionName: string
  readonly roles: readonly string[]
}

export const socialRoutes: readonly WebRoute[] = [
  get('/social/:provider', 'GetSignInPage', async (call, { csrf, query, path: { provider = '' } }) => {
    const { id, label } = providerOf(call.use, provider)
    const ownRedirect = ownPath(query['redirect'])
    const redirect = ownRedirect.length > REDIRECT_LENGTH_MAX ? CONSOLE : ownRedirect
    const seed = randomBytes(16).toString('base64url')
    const state = stateOf(call, { id, csrf, seed, startedAt: call.now, redirect })
    const pending = pendingOf(call, { id, csrf, state, startedAt: call.now })
    try {
      return { redirect: await call.once(() => portOf(call.use).addressOf(pending, call.now)) }
    } catch (error) {
      if (!(error instanceof OidcRefusal)) throw error
      return refused(`${label} cannot be reached. Try again in a moment.`, 503)
    }
  }),
  get('/social/:provider/callback', 'ConsoleLogin', callback),
  // Apple posts its answer from a page of its own, so the cookie that binds the answer to this browser is not sent with it.
  post(
    '/social/:provider/callback',
    'ConsoleLogin',
    (call, { form, path: { provider = '' } }) => {
      const { id } = providerOf(call.use, provider)
      const { state = '', code, error } = form
      const answer = new URLSearchParams({ state, ...(code && { code }), ...(error && { error }) })
      return { redirect: `/signin/social/${id}/callback?${answer}` }
    },
    { crossOrigin: true },
  ),
  post('/social-role', 'ConsoleLogin', (call, { form: { ticket, role = '' }, csrf }) => {
    const { more, redirect } = openTicket(call.vault, ticket, { stage: 'social-roles', boundTo: csrf, now: call.now })
    const chosen = more as Chosen
    if (!chosen.roles.includes(role)) return { page: choice(chosen, csrf, ticket!), status: 400 }
    return signedIn(call, chosen, role, redirect)
  }),
]

/** For the sign-in page. */
export function socialProviders(use: Use): readonly SocialProvider[] {
  try {
    return use(socialSignIn).providers
  } catch (error) {
    if (error instanceof MissingPortError) return []
    throw error
  }
}

async function callback(call: Anonymous, { csrf, query, path: { provider = '' } }: WebInput): Promise<WebAnswer> {
  const { id, label } = providerOf(call.use, provider)
  const { pending, redirect } = readState(call, id, csrf, query['state'])
  const fields = ['code', 'error', 'iss'].map((name) => [name, query[name]?.slice(0, FIELD_LENGTH_MAX)] as const)
  const answer = { ...Object.fromEntries(fields), state: pending.state }
  let person: Person
  try {
    // A code counts once, although this body may be retried.
    person = await call.once(() => portOf(call.use).finish(pending, answer, call.now))
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error
    return refused(error.kind === 'denied' ? `${label} did not confirm the sign-in.` : failure(label), 403)
  }
  const roles = portOf(call.use).rolesOf(id, person)
  const { subject } = person
  const [only] = roles
  if (!only)
    return refused(
      `No role is assigned to you. Contact your administrator, and name this account: ${label}, subject ${subject}.`,
      403,
    )
  const chosen: Chosen = { provider: id, subject, sessionName: sessionNameOf(id, person), roles }
  if (roles.length === 1) return signedIn(call, chosen, only, redirect)
  const ticket = sealTicket(call.vault, {
    stage: 'social-roles',
    boundTo: csrf,
    expiresAt: call.now + TICKET_MS,
    redirect,
    more: chosen,
  })
  return { page: choice(chosen, csrf, ticket) }
}

const failure = (label: string): string => `The sign-in with ${label} could not be completed. Start it again.`

const refused = (message: string, status: number): WebAnswer => ({
  status,
  page: page({
    title: 'Sign-in was refused',
    content: html`${problem(message)}<p><a href="/signin">Start again</a></p>`,
  }),
})

function portOf(use: Use): SocialSignInPort {
  try {
    return use(socialSignIn)
  } catch (error) {
    if (error instanceof MissingPortError) throw notFound()
    throw error
  }
}

function providerOf(use: Use, name: string): SocialProvider {
  const found = portOf(use).providers.find(({ id }) => id === name)
  if (!found) throw notFound()
  return found
}

const notFound = (): Fault => new Fault('NotFound', 'There is no sign-in with this provider.', { status: 404 })

interface Begun {
  readonly id: string
  readonly csrf: string
  readonly seed: string
  readonly startedAt: number
  readonly redirect: string
}

const mac = (call: Pick<Anonymous, 'vault'>, ...parts: readonly string[]): string =>
  call.vault.mac('web-session', lengths('signin social', ...parts)).toString('base64url')

/** `SEED.TIME.REDIRECT.MAC`: which provider and browser it belongs to is in the MAC. */
function stateOf(call: Anonymous, { id, csrf, seed, startedAt, redirect }: Begun): string {
  const parts = [seed, startedAt.toString(36), Buffer.from(redirect).toString('base64url')]
  return [...parts, mac(call, 'state', id, csrf, ...parts)].join('.')
}

/** The secrets of a sign-in, which only this installation can derive from its state. */
function pendingOf(
  call: Anonymous,
  { id, csrf, state, startedAt }: { id: string; csrf: string; state: string; startedAt: number },
): PendingSignIn {
  return {
    connector: id,
    state,
    nonce: mac(call, 'nonce', id, csrf, state),
    verifier: mac(call, 'verifier', id, csrf, state),
    // An address for each provider: one that answers in another's place is not taken for it (RFC 9700 §4.4).
    redirectUri: `${call.webOrigin}/signin/social/${id}/callback`,
    startedAt,
  }
}

/** Throws for an answer to no sign-in of this browser with this provider. */
function readState(
  call: Anonymous,
  id: string,
  csrf: string,
  state: string | undefined,
): { readonly pending: PendingSignIn; readonly redirect: string } {
  const [, seed = '', time = '', encoded = '', proof = ''] = STATE.exec(state ?? '') ?? []
  const expected = mac(call, 'state', id, csrf, seed, time, encoded)
  if (
    state === undefined ||
    proof.length !== expected.length ||
    !timingSafeEqual(Buffer.from(proof), Buffer.from(expected))
  )
    throw expiredTicket()
  const redirect = ownPath(Buffer.from(encoded, 'base64url').toString())
  return { pending: pendingOf(call, { id, csrf, state, startedAt: Number.parseInt(time, 36) }), redirect }
}

/** The verified address, else the provider and its subject: what the audit log shows. */
function sessionNameOf(id: string, { email, isEmailVerified, subject }: Person): string {
  const name = isEmailVerified && email !== undefined ? email : `${id}-${subject}`
  return name
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
    .padEnd(2, '-')
}

const choice = ({ roles }: Chosen, csrf: string, ticket: string) =>
  rolesPage({
    action: '/signin/social-role',
    fields: { csrf, ticket },
    roles: roles.map((arn) => ({ arn, name: arn.split('/').at(-1)!, accountId: arn.split(':')[4] ?? '' })),
  })

async function signedIn(call: Anonymous, chosen: Chosen, RoleArn: string, redirect: string): Promise<WebAnswer> {
  const { provider, subject, sessionName: RoleSessionName } = chosen
  const account = RoleArn.split(':')[4] ?? ''
  // The rule is the operator's; that the role trusts the sign-in with this provider is the account's decision.
  const source = `arn:aws:signin:${REGION}:${account}:social/${provider}`
  const acting = { service: 'signin.amazonaws.com', account, region: REGION, source }
  let assumed: STS.AssumeRoleResponse
  try {
    assumed = await call.once(() => call.actAs(acting, sts, 'AssumeRole', { RoleArn, RoleSessionName }))
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'InternalFailure' || error.code === 'ServiceUnavailable')
      throw error
    return refused(`The role ${RoleArn} does not trust this sign-in. Contact your administrator.`, 403)
  }
  const principal = rolePrincipal(call.vault, RoleArn, assumed)
  const identityProvider = { provider, subject }
  consoleLogin(call, { account, identity: identityOf(principal), to: redirect, identityProvider })
  return { redirect, session: await federatedClaims(call.unit, `social/${provider}/${subject}`, principal) }
}
