/** Managed login: the pages on which people sign in and out, and the way back to the app. */
import { randomUUID } from 'node:crypto'
import { qrCodePng } from '../../../engines/qr-code/qr-code.ts'
import { route, type WebAnswer, type WebInput, type WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { readCss, uiOf } from '../branding.ts'
import { openState, sealState } from '../challenge-state.ts'
import { respond } from '../challenges.ts'
import { signInWithPassword } from '../first-factor.ts'
import { completeTotp, startTotp } from '../mfa.ts'
import { at } from '../resources.ts'
import { assertNotBlocked } from '../risk.ts'
import { preAuthentication, type SignIn, type SignInAnswer } from '../sign-in.ts'
import { findUser, type UserRow } from '../user-rows.ts'
import { accountRoutes } from './account-pages.ts'
import { answerAddress, badRequest, clientOfPages, poolOfPages, readAuthorization } from './authorization-request.ts'
import type { LoginClaims } from './login-session.ts'
import {
  accepts,
  baseOf,
  canSignUp,
  claimsOf,
  completed,
  get,
  loginSources,
  nameLabel,
  type Open,
  OWN_USERS,
  plainLook,
  post,
  providersOf,
  sessionFor,
  short,
  shownError,
  sources,
  type Visit,
  WRONG,
} from './page-request.ts'
import { challengePage, confirmPage, forgotPage, loginPage, printRules, STYLE, signedOutPage } from './pages.ts'
import { signOutAddress } from './saml.ts'

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
  ...accountRoutes,
  logout,
  style,
]
