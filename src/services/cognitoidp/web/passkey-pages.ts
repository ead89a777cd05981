/** Managed login: signing in by a passkey, without a user name, and adding one to the account that is signed in. */
import { randomUUID } from 'node:crypto'
import { PASSKEY_SCRIPT } from '../../../kernel/web/passkey-script.ts'
import { route, type WebAnswer, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { openState, type SignInState, sealState, sessionMs, spend } from '../challenge-state.ts'
import {
  authenticationOptions,
  completeRegistration,
  holderNamedBy,
  newChallenge,
  offersPasskeys,
  startRegistration,
  verifyPasskey,
} from '../passkeys.ts'
import { at, notAuthorized, type PoolRow } from '../resources.ts'
import { afterFirstFactor } from '../second-factor.ts'
import { preAuthentication } from '../sign-in.ts'
import { saveUser, type UserRow } from '../user-rows.ts'
import { badRequest } from './authorization-request.ts'
import type { LoginClaims } from './login-session.ts'
import {
  baseOf,
  completed,
  get,
  type Open,
  opened,
  post,
  sessionFor,
  shownError,
  sources,
  type Visit,
} from './page-request.ts'
import { addPasskeyPage, passkeyPage } from './pages.ts'
import { step } from './sign-in-step.ts'

/** A passkey with its certificates. */
const RESPONSE_BYTES_MAX = 24 * 1024
const REFUSED = 'The passkey was not accepted.'

function assertOffered(pool: PoolRow): void {
  if (!offersPasskeys(pool)) throw badRequest('Passkeys are not enabled for this user pool.')
}

/** The page with a challenge of its own. It names no user, so it shows nothing of one. */
function askPasskey(call: Visit, { csrf }: WebInput, { request, look }: Open, failure?: string): WebAnswer {
  const challenge = newChallenge()
  const state: SignInState = {
    id: randomUUID(),
    pool: request.pool.id,
    client: request.client.id,
    login: '',
    sub: undefined,
    challenge: 'WEB_AUTHN',
    expiresAt: call.now + sessionMs(request),
    isAdmin: false,
    webAuthn: challenge,
  }
  return {
    page: passkeyPage({
      look,
      csrf,
      failure,
      session: sealState(call.vault, state),
      options: authenticationOptions(request.pool, undefined, challenge),
    }),
    ...(failure !== undefined && { status: 401 }),
    formAction: sources(request),
  }
}

const signIn = get('/passkeys', 'Passkey_GET', (call, input, open) => {
  assertOffered(open.request.pool)
  return askPasskey(call, input, open)
})

const signInPost = post('/passkeys', 'Passkey_POST', async (call, input, open) => {
  const { pool } = open.request
  assertOffered(pool)
  const response = (input.form['response'] ?? '').slice(0, RESPONSE_BYTES_MAX)
  const sub = holderNamedBy(response) ?? ''
  const found = await call.unit.get<UserRow>(at.user(pool.id, sub))
  return step(
    call,
    input,
    open,
    found?.username ?? '',
    async (of) => {
      const state = await openState(call, of, input.form['session'])
      if (state.challenge !== 'WEB_AUTHN' || state.sub !== undefined) throw notAuthorized(REFUSED)
      const isSpent = (await call.unit.get(at.spent(pool.id, sub, state.id))) !== undefined
      const passkey =
        found && !isSpent
          ? await call.once(() => verifyPasskey(pool, found, state.webAuthn ?? '', response))
          : undefined
      if (!found || !passkey) throw notAuthorized(REFUSED)
      spend(call, { ...state, sub })
      const passkeys = found.passkeys.map((each) => (each.credentialId === passkey.credentialId ? passkey : each))
      const person = { login: found.username, user: found }
      await preAuthentication(of, person)
      const user = await saveUser(call.unit, pool, found, { ...found, passkeys })
      return afterFirstFactor(of, { ...person, user }, { factor: 'WEB_AUTHN' })
    },
    (failure) => askPasskey(call, input, open, failure),
  )
})

/** For people who are signed in at the pool's pages; others sign in first. */
const adding = (
  method: 'GET' | 'POST',
  run: (call: Visit, input: WebInput, open: Open, user: UserRow) => Promise<WebAnswer>,
) =>
  route<LoginClaims>({
    method,
    path: '/passkeys/add',
    event: `AddPasskey_${method}`,
    authentication: 'optional-session',
    body: method === 'GET' ? 'none' : 'form',
    bodyBytesMax: method === 'GET' ? 0 : 32 * 1024,
    shown: method === 'GET' ? ['client_id'] : [],
    run: async (call, input) => {
      try {
        const visit = call as unknown as Visit
        const open = await opened(visit, input)
        assertOffered(open.request.pool)
        const claims = sessionFor(call.claims, open.request)
        const user = claims && (await call.unit.get<UserRow>(at.user(open.request.pool.id, claims.sub)))
        if (!user) return { redirect: `${baseOf(input.path)}/login?${open.request.query}` }
        return await run(visit, input, open, user)
      } catch (error) {
        return shownError(error)
      }
    },
  })

const askNew = (
  call: Visit,
  { csrf }: WebInput,
  { request, look }: Open,
  user: UserRow,
  failure?: string,
): WebAnswer => ({
  page: addPasskeyPage({
    look,
    csrf,
    failure,
    options: JSON.stringify(startRegistration(call, request.pool, user)),
  }),
  ...(failure !== undefined && { status: 400 }),
  formAction: sources(request),
})

const add = adding('GET', async (call, input, open, user) => askNew(call, input, open, user))

const addPost = adding('POST', async (call, input, open, user) => {
  const { request } = open
  try {
    const text = (input.form['response'] ?? '').slice(0, RESPONSE_BYTES_MAX)
    const credential: unknown = text.startsWith('{') ? JSON.parse(text) : undefined
    await completeRegistration(call, request.pool, user, credential)
  } catch (error) {
    if (error instanceof SyntaxError) return askNew(call, input, open, user, REFUSED)
    if (!(error instanceof Fault) || (error.details.status ?? 400) >= 500) throw error
    return askNew(call, input, open, user, error.message)
  }
  return { redirect: await completed(call, request, user, call.now) }
})

const script: WebRoute = route({
  method: 'GET',
  path: '/passkey.js',
  event: 'GetScript',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async () => ({ file: PASSKEY_SCRIPT, contentType: 'text/javascript; charset=utf-8', cacheSeconds: 3600 }),
})

export const passkeyRoutes: readonly WebRoute[] = [signIn, signInPost, add, addPost, script]
