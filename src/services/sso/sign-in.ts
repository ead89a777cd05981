/** Signing in to the portal: the password, the second factor, and a new password where an administrator set the last one. */
import { randomUUID } from 'node:crypto'
import { DIRECTORY_FAILURES } from '../../kernel/federation/directory-sign-in.ts'
import { instanceIdOf } from '../../kernel/identity-center.ts'
import { PORTAL_SESSION_MS, type PortalSession, portalGeneration } from '../../kernel/portal-sessions.ts'
import { type IdentityStoreFacts, identityStore, type StoreUser } from '../../kernel/ports/identity-store.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { retryText } from '../../kernel/state/failure-budget.ts'
import { signInGeneration } from '../../kernel/state/sign-in-sessions.ts'
import type { WebAnswer, WebCall, WebInput, WebRoute, WebSite } from '../../kernel/web/site.ts'
import { authenticationOptions, newChallenge, verifyAuthentication } from '../../kernel/web/webauthn.ts'
import { Fault } from '../../wire/fault.ts'
import { directoryIn, type PersonSignIn, signInPerson, watchPerson } from './directory-source.ts'
import { beginAtSource, externalSourceRoutes, samlIn, sourceOf } from './external-source.ts'
import { externalSignInPage, faultPage, mfaPage, newPasswordPage, signInPage } from './pages.ts'
import { get, portalPath, portalScheme, post } from './session.ts'
import { openTicket, sealTicket } from './ticket.ts'

const WRONG = 'Your user name or your password is incorrect. Please try again.'
const LENGTH_MAX = 512
const short = (text: string | undefined): string => (text ?? '').slice(0, LENGTH_MAX)

type CredentialType = 'PASSWORD' | 'TOTP' | 'WEBAUTHN' | 'EXTERNAL_IDP'

/** What the sign-in has proved. */
interface Proved {
  readonly storeId: string
  readonly userId: string
  /** Of a password of the store. */
  readonly passwordChangedAt?: number | undefined
  /** The directory that checked the password, where it is the identity source. */
  readonly directoryId?: string
  readonly mustChange: boolean
  readonly redirect: string
  readonly mfaAt?: number
  readonly challenge?: string
}

type Anonymous = WebCall<undefined>

/** CloudTrail's events of the sign-in of IAM Identity Center. */
function authentication(
  call: Anonymous,
  store: IdentityStoreFacts,
  user: StoreUser | undefined,
  CredentialType: CredentialType,
  failure?: string,
): void {
  const identity = user
    ? { type: 'IdentityCenterUser', principalId: user.id, accountId: store.account, userName: user.userName }
    : {
        type: 'Unknown',
        principalId: '',
        accountId: store.account,
        // As AWS: what is no user name may be a password that was typed into the wrong field.
        userName: 'HIDDEN_DUE_TO_SECURITY_REASONS',
      }
  const name = failure === undefined ? 'UserAuthentication' : 'CredentialVerification'
  call.record({
    name,
    account: store.account,
    userIdentity: identity,
    responseElements: { [name]: failure === undefined ? 'Success' : 'Failure' },
    additionalEventData: { CredentialType, ...(user && { UserName: user.userName }) },
    ...(failure !== undefined && { error: { code: undefined, message: failure } }),
    ...(user && failure !== undefined && { isBounded: true }),
  })
}

async function storeOf(call: Anonymous, id: string): Promise<IdentityStoreFacts | undefined> {
  if (/^d-[0-9a-f]{10}$/.test(id)) return call.use(identityStore).find(call.unit, id)
  const only = id === '' ? await call.use(ssoInstances).only(call.unit) : undefined
  return only && call.use(identityStore).find(call.unit, only.storeId)
}

export const signInRoutes: readonly WebRoute[] = [
  get('', 'GetSignInPage', async (call, { csrf, query }) => {
    const store = await storeOf(call, query['store'] ?? '')
    const source = store && samlIn(await sourceOf(call, store))
    if (store && source)
      return {
        redirect: await beginAtSource(call, store, source, {
          redirect: portalPath(query['redirect']),
          csrf,
          isForced: query['again'] === 'true',
        }),
        bindsBrowser: true,
      }
    return { page: signInPage({ csrf, store: store?.id ?? '', redirect: portalPath(query['redirect']) }) }
  }),
  post('', 'UserAuthentication', async (call, { form, csrf }) => {
    const redirect = portalPath(form['redirect'])
    const userName = short(form['username']).trim()
    const store = await storeOf(call, short(form['store']).trim())
    const again = (failure: string): WebAnswer => ({
      page: signInPage({ csrf, store: store?.id ?? '', redirect, userName, failure }),
      status: 401,
    })
    if (!store) return again(WRONG)
    // A link, since browsers follow no form to another site.
    const source = await sourceOf(call, store)
    if (samlIn(source)) return { page: externalSignInPage(store.id, redirect) }
    const directory = directoryIn(source)
    if (directory) {
      const answer = await signInPerson(call, store, directory, userName, short(form['password']))
      if (answer.outcome !== 'accepted') {
        authentication(call, store, undefined, 'PASSWORD', 'Failed authentication')
        return { ...again(failureOf(answer)), status: STATUS[answer.outcome] ?? 401 }
      }
      const { user } = answer
      const proved: Proved = {
        storeId: store.id,
        userId: user.id,
        directoryId: directory.directoryId,
        mustChange: false,
        redirect,
      }
      return afterPassword(call, proved, store, user, csrf)
    }
    const people = call.use(identityStore)
    const user = await people.userByName(call.unit, store.id, userName)
    const checked = await people.checkPassword(call, store, user, userName, short(form['password']))
    if (!user || checked.outcome !== 'correct') {
      authentication(call, store, checked.outcome === 'wrong' ? user : undefined, 'PASSWORD', 'Failed authentication')
      return again(checked.outcome === 'refused' ? retryText(checked.retryAfterMs) : WRONG)
    }
    const { changedAt, mustChange } = checked.value
    const proved: Proved = {
      storeId: store.id,
      userId: user.id,
      passwordChangedAt: changedAt,
      mustChange,
      redirect,
    }
    return afterPassword(call, proved, store, user, csrf)
  }),
  post('/mfa', 'UserAuthentication', async (call, { form, csrf }) => {
    const { proved, store, user } = await continued(call, 'mfa', form['ticket'], csrf)
    const people = call.use(identityStore)
    const checked = await people.checkCode(call, store, user, short(form['device']), short(form['code']).trim())
    if (checked.outcome === 'correct')
      return afterFactors(call, { ...proved, mfaAt: call.now }, store, user, csrf, 'TOTP')
    authentication(call, store, user, 'TOTP', 'Failed authentication')
    const failure = checked.outcome === 'refused' ? retryText(checked.retryAfterMs) : 'The code is incorrect.'
    return secondFactor(call, proved, user, csrf, failure)
  }),
  post('/passkey', 'UserAuthentication', async (call, { form, csrf }) => {
    const { proved, store, user } = await continued(call, 'mfa', form['ticket'], csrf)
    const people = call.use(identityStore)
    const ceremony = { origin: call.webOrigin, challenge: proved.challenge ?? '', response: form['response'] ?? '' }
    const verified = await verifyAuthentication(ceremony, await people.passkeys(call.unit, user))
    if (!verified) {
      authentication(call, store, user, 'WEBAUTHN', 'Failed authentication')
      return secondFactor(call, proved, user, csrf, 'The passkey could not be verified.')
    }
    people.recordPasskeyUse(call, user, verified.passkey, verified.counter)
    return afterFactors(call, { ...proved, mfaAt: call.now }, store, user, csrf, 'WEBAUTHN')
  }),
  post('/new-password', 'UserAuthentication', async (call, { form, csrf }) => {
    const { proved, store, user } = await continued(call, 'password', form['ticket'], csrf)
    const again = (failure: string): WebAnswer => ({
      page: newPasswordPage({ csrf, ticket: form['ticket']!, failure }),
      status: 400,
    })
    const password = short(form['password'])
    if (password !== short(form['again'])) return again('The two passwords differ.')
    const problem = await call.use(identityStore).setPassword(call, user, password, { isOneTime: false })
    return problem ? again(problem) : complete(call, proved, store, user, 'PASSWORD')
  }),
  ...externalSourceRoutes(async (call, store, { userId, redirect }) => {
    const user = await call.use(identityStore).user(call.unit, store.id, userId)
    if (!user?.isEnabled) throw new Fault('AccessDenied', 'You have no access to this portal.', { status: 403 })
    // Second factors are the provider's.
    return complete(call, { redirect }, store, user, 'EXTERNAL_IDP')
  }),
]

const failureOf = (answer: Exclude<PersonSignIn, { readonly outcome: 'accepted' }>): string =>
  answer.outcome === 'waits'
    ? retryText(answer.retryAfterMs)
    : answer.outcome === 'unknown'
      ? 'You have no access to this portal. Contact your administrator.'
      : answer.outcome === 'refused'
        ? WRONG
        : DIRECTORY_FAILURES[answer.outcome]

const STATUS: Readonly<Record<string, number>> = { unavailable: 503, unknown: 403 }

async function afterPassword(
  call: Anonymous,
  proved: Proved,
  store: IdentityStoreFacts,
  user: StoreUser,
  csrf: string,
): Promise<WebAnswer> {
  const devices = await call.use(identityStore).devices(call.unit, user)
  return devices.length > 0 ? secondFactor(call, proved, user, csrf) : afterFactors(call, proved, store, user, csrf)
}

async function secondFactor(
  call: Anonymous,
  proved: Proved,
  user: StoreUser,
  csrf: string,
  failure?: string,
): Promise<WebAnswer> {
  const people = call.use(identityStore)
  const [devices, passkeys] = await Promise.all([people.devices(call.unit, user), people.passkeys(call.unit, user)])
  const challenge = newChallenge()
  const content: Proved = { ...proved, challenge }
  return {
    page: mfaPage({
      csrf,
      ticket: sealTicket(call.vault, 'mfa', { boundTo: csrf, now: call.now }, content),
      apps: devices.filter(({ kind }) => kind === 'totp'),
      passkey: passkeys.length > 0 ? authenticationOptions(call.webOrigin, challenge, passkeys) : undefined,
      failure,
    }),
    ...(failure !== undefined && { status: 401 }),
  }
}

/** The person of a ticket, if nothing has changed since the password was checked. */
async function continued(call: Anonymous, stage: string, ticket: WebInput['csrf'] | undefined, csrf: string) {
  const proved = openTicket<Proved>(call.vault, stage, ticket, { boundTo: csrf, now: call.now })
  const people = call.use(identityStore)
  const store = await people.find(call.unit, proved.storeId)
  const user = await people.user(call.unit, proved.storeId, proved.userId)
  const source = store && (await sourceOf(call, store))
  const { directoryId } = proved
  const state = user && directoryId === undefined ? await people.passwordState(call.unit, user) : undefined
  const isSource = samlIn(source) === undefined && directoryIn(source)?.directoryId === directoryId
  if (!store || !isSource || !user?.isEnabled || state?.changedAt !== proved.passwordChangedAt)
    throw new Fault('SignInExpired', 'This page has expired. Start again.', { status: 400 })
  return { proved, store, user }
}

function afterFactors(
  call: Anonymous,
  proved: Proved,
  store: IdentityStoreFacts,
  user: StoreUser,
  csrf: string,
  type: CredentialType = 'PASSWORD',
): Promise<WebAnswer> | WebAnswer {
  if (!proved.mustChange) return complete(call, proved, store, user, type)
  const ticket = sealTicket(call.vault, 'password', { boundTo: csrf, now: call.now }, proved)
  return { page: newPasswordPage({ csrf, ticket }) }
}

async function complete(
  call: Anonymous,
  proved: Pick<Proved, 'redirect' | 'mfaAt'>,
  store: IdentityStoreFacts,
  user: StoreUser,
  type: CredentialType,
): Promise<WebAnswer> {
  authentication(call, store, user, type)
  const directory = directoryIn(await sourceOf(call, store))
  if (directory) await watchPerson(call, store, directory, user)
  const generation = await signInGeneration(call.unit, user.signInPerson)
  const session: PortalSession = {
    account: store.account,
    region: store.region,
    instanceId: instanceIdOf(store.instanceArn) ?? '',
    storeId: store.id,
    userId: user.id,
    userName: user.userName,
    signIn: { person: user.signInPerson, generation, id: randomUUID() },
    startedAt: call.now,
    expiresAt: call.now + PORTAL_SESSION_MS,
    ...(proved.mfaAt !== undefined && { mfaAt: proved.mfaAt }),
    portalGeneration: await portalGeneration(call.unit, store.id),
  }
  return { redirect: proved.redirect, session }
}

export const signInSite: WebSite = {
  service: 'sso',
  eventSource: 'signin.amazonaws.com',
  base: '/start/sign-in',
  session: portalScheme,
  contentSecurityPolicy: { 'script-src': "'self'" },
  printFault: faultPage,
  routes: signInRoutes,
}
