/** Security credentials: a person's own password, second factors and sign-ins. */
import type * as IAM from '@aws-sdk/client-iam'
import { type SignInPerson, signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import type { Api } from '../../kernel/service/api.ts'
import { retryText } from '../../kernel/state/failure-budget.ts'
import { signInGeneration } from '../../kernel/state/sign-in-sessions.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer, WebCall, WebInput, WebRoute } from '../../kernel/web/site.ts'
import { newChallenge, registrationOptions, verifyRegistration } from '../../kernel/web/webauthn.ts'
import { Fault } from '../../wire/fault.ts'
import { type Claims, callerOf, identityOf, personOfClaims } from './claims.ts'
import { principalEvent } from './events.ts'
import { button, done, field, hidden, page, passkeyForm, problem } from './pages.ts'
import { openTicket, sealTicket, TICKET_MS } from './ticket.ts'
import { getSignedIn, postSignedIn } from './web.ts'

const iam: Api<typeof IAM> = { id: 'iam' }
const NAME = /^[\w+=,.@-]{1,64}$/
const BAD_NAME = 'A device name has 1 to 64 letters, digits or +=,.@_-'

type SignedIn = WebCall<Claims>

interface Notices {
  readonly failure?: string | undefined
  readonly success?: string | undefined
}

export const securityRoutes: readonly WebRoute[] = [
  getSignedIn('/security', 'GetSecurityCredentials', (call, { csrf }) => overview(call, csrf)),

  postSignedIn('/security/password', 'PasswordUpdated', async (call, { form, csrf }) => {
    const person = await self(call)
    const { current = '', password = '', again } = form
    if (password !== again) return overview(call, csrf, { failure: 'The two new passwords differ.' })
    const failure = await attempted(() => changePassword(call, person, current, password))
    if (failure !== undefined) return overview(call, csrf, { failure })
    // Every other sign-in is over; this one goes on.
    const generation = await signInGeneration(call.unit, call.claims.signIn.person)
    return { redirect: '/signin/security', session: { ...call.claims, signIn: { ...call.claims.signIn, generation } } }
  }),

  postSignedIn('/security/totp', 'CreateVirtualMFADevice', async (call, { form, csrf }) => {
    await self(call)
    const name = form['name'] ?? ''
    if (!NAME.test(name)) return overview(call, csrf, { failure: BAD_NAME })
    let made: IAM.VirtualMFADevice | undefined
    const failure = await attempted(async () => {
      const input = { VirtualMFADeviceName: name }
      made = (await call.callAs(callerOf(call.claims), iam, 'CreateVirtualMFADevice', input)).VirtualMFADevice
    })
    if (!made) return overview(call, csrf, { failure })
    const seed = Buffer.from(made.Base32StringSeed!).toString()
    const picture = Buffer.from(made.QRCodePNG!).toString('base64')
    const ticket = sealed(call, csrf, { serialNumber: made.SerialNumber!, seed, picture })
    return { page: totpPage(call, csrf, ticket, { seed, picture }) }
  }),

  postSignedIn('/security/totp/enable', 'EnableMFADevice', async (call, { form, csrf }) => {
    const person = await self(call)
    const ticket = openTicket(call.vault, form['ticket'], { stage: 'register', boundTo: csrf, now: call.now })
    const more = ticket.more as TotpTicket
    const failure = await attempted(async () => {
      const [AuthenticationCode1, AuthenticationCode2] = [form['code1'] ?? '', form['code2'] ?? '']
      const input = { UserName: person.name, SerialNumber: more.serialNumber, AuthenticationCode1, AuthenticationCode2 }
      await call.callAs(callerOf(call.claims), iam, 'EnableMFADevice', input)
    })
    if (failure === undefined) return overview(call, csrf, { success: 'The authenticator app is your second factor.' })
    return { page: totpPage(call, csrf, form['ticket']!, more, failure), status: 400 }
  }),

  postSignedIn('/security/passkey', 'EnableMFADevice', async (call, { form, csrf }) => {
    const person = await self(call)
    const ticket = openTicket(call.vault, form['ticket'], { stage: 'register', boundTo: csrf, now: call.now })
    const name = form['name'] ?? ''
    if (!NAME.test(name)) return overview(call, csrf, { failure: BAD_NAME })
    const ceremony = { origin: call.webOrigin, challenge: ticket.challenge ?? '', response: form['response'] ?? '' }
    const passkey = await verifyRegistration(ceremony)
    if (!passkey) return overview(call, csrf, { failure: 'The passkey could not be verified. Try again.' })
    const failure = await attempted(async () => {
      await call.authorizeAs(callerOf(call.claims), 'iam:EnableMFADevice', person.arn)
      const max = call.quotas['iam/MFADevicesPerUser'] ?? 8
      const serialNumber = await call.use(signInIdentities).addPasskey(call, person, { ...passkey, name }, max)
      call.record({
        name: 'EnableMFADevice',
        account: person.account,
        userIdentity: identityOf(call.claims.principal),
        additionalEventData: { serialNumber, mfaType: 'U2F MFA' },
      })
    })
    return overview(call, csrf, failure === undefined ? { success: 'The passkey is your second factor.' } : { failure })
  }),

  postSignedIn('/security/mfa/remove', 'DeactivateMFADevice', async (call, { form, csrf }) => {
    const person = await self(call)
    const SerialNumber = form['device'] ?? ''
    const as = callerOf(call.claims)
    const failure = await attempted(async () => {
      const UserName = person.kind === 'root' ? undefined : person.name
      await call.callAs(as, iam, 'DeactivateMFADevice', { UserName, SerialNumber })
      if (SerialNumber.includes(':mfa/')) await call.callAs(as, iam, 'DeleteVirtualMFADevice', { SerialNumber })
    })
    return overview(call, csrf, failure === undefined ? { success: 'The device is removed.' } : { failure })
  }),
]

/** Throws for people that another directory keeps: they change their password there. */
async function self(call: SignedIn): Promise<SignInPerson> {
  const person = await personOfClaims(call.use, call.unit, call.claims)
  if (person && !call.claims.before) return person
  throw new Fault('AccessDenied', 'Only a root user or an IAM user has security credentials here. Switch back first.')
}

/** The text of a fault that the person can do something about. */
async function attempted(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof Fault && (error.details.status ?? 400) < 500 && error.code !== 'ServiceUnavailable')
      return error.message
    throw error
  }
}

async function changePassword(call: SignedIn, person: SignInPerson, current: string, password: string): Promise<void> {
  if (person.kind === 'user') {
    const input = { OldPassword: current, NewPassword: password }
    await call.callAs(callerOf(call.claims), iam, 'ChangePassword', input)
    return
  }
  const people = call.use(signInIdentities)
  const checked = await people.checkPassword(call, person, { account: person.account, name: person.name }, current)
  if (checked.outcome === 'refused') throw new Fault('AccessDenied', retryText(checked.retryAfterMs))
  if (checked.outcome === 'wrong') {
    call.record({
      name: 'PasswordUpdated',
      account: person.account,
      userIdentity: identityOf(call.claims.principal),
      responseElements: { PasswordUpdated: 'Failure' },
      error: { code: undefined, message: 'Failed authentication' },
      eventType: 'AwsConsoleSignIn',
    })
    throw new Fault('AccessDenied', 'The current password is incorrect.')
  }
  await people.setPassword(call, person, password)
  principalEvent(call, 'PasswordUpdated', call.claims.principal)
}

interface TotpTicket {
  readonly serialNumber: string
  readonly seed: string
  readonly picture: string
}

const sealed = (call: SignedIn, csrf: string, more: TotpTicket): string =>
  sealTicket(call.vault, { stage: 'register', boundTo: csrf, expiresAt: call.now + TICKET_MS, redirect: '', more })

const totpPage = (
  { claims }: SignedIn,
  csrf: string,
  ticket: string,
  { seed, picture }: Pick<TotpTicket, 'seed' | 'picture'>,
  failure?: string,
): Html =>
  page({
    title: 'Set up an authenticator app',
    claims,
    csrf,
    content: html`<section>${problem(failure)}
<p>Scan this code with the app, or type the secret key into it. Then enter two codes that follow each other.</p>
<img class="qr" alt="QR code of the secret key" src="data:image/png;base64,${picture}">
<p>Secret key: <code>${seed}</code></p>
<form method="post" action="/signin/security/totp/enable">${hidden({ csrf, ticket })}
${field({ name: 'code1', label: 'First code', autocomplete: 'one-time-code', isCode: true })}
${field({ name: 'code2', label: 'Next code', isCode: true })}
<button>Enable</button></form></section>`,
  })

async function overview(call: SignedIn, csrf: WebInput['csrf'], notices: Notices = {}): Promise<WebAnswer> {
  const { claims, unit, use } = call
  const { arn, account, session } = claims.principal
  const person = claims.before ? undefined : await personOfClaims(use, unit, claims)
  const people = use(signInIdentities)
  const found = await people.account(unit, account)
  const content = html`${problem(notices.failure)}${done(notices.success)}
<section><h2>Signed in as</h2><dl>
<dt>Account</dt><dd>${account}${found?.alias && ` (${found.alias})`}</dd>
<dt>Identity</dt><dd>${arn}</dd>
<dt>Second factor</dt><dd>${session.mfaAt === undefined ? 'Not used for this sign-in' : 'Used for this sign-in'}</dd>
</dl></section>
${person ? await ownCredentials(call, csrf, person) : html`<section><p>Your password and second factors are kept where you signed in.</p></section>`}
<section><h2>Sign-ins</h2><p class="quiet">A sign-in ends after 12 hours, when the password changes, or here.</p>
<div class="row">${button('/signin/logout', csrf, 'Sign out')}${button('/signin/logout-everywhere', csrf, 'Sign out everywhere', 'second')}</div></section>`
  return {
    status: notices.failure === undefined ? 200 : 400,
    page: page({ title: 'Security credentials', claims, csrf, content, withScript: person !== undefined }),
  }
}

async function ownCredentials(
  { unit, use, webOrigin: origin, vault, now }: SignedIn,
  csrf: string,
  person: SignInPerson,
) {
  const people = use(signInIdentities)
  const [devices, passkeys] = await Promise.all([people.devices(unit, person), people.passkeys(unit, person)])
  const challenge = newChallenge()
  const expiresAt = now + TICKET_MS
  const ticket = sealTicket(vault, { stage: 'register', boundTo: csrf, expiresAt, redirect: '', challenge })
  const device = ({ serialNumber, kind, enabledAt }: (typeof devices)[number]) => html`<li>
<span>${serialNumber.slice(serialNumber.indexOf('/') + 1)}<br><span class="quiet">${kind === 'totp' ? 'Authenticator app' : 'Passkey'}, since ${new Date(enabledAt).toISOString().slice(0, 10)}</span></span>
<form method="post" action="/signin/security/mfa/remove">${hidden({ csrf, device: serialNumber })}<button class="second" aria-label="Remove ${serialNumber}">Remove</button></form></li>`
  return html`<section><h2>Second factors</h2>
${devices.length > 0 ? html`<ul>${devices.map(device)}</ul>` : html`<p class="quiet">None. Add one: a password alone can be stolen.</p>`}
<form method="post" action="/signin/security/totp">${hidden({ csrf })}${field({ name: 'name', label: 'Name of the authenticator app' })}<button class="second">Add authenticator app</button></form>
<hr>${passkeyForm({
    action: '/signin/security/passkey',
    kind: 'create',
    csrf,
    ticket,
    options: registrationOptions(origin, challenge, { id: person.id, name: person.name }, passkeys),
    text: 'Add passkey',
    fields: html`<label for="passkey-name">Name of the passkey</label><input id="passkey-name" name="name" maxlength="64" required autocomplete="off">`,
  })}<noscript><p class="quiet">Passkeys need a browser that runs scripts.</p></noscript></section>
<section><h2>Password</h2><form method="post" action="/signin/security/password">${hidden({ csrf })}
${field({ name: 'current', label: 'Current password', type: 'password', autocomplete: 'current-password' })}
${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' })}
${field({ name: 'again', label: 'New password, again', type: 'password', autocomplete: 'new-password' })}
<button class="second">Change password</button></form></section>`
}
