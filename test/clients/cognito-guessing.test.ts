/**
 * Guessing at user pools: passwords, codes, one-time passwords and device secrets, at all nodes at a time, and after a restart.
 * `npm run test:nodes` runs it on three nodes over one PostgreSQL.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  AssociateSoftwareTokenCommand,
  CognitoIdentityProviderClient,
  ConfirmDeviceCommand,
  ConfirmForgotPasswordCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeAt, stepAt } from '../../src/engines/totp/totp.ts'
import { srpClient } from '../../src/services/cognitoidp/user-pool.fixture.ts'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'

const PASSWORD = 'Sup3r-Secret-Pw!'
const spool = join(temporaryFolder(), 'mail')
const words = [...installation(), '--mail', `file://${spool}`]

let merlon: Running
let idp: CognitoIdentityProviderClient
let keys: { accessKeyId: string; secretAccessKey: string }
let UserPoolId: string
let ClientId: string

const connect = () => {
  idp = new CognitoIdentityProviderClient({
    endpoint: merlon.url,
    region: 'us-east-1',
    credentials: keys,
    maxAttempts: 1,
  })
}

beforeAll(async () => {
  mkdirSync(spool)
  merlon = await startMerlon(words)
  keys = merlon.accounts[0]!
  connect()
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({
      PoolName: 'people',
      AutoVerifiedAttributes: ['email'],
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false },
    }),
  )
  UserPoolId = UserPool!.Id!
  await idp.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: 'OPTIONAL',
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  )
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'app',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      AuthSessionValidity: 15,
    }),
  )
  ClientId = UserPoolClient!.ClientId!
}, 120_000)

afterAll(() => merlon?.stop())

async function person(Username: string): Promise<void> {
  const UserAttributes = [
    { Name: 'email', Value: `${Username}@corp.test` },
    { Name: 'email_verified', Value: 'true' },
  ]
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
}

const signIn = (USERNAME: string, password = PASSWORD, more: Record<string, string> = {}) =>
  idp.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME, PASSWORD: password, ...more },
    }),
  )

const respond = (
  ChallengeName: 'SOFTWARE_TOKEN_MFA' | 'DEVICE_SRP_AUTH' | 'DEVICE_PASSWORD_VERIFIER',
  Session: string,
  ChallengeResponses: Record<string, string>,
) => idp.send(new RespondToAuthChallengeCommand({ ClientId, ChallengeName, Session, ChallengeResponses }))

const bytesOf = (base32: string): Buffer => {
  const bits = [...base32]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

interface Secret {
  readonly guess: () => Promise<unknown>
  /** What the answer to a wrong guess is, and to one that is not compared. */
  readonly wrong: RegExp
  readonly refused: RegExp
}

const ATTEMPTS = /Attempt limit exceeded/

async function secrets(): Promise<Readonly<Record<string, Secret>>> {
  for (const name of ['ana', 'bea', 'cid', 'dan']) await person(name)
  await idp.send(new ForgotPasswordCommand({ ClientId, Username: 'bea' }))

  const AccessToken = (await signIn('cid')).AuthenticationResult!.AccessToken!
  const { SecretCode } = await idp.send(new AssociateSoftwareTokenCommand({ AccessToken }))
  const seed = bytesOf(SecretCode!)
  const UserCode = codeAt(seed, stepAt(Date.now()))
  await idp.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode }))
  const SoftwareTokenMfaSettings = { Enabled: true, PreferredMfa: true }
  await idp.send(new SetUserMFAPreferenceCommand({ AccessToken, SoftwareTokenMfaSettings }))
  const { Session: mfa } = await signIn('cid')

  const { AuthenticationResult } = await signIn('dan')
  const { DeviceKey, DeviceGroupKey } = AuthenticationResult!.NewDeviceMetadata!
  const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64')
  await idp.send(
    new ConfirmDeviceCommand({
      AccessToken: AuthenticationResult!.AccessToken,
      DeviceKey,
      DeviceSecretVerifierConfig: { PasswordVerifier: bytes(384), Salt: bytes(16) },
    }),
  )
  const DEVICE_KEY = DeviceKey!
  const client = srpClient()
  const named = { USERNAME: 'dan', DEVICE_KEY }
  const { Session: known } = await signIn('dan', PASSWORD, { DEVICE_KEY })
  const next = await respond('DEVICE_SRP_AUTH', known!, { ...named, SRP_A: client.SRP_A })
  const challenge = next.ChallengeParameters!
  const claim = () =>
    client.claim({ group: DeviceGroupKey!, user: DEVICE_KEY, password: 'x', challenge, now: Date.now() })
  const byDevice = () => respond('DEVICE_PASSWORD_VERIFIER', next.Session!, { ...named, ...claim() })
  return {
    password: {
      guess: () => signIn('ana', 'Wr0ng-Pw!'),
      wrong: /Incorrect username or password/,
      refused: /Password attempts exceeded/,
    },
    code: {
      guess: () =>
        idp.send(
          new ConfirmForgotPasswordCommand({
            ClientId,
            Username: 'bea',
            ConfirmationCode: '00000000',
            Password: PASSWORD,
          }),
        ),
      wrong: /Invalid verification code/,
      refused: ATTEMPTS,
    },
    'one-time password': {
      guess: () => respond('SOFTWARE_TOKEN_MFA', mfa!, { USERNAME: 'cid', SOFTWARE_TOKEN_MFA_CODE: UserCode }),
      wrong: /Invalid code received/,
      refused: ATTEMPTS,
    },
    'device secret': { guess: byDevice, wrong: /Incorrect username or password/, refused: ATTEMPTS },
  }
}

const answerTo = ({ guess }: Secret): Promise<string> =>
  guess().then(
    () => 'accepted',
    (error: Error) => error.message,
  )

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Guesses as often as it may, until a wrong answer has cost a wait of half a minute. */
async function exhaust(secret: Secret): Promise<void> {
  for (let compared = 6; compared < 11; ) {
    const answer = await answerTo(secret)
    if (secret.wrong.test(answer)) compared++
    else {
      expect(answer).toMatch(secret.refused)
      await sleep(200)
    }
  }
}

test('The budget holds for guesses at a time, on all nodes, and over a restart', async () => {
  const all = await secrets()
  for (const [name, secret] of Object.entries(all)) {
    const startedAt = Date.now()
    const answers = await Promise.all(Array.from({ length: 30 }, () => answerTo(secret)))
    const compared = answers.filter((each) => secret.wrong.test(each)).length
    // Five are free, and one begins the first wait, of a second; on a slow machine it may pass meanwhile.
    const waited = Math.floor((Date.now() - startedAt) / 1000)
    expect(compared, name).toBeGreaterThanOrEqual(6)
    expect(compared, name).toBeLessThanOrEqual(6 + Math.ceil(Math.log2(waited + 1)))
    expect(
      answers.filter((each) => !secret.wrong.test(each) && !secret.refused.test(each)),
      name,
    ).toEqual([])
  }
  await Promise.all(Object.values(all).map(exhaust))
  const exhaustedAt = Date.now()
  await merlon.stop()
  merlon = await startMerlon(words)
  connect()
  for (const [name, secret] of Object.entries(all)) {
    const answer = await answerTo(secret)
    // Where the restart took longer than the wait, one more guess is compared, not five: the next wait is twice as long.
    if (secret.wrong.test(answer)) expect(Date.now() - exhaustedAt, name).toBeGreaterThan(30_000)
    expect(secret.wrong.test(answer) ? await answerTo(secret) : answer, name).toMatch(secret.refused)
  }
  // The right one is not compared, either; other users sign in.
  await expect(signIn('ana')).rejects.toThrow('Password attempts exceeded')
  expect((await signIn('bea')).AuthenticationResult).toBeDefined()
}, 180_000)
