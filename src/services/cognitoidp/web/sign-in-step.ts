/** One step of a sign-in at the pages: it leads to the page of the next one, or back to the app. */
import { qrCodePng } from '../../../engines/qr-code/qr-code.ts'
import type { WebAnswer, WebInput } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { openState } from '../challenge-state.ts'
import { startTotp } from '../mfa.ts'
import { at } from '../resources.ts'
import { assertNotBlocked } from '../risk.ts'
import type { SignIn, SignInAnswer } from '../sign-in.ts'
import type { UserRow } from '../user-rows.ts'
import { claimsOf, completed, nameLabel, type Open, OWN_USERS, sources, type Visit, WRONG } from './page-request.ts'
import { challengePage, confirmPage, forgotPage } from './pages.ts'

/** One step of a sign-in, to its page or to the app. `again` shows the form with what was wrong. */
export async function step(
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
