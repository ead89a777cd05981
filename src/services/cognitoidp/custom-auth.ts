/** CUSTOM_AUTH: the pool's functions define the challenges, create them and verify the answers. */
import { type CustomRound, type SignInState, spend } from './challenge-state.ts'
import { passwordVerifier } from './first-factor.ts'
import { cognito, notAuthorized } from './resources.ts'
import { afterFirstFactor } from './second-factor.ts'
import { countAnswer } from './secret-answer.ts'
import { challenged, type Parameters, type Person, required, type SignIn, type SignInAnswer } from './sign-in.ts'
import { functionOf, trigger } from './triggers.ts'
import type { UserRow } from './user-rows.ts'

/** Rounds of one sign-in: what a function that never ends may cost. */
const ROUNDS_MAX = 25

const wrong = () => notAuthorized('Incorrect username or password.')

interface Challenge {
  readonly user: UserRow | undefined
  readonly login: string
}

const common = (of: SignIn, { user, login }: Challenge) => ({
  userName: user?.username ?? login,
  clientId: of.client.id,
  user,
})

/** The next step according to DefineAuthChallenge: a challenge, tokens, or an end. */
export async function nextCustom(
  of: SignIn,
  person: Person,
  rounds: readonly CustomRound[],
  parameters: Parameters = {},
): Promise<SignInAnswer> {
  const { call, pool, clientMetadata } = of
  const { user, login } = person
  if (functionOf(pool, 'DefineAuthChallenge') === undefined)
    throw cognito.fail('InvalidLambdaResponseException', 'The user pool has no DefineAuthChallenge function.')
  if (rounds.length >= ROUNDS_MAX) throw wrong()
  const shared = {
    session: rounds,
    clientMetadata: clientMetadata ?? {},
    ...(!user && { userAttributes: {}, userNotFound: true }),
  }
  const defined = await trigger(call, pool, 'DefineAuthChallenge', {
    ...common(of, { user, login }),
    source: 'DefineAuthChallenge_Authentication',
    request: shared,
    response: { challengeName: null, issueTokens: null, failAuthentication: null },
  })
  if (defined?.['failAuthentication'] === true) throw wrong()
  if (defined?.['issueTokens'] === true) {
    if (!user) throw wrong()
    // Users that may not sign in, do not: whatever the function says.
    return afterFirstFactor(of, person, { factor: 'CUSTOM' })
  }
  const name = defined?.['challengeName']
  if (name === 'PASSWORD_VERIFIER' || name === 'SRP_A')
    return passwordVerifier(of, person, parameters, { isCustom: true, custom: { rounds, secrets: {} } })
  if (name !== 'CUSTOM_CHALLENGE')
    throw cognito.fail('InvalidLambdaResponseException', 'Invalid lambda function output : challengeName is missing')
  const created = await trigger(call, pool, 'CreateAuthChallenge', {
    ...common(of, { user, login }),
    source: 'CreateAuthChallenge_Authentication',
    request: { ...shared, challengeName: name },
    response: { publicChallengeParameters: null, privateChallengeParameters: null, challengeMetadata: null },
  })
  const metadata = created?.['challengeMetadata']
  return challenged(
    of,
    person,
    'CUSTOM_CHALLENGE',
    { ...texts(created?.['publicChallengeParameters']), USERNAME: user?.username ?? login },
    {
      isCustom: true,
      custom: {
        rounds: [
          ...rounds,
          {
            challengeName: name,
            challengeResult: false,
            challengeMetadata: typeof metadata === 'string' ? metadata : null,
          },
        ],
        secrets: texts(created?.['privateChallengeParameters']),
      },
    },
  )
}

/** The answer to a custom challenge, as VerifyAuthChallengeResponse evaluates it. */
export async function answerCustom(
  of: SignIn,
  person: Person,
  state: SignInState,
  parameters: Parameters,
): Promise<SignInAnswer> {
  const { call, pool, clientMetadata } = of
  const { user, login } = person
  const { rounds = [], secrets = {} } = state.custom ?? {}
  const verified = await trigger(call, pool, 'VerifyAuthChallengeResponse', {
    ...common(of, { user, login }),
    source: 'VerifyAuthChallengeResponse_Authentication',
    request: {
      privateChallengeParameters: secrets,
      challengeAnswer: required(parameters, 'ANSWER'),
      clientMetadata: clientMetadata ?? {},
      ...(!user && { userAttributes: {}, userNotFound: true }),
    },
    response: { answerCorrect: false },
  })
  const isCorrect = await countAnswer(of, person, 'custom', verified?.['answerCorrect'] === true)
  spend(call, state)
  const last = rounds.at(-1)!
  return nextCustom(of, person, [...rounds.slice(0, -1), { ...last, challengeResult: isCorrect }], parameters)
}

const texts = (value: unknown): Record<string, string> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
      )
    : {}
