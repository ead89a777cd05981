/** Second factors of people: authenticator apps and passkeys, added and removed by their owners. */
import { randomBytes } from 'node:crypto'
import { qrCodePng } from '../../engines/qr-code/qr-code.ts'
import { base32, clockOf, ENROL_REACH, SEED_BYTES } from '../../engines/totp/totp.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import type { WebAnswer, WebRoute } from '../../kernel/web/site.ts'
import { newChallenge, registrationOptions, verifyRegistration } from '../../kernel/web/webauthn.ts'
import { appPage, securityPage } from './pages.ts'
import { getSignedIn, postSignedIn, type Visit } from './session.ts'
import { openTicket, sealTicket } from './ticket.ts'

const NAME = /^[\p{L}\p{N} ._-]{1,64}$/u
const NO_NAME = 'A name has 1 to 64 letters, digits, spaces, dots, underscores and hyphens.'

const at = ({ call, input }: Visit) => ({ boundTo: input.csrf, now: call.now })

async function security(visit: Visit, said: { message?: string; failure?: string } = {}): Promise<WebAnswer> {
  const { call, person, shown } = visit
  const people = call.use(identityStore)
  const { user } = person
  const [devices, passkeys] = await Promise.all([people.devices(call.unit, user), people.passkeys(call.unit, user)])
  const challenge = newChallenge()
  return {
    page: securityPage(shown, {
      devices,
      passkey: registrationOptions(call.webOrigin, challenge, { id: user.id, name: user.userName }, passkeys),
      ticket: sealTicket(call.vault, 'passkey', at(visit), { challenge }),
      ...said,
    }),
    ...(said.failure !== undefined && { status: 400 }),
  }
}

interface NewApp {
  readonly name: string
  /** base64 */
  readonly seed: string
}

/** What authenticator apps read from a QR code. Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
const keyUri = (user: string, secret: string): string =>
  `otpauth://totp/Merlon:${encodeURIComponent(user)}?secret=${secret}&issuer=Merlon`

function app(visit: Visit, made: NewApp, failure?: string): WebAnswer {
  const seed = base32(Buffer.from(made.seed, 'base64'))
  return {
    page: appPage(visit.shown, {
      ticket: sealTicket(visit.call.vault, 'app', at(visit), made),
      seed,
      qr: Buffer.from(qrCodePng(keyUri(visit.shown.userName, seed))).toString('base64'),
      failure,
    }),
    ...(failure !== undefined && { status: 400 }),
  }
}

export const securityRoutes: readonly WebRoute[] = [
  getSignedIn(
    '/security',
    'GetSecurityPage',
    (visit) => security(visit),
    () => '/start/security',
  ),
  postSignedIn('/security/app', 'StartMfaDeviceRegistration', (visit) => {
    const name = (visit.input.form['name'] ?? '').trim()
    if (!NAME.test(name)) return security(visit, { failure: NO_NAME })
    return app(visit, { name, seed: randomBytes(SEED_BYTES).toString('base64') })
  }),
  postSignedIn('/security/enable', 'AddMfaDeviceToUser', async (visit) => {
    const { call, input, person } = visit
    const made = openTicket<NewApp>(call.vault, 'app', input.form['ticket'], at(visit))
    const seed = Buffer.from(made.seed, 'base64')
    const codes = [input.form['first'] ?? '', input.form['second'] ?? ''] as const
    const clock = clockOf(seed, codes, call.now, ENROL_REACH)
    if (!clock) return app(visit, made, 'These are not two codes in a row of this key. Try the next two.')
    const people = call.use(identityStore)
    const store = await people.find(call.unit, person.session.storeId)
    const { drift, spent } = clock
    const failure = await people.addTotp(call, store!, person.user, {
      name: made.name,
      seed,
      drift,
      spentStep: spent,
    })
    return security(visit, failure ? { failure } : { message: 'The authenticator app is your second factor.' })
  }),
  postSignedIn('/security/passkey', 'AddMfaDeviceToUser', async (visit) => {
    const { call, input, person } = visit
    const { challenge } = openTicket<{ challenge: string }>(call.vault, 'passkey', input.form['ticket'], at(visit))
    const name = (input.form['name'] ?? '').trim()
    if (!NAME.test(name)) return security(visit, { failure: NO_NAME })
    const ceremony = { origin: call.webOrigin, challenge, response: input.form['response'] ?? '' }
    const verified = await verifyRegistration(ceremony)
    if (!verified) return security(visit, { failure: 'The passkey could not be verified.' })
    const failure = await call.use(identityStore).addPasskey(call, person.user, { ...verified, name })
    return security(visit, failure ? { failure } : { message: 'The passkey is your second factor.' })
  }),
  postSignedIn('/security/remove', 'DeleteMfaDeviceFromUser', async (visit) => {
    const { call, input, person } = visit
    await call.use(identityStore).removeDevice(call, person.user, (input.form['device'] ?? '').slice(0, 64))
    return security(visit, { message: 'The second factor was removed.' })
  }),
]
