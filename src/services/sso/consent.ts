/** Consent: a device by its user code (RFC 8628), and a command line by the authorization code with PKCE (RFC 7636). */
import { ssoGrants } from '../../kernel/ports/sso-grants.ts'
import { type GuessableSecret, retryText } from '../../kernel/state/failure-budget.ts'
import type { WebAnswer, WebInput, WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { authorizePage, deviceCodePage, devicePage, messagePage } from './pages.ts'
import { getSignedIn, postSignedIn, type Visit } from './session.ts'

/** Five wrong codes lock a person out of the page for ten minutes. */
const GUESSING = { free: 4, delayMs: 10 * 60_000, maxMs: 60 * 60_000 }
const NO_CODE = 'The code is not valid, or has expired. Start again on your device.'

const secretOf = ({ person: { session } }: Visit): GuessableSecret => ({
  account: session.account,
  kind: 'password',
  id: `user-code/${session.storeId}/${session.userId}`,
  arn: `arn:aws:identitystore:::user/${session.userId}`,
  type: 'AWS::IdentityStore::User',
  policy: GUESSING,
})

/** The request of a user code, within the failure budget of the person: codes are short enough to be guessed at. */
async function requested(visit: Visit, userCode: string) {
  const { call, person } = visit
  const grants = call.use(ssoGrants)
  const checked = await call.checkSecret(secretOf(visit), async (unit) => {
    const found = await grants.device(unit, userCode, call.now)
    // The portal that the device was started for, and no other.
    return found?.storeId === person.session.storeId ? found : undefined
  })
  if (checked.outcome === 'correct') return { request: checked.value }
  return { failure: checked.outcome === 'refused' ? retryText(checked.retryAfterMs) : NO_CODE }
}

const CODE = /^[A-Za-z0-9-]{1,20}$/

const deviceForm = async (visit: Visit, userCode: string): Promise<WebAnswer> => {
  const { call, shown } = visit
  if (userCode === '') return { page: deviceCodePage(shown) }
  const { request, failure } = CODE.test(userCode) ? await requested(visit, userCode) : { failure: NO_CODE }
  if (!request) return { page: deviceCodePage(shown, failure), status: 400 }
  const isElsewhere = request.remoteAddress !== call.remoteAddress
  return { page: devicePage(shown, { ...request, userCode: userCode.toUpperCase(), isElsewhere }) }
}

/** Throws for requests that must not be answered at their redirect URI, because it proves nothing (RFC 6749, 4.1.2.1). */
function authorization({ call, person }: Visit, fields: WebInput['query']) {
  const grants = call.use(ssoGrants)
  const client = grants.client(call.vault, fields['client_id'] ?? '', call.now)
  if (!client) throw bad('The application is not registered, or its registration has expired.')
  const redirectUri = fields['redirect_uri'] ?? ''
  if (!grants.isRegistered(client, redirectUri)) throw bad('The application has not registered this redirect URI.')
  if (client.storeId !== undefined && client.storeId !== person.session.storeId)
    throw bad('The application was registered for another portal.')
  const scopes = (fields['scopes'] ?? fields['scope'] ?? '').split(/[ ,]+/).filter((scope) => scope !== '')
  const isKnown = scopes.every((scope) => client.scopes.includes(scope))
  const challenge = fields['code_challenge'] ?? ''
  const error =
    fields['response_type'] !== 'code'
      ? 'unsupported_response_type'
      : fields['code_challenge_method'] !== 'S256' || !/^[\w-]{43}$/.test(challenge)
        ? 'invalid_request'
        : !isKnown
          ? 'invalid_scope'
          : undefined
  return { client, redirectUri, scopes, challenge, error }
}

const bad = (message: string): Fault => new Fault('BadRequest', message, { status: 400 })

const FIELDS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'state',
  'code_challenge',
  'code_challenge_method',
  'scope',
  'scopes',
]
const STATE_CHARS_MAX = 2_048

function answerAt(redirectUri: string, state: string | undefined, answer: Readonly<Record<string, string>>): WebAnswer {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  if (state !== undefined) url.searchParams.set('state', state.slice(0, STATE_CHARS_MAX))
  return { redirect: url.href }
}

export const consentRoutes: readonly WebRoute[] = [
  getSignedIn(
    '/device',
    'GetDevicePage',
    (visit) => deviceForm(visit, visit.input.query['user_code'] ?? ''),
    ({ query }) => `/start/device?${new URLSearchParams({ user_code: query['user_code'] ?? '' })}`,
  ),
  postSignedIn('/device', 'AuthorizeDevice', async (visit) => {
    const { call, person, shown, input } = visit
    const userCode = input.form['user_code'] ?? ''
    const { request, failure } = CODE.test(userCode) ? await requested(visit, userCode) : { failure: NO_CODE }
    if (!request) return { page: deviceCodePage(shown, failure), status: 400 }
    const grants = call.use(ssoGrants)
    const isAllowed = input.form['answer'] === 'allow'
    const isAnswered = isAllowed
      ? await grants.approveDevice(call.unit, userCode, person.session, call.now)
      : await grants.denyDevice(call.unit, userCode, call.now)
    if (!isAnswered) return { page: deviceCodePage(shown, NO_CODE), status: 400 }
    call.event.additionalEventData = {
      clientName: request.clientName,
      requestedFrom: request.remoteAddress,
      answer: isAllowed ? 'allowed' : 'denied',
    }
    return isAllowed
      ? { page: messagePage(shown, 'Request approved', 'You can close this window, and go back to your device.') }
      : { page: messagePage(shown, 'Request denied', 'The device gets no access.') }
  }),
  getSignedIn(
    '/authorize',
    'GetAuthorizePage',
    (visit) => {
      const { query } = visit.input
      const { client, redirectUri, scopes, error } = authorization(visit, query)
      if (error) return answerAt(redirectUri, query['state'], { error })
      const fields = Object.fromEntries(FIELDS.map((name) => [name, query[name]]))
      return { page: authorizePage(visit.shown, { clientName: client.name, scopes, redirectUri, fields }) }
    },
    ({ query }) => `/start/authorize?${new URLSearchParams(query)}`,
  ),
  postSignedIn('/authorize', 'Authorize', (visit) => {
    const { call, input, person } = visit
    const { client, redirectUri, scopes, challenge, error } = authorization(visit, input.form)
    const { state, answer } = input.form
    if (error) return answerAt(redirectUri, state, { error })
    call.event.additionalEventData = {
      clientName: client.name,
      answer: answer === 'allow' ? 'allowed' : 'denied',
    }
    if (answer !== 'allow') return answerAt(redirectUri, state, { error: 'access_denied' })
    const { session } = person
    const code = call.use(ssoGrants).issueCode(call.unit, { client, redirectUri, challenge, scopes, session }, call.now)
    return answerAt(redirectUri, state, { code })
  }),
]
