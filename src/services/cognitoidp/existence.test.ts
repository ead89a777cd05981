/**
 * Twelve requests about a user that exists and about one that does not have the same answer, whatever threat protection records
 * meanwhile. That they take the same time is measured by `node bench/cognito.mjs existence`.
 */
import {
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  CreateUserPoolDomainCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { Browser } from '../signin/browser.fixture.ts'
import { PASSWORD, type PoolFixture, poolFixture, signInBySrp, srpClient } from './user-pool.fixture.ts'

const HOST = 'people.auth.us-east-1.amazoncognito.com'
const CALLBACK = 'https://app.corp.test/callback'
const WRONG = 'Wr0ng-Pw!'

/** Members whose values are part of the answer's meaning; the values of others differ for every name. */
const TELLING = [
  'ChallengeName',
  'AvailableChallenges',
  'DeliveryMedium',
  'AttributeName',
  'CODE_DELIVERY_DELIVERY_MEDIUM',
]

/** Members that carry sealed state, whose length would show what is in it. */
const SEALED = ['Session', 'SECRET_BLOCK']

const meaningOf = (answer: object): string =>
  JSON.stringify(answer, (name, value) => {
    if (typeof value !== 'string' || TELLING.includes(name) || /^\d+$/.test(name)) return value
    return SEALED.includes(name) ? `${value.length} characters` : 'text'
  })

async function answerOf(send: () => Promise<object>): Promise<string> {
  try {
    const { $metadata, ...answer } = (await send()) as { $metadata: object }
    return meaningOf(answer)
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

/** The text that a page shows, without what is random or carried. */
const shownOn = (text: string, name: string): string =>
  text
    .replaceAll(name, 'NAME')
    .replace(/value="[^"]*"/g, 'value')
    .replace(/\b\w\*\*\*@\w\*\*\*/g, 'ADDRESS')

function requests(it: PoolFixture, Username: string): Readonly<Record<string, () => Promise<string>>> {
  const { idp, ClientId } = it
  const initiate = (
    AuthFlow: 'USER_AUTH' | 'USER_PASSWORD_AUTH' | 'USER_SRP_AUTH',
    more: Record<string, string> = {},
  ) => idp.send(new InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters: { USERNAME: Username, ...more } }))
  const page = async (path: string, action: string, fields: Record<string, string>): Promise<string> => {
    const browser = new Browser(it, HOST)
    const query = new URLSearchParams({
      client_id: ClientId,
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid',
      ...(path === '/confirmUser' && { username: Username }),
    })
    await browser.open(`${path}?${query}`)
    const { status, text } = await browser.submit(action, fields)
    return `${status} ${shownOn(text, Username)}`
  }
  const byCode = async () => {
    const { Session } = await initiate('USER_AUTH', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    return idp.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: 'EMAIL_OTP',
        Session,
        ChallengeResponses: { USERNAME: Username, EMAIL_OTP_CODE: '00000000' },
      }),
    )
  }
  const confirmation = { ClientId, Username, ConfirmationCode: '000000' }
  return {
    'a password': () => answerOf(() => initiate('USER_PASSWORD_AUTH', { PASSWORD: WRONG })),
    'the first step of SRP': () => answerOf(() => initiate('USER_SRP_AUTH', { SRP_A: srpClient().SRP_A })),
    'the second step of SRP': () => answerOf(() => signInBySrp(it, { username: Username, password: WRONG })),
    'the choice of a factor': () => answerOf(() => initiate('USER_AUTH')),
    'a code as the first factor': () => answerOf(() => initiate('USER_AUTH', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })),
    'a wrong code': () => answerOf(byCode),
    ForgotPassword: () => answerOf(() => idp.send(new ForgotPasswordCommand({ ClientId, Username }))),
    ConfirmForgotPassword: () =>
      answerOf(() => idp.send(new ConfirmForgotPasswordCommand({ ...confirmation, Password: PASSWORD }))),
    ConfirmSignUp: () => answerOf(() => idp.send(new ConfirmSignUpCommand(confirmation))),
    ResendConfirmationCode: () => answerOf(() => idp.send(new ResendConfirmationCodeCommand({ ClientId, Username }))),
    'the sign-in page': () => page('/login', '/login', { username: Username, password: WRONG }),
    'the page for a forgotten password': () => page('/forgotPassword', '/forgotPassword', { username: Username }),
  }
}

test.each(['OFF', 'ENFORCED'] as const)(
  'A user that exists and one that does not, with threat protection %s',
  async (mode) => {
    const it = await poolFixture(
      {
        UserPoolAddOns: { AdvancedSecurityMode: mode },
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
      },
      {
        PreventUserExistenceErrors: 'ENABLED',
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['code'],
        AllowedOAuthScopes: ['openid'],
        CallbackURLs: [CALLBACK],
      },
    )
    const { idp, UserPoolId, ClientId } = it
    await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
    const signUp = async (Username: string) => {
      const UserAttributes = [{ Name: 'email', Value: `${Username}@corp.test` }]
      await idp.send(new SignUpCommand({ ClientId, Username, Password: PASSWORD, UserAttributes }))
      const ConfirmationCode = await it.codeFor(`${Username}@corp.test`)
      await idp.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode }))
    }
    await signUp('ana')
    const known = requests(it, 'ana')
    const unknown = requests(it, 'bob')
    expect(Object.keys(known)).toHaveLength(12)
    for (const [what, request] of Object.entries(known)) {
      const [right, wrong] = [await request(), await unknown[what]!()]
      expect(wrong, what).toBe(right)
      // What was compared is an answer of the operation, not a refusal before it.
      expect(right, what).not.toMatch(/InvalidParameter|not enabled/)
    }
  },
)
