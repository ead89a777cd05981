/** Sign-up, sign-in in every flow, second factors, devices and tokens, as an app and its users see them. */
import { createPublicKey, verify } from 'node:crypto'
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminSetUserPasswordCommand,
  AssociateSoftwareTokenCommand,
  ChangePasswordCommand,
  ConfirmDeviceCommand,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  ForgotPasswordCommand,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  SignUpCommand,
  UpdateDeviceStatusCommand,
  UpdateUserAttributesCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, test } from 'vitest'
import { newVerifier } from '../../engines/srp/srp.ts'
import { codeAt, stepAt } from '../../engines/totp/totp.ts'
import { poolById } from './resources.ts'
import { secretHash } from './secret-hash.ts'
import { PASSWORD, type PoolFixture, poolFixture, signInBySrp, srpClient } from './user-pool.fixture.ts'

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

const signUp = async ({ idp, ClientId, codeFor }: PoolFixture, Username: string) => {
  const email = `${Username}@corp.test`
  const { UserSub } = await idp.send(
    new SignUpCommand({ ClientId, Username, Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: email }] }),
  )
  await idp.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode: await codeFor(email) }))
  return UserSub!
}

const bytesOf = (base32: string): Buffer => {
  const bits = [...base32]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

describe('A user of a pool', () => {
  test('signs up, confirms the code, signs in by SRP, refreshes, and signs out of everything', async () => {
    const it = await poolFixture()
    const { idp, ClientId, UserPoolId } = it
    const sub = await signUp(it, 'ana')

    const { AuthenticationResult: tokens } = await signInBySrp(it, { username: 'ana' })
    expect(claimsOf(tokens!.IdToken!)).toMatchObject({
      sub,
      aud: ClientId,
      iss: `https://cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`,
      token_use: 'id',
      'cognito:username': 'ana',
      email: 'ana@corp.test',
      email_verified: true,
    })
    expect(claimsOf(tokens!.AccessToken!)).toMatchObject({
      sub,
      client_id: ClientId,
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      username: 'ana',
      version: 2,
    })
    const pool = (await poolById(it.store.reader, UserPoolId))!
    for (const [index, token] of [tokens!.IdToken!, tokens!.AccessToken!].entries()) {
      const [header, payload, signature] = token.split('.') as [string, string, string]
      const key = createPublicKey({ key: pool.keys[index]!.jwk as never, format: 'jwk' })
      expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
    }

    const refreshed = await idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: tokens!.RefreshToken! },
      }),
    )
    expect(refreshed.AuthenticationResult).toMatchObject({ AccessToken: expect.any(String), ExpiresIn: 3600 })
    expect(refreshed.AuthenticationResult!.RefreshToken).toBeUndefined()

    await idp.send(new GlobalSignOutCommand({ AccessToken: refreshed.AuthenticationResult!.AccessToken }))
    for (const AccessToken of [tokens!.AccessToken, refreshed.AuthenticationResult!.AccessToken])
      await expect(idp.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
        name: 'NotAuthorizedException',
        message: 'Access Token has been revoked',
      })
    await expect(
      idp.send(
        new InitiateAuthCommand({
          ClientId,
          AuthFlow: 'REFRESH_TOKEN_AUTH',
          AuthParameters: { REFRESH_TOKEN: tokens!.RefreshToken! },
        }),
      ),
    ).rejects.toMatchObject({ name: 'NotAuthorizedException', message: 'Refresh Token has been revoked' })
  })

  test('spends both the session and the block of SRP with one answer', async () => {
    const it = await poolFixture()
    const { idp, ClientId, UserPoolId } = it
    await signUp(it, 'ana')
    const client = srpClient()
    const begin = () =>
      idp.send(
        new InitiateAuthCommand({
          ClientId,
          AuthFlow: 'USER_SRP_AUTH',
          AuthParameters: { USERNAME: 'ana', SRP_A: client.SRP_A },
        }),
      )
    const answer = (by: Awaited<ReturnType<typeof begin>>, Session: string | undefined) => {
      const challenge = by.ChallengeParameters!
      const group = UserPoolId.split('_')[1]!
      const claim = client.claim({ group, user: 'ana', password: PASSWORD, challenge, now: it.clock.now() })
      return idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'PASSWORD_VERIFIER',
          Session,
          ChallengeResponses: { USERNAME: 'ana', ...claim },
        }),
      )
    }
    const [first, second, third] = [await begin(), await begin(), await begin()]
    expect((await answer(first, first.Session)).AuthenticationResult).toBeDefined()
    // The block alone, the session with another block, and both of them again.
    for (const [block, session] of [
      [first, undefined],
      [second, first.Session],
      [first, first.Session],
    ] as const)
      await expect(answer(block, session)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    // A block and a session of two beginnings are both spent.
    expect((await answer(second, third.Session)).AuthenticationResult).toBeDefined()
    for (const [block, session] of [
      [second, undefined],
      [third, third.Session],
    ] as const)
      await expect(answer(block, session)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  })

  test('is refused with a wrong password, then locked out for a time, and let in again', async () => {
    const it = await poolFixture()
    await signUp(it, 'ana')
    for (let n = 0; n < 6; n++)
      await expect(signInBySrp(it, { username: 'ana', password: 'Wr0ng-Password!' })).rejects.toMatchObject({
        name: 'NotAuthorizedException',
        message: 'Incorrect username or password.',
      })
    await expect(signInBySrp(it, { username: 'ana' })).rejects.toMatchObject({ message: 'Password attempts exceeded' })
    await it.pass(2_000)
    expect((await signInBySrp(it, { username: 'ana' })).AuthenticationResult).toBeDefined()
  })

  test('signs in twenty times at once, by password and by SRP, and has all of the budget of wrong ones left', async () => {
    const it = await poolFixture()
    await signUp(it, 'ana')
    const AuthParameters = { USERNAME: 'ana', PASSWORD }
    const byPassword = () =>
      it.idp.send(new InitiateAuthCommand({ ClientId: it.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }))
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_each, n) => (n % 2 ? byPassword() : signInBySrp(it, { username: 'ana' }))),
    )
    expect(answers.filter(({ AuthenticationResult }) => AuthenticationResult?.AccessToken)).toHaveLength(20)

    // At a time, so that no wait is over before the last of them.
    const wrong = Array.from({ length: 7 }, () => signInBySrp(it, { username: 'ana', password: 'Wr0ng-Pw!' }))
    const refusals = await Promise.all(wrong.map((each) => each.catch((error: Error) => error.message)))
    expect(refusals.toSorted()).toEqual([
      ...Array.from({ length: 6 }, () => 'Incorrect username or password.'),
      'Password attempts exceeded',
    ])
    expect(await it.metrics()).toEqual(
      expect.arrayContaining([
        'merlon_user_pool_sign_ins_total{result="success"} 20',
        'merlon_user_pool_sign_ins_total{result="wrong"} 6',
        'merlon_user_pool_sign_ins_total{result="refused"} 1',
        'merlon_user_pool_tokens_total{source="Authentication"} 20',
        'merlon_user_pool_messages_total{kind="sign-up",medium="EMAIL"} 1',
      ]),
    )
  })

  test('proves a code of six digits, not a guess', async () => {
    const it = await poolFixture()
    const { idp, ClientId } = it
    await idp.send(
      new SignUpCommand({
        ClientId,
        Username: 'ana',
        Password: PASSWORD,
        UserAttributes: [{ Name: 'email', Value: 'ana@corp.test' }],
      }),
    )
    await expect(signInBySrp(it, { username: 'ana' })).rejects.toMatchObject({ name: 'UserNotConfirmedException' })
    const code = await it.codeFor('ana@corp.test')
    const wrong = code === '000000' ? '000001' : '000000'
    const confirm = (ConfirmationCode: string) =>
      idp.send(new ConfirmSignUpCommand({ ClientId, Username: 'ana', ConfirmationCode }))
    for (let n = 0; n < 6; n++) await expect(confirm(wrong)).rejects.toMatchObject({ name: 'CodeMismatchException' })
    await expect(confirm(code)).rejects.toMatchObject({ name: 'LimitExceededException' })
    await it.pass(2_000)
    await confirm(code)
  })

  test('recovers a forgotten password, and no earlier one where the pool remembers them', async () => {
    const it = await poolFixture({
      Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 2 } },
    })
    const { idp, ClientId } = it
    await signUp(it, 'ana')
    const forgot = () => idp.send(new ForgotPasswordCommand({ ClientId, Username: 'ana' }))
    const reset = async (Password: string) =>
      idp.send(
        new ConfirmForgotPasswordCommand({
          ClientId,
          Username: 'ana',
          Password,
          ConfirmationCode: await it.codeFor('ana@corp.test'),
        }),
      )

    expect((await forgot()).CodeDeliveryDetails).toEqual({
      AttributeName: 'email',
      DeliveryMedium: 'EMAIL',
      Destination: 'a***@c***',
    })
    await expect(reset('short')).rejects.toMatchObject({
      name: 'InvalidPasswordException',
      message: 'Password did not conform with policy: Password not long enough',
    })
    await expect(reset(PASSWORD)).rejects.toMatchObject({ name: 'PasswordHistoryPolicyViolationException' })
    await reset('An0ther-Secret!')
    await expect(signInBySrp(it, { username: 'ana' })).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    const { AuthenticationResult } = await signInBySrp(it, { username: 'ana', password: 'An0ther-Secret!' })
    await idp.send(
      new ChangePasswordCommand({
        AccessToken: AuthenticationResult!.AccessToken,
        PreviousPassword: 'An0ther-Secret!',
        ProposedPassword: 'Th1rd-Secret!',
      }),
    )
    expect((await signInBySrp(it, { username: 'ana', password: 'Th1rd-Secret!' })).AuthenticationResult).toBeDefined()
  })

  test('whom an administrator created sets a password of her own', async () => {
    const it = await poolFixture()
    const { idp, ClientId, UserPoolId } = it
    await idp.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username: 'ana',
        TemporaryPassword: 'Temp0rary-Pw!',
        UserAttributes: [
          { Name: 'email', Value: 'ana@corp.test' },
          { Name: 'email_verified', Value: 'true' },
        ],
      }),
    )
    await it.jobs.runDue()
    expect(it.mailer.delivered().at(-1)).toMatchObject({
      to: 'ana@corp.test',
      text: expect.stringContaining('Temp0rary-Pw!'),
    })
    const first = await signInBySrp(it, { username: 'ana', password: 'Temp0rary-Pw!' })
    expect(first).toMatchObject({
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      ChallengeParameters: { requiredAttributes: '[]' },
    })
    const answer = { ClientId, ChallengeName: 'NEW_PASSWORD_REQUIRED' as const, Session: first.Session }
    const ChallengeResponses = { USERNAME: 'ana', NEW_PASSWORD: PASSWORD, 'userAttributes.name': 'Ana' }
    const done = await idp.send(new RespondToAuthChallengeCommand({ ...answer, ChallengeResponses }))
    expect(claimsOf(done.AuthenticationResult!.IdToken!)).toMatchObject({ name: 'Ana' })
    await expect(idp.send(new RespondToAuthChallengeCommand({ ...answer, ChallengeResponses }))).rejects.toMatchObject({
      name: 'NotAuthorizedException',
    })
    expect(await idp.send(new AdminGetUserCommand({ UserPoolId, Username: 'ana' }))).toMatchObject({
      UserStatus: 'CONFIRMED',
      Enabled: true,
    })
  })

  test('sets up a one-time password and is prompted for it, once for each code', async () => {
    const it = await poolFixture()
    const { idp, ClientId, UserPoolId } = it
    await idp.send(
      new SetUserPoolMfaConfigCommand({
        UserPoolId,
        MfaConfiguration: 'OPTIONAL',
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    )
    await signUp(it, 'ana')
    const { AccessToken } = (await signInBySrp(it, { username: 'ana' })).AuthenticationResult!
    const { SecretCode } = await idp.send(new AssociateSoftwareTokenCommand({ AccessToken }))
    const seed = bytesOf(SecretCode!)
    const code = () => codeAt(seed, stepAt(it.clock.now()))
    await expect(idp.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: '000000' }))).rejects.toMatchObject({
      name: 'EnableSoftwareTokenMFAException',
    })
    await idp.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: code(), FriendlyDeviceName: 'phone' }))
    await idp.send(
      new SetUserMFAPreferenceCommand({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } }),
    )

    const first = await signInBySrp(it, { username: 'ana' })
    expect(first).toMatchObject({
      ChallengeName: 'SOFTWARE_TOKEN_MFA',
      ChallengeParameters: { FRIENDLY_DEVICE_NAME: 'phone' },
    })
    const respond = (SOFTWARE_TOKEN_MFA_CODE: string, Session = first.Session) =>
      idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'SOFTWARE_TOKEN_MFA',
          Session,
          ChallengeResponses: { USERNAME: 'ana', SOFTWARE_TOKEN_MFA_CODE },
        }),
      )
    // The code that set the token up is spent.
    await expect(respond(code())).rejects.toMatchObject({ name: 'CodeMismatchException' })
    await it.pass(30_000)
    const used = code()
    expect((await respond(used)).AuthenticationResult).toBeDefined()
    const second = await signInBySrp(it, { username: 'ana' })
    await expect(respond(used, second.Session)).rejects.toMatchObject({ name: 'CodeMismatchException' })
  })

  test('is not prompted again on a device that she remembers', async () => {
    const it = await poolFixture({
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: true },
    })
    const { idp, ClientId, UserPoolId } = it
    await idp.send(
      new SetUserPoolMfaConfigCommand({
        UserPoolId,
        MfaConfiguration: 'OPTIONAL',
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    )
    await signUp(it, 'ana')
    const { AccessToken, NewDeviceMetadata } = (await signInBySrp(it, { username: 'ana' })).AuthenticationResult!
    const { DeviceKey, DeviceGroupKey } = NewDeviceMetadata as { DeviceKey: string; DeviceGroupKey: string }
    const { salt, verifier } = newVerifier({ group: DeviceGroupKey, user: DeviceKey }, 'device secret')
    const base64 = (hex: string) =>
      Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64')
    expect(
      await idp.send(
        new ConfirmDeviceCommand({
          AccessToken,
          DeviceKey,
          DeviceSecretVerifierConfig: { Salt: base64(salt), PasswordVerifier: base64(verifier) },
        }),
      ),
    ).toMatchObject({ UserConfirmationNecessary: true })
    await idp.send(new UpdateDeviceStatusCommand({ AccessToken, DeviceKey, DeviceRememberedStatus: 'remembered' }))
    const { SecretCode } = await idp.send(new AssociateSoftwareTokenCommand({ AccessToken }))
    await idp.send(
      new VerifySoftwareTokenCommand({ AccessToken, UserCode: codeAt(bytesOf(SecretCode!), stepAt(it.clock.now())) }),
    )
    await idp.send(new SetUserMFAPreferenceCommand({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true } }))

    const withDevice = async (password: string) => {
      const first = await signInBySrp(it, { username: 'ana', parameters: { DEVICE_KEY: DeviceKey } })
      expect(first.ChallengeName).toBe('DEVICE_SRP_AUTH')
      const device = srpClient()
      const second = await idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'DEVICE_SRP_AUTH',
          Session: first.Session,
          ChallengeResponses: { USERNAME: 'ana', DEVICE_KEY: DeviceKey, SRP_A: device.SRP_A },
        }),
      )
      const challenge = second.ChallengeParameters!
      const claim = device.claim({ group: DeviceGroupKey, user: DeviceKey, password, challenge, now: it.clock.now() })
      return idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'DEVICE_PASSWORD_VERIFIER',
          Session: second.Session,
          ChallengeResponses: { USERNAME: 'ana', DEVICE_KEY: DeviceKey, ...claim },
        }),
      )
    }
    await expect(withDevice('another secret')).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    const { AuthenticationResult } = await withDevice('device secret')
    expect(claimsOf(AuthenticationResult!.AccessToken!)).toMatchObject({ device_key: DeviceKey })
    expect(AuthenticationResult!.NewDeviceMetadata).toBeUndefined()
    // Without the device the code is required.
    expect((await signInBySrp(it, { username: 'ana' })).ChallengeName).toBe('SOFTWARE_TOKEN_MFA')
  })

  test('chooses among the first factors of the pool: a code by mail, too', async () => {
    const it = await poolFixture({ Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } })
    const { idp, ClientId } = it
    await signUp(it, 'ana')
    const first = await idp.send(
      new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: 'ana' } }),
    )
    expect(first).toMatchObject({
      ChallengeName: 'SELECT_CHALLENGE',
      AvailableChallenges: ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP'],
    })
    const answer = (
      ChallengeName: 'SELECT_CHALLENGE' | 'EMAIL_OTP',
      Session: string | undefined,
      more: Record<string, string>,
    ) =>
      idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName,
          Session,
          ChallengeResponses: { USERNAME: 'ana', ...more },
        }),
      )
    const second = await answer('SELECT_CHALLENGE', first.Session, { ANSWER: 'EMAIL_OTP' })
    expect(second).toMatchObject({
      ChallengeName: 'EMAIL_OTP',
      ChallengeParameters: { CODE_DELIVERY_DESTINATION: 'a***@c***' },
    })
    await expect(answer('EMAIL_OTP', second.Session, { EMAIL_OTP_CODE: '12345' })).rejects.toMatchObject({
      name: 'CodeMismatchException',
    })
    const done = await answer('EMAIL_OTP', second.Session, { EMAIL_OTP_CODE: await it.codeFor('ana@corp.test') })
    expect(done.AuthenticationResult).toBeDefined()
    const direct = await idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: 'ana', PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD },
      }),
    )
    expect(direct.AuthenticationResult).toBeDefined()
  })
})

describe('Refresh tokens that rotate', () => {
  test('are good once; a second use ends the family', async () => {
    const it = await poolFixture(
      {},
      {
        ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'],
        RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 10 },
      },
    )
    const { idp, ClientId } = it
    await signUp(it, 'ana')
    const first = (await signInBySrp(it, { username: 'ana' })).AuthenticationResult!
    const exchange = (RefreshToken: string | undefined) =>
      idp.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }))
    const second = (await exchange(first.RefreshToken)).AuthenticationResult!
    expect(second.RefreshToken).not.toBe(first.RefreshToken)
    // Within the grace period the answer may have been lost.
    expect((await exchange(first.RefreshToken)).AuthenticationResult!.RefreshToken).toBeDefined()
    await it.pass(11_000)
    await expect(exchange(first.RefreshToken)).rejects.toMatchObject({ name: 'RefreshTokenReuseException' })
    await expect(exchange(second.RefreshToken)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    await expect(idp.send(new GetUserCommand({ AccessToken: second.AccessToken }))).rejects.toMatchObject({
      name: 'NotAuthorizedException',
    })
  })

  test('are revoked with their access tokens, by their own client alone', async () => {
    const it = await poolFixture()
    const { idp, ClientId } = it
    const other = await it.newClient()
    await signUp(it, 'ana')
    const { RefreshToken: Token, AccessToken } = (await signInBySrp(it, { username: 'ana' })).AuthenticationResult!
    await expect(idp.send(new RevokeTokenCommand({ ClientId: other.ClientId, Token }))).rejects.toMatchObject({
      name: 'UnauthorizedException',
    })
    await expect(idp.send(new RevokeTokenCommand({ ClientId, Token: AccessToken }))).rejects.toMatchObject({
      name: 'UnsupportedTokenTypeException',
    })
    await idp.send(new RevokeTokenCommand({ ClientId, Token }))
    await expect(idp.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
      message: 'Access Token has been revoked',
    })
  })
})

describe('A client with a secret', () => {
  test('proves it in every request; without it, and with a wrong one, nothing happens', async () => {
    const it = await poolFixture({}, { GenerateSecret: true })
    const { idp, ClientId, app } = it
    const SecretHash = secretHash(app.ClientSecret!, 'ana', ClientId)
    const wrong = secretHash('another', 'ana', ClientId)
    const base = { ClientId, Username: 'ana' }
    const initiations = {
      USER_PASSWORD_AUTH: { PASSWORD },
      USER_SRP_AUTH: { SRP_A: srpClient().SRP_A },
      USER_AUTH: {},
      CUSTOM_AUTH: {},
    }
    const requests = (hash: string | undefined) => [
      new SignUpCommand({ ...base, Password: PASSWORD, SecretHash: hash }),
      new ConfirmSignUpCommand({ ...base, ConfirmationCode: '123456', SecretHash: hash }),
      new ResendConfirmationCodeCommand({ ...base, SecretHash: hash }),
      new ForgotPasswordCommand({ ...base, SecretHash: hash }),
      new ConfirmForgotPasswordCommand({ ...base, ConfirmationCode: '123456', Password: PASSWORD, SecretHash: hash }),
      ...Object.entries(initiations).map(
        ([flow, more]) =>
          new InitiateAuthCommand({
            ClientId,
            AuthFlow: flow as keyof typeof initiations,
            AuthParameters: { USERNAME: 'ana', ...more, ...(hash && { SECRET_HASH: hash }) },
          }),
      ),
      new AdminInitiateAuthCommand({
        UserPoolId: it.UserPoolId,
        ClientId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ana', PASSWORD, ...(hash && { SECRET_HASH: hash }) },
      }),
    ]
    for (const command of requests(undefined))
      await expect(idp.send(command as never)).rejects.toMatchObject({
        name: 'NotAuthorizedException',
        message: `Client ${ClientId} is configured with secret but SECRET_HASH was not received`,
      })
    for (const command of requests(wrong))
      await expect(idp.send(command as never)).rejects.toMatchObject({
        message: `SecretHash does not match for the client: ${ClientId}`,
      })
    const sub = (
      await idp.send(
        new SignUpCommand({
          ...base,
          Password: PASSWORD,
          SecretHash,
          UserAttributes: [{ Name: 'email', Value: 'ana@corp.test' }],
        }),
      )
    ).UserSub
    expect(sub).toBeDefined()
    await idp.send(
      new ConfirmSignUpCommand({ ...base, SecretHash, ConfirmationCode: await it.codeFor('ana@corp.test') }),
    )
    const { AuthenticationResult } = await idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ana', PASSWORD, SECRET_HASH: SecretHash },
      }),
    )
    // The second step, too: a session is no proof of the client.
    const begun = await idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: 'ana', SECRET_HASH: SecretHash },
      }),
    )
    const choose = (more: Record<string, string>) =>
      idp.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'SELECT_CHALLENGE',
          Session: begun.Session,
          ChallengeResponses: { USERNAME: 'ana', ANSWER: 'PASSWORD', PASSWORD, ...more },
        }),
      )
    for (const more of [{}, { SECRET_HASH: wrong }])
      await expect(choose(more)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    expect((await choose({ SECRET_HASH: SecretHash })).AuthenticationResult).toBeDefined()
    const REFRESH_TOKEN = AuthenticationResult!.RefreshToken!
    const exchange = (ClientSecret?: string) =>
      idp.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken: REFRESH_TOKEN, ClientSecret }))
    for (const secret of [undefined, 'x'.repeat(51)])
      await expect(exchange(secret)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    expect((await exchange(app.ClientSecret)).AuthenticationResult).toBeDefined()
    const refresh = (more: Record<string, string>) =>
      idp.send(
        new InitiateAuthCommand({
          ClientId,
          AuthFlow: 'REFRESH_TOKEN_AUTH',
          AuthParameters: { REFRESH_TOKEN, ...more },
        }),
      )
    for (const more of [{}, { SECRET_HASH: wrong }])
      await expect(refresh(more)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    expect((await refresh({ SECRET_HASH: SecretHash })).AuthenticationResult).toBeDefined()
    await expect(idp.send(new RevokeTokenCommand({ ClientId, Token: REFRESH_TOKEN }))).rejects.toMatchObject({
      name: 'NotAuthorizedException',
    })
    await idp.send(new RevokeTokenCommand({ ClientId, ClientSecret: app.ClientSecret, Token: REFRESH_TOKEN }))
  })
})

describe('A pool that does not reveal which users exist', () => {
  test('answers the same for a user and for an unknown name', async () => {
    const it = await poolFixture({}, { PreventUserExistenceErrors: 'ENABLED' })
    const { idp, ClientId } = it
    await signUp(it, 'ana')
    const shapeOf = async (send: () => Promise<object>) => {
      try {
        const { $metadata, ...answer } = (await send()) as { $metadata: object }
        return JSON.stringify(answer, (name, value) =>
          typeof value === 'string' && !['ChallengeName', 'DeliveryMedium', 'AttributeName'].includes(name)
            ? 'text'
            : value,
        )
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`
      }
    }
    const operations = (Username: string): (() => Promise<object>)[] => [
      () =>
        idp.send(
          new InitiateAuthCommand({
            ClientId,
            AuthFlow: 'USER_PASSWORD_AUTH',
            AuthParameters: { USERNAME: Username, PASSWORD: 'Wr0ng-Pw!' },
          }),
        ),
      () =>
        idp.send(
          new InitiateAuthCommand({
            ClientId,
            AuthFlow: 'USER_SRP_AUTH',
            AuthParameters: { USERNAME: Username, SRP_A: srpClient().SRP_A },
          }),
        ),
      () =>
        idp.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: Username } })),
      () => signInBySrp(it, { username: Username, password: 'Wr0ng-Pw!' }),
      () => idp.send(new ForgotPasswordCommand({ ClientId, Username })),
      () =>
        idp.send(
          new ConfirmForgotPasswordCommand({ ClientId, Username, ConfirmationCode: '000000', Password: PASSWORD }),
        ),
      () => idp.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode: '000000' })),
    ]
    for (const [index, forAna] of operations('ana').entries())
      expect(await shapeOf(operations('bob')[index]!)).toBe(await shapeOf(forAna))
    const lockedOut = async (username: string) => {
      for (let n = 0; n < 8; n++) await signInBySrp(it, { username, password: 'Wr0ng-Pw!' }).catch(() => undefined)
      return shapeOf(() => signInBySrp(it, { username, password: 'Wr0ng-Pw!' }))
    }
    expect(await lockedOut('bob')).toBe(await lockedOut('ana'))
    // The same salt each time, as a real user has.
    const salt = async () =>
      (
        await idp.send(
          new InitiateAuthCommand({
            ClientId,
            AuthFlow: 'USER_SRP_AUTH',
            AuthParameters: { USERNAME: 'bob', SRP_A: srpClient().SRP_A },
          }),
        )
      ).ChallengeParameters!['SALT']
    expect(await salt()).toBe(await salt())
  })
})

describe('What a client may not do', () => {
  test('flows, attributes, sessions of others, and forged values', async () => {
    const it = await poolFixture(
      { Schema: [{ Name: 'role', AttributeDataType: 'String', Mutable: true }] },
      { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'], WriteAttributes: ['email', 'name'] },
    )
    const { idp, ClientId, UserPoolId } = it
    await signUp(it, 'ana')
    const initiate = (
      AuthFlow: 'USER_PASSWORD_AUTH' | 'ADMIN_USER_PASSWORD_AUTH' | 'USER_SRP_AUTH',
      AuthParameters: Record<string, string>,
    ) => idp.send(new InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters }))
    await expect(initiate('USER_PASSWORD_AUTH', { USERNAME: 'ana', PASSWORD })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'USER_PASSWORD_AUTH flow not enabled for this client',
    })
    await expect(initiate('ADMIN_USER_PASSWORD_AUTH', { USERNAME: 'ana', PASSWORD })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    await expect(
      idp.send(
        new AdminInitiateAuthCommand({
          UserPoolId,
          ClientId,
          AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
          AuthParameters: { USERNAME: 'ana', PASSWORD },
        }),
      ),
    ).rejects.toMatchObject({ message: 'Auth flow not enabled for this client' })
    for (const SRP_A of ['0', 'zz', ''])
      await expect(initiate('USER_SRP_AUTH', { USERNAME: 'ana', SRP_A })).rejects.toMatchObject({
        name: 'InvalidParameterException',
      })
    const { AccessToken } = (await signInBySrp(it, { username: 'ana' })).AuthenticationResult!
    for (const Name of ['custom:role', 'email_verified', 'given_name'])
      await expect(
        idp.send(
          new UpdateUserAttributesCommand({
            AccessToken,
            UserAttributes: [{ Name, Value: Name === 'email_verified' ? 'true' : 'x' }],
          }),
        ),
      ).rejects.toMatchObject({
        name: 'NotAuthorizedException',
        message: 'A client attempted to write unauthorized attribute',
      })
    for (const token of [undefined, '', 'a.b.c', `${AccessToken!.slice(0, -4)}AAAA`])
      await expect(idp.send(new GetUserCommand({ AccessToken: token }))).rejects.toThrow()

    const other = await it.newClient()
    const first = await idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'ana', SRP_A: srpClient().SRP_A },
      }),
    )
    await expect(
      idp.send(
        new RespondToAuthChallengeCommand({
          ClientId: other.ClientId,
          ChallengeName: 'PASSWORD_VERIFIER',
          Session: first.Session,
          ChallengeResponses: { USERNAME: 'ana' },
        }),
      ),
    ).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    await expect(
      idp.send(new InitiateAuthCommand({ ClientId: 'nobody', AuthFlow: 'USER_SRP_AUTH' })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'User pool client nobody does not exist.',
    })
    await idp.send(
      new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: 'N3w-Secret-Pw!', Permanent: true }),
    )
  })
})
