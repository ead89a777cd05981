/** Managed login: the pages on which people sign in, sign up and recover, and the way back to the app. */
import { randomUUID } from 'node:crypto'
import { qrCodePng } from '../../../engines/qr-code/qr-code.ts'
import { route, type WebAnswer, type WebCall, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { readCss, uiOf } from '../branding.ts'
import { openState, sealState } from '../challenge-state.ts'
import { respond } from '../challenges.ts'
import { recover, startRecovery } from '../forgot-password.ts'
import { completeTotp, startTotp } from '../mfa.ts'
import type { ProviderRow } from '../providers.ts'
import { at, type ClientRow, type PoolClient, type PoolRow } from '../resources.ts'
import { assertNotBlocked } from '../risk.ts'
import { preAuthentication, type SignIn, type SignInAnswer, signInWithPassword } from '../sign-in.ts'
import { confirm, register, resend } from '../sign-up.ts'
import { beginSession, tokensOf } from '../tokens.ts'
import { findUser, type UserRow } from '../user-rows.ts'
import {
  AuthorizationError,
  type AuthorizationRequest,
  answerAddress,
  badRequest,
  clientOfPages,
  type Fields,
  poolOfPages,
  readAuthorization,
  sourceOf,
} from './authorization-request.ts'
import { issueCode } from './codes.ts'
import type { LoginClaims } from './login-session.ts'
import {
  challengePage,
  confirmPage,
  forgotPage,
  type Look,
  loginPage,
  printRules,
  resetPage,
  STYLE,
  signedOutPage,
  signUpPage,
} from './pages.ts'
import { signOutAddress } from './saml.ts'
import { upstreamSources } from './upstream.ts'

const FORM_BYTES_MAX = 32 * 1024
const WRONG = 'Incorrect username or password.'

type Visit = WebCall<undefined>

interface Open {
  readonly request: AuthorizationRequest
  readonly look: Look
}

export const baseOf = (path: Fields): string =>
  path['domain'] === undefined ? '' : `/_cognito/${path['region']}/${path['domain']}`

/** Of pages that belong to no request of an app. */
export const plainLook = (path: Fields, app = 'Sign-in'): Look => ({ base: baseOf(path), lang: 'en', app, query: '' })

async function lookOf(call: Visit, request: AuthorizationRequest, path: Fields): Promise<Look> {
  const ui = await uiOf(call.unit, request.pool, request.client.id)
  return {
    base: baseOf(path),
    lang: 'en',
    image: ui?.image,
    app: request.client.settings.ClientName ?? 'Sign-in',
    query: request.query,
  }
}

/** The request that a page carries, checked again: forms carry it as text. */
async function opened(call: Visit, { path, query, form }: WebInput): Promise<Open> {
  const pool = await poolOfPages(call, path)
  const carried = form['request']
  const fields: Fields =
    carried === undefined ? query : Object.fromEntries(new URLSearchParams(carried.slice(0, 16_384)))
  const request = await readAuthorization(call, pool, fields)
  return { request, look: await lookOf(call, request, path) }
}

export const shownError = (error: unknown): WebAnswer => {
  if (error instanceof AuthorizationError) return { redirect: error.redirect }
  throw error
}

/** The pool's own directory, as a client's supported providers name it. */
const OWN_USERS = 'COGNITO'

/** A client that names no providers has the pool's own users. */
const accepts = ({ settings }: ClientRow, provider: string): boolean =>
  settings.SupportedIdentityProviders?.length
    ? settings.SupportedIdentityProviders.includes(provider)
    : provider === OWN_USERS

/** Pages of the pool's own users are closed, not only hidden, where the client has none. */
function assertOpenFor(users: 'own' | 'all', { client }: PoolClient): void {
  if (users === 'own' && !accepts(client, OWN_USERS))
    throw badRequest('This app signs people in at its identity providers.')
}

const get = (
  path: string,
  event: string,
  run: (call: Visit, input: WebInput, open: Open) => Promise<WebAnswer> | WebAnswer,
  users: 'own' | 'all' = 'own',
): WebRoute =>
  route({
    method: 'GET',
    path,
    event,
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    shown: ['client_id'],
    run: async (call, input) => {
      try {
        const open = await opened(call, input)
        assertOpenFor(users, open.request)
        return await run(call, input, open)
      } catch (error) {
        return shownError(error)
      }
    },
  })

export const post = (
  path: string,
  event: string,
  run: (call: Visit, input: WebInput, open: Open) => Promise<WebAnswer> | WebAnswer,
  users: 'own' | 'all' = 'own',
): WebRoute =>
  route({
    method: 'POST',
    path,
    event,
    authentication: 'anonymous',
    body: 'form',
    bodyBytesMax: FORM_BYTES_MAX,
    shown: [],
    run: async (call, input) => {
      try {
        const open = await opened(call, input)
        assertOpenFor(users, open.request)
        return await run(call, input, open)
      } catch (error) {
        return shownError(error)
      }
    },
  })

const nameLabel = ({ settings }: PoolRow): string => {
  const names = settings.UsernameAttributes ?? []
  if (names.length === 2) return 'E-mail address or phone number'
  if (names.length === 1) return names[0] === 'email' ? 'E-mail address' : 'Phone number'
  return 'Username'
}

const canSignUp = ({ settings }: PoolRow): boolean => !settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly

const sources = (request: AuthorizationRequest): readonly string[] => [sourceOf(request.redirectUri)]

/** Providers that the client supports, and that pages can offer. */
export async function providersOf(
  call: Visit,
  { pool, client, provider }: AuthorizationRequest,
): Promise<readonly ProviderRow[]> {
  const names = (client.settings.SupportedIdentityProviders ?? []).filter((name) => name !== OWN_USERS)
  const wanted = provider === undefined ? names : names.filter((name) => name === provider)
  const rows = await Promise.all(wanted.map((name) => call.unit.get<ProviderRow>(at.provider(pool.id, name))))
  return rows.filter((row) => row !== undefined)
}

/** Where the forms of the sign-in page lead: the app, and the providers. */
const loginSources = (request: AuthorizationRequest, providers: readonly ProviderRow[]): readonly string[] => [
  ...sources(request),
  ...providers.flatMap(upstreamSources),
]

/** The session of a browser, where it is of this pool and of a provider that the client accepts. */
const sessionFor = (claims: LoginClaims | undefined, { pool, client }: PoolClient): LoginClaims | undefined =>
  claims?.pool === pool.id && accepts(client, claims.provider ?? OWN_USERS) ? claims : undefined

/** Back to the app, with a code or with tokens. */
export async function completed(
  call: WebCall<unknown>,
  request: AuthorizationRequest,
  user: UserRow,
  authTime: number,
): Promise<string> {
  const { redirectUri, state, pool, client, scopes, nonce } = request
  if (request.responseType === 'code')
    return answerAddress(redirectUri, 'query', { code: issueCode(call, request, user.sub, authTime), state })
  const session = await beginSession(call, pool, client, user, { scopes, nonce })
  const tokens = await tokensOf(call, {
    pool,
    client,
    user,
    session,
    source: 'TokenGeneration_HostedAuth',
    withRefresh: false,
  })
  return answerAddress(redirectUri, 'fragment', {
    access_token: tokens.AccessToken,
    id_token: tokens.IdToken,
    token_type: 'Bearer',
    expires_in: String(tokens.ExpiresIn),
    state,
  })
}

export const claimsOf = (
  { pool }: AuthorizationRequest,
  user: UserRow,
  authTime: number,
  provider: string,
): LoginClaims => ({
  pool: pool.id,
  account: pool.account,
  region: pool.region,
  sub: user.sub,
  authTime,
  provider,
})

/** One step of a sign-in, to its page or to the app. `again` shows the form with what was wrong. */
async function step(
  call: Visit,
  input: WebInput,
  { request, look }: Open,
  username: string,
  walk: (of: SignIn) => Promise<SignInAnswer>,
  again: (failure: string) => WebAnswer,
): Promise<WebAnswer> {
  let signedIn: UserRow | undefined
  const of: SignIn = {
    call,
    pool: request.pool,
    client: request.client,
    isAdmin: false,
    isPage: true,
    finish: async (user) => {
      signedIn = user
      return {}
    },
  }
  let answer: SignInAnswer
  try {
    await assertNotBlocked(call.unit, of, call.remoteAddress)
    answer = await walk(of)
  } catch (error) {
    if (!(error instanceof Fault) || (error.details.status ?? 400) >= 500) throw error
    if (error.code === 'UserNotConfirmedException')
      return { page: confirmPage({ look, csrf: input.csrf, username }), formAction: sources(request) }
    if (error.code === 'PasswordResetRequiredException')
      return {
        page: forgotPage({
          look,
          csrf: input.csrf,
          nameLabel: nameLabel(request.pool),
          failure: 'You have to reset your password.',
        }),
      }
    return again(error.code === 'UserNotFoundException' ? WRONG : error.message)
  }
  if (signedIn)
    return {
      redirect: await completed(call, request, signedIn, call.now),
      session: claimsOf(request, signedIn, call.now, OWN_USERS),
    }
  return { page: await nextPage(call, input, { request, look }, username, answer), formAction: sources(request) }
}

async function nextPage(call: Visit, input: WebInput, { request, look }: Open, username: string, answer: SignInAnswer) {
  const { ChallengeName: challenge = '', Session: session = '', ChallengeParameters: parameters = {} } = answer
  const common = { look, csrf: input.csrf, session, username, challenge }
  const list = (text: string | undefined): readonly string[] => (text ? (JSON.parse(text) as string[]) : [])
  if (challenge === 'MFA_SETUP') {
    const state = await openState(call, request, session)
    const user = (await call.unit.get<UserRow>(at.user(request.pool.id, state.sub ?? '')))!
    const secret = await startTotp(call, request.pool, user)
    const address = `otpauth://totp/${encodeURIComponent(`${look.app}:${user.username}`)}?secret=${secret}&issuer=${encodeURIComponent(look.app)}`
    return challengePage({
      ...common,
      secret,
      picture: `data:image/png;base64,${qrCodePng(address).toString('base64')}`,
    })
  }
  return challengePage({
    ...common,
    destination: parameters['CODE_DELIVERY_DESTINATION'],
    missing: list(parameters['requiredAttributes']),
    choices: list(parameters['MFAS_CAN_CHOOSE']),
  })
}

const short = (text: string | undefined, max = 256): string => (text ?? '').slice(0, max)

const authorize: WebRoute = route<LoginClaims>({
  method: 'GET',
  path: '/oauth2/authorize',
  event: 'Authorize_GET',
  authentication: 'optional-session',
  body: 'none',
  bodyBytesMax: 0,
  shown: ['client_id'],
  run: async (call, { path, query }) => {
    try {
      const pool = await poolOfPages(call, path)
      const request = await readAuthorization(call, pool, query)
      const claims = request.prompt === 'login' ? undefined : sessionFor(call.claims, request)
      const user = claims && (await call.unit.get<UserRow>(at.user(pool.id, claims.sub)))
      if (claims && user) return { redirect: await completed(call, request, user, claims.authTime) }
      if (request.prompt === 'none')
        return {
          redirect: answerAddress(request.redirectUri, 'query', { error: 'login_required', state: request.state }),
        }
      const hint = query['login_hint'] ? `&login_hint=${encodeURIComponent(query['login_hint'].slice(0, 256))}` : ''
      return { redirect: `${baseOf(path)}/login?${request.query}${hint}` }
    } catch (error) {
      return shownError(error)
    }
  },
})

const login = get(
  '/login',
  'Login_GET',
  async (call, { csrf, query }, { request, look }) => {
    const providers = await providersOf(call, request)
    return {
      page: loginPage({
        look,
        csrf,
        nameLabel: nameLabel(request.pool),
        username: query['login_hint'] && short(query['login_hint']),
        hasOwnUsers: accepts(request.client, OWN_USERS),
        canSignUp: canSignUp(request.pool),
        providers: providers.map(({ name }) => name),
      }),
      formAction: loginSources(request, providers),
    }
  },
  'all',
)

const loginPost = post('/login', 'Login_POST', (call, input, open) => {
  const username = short(input.form['username']).trim()
  const { request, look } = open
  const again = (failure: string): WebAnswer => ({
    page: loginPage({
      look,
      csrf: input.csrf,
      nameLabel: nameLabel(request.pool),
      username,
      hasOwnUsers: true,
      canSignUp: canSignUp(request.pool),
      providers: [],
      failure,
    }),
    status: 401,
    formAction: sources(request),
  })
  if (username === '') return again(WRONG)
  return step(
    call,
    input,
    open,
    username,
    async (of) => {
      const person = { login: username, user: await findUser(call.unit, of.pool, username) }
      await preAuthentication(of, person)
      return signInWithPassword(of, person, short(input.form['password'], 512), undefined)
    },
    again,
  )
})

/** Which member of the API carries the answer of a page. */
const ANSWER_NAMES: Readonly<Record<string, string>> = {
  SMS_MFA: 'SMS_MFA_CODE',
  SOFTWARE_TOKEN_MFA: 'SOFTWARE_TOKEN_MFA_CODE',
  EMAIL_OTP: 'EMAIL_OTP_CODE',
  SMS_OTP: 'SMS_OTP_CODE',
}

const challenge = post('/challenge', 'Challenge_POST', (call, input, open) => {
  const { form, csrf } = input
  const { request, look } = open
  const username = short(form['username'])
  const name = short(form['challenge'])
  const session = short(form['session'], 2048)
  const again = (failure: string): WebAnswer => ({
    page: challengePage({ look, csrf, session, username, challenge: name, failure }),
    status: 401,
    formAction: sources(request),
  })
  if (name === 'NEW_PASSWORD_REQUIRED' && form['password'] !== form['again']) return again('The two passwords differ.')
  return step(
    call,
    input,
    open,
    username,
    async (of) => {
      let next = session
      if (name === 'MFA_SETUP') {
        const state = await openState(call, of, session)
        const user = await call.unit.get<UserRow>(at.user(of.pool.id, state.sub ?? ''))
        if (!user || state.challenge !== 'MFA_SETUP') throw badRequest('The session is not valid.')
        await completeTotp(call, of.pool, user, short(form['code']))
        next = sealState(call.vault, { ...state, id: randomUUID(), isSetUp: true })
      }
      const attributes = Object.fromEntries(Object.entries(form).filter(([key]) => key.startsWith('userAttributes.')))
      const answerName = ANSWER_NAMES[name]
      return respond(of, {
        name: name as never,
        session: next,
        responses: {
          USERNAME: username,
          ...(answerName !== undefined && { [answerName]: short(form['code']).trim() }),
          ...(form['answer'] !== undefined && { ANSWER: form['answer'] }),
          ...(name === 'NEW_PASSWORD_REQUIRED' && { NEW_PASSWORD: short(form['password'], 512), ...attributes }),
        },
      })
    },
    again,
  )
})

/** What the pool requires of a new user, and the address that it verifies. */
function signUpAttributes(pool: PoolRow): readonly string[] {
  const required = pool.schema
    .filter(({ Name = '', Required }) => Required && Name !== 'sub')
    .map(({ Name = '' }) => Name)
  const verified = (pool.settings.AutoVerifiedAttributes ?? []) as readonly string[]
  const names = [...new Set([...required, ...verified.slice(0, 1)])]
  return names.filter((name) => !(pool.settings.UsernameAttributes ?? []).includes(name as never))
}

const signUp = get('/signup', 'SignUp_GET', (_call, { csrf }, { request, look }) => {
  if (!canSignUp(request.pool)) throw badRequest('SignUp is not permitted for this user pool')
  return {
    page: signUpPage({
      look,
      csrf,
      nameLabel: nameLabel(request.pool),
      values: {},
      attributes: signUpAttributes(request.pool),
    }),
  }
})

/** The page again for what a person can set right; anything else is thrown. */
async function orAgain(work: () => Promise<WebAnswer>, again: (failure: string) => WebAnswer): Promise<WebAnswer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Fault) || (error.details.status ?? 400) >= 500) throw error
    return again(error.message)
  }
}

const signUpPost = post('/signup', 'SignUp_POST', (call, { form, csrf }, { request, look }) => {
  const { pool, client } = request
  const attributes = signUpAttributes(pool)
  const username = short(form['username'], 128).trim()
  const again = (failure: string): WebAnswer => ({
    page: signUpPage({ look, csrf, nameLabel: nameLabel(pool), values: { ...form }, attributes, failure }),
    status: 400,
  })
  if (form['password'] !== form['again']) return again('The two passwords differ.')
  if (username === '') return again('Username is required.')
  return orAgain(async () => {
    const { user, details } = await register(call, pool, client, {
      Username: username,
      Password: short(form['password'], 512),
      UserAttributes: attributes.map((Name) => ({ Name, Value: short(form[`attribute.${Name}`], 2048) })),
    })
    if (user.status === 'UNCONFIRMED')
      return {
        page: confirmPage({ look, csrf, username, destination: details?.Destination }),
        formAction: sources(request),
      }
    return {
      redirect: await completed(call, request, user, call.now),
      session: claimsOf(request, user, call.now, OWN_USERS),
    }
  }, again)
})

/** Pages do not reveal which users exist, whatever the client's setting for its own calls is. */
const concealing = (client: ClientRow): ClientRow => ({
  ...client,
  settings: { ...client.settings, PreventUserExistenceErrors: 'ENABLED' },
})

const confirmUser = get('/confirmUser', 'ConfirmUser_GET', (_call, { csrf, query }, { look }) => ({
  page: confirmPage({ look, csrf, username: short(query['username'], 128) }),
}))

const confirmUserPost = post('/confirmUser', 'ConfirmUser_POST', (call, { form, csrf }, { request, look }) => {
  const username = short(form['username'], 128)
  return orAgain(
    async () => {
      await confirm(call, request.pool, concealing(request.client), { username, code: short(form['code']).trim() })
      // The code proves the address, not the password.
      return {
        page: loginPage({
          look,
          csrf,
          nameLabel: nameLabel(request.pool),
          username,
          hasOwnUsers: true,
          canSignUp: false,
          providers: [],
          note: 'Your account is confirmed. You can sign in now.',
        }),
        formAction: sources(request),
      }
    },
    (failure) => ({ page: confirmPage({ look, csrf, username, failure }), status: 400 }),
  )
})

const resendPost = post('/resendcode', 'ResendCode_POST', (call, { form, csrf }, { request, look }) => {
  const username = short(form['username'], 128)
  return orAgain(
    async () => {
      const details = await resend(call, request.pool, concealing(request.client), username)
      return { page: confirmPage({ look, csrf, username, destination: details.Destination }) }
    },
    (failure) => ({ page: confirmPage({ look, csrf, username, failure }), status: 400 }),
  )
})

const forgot = get('/forgotPassword', 'ForgotPassword_GET', (_call, { csrf }, { request, look }) => ({
  page: forgotPage({ look, csrf, nameLabel: nameLabel(request.pool) }),
}))

const forgotPost = post('/forgotPassword', 'ForgotPassword_POST', (call, { form, csrf }, { request, look }) => {
  const username = short(form['username'], 128).trim()
  const again = (failure: string): WebAnswer => ({
    page: forgotPage({ look, csrf, nameLabel: nameLabel(request.pool), failure }),
    status: 400,
  })
  if (username === '') return again('Username is required.')
  return orAgain(async () => {
    const details = await startRecovery(call, request.pool, concealing(request.client), username)
    return { page: resetPage({ look, csrf, username, destination: details.Destination }) }
  }, again)
})

const resetPost = post(
  '/confirmForgotPassword',
  'ConfirmForgotPassword_POST',
  (call, { form, csrf }, { request, look }) => {
    const username = short(form['username'], 128)
    const again = (failure: string): WebAnswer => ({ page: resetPage({ look, csrf, username, failure }), status: 400 })
    if (form['password'] !== form['again']) return again('The two passwords differ.')
    return orAgain(async () => {
      await recover(call, request.pool, concealing(request.client), {
        username,
        code: short(form['code']).trim(),
        password: short(form['password'], 512),
      })
      return {
        page: loginPage({
          look,
          csrf,
          nameLabel: nameLabel(request.pool),
          username,
          hasOwnUsers: true,
          canSignUp: canSignUp(request.pool),
          providers: [],
          note: 'Your password is set. You can sign in with it now.',
        }),
        formAction: sources(request),
      }
    }, again)
  },
)

const logout: WebRoute = route<LoginClaims>({
  method: 'GET',
  path: '/logout',
  event: 'Logout_GET',
  authentication: 'optional-session',
  body: 'none',
  bodyBytesMax: 0,
  shown: ['client_id'],
  run: async (call, { path, query }) => {
    const pool = await poolOfPages(call, path)
    const client = await clientOfPages(call, pool, query['client_id'])
    const uri = query['logout_uri']
    if (uri !== undefined && !client.settings.LogoutURLs?.includes(uri))
      throw badRequest('The logout_uri is not registered for this client.')
    if (query['redirect_uri'] === undefined || uri !== undefined) {
      const claims = call.claims?.pool === pool.id ? call.claims : undefined
      const upstream = await signOutAddress(call, pool, claims?.provider, claims?.saml, uri)
      const redirect = upstream ?? uri
      if (redirect !== undefined) return { redirect, session: 'end' }
    }
    if (query['redirect_uri'] !== undefined) {
      try {
        const request = await readAuthorization(call, pool, query)
        return { redirect: `${baseOf(path)}/login?${request.query}`, session: 'end' }
      } catch (error) {
        return shownError(error)
      }
    }
    return { page: signedOutPage(plainLook(path, client.settings.ClientName)), session: 'end' }
  },
})

const style: WebRoute = route({
  method: 'GET',
  path: '/style.css',
  event: 'GetStyle',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path, query }) => {
    const pool = await poolOfPages(call, path)
    const ui = await uiOf(call.unit, pool, query['client_id'] ?? 'ALL')
    const own = ui?.css ? printRules(readCss(ui.css)) : ''
    return { file: `${STYLE}${own}`, contentType: 'text/css; charset=utf-8', cacheSeconds: 60 }
  },
})

export const loginRoutes: readonly WebRoute[] = [
  authorize,
  login,
  loginPost,
  challenge,
  signUp,
  signUpPost,
  confirmUser,
  confirmUserPost,
  resendPost,
  forgot,
  forgotPost,
  resetPost,
  logout,
  style,
]
