/** Managed login: the pages on which people sign up, confirm an address, and set a new password. */
import type { WebAnswer, WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { recover, startRecovery } from '../forgot-password.ts'
import type { ClientRow, PoolRow } from '../resources.ts'
import { confirm, register, resend } from '../sign-up.ts'
import { badRequest } from './authorization-request.ts'
import { canSignUp, claimsOf, completed, get, nameLabel, OWN_USERS, post, short, sources } from './page-request.ts'
import { confirmPage, forgotPage, loginPage, resetPage, signUpPage } from './pages.ts'

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

export const accountRoutes: readonly WebRoute[] = [
  signUp,
  signUpPost,
  confirmUser,
  confirmUserPost,
  resendPost,
  forgot,
  forgotPost,
  resetPost,
]
