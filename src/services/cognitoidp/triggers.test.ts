/**
 * Lambda triggers: what a pool's functions may change and refuse, and which errors users get where they fail. The
 * functions are a mock.
 */
import {
  AdminGetUserCommand,
  ConfirmSignUpCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import { arnOf, type Event, type TriggerFunction, withFunctions } from './triggers.fixture.ts'
import { PASSWORD, type PoolFixture, signInBySrp } from './user-pool.fixture.ts'

const withResponse =
  (response: object | ((event: Event) => object)): TriggerFunction =>
  (event) => ({
    ...event,
    response: { ...event.response, ...(typeof response === 'function' ? response(event) : response) },
  })

const signUp = ({ idp, ClientId }: PoolFixture, Username: string) =>
  idp.send(
    new SignUpCommand({
      ClientId,
      Username,
      Password: PASSWORD,
      UserAttributes: [{ Name: 'email', Value: `${Username}@corp.test` }],
      ClientMetadata: { from: 'test' },
    }),
  )

const claimsOf = (token: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString())

test('Functions confirm, word the message, refuse a sign-in, and change the tokens', async () => {
  const it = await withFunctions({
    presignup: withResponse((event) =>
      event.userName === 'bot'
        ? {}
        : { autoConfirmUser: event.userName === 'ana', autoVerifyEmail: event.userName === 'ana' },
    ),
    message: withResponse({ emailSubject: 'Hello', emailMessage: 'Dear {username}, enter {####}.' }),
    confirmed: withResponse({}),
    before: (event) => {
      if (event.userName === 'bea') throw new Error('Not today.')
      return event
    },
    tokens: withResponse({
      claimsAndScopeOverrideDetails: {
        idTokenGeneration: {
          claimsToAddOrOverride: { tenant: 'blue', sub: 'forged', aud: 'forged' },
          claimsToSuppress: ['email'],
        },
        accessTokenGeneration: { claimsToAddOrOverride: { plan: 'gold' }, scopesToAdd: ['orders/read'] },
        groupOverrideDetails: { groupsToOverride: ['guests'] },
      },
    }),
  })
  await it.configure({
    PreSignUp: arnOf('presignup'),
    CustomMessage: arnOf('message'),
    PostConfirmation: arnOf('confirmed'),
    PreAuthentication: arnOf('before'),
    PreTokenGenerationConfig: { LambdaVersion: 'V2_0', LambdaArn: arnOf('tokens') },
  })
  expect(await signUp(it, 'ana')).toMatchObject({ UserConfirmed: true })
  expect(it.calls.map(({ triggerSource }) => triggerSource)).toEqual([
    'PreSignUp_SignUp',
    'PostConfirmation_ConfirmSignUp',
  ])
  expect(it.calls[0]).toMatchObject({
    version: '1',
    userPoolId: it.UserPoolId,
    region: 'us-east-1',
    callerContext: { clientId: it.ClientId },
    request: { userAttributes: { email: 'ana@corp.test' }, clientMetadata: { from: 'test' } },
  })
  const { AuthenticationResult: tokens } = await signInBySrp(it, { username: 'ana' })
  const id = claimsOf(tokens!.IdToken)
  expect(id).toMatchObject({ tenant: 'blue', aud: it.ClientId, 'cognito:groups': ['guests'] })
  expect(id['email']).toBeUndefined()
  expect(id['sub']).not.toBe('forged')
  expect(claimsOf(tokens!.AccessToken)).toMatchObject({
    plan: 'gold',
    scope: 'aws.cognito.signin.user.admin orders/read',
  })

  await signUp(it, 'bea')
  const code = await it.codeFor('bea@corp.test')
  expect(it.mailer.delivered().at(-1)).toMatchObject({ subject: 'Hello', text: `Dear bea, enter ${code}.` })
  await it.idp.send(new ConfirmSignUpCommand({ ClientId: it.ClientId, Username: 'bea', ConfirmationCode: code }))
  await expect(signInBySrp(it, { username: 'bea' })).rejects.toMatchObject({
    name: 'UserLambdaValidationException',
    message: 'PreAuthentication failed with error Not today.',
  })
}, 60_000)

test('Functions that fail, are missing or answer nonsense are distinguished, and nothing is kept', async () => {
  const it = await withFunctions({
    refusing: () => {
      throw new Error('Only colleagues.')
    },
    nonsense: () => 'not json',
    empty: () => '{}',
  })
  for (const [name, error, message] of [
    ['refusing', 'UserLambdaValidationException', 'PreSignUp failed with error Only colleagues.'],
    ['nonsense', 'InvalidLambdaResponseException', 'Invalid lambda function output : Invalid JSON'],
    ['empty', 'InvalidLambdaResponseException', 'Invalid lambda function output : Response is missing'],
    ['missing', 'UnexpectedLambdaException', 'PreSignUp invocation failed due to ResourceNotFoundException.'],
  ] as const) {
    await it.configure({ PreSignUp: arnOf(name) })
    await expect(signUp(it, 'ana')).rejects.toMatchObject({ name: error, message })
  }
  await expect(
    it.idp.send(new AdminGetUserCommand({ UserPoolId: it.UserPoolId, Username: 'ana' })),
  ).rejects.toMatchObject({
    name: 'UserNotFoundException',
  })
  const closed = await withFunctions(
    { presignup: withResponse({}) },
    allowing({ Principal: { Service: 's3.amazonaws.com' }, Action: 'lambda:*', Resource: '*' }),
  )
  await closed.configure({ PreSignUp: arnOf('presignup') })
  await expect(signUp(closed, 'ana')).rejects.toMatchObject({
    message: expect.stringMatching(/^PreSignUp invocation failed due to AccessDenied/),
  })
  expect(closed.calls).toEqual([])
}, 60_000)

test('Custom authentication prompts, is answered, and ends as its functions say', async () => {
  const it = await withFunctions({
    presignup: withResponse({ autoConfirmUser: true }),
    define: withResponse(({ request: { session } }) => {
      const last = session.at(-1)
      if (!last) return { challengeName: 'CUSTOM_CHALLENGE' }
      if (last.challengeResult) return { issueTokens: true }
      return session.length >= 2 ? { failAuthentication: true } : { challengeName: 'CUSTOM_CHALLENGE' }
    }),
    create: withResponse({
      publicChallengeParameters: { question: '6 × 7' },
      privateChallengeParameters: { answer: '42' },
      challengeMetadata: 'SUM',
    }),
    verify: withResponse(({ request }) => ({
      answerCorrect: request.challengeAnswer === request.privateChallengeParameters.answer,
    })),
  })
  await it.configure({
    PreSignUp: arnOf('presignup'),
    DefineAuthChallenge: arnOf('define'),
    CreateAuthChallenge: arnOf('create'),
    VerifyAuthChallengeResponse: arnOf('verify'),
  })
  await signUp(it, 'ana')
  const start = () =>
    it.idp.send(
      new InitiateAuthCommand({ ClientId: it.ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME: 'ana' } }),
    )
  const answer = (Session: string | undefined, ANSWER: string) =>
    it.idp.send(
      new RespondToAuthChallengeCommand({
        ClientId: it.ClientId,
        ChallengeName: 'CUSTOM_CHALLENGE',
        Session,
        ChallengeResponses: { USERNAME: 'ana', ANSWER },
      }),
    )
  const first = await start()
  expect(first.ChallengeName).toBe('CUSTOM_CHALLENGE')
  // The private parameters are not among them.
  expect(first.ChallengeParameters).toEqual({ question: '6 × 7', USERNAME: 'ana' })
  const second = await answer(first.Session, '41')
  expect(second.ChallengeName).toBe('CUSTOM_CHALLENGE')
  expect((await answer(second.Session, '42')).AuthenticationResult).toBeDefined()
  await expect(answer(second.Session, '42')).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  const again = await start()
  await expect(answer((await answer(again.Session, '1')).Session, '2')).rejects.toMatchObject({
    message: 'Incorrect username or password.',
  })
}, 60_000)

test('A user of another directory is taken over at the first sign-in, and for a forgotten password', async () => {
  const it = await withFunctions({
    migrate: withResponse(({ userName, request, triggerSource }: Event & { userName: string }) => {
      const isSignIn = triggerSource === 'UserMigration_Authentication'
      if (userName !== 'old' && userName !== 'older') throw new Error('unknown')
      if (isSignIn && request.password !== PASSWORD) throw new Error('wrong')
      return {
        userAttributes: { email: `${userName}@corp.test`, email_verified: 'true' },
        finalUserStatus: isSignIn ? 'CONFIRMED' : 'RESET_REQUIRED',
        messageAction: 'SUPPRESS',
      }
    }),
  })
  await it.configure({ UserMigration: arnOf('migrate') })
  const signIn = (USERNAME: string, password = PASSWORD) =>
    it.idp.send(
      new InitiateAuthCommand({
        ClientId: it.ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME, PASSWORD: password },
      }),
    )
  await expect(signIn('old', 'Wr0ng-Pw!')).rejects.toMatchObject({ name: 'UserNotFoundException' })
  expect((await signIn('old')).AuthenticationResult).toBeDefined()
  const calls = it.calls.length
  expect((await signInBySrp(it, { username: 'old' })).AuthenticationResult).toBeDefined()
  expect(it.calls.length).toBe(calls)
  await it.idp.send(new ForgotPasswordCommand({ ClientId: it.ClientId, Username: 'older' }))
  expect(await it.codeFor('older@corp.test')).toMatch(/^\d{6}$/)
}, 60_000)
