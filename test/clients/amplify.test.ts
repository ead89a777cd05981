/** `@aws-amplify/auth`, unmodified: the whole way of a person through an app. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Auth from '@aws-amplify/auth'
import { cognitoUserPoolsTokenProvider } from '@aws-amplify/auth/cognito'
import { Amplify } from '@aws-amplify/core'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { codeAt, stepAt } from '../../src/engines/totp/totp.ts'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'

const PASSWORD = 'Sup3r-Secret-Pw!'
const spool = join(temporaryFolder(), 'mail')

let merlon: Running
let idp: CognitoIdentityProviderClient
let ClientId: string

const items = new Map<string, string>()

// What Node 20 lacks of a browser: the library names devices by it.
vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' })

beforeAll(async () => {
  mkdirSync(spool)
  merlon = await startMerlon([...installation(), '--mail', `file://${spool}`])
  const { accessKeyId, secretAccessKey } = merlon.accounts[0]!
  idp = new CognitoIdentityProviderClient({
    endpoint: merlon.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  })
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({
      PoolName: 'people',
      AutoVerifiedAttributes: ['email'],
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false },
      Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
    }),
  )
  const UserPoolId = UserPool!.Id!
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
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
      PreventUserExistenceErrors: 'ENABLED',
    }),
  )
  ClientId = UserPoolClient!.ClientId!
  Amplify.configure(
    { Auth: { Cognito: { userPoolId: UserPoolId, userPoolClientId: ClientId, userPoolEndpoint: merlon.url } } },
    { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } },
  )
  cognitoUserPoolsTokenProvider.setAuthConfig(Amplify.getConfig().Auth!)
  cognitoUserPoolsTokenProvider.setKeyValueStorage({
    setItem: async (key, value) => void items.set(key, value),
    getItem: async (key) => items.get(key) ?? null,
    removeItem: async (key) => void items.delete(key),
    clear: async () => items.clear(),
  })
}, 120_000)

afterAll(() => merlon?.stop())

const seen = new Set<string>()

/** The code of a message that has come since the last look. */
async function codeFromSpool(): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const file = readdirSync(spool).find((name) => name.endsWith('.eml') && !seen.has(name))
    const code = file && /\b(\d{6,8})\b/.exec(readFileSync(join(spool, file), 'utf8').split(/\r?\n\r?\n/)[1] ?? '')?.[1]
    if (file) seen.add(file)
    if (code) return code
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('No message with a code has come.')
}

const bytesOf = (base32: string): Buffer => {
  const bits = [...base32]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

const stored = (name: string): string => [...items].find(([key]) => key.endsWith(`.${name}`))?.[1] ?? ''

test('sign-up, code, SRP, authenticator app, remembered device, rotation of refresh tokens, global sign-out', async () => {
  const username = 'ana'
  const { nextStep } = await Auth.signUp({
    username,
    password: PASSWORD,
    options: { userAttributes: { email: 'ana@corp.test' } },
  })
  expect(nextStep.signUpStep).toBe('CONFIRM_SIGN_UP')
  await Auth.confirmSignUp({ username, confirmationCode: await codeFromSpool() })
  await expect(Auth.signIn({ username, password: 'Wr0ng-Pw!' })).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })
  const first = await Auth.signIn({ username, password: PASSWORD })
  expect(first.isSignedIn).toBe(true)
  expect((await Auth.fetchUserAttributes()).email).toBe('ana@corp.test')

  const { sharedSecret } = await Auth.setUpTOTP()
  const seed = bytesOf(sharedSecret)
  await Auth.verifyTOTPSetup({ code: codeAt(seed, stepAt(Date.now())) })
  await Auth.updateMFAPreference({ totp: 'PREFERRED' })
  const devices = await Auth.fetchDevices()
  expect(devices).toHaveLength(1)
  await Auth.signOut()

  // The device proves itself in place of the authenticator app.
  expect((await Auth.signIn({ username, password: PASSWORD })).nextStep.signInStep).toBe('DONE')

  const old = stored('refreshToken')
  const before = (await Auth.fetchAuthSession()).tokens!.accessToken.toString()
  const renewed = (await Auth.fetchAuthSession({ forceRefresh: true })).tokens!.accessToken.toString()
  expect(renewed).not.toBe(before)
  expect(stored('refreshToken')).not.toBe(old)
  await expect(idp.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken: old }))).rejects.toMatchObject({
    name: 'RefreshTokenReuseException',
  })
  // A token that came twice ended its family.
  await expect(idp.send(new GetUserCommand({ AccessToken: renewed }))).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })
  items.clear()

  // A new device has to use the app.
  const challenged = await Auth.signIn({ username, password: PASSWORD })
  expect(challenged.nextStep.signInStep).toBe('CONFIRM_SIGN_IN_WITH_TOTP_CODE')
  // The step of the set-up is spent: the next one is within the clock's tolerance.
  await Auth.confirmSignIn({ challengeResponse: codeAt(seed, stepAt(Date.now()) + 1) })
  const AccessToken = (await Auth.fetchAuthSession()).tokens!.accessToken.toString()
  await Auth.signOut({ global: true })
  await expect(idp.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({ name: 'NotAuthorizedException' })
}, 60_000)

test('USER_AUTH: a code by mail, and the password by SRP', async () => {
  items.clear()
  const username = 'bea'
  await Auth.signUp({ username, password: PASSWORD, options: { userAttributes: { email: 'bea@corp.test' } } })
  await Auth.confirmSignUp({ username, confirmationCode: await codeFromSpool() })
  const options = { authFlowType: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' } as const
  const { nextStep } = await Auth.signIn({ username, options })
  expect(nextStep.signInStep).toBe('CONFIRM_SIGN_IN_WITH_EMAIL_CODE')
  expect((await Auth.confirmSignIn({ challengeResponse: await codeFromSpool() })).isSignedIn).toBe(true)
  await Auth.signOut()
  const choice = await Auth.signIn({ username, options: { authFlowType: 'USER_AUTH' } })
  expect(choice.nextStep.signInStep).toBe('CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION')
  await Auth.confirmSignIn({ challengeResponse: 'PASSWORD_SRP' })
  expect((await Auth.confirmSignIn({ challengeResponse: PASSWORD })).isSignedIn).toBe(true)
  await Auth.signOut()
}, 60_000)
