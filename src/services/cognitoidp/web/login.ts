/** Managed login: the pages on which people sign in and out, and the way back to the app. */
import { randomUUID } from 'node:crypto'
import { route, type WebAnswer, type WebRoute } from '../../../kernel/web/site.ts'
import { openState, sealState } from '../challenge-state.ts'
import { respond } from '../challenges.ts'
import { signInWithPassword } from '../first-factor.ts'
import { completeTotp } from '../mfa.ts'
import { offersPasskeys } from '../passkeys.ts'
import { at } from '../resources.ts'
import { preAuthentication } from '../sign-in.ts'
import { findUser, type UserRow } from '../user-rows.ts'
import { accountRoutes } from './account-pages.ts'
import { answerAddress, badRequest, clientOfPages, poolOfPages, readAuthorization } from './authorization-request.ts'
import type { LoginClaims } from './login-session.ts'
import {
  accepts,
  baseOf,
  canSignUp,
  completed,
  get,
  loginSources,
  nameLabel,
  OWN_USERS,
  plainLook,
  post,
  providersOf,
  sessionFor,
  short,
  shownError,
  sources,
  WRONG,
} from './page-request.ts'
import { challengePage, loginPage, signedOutPage } from './pages.ts'
import { passkeyRoutes } from './passkey-pages.ts'
import { signOutAddress } from './saml.ts'
import { step } from './sign-in-step.ts'
import { styleRoutes } from './style-routes.ts'

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
        hasPasskeys: offersPasskeys(request.pool),
        providers: providers.map(({ name, type }) => ({ name, isSocial: type !== 'SAML' && type !== 'OIDC' })),
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
      hasPasskeys: offersPasskeys(request.pool),
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
    return { page: signedOutPage(plainLook(path, client.settings.ClientName, query['lang'])), session: 'end' }
  },
})

export const loginRoutes: readonly WebRoute[] = [
  authorize,
  login,
  loginPost,
  challenge,
  ...accountRoutes,
  ...passkeyRoutes,
  logout,
  ...styleRoutes,
]
