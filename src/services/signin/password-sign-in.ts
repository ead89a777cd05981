/**
 * Signing in with a password: the root user by e-mail address, IAM users by account and name; then the second factor, and
 * a new password where one is due. No page shows whether an account, a user or a device exists before it is proved.
 */
import { type SignInPerson, signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { retryText } from '../../kernel/state/failure-budget.ts'
import type { WebAnswer, WebCall, WebInput, WebRoute } from '../../kernel/web/site.ts'
import { authenticationOptions, newChallenge, verifyAuthentication } from '../../kernel/web/webauthn.ts'
import { Fault } from '../../wire/fault.ts'
import { claimsOf } from './claims.ts'
import { checkMfa, consoleLogin, personIdentity, signInEvent, unknownIdentity } from './events.ts'
import { mfaPage, newPasswordPage, rootPage, userPage } from './pages.ts'
import { ownPath } from './redirect.ts'
import { socialProviders } from './social.ts'
import { expiredTicket, openTicket, sealTicket, TICKET_MS, type Ticket } from './ticket.ts'
import { get, post } from './web.ts'

const WRONG = 'Your authentication information is incorrect. Please try again.'
/** CloudTrail's text. */
const FAILED = 'Failed authentication'
const NO_USER = 'No username found in supplied account'

const LENGTH_MAX = 512
const short = (text: string | undefined): string => (text ?? '').slice(0, LENGTH_MAX)

type Anonymous = WebCall<undefined>
/** The form again, with what was wrong. */
type Again = (failure: string) => WebAnswer

export const passwordRoutes: readonly WebRoute[] = [
  get('', 'GetSignInPage', ({ use }, { csrf, query }) => ({
    page: userPage({
      csrf,
      redirect: ownPath(query['redirect']),
      account: query['account'],
      social: socialProviders(use),
    }),
  })),
  get('/root', 'GetSignInPage', (_call, { csrf, query }) => ({
    page: rootPage({ csrf, redirect: ownPath(query['redirect']) }),
  })),
  post('/user', 'ConsoleLogin', async (call, { form, csrf }) => {
    const redirect = ownPath(form['redirect'])
    const [account, userName] = [short(form['account']).trim(), short(form['username']).trim()]
    const people = call.use(signInIdentities)
    const found = await people.account(call.unit, account)
    const person = found && (await people.user(call.unit, found.id, userName))
    return passwordStep(call, {
      person,
      account: found?.id,
      claimed: { account: found?.id ?? account, name: userName },
      password: form['password'],
      redirect,
      csrf,
      again: (failure) => ({
        page: userPage({ csrf, redirect, account, userName, failure, social: socialProviders(call.use) }),
        status: 401,
      }),
    })
  }),
  post('/root', 'ConsoleLogin', async (call, { form, csrf }) => {
    const redirect = ownPath(form['redirect'])
    const email = short(form['email']).trim()
    const person = await call.use(signInIdentities).rootOf(call.unit, email)
    return passwordStep(call, {
      person,
      account: person?.account,
      claimed: { account: 'root', name: email },
      password: form['password'],
      redirect,
      csrf,
      again: (failure) => ({ page: rootPage({ csrf, redirect, email, failure }), status: 401 }),
    })
  }),
  post('/mfa', 'ConsoleLogin', async (call, { form, csrf }) => {
    const { ticket, person } = await continued(call, form['ticket'], csrf, 'mfa')
    const serialNumber = short(form['device'])
    const checked = await call.use(signInIdentities).checkCode(call, person, serialNumber, short(form['code']).trim())
    if (checked.outcome === 'correct') return afterMfa(call, ticket, person, { serialNumber, at: call.now })
    const failure = checked.outcome === 'refused' ? retryText(checked.retryAfterMs) : WRONG
    failed(call, person, ticket, serialNumber, checked.outcome === 'wrong')
    return { page: await mfaStep(call, ticket, person, csrf, failure), status: 401 }
  }),
  post('/passkey', 'ConsoleLogin', async (call, { form, csrf }) => {
    const { ticket, person } = await continued(call, form['ticket'], csrf, 'mfa')
    const people = call.use(signInIdentities)
    const ceremony = { origin: call.webOrigin, challenge: ticket.challenge ?? '', response: form['response'] ?? '' }
    const verified = await verifyAuthentication(ceremony, await people.passkeys(call.unit, person))
    if (!verified) {
      failed(call, person, ticket, 'passkey', false)
      return { page: await mfaStep(call, ticket, person, csrf, WRONG), status: 401 }
    }
    const { passkey, counter } = verified
    people.recordPasskeyUse(call, person, passkey, counter)
    return afterMfa(call, ticket, person, { serialNumber: passkey.serialNumber, at: call.now })
  }),
  post('/new-password', 'PasswordUpdated', async (call, { form, csrf }) => {
    const { ticket, person } = await continued(call, form['ticket'], csrf, 'password')
    const password = form['password'] ?? ''
    const again = (failure: string): WebAnswer => ({
      page: newPasswordPage({ csrf, ticket: form['ticket']!, reason: reasonOf(ticket), failure }),
      status: 400,
    })
    if (password !== form['again']) return again('The two passwords differ.')
    try {
      await call.use(signInIdentities).setPassword(call, person, password)
    } catch (error) {
      if (error instanceof Fault && error.code === 'PasswordPolicyViolationException') return again(error.message)
      throw error
    }
    signInEvent(call, 'PasswordUpdated', { account: person.account, identity: personIdentity(person) })
    return complete(call, ticket, person)
  }),
]

interface PasswordStep {
  readonly person: SignInPerson | undefined
  /** Where a failure is recorded; undefined where no account is meant. */
  readonly account: string | undefined
  readonly claimed: { readonly account: string; readonly name: string }
  readonly password: string | undefined
  readonly redirect: string
  readonly csrf: string
  readonly again: Again
}

async function passwordStep(call: Anonymous, step: PasswordStep): Promise<WebAnswer> {
  const { person, account, claimed, redirect, csrf, again } = step
  const checked = await call.use(signInIdentities).checkPassword(call, person, claimed, short(step.password))
  if (!person || checked.outcome !== 'correct') {
    if (account !== undefined) {
      const identity = person ? personIdentity(person) : unknownIdentity(account)
      // The person's failure budget bounds what is compared; everything else is recorded in part.
      const isBounded = person !== undefined && checked.outcome === 'wrong'
      consoleLogin(call, { account, identity, to: redirect, failure: person ? FAILED : NO_USER, isBounded })
    }
    return again(checked.outcome === 'refused' ? retryText(checked.retryAfterMs) : WRONG)
  }

  const { changedAt, isLocked, mustChange } = checked.value
  if (isLocked) {
    consoleLogin(call, { account: person.account, identity: personIdentity(person), to: redirect, failure: FAILED })
    return again('Your password has expired. Contact your administrator.')
  }
  const ticket: Ticket = {
    stage: 'mfa',
    boundTo: csrf,
    expiresAt: call.now + TICKET_MS,
    redirect,
    account: person.account,
    kind: person.kind,
    name: person.name,
    id: person.id,
    passwordChangedAt: changedAt,
    ...(mustChange && { more: { mustChange } }),
  }
  const devices = await call.use(signInIdentities).devices(call.unit, person)
  if (devices.length === 0) return afterFactors(call, ticket, person)
  checkMfa(call, person, devices.some(({ kind }) => kind === 'passkey') ? 'U2F MFA' : 'Virtual MFA')
  return { page: await mfaStep(call, ticket, person, csrf) }
}

/** The page of the second factor, with a fresh challenge. */
async function mfaStep(call: Anonymous, ticket: Ticket, person: SignInPerson, csrf: string, failure?: string) {
  const people = call.use(signInIdentities)
  const [devices, passkeys] = await Promise.all([people.devices(call.unit, person), people.passkeys(call.unit, person)])
  const challenge = newChallenge()
  return mfaPage({
    csrf,
    ticket: sealTicket(call.vault, { ...ticket, challenge }),
    codes: devices.filter(({ kind }) => kind === 'totp').map(({ serialNumber }) => serialNumber),
    passkey: passkeys.length > 0 ? authenticationOptions(call.webOrigin, challenge, passkeys) : undefined,
    failure,
  })
}

/** The person of a ticket, if nothing has changed since the password was checked. */
async function continued(
  call: Anonymous,
  text: string | undefined,
  csrf: WebInput['csrf'],
  stage: Ticket['stage'],
): Promise<{ readonly ticket: Ticket; readonly person: SignInPerson }> {
  const ticket = openTicket(call.vault, text, { stage, boundTo: csrf, now: call.now })
  const { account = '', kind, name = '' } = ticket
  const people = call.use(signInIdentities)
  const person = kind === 'root' ? people.root(account) : await people.user(call.unit, account, name)
  const state = person && person.id === ticket.id ? await people.passwordState(call, person) : undefined
  if (!person || !state || state.changedAt !== ticket.passwordChangedAt) throw expiredTicket()
  return { ticket, person }
}

function failed(call: Anonymous, person: SignInPerson, ticket: Ticket, serialNumber: string, isBounded: boolean): void {
  const identity = personIdentity(person)
  const { account } = person
  consoleLogin(call, { account, identity, to: ticket.redirect, mfa: { serialNumber }, failure: FAILED, isBounded })
}

const afterMfa = (call: Anonymous, ticket: Ticket, person: SignInPerson, mfa: NonNullable<Ticket['mfa']>) =>
  afterFactors(call, { ...ticket, mfa }, person)

const mustChangeOf = ({ more }: Ticket) => (more as { readonly mustChange?: 'expired' | 'reset-required' })?.mustChange

const reasonOf = (ticket: Ticket): string =>
  mustChangeOf(ticket) === 'expired'
    ? 'Your password has expired. Choose another one to continue.'
    : 'An administrator set your password. Choose one of your own to continue.'

function afterFactors(call: Anonymous, ticket: Ticket, person: SignInPerson): Promise<WebAnswer> | WebAnswer {
  if (!mustChangeOf(ticket)) return complete(call, ticket, person)
  const next = sealTicket(call.vault, { ...ticket, stage: 'password' })
  return { page: newPasswordPage({ csrf: ticket.boundTo, ticket: next, reason: reasonOf(ticket) }) }
}

async function complete(call: Anonymous, ticket: Ticket, person: SignInPerson): Promise<WebAnswer> {
  const { redirect, mfa } = ticket
  consoleLogin(call, { account: person.account, identity: personIdentity(person), to: redirect, mfa })
  return { redirect, session: await claimsOf(call.unit, person, call.now, mfa?.at) }
}
